"""Stage by stage: from each stage, and by the days spent in it, a deal is won, lost or moves to another stage.

A semi-Markov chain in days. What happens after a move depends on the new stage and on nothing before; features other
than the stage and the time in it are not looked at. It answers what sales managers ask (chance to win from here, chance
of the next stage, days in the stage) and stands as a baseline beside the models of deals.

References
----------
Howard, *Dynamic Probabilistic Systems*, volume 2: semi-Markov and decision processes, Wiley 1971.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.features import Features
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.grid import Grid
from pipeforecast.models.stays import AGES, Stays, stage_and_age, stays_of
from pipeforecast.outcome import Lessons

#: A stage's rates are pulled towards those of all stages, and an age's towards the stage's, as if so many more left.
_SHRINK_LEAVINGS = 5.0
_OLDEST = int(AGES[-1])
MOVED, WINS, LOSES = 0, 1, 2


@dataclass(frozen=True)
class StageTransitions:
    """Recipe of the chain of stages.

    Parameters
    ----------
    max_rows : int
        Beyond so many lesson rows a random sample of deals is learned from.
    horizon : int
        Days that a forecast reaches ahead, at least.
    seed : int
        Of the sample.
    """

    max_rows: int = 200_000
    horizon: int = 365
    seed: int = 7
    name: str = "stages"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Count what left each stage, by age in it, between successive lesson days."""
        stays = stays_of(lessons, self.max_rows, self.seed)
        return FittedDeals(self.name, lessons.calendar, self.horizon, _learned(stays))


def _learned(stays: Stays) -> StageChances:
    exposure, left = stays.by_age()  # (stages, ages), (stages, ages, 3)
    overall = _ratio(left.sum(axis=(0, 1)), exposure.sum())
    stage = _pulled(left.sum(axis=1), exposure.sum(axis=1), overall)
    rates = _pulled(left, exposure, stage[:, None, :])
    pooled = _pulled(left.sum(axis=0), exposure.sum(axis=0), overall)
    to = stays.moves()
    shares = _ratio(to.sum(axis=0), to.sum()) if to.sum() else np.full(len(to), 1.0 / max(len(to), 1))
    onward = (to + _SHRINK_LEAVINGS * shares) / (to.sum(axis=1, keepdims=True) + _SHRINK_LEAVINGS)
    return StageChances(
        stages=stays.stages,
        rates=np.concatenate([rates, pooled[None]]),
        onward=np.concatenate([onward, shares[None]]),
        already=stays.already,
        days_seen=np.append(exposure.sum(axis=1), exposure.sum()),
    )


def _ratio(above: np.ndarray, below: float) -> np.ndarray:
    return np.asarray(above / below if below > 0 else above * 0.0)


