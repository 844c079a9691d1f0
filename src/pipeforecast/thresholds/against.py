"""The points card beside the full model, on the same leads out of fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

#: What a card should keep of the model: of AUC above chance, and of the log-loss gain over the base rate.
WANTED_AUC, WANTED_LOSS = 0.9, 0.8
_LEAST = 1e-6


@dataclass(frozen=True)
class AgainstModel:
    """Scores out of fold.

    Attributes
    ----------
    n : int
    auc, card_auc : float
        NaN where all leads ended alike.
    loss, card_loss, base_loss : float
        Mean log loss; the base is the share that converted among the leads that taught.
    """

    n: int
    auc: float
    card_auc: float
    loss: float
    card_loss: float
    base_loss: float

    @property
    def kept_auc(self) -> float:
        """Share of the model's AUC above chance that the card keeps; NaN where the model has none."""
        return (self.card_auc - 0.5) / (self.auc - 0.5) if self.auc > 0.5 else float("nan")

    @property
    def kept_loss(self) -> float:
        """Share of the model's log-loss gain that the card keeps; NaN where the model gains nothing."""
        gain = self.base_loss - self.loss
        return (self.base_loss - self.card_loss) / gain if gain > 0 else float("nan")

    @property
    def enough(self) -> bool:
        """Whether the card keeps what is wanted; true where the model tells nothing that could be kept."""
        return not (self.kept_auc < WANTED_AUC or self.kept_loss < WANTED_LOSS)

    def table(self) -> pd.DataFrame:
        """Give the scores as rows: model, auc, log_loss, kept_auc, kept_log_loss."""
        return pd.DataFrame({
            "model": ["full", "card", "base_rate"], "auc": [self.auc, self.card_auc, 0.5],
            "log_loss": [self.loss, self.card_loss, self.base_loss],
            "kept_auc": [1.0, self.kept_auc, 0.0], "kept_log_loss": [1.0, self.kept_loss, 0.0], "leads": self.n,
        })  # fmt: skip


def against_model(came: np.ndarray, p: np.ndarray, card: np.ndarray, base: np.ndarray) -> AgainstModel:
    """Score the card's chances and the model's on the same leads, each (n,)."""
    from sklearn.metrics import roc_auc_score

    both = len(np.unique(came)) == 2
    auc = [float(roc_auc_score(came, q)) if both else float("nan") for q in (p, card)]
    losses = [_log_loss(came, q) for q in (p, card, base)]
    return AgainstModel(len(came), auc[0], auc[1], losses[0], losses[1], losses[2])


def _log_loss(came: np.ndarray, p: np.ndarray) -> float:
    if not len(came):
        return float("nan")
    q = np.clip(p, _LEAST, 1 - _LEAST)
    return float(-(came * np.log(q) + (1 - came) * np.log(1 - q)).mean())
