"""Held: from when to when each written state of each deal was the last word, looked up for many days at once.

What ``snapshot`` works out for the deals that are described, this tells of all deals at the price of a few comparisons:
which state each had, and nothing that has to be counted along the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN

_NEVER = np.datetime64("9999-12-31", "s")
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Held:
    """Written states in the order of time.

    Attributes
    ----------
    states : DataFrame (n rows)
        As of ``DealHistory.states``: sorted by ``deal``, ``recorded_at`` and place in the source.
    """

    states: pd.DataFrame

    @cached_property
    def recorded(self) -> np.ndarray:
        """When each state was written (n,)."""
        return np.asarray(self.states["recorded_at"].to_numpy().astype("datetime64[s]"))

    @cached_property
    def starts(self) -> np.ndarray:
        """Position of the first state of each deal (deals,)."""
        deal = self.states["deal"].to_numpy()
        return np.flatnonzero(np.r_[True, deal[1:] != deal[:-1]]) if len(deal) else np.zeros(0, dtype=int)

    @cached_property
    def until(self) -> np.ndarray:
        """When a later state replaced each one (n,); a far day where none did."""
        out = np.append(self.recorded[1:], _NEVER)[: len(self.recorded)]
        out[self.starts[1:] - 1] = _NEVER
        return out

    @cached_property
    def first(self) -> np.ndarray:
        """When each state's deal was first written (n,)."""
        size = np.diff(np.append(self.starts, len(self.recorded)))
        return np.repeat(self.recorded[self.starts], size)

    @cached_property
    def is_open(self) -> np.ndarray:
        """Whether each state is that of an open deal (n,)."""
        return np.asarray((self.states["status"] == OPEN).to_numpy(dtype=bool))

    @cached_property
    def entries(self) -> np.ndarray:
        """Positions at which a deal is first known to be in a stage, one for each of its stages; rising."""
        stage = pd.factorize(self.states["stage"])[0]  # −1: none
        deal = np.cumsum(np.isin(np.arange(len(stage)), self.starts, assume_unique=True))
        moved = np.flatnonzero((stage >= 0) & ((np.r_[-1, stage[:-1]] != stage) | (np.r_[-1, deal[:-1]] != deal)))
        pairs = pd.Series(deal[moved] * (int(stage.max(initial=0)) + 1) + stage[moved])
        return np.asarray(moved[~pairs.duplicated().to_numpy()])

    def last_by(self, day: pd.Timestamp) -> np.ndarray:
        """Position of the last state of each deal that was written by the evening of ``day``; rising."""
        if not len(self.starts):
            return self.starts
        written = np.add.reduceat(self.recorded < _evening(day), self.starts, dtype="int64")
        return np.asarray((self.starts + written - 1)[written > 0])

    def open_on(self, days: np.ndarray, young: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Find the states of the deals that were open on the evenings of ``days``.

        Parameters
        ----------
        days : datetime64[s] array (d,), rising
        young : int, optional
            Only deals that were first written less than so many days before.

        Returns
        -------
        state, day : int arrays (k,)
            Positions of the states and of the days, in the order of days and deals.
        """
        evenings = days.astype("datetime64[s]") + _DAY
        if not len(evenings):
            return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
        asked = self.is_open & (self.recorded < evenings[-1]) & (self.until >= evenings[0])
        if young is not None:
            asked &= self.recorded < self.first + (young + 1) * _DAY
        state = np.flatnonzero(asked)
        since = np.searchsorted(evenings, self.recorded[state], side="right")
        until = np.searchsorted(evenings, self.until[state], side="right")
        times = until - since
        state = np.repeat(state, times)
        day = np.arange(len(state)) - np.repeat(np.cumsum(times) - times - since, times)
        if young is not None:
            fresh = self.first[state] > days[day] - young * _DAY
            state, day = state[fresh], day[fresh]
        order = np.argsort(day, kind="stable")
        return state[order], day[order]


def _evening(day: pd.Timestamp) -> np.datetime64:
    return np.datetime64(pd.Timestamp(day).normalize(), "s") + _DAY
