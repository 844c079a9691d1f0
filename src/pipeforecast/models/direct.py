"""Cumulative incidence learned directly: the days ahead are a feature, and more days never mean a smaller chance.

A deal seen on one evening is asked several times, "won within h days?", for h up to what is known of its evening: where
follow-up ends on one day for all, a horizon within it is answered for every deal, so no pair is censored and none needs
a weight. Each cause has a model that rises with the days ahead; where both add up to more than 1 they are scaled.

References
----------
Fine and Gray, "A proportional hazards model for the subdistribution of a competing risk", JASA 94, 1999.
Alberge et al., "Survival models: proper scoring rule and stochastic optimization with competing risks", AISTATS 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.contract import LOST, WON
from pipeforecast.features import Features, describe
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.grid import Grid, make_grid
from pipeforecast.models.lived import taught
from pipeforecast.models.tree_columns import TreeColumns, TreeRecipe, days_until_due, threads_for
from pipeforecast.outcome import Lessons

_CHUNK_ROWS = 200_000
_CLOSINGS_PER_ROUND = 15
#: What rises with the horizon: days ahead, days past the expected close, the clock of fiscal periods.
_RISING = 3
#: What is the same for all horizons of an evening: its own place on that clock, and the quarter of the year.
_STILL = 2
_LONGEST_PERIOD = 400.0


@dataclass(frozen=True)
class DirectIncidence(TreeRecipe):
    """Recipe: P(won within h days) and P(lost within h days) by gradient boosting, monotone in h.

    Parameters
    ----------
    questions : int
        Horizons asked of each lesson row, at most. The others are those of ``TreeRecipe``.
    """

    rounds: int = 80
    learning_rate: float = 0.06
    max_rows: int = 20_000
    questions: int = 3
    name: str = "incidence"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Ask every lesson row about some horizons within its follow-up."""
        told = taught(lessons, self.half_life, self.max_rows, self.seed)
        features = describe(told.snapshot)
        asked = self._asked(features, lessons)
        columns = TreeColumns.of(features.rows(np.unique(asked.row)))
        x = np.hstack([columns.transform(features)[asked.row], asked.numbers])
        usable = ~np.isnan(x).all(axis=0) if len(x) else np.zeros(x.shape[1], dtype=bool)
        status = told.outcome["status"].to_numpy(dtype=object)[asked.row]
        within = told.outcome["days"].to_numpy(dtype="float64")[asked.row] <= asked.days
        counts = told.counts[asked.row]
        won, lost = (self._one(x, within & (status == cause), counts, columns, usable) for cause in (WON, LOST))
        chances = DirectChances(columns, usable, won, lost)
        return FittedDeals(self.name, lessons.calendar, self.horizon, chances)

    def _asked(self, features: Features, lessons: Lessons) -> _Asked:
        """Draw horizons of each row among the ends of its grid that follow-up reaches."""
        rng = np.random.default_rng(self.seed)
        until_due = days_until_due(features.due, features.as_of)
        rows, days, numbers = [np.zeros(0, dtype=int)], [np.zeros(0)], [np.zeros((0, _STILL + _RISING))]
        for day in np.unique(features.as_of):
            grid = make_grid(pd.Timestamp(day), lessons.calendar, self.horizon)
            known = np.flatnonzero(grid.ends <= np.datetime64(lessons.outcome.until, "s"))
            at = np.flatnonzero(features.as_of == day)
            order = np.argsort(rng.random((len(at), len(known))), axis=1)
            interval = known[order[:, : self.questions]].ravel()
            rows.append(np.repeat(at, min(self.questions, len(known))))
            days.append(grid.gone[interval])
            numbers.append(_numbers(grid, interval, until_due[rows[-1]]))
        return _Asked(np.concatenate(rows), np.concatenate(days), np.concatenate(numbers))

    def _one(self, x: np.ndarray, yes: np.ndarray, counts: np.ndarray, columns: TreeColumns, usable: np.ndarray) -> Any:
        """Fit one cause; None where nothing has closed in that way."""
        if not yes.any() or yes.all():
            return None
        rising = np.concatenate([np.zeros(columns.width + _STILL), np.ones(_RISING)]).astype(int)
        rounds = int(yes.sum()) // self.questions // _CLOSINGS_PER_ROUND
        model = self.classifier(rounds, columns.categorical(_STILL + _RISING)[usable], rising[usable])
        with threads_for(len(x)):
            return model.fit(x[:, usable], yes.astype(int), sample_weight=counts)


@dataclass(frozen=True)
class _Asked:
    """Pairs of a lesson row and a horizon, and the numbers (N, _STILL + _RISING) that tell of the horizon."""

    row: np.ndarray
    days: np.ndarray
    numbers: np.ndarray


def _numbers(grid: Grid, interval: np.ndarray, until_due: np.ndarray) -> np.ndarray:
    days, clock = grid.gone, _clock(grid)
    still = [np.full(len(interval), clock[0]), np.full(len(interval), float(grid.season[0] // 3))]
    return np.column_stack([*still, days[interval], days[interval] - until_due, clock[interval]])


def _clock(grid: Grid) -> np.ndarray:
    """Ends of periods passed, less a share for the days that are left to the next: it never runs back."""
    last = grid.slot == 0
    passed = np.cumsum(last) - last
    ends = np.flatnonzero(last)
    following = ends[np.minimum(passed, len(ends) - 1)]
    return np.asarray(passed - (grid.gone[following] - grid.gone) / _LONGEST_PERIOD)


@dataclass(frozen=True)
class DirectChances:
    """Both causes' models of incidence; None for a cause that was never seen."""

    columns: TreeColumns
    usable: np.ndarray
    won: Any
    lost: Any

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[None]:
        """Trees have no covariance: wrap the recipe in ``Bagged`` for draws."""
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals)."""
        n, m = len(features.due), len(grid.ends)
        both = np.zeros((2, n, m))
        deals, until_due = self.columns.transform(features), days_until_due(features.due, features.as_of)
        step = max(1, _CHUNK_ROWS // m)
        for at in range(0, n, step):
            part = slice(at, at + step)
            k = len(until_due[part])
            horizon = _numbers(grid, np.tile(np.arange(m), k), np.repeat(until_due[part], m))
            x = np.hstack([np.repeat(deals[part], m, axis=0), horizon])[:, self.usable]
            for cause, model in enumerate((self.won, self.lost)):
                if model is not None:
                    with threads_for(len(x)):
                        both[cause, part] = model.predict_proba(x)[:, 1].reshape(k, m)
        # Constraints hold tree by tree; the running maximum only takes away what rounding leaves.
        both = np.maximum.accumulate(both, axis=2)
        both /= np.maximum(1.0, both[:, :, -1].sum(axis=0))[None, :, None]
        yield from ((both[0], both[1]) for _ in draws)
