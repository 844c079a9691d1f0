"""What a deal brings, given that it is won: listed amounts corrected for the usual revision, missing ones imputed.

Everything is learned from won deals as they stood while open, so that what is won tells how won deals are revised. Each
deal has one vote a stage: snapshots hold slow deals many times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.models.typical import FittedTypical, fit_typical, log_normal, mixed
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: A stage's revision is pulled towards the company's with the weight of this many won deals.
_SHRINK_WINS = 30.0
#: Before much is known, deals bring what is listed, give or take this share, with the weight of so many won deals.
_PRIOR_SD, _PRIOR_WINS = 0.25, 5.0
#: Less than this share of a typical amount is a placeholder, as 0 is.
_PLACEHOLDER = 0.001
_MOST_RATIO = 10.0
#: How deals stand that have no amount to revise: none at all, or 0 and the like.
MISSING, ZERO = "(missing)", "(zero)"


@dataclass(frozen=True)
class AmountModel:
    """Recipe: ratios final ÷ listed of won deals by stage; typical amounts of won deals where none is listed."""

    def fit(self, lessons: Lessons) -> FittedAmounts:
        """Learn from the won deals of the lessons; each deal has one vote a stage, not one a snapshot."""
        typical = fit_typical(lessons.deals[(lessons.deals["status"] == WON).to_numpy()])
        pairs = _pairs(lessons, typical)
        listed = ~pairs["stand"].isin([MISSING, ZERO])
        kept = pairs[listed.to_numpy()]
        overall, unsure = _overall(kept)
        by_stage = {str(stage): _shrunk(part, overall) for stage, part in kept.groupby("stand")}
        unlisted = {str(stand): _shrunk(part, 1.0) for stand, part in pairs[~listed.to_numpy()].groupby("stand")}
        spread, spread_by_stage = _spreads(kept, by_stage)
        return FittedAmounts(overall, by_stage, unlisted, spread, spread_by_stage, unsure, typical)


def _pairs(lessons: Lessons, typical: FittedTypical) -> pd.DataFrame:
    """One row per won deal and stand (its stage, or that it had no amount): what was to be revised, and what came."""
    rows, outcome = lessons.snapshot.open, lessons.outcome.rows
    usable = ((outcome["status"] == WON) & (outcome["amount"] >= 0)).to_numpy(dtype=bool, na_value=False)
    rows, final = rows[usable], outcome["amount"].to_numpy(dtype="float64")[usable]
    basis, stand = _stands(rows, typical)
    frame = pd.DataFrame({"deal": rows["deal"].to_numpy(), "stand": stand, "basis": basis, "final": final})
    frame = frame[(frame["basis"] > 0).to_numpy()].dropna(subset="stand")
    return frame.drop_duplicates(["deal", "stand"], keep="last")


def _stands(rows: pd.DataFrame, typical: FittedTypical) -> tuple[np.ndarray, np.ndarray]:
    """What is to be revised in each row, listed or typical; and the row's stage, ``MISSING`` or ``ZERO``."""
    listed, usual = rows["amount"].to_numpy(dtype="float64"), typical.expected(rows)
    missing = np.isnan(listed)
    zero = (np.nan_to_num(listed) >= 0) & (np.nan_to_num(listed) <= _PLACEHOLDER * usual) & ~missing
    stand = rows["stage"].astype("object").to_numpy(dtype=object)
    stand = np.where(missing, MISSING, np.where(zero, ZERO, stand))
    return np.where(missing | zero, usual, np.nan_to_num(listed)), stand


def _overall(pairs: pd.DataFrame) -> tuple[float, float]:
    """Money-weighted revision of all, pulled towards none, and its standard error.

    The error is that of a ratio of sums, linearised, with deals as units: what a bootstrap over deals would show.
    """
    n = pairs["deal"].nunique()
    weight = n / (n + _PRIOR_WINS)
    if not n:
        return 1.0, _PRIOR_SD
    basis = float(pairs["basis"].sum())
    ratio = float(pairs["final"].sum()) / basis
    off = (pairs["final"] - ratio * pairs["basis"]).groupby(pairs["deal"]).sum()
    error = float(np.sqrt((off**2).sum())) / basis
    overall = weight * ratio + (1 - weight)
    return overall, float(np.hypot(weight * error, (1 - weight) * _PRIOR_SD)) / max(overall, _PRIOR_SD)


