"""Deals that are not yet in the CRM: what they will bring within a window of days ahead.

For every past day on which a lesson was taken, the same window is looked at: what did deals first recorded after that
evening bring by its end? Windows at the same place of a period are used where there are some, else all windows. Four
readings of them are each judged by leaving out windows, and averaged by how well they foretell: in proportion to the
deals that are to be created and what cohorts have brought by their age; as much as in other windows; in proportion to
the deals recorded lately; in proportion to what was recorded lately and is due by the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.fiscal import Period
from pipeforecast.models.cohorts import Cohorts, fit_cohorts
from pipeforecast.models.pace import Pace, days_since_1970, fit_pace
from pipeforecast.models.windows import READINGS, luck_of_one, read_windows
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot, due_by

_LATELY_DAYS = 91
_PACE_DAYS = 28
_MOST_PERIODS = 16
_POOL = 30
#: Spread of the logarithm where no past window tells.
_UNSEEN_SD = 0.5
#: A window's mean amount is pulled towards that of all its kind with the weight of this many wins.
_SHRINK_WINS = 20.0


@dataclass(frozen=True)
class ArrivalModel:
    """Recipe of the business that is not yet created."""

    def fit(self, lessons: Lessons) -> FittedArrivals:
        """Keep the lessons: what is asked (the window) is known only when a forecast is made."""
        return FittedArrivals(lessons)


@dataclass(frozen=True)
class NewBusiness:
    """What deals not yet recorded are expected to bring.

    Attributes
    ----------
    mean : float
        Expected amount in the window.
    sd : float
        Spread of log(expected amount) beyond the luck of single deals.
    pool : DataFrame
        Past deals of this kind (with ``amount``), from which single deals are drawn.
    """

    mean: float
    sd: float
    pool: pd.DataFrame


@dataclass(frozen=True)
class FittedArrivals:
    """Windows of the past, ready to be asked."""

    lessons: Lessons

    def expected(self, snapshot: Snapshot, period: Period) -> NewBusiness:
        """What deals first recorded after the evening of ``snapshot.as_of`` will bring in ``period``."""
        as_of = snapshot.as_of
        if as_of >= period.end:
            return NewBusiness(0.0, 0.0, self._won.iloc[:0])
        windows, now, pool = self.windows(snapshot, period)
        if windows.empty or windows["new"].sum() <= 0:
            # No window as long as this one is over yet, or none brought anything: what is created times what it brings.
            return NewBusiness(now["cohorts"], _UNSEEN_SD if now["cohorts"] > 0 else 0.0, pool)
        mean, sd = read_windows(windows, now, as_of, luck_of_one(pool["amount"].to_numpy(dtype="float64")))
        return NewBusiness(mean, sd, pool)

    def windows(self, snapshot: Snapshot, period: Period) -> tuple[pd.DataFrame, Mapping[str, float], pd.DataFrame]:
        """Past windows with what each reading saw of them, the same of the window ahead, and the deals they brought."""
        table, brought = self._past(snapshot.as_of, period)
        seen = _seen(self._young, dict(zip(table["day"], table["end"], strict=True)))
        table = table.join(seen, on="day").fillna({"pace": 0.0})
        opened = snapshot.open
        lately = (opened["first_recorded_at"] > snapshot.as_of - pd.Timedelta(days=_PACE_DAYS)).to_numpy(dtype=bool)
        ahead = _seen(opened[["as_of", "expected_close", "amount"]][lately], {snapshot.as_of: period.end})["pace"]
        mean = self._mean_amount
        now = {
            "cohorts": self._wins(snapshot.as_of, max(period.start, snapshot.as_of + _DAY), period.end) * mean,
            "always": 1.0,
            "lately": self._lately(snapshot.as_of),
            "pace": float(ahead.get(snapshot.as_of, 0.0)),
        }
        table["cohorts"] = [
            self._wins(day, start, end) * mean
            for day, start, end in zip(table["day"], table["start"], table["end"], strict=True)
        ]
        return table, now, self._pool(table, brought)

    def _past(self, as_of: pd.Timestamp, period: Period) -> tuple[pd.DataFrame, list[np.ndarray]]:
        """One row per past day: what came in after it and was won in the same window; and which deals these were."""
        lessons, k = self.lessons, period.day_of(as_of)
        reach, since = (period.end - as_of).days, max((period.start - as_of).days, 1)
        past = {p.evening(k): p for p in lessons.past_periods(_MOST_PERIODS)}
        first, closed, amount = self._first_of_won, self._closed_of_won, self._won["amount"].to_numpy(dtype="float64")
        rows, brought = [], []
        for day in (pd.Timestamp(d) for d in lessons.snapshot.days):
            aligned = day in past
            start, end = day + since * _DAY, past[day].end if aligned else day + reach * _DAY
            if end > lessons.cutoff:
                continue
            at, low, high = (x.to_datetime64() for x in (day, start, end))
            new = np.flatnonzero((first > at) & (closed >= low) & (closed <= high))
            rows.append((day, start, end, aligned, float(len(new)), float(amount[new].sum()), self._lately(day)))
            brought.append(new)
        table = pd.DataFrame(rows, columns=["day", "start", "end", "aligned", "wins", "money", "lately"])
        table = table.astype(dict.fromkeys(("day", "start", "end"), "datetime64[s]"))  # also where there is no window
        wins, money = table["wins"].sum(), table["money"].sum()
        usual = money / wins if wins else 0.0
        # Single large deals are luck: a window's own mean amount counts as far as its wins can tell.
        table["new"] = table["wins"] * (table["money"] + _SHRINK_WINS * usual) / (table["wins"] + _SHRINK_WINS)
        return table.assign(always=1.0), brought

    def _wins(self, day: pd.Timestamp, start: pd.Timestamp, end: pd.Timestamp) -> float:
        if self._pace is None:
            return 0.0
        after, low, high = (x.toordinal() - _EPOCH for x in (day, start, end))
        return self._cohorts.wins(self._pace, after, low, high)

    def _lately(self, day: pd.Timestamp) -> float:
        evening = np.datetime64(day + _DAY, "s")
        upto = np.searchsorted(self._firsts, [evening - np.timedelta64(_LATELY_DAYS, "D"), evening])
        return float(upto[1] - upto[0])

    def _pool(self, windows: pd.DataFrame, brought: list[np.ndarray]) -> pd.DataFrame:
        aligned = [b for b, a in zip(brought, windows["aligned"], strict=True) if a]
        for candidates in (aligned, brought):
            if sum(len(b) for b in candidates) >= _POOL:
                return self._won.iloc[np.concatenate(candidates)]
        return self._won[(self._won["amount"] > 0).to_numpy()]

    @cached_property
    def _won(self) -> pd.DataFrame:
        deals = self.lessons.deals
        return deals[((deals["status"] == WON) & deals["amount"].notna()).to_numpy(dtype=bool)]

    @cached_property
    def _young(self) -> pd.DataFrame:
        """Deals that were open on a lesson day and had been recorded lately."""
        return self.lessons.open_on(self.lessons.snapshot.days, _PACE_DAYS)

    @cached_property
    def _first_of_won(self) -> np.ndarray:
        return np.asarray(self._won["first_recorded_at"].to_numpy().astype("datetime64[D]"))

    @cached_property
    def _closed_of_won(self) -> np.ndarray:
        return np.asarray(self._won["closed_at"].to_numpy().astype("datetime64[D]"))

    @cached_property
    def _firsts(self) -> np.ndarray:
        return np.sort(self.lessons.deals["first_recorded_at"].to_numpy().astype("datetime64[s]"))

    @cached_property
    def _mean_amount(self) -> float:
        mean = self._won["amount"].mean()
        return 0.0 if pd.isna(mean) else float(mean)

    @cached_property
    def _pace(self) -> Pace | None:
        return fit_pace(days_since_1970(self._firsts), self.lessons.cutoff.toordinal() - _EPOCH)

    @cached_property
    def _cohorts(self) -> Cohorts:
        deals = self.lessons.deals
        won = ((deals["status"] == WON) & deals["amount"].notna()).to_numpy(dtype=bool)
        closed = np.zeros(len(deals), dtype="int64")
        closed[won] = days_since_1970(self._won["closed_at"].to_numpy())
        first = days_since_1970(deals["first_recorded_at"].to_numpy())
        return fit_cohorts(first, closed, won, self.lessons.cutoff.toordinal() - _EPOCH)


_DAY = pd.Timedelta(days=1)
_EPOCH = pd.Timestamp(1970, 1, 1).toordinal()


def _seen(young: pd.DataFrame, ends: Mapping[pd.Timestamp, pd.Timestamp]) -> pd.DataFrame:
    """Amount that was recorded lately and is due by the end of the day's window (``pace``), by day."""
    days = young["as_of"]
    end = days.map(ends).astype("datetime64[s]")
    due = due_by(young, end) & end.notna().to_numpy(dtype=bool)
    counted = young["amount"].fillna(0.0).clip(lower=0.0).where(due, 0.0)
    return counted.groupby(days).sum().rename("pace").to_frame()


__all__ = ["READINGS", "ArrivalModel", "FittedArrivals", "NewBusiness"]
