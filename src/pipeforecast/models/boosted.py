"""Gradient boosting of the hazards: the same rows as the logistic model, any shape and any interaction.

References
----------
Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29, 2001.
Tutz and Schmid, *Modeling Discrete Time-to-Event Data*, Springer 2016, chapter 8 (competing risks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeforecast.features import Features, describe
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.grid import Grid
from pipeforecast.models.incidence import chained
from pipeforecast.models.lived import lay_out, taught
from pipeforecast.models.tree_columns import (
    INTERVAL_NAMES,
    TreeColumns,
    TreeRecipe,
    days_until_due,
    interval_numbers,
    threads_for,
)
from pipeforecast.outcome import Lessons

_CHUNK_ROWS = 200_000
#: So many closings buy one more round: few deals cannot tell many trees.
_CLOSINGS_PER_ROUND = 20


@dataclass(frozen=True)
class BoostedHazards(TreeRecipe):
    """Recipe: P(won), P(lost), P(open) in each interval by gradient boosting; parameters as of ``TreeRecipe``."""

    name: str = "boosting"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Learn hazards from the lessons' snapshots and their outcomes until the cutoff."""
        told = taught(lessons, self.half_life, self.max_rows, self.seed)
        features = describe(told.snapshot)
        rows = lay_out(told.snapshot.open, told.outcome, lessons.calendar, self.horizon).thinned(self.seed)
        columns = TreeColumns.of(features.rows(np.unique(rows.row)))
        closings = int((rows.cause > 0).sum())
        if not closings:
            return FittedDeals(self.name, lessons.calendar, self.horizon, BoostedChances(columns, None))
        due = days_until_due(features.due, features.as_of)[rows.row]
        intervals = interval_numbers(list(rows.grids), rows.grid, rows.interval, due)
        x = np.hstack([columns.transform(features)[rows.row], intervals])
        told_apart = np.array([np.unique(c[~np.isnan(c)]).size > 0 for c in x.T])
        categorical = columns.categorical(len(INTERVAL_NAMES))[told_apart]
        model = self.classifier(closings // _CLOSINGS_PER_ROUND, categorical)
        with threads_for(len(x)):
            model.fit(x[:, told_apart], rows.cause, sample_weight=rows.weight * told.counts[rows.row])
        chances = BoostedChances(columns, model, told_apart)
        return FittedDeals(self.name, lessons.calendar, self.horizon, chances)


@dataclass(frozen=True)
class BoostedChances:
    """Boosted hazards; ``model`` is None where nothing has ever closed."""

    columns: TreeColumns
    model: Any
    told_apart: np.ndarray | None = None

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[None]:
        """Trees have no covariance: wrap the recipe in ``Bagged`` for draws."""
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals)."""
        n, m = len(features.due), len(grid.ends)
        won, lost = np.zeros((n, m)), np.zeros((n, m))
        if self.model is not None and n:
            deals, due = self.columns.transform(features), days_until_due(features.due, features.as_of)
            step = max(1, _CHUNK_ROWS // m)
            for at in range(0, n, step):
                part = slice(at, at + step)
                won[part], lost[part] = chained(self._hazards(deals[part], due[part], grid))
        yield from ((won, lost) for _ in draws)

    def _hazards(self, deals: np.ndarray, due: np.ndarray, grid: Grid) -> np.ndarray:
        """P(open), P(won), P(lost) in each interval (k, m, 3)."""
        k, m = len(deals), len(grid.ends)
        first = np.zeros(k * m, dtype=int)
        intervals = interval_numbers([grid], first, np.tile(np.arange(m), k), np.repeat(due, m))
        x = np.hstack([np.repeat(deals, m, axis=0), intervals])[:, self.told_apart]
        out = np.zeros((k * m, 3))
        with threads_for(len(x)):
            out[:, self.model.classes_] = self.model.predict_proba(x)  # one way of closing may never have been seen
        return out.reshape(k, m, 3)
