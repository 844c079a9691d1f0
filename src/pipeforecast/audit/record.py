"""How often deals with a flag were won: each deal once, seen open on a past evening, closed by today.

A deal counts among those *with* the flag if it was open with it on any of the evenings, and among those *without* if it
was open without it on any of them: each group is told apart before its outcome is known. Deals that never closed are in
neither rate; how many they are stands beside it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON

#: Deals without the flag whose win rate the flagged ones are pulled towards, when it is told what a flag costs.
PRIOR_DEALS = 10
COLUMNS = ("win_rate", "lower", "upper", "n", "still_open", "win_rate_without", "lower_without", "upper_without",
           "n_without", "cost")  # fmt: skip


def past_record(flags: pd.DataFrame, deal: np.ndarray, status: pd.Series) -> pd.DataFrame:
    """Set the win rate of deals with each flag beside that of deals without it.

    Parameters
    ----------
    flags : DataFrame of boolean (n, flags)
        One row per past evening and deal that was open then; missing where it was not known.
    deal : int array (n,)
        Key of each row's deal.
    status : Series, index deal key
        Of every deal, as known today: open, won, lost.

    Returns
    -------
    DataFrame, index the flags
        ``win_rate`` with its Wilson 95 % interval ``lower``, ``upper``, of ``n`` deals; ``still_open``: deals that had
        the flag and are open today; the same ``…_without``; ``cost``: what the win rate loses where the flag is,
        not below 0, shrunk by the ``PRIOR_DEALS`` (0 where nothing is known). Rates of no deal are NaN.
    """
    found = []
    for name in flags:
        known = flags[name].notna().to_numpy()
        hit = flags[name].fillna(False).to_numpy(dtype=bool)
        with_it, without = np.unique(deal[hit]), np.unique(deal[known & ~hit])
        won, n = _won(status, with_it)
        won_without, n_without = _won(status, without)
        rate, lower, upper = wilson(won, n)
        other, lower_without, upper_without = wilson(won_without, n_without)
        opened = int((status.reindex(with_it) == OPEN).sum())
        found.append((rate, lower, upper, n, opened, other, lower_without, upper_without, n_without,
                      _cost(won, n, other)))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS), index=list(flags))


def _won(status: pd.Series, deals: np.ndarray) -> tuple[int, int]:
    ended = status.reindex(deals)
    ended = ended[(ended != OPEN).fillna(False).to_numpy(dtype=bool)]
    return int((ended == WON).sum()), len(ended)


def wilson(won: int, n: int) -> tuple[float, float, float]:
    """Share and its Wilson 95 % interval; NaN of none."""
    if n == 0:
        return np.nan, np.nan, np.nan
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(won, n, method="wilson")
    return won / n, float(lower), float(upper)


def _cost(won: int, n: int, without: float) -> float:
    if n == 0 or np.isnan(without):
        return 0.0
    return max(0.0, without - (won + PRIOR_DEALS * without) / (n + PRIOR_DEALS))
