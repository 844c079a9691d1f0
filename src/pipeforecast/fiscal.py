"""Fiscal calendars: months, quarters and years of any start month, and 4-4-5 weeks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from pipeforecast.errors import SettingsError

Length = Literal["month", "quarter", "year"]


@dataclass(frozen=True, order=True)
class Period:
    """A fiscal period: both days belong to it."""

    start: pd.Timestamp
    end: pd.Timestamp
    name: str

    @property
    def days(self) -> int:
        """Number of days in the period."""
        return int((self.end - self.start).days) + 1

    def day_of(self, as_of: pd.Timestamp) -> int:
        """Day k of the period whose evening is ``as_of``; 0 is the last evening before the period."""
        return int((as_of - self.start).days) + 1

    def evening(self, k: int) -> pd.Timestamp:
        """Give the day whose evening is day ``k`` of the period (start + k − 1 days)."""
        return self.start + pd.Timedelta(days=k - 1)


@dataclass(frozen=True)
class FiscalCalendar:
    """Cuts time into periods.

    Parameters
    ----------
    length : 'month', 'quarter' or 'year'
    start_month : 1 … 12
        First month of the fiscal year; the fiscal year is named after the calendar year in which it ends
        (so that with ``start_month=1`` both are the same).
    weeks_445 : bool
        Months of 4, 4 and 5 weeks: fiscal years are whole weeks and end on the Saturday nearest to the end of
        the month before ``start_month``.
    """

    length: Length = "quarter"
    start_month: int = 1
    weeks_445: bool = False
    first_year: int = 1970
    last_year: int = 2100

    def __post_init__(self) -> None:
        if not 1 <= self.start_month <= 12:
            raise SettingsError(f"calendar.start_month: expected 1 to 12, came {self.start_month}")

    @cached_property
    def starts(self) -> np.ndarray:
        """First days of all periods, ``datetime64[s]``, rising."""
        return np.array([p.start.to_datetime64() for p in self._periods], dtype="datetime64[s]")

    @cached_property
    def _periods(self) -> list[Period]:
        make = self._weekly if self.weeks_445 else self._monthly
        return [p for year in range(self.first_year, self.last_year + 1) for p in make(year)]

    @cached_property
    def _by_name(self) -> dict[str, Period]:
        return {p.name: p for p in self._periods}

    def _label(self, year: int, number: int) -> str:
        return {"month": f"{year}M{number:02d}", "quarter": f"{year}Q{number}", "year": f"{year}"}[self.length]

    def _monthly(self, year: int) -> list[Period]:
        step = {"month": 1, "quarter": 3, "year": 12}[self.length]
        first = pd.Timestamp(year - (self.start_month > 1), self.start_month, 1)
        out = []
        for i in range(12 // step):
            start = first + pd.DateOffset(months=i * step)
            end = first + pd.DateOffset(months=(i + 1) * step) - pd.Timedelta(days=1)
            out.append(Period(start, end, self._label(year, i + 1)))
        return out

    def _weekly(self, year: int) -> list[Period]:
        first, last = _saturday_after(year - 1, self.start_month), _saturday_after(year, self.start_month)
        weeks = int((last - first).days) // 7
        months = [4, 4, 5] * 4
        months[-1] += weeks - 52  # the 53rd week goes to the last month
        step = {"month": 1, "quarter": 3, "year": 12}[self.length]
        sizes = [sum(months[i : i + step]) for i in range(0, 12, step)]
        out, start = [], first + pd.Timedelta(days=1)
        for i, size in enumerate(sizes):
            end = start + pd.Timedelta(days=7 * size - 1)
            out.append(Period(start, end, self._label(year, i + 1)))
            start = end + pd.Timedelta(days=1)
        return out

    def containing(self, day: pd.Timestamp) -> Period:
        """Give the period that ``day`` belongs to."""
        i = int(np.searchsorted(self.starts, pd.Timestamp(day).to_datetime64().astype("datetime64[s]"), side="right"))
        if i == 0 or pd.Timestamp(day) >= self._periods[i - 1].end + pd.Timedelta(days=1):
            raise SettingsError(f"{day} lies outside the calendar ({self.first_year} to {self.last_year})")
        return self._periods[i - 1]

    def named(self, name: str) -> Period:
        """Give the period called ``name`` (2024Q1, 2024M03, 2024)."""
        if name in self._by_name:
            return self._by_name[name]
        example = self.containing(pd.Timestamp("2024-02-15")).name
        raise SettingsError(f"period {name!r} is not one of this calendar; expected a name such as {example!r}")

    def shift(self, period: Period, by: int) -> Period:
        """Give the period ``by`` periods later (earlier where negative)."""
        i = int(np.searchsorted(self.starts, period.start.to_datetime64().astype("datetime64[s]"))) + by
        if not 0 <= i < len(self._periods):
            raise SettingsError(
                f"{by} periods from {period.name} lie outside the calendar ({self.first_year} to {self.last_year})"
            )
        return self._periods[i]

    def before(self, period: Period, n: int) -> list[Period]:
        """Give the ``n`` periods before ``period``, oldest first."""
        return [self.shift(period, -i) for i in range(n, 0, -1)]

    def index(self, days: pd.Series | np.ndarray) -> np.ndarray:
        """Give the number of the period of each day (−1 for missing days)."""
        values = np.asarray(days, dtype="datetime64[s]")
        out = np.searchsorted(self.starts, values, side="right") - 1
        return np.where(np.isnat(values), -1, out)


def _saturday_after(year: int, start_month: int) -> pd.Timestamp:
    """Give the Saturday nearest to the last day before ``start_month`` that ends fiscal ``year``."""
    last = pd.Timestamp(year + (start_month == 1), start_month, 1) - pd.Timedelta(days=1)
    return last + pd.Timedelta(days=(5 - last.weekday() + 3) % 7 - 3)
