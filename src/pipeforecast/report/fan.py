"""The fan of a quarter: won so far, earlier forecasts day by day, and today's opening towards the quarter's end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from pipeforecast.report.svg import Scale, area, drawing, join, path, stroke, tag, text
from pipeforecast.report.words import day, money, range_words
from pipeforecast.wording import t

Facts = dict[str, Any]
_FLOOR, _TOP, _HEIGHT = 268.0, 22.0, 296.0
_SMALL_FLOOR, _SMALL = 112.0, 130.0
_FANS = (("95", "p025", "p975"), ("80", "p10", "p90"), ("50", "p25", "p75"))
#: Across, in percent: room for the amounts on the left, and for the last forecast's range on the right.
_LEFT, _RIGHT = 9.0, 98.0


def fan(facts: Facts) -> Markup:
    """Draw the running period; empty where nothing is known of its course."""
    told = facts["course"]
    if told is None:
        return Markup("")
    now, quota = told["now"], (facts["quota"] or {}).get("quota")
    days = max(told["days"], told["today"], 1)
    across = Scale(0, days, _LEFT, _RIGHT)
    amounts = [v for _, v in told["won"]] + [now[c] for c in ("mean", "p975")] + [quota]
    amounts += [x[c] for x in told["told"] for c in ("mean", "p90")]
    down = _down(amounts, _FLOOR, _TOP)
    body = [_grid(down, money), _cone(told, across, down, days), _won(told["won"], across, down, _HEIGHT)]
    if quota is not None:
        y = down.at(quota)
        words = t("quota {amount}", amount=money(quota))
        body += [
            stroke(_LEFT, y, _RIGHT, y, "quota-line"),
            tag("text", words, x=f"{_LEFT}%", y=y - 5, class_="mark"),
        ]
    body += [_forecast(x, across, down) for x in told["told"]]
    here = across.at(told["today"])
    body += [stroke(here, _TOP, here, _FLOOR, "today"), text(here, _TOP - 8, t("today"), "mark")]
    if now["mean"] is not None:
        # At the mean, as the earlier forecasts are: beside a median they would seem to fall.
        y = down.at(now["mean"])
        body.append(tag("circle", cx=f"{_RIGHT}%", cy=f"{y:.1f}", r=5, class_="point model", data_tip=_tip_now(facts)))
    body += _days(across, days, told["today"], _FLOOR + 18)
    return drawing(_HEIGHT, _label(facts), *body, kind="fan")


def _down(amounts: Sequence[float | None], floor: float, top: float) -> Scale:
    known = [v for v in amounts if v is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    return Scale(low, low + (high - low or 1.0) * 1.04, floor, top)


def _grid(down: Scale, words: Callable[[float], str], most: int = 4) -> Markup:
    levels = [(x, down.at(x)) for x in down.ticks(most)]
    lines = [stroke(0, y, 100, y, "grid") for _, y in levels]
    return join(*lines, *[tag("text", words(x), x="0", y=f"{y - 4:.1f}", class_="tick") for x, y in levels])


def _days(across: Scale, days: int, today: int, y: float) -> list[Markup]:
    """Name days along the axis; those too near to an end, or to each other, would run together."""
    places = [x for x in across.ticks(5) if 0 < x < 0.93 * days]
    return [text(across.at(0), y, t("day {day}", day=0)), *[text(across.at(x), y, f"{x:.0f}") for x in places],
            text(across.at(days), y, f"{days}")]  # fmt: skip


def _cone(told: Facts, across: Scale, down: Scale, days: int) -> Markup:
    """From what is won today to the ranges of the period's end."""
    now = told["now"]
    start = (across.at(told["today"]), down.at(told["won"][-1][1] if told["won"] else 0.0))
    out = []
    for name, low, high in _FANS:
        if now[low] is not None and now[high] is not None:
            ends = [(across.at(days), down.at(now[c])) for c in (low, high)]
            out.append(area([start, *ends], _HEIGHT, f"in{name}"))
    if now["mean"] is not None:
        out.append(path([start, (across.at(days), down.at(now["mean"]))], _HEIGHT, "middle-line"))
    return join(*out)


