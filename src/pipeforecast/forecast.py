"""What every forecaster promises, and what it gives back: deals with dates, periods with parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import pandas as pd
import scipy.sparse

from pipeforecast.errors import DataError
from pipeforecast.fiscal import Period
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: total = won + open + new; open = open_due + open_pulled_in.
PARTS = ("total", "won", "open", "open_due", "open_pulled_in", "new", "amount_change")
ADDENDS = ("won", "open_due", "open_pulled_in", "new")
#: Told beside the parts and added to nothing: what won deals bring beyond their listed amounts.
MEMOS = ("amount_change",)
QUANTILES = {
    "p025": 0.025, "p05": 0.05, "p10": 0.10, "p25": 0.25, "p50": 0.50,
    "p75": 0.75, "p90": 0.90, "p95": 0.95, "p975": 0.975,
}  # fmt: skip
TOTAL = "total"
_SAME_DAY = 1e-6
NO_GROUP = "(none)"


@dataclass(frozen=True)
class DealForecast:
    """Whether and when each open deal of one snapshot closes.

    Attributes
    ----------
    deal : int array (n,)
        Deal keys, in the order of the snapshot's rows.
    dates : datetime64[s] array (m,)
        Evenings, rising; the first is ``as_of`` itself (a deal that has closed but is not yet written).
    p_won, p_lost : float arrays (n, m)
        P(won by the date), P(lost by the date): never fall along ``dates``, and their sum is at most 1.
    amount : float array (n,)
        Expected final amount, given that the deal is won (currency of the export).
    shares : three floats
        Shares of the chance to win whose days are P10, P50 and P90 of the winning day.
    """

    deal: np.ndarray
    dates: np.ndarray
    p_won: np.ndarray
    p_lost: np.ndarray
    amount: np.ndarray
    shares: tuple[float, float, float] = (0.1, 0.5, 0.9)

    def __post_init__(self) -> None:
        n, m = len(self.deal), len(self.dates)
        if self.p_won.shape != (n, m) or self.p_lost.shape != (n, m) or self.amount.shape != (n,):
            raise DataError(f"a forecast of {n} deals on {m} dates needs arrays of shape ({n}, {m}) and ({n},)")

    def won_by(self, day: pd.Timestamp | np.ndarray) -> np.ndarray:
        """P(won by the evening of ``day``); ``day`` is one day or one per deal. Linear between dates."""
        return _at(self.dates, self.p_won, day)

    def lost_by(self, day: pd.Timestamp | np.ndarray) -> np.ndarray:
        """P(lost by the evening of ``day``)."""
        return _at(self.dates, self.p_lost, day)

    def won_between(self, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
        """P(won on one of the days from ``start`` to ``end``, both included)."""
        return np.asarray(self.won_by(end) - self.won_by(start - pd.Timedelta(days=1)))

    def closing_day(self, share: float, horizon: pd.Timestamp) -> np.ndarray:
        """First day by whose evening ``share`` of the chance to win until ``horizon`` is used up (``datetime64[s]``).

        NaT where there is no such chance. Between dates wins are spread evenly: in the experiments days of winning lie
        evenly in the intervals of the models' grid, so that a shape of its own would add nothing.
        """
        days = _days(self.dates)
        top = self.won_by(horizon)
        target = share * top
        out = _crossed(target, self.p_won, days)
        last = _days(np.array([horizon], dtype="datetime64[s]"))[0]
        whole = np.ceil(np.minimum(out, last) - _SAME_DAY)  # rounding must not push a date's evening to the next day
        closing: np.ndarray = (whole * 86400).astype("int64").astype("datetime64[s]")
        closing[top <= 0] = np.datetime64("NaT")
        return closing


def _crossed(target: np.ndarray, p: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Day on which each row of ``p`` (n, m), which never falls, reaches its target (n,); linear between ``days``."""
    last = len(days) - 1
    left = np.clip((p <= target[:, None]).sum(axis=1) - 1, 0, max(last - 1, 0))
    right, rows = np.minimum(left + 1, last), np.arange(len(p))
    low, rise = p[rows, left], p[rows, right] - p[rows, left]
    slope = np.divide(days[right] - days[left], rise, out=np.zeros(len(p)), where=rise > 0)
    inside = slope * (target - low) + days[left]
    return np.asarray(np.where(target >= p[:, -1], days[-1], np.where(target < p[:, 0], days[0], inside)))


def _days(dates: np.ndarray) -> np.ndarray:
    return dates.astype("datetime64[s]").astype("int64") / 86400.0


