"""Charts made from the facts alone, as pieces of HTML: inline drawings, no script needed to read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from pipeforecast.report.fan import fan, quarters
from pipeforecast.report.reliable import chances
from pipeforecast.report.svg import Scale, band, dot, drawing, join, scale_of, stroke, tag, text, upright
from pipeforecast.report.words import MISSING, day, full_money, money, percent, range_words, signed_money, to_words
from pipeforecast.wording import t

Facts = dict[str, Any]

PART_COLOURS = {"won": "c-won", "open_due": "c-due", "open_pulled_in": "c-pulled", "new": "c-new"}
#: Half the width of a chart's one label, in hundredths of the narrowest page.
_LABEL = 26.0
#: Colours of the rules' lines: more lines than these nobody tells apart, so the chart holds only the best rules.
LINE_COLOURS = ("l1", "l2", "l3", "l4", "l5", "l6")
MOST_LINES = 1 + len(LINE_COLOURS)


def figures(facts: Facts) -> dict[str, str]:
    """Draw every chart of the report.

    Parameters
    ----------
    facts : dict
        What ``facts`` of the room ``report.facts`` gives.

    Returns
    -------
    dict of str
        ``quarter``, ``parts``, ``moved``, ``methods``, ``past``, ``errors``, ``fan``, ``quarters``, ``chances``:
        HTML, empty where there is nothing to draw.
    """
    makers = {
        "quarter": quarter, "parts": parts, "moved": moved, "methods": methods, "past": past, "errors": errors,
        "fan": fan, "quarters": quarters, "chances": chances,
    }  # fmt: skip
    return {name: str(make(facts)) for name, make in makers.items()}


def _axis(scale: Scale, y: float, top: float) -> Markup:
    """Ticks with amounts under the chart, faint lines up to its top."""
    lines = [upright(scale, x, top, y, "grid") for x in scale.ticks()]
    words = [text(scale.at(x), y + 16, money(x)) for x in scale.ticks()]
    return join(*lines, *words)


def _range_kind(amount: float, ranges: dict[str, list[float | None]]) -> str:
    for name in ("50", "80", "95"):
        low, high = ranges[name]
        if low is not None and high is not None and low <= amount <= high:
            return f"in{name}"
    return "tail"


def quarter(facts: Facts) -> Markup:
    """Distribution of the period's total, coloured by the range that an amount lies in."""
    head, line, curve = facts["head"], facts["headline"], facts["curve"]
    low, high = line["ranges"]["95"]
    if low is None or high is None:
        return Markup("")
    bars = curve["bars"] if curve else []
    start, end = (bars[0]["from"], bars[-1]["to"]) if bars else (low, high)
    scale = Scale(start, end, 0.5, 99.5) if end > start else scale_of([start, end])
    r = line["ranges"]
    label = t(
        "Outcomes of {period} in {currency}: most likely {p50}; {ranges}", period=head["period"],
        currency=head["currency"], p50=money(line["p50"]),
        ranges="; ".join(range_words(name, *r[name]) for name in ("50", "80", "95")),
    )  # fmt: skip
    floor = 196.0 if bars else 92.0
    body = _bars(bars, scale, r, floor) if bars else _bands(scale, r)
    middle = join(
        upright(scale, line["p50"], 24, floor, "middle"),
        text(scale.at(line["p50"]), 16, t("most likely {p50}", p50=money(line["p50"])), "mark", _LABEL),
    )
    return drawing(floor + 24, label, _axis(scale, floor, 24), body, middle)


def _bars(bars: list[dict[str, Any]], scale: Scale, ranges: dict[str, Any], floor: float) -> Markup:
    tallest = max(b["share"] for b in bars) or 1.0
    out = []
    for b in bars:
        height = (floor - 32) * b["share"] / tallest
        tip = t(
            "{low} to {high}: {share} of outcomes. Chance to reach {low}: {reach}.", low=money(b["from"]),
            high=money(b["to"]), share=percent(b["share"]), reach=percent(b["reach"]),
        )  # fmt: skip
        kind = _range_kind((b["from"] + b["to"]) / 2, ranges)
        shown = band(scale, b["from"], b["to"], round(floor - height, 1), round(height, 1), f"bar {kind}")
        # The whole column answers to the pointer, not only the bar: low bars could hardly be hit.
        out += [shown, band(scale, b["from"], b["to"], 24, floor - 24, "hit", tip)]
    return join(*out)


def _bands(scale: Scale, ranges: dict[str, Any]) -> Markup:
    out = []
    for name, y, height in (("95", 50, 16), ("80", 44, 28), ("50", 38, 40)):
        low, high = ranges[name]
        if low is not None and high is not None:
            out.append(
                band(
                    scale,
                    low,
                    high,
                    y,
                    height,
                    f"in{name}",
                    t("{share} % range: {range}", share=name, range=to_words(low, high)),
                )
            )
    return join(*out)


