"""How much all deals of a period move together, beyond what their features foretell."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: The prior counts as much as this many periods: few quarters say little about a spread.
_PRIOR_PERIODS = 6.0
_MOST = 0.6


class _Fitted(Protocol):
    def won_between(
        self, snapshot: Snapshot, start: pd.Timestamp, end: pd.Timestamp, n: int, rng: np.random.Generator
    ) -> np.ndarray: ...


def shock_sd(deals: _Fitted, lessons: Lessons, prior_sd: float) -> float:
    """Estimate the sd of the shared shock on the log-odds of winning in a period.

    Each complete past period gives one residual: wins above the expected ones, divided by what one unit of log-odds
    would move. Their variance beyond the luck of single deals is the shock's (DerSimonian and Laird, "Meta-analysis in
    clinical trials", Controlled Clinical Trials 7, 1986), pulled towards the prior.
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
    return float(np.sqrt(_pulled(np.array(residuals), np.array(variances), prior_sd)))


def _pulled(residuals: np.ndarray, variances: np.ndarray, prior_sd: float) -> float:
    n = len(residuals)
    if n < 2:
        return prior_sd**2
    w = 1.0 / variances
    mean = (w * residuals).sum() / w.sum()
    q = (w * (residuals - mean) ** 2).sum()
    between = max(0.0, (q - (n - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    return float(min((n * between + _PRIOR_PERIODS * prior_sd**2) / (n + _PRIOR_PERIODS), _MOST**2))
