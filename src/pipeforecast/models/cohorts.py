"""What young deals have brought by an age: wins per deal created, from all deals that are old enough to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeforecast.models.pace import Pace

_OLDEST = 1500


@dataclass(frozen=True)
class Cohorts:
    """Wins per deal created, by days since it was first recorded.

    Attributes
    ----------
    won_by : float array (1501,)
        Share of the deals that were won by each age in days; never falls. Deals of age 0 were created and won on one
        day.
    """

    won_by: np.ndarray

    def wins(self, pace: Pace, after: int, start: int, end: int) -> float:
        """Expected wins from ``start`` to ``end`` of deals created after the evening of ``after`` (days since 1970)."""
        born = np.arange(after + 1, end + 1)
        by_end, before = self._at(end - born), self._at(start - 1 - born)
        return float((pace.per_day(born) * (by_end - before)).sum())

    def _at(self, age: np.ndarray) -> np.ndarray:
        return np.where(age < 0, 0.0, self.won_by[np.clip(age, 0, len(self.won_by) - 1)])


def fit_cohorts(first: np.ndarray, closed: np.ndarray, won: np.ndarray, day: int) -> Cohorts:
    """Learn from deals known by the evening of ``day``.

    Parameters
    ----------
    first : int array (n,)
        Days since 1970 on which each deal was first recorded.
    closed : int array (n,)
        True day of closing; ignored where not won.
    won : bool array (n,)
    day : int

    Notes
    -----
    At each age only deals that are that old by now count, open ones too: a young deal is immature, not lost.
    """
    old = np.clip(day - first, 0, _OLDEST)
    watched = np.bincount(old, minlength=_OLDEST + 1)[::-1].cumsum()[::-1]
    age = np.clip(closed[won] - first[won], 0, None)
    came = np.bincount(age[age <= np.minimum(day - first[won], _OLDEST)], minlength=_OLDEST + 1)
    return Cohorts(np.minimum(np.cumsum(came / np.maximum(watched, 1)), 1.0))
