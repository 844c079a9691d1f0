"""How soon young deals are won, and what that says of deals not yet created when wins come later, or more often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.fiscal import Period
from pipeforecast.models.cohorts import fit_cohorts
from pipeforecast.models.pace import days_since_1970

#: The wins of chosen deals by their age are pulled towards those of all deals with the weight of this many.
_SHRINK_DEALS = 30.0


def won_by_age(deals: pd.DataFrame, day: pd.Timestamp) -> np.ndarray:
    """Share of deals that were won by each age in days, from all that were old enough by the evening of ``day``.

    Parameters
    ----------
    deals : DataFrame
        As of ``Lessons.deals``: ``status``, ``closed_at``, ``first_recorded_at``.

    Returns
    -------
    float array (ages,)
        Never falls; age 0 is the day of creation.
    """
    won = (deals["status"] == WON).to_numpy(dtype=bool)
    closed = np.zeros(len(deals), dtype="int64")
    closed[won] = days_since_1970(deals["closed_at"].to_numpy()[won])
    first = days_since_1970(deals["first_recorded_at"].to_numpy())
    return fit_cohorts(first, closed, won, int(days_since_1970(np.array([day.to_datetime64()]))[0])).won_by


def won_by_age_like(deals: pd.DataFrame, like: np.ndarray, day: pd.Timestamp) -> np.ndarray:
    """Give the same of the deals where ``like`` is true, pulled towards all deals where these are few."""
    n = float(like.sum())
    own, every = won_by_age(deals[like], day), won_by_age(deals, day)
    return np.asarray((n * own + _SHRINK_DEALS * every) / (n + _SHRINK_DEALS))


@dataclass(frozen=True)
class Newcomers:
    """Wins of deals that are created on each of the days left, one a day.

    Attributes
    ----------
    won_by : float array (ages,)
        Share of deals that are won by each age in days.
    since, reach : int
        Days ahead on which the period begins (1 where it is running) and ends.
    """

    won_by: np.ndarray
    since: int
    reach: int

    @classmethod
    def of(cls, won_by: np.ndarray, as_of: pd.Timestamp, period: Period) -> Newcomers:
        """Look at ``period`` from the evening of ``as_of``."""
        return cls(won_by, max((period.start - as_of).days, 1), (period.end - as_of).days)

    def wins(self, late: int = 0, upto: int | None = None) -> float:
        """Expected wins from the period's begin to ``upto`` days ahead (its end), if all come ``late`` days later.

        Nobody wins a deal before it is created, however early wins come.
        """
        end = self.reach if upto is None else min(upto, self.reach)
        return max(self._by(end, late) - self._by(self.since - 1, late), 0.0)

    def share(self, late: int) -> float:
        """What is left of the period's new business if all wins come ``late`` days later (below 0: earlier)."""
        usual = self.wins()
        return self.wins(late) / usual if usual > 0 else float(late <= 0)

    @property
    def chance(self) -> float:
        """P(won in the period) of a deal that is created on one of the days left."""
        return min(self.wins() / self.reach, 1.0) if self.reach > 0 else 0.0

    def _by(self, day: int, late: int) -> float:
        age = day - late - np.arange(1, day + 1)
        return float(np.where(age < 0, 0.0, self.won_by[np.clip(age, 0, len(self.won_by) - 1)]).sum())
