"""The calendar that a made-up company lives in: growth, seasons, downturn, quarter-end rush, shared shocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeforecast.demo.columns import Array

MONTH_ARRIVALS = np.array([1.0, 1.0, 1.06, 1.0, 1.02, 0.98, 0.8, 0.76, 1.05, 1.1, 1.12, 0.86])
MONTH_PACE = np.array([0.92, 1.0, 1.05, 1.0, 1.0, 1.02, 0.8, 0.74, 1.05, 1.1, 1.12, 1.12])
GROWTH_PER_YEAR = 0.16
DOWNTURN_STARTS_AT = 0.45
DOWNTURN_QUARTERS = 2
AFTER_LAST_DAY = 800


@dataclass(frozen=True)
class Clock:
    """One value a calendar day; day 0 is `start`, and the days run on beyond `last_day` for the forks.

    Attributes
    ----------
    start, last_day : date
        First day of the first quarter; the day whose evening is "today".
    dates : datetime64[D] array of shape (n_days,)
    workday : bool array
        Nothing happens at weekends.
    quarter : int array
        Fiscal (calendar) quarters since `start`.
    left_in_quarter, left_in_month : int arrays
        Workdays that follow within the quarter and the month.
    arrivals : float array
        Relative number of new deals, before shocks; 0 at weekends.
    pace : float array
        Relative speed of buyers.
    mood : float array
        What season and downturn add to the buyers' drift.
    """

    start: date
    last_day: date
    dates: Array
    workday: Array
    quarter: Array
    left_in_quarter: Array
    left_in_month: Array
    arrivals: Array
    pace: Array
    mood: Array
    downturn: tuple[int, int]

    @property
    def today(self) -> int:
        """Day number of `last_day`."""
        return self.day(self.last_day)

    @property
    def n_quarters(self) -> int:
        """Quarters that the calendar covers, the time after `last_day` included."""
        return int(self.quarter[-1]) + 1

    def day(self, when: date) -> int:
        """Day number of a date."""
        return (when - self.start).days

    def quarter_start(self, quarter: int) -> int:
        """Day number on which a quarter starts."""
        return int(np.searchsorted(self.quarter, quarter))

    def quarter_name(self, quarter: int) -> str:
        """Name of a quarter, such as ``2024Q1``."""
        first = self.dates[self.quarter_start(quarter)].astype(date)
        return f"{first.year}Q{(first.month - 1) // 3 + 1}"


def first_day(last_day: date, quarters: int) -> date:
    """First day of the quarter that lies `quarters` whole quarters before the one of `last_day`."""
    index = last_day.year * 4 + (last_day.month - 1) // 3 - quarters
    return date(index // 4, index % 4 * 3 + 1, 1)


def _left_in(group: Array, workday: Array) -> Array:
    """Workdays after each day within its group."""
    done = np.cumsum(workday)
    last = np.searchsorted(group, group, side="right") - 1
    left: Array = done[last] - done
    return left


def make_clock(last_day: date, quarters: int) -> Clock:
    """Lay out the calendar of a company with `quarters` whole quarters before the one of `last_day`."""
    start = first_day(last_day, quarters)
    dates = np.arange(np.datetime64(start, "D"), np.datetime64(last_day, "D") + AFTER_LAST_DAY)
    months = dates.astype("datetime64[M]").astype(int)
    whole = months // 3 < months[-1] // 3
    dates, months = dates[whole], months[whole]
    quarter = months // 3 - months[0] // 3
    workday = np.is_busday(dates)
    month = months % 12
    slump = round(DOWNTURN_STARTS_AT * quarters)
    low = (quarter >= slump) & (quarter < slump + DOWNTURN_QUARTERS)
    growth = np.exp(GROWTH_PER_YEAR * np.arange(len(dates)) / 365.25)
    return Clock(
        start=start,
        last_day=last_day,
        dates=dates,
        workday=workday,
        quarter=quarter,
        left_in_quarter=_left_in(quarter, workday),
        left_in_month=_left_in(months, workday),
        arrivals=growth * MONTH_ARRIVALS[month] * np.where(low, 0.78, 1.0) * workday,
        pace=MONTH_PACE[month],
        mood=np.where(low, -0.28, 0.0) + np.where(month >= 9, 0.1, 0.0),
        downturn=(slump, slump + DOWNTURN_QUARTERS),
    )


@dataclass(frozen=True)
class Shocks:
    """What all deals of a quarter share, in standard deviations.

    Attributes
    ----------
    winning : float array of shape (..., n_quarters)
    arrivals : float array of shape (..., n_quarters)
        Correlated with `winning` by one half.
    """

    winning: Array
    arrivals: Array


def draw_shocks(rng: np.random.Generator, *shape: int) -> Shocks:
    """Draw independent quarters."""
    winning = rng.standard_normal(shape)
    return Shocks(winning, 0.5 * winning + np.sqrt(0.75) * rng.standard_normal(shape))