def _won(won: Sequence[Sequence[float]], across: Scale, down: Scale, height: float) -> Markup:
    """What was won by each day: steps, because nothing is won between two wins."""
    points: list[tuple[float, float]] = []
    for d, amount in won:
        x, y = across.at(d), down.at(amount)
        if points:
            points.append((x, points[-1][1]))
        points.append((x, y))
    return path(points, height, "won-line") if len(points) > 1 else Markup("")


def _forecast(told: Facts, across: Scale, down: Scale) -> Markup:
    """One earlier forecast: its mean, and a line for its 80 % range."""
    x, words = across.at(told["day"]), t("day {day}: mean {mean}", day=told["day"], mean=money(told["mean"]))
    body = []
    if told["p10"] is not None and told["p90"] is not None:
        words += ", " + range_words("80", told["p10"], told["p90"])
        body.append(stroke(x, down.at(told["p10"]), x, down.at(told["p90"]), "was"))
    shown = tag("circle", cx=f"{x:.2f}%", cy=f"{down.at(told['mean']):.1f}", r=4.5, class_="point was",
                data_tip=words)  # fmt: skip
    return join(*body, shown)


def _tip_now(facts: Facts) -> str:
    now = facts["course"]["now"]
    words = t("today: mean {mean}", mean=money(now["mean"]))
    if now["p10"] is not None and now["p90"] is not None:
        words += ", " + range_words("80", now["p10"], now["p90"])
    return words


def _label(facts: Facts) -> str:
    told, head = facts["course"], facts["head"]
    won = money(told["won"][-1][1]) if told["won"] else t("an unknown amount")
    earlier = "; ".join(_said(x) for x in told["told"]) or t("none")
    return t("{period} by {day}: won {won}; {now}; earlier forecasts: {earlier}", period=head["period"],
             day=day(head["as_of"]), won=won, now=_tip_now(facts), earlier=earlier)  # fmt: skip


def _said(told: Facts) -> str:
    return t("day {day}: mean {mean}", day=told["day"], mean=money(told["mean"]))


def quarters(facts: Facts) -> Markup:
    """Draw past periods, one small chart each, each on a scale of its own from nought."""
    told = facts["course"]
    if told is None or not told["quarters"]:
        return Markup("")
    return tag("div", *[_quarter(q) for q in told["quarters"]], class_="quarters")


def _quarter(q: Facts) -> Markup:
    amounts = [q["actual"], *(w for _, w in q["won"]), *(x[c] for x in q["told"] for c in ("mean", "p90"))]
    down = _down(amounts, _SMALL_FLOOR, 10.0)
    across = Scale(0, q["days"], 16, 96)
    end = across.at(q["days"])
    body: list[str] = [_grid(down, money, 2)]
    body.append(_won(q["won"], across, down, _SMALL))
    body += [_forecast(x, across, down) for x in q["told"]]
    if q["actual"] is not None:
        tip = t("{period}: it came to {actual}", period=q["period"], actual=money(q["actual"]))
        body.append(tag("circle", cx=f"{end:.2f}%", cy=f"{down.at(q['actual']):.1f}", r=5, class_="actual",
                        data_tip=tip))  # fmt: skip
    body += [text(across.at(0), _SMALL_FLOOR + 15, t("day {day}", day=0)), text(end, _SMALL_FLOOR + 15, f"{q['days']}")]
    judged = [x["inside"] for x in q["told"] if x["inside"] is not None]
    held = t("{held} of {n} ranges held", held=sum(judged), n=len(judged)) if judged else t("no ranges")
    said, actual = "; ".join(_said(x) for x in q["told"]), money(q["actual"])
    label = t("{period}: came to {actual}; forecasts: {said}; {held}", period=q["period"], actual=actual, said=said,
              held=held)  # fmt: skip
    words = tag("figcaption", tag("strong", q["period"]), " ", t("came to {actual}", actual=actual), tag("small", held))
    return tag("figure", words, drawing(_SMALL, label, *body, kind="fan"))