def parts(facts: Facts) -> Markup:
    """One bar of the parts' means: they add up to the mean of the whole."""
    shown = [p for p in facts["parts"] if p["adds"] and p["mean"] > 0]
    total = sum(p["mean"] for p in shown)
    if not total > 0:
        return Markup("")
    scale, at, out = Scale(0.0, total, 0.0, 100.0), 0.0, []
    for p in shown:
        share = percent(p["mean"] / total)
        tip = t("{part}: {mean}, {share} of the mean", part=p["label"], mean=money(p["mean"]), share=share)
        out.append(band(scale, at, at + p["mean"], 0, 40, PART_COLOURS[p["part"]], tip))
        at += p["mean"]
    label = t("Parts of the mean: {parts}", parts="; ".join(f"{p['label']} {money(p['mean'])}" for p in shown))
    return drawing(40, label, *out, kind="rounded")


def _rows_chart(rows: Sequence[tuple[str, Markup, str]], scale: Scale, kind: str = "") -> Markup:
    """Lay labelled tracks one under the other with one axis below."""
    out: list[str] = []
    for label, track, value in rows:
        lines = join(*[upright(scale, x, 0, 30, "grid") for x in scale.ticks(5)])
        out += [
            tag("div", label, class_="row-label"),
            tag("svg", lines, track, width="100%", height=30, class_="chart", aria_hidden="true"),
            tag("div", value, class_="row-value"),
        ]
    words = join(*[text(scale.at(x), 14, money(x)) for x in scale.ticks(5)])
    out += [tag("div"), tag("svg", words, width="100%", height=20, class_="chart", aria_hidden="true"), tag("div")]
    return tag("div", *out, class_=f"rows {kind}".strip())


def methods(facts: Facts) -> Markup:
    """What each method says of the period today."""
    shown = [m for m in facts["rules_now"] if m["mean"] is not None]
    if len(shown) < 2:
        return Markup("")
    scale = scale_of([m[c] for m in shown for c in ("p10", "mean", "p50", "p90")], left=2, right=98)
    rows = []
    for m in shown:
        point = m["p50"] if m["p50"] is not None else m["mean"]
        colour = "model" if m["is_model"] else "rule"
        track = []
        tip = f"{m['method']}: {money(point)}"
        if m["p10"] is not None and m["p90"] is not None:
            tip += "; " + range_words("80", m["p10"], m["p90"])
            track.append(band(scale, m["p10"], m["p90"], 11, 8, f"range {colour}", tip))
        track.append(dot(scale, point, 15, f"point {colour}", tip, 6))
        missed = "" if m["past_error"] is None else t("missed {error}", error=percent(m["past_error"]))
        rows.append((_label(m), join(*track), join(money(point), tag("small", missed) if missed else "")))
    return _rows_chart(rows, scale)


def moved(facts: Facts) -> Markup:
    """From the earlier mean to today's: each cause begins where the one before it ends."""
    told = facts["moved"]
    if told is None:
        return Markup("")
    steps = [(b["label"], b["amount"]) for b in told["bars"] if round(b["amount"])]
    ends = [told["start"], *(told["start"] + sum(a for _, a in steps[: i + 1]) for i in range(len(steps)))]
    scale = scale_of([0.0, *ends, told["end"]], left=2, right=98)
    first, last = (
        (tag("strong", day(when)), band(scale, 0.0, amount, 7, 16, "range model"), money(amount))
        for when, amount in ((told["since"], told["start"]), (facts["head"]["as_of"], told["end"]))
    )
    rows = []
    for (label, amount), at in zip(steps, ends, strict=False):
        low, high = sorted((at, at + amount))
        kind, tip = "c-won" if amount > 0 else "missed", f"{label}: {signed_money(amount)}"
        rows.append((label, band(scale, low, high, 7, 16, kind, tip), signed_money(amount)))
    return _rows_chart([first, *rows, last], scale)


def _label(method: dict[str, Any]) -> str:
    return tag("strong", method["method"]) if method["is_model"] else method["method"]


def past(facts: Facts) -> Markup:
    """Past periods, forecast range against actual amount: one panel for each day of the period."""
    record = facts["past"]
    if record is None:
        return Markup("")
    columns = ("p10", "p90", "p50", "actual")
    # All panels share one scale: what changes from day to day is the ranges, not the axis.
    every = [p[c] for panel in record["panels"] for p in panel["periods"] for c in columns]
    scale = scale_of(every, left=2, right=98)
    out = [
        tag(
            "div",
            tag("p", _panel_words(panel), class_="panel-words"),
            _rows_chart([_past_row(p, scale) for p in panel["periods"]], scale, "past"),
            class_="panel", data_panel=str(panel["day"]), data_now="yes" if panel["day"] == record["today"] else None,
        )
        for panel in record["panels"]
    ]  # fmt: skip
    return join(*out)


