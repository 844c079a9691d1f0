"""How much all deals of a period move together, beyond what their features foretell."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: Sizes that are weighed against each other.
_SIZES = np.linspace(0.0, 0.6, 121)


class _Fitted(Protocol):
    def won_between(
        self, snapshot: Snapshot, start: pd.Timestamp, end: pd.Timestamp, n: int, rng: np.random.Generator
    ) -> np.ndarray: ...


def shock_sd(deals: _Fitted, lessons: Lessons, prior_sd: float) -> float:
    """Estimate the sd of the shared shock on the log-odds of winning in a period.

    Each complete past period gives one residual: wins above the expected ones, divided by what one unit of log-odds
    would move: the luck of single deals, and the shock. Every size of the shock is weighed by how well it explains the
    residuals, whatever their mean (Gelman, "Prior distributions for variance parameters in hierarchical models",
    Bayesian Analysis 1, 2006), under a half-normal prior of ``prior_sd``. Few deals leave the prior as it is, many
    tell.
    """
    residuals, variances = [], []
    rng = np.random.default_rng(0)
    for period in lessons.past_periods(12):
        day = period.evening(0)
        if np.datetime64(day, "s") not in lessons.snapshot.days:
            continue
        at = (lessons.snapshot.open["as_of"] == day).to_numpy()
        if at.sum() < 5:
            continue
        p = deals.won_between(lessons.snapshot.only([day]), period.start, period.end, 0, rng)[0]
        outcome = lessons.outcome.rows[at]
        won = ((outcome["status"] == WON) & (outcome["closed_at"] <= period.end)).to_numpy()
        information = float((p * (1 - p)).sum())
        if information > 1.0:
            residuals.append((won.sum() - p.sum()) / information)
            variances.append(1.0 / information)
    return _posterior_sd(np.array(residuals), np.array(variances), prior_sd)


def _posterior_sd(residuals: np.ndarray, variances: np.ndarray, prior_sd: float) -> float:
    """Root of the shock's expected variance."""
    if prior_sd <= 0:
        return 0.0
    log = -0.5 * (_SIZES / prior_sd) ** 2
    if len(residuals) > 1:
        w = 1.0 / (variances[:, None] + _SIZES**2)
        mean = (w * residuals[:, None]).sum(axis=0) / w.sum(axis=0)
        square = (w * (residuals[:, None] - mean) ** 2).sum(axis=0)
        log = log + 0.5 * (np.log(w).sum(axis=0) - np.log(w.sum(axis=0)) - square)
    weight = np.exp(log - log.max())
    return float(np.sqrt((weight * _SIZES**2).sum() / weight.sum()))
