"""The few shapes that charts are made of, drawn so that a chart is as wide as its column and its text never shrinks.

Across, places are percentages of the width; down, they are pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


def tag(name: str, *content: str, **attributes: str | float | None) -> Markup:
    """Make an element; ``_`` in attributes' names stands for ``-``, what is not markup is escaped."""
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(v)}"' for k, v in attributes.items() if v is not None)
    return Markup(f"<{name}{given}>{join(*content)}</{name}>")  # noqa: S704  all that goes in was escaped


def join(*content: str) -> Markup:
    """Put pieces together, escaping those that are not markup."""
    return Markup("").join(escape(c) for c in content)


@dataclass(frozen=True)
class Scale:
    """Places amounts between ``low`` and ``high`` on ``left`` to ``right`` percent of the width."""

    low: float
    high: float
    left: float = 1.0
    right: float = 99.0

    def at(self, value: float) -> float:
        """Give the place in percent; what lies beyond an end is drawn at that end."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def ticks(self, most: int = 5) -> list[float]:
        """Give round values within the scale."""
        span = self.high - self.low
        if not span > 0 or not math.isfinite(span):
            return [self.low]
        raw = span / most
        size = 10 ** math.floor(math.log10(raw))
        step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale_of(values: list[float | None], zero: bool = False, left: float = 1.0, right: float = 99.0) -> Scale:
    """Scale that holds all the known values, with a little room; from 0 on where ``zero``."""
    known = [v for v in values if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.04 * (high - low) or abs(high) * 0.1 or 1.0
    low = 0.0 if zero and low >= 0 else max(low - room, 0.0) if low >= 0 else low - room
    return Scale(low, high + room, left, right)


def _pct(place: float) -> str:
    return f"{place:.2f}%"


def band(scale: Scale, low: float, high: float, y: float, height: float, kind: str, tip: str = "") -> Markup:
    """Bar from one value to another."""
    x, to = scale.at(low), scale.at(high)
    return tag("rect", x=_pct(x), y=y, width=_pct(max(to - x, 0.15)), height=height, class_=kind, data_tip=tip or None)


def dot(scale: Scale, value: float, y: float, kind: str, tip: str = "", radius: float = 5) -> Markup:
    """Round mark at a value."""
    return tag("circle", cx=_pct(scale.at(value)), cy=y, r=radius, class_=kind, data_tip=tip or None)


def upright(scale: Scale, value: float, top: float, bottom: float, kind: str, tip: str = "") -> Markup:
    """Vertical line at a value."""
    x = _pct(scale.at(value))
    return tag("line", x1=x, x2=x, y1=top, y2=bottom, class_=kind, data_tip=tip or None)


def stroke(x1: float, y1: float, x2: float, y2: float, kind: str, colour: str = "") -> Markup:
    """Line between two places (percent across, pixels down)."""
    return tag("line", x1=_pct(x1), y1=f"{y1:.1f}", x2=_pct(x2), y2=f"{y2:.1f}", class_=f"{kind} {colour}".strip())


def text(place: float, y: float, words: str, kind: str = "tick", edge: float = 8.0) -> Markup:
    """Text at a place, turned inwards within ``edge`` of the ends so that nothing is cut off."""
    anchor = "start" if place < edge else "end" if place > 100 - edge else "middle"
    return tag("text", words, x=_pct(place), y=y, text_anchor=anchor, class_=kind)


def drawing(height: float, label: str, *content: str, kind: str = "") -> Markup:
    """Make a chart of the column's width; ``label`` says in words what it shows."""
    return tag(
        "svg", *content, width="100%", height=height, role="img", aria_label=label, class_=f"chart {kind}".strip()
    )


def _in_pixels(height: float, *content: str) -> Markup:
    """Shapes whose places across are hundredths of the width too, where SVG takes no percentages."""
    return tag(
        "svg", *content, x="0", y="0", width="100%", height=height, viewBox=f"0 0 100 {height:g}",
        preserveAspectRatio="none", overflow="visible",
    )  # fmt: skip


def area(points: Sequence[tuple[float, float]], height: float, kind: str) -> Markup:
    """Fill the outline through ``points`` (percent across, pixels down) of a chart of that height."""
    return _in_pixels(height, tag("polygon", points=_places(points), class_=kind))


def path(points: Sequence[tuple[float, float]], height: float, kind: str) -> Markup:
    """Line through ``points`` (percent across, pixels down) of a chart of that height; its width does not stretch."""
    line = tag("polyline", points=_places(points), class_=kind, fill="none", vector_effect="non-scaling-stroke")
    return _in_pixels(height, line)


def _places(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.1f}" for x, y in points)
