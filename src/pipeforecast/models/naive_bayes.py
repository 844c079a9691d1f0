"""Naive Bayes, as open-source CRMs foretell wins: how often each value stood on won deals and on lost ones.

The stage counts by the stages that a deal ever entered, other facts by today's value; their ratios are multiplied as
if they knew nothing of each other. It foretells whether, not when: in a period it says p of deals that are due by its
end, and 0 of the others. A baseline.

References
----------
Domingos and Pazzani, "On the optimality of the simple Bayesian classifier under zero-one loss", Machine Learning 29,
1997.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.features import MISSING, describe
from pipeforecast.fiscal import Period
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot, due_by

#: What is added to every count: a value that was never seen decides nothing alone.
_ADDED = 0.1
_MOST_LEVELS = 100
_AMOUNT_BINS = 5
#: Closing rewrites them, so that on closed deals they give the outcome away.
_REWRITTEN = ("stage", "forecast_category")


def p_win_ever(lessons: Lessons, now: Snapshot) -> np.ndarray:
    """P(won, sooner or later) of each deal of a one-day snapshot (n,)."""
    closed = lessons.deals[(lessons.deals["status"] != OPEN).to_numpy()]
    won = (closed["status"] == WON).to_numpy()
    log_odds = np.full(len(now.open), np.log((won.sum() + _ADDED) / ((~won).sum() + _ADDED)))
    entered = lessons.entered[lessons.entered["deal"].isin(closed.index).to_numpy()]
    passed = pd.Series(won, index=closed.index).reindex(entered["deal"]).to_numpy(dtype=bool)
    log_odds += _log_ratio(entered["stage"], passed, won, now.open["stage"])
    for past, present in _facts(closed, now):
        log_odds += _log_ratio(past, won, won, present)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30, 30))))


def naive_bayes(lessons: Lessons, now: Snapshot, period: Period) -> np.ndarray:
    """P(won, sooner or later) of deals that are due by the period's end or have no date; 0 of the others (n,)."""
    return np.asarray(p_win_ever(lessons, now) * due_by(now.open, period.end))


def _facts(closed: pd.DataFrame, now: Snapshot) -> list[tuple[pd.Series, pd.Series]]:
    """Columns of closed deals and of open ones that are compared: categories, the owner, the amount in bins."""
    names = [c for c in describe(now).categories if c not in _REWRITTEN and c in closed]
    if now.roles.get("owner") in ("tracked", "birth") and "owner" in closed:
        names.append("owner")
    out = [(closed[c], now.open[c]) for c in names if 1 < closed[c].nunique() <= _MOST_LEVELS]
    edges = np.unique(closed["amount"].dropna().quantile(np.arange(1, _AMOUNT_BINS) / _AMOUNT_BINS).to_numpy())
    if len(edges):
        out.append((_binned(closed["amount"], edges), _binned(now.open["amount"], edges)))
    return out


def _binned(amount: pd.Series, edges: np.ndarray) -> pd.Series:
    code = pd.Series(np.searchsorted(edges, amount.to_numpy(dtype="float64"), side="right"), index=amount.index)
    return code.astype("string").mask(amount.isna())


def _log_ratio(past: pd.Series, won: np.ndarray, deals: np.ndarray, present: pd.Series) -> np.ndarray:
    """Log of (share of won deals with the value ÷ share of lost deals with it); 0 for a value never seen."""
    values = past.astype("string").fillna(MISSING)
    wins, losses = (values[mask].value_counts() for mask in (won, ~won))
    levels = wins.index.union(losses.index)
    n_won, n_lost = (float(mask.sum()) + _ADDED * len(levels) for mask in (deals, ~deals))
    share_won = (wins.reindex(levels, fill_value=0).to_numpy(dtype="float64") + _ADDED) / n_won
    share_lost = (losses.reindex(levels, fill_value=0).to_numpy(dtype="float64") + _ADDED) / n_lost
    ratio = dict(zip(levels, np.log(share_won / share_lost), strict=True))
    return present.astype("string").fillna(MISSING).map(ratio).astype("float64").fillna(0.0).to_numpy()
