"""Two small drawings beside the record of a training: whether chances come true, and scores by day of the period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

_SIZE, _EDGE = 360, 44
_COLOURS = ("#1f6f8b", "#c8553d", "#7a7a7a", "#d9a441", "#5b8c5a", "#8e6c8a", "#222222")


def reliability_curve(calibration: pd.DataFrame, methods: Sequence[str]) -> str:
    """Draw forecast against observed, bin by bin, with ranges; the diagonal is a forecast that comes true.

    Parameters
    ----------
    calibration : DataFrame
        ``model``, ``forecast``, ``observed``, ``lower``, ``upper``: the bins in total.
    methods : sequence of str
        The first is drawn with its ranges.

    Returns
    -------
    str
        An SVG document.
    """
    rows = calibration[calibration["model"].isin(list(methods)).to_numpy()]
    top = float(np.nanmax([rows["forecast"].max(), rows["upper"].max(), 0.05])) if len(rows) else 1.0
    shapes = [_line([(_x(0, top), _y(0, top)), (_x(top, top), _y(top, top))], "#bbbbbb", dashed=True)]
    for i, method in enumerate(methods):
        own, colour = rows[(rows["model"] == method).to_numpy()], _COLOURS[i % len(_COLOURS)]
        spots = [(_x(f, top), _y(o, top)) for f, o in zip(own["forecast"], own["observed"], strict=True)]
        shapes += [
            _line(spots, colour),
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots),
        ]
        if i == 0:
            ends = zip(own["forecast"], own["lower"], own["upper"], strict=True)
            shapes += [
                _line([(_x(f, top), _y(low, top)), (_x(f, top), _y(high, top))], colour) for f, low, high in ends
            ]
    labels = {0.0: "0", top: f"{top:.0%}"}
    return _document(
        "P(won in the period): said (across) and come true (up)", shapes, methods, labels, labels, top, top
    )


def scores_by_day(values: Mapping[str, Mapping[int, float]], score: str) -> str:
    """Draw a score of each method over the days of the period.

    Parameters
    ----------
    values : mapping of method to mapping of day to score
    score : str
        What the score is called.

    Returns
    -------
    str
        An SVG document.
    """
    days = sorted({d for by_day in values.values() for d in by_day})
    most = max((v for by_day in values.values() for v in by_day.values()), default=1.0) * 1.05 or 1.0
    last = max(days, default=1) or 1
    shapes = []
    for i, by_day in enumerate(values.values()):
        spots = [(_x(d, last), _y(by_day[d], most)) for d in sorted(by_day)]
        colour = _COLOURS[i % len(_COLOURS)]
        shapes += [
            _line(spots, colour),
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots),
        ]
    across = {float(d): str(d) for d in days}
    return _document(
        f"{score} by day of the period", shapes, list(values), across, {0.0: "0", most: f"{most:.2g}"}, last, most
    )


def _x(value: float, top: float) -> float:
    return _EDGE + (_SIZE - 2 * _EDGE) * value / top


def _y(value: float, top: float) -> float:
    return _SIZE - _EDGE - (_SIZE - 2 * _EDGE) * value / top


def _line(spots: Sequence[tuple[float, float]], colour: str, dashed: bool = False) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"{dash}/>'


def _text(x: float, y: float, words: str, anchor: str = "middle", colour: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def _document(
    title: str, shapes: Sequence[str], names: Sequence[str], across: Mapping[float, str], up: Mapping[float, str],
    widest: float, highest: float,
) -> str:  # fmt: skip
    low, high = _EDGE, _SIZE - _EDGE
    frame = _line([(low, low), (low, high), (high, high)], "#888888")
    words = [_text(_SIZE / 2, 20, title)]
    words += [_text(_x(v, widest), high + 16, w) for v, w in across.items()]
    words += [_text(low - 6, _y(v, highest) + 4, w, "end") for v, w in up.items()]
    words += [
        _text(low + 8, low + 12 + 14 * i, name, "start", _COLOURS[i % len(_COLOURS)]) for i, name in enumerate(names)
    ]
    inside = "\n".join([frame, *shapes, *words])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIZE}" height="{_SIZE}" font-family="sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="#ffffff"/>\n{inside}\n</svg>\n'
    )
