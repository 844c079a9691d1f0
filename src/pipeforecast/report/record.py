"""How right past forecasts were: every method by day of the period, and period by period."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import CHOSEN, Names
from pipeforecast.report.words import clean, number, percent
from pipeforecast.wording import noop, t

#: Days of the period shown side by side, and past periods shown one under the other.
MOST_DAYS = 7
MOST_PERIODS = 12

_CRPS = noop(
    "Miss of the whole range, as an amount of money. Lower is better. A rule's range is made from its own earlier "
    "errors, so its score rests on fewer days."
)
#: Measure: its label, what it says, and which value is best ("low", "zero", or a nominal share).
MEASURES: dict[str, tuple[str, str, str | float]] = {
    "wape": (
        noop("Error (WAPE)"),
        noop("Sum of the misses divided by the sum of the actual amounts. Lower is better."),
        "low",
    ),
    "crps": (noop("Error of the range (CRPS)"), _CRPS, "low"),
    "bias": (
        noop("Bias"),
        noop("Forecasts less actual amounts, as a share. Above 0: too high. Nearer to 0 is better."),
        "zero",
    ),
    "cover80": (
        noop("Held by the 80 % range"),
        noop("Share of past periods that ended within the 80 % range. Nearer to 80 % is better."),
        0.8,
    ),
}


def _totals(frame: pd.DataFrame | None) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame()
    rows = frame[frame["level"] == TOTAL]
    return rows[rows["group"] == TOTAL] if "group" in rows else rows


def chosen_days(days: list[int], today: int) -> list[int]:
    """Take at most ``MOST_DAYS`` days, evenly, the first, the last and the one nearest to today among them."""
    if len(days) <= MOST_DAYS:
        return days
    near = nearest(days, today)
    even = {days[round(i)] for i in np.linspace(0, len(days) - 1, MOST_DAYS - 1)}
    return sorted(even | {near})


def nearest(days: list[int], today: int) -> int:
    """Give the day nearest to today; the earlier of two, which flatters less."""
    return min(days, key=lambda d: (abs(d - today), d))


def _all_days(rows: pd.DataFrame) -> pd.Series:
    return rows["day_of_period"].isna() | rows["day_of_period"].lt(0)


def record_facts(given: ReportInput, names: Names) -> dict[str, Any] | None:
    """Scores of every method by day of the period; None without a replay."""
    rows = _totals(given.scores)
    if rows.empty or _all_days(rows).all():
        return None
    daily = rows[~_all_days(rows)]
    daily = daily.assign(day_of_period=daily["day_of_period"].astype("int64"))
    every = sorted({int(d) for d in daily["day_of_period"]})
    days = chosen_days(every, given.day_of_period)
    methods = _methods(daily, given.model_name)
    own = daily[daily["method"] == methods[0]]
    skill = _skill(rows, given)
    return {
        "days": days,
        "all_days": every,
        "today": nearest(every, given.day_of_period),
        "n_periods": int(_most(own, "n_periods")),
        "n_origins": int(_most(own, "n_origins")),
        "methods": [
            {"method": names.method(m), "is_model": m == given.model_name, "is_chosen": m == CHOSEN} for m in methods
        ],
        "measures": [_measure(daily, m, methods, every) for m in MEASURES if m in daily],
        "skill": skill,
        "skill_words": skill_words(skill),
    }


def errors_today(record: dict[str, Any] | None) -> dict[str, float | None]:
    """Error (WAPE) of each method, by its name, on past periods at the day nearest to today."""
    if record is None:
        return {}
    at = record["all_days"].index(record["today"])
    values = next(m["values"] for m in record["measures"] if m["measure"] == "wape")
    return {m["method"]: row[at] for m, row in zip(record["methods"], values, strict=True)}


def _most(rows: pd.DataFrame, column: str) -> float:
    return (number(rows[column].max()) if column in rows else None) or 0.0


def _methods(daily: pd.DataFrame, model: str) -> list[str]:
    """The model first, then the rule chosen beforehand, then the rules by their mean error."""
    mean = daily.groupby("method")["wape"].mean().sort_values(kind="stable")
    return sorted((str(m) for m in mean.index), key=lambda m: (m != model, m != CHOSEN))


def _distance(value: float, best: str | float) -> float:
    if best == "low":
        return value
    return abs(value) if best == "zero" else abs(value - float(best))


def _measure(daily: pd.DataFrame, measure: str, methods: list[str], days: list[int]) -> dict[str, Any]:
    """One measure, method by day, with the methods that are best on each day."""
    label, meaning, best = MEASURES[measure]
    table = daily.drop_duplicates(["method", "day_of_period"]).pivot(  # noqa: PD010
        index="method", columns="day_of_period", values=measure
    )
    values = [[number(table.loc[m].get(d)) for d in days] for m in methods]
    marks: list[list[bool]] = [[False] * len(days) for _ in methods]
    for j in range(len(days)):
        # The rule chosen beforehand is one of the rules, on fewer days: it is shown, but no competitor.
        column = [
            np.inf if v[j] is None or m == CHOSEN else _distance(v[j], best)  # type: ignore[arg-type]
            for m, v in zip(methods, values, strict=True)
        ]
        for i, distance in enumerate(column):
            marks[i][j] = bool(len(column) > 1 and np.isfinite(distance) and distance <= min(column) + 1e-12)
    return {"measure": measure, "label": t(label), "meaning": t(meaning), "values": values, "best": marks}


def _skill(rows: pd.DataFrame, given: ReportInput) -> dict[str, Any] | None:
    """Skill of the model over all days where a row says so, otherwise at the day nearest to today."""
    if "skill" not in rows:
        return None
    mine = rows[(rows["method"] == given.model_name) & rows["skill"].notna()]
    if mine.empty:
        return None
    whole = mine[_all_days(mine)]
    if whole.empty:
        days = [int(d) for d in mine["day_of_period"]]
        whole = mine[mine["day_of_period"] == nearest(days, given.day_of_period)]
    row = whole.iloc[0]
    names = ("skill", "lower", "upper", "skill_hindsight", "day_of_period")
    out = {name: number(row.get(name)) for name in names}
    return out | {"day_of_period": None} if (out["day_of_period"] or 0) < 0 else out


_SKILL = {
    (True, False): noop(
        "Over all days, the model's range was {size} better than that of the rule one would have chosen beforehand"
    ),
    (False, False): noop(
        "Over all days, the model's range was {size} worse than that of the rule one would have chosen beforehand"
    ),
    (True, True): noop(
        "On day {day}, the model's range was {size} better than that of the rule one would have chosen beforehand"
    ),
    (False, True): noop(
        "On day {day}, the model's range was {size} worse than that of the rule one would have chosen beforehand"
    ),
}


def skill_words(skill: dict[str, Any] | None) -> str:
    """Say by how much the model's range was better than that of the rule that one would have chosen."""
    if skill is None:
        return ""
    size, on = percent(abs(skill["skill"])), skill["day_of_period"]
    better, on_day = skill["skill"] >= 0, on is not None
    text = _SKILL[better, on_day]
    rule = t(text, size=size, day=int(on or 0))
    if skill["lower"] is None or skill["upper"] is None:
        return t("{sentence}.", sentence=rule)
    low, high = percent(skill["lower"], signed=True), percent(skill["upper"], signed=True)
    return t("{sentence} (interval {low} to {high}).", sentence=rule, low=low, high=high)


