"""The money that rules reckon with: what is won so far, what a deal is listed for, what past periods still created."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL, group_names
from pipeforecast.outcome import Lessons, new_business, won_between
from pipeforecast.snapshot import Snapshot

#: Rules look back at so many complete periods, unless they say otherwise.
PAST = 8
T = TypeVar("T")


def once(lessons: Lessons, snapshot: Snapshot, what: Hashable, make: Callable[[], T]) -> T:
    """Work something out once for all rules that look from one snapshot back on the same lessons."""
    of, known = snapshot.memo.get("rules", (None, {}))
    if of is not lessons:
        known = {}
        snapshot.memo["rules"] = (lessons, known)
    if what not in known:
        known[what] = make()
    found: T = known[what]
    return found


def won_by_day(snapshot: Snapshot, k: int, periods: Sequence[Period], levels: Sequence[str] = ()) -> pd.DataFrame:
    """W of each period: deals that were written as won in it by the evening of its day ``k``.

    Returns
    -------
    DataFrame
        ``amount`` and those of ``levels`` that there are; the periods' rows one after the other.
    """
    # Few columns and few rows first: frames of all that is known of a deal are slow to cut.
    closings = narrowed(snapshot.closings, levels, "recorded_at", "known_until")
    day = closings["closed_at"]
    within = (day >= periods[0].start) & (day < periods[-1].end + pd.Timedelta(days=1))
    few = replace(snapshot, closings=closings[within.to_numpy(dtype=bool)])
    return pd.concat([won_between(few.closed_by(p.evening(k)), p.start, p.end) for p in periods])


def won_in(lessons: Lessons, periods: Sequence[Period], levels: Sequence[str] = ()) -> pd.DataFrame:
    """Deals won in periods that follow each other, as known by the cutoff; columns as of ``won_by_day``."""
    return won_between(narrowed(lessons.deals, levels), periods[0].start, periods[-1].end)


def narrowed(rows: pd.DataFrame, levels: Sequence[str], *more: str) -> pd.DataFrame:
    """Keep what sums of money by ``levels`` need, and ``more``."""
    wanted = ("status", "closed_at", "amount", *more, *levels)
    return rows[[c for c in dict.fromkeys(wanted) if c in rows]]


def listed_amounts(lessons: Lessons, snapshot: Snapshot) -> np.ndarray:
    """x: the listed amount of each open deal, or the median won amount of its segment where none is listed.

    Where the segment has won nothing yet it is the median of all that was won; where nothing was won at all, that of
    the amounts listed. NaN where no amount is known of any deal.
    """
    return once(lessons, snapshot, "listed", lambda: listed(lessons, snapshot.open))


def listed(lessons: Lessons, rows: pd.DataFrame) -> np.ndarray:
    """Give ``listed_amounts`` of any rows with ``amount`` and, where there are segments, ``segment``."""
    amount = rows["amount"].to_numpy(dtype="float64")
    missing = np.isnan(amount)
    if not missing.any():
        return amount
    won = lessons.deals[(lessons.deals["status"] == WON).to_numpy(dtype=bool)]
    known = won["amount"] if won["amount"].notna().any() else rows["amount"]
    fill = np.full(int(missing.sum()), known.median() if known.notna().any() else np.nan)
    if "segment" in won and "segment" in rows:
        medians = won.groupby("segment")["amount"].median()
        own = rows["segment"][missing].astype("object").map(medians.to_dict()).to_numpy(dtype="float64")
        fill = np.where(np.isnan(own), fill, own)
    out = amount.copy()
    out[missing] = fill
    return out


def past_new_business(
    lessons: Lessons, as_of: pd.Timestamp, period: Period, levels: Sequence[str] = ()
) -> tuple[pd.DataFrame, int]:
    """Deals that past periods won after their day k without having seen them on it, and how many periods.

    The deals have ``amount``, ``closed_at``, ``first_recorded_at`` and those of ``levels`` that there are.
    """
    k = period.day_of(as_of)
    past = lessons.past_periods(PAST)
    deals = narrowed(lessons.deals, levels, "first_recorded_at")
    if not past:
        return deals.iloc[:0], 0
    won = won_between(deals, past[0].start, past[-1].end)
    found = [new_business(won, p.evening(k), max(p.evening(k + 1), p.start), p.end) for p in past]
    return pd.concat(found), len(past)


def by_group(rows: pd.DataFrame, values: np.ndarray | pd.Series, level: str) -> pd.Series:
    """Sum ``values`` (n,) over the groups of ``rows`` (n) at ``level``; a sum of what is not known is not known.

    Returns
    -------
    Series
        Index: the groups by name, or the one group of the level ``total``.
    """
    money = np.asarray(values, dtype="float64")
    if level == TOTAL:
        return pd.Series([money.sum()], index=[TOTAL], dtype="float64")
    code, names = pd.factorize(group_names(rows, level), sort=True)
    return pd.Series(np.bincount(code, money, minlength=len(names)), index=names, dtype="float64")


def money_of(rows: pd.DataFrame) -> np.ndarray:
    """Amounts of deals that are won: one without an amount brought nothing."""
    return rows["amount"].fillna(0.0).to_numpy(dtype="float64")
