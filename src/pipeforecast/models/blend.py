"""An average of several kinds, weighted by how well each foretold the last periods of its own lessons.

Incidences are averaged (a linear pool): what never falls and stays below 1 in each member does so in the average. The
weights are those under which the pool's chances were likeliest on later lesson days, from members that had been taught
by earlier ones only; the members are then taught again by all.

References
----------
Stone, "The opinion pool", Annals of Mathematical Statistics 32, 1961.
Breiman, "Stacked regressions", Machine Learning 24, 1996.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeforecast.errors import SettingsError
from pipeforecast.features import Features
from pipeforecast.models.deals import Chances, FittedDeals, Recipe
from pipeforecast.models.grid import Grid
from pipeforecast.models.validation import later_chances, split_day
from pipeforecast.outcome import Lessons
from pipeforecast.scores import LEAST

_STEPS = 500
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Blend:
    """Recipe of the average.

    Parameters
    ----------
    members : sequence of Recipe
        Of different names; of one horizon.
    weights : sequence of float, optional
        One a member, at least 0, not all 0; None chooses them at each fit.
    periods : int
        Last complete periods on which weights are chosen.
    prior : float
        Strength of the pull towards equal weights: as if so many more deals told nothing but that.

    Raises
    ------
    SettingsError
        If there is no member, two of them share a name, or the weights do not fit.
    """

    members: Sequence[Recipe]
    weights: Sequence[float] | None = None
    periods: int = 3
    prior: float = 20.0
    name: str = "blend"

    def __post_init__(self) -> None:
        names = [m.name for m in self.members]
        if not names or len(set(names)) < len(names):
            raise SettingsError(f"blend: expected members of different names, came {names}")
        if self.weights is not None:
            usable = len(self.weights) == len(names) and min(self.weights) >= 0 and sum(self.weights) > 0
            if not usable:
                raise SettingsError(
                    f"blend: expected {len(names)} weights of at least 0, not all 0, came {list(self.weights)}"
                )

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Choose the weights on the last periods, then teach every member by everything."""
        weights = self.chosen(lessons)
        fitted = [m.fit(lessons) for m, w in zip(self.members, weights, strict=True) if w > 0]
        chances = Pool(
            members=tuple(f.chances for f in fitted),
            names=tuple(f.name for f in fitted),
            weights=weights[weights > 0],
        )
        return FittedDeals(self.name, lessons.calendar, max(f.horizon for f in fitted), chances)

    def chosen(self, lessons: Lessons) -> np.ndarray:
        """Weights of the members, adding up to 1; equal ones where the past is too short to choose."""
        n = len(self.members)
        if self.weights is not None:
            return np.asarray(self.weights, dtype="float64") / sum(self.weights)
        day = split_day(lessons, self.periods) if n > 1 else None
        if day is None:
            return np.full(n, 1.0 / n)
        table = later_chances(self.members, lessons, day)
        p = table[[m.name for m in self.members]].to_numpy(dtype="float64")
        # Rows of one deal tell nearly the same: each deal has one vote a period.
        votes = 1.0 / table.groupby(["period", "deal"])["deal"].transform("size").to_numpy(dtype="float64")
        return pooled_weights(table["won"].to_numpy(dtype="float64"), p, votes, self.prior)


def pooled_weights(won: np.ndarray, p: np.ndarray, votes: np.ndarray, prior: float) -> np.ndarray:
    """Weights (k,) of the linear pool that make what happened likeliest, by expectation maximisation.

    Parameters
    ----------
    won : 0 or 1 (n,)
    p : float array (n, k)
        Chances to win by each member.
    votes : float array (n,)
    prior : float
        Deals that speak for equal weights.
    """
    inside = np.clip(p, LEAST, 1 - LEAST)
    likelihood = np.where(won[:, None] > 0.5, inside, 1 - inside)
    k = p.shape[1]
    weights = np.full(k, 1.0 / k)
    for _ in range(_STEPS):
        share = weights * likelihood
        share /= share.sum(axis=1, keepdims=True)
        moved = ((share * votes[:, None]).sum(axis=0) + prior / k) / (votes.sum() + prior)
        done = np.abs(moved - weights).max() < _TOLERANCE
        weights = moved
        if done:
            break
    return np.asarray(weights)


@dataclass(frozen=True)
class Pool:
    """The members that count, and their weights (adding up to 1)."""

    members: tuple[Chances, ...]
    names: tuple[str, ...]
    weights: np.ndarray

    @property
    def shares(self) -> Mapping[str, float]:
        """Weight of each member by its name."""
        return dict(zip(self.names, self.weights.tolist(), strict=True))

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[tuple[Any, ...] | None]:
        """One draw of every member together; a member that draws fewer repeats its draws."""
        each = [m.drawn(n, rng) for m in self.members]
        most = max(len(d) for d in each)
        return [tuple(d[i % len(d)] for d in each) for i in range(most)]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals), averaged over the members."""
        parts = [self._of(i, features, grid, draws) for i in range(len(self.members))]
        for pairs in zip(*parts, strict=False):
            won, lost = (sum(w * pair[c] for w, pair in zip(self.weights, pairs, strict=True)) for c in (0, 1))
            yield np.asarray(won), np.asarray(lost)

    def _of(self, i: int, features: Features, grid: Grid, draws: Sequence[Any]) -> Iterator[Any]:
        """One member's incidences a draw; where draws repeat, it is asked once for each."""
        own = [None if d is None else d[i] for d in draws]
        single = {id(d): d for d in own}
        if len(single) == len(own):
            return self.members[i].incidences(features, grid, own)
        found = dict(zip(single, self.members[i].incidences(features, grid, list(single.values())), strict=True))
        return iter([found[id(d)] for d in own])
