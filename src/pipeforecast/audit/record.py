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


def past_record(flags: pd.DataFrame, deal: np.ndarray, stage: np.ndarray, status: pd.Series) -> pd.DataFrame:
    """Set the win rate of deals with each flag beside that of deals without it.

    Parameters
    ----------
    flags : DataFrame of boolean (n, flags)
        One row per past evening and deal that was open then, in the order of evenings; missing where it was not known.
    deal : int array (n,)
        Key of each row's deal.
    stage : array (n,)
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
    rows = pd.DataFrame({"deal": deal, "stage": pd.Series(stage, dtype="object").fillna("").to_numpy()})
    rows["status"] = status.reindex(deal).to_numpy(dtype=object)
    found = []
    for name in flags:
        known = flags[name].notna().to_numpy()
        hit = flags[name].fillna(False).to_numpy(dtype=bool)
        with_it, without = rows[hit].drop_duplicates("deal"), rows[known & ~hit]
        closed, n = _closed(with_it)
        others, n_without = _closed(without.drop_duplicates("deal"))
        rate, lower, upper = wilson(int(_is_won(closed).sum()), n)
        plain, lower_without, upper_without = wilson(int(_is_won(others).sum()), n_without)
        alike = _same_stage(closed, _closed(without.drop_duplicates(["deal", "stage"]))[0])
        found.append((rate, lower, upper, n, len(with_it) - n, plain, lower_without, upper_without, n_without,
                      alike, _cost(rate, n, alike)))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS), index=list(flags))


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


def _closed(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    out = rows[(rows["status"] != OPEN).to_numpy(dtype=bool)]
    return out, len(out)


def _is_won(rows: pd.DataFrame) -> np.ndarray:
    return np.asarray((rows["status"] == WON).to_numpy(dtype=bool))


def _same_stage(with_it: pd.DataFrame, without: pd.DataFrame) -> float:
    """Win rate of deals without the flag, each stage counting as often as deals had the flag in it."""
    by_stage = pd.Series(_is_won(without)).groupby(without["stage"].to_numpy(dtype=object)).mean()
    times = with_it["stage"].value_counts()
    times = times[times.index.isin(by_stage.index)]
    if times.empty:
        return float("nan")
    return float(np.average(by_stage.reindex(times.index), weights=times))


def wilson(won: int, n: int) -> tuple[float, float, float]:
    """Share and its Wilson 95 % interval; NaN of none."""
    if n == 0:
        return np.nan, np.nan, np.nan
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(won, n, method="wilson")
    return won / n, float(lower), float(upper)


def _cost(rate: float, n: int, without: float) -> float:
    return 0.0 if n == 0 or np.isnan(without) else max(0.0, (without - rate) * n / (n + PRIOR_DEALS))