def _shrunk(pairs: pd.DataFrame, towards: float) -> float:
    # Large deals weigh more in money: a ratio of sums is right for the total, shrunk by the count of wins.
    weight = len(pairs) / (len(pairs) + _SHRINK_WINS)
    return float(weight * pairs["final"].sum() / pairs["basis"].sum() + (1 - weight) * towards)


def _spreads(pairs: pd.DataFrame, by_stage: Mapping[str, float]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Single deals' ratios around their stage's, overall and by stage: late stages bring what they list."""
    stage = pairs["stand"].astype(str)
    meant = pairs["basis"] * stage.map(by_stage).astype("float64")
    ratio = np.clip((pairs["final"] / meant.where(meant > 0)).fillna(1.0).to_numpy(dtype="float64"), 0.0, _MOST_RATIO)
    overall = mixed([(ratio, len(ratio)), (log_normal(_PRIOR_SD), _PRIOR_WINS)])
    own = {s: ratio[(stage == s).to_numpy()] for s in by_stage}
    return overall, {s: mixed([(found, len(found)), (overall, _SHRINK_WINS)]) for s, found in own.items()}


@dataclass(frozen=True)
class FittedAmounts:
    """Amounts that have been learned; without anything learned they are as listed.

    Attributes
    ----------
    overall : float
        Final ÷ listed of all won deals, by money.
    by_stage : mapping of stage to ratio
    unlisted : mapping of ``MISSING`` and ``ZERO`` to ratio
        Final ÷ typical of won deals that had no amount then.
    spread : float array, mean 1
        Single deals' ratios around their stage's: quantiles.
    spread_by_stage : mapping of stage to such an array
    unsure : float
        Relative standard error of the revision, which all deals share.
    typical : FittedTypical
        Where no amount is listed.
    """

    overall: float = 1.0
    by_stage: Mapping[str, float] = field(default_factory=dict)
    unlisted: Mapping[str, float] = field(default_factory=dict)
    spread: np.ndarray = field(default_factory=lambda: np.ones(1))
    spread_by_stage: Mapping[str, np.ndarray] = field(default_factory=dict)
    unsure: float = 0.0
    typical: FittedTypical = field(default_factory=FittedTypical)

    def expected(self, snapshot: Snapshot) -> np.ndarray:
        """Mean amount of each open deal, given that it is won (n,); a listed credit (below 0) stays as listed."""
        return self._expected(snapshot.open)[0]

    def _expected(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        basis, stand = _stands(rows, self.typical)
        none = {MISSING: 1.0, ZERO: 1.0} | dict(self.unlisted)
        ratio = pd.Series(stand, dtype="object").map({**self.by_stage, **none}).astype("float64").fillna(self.overall)
        return np.where(basis < 0, basis, basis * ratio.to_numpy()), stand

    def draw(
        self,
        snapshot: Snapshot,
        deal: np.ndarray,
        rng: np.random.Generator,
        joint: np.ndarray | None = None,
        luck: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw the amounts of the won deals at the positions ``deal`` (any shape), each with luck of its own.

        Parameters
        ----------
        snapshot : Snapshot
        deal : int array
            Positions in ``snapshot.open``.
        rng : Generator
        joint : int array, shape of ``deal``, optional
            Which joint draw each belongs to: those of one share what is not known of the revision and of what is
            typical. Without it these are taken as known.
        luck : float array in [0, 1), shape of ``deal``, optional
            Each one's own luck; drawn where none is given.
        """
        mean, stand = self._expected(snapshot.open)
        pools = [self.spread, self.typical.spread, np.ones(1), *self.spread_by_stage.values()]
        at = {stage: i + 3 for i, stage in enumerate(self.spread_by_stage)} | {MISSING: 1, ZERO: 1}
        code, distinct = pd.factorize(stand, use_na_sentinel=False)
        of_stand = np.array([at.get(s, 0) for s in distinct], dtype=int)[code]
        pool = np.where(mean < 0, 2, of_stand)[deal]
        luck = rng.random(deal.shape) if luck is None else luck
        size = np.array([len(values) for values in pools])
        place = (np.cumsum(size) - size)[pool] + (luck * size[pool]).astype(int)
        out = mean[deal] * np.concatenate(pools)[place]
        if joint is None or not joint.size:
            return np.asarray(out)
        sd = np.array([[self.unsure], [self.typical.unsure]])
        # Draw by draw, so that a draw's luck does not depend on how many there are.
        shared = np.exp(sd * rng.standard_normal((int(joint.max()) + 1, 2)).T - sd**2 / 2)
        return np.asarray(np.where(pool == 2, out, out * shared[(pool == 1).astype(int), joint]))