def past_facts(given: ReportInput) -> dict[str, Any] | None:
    """Past periods, forecast against actual, by day of the period; None without a replay."""
    rows = _totals(given.backtest)
    if rows.empty:
        return None
    rows = rows[(rows["method"] == given.model_name) & rows["actual"].notna() & rows["day_of_period"].notna()]
    if rows.empty:
        return None
    rows = rows.assign(day_of_period=rows["day_of_period"].astype("int64"))
    every = sorted({int(d) for d in rows["day_of_period"]})
    today = nearest(every, given.day_of_period)
    panels = [_panel(rows[rows["day_of_period"] == d], d) for d in chosen_days(every, given.day_of_period)]
    return {"today": today, "panels": panels, "overlap": _overlap(given.backtest)}


def _overlap(rows: pd.DataFrame | None) -> list[str]:
    """Name the periods that were over on the evening from which they are said to have been forecast."""
    if rows is None or not {"as_of", "period_end"} <= set(rows):
        return []
    over = pd.to_datetime(rows["as_of"]) >= pd.to_datetime(rows["period_end"])
    return sorted({clean(p) for p in rows.loc[over.to_numpy(dtype=bool), "period"]})


def _panel(rows: pd.DataFrame, day: int) -> dict[str, Any]:
    """Periods as they were forecast from one day of the period, the newest first."""
    by = ["as_of"] if "as_of" in rows else ["period"]
    rows = rows.sort_values(by, kind="stable").drop_duplicates("period", keep="last")
    columns = ("mean", "p025", "p10", "p25", "p50", "p75", "p90", "p975", "actual", "actual_as_first_known")
    periods = []
    for r in rows.to_dict("records")[::-1][:MOST_PERIODS]:
        cell: dict[str, Any] = {c: number(r.get(c)) for c in columns} | {"period": clean(r["period"])}
        low, high, actual = cell["p10"], cell["p90"], cell["actual"]
        cell["inside"] = None if low is None or high is None else bool(low <= actual <= high)
        first = cell["actual_as_first_known"]
        cell["rewritten"] = first is not None and abs(first - actual) >= 0.005
        periods.append(cell)
    judged = [p["inside"] for p in periods if p["inside"] is not None]
    return {"day": day, "periods": periods, "inside": sum(judged), "judged": len(judged)}
