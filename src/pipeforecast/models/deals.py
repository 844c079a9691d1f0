"""The shell of every deal model: a kind gives cumulative incidences on a grid of days, this answers in dates.

A kind (hazards, boosting, a classical estimator) learns from lessons and gives ``Chances``: described deals and a grid
of intervals in, P(won by) and P(lost by) the end of each interval out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from pipeforecast.features import Features, describe
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import DealForecast
from pipeforecast.models.grid import Grid, make_grid
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot


class Chances(Protocol):
    """What one kind of deal model has learned."""

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and of losing, each (deals, intervals), one pair a draw.

        They never fall along the grid and their sum is at most 1. A draw is one of ``drawn``; None is the point fit.
        """
        ...

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[Any]:
        """Draw ``n`` states of what is not known for sure (coefficients, refits); a kind without any gives [None]."""
        ...


#: Shares of a chance to win within the horizon whose days are P10, P50 and P90, before anything was learned of them.
NOMINAL = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class FittedDeals:
    """A deal model that has learned its lessons.

    Attributes
    ----------
    name : str
        Name under which it is scored.
    calendar : FiscalCalendar
    horizon : int
        Days that a forecast reaches ahead, at least.
    chances : Chances
    shares : three floats
        Shares of a chance whose days are P10, P50 and P90 of the winning day.
    """

    name: str
    calendar: FiscalCalendar
    horizon: int
    chances: Chances
    shares: tuple[float, float, float] = NOMINAL

    def forecast(self, snapshot: Snapshot, amounts: np.ndarray) -> DealForecast:
        """P(won by) and P(lost by) of each deal of a one-day snapshot, up to the horizon."""
        grid = make_grid(snapshot.as_of, self.calendar, self.horizon)
        won, lost = next(iter(self.chances.incidences(describe(snapshot), grid)))
        return DealForecast(snapshot.open["deal"].to_numpy(), grid.ends, won, lost, amounts, self.shares)

    def won_between(
        self, snapshot: Snapshot, start: pd.Timestamp, end: pd.Timestamp, n: int, rng: np.random.Generator
    ) -> np.ndarray:
        """P(won from ``start`` to ``end``) of each deal under ``n`` draws of what the model is unsure of, (n, deals).

        With ``n = 0`` one row, of the model as fitted. A kind that draws nothing gives one row too.
        """
        return self.won_within(snapshot, [(start, end)], n, rng)[0]

    def won_within(
        self,
        snapshot: Snapshot,
        spans: Sequence[tuple[pd.Timestamp, pd.Timestamp]],
        n: int,
        rng: np.random.Generator,
    ) -> list[np.ndarray]:
        """Give ``won_between`` of several spans under the same draws."""
        last = max(end for _, end in spans)
        grid = make_grid(snapshot.as_of, self.calendar, max((last - snapshot.as_of).days, 1))
        draws = self.chances.drawn(n, rng) if n else [None]
        found = self.chances.incidences(describe(snapshot), grid, draws)
        each = [[between(won, grid, start, end) for start, end in spans] for won, _ in found]
        return [np.stack(of_span) for of_span in zip(*each, strict=True)]


class Recipe(Protocol):
    """What makes a deal model: its settings, before anything is learned."""

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        ...

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Learn from what was known by the cutoff."""
        ...


def between(won: np.ndarray, grid: Grid, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """P(won from ``start`` to ``end``), both ends of intervals of the grid, from cumulative incidences (n, m)."""
    upto = int(np.searchsorted(grid.ends, np.datetime64(end, "s"), side="right"))
    since = int(np.searchsorted(grid.ends, np.datetime64(start, "s"), side="left"))
    return np.asarray(won[:, upto - 1] - (won[:, since - 1] if since > 0 else 0.0))
