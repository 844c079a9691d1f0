"""The quarter day by day: what was won by when, earlier forecasts of it, today's, and how past quarters went."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import clean, iso, number

#: Past periods shown side by side, the newest first.
MOST_QUARTERS = 6


def course_facts(given: ReportInput) -> dict[str, Any] | None:
    """Give the period's course and that of past periods; None before it has begun, or where nothing is known of it.

    Returns
    -------
    dict or None
        ``won``: [day, amount won by then], cumulative; ``told``: earlier forecasts, the oldest first; ``now``: today's;
        ``missing``: days whose forecasts have not been made anew; ``quarters``: past periods, the newest first.
    """
    today = int(given.day_of_period)
    if today < 0:
        return None
    return {
        "days": int((given.period_end - given.period_start).days) + 1,
        "today": today,
        "won": _won(given, given.period),
        "told": _told(given, today),
        "now": _now(given),
        "missing": sorted(int(d) for d in given.course_missing),
        "quarters": _quarters(given),
    }


def _won(given: ReportInput, period: str) -> list[list[float]]:
    rows = given.won_by_day
    if rows is None:
        return []
    mine = rows[(rows["period"] == period).to_numpy()].sort_values("day_of_period")
    return [[int(d), float(w)] for d, w in zip(mine["day_of_period"], mine["won"], strict=True)]


def _cell(row: dict[Any, Any]) -> dict[str, Any]:
    return {c: number(row.get(c)) for c in ("mean", *QUANTILES)} | {
        "day": int(row["day_of_period"]), "as_of": iso(row.get("as_of")),
    }  # fmt: skip


def _told(given: ReportInput, today: int) -> list[dict[str, Any]]:
    if given.course is None:
        return []
    told = [_cell(r) for r in given.course.sort_values("day_of_period", kind="stable").to_dict("records")]
    return [t for t in told if t["mean"] is not None and t["day"] < today]


def _now(given: ReportInput) -> dict[str, Any]:
    f = given.forecast
    mine = (f["method"] == given.model_name) & (f["level"] == TOTAL) & (f["part"] == TOTAL)
    row = f[mine.to_numpy(dtype=bool)].iloc[0]
    return {c: number(row[c]) for c in ("mean", *QUANTILES)}


def _quarters(given: ReportInput) -> list[dict[str, Any]]:
    """Past periods that were replayed: what was said by day, what was won by day, and what came true."""
    rows = given.backtest
    if rows is None:
        return []
    total = (rows["level"] == TOTAL) & (rows["method"] == given.model_name) & rows["actual"].notna()
    if "group" in rows:
        total &= rows["group"] == TOTAL
    rows = rows[total.to_numpy(dtype=bool) & rows["day_of_period"].ge(0).to_numpy(dtype=bool)]
    by = "as_of" if "as_of" in rows else "day_of_period"
    rows = rows.sort_values(by, kind="stable")
    newest = list(dict.fromkeys(rows["period"].iloc[::-1]))[:MOST_QUARTERS]
    return [_quarter(given, str(name), rows[(rows["period"] == name).to_numpy()]) for name in newest]


def _quarter(given: ReportInput, name: str, rows: pd.DataFrame) -> dict[str, Any]:
    actual = number(rows["actual"].iloc[-1])
    told = [_cell(r) for r in rows.to_dict("records")]
    for t in told:
        known = actual is not None and t["p10"] is not None and t["p90"] is not None
        t["inside"] = bool(t["p10"] <= actual <= t["p90"]) if known else None
    won = _won(given, name)
    days = max([*(int(d) for d, _ in won), *(t["day"] for t in told), 1])
    return {"period": clean(name), "actual": actual, "days": days, "won": won, "told": told}
