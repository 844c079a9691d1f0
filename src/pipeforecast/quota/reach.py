"""The numbers of one quota: how likely it is reached, and how much more pipeline it would take.

References
----------
Formulas of coverage and needed pipeline as sales teams use them; every result is NaN where a denominator is not above
0, never 0 and never infinite.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse

#: Draws times wins that are held at once; beyond that each win stands for several.
_MOST_CELLS = 4_000_000
_FEWEST_STEPS = 32
#: Sums of amounts may miss a quota by rounding alone.
_ROUNDING = 1e-9
_LEAST_SHARED = 0.05


def attainment(won: float, quota: float) -> float:
    """Won ÷ quota."""
    return won / quota if quota > 0 else math.nan


def coverage(open_due: float, quota: float, won: float) -> float:
    """Open amount due in the period ÷ what is missing (NaN: nothing is missing)."""
    return open_due / (quota - won) if quota > won else math.nan


def pipeline_needed(quota: float, won: float, win_rate: float) -> float:
    """Pipeline that brings what is missing at a win rate by value (NaN: nothing is missing, or no rate is known)."""
    return (quota - won) / win_rate if quota > won and win_rate > 0 else math.nan


def opportunities_needed(quota: float, won: float, deal_size: float, win_rate: float) -> float:
    """Opportunities of average size that bring what is missing."""
    return pipeline_needed(quota, won, win_rate) / deal_size if deal_size > 0 else math.nan


def chance(draws: np.ndarray, quota: float) -> float:
    """P(at least the quota) over draws (D,)."""
    return float((draws >= quota - _ROUNDING * abs(quota)).mean())


def more_pipeline(
    total: np.ndarray, opened: scipy.sparse.csr_matrix, listed: float, quota: float, sure: float = 0.8, seed: int = 0
) -> float:
    """Listed amount of further deals of the open ones' kind at which the quota is reached with chance ``sure``.

    Parameters
    ----------
    total : float array (D,)
        Draws of the revenue as it is.
    opened : sparse float matrix (deals, D)
        What open deals of that kind bring in each draw.
    listed : float
        Their listed amount.
    quota, sure : float
    seed : int

    Returns
    -------
    float
        0 where ``sure`` is reached without; NaN where the open deals bring nothing, so that no amount of them would.

    Notes
    -----
    In each draw further deals are won one after another, at random intervals, each bringing what some open deal brings
    when it is won, until the quota is reached; the pipeline at which that is so in ``sure`` of the draws is what is
    needed. Wins come at the pace of the open deals, per listed amount. Where these suffer together (a bad quarter),
    further deals suffer in the same draws. Luck is common to all quotas, so that a higher one never needs less.
    """
    gap, draws = quota - _ROUNDING * abs(quota) - total, len(total)
    worst = math.ceil(sure * draws - 1e-9) - 1
    if np.sort(gap)[worst] <= 0:
        return 0.0
    wins = opened.data[opened.data > 0]
    if not len(wins) or listed <= 0:
        return math.nan
    steps, bundle = _steps(float(np.sort(gap)[worst]) / float(wins.mean()), draws)
    while True:
        at = _wins_until(gap, wins * bundle, steps, seed) * bundle / shared(opened)
        needed = float(np.sort(at)[worst])
        if np.isfinite(needed):
            return needed * listed * draws / len(wins)
        steps *= 2


def shared(opened: scipy.sparse.csr_matrix) -> np.ndarray:
    """How well a draw treats all open deals alike (D,), around 1: what of its deviation is not luck of single deals."""
    brings = np.asarray(opened.sum(axis=0)).ravel()
    mean = np.asarray(opened.mean(axis=1)).ravel()
    own = float((np.asarray(opened.power(2).mean(axis=1)).ravel() - mean**2).sum())
    common = max(0.0, 1.0 - own / max(float(brings.var()), 1e-300)) if brings.var() > 0 else 0.0
    return np.asarray(np.maximum(1.0 + common * (brings / brings.mean() - 1.0), _LEAST_SHARED))


def _steps(wins: float, draws: int) -> tuple[int, float]:
    """How many wins to lay out, and how many real ones each stands for."""
    most = max(_FEWEST_STEPS, _MOST_CELLS // max(draws, 1))
    wanted = int(2 * wins) + _FEWEST_STEPS
    return min(wanted, most), max(1.0, wanted / most)


def _wins_until(gap: np.ndarray, wins: np.ndarray, steps: int, seed: int) -> np.ndarray:
    """Further wins, as expected by then, at which each draw's gap is closed (D,): 0 without, inf beyond ``steps``."""
    draws = len(gap)
    # A stream each: the first steps stay the same, however many are laid out.
    picked, waits = (np.random.default_rng([seed, i]) for i in range(2))
    money = wins[(picked.random((steps, draws)) * len(wins)).astype(int)].cumsum(axis=0)
    clock = waits.exponential(size=(steps, draws)).cumsum(axis=0)
    short = (money < gap).sum(axis=0)
    at = np.where(short < steps, clock[np.minimum(short, steps - 1), np.arange(draws)], np.inf)
    return np.where(gap <= 0, 0.0, at)
