"""What a won deal typically brings, where no amount is listed: by its segment, product and type, each shrunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

#: Facts that tell small deals from large ones, the strongest first; those that an export lacks are passed over.
BY = ("segment", "product", "deal_type")
#: An effect is pulled towards none with the weight of this many won deals.
_SHRINK = 10.0
#: Before much is known, won amounts spread like a log-normal of this sd, with the weight of so many won deals.
_PRIOR_SD, _PRIOR_WINS = 1.0, 5.0
LEVELS = 999


@dataclass(frozen=True)
class FittedTypical:
    """Won amounts that have been learned.

    Attributes
    ----------
    scale : float
        Typical amount before effects; 0 where nothing of value was ever won.
    effects : mapping of column to mapping of level to float
        What each level adds to the logarithm.
    spread : float array, mean 1
        Single deals' amounts around the typical ones: quantiles, heavy tails kept.
    unsure : float
        Relative standard error of the mean, the same for all.
    """

    scale: float = 0.0
    effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spread: np.ndarray = field(default_factory=lambda: np.ones(1))
    unsure: float = 0.0

    def expected(self, rows: pd.DataFrame) -> np.ndarray:
        """Mean amount of each row (n,)."""
        return np.asarray(self.scale * np.exp(_added(rows, self.effects)))


def fit_typical(won: pd.DataFrame) -> FittedTypical:
    """Learn from won deals (``amount`` and facts), one vote a deal.

    Effects are means of logarithms, one column after the other, so that one huge deal does not make a segment. The
    scale then makes the whole add up in money. Amounts of 0 or less tell nothing of what is usual.
    """
    won = won[(won["amount"] > 0).to_numpy(dtype=bool, na_value=False)]
    if won.empty:
        return FittedTypical()
    amount = won["amount"].to_numpy(dtype="float64")
    left = np.log(amount) - np.log(amount).mean()
    effects: dict[str, Mapping[str, float]] = {}
    for column in (c for c in BY if c in won):
        groups = pd.Series(left).groupby(won[column].astype("object").to_numpy())
        effect = groups.sum() / (groups.count() + _SHRINK)
        effects[column] = {str(level): float(v) for level, v in effect.items()}
        left = left - _added(won, {column: effects[column]})
    factor = np.exp(_added(won, effects))
    scale = float(amount.sum() / factor.sum())
    relative = amount / (scale * factor)
    cv2 = (((relative - 1) ** 2).sum() + _PRIOR_WINS * (np.exp(_PRIOR_SD**2) - 1)) / (len(won) + _PRIOR_WINS)
    spread = mixed([(relative, len(won)), (log_normal(_PRIOR_SD), _PRIOR_WINS)])
    return FittedTypical(scale, effects, spread, float(np.sqrt(cv2 / len(won))))


def _added(rows: pd.DataFrame, effects: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Sum of the effects of each row; a level that was never won adds nothing."""
    out = np.zeros(len(rows))
    for column, of_level in effects.items():
        if column in rows:
            out += rows[column].astype("object").map(of_level).astype("float64").fillna(0.0).to_numpy()
    return out


def log_normal(sd: float) -> np.ndarray:
    """Quantiles of a log-normal distribution of mean 1, at the middles of ``LEVELS`` equal shares."""
    from scipy.special import ndtri

    return np.asarray(np.exp(sd * ndtri(_middles(LEVELS)) - sd**2 / 2))


def mixed(parts: list[tuple[np.ndarray, float]]) -> np.ndarray:
    """Quantiles of several sets of values, each in proportion to its weight; rising, with mean 1."""
    parts = [(found, weight) for found, weight in parts if len(found)]
    total = sum(weight for _, weight in parts)
    values, weights = [], []
    for found, weight in parts:
        values.append(found)
        weights.append(np.full(len(found), weight / len(found) / total))
    value, weight_of = np.concatenate(values), np.concatenate(weights)
    order = np.argsort(value, kind="stable")
    share = np.cumsum(weight_of[order])
    at = np.minimum(np.searchsorted(share, _middles(LEVELS)), len(value) - 1)
    out = value[order][at]
    mean = float(out.mean())
    return out / mean if mean > 0 else np.ones(LEVELS)


def _middles(n: int) -> np.ndarray:
    return (np.arange(n) + 0.5) / n
