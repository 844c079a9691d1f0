"""Rules that say: as it was. None of them falls below what is already won."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.rules.money import money_of, won_in
from pipeforecast.rules.smoothing import smoothed
from pipeforecast.rules.totals import TRAILING, Question, TotalRule

_A_YEAR = {"month": 12, "quarter": 4, "year": 1}
#: Smoothing, and the search for the same period of an earlier year, look back at so many periods.
_LONG = 40


def mean_of_four(asked: Question) -> pd.Series:
    """Mean of the last four complete periods; of fewer where there are no more."""
    return asked.mean_of(asked.lessons.past_periods(TRAILING))


def last_period(asked: Question) -> pd.Series:
    """The last complete period."""
    return asked.mean_of(asked.lessons.past_periods(1))


def same_period_last_year(asked: Question) -> pd.Series:
    """The same period of the last year for which it is complete, and held whole by the records."""
    calendar, complete = asked.lessons.calendar, asked.lessons.past_periods(_LONG)
    earlier = asked.period
    while complete and earlier.start > complete[0].start:
        earlier = calendar.shift(earlier, -_A_YEAR[calendar.length])
        if earlier in complete:
            return asked.mean_of([earlier])
    return asked.mean_of([])


def _ets(asked: Question) -> pd.Series:
    """Exponential smoothing of the totals of complete periods, so many steps ahead as the period lies behind them."""
    lessons, calendar = asked.lessons, asked.lessons.calendar
    complete = lessons.past_periods(_LONG)
    if not complete:
        return pd.Series(np.nan, index=asked.won.index)
    won = won_in(lessons, complete)
    first, last, this = np.searchsorted(calendar.starts, _starts(complete[0], complete[-1], asked.period))
    totals = np.bincount(calendar.index(won["closed_at"]) - first, money_of(won), minlength=last - first + 1)
    ahead = smoothed(totals, _A_YEAR[calendar.length], max(int(this - last), 1))
    return pd.Series(max(ahead, 0.0), index=asked.won.index)


def _starts(*periods: Period) -> np.ndarray:
    return np.array([p.start.to_datetime64() for p in periods], dtype="datetime64[s]")


PAST_RULES = [
    TotalRule("last_period", last_period, floor=True),
    TotalRule("same_period_last_year", same_period_last_year, floor=True),
    TotalRule("mean_of_four", mean_of_four, floor=True),
    # Each group's own series would be short and full of noughts.
    TotalRule("ets", _ets, floor=True, split=True),
]
