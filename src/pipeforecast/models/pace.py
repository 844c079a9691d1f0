"""How many deals a day will be created: level, trend and season of the counts by month."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

#: Prior sd of the trend a year and of each month's effect, both on the logarithm.
_TREND_SD, _MONTH_SD = 0.2, 0.12
#: Months differ by so much (sd of the logarithm) beyond counting luck; a busy CRM says no more than that.
_BEYOND_LUCK_SD = 0.1
#: Half of what the last months brought beyond the curve is taken as the new level; few deals count as none.
_RECENT_MONTHS, _RECENT_SHARE, _RECENT_DEALS = 6, 0.5, 25.0
#: No trend is carried further ahead than this.
_TREND_YEARS = 1.0
_FEWEST_MONTHS = 4


@dataclass(frozen=True)
class Pace:
    """Deals created a day.

    Attributes
    ----------
    day : int
        Days since 1970 of the evening from which it looks.
    level, trend : float
        Logarithm of deals a day on that evening, and its growth a year.
    months : float array (12,)
        What each month of the year adds.
    """

    day: int
    level: float
    trend: float = 0.0
    months: np.ndarray = field(default_factory=lambda: np.zeros(12))

    def per_day(self, days: np.ndarray) -> np.ndarray:
        """Expected number of deals created on each of ``days`` (days since 1970)."""
        ahead = np.minimum((days - self.day) / 365.25, _TREND_YEARS)
        return np.asarray(np.exp(self.level + self.trend * ahead + self.months[_month_of_year(days)]))


def days_since_1970(days: pd.Series | np.ndarray) -> np.ndarray:
    """Whole days since 1970."""
    return np.asarray(np.asarray(days, dtype="datetime64[D]").astype("int64"))


def fit_pace(created: np.ndarray, day: int) -> Pace | None:
    """Learn from the days on which deals were created (days since 1970) up to the evening of ``day``.

    A Poisson regression of monthly counts with ridge penalties (statsmodels' ``GLM``), which stand for what is usual of
    trends and seasons: two years tell little of either. Gives None where too few months are whole.
    """
    months, edges = _whole_months(created, day)
    if len(months) < _FEWEST_MONTHS:
        return None
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    count, length = np.diff(np.searchsorted(np.sort(created), edges)), np.diff(edges)
    if not count.sum():
        return None
    years = ((edges[:-1] + length / 2) - day) / 365.25
    season = np.eye(12)[_month_of_year(edges[:-1])]
    columns = np.column_stack([np.ones(len(count)), years, season])
    penalty = np.array([0.0, 1 / _TREND_SD**2, *[1 / _MONTH_SD**2] * 12])
    weight = np.full(len(count), 1 / (1 + count.mean() * _BEYOND_LUCK_SD**2))
    model = GLM(count, columns, family=Poisson(), offset=np.log(length), var_weights=weight)
    start = np.array([np.log(count.sum() / length.sum()), *np.zeros(13)])
    found = model.fit_regularized(alpha=penalty / len(count), L1_wt=0.0, maxiter=200, start_params=start).params
    usual = np.exp(columns @ found) * length
    recent = slice(-_RECENT_MONTHS, None)
    beyond = np.log((count[recent].sum() + _RECENT_DEALS) / (usual[recent].sum() + _RECENT_DEALS))
    return Pace(day, float(found[0] + _RECENT_SHARE * beyond), float(found[1]), np.asarray(found[2:]))


def _whole_months(created: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Months that are whole between the first creation and ``day``, and the days on which they begin and end."""
    if not len(created):
        return np.zeros(0, dtype="datetime64[M]"), np.zeros(0, dtype=int)
    first = np.datetime64(int(created.min()), "D").astype("datetime64[M]") + 1
    last = np.datetime64(int(day) + 1, "D").astype("datetime64[M]")
    months = np.arange(first, max(last, first))
    edges = np.append(months, months[-1] + 1) if len(months) else months
    return months, edges.astype("datetime64[D]").astype("int64")


def _month_of_year(days: np.ndarray) -> np.ndarray:
    return np.asarray(np.asarray(days, dtype="datetime64[D]").astype("datetime64[M]").astype("int64") % 12)
