"""The hazard model in the form that fared best lately: pooled, by stage or by segment, more or less shrunk.

At each cutoff the forms are taught by what was known some periods before and judged on what came since. The simple form
(pooled) stays unless another is better beyond noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.validation import later_chances, split_day
from pipeforecast.outcome import Lessons
from pipeforecast.scores import row_log_loss

#: Another form has to be better by so many standard errors.
_BEYOND = 2.0
#: Under so many closed deals no form can be told from another, and trying costs more than the fit.
_FEWEST_CLOSED = 1000
#: Rows that each form learns from while it is being judged: differences show long before the last row.
_ROWS, _QUIET = 4_000, 4_000
#: Past days on which they are asked.
_DAYS = 6


@dataclass(frozen=True)
class ChosenHazard:
    """Recipe: the hazard model whose form is chosen at each cutoff.

    Parameters
    ----------
    simple : HazardModel
        The pooled form, which stays where no other is better beyond noise.
    by : tuple of str
        Categories whose levels may have effects of their own.
    freer : float
        Factor on C of one more form, for companies whose deals differ much.
    periods : int
        Past periods that judge.
    """

    simple: HazardModel = field(default_factory=HazardModel)
    by: tuple[str, ...] = ("stage", "segment")
    freer: float = 10.0
    periods: int = 3

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.simple.name

    def forms(self) -> dict[str, HazardModel]:
        """Forms by name, the simple one first."""
        others = {f"by {b}": replace(self.simple, by=b) for b in self.by}
        return {"pooled": self.simple, **others, "less shrunk": replace(self.simple, C=self.simple.C * self.freer)}

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Choose the form on the last periods, then learn from everything."""
        return self.decided(lessons).fit(lessons)

    def decided(self, lessons: Lessons) -> HazardModel:
        """Give the form that is chosen, as a recipe."""
        return self.forms()[self.choice(lessons)]

    def choice(self, lessons: Lessons) -> str:
        """Name the form that is chosen from what was known by the lessons' cutoff."""
        closed = int((lessons.deals["status"] != OPEN).sum())
        cutoff = split_day(lessons, self.periods) if closed >= _FEWEST_CLOSED else None
        if cutoff is None:
            return "pooled"
        forms = self.forms()
        tried = [replace(f, name=n, max_rows=min(f.max_rows, _ROWS), quiet=_QUIET) for n, f in forms.items()]
        return _best(later_chances(tried, lessons, cutoff, _DAYS), list(forms))


def _best(table: pd.DataFrame, names: list[str]) -> str:
    """Name the first of ``names``, or the one whose log loss is lower beyond noise by most; a deal has one vote."""
    if table.empty:
        return names[0]
    won = table["won"].to_numpy(dtype="float64")[:, None]
    loss = pd.DataFrame(row_log_loss(won, table[names]), columns=names)
    gain = loss.rsub(loss[names[0]], axis=0).groupby(table["deal"].to_numpy()).sum()
    error = np.sqrt((gain**2).sum())  # of the sum over deals: snapshots of one deal hang together
    sure = gain.sum() - _BEYOND * error
    sure[names[0]] = 0.0
    return str(sure.idxmax())
