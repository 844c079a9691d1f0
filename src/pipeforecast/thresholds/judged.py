"""Leads on which thresholds are judged: out-of-fold score, what came, and whether anybody turned to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeforecast.calibration import equal_count_bins

_WEEK = np.timedelta64(7 * 86400, "s")


@dataclass(frozen=True)
class Judged:
    """Leads with an out-of-fold score and a known outcome.

    A lead that nobody turned to is a third state: what it would have done had somebody turned to it is not known. It
    is counted among the leads, never among those that precision is measured on, and its conversion has a range.

    Attributes
    ----------
    score : float (n,)
        A lead is handed over where it is at or above the threshold.
    came : float (n,)
        1 where the step came within the days.
    left : bool (n,)
        Nobody turned to it. False where the export cannot tell.
    as_of : datetime64[s] (n,)
        NaT where there are no dates.
    weight : float (n,)
        How many leads each one speaks for: 1, or more for leads that were explored at random, or 0 for those that
        explored ones speak for.
    weeks : float
        Length of the time that the leads came in; NaN without dates.
    """

    score: np.ndarray
    came: np.ndarray
    left: np.ndarray
    as_of: np.ndarray
    weight: np.ndarray
    weeks: float

    def rows(self, keep: np.ndarray) -> Judged:
        """Keep some leads; the time that they came in stays that of all."""
        own = {n: getattr(self, n)[keep] for n in ("score", "came", "left", "as_of", "weight")}
        return replace(self, **own)

    @cached_property
    def known(self) -> np.ndarray:
        """Mask of leads that tell what turning to a lead brings."""
        return np.asarray(~self.left & (self.weight > 0))

    @cached_property
    def as_contacted(self) -> np.ndarray:
        """Conversions of each lead had it been turned to like the others of its score, float (n,).

        Of a lead that was turned to: what came. Of one that was left: 1 where it converted all the same, else the share
        that converted among the contacted of its tenth of scores (of all, where that tenth has none).
        """
        rate = np.full(len(self.score), np.nan)
        tenth = equal_count_bins(self.score)
        whole = _share(self.came[self.known], self.weight[self.known])
        for i in np.unique(tenth):
            own = tenth == i
            told = own & self.known
            rate[own] = _share(self.came[told], self.weight[told]) if told.any() else whole
        guessed = np.maximum(self.came, np.nan_to_num(rate))
        return np.where(self.left, guessed, self.came)


def _share(came: np.ndarray, weight: np.ndarray) -> float:
    return float(came @ weight / weight.sum()) if weight.sum() else float("nan")


def weeks_of(as_of: np.ndarray) -> float:
    """Give the weeks from the first day to the last, both counted; NaN without dates, 1 at the least."""
    days = as_of[~np.isnat(as_of)]
    if not len(days):
        return float("nan")
    return max(float((days.max() - days.min() + np.timedelta64(86400, "s")) / _WEEK), 1.0)
