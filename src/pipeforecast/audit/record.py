"""How often deals with a flag were won: each deal once, seen open on a past evening, closed by today.

A deal counts among those *with* the flag if it was open with it on any of the evenings, and among those *without* if it
was open without it on any of them: each group is told apart before its outcome is known. Deals that never closed are in
neither rate; how many they are stands beside it. Deals late in the pipeline are won more often, with or without a flag,
so a third rate sets those without it beside those with it stage by stage.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON

#: Deals without the flag whose win rate the flagged ones are pulled towards, when it is told what a flag costs.
PRIOR_DEALS = 10
COLUMNS = (
    "win_rate", "lower", "upper", "n", "still_open", "win_rate_without", "lower_without", "upper_without", "n_without",
    "win_rate_same_stage", "cost",
)  # fmt: skip


def past_record(flags: pd.DataFrame, deal: np.ndarray, stage: pd.Series, status: pd.Series) -> pd.DataFrame:
    """Set the win rate of deals with each flag beside that of deals without it.

    Parameters
    ----------
    flags : DataFrame of boolean (n, flags)
        One row per past evening and deal that was open then, in the order of evenings; missing where it was not known.
    deal : int array (n,)
        Key of each row's deal.
    stage : Series (n,)
        Its stage on that evening.
    status : Series, index deal key
        Of every deal, as known today: open, won, lost.

    Returns
    -------
    DataFrame, index the flags
        ``win_rate`` with its Wilson 95 % interval ``lower``, ``upper``, of ``n`` deals; ``still_open``: deals that had
        the flag and are open today; the same ``…_without``; ``win_rate_same_stage``: of deals without it, in the
        stages in which the others had it first; ``cost``: what that rate loses where the flag is, not below 0, as if
        ``PRIOR_DEALS`` more had lost nothing (0 where nothing is known). Rates of no deal are NaN.
    """
    key, keys = pd.factorize(deal)
    n_deals = len(keys)
    place, names = pd.factorize(stage, use_na_sentinel=False)
    closed, won = (
        (status.reindex(keys) != OPEN).to_numpy(dtype=bool),
        (status.reindex(keys) == WON).to_numpy(dtype=bool),
    )
    found = []
    for name in flags:
        known = flags[name].notna().to_numpy()
        hit = flags[name].fillna(False).to_numpy(dtype=bool)
        without = known & ~hit
        stage_of = np.full(n_deals, -1)  # in which each deal had the flag first: the row that is written last stays
        stage_of[key[hit][::-1]] = place[hit][::-1]
        with_it, others = np.flatnonzero((stage_of >= 0) & closed), _marked(key[without], n_deals) & closed
        n, n_without = len(with_it), int(others.sum())
        rate, lower, upper = wilson(int(won[with_it].sum()), n)
        plain, lower_without, upper_without = wilson(int((won & others).sum()), n_without)
        pairs = np.flatnonzero(_marked(key[without] * len(names) + place[without], n_deals * len(names)))
        pairs = pairs[closed[pairs // len(names)]]
        alike = _same_stage(stage_of[with_it], pairs % len(names), won[pairs // len(names)], len(names))
        found.append((rate, lower, upper, n, int((stage_of >= 0).sum()) - n, plain, lower_without, upper_without,
                      n_without, alike, _cost(rate, n, alike)))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS), index=list(flags))


def _marked(places: np.ndarray, size: int) -> np.ndarray:
    """Which of ``size`` places occur."""
    out = np.zeros(size, dtype=bool)
    out[places] = True
    return out


#: Days after which it is told what became of the deals that were open with a flag on one evening.
YEAR = 365
YEAR_COLUMNS = ("year_share", "year_lower", "year_upper", "year_n", "year_still_open")


def year_record(
    flags: pd.DataFrame, deal: np.ndarray, day: pd.Series, as_of: pd.Timestamp, status: pd.Series
) -> pd.DataFrame:
    """Say what became of the deals that were open with each flag on one evening, about a year before ``as_of``.

    A rate over closed deals flatters flags of deals that stay open for ever; this one has all of that evening's deals
    below the line.

    Parameters
    ----------
    flags, deal, status
        As of ``past_record``.
    day : Series of Timestamp (n,)
        Evening of each row.
    as_of : Timestamp

    Returns
    -------
    DataFrame, index the flags
        ``year_share`` won by ``as_of`` of the ``year_n`` deals, with its Wilson 95 % interval, and how many of them are
        ``year_still_open``; NaN where no evening lies between eleven and thirteen months back.
    """
    back = (as_of - day).dt.days
    near = back[(back - YEAR).abs() <= YEAR / 12]
    then = (
        (back == near.iloc[(near - YEAR).abs().argmin()]).to_numpy() if len(near) else np.zeros(len(back), dtype=bool)
    )
    found = []
    for name in flags:
        mine = status.reindex(deal[then & flags[name].fillna(False).to_numpy(dtype=bool)])
        share, lower, upper = wilson(int((mine == WON).sum()), len(mine))
        found.append((share, lower, upper, len(mine), int((mine == OPEN).sum())))
    return pd.DataFrame(found, columns=list(YEAR_COLUMNS), index=list(flags))


def _same_stage(stage_with: np.ndarray, stage_without: np.ndarray, won_without: np.ndarray, stages: int) -> float:
    """Win rate of deals without the flag, each stage counting as often as deals had the flag in it."""
    times = np.bincount(stage_with, minlength=stages)
    n = np.bincount(stage_without, minlength=stages)
    told = (n > 0) & (times > 0)
    if not told.any():
        return float("nan")
    rate = np.bincount(stage_without, won_without, minlength=stages)[told] / n[told]
    return float(np.average(rate, weights=times[told]))


def wilson(won: int, n: int) -> tuple[float, float, float]:
    """Share and its Wilson 95 % interval; NaN of none."""
    if n == 0:
        return np.nan, np.nan, np.nan
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(won, n, method="wilson")
    return won / n, float(lower), float(upper)


def _cost(rate: float, n: int, without: float) -> float:
    return 0.0 if n == 0 or np.isnan(without) else max(0.0, (without - rate) * n / (n + PRIOR_DEALS))
