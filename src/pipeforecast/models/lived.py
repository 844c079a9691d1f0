"""What each deal lived through: one row per interval, with what ended it; and samples of such rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.grid import Grid, make_grid
from pipeforecast.outcome import Lessons, cause_of
from pipeforecast.snapshot import Snapshot

_QUIET_PER_CLOSING = 2


@dataclass(frozen=True)
class Lived:
    """One row per (snapshot row, interval) that was lived through: ``cause`` 0 open, 1 won, 2 lost."""

    row: np.ndarray
    interval: np.ndarray
    grid: np.ndarray
    cause: np.ndarray
    weight: np.ndarray
    grids: Sequence[Grid]

    def thinned(self, seed: int, at_least: int = 20_000) -> Lived:
        """Let one uneventful interval stand for several: almost all that can be learned lies in the closings."""
        quiet = self.cause == 0
        most = _QUIET_PER_CLOSING * (len(self.cause) - int(quiet.sum())) + at_least
        share = min(1.0, most / max(int(quiet.sum()), 1))
        keep = ~quiet | (np.random.default_rng(seed).random(len(quiet)) < share)
        weight = np.where(quiet, 1.0 / share, 1.0)[keep]
        return Lived(self.row[keep], self.interval[keep], self.grid[keep], self.cause[keep], weight, self.grids)


def sample(weight: np.ndarray, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
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


@dataclass(frozen=True)
class Taught:
    """Lesson rows to learn from, by day and deal: ``counts`` says what each still counts."""

    snapshot: Snapshot
    outcome: pd.DataFrame
    counts: np.ndarray


def taught(lessons: Lessons, half_life: float, max_rows: int, seed: int) -> Taught:
    """Draw lesson rows, late ones rather than old ones; in the order of days and deals, whatever order they came in."""
    rows = lessons.snapshot.open
    order = np.lexsort((rows["deal"].to_numpy(), rows["as_of"].to_numpy()))
    age = (lessons.cutoff - rows["as_of"]).dt.days.to_numpy(dtype="float64")[order]
    keep, counts = sample(0.5 ** (age / half_life), max_rows, seed)
    chosen = order[keep]
    return Taught(lessons.snapshot.take(chosen), lessons.outcome.rows.iloc[chosen].reset_index(drop=True), counts)


def lay_out(rows: pd.DataFrame, outcome: pd.DataFrame, calendar: FiscalCalendar, horizon: int) -> Lived:
    """Lay out the intervals that each row lived through; an interval that censoring cut short is left out."""
    as_of = rows["as_of"].to_numpy().astype("datetime64[s]")
    days, grid_of_row = np.unique(as_of, return_inverse=True)
    grids = [make_grid(pd.Timestamp(d), calendar, horizon) for d in days]
    width = max((len(g.ends) for g in grids), default=1)
    gone = np.full((len(grids), width), np.inf)
    for i, g in enumerate(grids):
        gone[i, : len(g.ends)] = g.gone
    ends = gone[grid_of_row]
    lived = outcome["days"].to_numpy()
    how = cause_of(outcome)
    closed = how > 0
    event = (ends < lived[:, None]).sum(axis=1)  # interval that holds the closing
    full = (ends <= lived[:, None]).sum(axis=1)  # intervals lived through to their end
    count = np.where(closed, event + 1, full)
    count = np.minimum(count, np.array([len(g.ends) for g in grids], dtype="int64")[grid_of_row])
    row = np.repeat(np.arange(len(rows)), count)
    interval = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    cause = np.where(interval == event[row], how[row], 0)
    return Lived(row, interval, grid_of_row[row], cause, np.ones(len(row)), grids)