def _panel_words(panel: dict[str, Any]) -> str:
    if not panel["judged"]:
        return t("Forecasts made on day {day}. No ranges are known for them.", day=panel["day"])
    return t(
        "Forecasts made on day {day}. {inside} of {judged} periods ended within the 80 % range.", day=panel["day"],
        inside=panel["inside"], judged=panel["judged"],
    )  # fmt: skip


def _past_row(p: dict[str, Any], scale: Scale) -> tuple[str, Markup, str]:
    point = p["p50"] if p["p50"] is not None else p["mean"]
    tip = t("{period}: actual {actual}, forecast {forecast}", period=p["period"], actual=money(p["actual"]),
            forecast=money(point))  # fmt: skip
    track = []
    if p["inside"] is not None:
        tip += ", " + range_words("80", p["p10"], p["p90"])
        track.append(band(scale, p["p10"], p["p90"], 9, 12, "in80", tip))
    if p["p25"] is not None and p["p75"] is not None:
        track.append(band(scale, p["p25"], p["p75"], 9, 12, "in50", tip))
    if p["p50"] is not None:
        track.append(upright(scale, p["p50"], 6, 24, "middle"))
    held = {None: "", True: "within", False: "outside"}[p["inside"]]
    said = {"": "", "within": t("within"), "outside": t("outside")}[held]
    track.append(dot(scale, p["actual"], 15, "actual" if held != "outside" else "actual missed", tip))
    value = tag("span", money(p["actual"]), title=full_money(p["actual"]))
    return p["period"], join(*track), join(value, " ", tag("small", said, class_=held or None))


def errors(facts: Facts) -> Markup:
    """Error of every method by day of the period: the model's line is the thick one."""
    record = facts["record"]
    if record is None or len(record["all_days"]) < 2:
        return Markup("")
    values = next(m["values"] for m in record["measures"] if m["measure"] == "wape")
    methods, values = record["methods"][:MOST_LINES], values[:MOST_LINES]
    known = sorted(v for row in values for v in row if v is not None)
    if not known:
        return Markup("")
    days = record["all_days"]
    across = Scale(days[0], days[-1], 10, 97)
    down = Scale(0.0, _highest(known), 190, 12)
    levels = [(x, down.at(x)) for x in down.ticks(4)]
    grid = [stroke(0, y, 100, y, "grid") for _, y in levels]
    grid += [tag("text", percent(x), x="0", y=y - 4, class_="tick") for x, y in levels]
    words = [
        text(across.at(d), 210, t("day {day}", day=d) if d in (days[0], days[-1]) else str(d)) for d in record["days"]
    ]
    here = min(max(facts["head"]["day_of_period"], days[0]), days[-1])
    today = join(upright(across, here, 12, 190, "today"), text(across.at(here), 10, t("today"), "mark"))
    order = range(len(values) - 1, -1, -1)  # the model is drawn last, above the rules
    lines = [_line(methods[i], i, days, values[i], across, down) for i in order]
    label = t("Error by day of the period of {n} methods; the table below holds the same numbers", n=len(values))
    return join(drawing(218, label, *grid, today, *lines, *words), _legend(methods))


def _highest(known: list[float]) -> float:
    """Top of the error axis: a rule that misses wildly is cut off rather than flattening all others."""
    typical = known[len(known) // 2]
    return max(min(known[-1], 4 * typical), 0.01) * 1.05


def _colour(method: dict[str, Any], i: int) -> str:
    return "lm" if method["is_model"] else LINE_COLOURS[(i - 1) % len(LINE_COLOURS)]


def _line(
    method: dict[str, Any], i: int, days: list[int], row: list[float | None], across: Scale, down: Scale
) -> Markup:
    places = [(across.at(d), down.at(v), d, v) for d, v in zip(days, row, strict=True) if v is not None]
    colour = _colour(method, i)
    lines = [stroke(a[0], a[1], b[0], b[1], "line", colour) for a, b in pairwise(places)]
    name, size = method["method"], 5 if method["is_model"] else 4
    dots = [dot(across, d, y, f"knot {colour}", _knot(name, d, v), size) for _, y, d, v in places]
    return join(*lines, *dots)


def _knot(name: str, day: int, error: float) -> str:
    return t("{method}, day {day}: error {error}", method=name, day=day, error=percent(error))


def _legend(methods: list[dict[str, Any]]) -> Markup:
    items = [
        tag("li", tag("span", class_=f"key {_colour(m, i)}", aria_hidden="true"), m["method"] or MISSING)
        for i, m in enumerate(methods)
    ]
    return tag("ul", *items, class_="legend")