def _pulled(left: np.ndarray, exposure: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Rates a day: those seen, and those of the whole with the weight of some leavings."""
    total = np.broadcast_to(rate, left.shape).sum(axis=-1)
    days = np.divide(_SHRINK_LEAVINGS, total, out=np.ones_like(total), where=total > 0)
    return np.asarray((left + days[..., None] * rate) / (exposure + days)[..., None])


@dataclass(frozen=True)
class StageChances:
    """The chain that has been learned. The last of its rows stands for any stage that was never seen.

    Attributes
    ----------
    stages : tuple of str (S,)
    rates : float array (S + 1, ages, 3)
        Chances a day of moving on, being won and being lost, by age in the stage (``stays.AGES``).
    onward : float array (S + 1, S)
        Where a move leads.
    already : float array (2,)
        Share of open rows that were won, lost by their evening and only written later.
    days_seen : float array (S + 1,)
        Days for which deals were watched in the stage.
    """

    stages: tuple[str, ...]
    rates: np.ndarray
    onward: np.ndarray
    already: np.ndarray
    days_seen: np.ndarray

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[None]:
        """Wrap the recipe in ``Bagged`` for draws."""
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals)."""
        days = grid.gone.astype(int)
        stage, age = self._place(features)
        later = self._after_a_move(int(days[-1]))
        both = np.zeros((2, len(stage), len(days)))
        for s, a in set(zip(stage.tolist(), age.tolist(), strict=True)):
            both[:, (stage == s) & (age == a)] = self._from(s, a, later[:, s])[:, None, days]
        closed = self.already.sum()
        won, lost = self.already[:, None, None] + (1 - closed) * both
        yield from ((won, lost) for _ in draws)

    def _place(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """Row of each deal's stage, and its whole days in it (beyond the oldest age nothing changes)."""
        codes = {name: i for i, name in enumerate(self.stages)}
        stage, age = stage_and_age(features)
        at = np.array([codes.get(s, len(self.stages)) for s in stage], dtype=int)
        return at, np.minimum(np.floor(age), _OLDEST).astype(int)

    @cached_property
    def _daily(self) -> np.ndarray:
        """Chances of the day (S + 1, 3) by whole days of age up to the oldest (ages, …): less than 1 together."""
        ages = np.searchsorted(AGES, np.arange(_OLDEST + 1), side="right") - 1
        rates = self.rates[:, ages].transpose(1, 0, 2)
        total = rates.sum(axis=2, keepdims=True)
        share = np.divide(rates, total, out=np.zeros_like(rates), where=total > 0)
        return np.asarray(share * -np.expm1(-total))

    def _leaving(self, stage: int, age: int, days: int) -> np.ndarray:
        """Chance (3, days) to leave the stage on each of the coming days, by way of leaving."""
        p = self._daily[np.minimum(age + np.arange(days), _OLDEST), stage]
        staying = np.concatenate([[1.0], np.cumprod(1 - p.sum(axis=1))[:-1]])
        return np.asarray((staying[:, None] * p).T)

    def _after_a_move(self, days: int) -> np.ndarray:
        """Incidences (2, S + 1, days + 1) of winning and losing, by days since a move out of each stage."""
        n = len(self.stages)
        leaving = np.stack([self._leaving(s, 0, days) for s in range(n)]) if n else np.zeros((0, 3, days))
        entered = np.zeros((2, n, days + 1))  # by days since the stage was entered
        entered[0, :, 1:], entered[1, :, 1:] = (np.cumsum(leaving[:, c], axis=1) for c in (WINS, LOSES))
        onward = np.zeros((2, n + 1, days + 1))
        for t in range(1, days + 1):
            moved = leaving[:, MOVED, :t][:, ::-1]  # t − 1 days ago, …, today
            entered[:, :, t] += (moved[None] * onward[:, :n, :t]).sum(axis=2)
            onward[:, :, t] = entered[:, :, t] @ self.onward.T
        return onward

    def _from(self, stage: int, age: int, later: np.ndarray) -> np.ndarray:
        """Incidences (2, days + 1) from one stage at one age."""
        days = later.shape[1] - 1
        leaving = self._leaving(stage, age, days)
        out = np.zeros((2, days + 1))
        for cause, way in enumerate((WINS, LOSES)):
            out[cause, 1:] = np.cumsum(leaving[way]) + np.convolve(leaving[MOVED], later[cause])[:days]
        return np.maximum.accumulate(out, axis=1)

    def table(self) -> pd.DataFrame:
        """Say of each stage, from the day it is entered, where it leads and how long it takes.

        Returns
        -------
        DataFrame
            ``stage``, ``p_win`` and ``p_lost`` (sooner or later), ``p_next`` (the next thing is a move to
            ``next_stage``, the most frequent one), ``expected_days`` in the stage, ``days_seen``.
        """
        n = len(self.stages)
        ways, days = self._ways()
        reach = np.eye(n) - ways[:, MOVED, None] * self.onward[:n]
        ever = np.linalg.lstsq(reach, ways[:, 1:], rcond=None)[0] if n else np.zeros((0, 2))
        following = self.onward[:n].argmax(axis=1) if n else np.zeros(0, dtype=int)
        return pd.DataFrame({
            "stage": list(self.stages), "p_win": np.clip(ever[:, 0], 0, 1), "p_lost": np.clip(ever[:, 1], 0, 1),
            "next_stage": [self.stages[i] for i in following],
            "p_next": ways[:, MOVED] * self.onward[np.arange(n), following],
            "expected_days": days, "days_seen": self.days_seen[:n],
        })  # fmt: skip

    def next_stages(self) -> pd.DataFrame:
        """P(the next thing is a move to the stage of the column), by the stage of the row (S, S)."""
        ways, _ = self._ways()
        n = len(self.stages)
        return pd.DataFrame(ways[:, MOVED, None] * self.onward[:n], index=list(self.stages), columns=list(self.stages))

    def _ways(self) -> tuple[np.ndarray, np.ndarray]:
        """Ways out of each stage (S, 3), from entering it, and expected days in it."""
        n = len(self.stages)
        ways, days = np.zeros((n, 3)), np.zeros(n)
        for s in range(n):
            leaving = self._leaving(s, 0, _OLDEST)
            left = 1 - np.cumsum(leaving.sum(axis=0))
            last, rest = self._daily[_OLDEST, s], max(left[-1], 0.0)
            ways[s] = leaving.sum(axis=1) + (rest * last / last.sum() if last.sum() > 0 else 0.0)
            days[s] = 1 + left[:-1].sum() + (rest / last.sum() if last.sum() > 0 else np.nan)
        return ways, days
