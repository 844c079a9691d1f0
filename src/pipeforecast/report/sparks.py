"""Small charts of the catalogue's page: a metric over the periods, a funnel, bars side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from pipeforecast.report.svg import Scale, band, drawing, join, scale_of, stroke, tag, text
from pipeforecast.report.words import MISSING, figure, percent, period
from pipeforecast.wording import t
from pipeforecast.wording.numerals import grouped

Facts = dict[str, Any]


def spark(trend: Sequence[Facts], unit: str, label: str, height: float = 30, words: bool = False) -> Markup:
    """Draw a metric over the periods: a line through what is known, its interval behind, the newest as a dot.

    Parameters
    ----------
    trend : sequence of dict
        ``period``, ``value``, ``lower``, ``upper``, ``status``.
    unit, label : str
    height : float
        In pixels.
    words : bool
        Whether the first and last period stand below.
    """
    known = [(i, x) for i, x in enumerate(trend) if x["value"] is not None]
    if not known:
        return Markup("")
    down = scale_of([v for _, x in known for v in (x["value"], x["lower"], x["upper"])], left=height - 5, right=5)
    across = Scale(0, max(len(trend) - 1, 1), 3, 97)
    body = [
        stroke(across.at(i), down.at(x["lower"]), across.at(i), down.at(x["upper"]), "whisker")
        for i, x in known
        if x["lower"] is not None and x["upper"] is not None
    ]
    for (i, a), (j, b) in pairwise(known):
        body.append(
            stroke(across.at(i), down.at(a["value"]), across.at(j), down.at(b["value"]), "line trend", _gap(i, j))
        )
    for i, x in known:
        kind = "knot trend" + (" last" if i == len(trend) - 1 else "") + (" young" if _young(x) else "")
        radius = 4 if i == len(trend) - 1 else 2.5
        body.append(tag("circle", cx=f"{across.at(i):.2f}%", cy=f"{down.at(x['value']):.1f}", r=radius, class_=kind))
    half = 47 / max(len(trend) - 1, 1)
    for i, x in known:
        low, high = max(across.at(i) - half, 0), min(across.at(i) + half, 100)
        body.append(band(Scale(0, 100, 0, 100), low, high, 0, height, "hit", _tip(x, unit)))
    if words:
        body += [text(3, height + 13, period(trend[0]["period"])), text(97, height + 13, period(trend[-1]["period"]))]
    told = f"{label}: " + ", ".join(f"{period(x['period'])} {figure(x['value'], unit)}" for x in trend)
    return drawing(height + (18 if words else 0), told, *body)


def _gap(i: int, j: int) -> str:
    return "" if j == i + 1 else "gap"


def _young(told: Facts) -> bool:
    return str(told.get("status")) == "immature"


def _tip(told: Facts, unit: str) -> str:
    text = f"{period(told['period'])}: {figure(told['value'], unit)}"
    if told["lower"] is not None and told["upper"] is not None:
        text += (
            " (" + t("95 % {low} to {high}", low=figure(told["lower"], unit), high=figure(told["upper"], unit)) + ")"
        )
    if told.get("n") is not None:
        text += f", n = {grouped(told['n'])}"
    return text + (", " + t("still growing") if _young(told) else "")


def bar(
    value: float | None, most: float, label: str, kind: str = "c-due", mark: tuple[float, float] | None = None
) -> Markup:
    """Draw one bar of a list, of ``most`` at full width; ``mark`` is a range that stands behind it."""
    scale = Scale(0.0, most if most > 0 else 1.0, 0, 100)
    behind = [band(scale, *mark, 0, 18, "range-mark")] if mark else []
    shown = [] if value is None else [band(scale, 0, max(value, 0.0), 4, 10, kind, label)]
    return drawing(18, label, tag("rect", x="0", y=4, width="100%", height=10, class_="track", rx=2), *behind, *shown)


def funnel_bars(funnel: Facts) -> list[Markup]:
    """Bars of the stages of a funnel: how many entered each, and in front how many of them went on."""
    most = max((s["entered"] or 0.0 for s in funnel["stages"]), default=0.0)
    scale = Scale(0.0, most if most > 0 else 1.0, 0, 100)
    out = []
    for s in funnel["stages"]:
        went = (s["value"] or 0.0) * s["entered"]
        share = percent(s["value"]) + (", " + t("still growing") if s["immature"] else "")
        numbers = {"entered": grouped(s["entered"]), "went": grouped(went), "share": share}
        label = t("{stage}: {entered} entered, {went} went on ({share})", stage=s["stage"], **numbers)
        out.append(drawing(26, label, band(scale, 0, s["entered"], 2, 22, "entered", label),
                           band(scale, 0, went, 2, 22, "went young" if s["immature"] else "went", label)))  # fmt: skip
    return out


__all__ = ["MISSING", "bar", "funnel_bars", "join", "spark"]
