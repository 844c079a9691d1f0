"""What recipes of boosted trees share, and columns as trees like them: missing values kept, categories as codes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from pipeforecast.features import Features
from pipeforecast.models.grid import Grid

#: Values of a number that trees tell apart: with weights, finding more of them would take most of the time.
_BINS = 64
_FEWEST_ROUNDS = 10
_MOST_LEVELS = 60
#: A level that fewer rows have is no level of its own.
_LEAST_ROWS = 20
_ROWS_FOR_THREADS = 200_000
INTERVAL_NAMES = (
    "slot", "periods ahead", "quarter", "days in interval", "days ahead", "due after start", "due after end",
)  # fmt: skip


@dataclass(frozen=True)
class TreeColumns:
    """What the columns are; numbers come first, then codes of categories.

    Attributes
    ----------
    numbers : tuple of str
        Columns with more than one value: one without any makes gradient boosting fail.
    levels : mapping of category to its levels
        In the order of their codes; a level that is rare or was never seen is missing (NaN).
    """

    numbers: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]

    @staticmethod
    def of(features: Features) -> TreeColumns:
        """Learn which columns can tell rows apart."""
        x = features.numbers
        numbers = tuple(c for c in x.columns if len(x[c].unique()) > 1)  # one missing and one not are two
        levels = {}
        for name in features.categories.columns:
            counts = features.categories[name].value_counts()
            kept = sorted(counts[counts >= min(_LEAST_ROWS, max(2, len(x) // 20))].index[:_MOST_LEVELS])
            if len(kept) > 1 or (kept and counts.size > 1):
                levels[str(name)] = tuple(kept)
        return TreeColumns(numbers, levels)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.numbers) + len(self.levels)

    def categorical(self, further: int) -> np.ndarray:
        """Mask of the columns that are codes, with ``further`` numbers after them."""
        return np.array([False] * len(self.numbers) + [True] * len(self.levels) + [False] * further)

    def transform(self, features: Features) -> np.ndarray:
        """Columns of each row (n, width)."""
        parts = [features.numbers.reindex(columns=list(self.numbers)).to_numpy(dtype="float64")]
        for name, levels in self.levels.items():
            codes = {level: float(i) for i, level in enumerate(levels)}
            values = features.categories.get(name, pd.Series(np.nan, index=features.categories.index))
            parts.append(values.map(codes).to_numpy(dtype="float64")[:, None])
        return np.hstack(parts)


@dataclass(frozen=True)
class TreeRecipe:
    """What recipes of boosted trees share.

    Parameters
    ----------
    rounds : int
        Trees a class or cause, at most; fewer where few deals have closed.
    learning_rate : float
        Share of each tree that is believed.
    leaves : int
        Leaves of a tree, at most.
    least_leaf : int
        Rows of a leaf, at least.
    l2 : float
        Ridge penalty on the values of leaves.
    max_rows, horizon, half_life, seed
        As of ``HazardModel``.
    """

    rounds: int = 60
    learning_rate: float = 0.05
    leaves: int = 12
    least_leaf: int = 60
    l2: float = 10.0
    max_rows: int = 30_000
    horizon: int = 365
    half_life: float = np.inf
    seed: int = 7

    def classifier(self, rounds: int, categorical: np.ndarray, rising: np.ndarray | None = None) -> Any:
        """Make the classifier, not fitted yet.

        Parameters
        ----------
        rounds : int
            How many the closings can tell.
        categorical : bool array (p,)
            Which columns are codes.
        rising : int array (p,), optional
            1 where more never means a smaller chance.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=int(np.clip(rounds, _FEWEST_ROUNDS, self.rounds)),
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least_leaf,
            l2_regularization=self.l2,
            max_bins=_BINS,
            categorical_features=categorical,
            monotonic_cst=rising,
            early_stopping=False,  # its random split would put one deal on both sides
            random_state=self.seed,
        )


def threads_for(rows: int) -> AbstractContextManager[Any]:
    """Grow small trees in one thread: several would mostly wait for each other, above all beside other processes."""
    limits: AbstractContextManager[Any] = threadpool_limits(1 if rows < _ROWS_FOR_THREADS else None, user_api="openmp")
    return limits


def days_until_due(due: np.ndarray, as_of: np.ndarray) -> np.ndarray:
    """Days from the evening to the expected close, NaN where there is none."""
    out: np.ndarray = (due - as_of).astype("float64") / 86400
    out[np.isnat(due)] = np.nan
    return out


def interval_numbers(grids: list[Grid], grid_of_row: np.ndarray, interval: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Plain numbers of each (row, interval) pair (N, 7), in the order of ``INTERVAL_NAMES``.

    Parameters
    ----------
    grids : list of Grid
    grid_of_row, interval : int arrays (N,)
    due : float array (N,)
        Days from the row's evening to the expected close; NaN: none.
    """
    width = max(len(g.ends) for g in grids)

    def at(values: list[np.ndarray]) -> np.ndarray:
        table = np.stack([np.pad(v.astype("float64"), (0, width - len(v))) for v in values])
        return np.asarray(table[grid_of_row, interval])

    end = at([g.gone for g in grids])
    length = at([g.lengths for g in grids])
    return np.column_stack([
        at([g.slot for g in grids]), at([g.period for g in grids]), at([g.season // 3 for g in grids]), length,
        at([g.ahead for g in grids]), due - (end - length), due - end,
    ])  # fmt: skip
