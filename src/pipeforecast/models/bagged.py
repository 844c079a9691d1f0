"""Uncertainty for kinds without a covariance: the same recipe taught by other draws of the same deals.

References
----------
Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.features import Features
from pipeforecast.models.deals import Chances, FittedDeals, Recipe
from pipeforecast.models.grid import Grid
from pipeforecast.outcome import Lessons, Outcome


@dataclass(frozen=True)
class Bagged:
    """Recipe around a recipe: forecasts are those of the whole, draws are refits on resampled deals.

    Parameters
    ----------
    recipe : Recipe
    members : int
        Refits, made when draws are first asked for.
    seed : int
        Of the resampling.
    """

    recipe: Recipe
    members: int = 6
    seed: int = 7

    @property
    def name(self) -> str:
        """Name of the recipe inside: its chances are the same."""
        return self.recipe.name

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Teach the recipe by all deals; the refits wait until somebody asks."""
        whole = self.recipe.fit(lessons)
        return replace(whole, chances=BaggedChances(whole.chances, [], self, lessons))


@dataclass(frozen=True)
class BaggedChances:
    """What was learned from all deals, and from resampled ones.

    A copy (pickled or saved) holds the refits and no lessons: whoever gets the model gets no deals.
    """

    whole: Chances
    refits: list[Chances] = field(default_factory=list)
    recipe: InitVar[Bagged | None] = None
    lessons: InitVar[Lessons | None] = None

    def __post_init__(self, recipe: Bagged | None, lessons: Lessons | None) -> None:
        object.__setattr__(self, "_to_do", None if recipe is None or lessons is None else (recipe, lessons))

    def __getstate__(self) -> dict[str, Any]:
        self.refitted()
        return {"whole": self.whole, "refits": self.refits, "_to_do": None}

    def refitted(self) -> list[Chances]:
        """Make the refits, unless they are there."""
        to_do: tuple[Bagged, Lessons] | None = getattr(self, "_to_do", None)
        if to_do is not None and not self.refits:
            recipe, lessons = to_do
            for i in range(recipe.members):
                rng = np.random.default_rng([recipe.seed, i])
                self.refits.append(recipe.recipe.fit(resampled(lessons, rng)).chances)
        return self.refits

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[Chances | None]:
        """Refits, at most ``n``, in an order that ``rng`` draws."""
        refits = self.refitted()
        if not refits:
            return [None]
        return [refits[i] for i in rng.permutation(len(refits))[:n]]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Chances | None] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals), of each refit."""
        for draw in draws:
            yield from (self.whole if draw is None else draw).incidences(features, grid)


def resampled(lessons: Lessons, rng: np.random.Generator) -> Lessons:
    """Draw deals with replacement, each with all its lesson rows; a deal drawn again is another deal.

    What describes the company as a whole (closings, past win rates) stays as it is.
    """
    rows = lessons.snapshot.open
    deal = rows["deal"].to_numpy()
    deals, code = np.unique(deal, return_inverse=True)
    times = np.bincount(rng.integers(0, max(len(deals), 1), len(deals)), minlength=len(deals))
    apart = int(max(lessons.deals.index.max(), deals.max()) + 1) if len(deals) else 0
    picked, keys = [], []
    for again in range(int(times.max()) if len(times) else 0):
        at = np.flatnonzero(times[code] > again)
        picked.append(at)
        keys.append(deal[at] + again * apart)
    at = np.concatenate(picked) if picked else np.zeros(0, dtype=int)
    key = np.concatenate(keys) if keys else np.zeros(0, dtype="int64")
    snapshot = lessons.snapshot.take(at)
    snapshot = replace(snapshot, open=snapshot.open.assign(deal=key))
    outcome = Outcome(lessons.outcome.until, lessons.outcome.rows.iloc[at].reset_index(drop=True))
    if not len(key):
        return replace(lessons, snapshot=snapshot, outcome=outcome)
    new = np.unique(key)
    copied = lessons.deals.reindex(new % apart).set_axis(pd.Index(new, name=lessons.deals.index.name))
    pairs = pd.DataFrame({"old": new % apart, "new": new}).merge(lessons.entered, left_on="old", right_on="deal")
    entered = pairs[["new", "stage"]].rename(columns={"new": "deal"})
    return replace(lessons, snapshot=snapshot, outcome=outcome, deals=copied, entered=entered)
