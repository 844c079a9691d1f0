"""Whether and when: discrete-time competing risks (won, lost, still open) from a landmark.

In each interval after ``as_of`` an open deal is won, lost or stays open, by one multinomial logistic model of the
deal's features and of the interval's place in time. Chaining the intervals gives cumulative incidences that never
fall and sum to at most 1.

References
----------
Tutz and Schmid, *Modeling Discrete Time-to-Event Data*, Springer 2016, chapter 8 (competing risks).
van Houwelingen, "Dynamic prediction by landmarking", Scandinavian Journal of Statistics 34, 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import LOST, WON
from pipeforecast.features import describe
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import DealForecast
from pipeforecast.models.design import DealDesign, interval_columns, together
from pipeforecast.models.grid import Grid, make_grid
from pipeforecast.models.multinomial import Multinomial, fit_multinomial
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

_CHUNK_ROWS = 200_000
_QUIET_PER_CLOSING = 2
_QUIET_AT_LEAST = 20_000


@dataclass(frozen=True)
class HazardModel:
    """Recipe of the discrete-time competing-risks model.

    Parameters
    ----------
    C : float
        Inverse strength of the ridge penalty on standardised columns.
    max_rows : int
        At most so many snapshot rows are learned from (a random sample; the rest buys little).
    horizon : int
        Days that a forecast reaches ahead, at least.
    half_life : float
        Days after which a lesson counts half: markets and sellers change, and yesterday's deals say more of tomorrow's.
    seed : int
        Of the sample.
    """

    C: float = 0.1
    max_rows: int = 30_000
    horizon: int = 365
    half_life: float = np.inf
    seed: int = 7
    name: str = "hazard"

    def fit(self, lessons: Lessons) -> FittedHazard:
        """Learn hazards from the lessons' snapshots and their outcomes until the cutoff."""
        age = (lessons.cutoff - lessons.snapshot.open["as_of"]).dt.days.to_numpy(dtype="float64")
        keep, counts = _sample(0.5 ** (age / self.half_life), self.max_rows, self.seed)
        snapshot, outcome = lessons.snapshot.take(keep), lessons.outcome.rows.iloc[keep]
        features = describe(snapshot)
        design = DealDesign().fit(features) if len(features.numbers) else DealDesign()
        rows = _expand(snapshot.open, outcome, lessons.calendar, self.horizon).thinned(self.seed)
        if not (rows.cause > 0).any():
            return FittedHazard(self, lessons.calendar, design, None, [])
        slopes = _slopes(design)
        x = _columns(rows, design.transform(features), slopes, snapshot.open["expected_close"].to_numpy())
        groups = snapshot.open["deal"].to_numpy()[rows.row]
        model = fit_multinomial(x, rows.cause, 3, self.C, groups, rows.weight * counts[rows.row])
        return FittedHazard(self, lessons.calendar, design, model, slopes)