def _at(dates: np.ndarray, p: np.ndarray, day: pd.Timestamp | np.ndarray) -> np.ndarray:
    """Interpolate each row of ``p`` at ``day``: 0 before the first date, flat after the last."""
    grid = _days(dates)
    if isinstance(day, pd.Timestamp):
        at = np.full(p.shape[0], _days(np.array([day.to_datetime64()]))[0])
    else:
        at = _days(np.asarray(day, dtype="datetime64[s]"))
    right = np.clip(np.searchsorted(grid, at, side="left"), 1, max(len(grid) - 1, 1))
    if len(grid) == 1:
        return np.where(at >= grid[0], p[:, 0], 0.0)
    left = right - 1
    rows = np.arange(p.shape[0])
    weight = np.clip((at - grid[left]) / (grid[right] - grid[left]), 0.0, 1.0)
    value = p[rows, left] * (1 - weight) + p[rows, right] * weight
    return np.where(at < grid[0], 0.0, value)


@dataclass(frozen=True)
class Forecast:
    """Revenue of one period as seen on one day by one method.

    Attributes
    ----------
    as_of, period, method
        From when, of what, by whom.
    cells : DataFrame, one row per cell
        ``level``, ``group``, ``part``; the level ``total`` has the one group ``total``.
    mean : float array (cells,)
    draws : float array (cells, D) or None
        Joint draws: at every level and in every draw the groups add up to the total and the parts to the whole.
        None for a method that gives one number only.
    deals : DealForecast or None
        Deal by deal, where the method looks at deals.
    open_draws : sparse float matrix (deals, D) or None
        What each open deal brings in each draw, in the order of ``deals``.
    """

    as_of: pd.Timestamp
    period: Period
    method: str
    cells: pd.DataFrame
    mean: np.ndarray
    draws: np.ndarray | None = None
    deals: DealForecast | None = None
    open_draws: scipy.sparse.csr_matrix | None = None

    def value(self, part: str = TOTAL, level: str = TOTAL, group: str = TOTAL) -> float:
        """Mean of one cell (0 for a group that has nothing)."""
        at = self._row(part, level, group)
        return 0.0 if at is None else float(self.mean[at])

    def draw(self, part: str = TOTAL, level: str = TOTAL, group: str = TOTAL) -> np.ndarray:
        """Draws of one cell (D,)."""
        if self.draws is None:
            raise DataError(f"{self.method!r} gives one number, not a distribution")
        at = self._row(part, level, group)
        return np.zeros(self.draws.shape[1]) if at is None else self.draws[at]

    def _row(self, part: str, level: str, group: str) -> int | None:
        return self._rows.get((level, group, part))

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], int]:
        """Position of each cell; of several alike the first."""
        names = [self.cells[c] for c in ("level", "group", "part")]
        return {key: i for i, key in reversed(list(enumerate(zip(*names, strict=True))))}

    def table(self) -> pd.DataFrame:
        """Rows of ``forecast.csv``: one per cell, with mean and quantiles (empty where there are no draws)."""
        out = self.cells.copy()
        out.insert(0, "as_of", self.as_of)
        out.insert(1, "period", self.period.name)
        out.insert(2, "period_start", self.period.start)
        out.insert(3, "period_end", self.period.end)
        out["method"] = self.method
        out["mean"] = self.mean
        if self.draws is None:
            return out.assign(**dict.fromkeys(QUANTILES, np.nan))
        levels = np.quantile(self.draws, list(QUANTILES.values()), axis=1)
        return out.assign(**dict(zip(QUANTILES, levels, strict=True)))


class Fitted(Protocol):
    """A forecaster that has learned its lessons."""

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        ...

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """Forecast ``period`` from the one day of ``snapshot``, in total and by each of ``levels``."""
        ...


class Forecaster(Protocol):
    """A recipe: rules and models alike. It sees lessons and snapshots, never the history."""

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        ...

    def fit(self, lessons: Lessons) -> Fitted:
        """Learn from what was known by the evening of ``lessons.cutoff``, and from nothing later."""
        ...


@runtime_checkable
class Chooser(Protocol):
    """A recipe that chooses something before it learns: its form, say."""

    def decided(self, lessons: Lessons) -> Any:
        """Give the same recipe with its choices made, from what was known by ``lessons.cutoff``."""
        ...


R = TypeVar("R")


def decided(recipe: R, lessons: Lessons) -> R:
    """Make the choices of a recipe (of a whole, or of a deal model) that makes any; others stay as they are."""
    return cast(R, recipe.decided(lessons)) if isinstance(recipe, Chooser) else recipe


def cells_of(groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Lay out the cells of a forecast: every part of the total and of every group of every level."""
    rows = [(TOTAL, TOTAL, part) for part in PARTS]
    rows += [(level, group, part) for level, names in groups.items() for group in names for part in PARTS]
    return pd.DataFrame(rows, columns=["level", "group", "part"])


def group_names(rows: pd.DataFrame, level: str) -> np.ndarray:
    """Name the group of each row at ``level``; rows without one form a group of their own."""
    if level not in rows:
        return np.full(len(rows), NO_GROUP, dtype=object)
    code, distinct = pd.factorize(rows[level], use_na_sentinel=True)  # far fewer names than rows
    return np.array([*map(str, distinct), NO_GROUP], dtype=object)[code]
