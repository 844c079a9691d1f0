"""Deals that are not yet in the CRM: what they will bring within a window of days ahead.

For every past day on which a lesson was taken, the same window is looked at: what did deals first recorded after that
evening bring by its end? Windows at the same place of a period are used where there are some, else all windows. Three
readings of them (as much as in other windows; in proportion to the deals recorded lately; in proportion to what was
recorded lately and is due by the end) are each judged by leaving out windows, and averaged by how well they foretell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.fiscal import Period
from pipeforecast.outcome import Lessons, new_business
from pipeforecast.snapshot import Snapshot

_LATELY_DAYS = 91
_PACE_DAYS = 28
_PRIOR_SD = 0.15
#: Relative spread of windows beyond the luck of single deals: at the same time of the year, and at other times.
_SAME_SEASON_SD = 0.1
_OTHER_SEASON_SD = 0.3
_SEASON_DAYS = 30.0
_PRIOR_WINDOWS = 4.0
_PRIOR_ERROR = 0.15
_FEWEST_ALIGNED, _MOST_ALIGNED = 4, 8
_POOL = 30
_READINGS = ("always", "lately", "pace")


@dataclass(frozen=True)
class ArrivalModel:
    """Recipe of the business that is not yet created."""

    def fit(self, lessons: Lessons) -> FittedArrivals:
        """Keep the lessons: what is asked (the window) is known only when a forecast is made."""
        days = [pd.Timestamp(d) for d in lessons.snapshot.days]
        recent = {d: _lately(lessons.deals, d) for d in days}
        return FittedArrivals(lessons, recent)


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
    lately: dict[pd.Timestamp, float]

    def expected(self, snapshot: Snapshot, period: Period) -> NewBusiness:
        """What deals first recorded after the evening of ``snapshot.as_of`` will bring in ``period``."""
        as_of = snapshot.as_of
        if as_of >= period.end:
            return NewBusiness(0.0, 0.0, self.lessons.deals.iloc[:0].assign(amount=[]))
        windows, pools = self._windows(as_of, period)
        now = self._reading(snapshot.open, as_of, period.end, _lately(self.lessons.deals, as_of))
        pool = self._pool(pools, windows)
        if windows.empty or windows["new"].sum() <= 0:
            return NewBusiness(0.0, 0.0, pool)
        mean, mse = _blend(windows, now, as_of, _luck_of_one(pool))
        amounts = pool["amount"].to_numpy(dtype="float64")
        count = mean / amounts.mean() if len(pool) and amounts.mean() > 0 else 1.0
        luck = _luck_of_one(pool) / max(count, 1.0)
        n = float(windows["aligned"].sum())
        variance = (n * max(mse - luck, 0.0) + _PRIOR_WINDOWS * _PRIOR_SD**2) / (n + _PRIOR_WINDOWS)
        return NewBusiness(mean, float(np.sqrt(variance)), pool)

    def _windows(self, as_of: pd.Timestamp, period: Period) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
        """One row per past day: what came in after it and was won in the same window, and what was seen then."""
        lessons = self.lessons
        k = period.day_of(as_of)
        won = lessons.deals[(lessons.deals["status"] == WON).to_numpy(dtype=bool)]
        reach, since = (period.end - as_of).days, max((period.start - as_of).days, 1)
        past = {p.evening(k): p for p in lessons.past_periods(16)}
        by_day = lessons.snapshot.open.groupby("as_of", sort=False).indices
        rows, pools = [], []
        for day in (pd.Timestamp(d) for d in lessons.snapshot.days):
            aligned = day in past
            end = past[day].end if aligned else day + pd.Timedelta(days=reach)
            if end > lessons.cutoff:
                continue
            new = new_business(won, day, day + pd.Timedelta(days=since), end)
            seen = lessons.snapshot.open.iloc[by_day.get(day, np.zeros(0, dtype=int))]
            rows.append({
                "day": day, "end": end, "aligned": aligned, "new": float(new["amount"].sum()), "wins": float(len(new)),
                **self._reading(seen, day, end, self.lately[day]),
            })  # fmt: skip
            pools.append(new)
        return pd.DataFrame(rows, columns=["day", "end", "aligned", "new", "wins", *_READINGS]), pools

    @staticmethod
    def _reading(rows: pd.DataFrame, day: pd.Timestamp, end: pd.Timestamp, lately: float) -> dict[str, float]:
        due = (rows["expected_close"] <= end) | rows["expected_close"].isna()
        young = rows["first_recorded_at"] > day - pd.Timedelta(days=_PACE_DAYS)
        amount = rows["amount"].fillna(0.0).clip(lower=0.0)
        return {
            "always": 1.0,
            "lately": lately,
            "pace": float(amount[(due & young).to_numpy()].sum()),
        }

    def _pool(self, pools: Sequence[pd.DataFrame], windows: pd.DataFrame) -> pd.DataFrame:
        aligned = [p for p, a in zip(pools, windows["aligned"], strict=True) if a]
        for candidates in (aligned, pools):
            if sum(len(p) for p in candidates) >= _POOL:
                return pd.concat(candidates)
        won = self.lessons.deals[(self.lessons.deals["status"] == "won").to_numpy()]
        return won[(won["amount"] > 0).to_numpy()]


def _lately(deals: pd.DataFrame, day: pd.Timestamp) -> float:
    first = deals["first_recorded_at"]
    evening = day + pd.Timedelta(days=1)
    return float(((first < evening) & (first >= evening - pd.Timedelta(days=_LATELY_DAYS))).sum())


def _luck_of_one(pool: pd.DataFrame) -> float:
    """Relative variance that one deal brings to a sum of randomly many: 1 + CV² of the amounts."""
    amounts = pool["amount"].to_numpy(dtype="float64")
    return float(1.0 + (amounts.std() / amounts.mean()) ** 2) if len(amounts) and amounts.mean() > 0 else 1.0


def _blend(windows: pd.DataFrame, now: dict[str, float], day: pd.Timestamp, luck: float) -> tuple[float, float]:
    """Average the readings by their error on left-out windows; give the mean and the mean squared log error."""
    aligned = windows[windows["aligned"].to_numpy()]
    used = aligned.tail(_MOST_ALIGNED) if len(aligned) >= _FEWEST_ALIGNED else windows
    logs, errors = [], []
    for base in _READINGS:
        if now[base] > 0 and len(used) > 1 and (used[base] > 0).all() and used["new"].sum() > 0:
            logs.append(np.log(_foretell(used, now[base], base, day, luck)))
            errors.append(_left_out_error(used, base, luck))
    if not logs:
        return float(windows["new"].mean()), 1.0
    mse = np.array(errors)
    weight = 1.0 / mse**2
    return float(np.exp(np.average(logs, weights=weight))), float(np.average(mse, weights=weight))


def _left_out_error(used: pd.DataFrame, base: str, luck: float) -> float:
    """Mean squared log error of each window, foretold from the windows that do not overlap with it."""
    floor = 0.05 * float(used["new"].mean())
    errors = []
    for day, end, size, new in zip(used["day"], used["end"], used[base], used["new"], strict=True):
        others = used[((used["end"] <= day) | (used["day"] >= end)).to_numpy()]
        if len(others) < 2 or size <= 0:
            continue
        foretold = _foretell(others, size, base, day, luck)
        errors.append(float(np.log((new + floor) / (foretold + floor)) ** 2))
    # A few windows' worth of prior error keep luck from ruling where few windows can be judged.
    return (float(np.sum(errors)) + _PRIOR_WINDOWS * _PRIOR_ERROR) / (len(errors) + _PRIOR_WINDOWS)


def _foretell(used: pd.DataFrame, now: float, base: str, day: pd.Timestamp, luck: float) -> float:
    """In proportion to ``base``, each past window weighed by what it can tell.

    A window of few wins says little because of luck, one of another season because of the season: many wins make the
    same season of last year count most, few wins make all windows count by their size.
    """
    size = used[base].to_numpy()
    expected_wins = np.maximum(used["wins"].sum() * size / size.sum(), 1e-9)
    apart = np.abs((used["day"] - day).dt.days.to_numpy()) % 365.25
    apart = np.minimum(apart, 365.25 - apart)
    near = np.exp(-((apart / _SEASON_DAYS) ** 2))
    weight = 1.0 / (luck / expected_wins + near * _SAME_SEASON_SD**2 + (1 - near) * _OTHER_SEASON_SD**2)
    return max(float((weight * used["new"] / size).sum() / weight.sum()) * now, 1e-9)