@dataclass(frozen=True)
class FittedHazard:
    """Hazards that have been learned; ``model`` is None where nothing has ever closed."""

    recipe: HazardModel
    calendar: FiscalCalendar
    design: DealDesign
    model: Multinomial | None
    slopes: list[int]

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.recipe.name

    def forecast(self, snapshot: Snapshot, amounts: np.ndarray) -> DealForecast:
        """P(won by) and P(lost by) of each deal of a one-day snapshot, up to the horizon."""
        grid = make_grid(snapshot.as_of, self.calendar, self.recipe.horizon)
        won, lost = self._incidence(snapshot, grid, None)
        return DealForecast(snapshot.open["deal"].to_numpy(), grid.ends, won, lost, amounts)

    def won_between(
        self, snapshot: Snapshot, start: pd.Timestamp, end: pd.Timestamp, n: int, rng: np.random.Generator
    ) -> np.ndarray:
        """P(won from ``start`` to ``end``) of each deal under ``n`` draws of the coefficients, (n, deals).

        With ``n = 0`` one row, of the coefficients as fitted.
        """
        grid = make_grid(snapshot.as_of, self.calendar, max((end - snapshot.as_of).days, 1))
        upto = int(np.searchsorted(grid.ends, np.datetime64(end, "s"), side="right"))
        since = int(np.searchsorted(grid.ends, np.datetime64(start, "s"), side="left"))
        draws = [None] if self.model is None or n == 0 else self.model.draws(n, rng)
        out = np.empty((len(draws), len(snapshot.open)))
        prepared = self._prepare(snapshot, grid)
        for i, coefficients in enumerate(draws):
            won, _ = self._incidence(snapshot, grid, coefficients, prepared)
            before = won[:, since - 1] if since > 0 else 0.0
            out[i] = won[:, upto - 1] - before
        return out

    def _prepare(self, snapshot: Snapshot, grid: Grid) -> tuple[np.ndarray, np.ndarray] | None:
        if self.model is None or not len(snapshot.open):
            return None
        deal_part = self.design.transform(describe(snapshot))
        n, m = len(deal_part), len(grid.ends)
        due = np.repeat(snapshot.open["expected_close"].to_numpy().astype("datetime64[s]"), m)
        intervals = interval_columns([grid], np.zeros(n * m, dtype=int), np.tile(np.arange(m), n), due)
        return deal_part, intervals.reshape(n, m, -1)

    def _incidence(
        self,
        snapshot: Snapshot,
        grid: Grid,
        coefficients: np.ndarray | None,
        prepared: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cumulative incidences of winning and losing, each (deals, intervals)."""
        n, m = len(snapshot.open), len(grid.ends)
        if self.model is None or n == 0:
            return np.zeros((n, m)), np.zeros((n, m))
        deal_part, intervals = prepared if prepared is not None else self._prepare(snapshot, grid)  # type: ignore[misc]
        won, lost = np.empty((n, m)), np.empty((n, m))
        step = max(1, _CHUNK_ROWS // m)
        for at in range(0, n, step):
            part = slice(at, at + step)
            k = len(deal_part[part])
            deals = np.repeat(deal_part[part], m, axis=0)
            x = together(deals, intervals[part].reshape(k * m, -1), deals[:, self.slopes])
            h = self.model.probabilities(x, coefficients).reshape(k, m, 3)
            open_before = np.cumprod(np.concatenate([np.ones((k, 1)), h[:, :-1, 0]], axis=1), axis=1)
            won[part] = np.cumsum(open_before * h[:, :, 1], axis=1)
            lost[part] = np.cumsum(open_before * h[:, :, 2], axis=1)
        return won, lost


@dataclass(frozen=True)
class _Expanded:
    """One row per (snapshot row, interval) that was lived through: ``cause`` 0 open, 1 won, 2 lost."""

    row: np.ndarray
    interval: np.ndarray
    grid: np.ndarray
    cause: np.ndarray
    weight: np.ndarray
    grids: Sequence[Grid]

    def thinned(self, seed: int) -> _Expanded:
        """Let one uneventful interval stand for several: almost all that can be learned lies in the closings."""
        quiet = self.cause == 0
        most = _QUIET_PER_CLOSING * (len(self.cause) - int(quiet.sum())) + _QUIET_AT_LEAST
        share = min(1.0, most / max(int(quiet.sum()), 1))
        keep = ~quiet | (np.random.default_rng(seed).random(len(quiet)) < share)
        weight = np.where(quiet, 1.0 / share, 1.0)[keep]
        return _Expanded(self.row[keep], self.interval[keep], self.grid[keep], self.cause[keep], weight, self.grids)


def _sample(weight: np.ndarray, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw at most about ``most`` rows, each with a chance in proportion to its weight.

    Returns
    -------
    rows : int array (m,)
    weight : float array (m,), at most 1
        What each drawn row still counts: weight ÷ chance, so that old lessons are left out rather than carried along.
    """
    n = len(weight)
    if n <= most:
        return np.arange(n), weight
    low, high = 0.0, most / weight.min()
    for _ in range(60):  # Σ min(1, c · weight) rises with c: halve until it meets `most`
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(1.0, middle * weight).sum() < most else (low, middle)
    chance = np.minimum(1.0, high * weight)
    rows = np.flatnonzero(np.random.default_rng(seed).random(n) < chance)
    counts = weight[rows] / chance[rows]
    return rows, counts / counts.max()


def _slopes(design: DealDesign) -> list[int]:
    """Positions of the columns whose effect may change with the days ahead: the numbers and the stage."""
    return [i for i, name in enumerate(design.names) if name in design.numbers or name.startswith("stage_")]


def _expand(rows: pd.DataFrame, outcome: pd.DataFrame, calendar: FiscalCalendar, horizon: int) -> _Expanded:
    """Lay out the intervals that each row lived through; an interval that censoring cut short is left out."""
    as_of = rows["as_of"].to_numpy().astype("datetime64[s]")
    days, grid_of_row = np.unique(as_of, return_inverse=True)
    grids = [make_grid(pd.Timestamp(d), calendar, horizon) for d in days]
    width = max((len(g.ends) for g in grids), default=1)
    gone = np.full((len(grids), width), np.inf)
    for i, g in enumerate(grids):
        gone[i, : len(g.ends)] = (g.ends - g.ends[0]).astype("float64") / 86400
    ends = gone[grid_of_row]
    lived = outcome["days"].to_numpy()
    status = outcome["status"].to_numpy()
    closed = (status == WON) | (status == LOST)
    event = (ends < lived[:, None]).sum(axis=1)  # interval that holds the closing
    full = (ends <= lived[:, None]).sum(axis=1)  # intervals lived through to their end
    count = np.where(closed, event + 1, full)
    count = np.minimum(count, np.array([len(g.ends) for g in grids], dtype="int64")[grid_of_row])
    row = np.repeat(np.arange(len(rows)), count)
    interval = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    cause = np.zeros(len(row), dtype=int)
    at_event = closed[row] & (interval == event[row])
    cause[at_event] = np.where(status[row[at_event]] == WON, 1, 2)
    return _Expanded(row, interval, grid_of_row[row], cause, np.ones(len(row)), grids)


def _columns(rows: _Expanded, deal_part: np.ndarray, slopes: list[int], due: np.ndarray) -> np.ndarray:
    intervals = interval_columns(rows.grids, rows.grid, rows.interval, due.astype("datetime64[s]")[rows.row])
    deals = deal_part[rows.row]
    return together(deals, intervals, deals[:, slopes])
