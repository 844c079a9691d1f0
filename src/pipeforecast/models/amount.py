"""What a deal brings, given that it is won: listed amounts corrected for the usual revision, missing ones imputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: A stage's revision is pulled towards the company's with the weight of this many won deals.
_SHRINK_WINS = 30.0
_MOST_RATIOS = 2000
_GROUP = "segment"


@dataclass(frozen=True)
class AmountModel:
    """Recipe: ratios final ÷ listed of won deals by stage, and won amounts of a segment where none is listed."""

    def fit(self, lessons: Lessons) -> FittedAmounts:
        """Learn from the won deals of the lessons; each deal has one vote a stage, not one a snapshot."""
        rows, outcome = lessons.snapshot.open, lessons.outcome.rows
        frame = pd.DataFrame({
            "deal": rows["deal"].to_numpy(),
            "stage": rows["stage"].to_numpy(dtype=object),
            "listed": rows["amount"].to_numpy(dtype="float64"),
            "final": outcome["amount"].to_numpy(dtype="float64"),
            "won": (outcome["status"] == WON).to_numpy(),
        })  # fmt: skip
        usable = frame["won"] & (frame["listed"] > 0) & (frame["final"] >= 0)
        pairs = frame[usable.to_numpy()].drop_duplicates(["deal", "stage"], keep="last")
        won = lessons.deals[(lessons.deals["status"] == WON).to_numpy()]
        return FittedAmounts(*_ratios(pairs), *_won_amounts(won))


def _ratios(pairs: pd.DataFrame) -> tuple[float, Mapping[str, float], np.ndarray]:
    """Money-weighted revision overall and by stage, and the spread of single deals around it."""
    if pairs.empty:
        return 1.0, {}, np.ones(1)
    overall = float(pairs["final"].sum() / pairs["listed"].sum())
    # Large deals weigh more in money: a ratio of sums is right for the total, shrunk by the count of wins.
    by_stage = {}
    for stage, part in pairs.groupby("stage"):
        weight = len(part) / (len(part) + _SHRINK_WINS)
        own = float(part["final"].sum() / part["listed"].sum())
        by_stage[str(stage)] = weight * own + (1 - weight) * overall
    spread = np.clip((pairs["final"] / pairs["listed"]).to_numpy(), 0.0, 10.0)
    spread = np.sort(spread)[:: max(1, len(spread) // _MOST_RATIOS)]
    mean = spread.mean()
    return overall, by_stage, spread / mean if mean > 0 else np.ones(1)


def _won_amounts(won: pd.DataFrame) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    amounts = won["amount"].to_numpy(dtype="float64")
    known = amounts[np.isfinite(amounts)]
    by_group: dict[str, np.ndarray] = {}
    if _GROUP in won:
        for group, part in won.groupby(_GROUP):
            values = part["amount"].dropna().to_numpy(dtype="float64")
            if len(values) >= 5:
                by_group[str(group)] = values
    return known, by_group


@dataclass(frozen=True)
class FittedAmounts:
    """Amounts that have been learned.

    Attributes
    ----------
    overall : float
        Final ÷ listed of all won deals, by money.
    by_stage : mapping of stage to ratio
    spread : float array, mean 1
        Single deals' ratios around their stage's.
    won : float array
        Amounts of won deals (empty where nothing was ever won).
    by_group : mapping of segment to float array
    """

    overall: float
    by_stage: Mapping[str, float]
    spread: np.ndarray
    won: np.ndarray
    by_group: Mapping[str, np.ndarray] = field(default_factory=dict)

    def expected(self, snapshot: Snapshot) -> np.ndarray:
        """Mean amount of each open deal, given that it is won (n,)."""
        rows = snapshot.open
        listed = rows["amount"].to_numpy(dtype="float64")
        ratio = rows["stage"].astype("object").map(self.by_stage).astype("float64").fillna(self.overall).to_numpy()
        return np.where(listed > 0, np.nan_to_num(listed) * ratio, self._imputed(rows))

    def _imputed(self, rows: pd.DataFrame) -> np.ndarray:
        default = float(self.won.mean()) if len(self.won) else 0.0
        if _GROUP not in rows:
            return np.full(len(rows), default)
        means = {g: float(v.mean()) for g, v in self.by_group.items()}
        return rows[_GROUP].astype("object").map(means).astype("float64").fillna(default).to_numpy()

    def draw(self, snapshot: Snapshot, deal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the amount of the won deals at the positions ``deal`` (any shape), one independent draw each."""
        rows = snapshot.open
        mean = self.expected(snapshot)
        listed = (rows["amount"].to_numpy(dtype="float64") > 0)[deal]
        out = mean[deal] * rng.choice(self.spread, size=deal.shape)
        return np.where(listed, out, self._drawn_missing(rows, mean, deal, rng))

    def _drawn_missing(
        self, rows: pd.DataFrame, mean: np.ndarray, deal: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        if not len(self.won) or self.won.mean() <= 0:
            return np.asarray(mean[deal])
        # Heavy tails are kept: the relative spread of all won amounts around the group's mean.
        return np.asarray(mean[deal] * rng.choice(self.won / self.won.mean(), size=deal.shape))
