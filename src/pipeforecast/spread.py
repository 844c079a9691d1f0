"""Ranges that hold: one factor on the spread, learned from earlier origins, that leaves sums what they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.forecast import ADDENDS, MEMOS, TOTAL, Forecast

#: Being right as it stands counts as much as this many past periods.
PRIOR_PERIODS = 8.0
#: A day of the period tells of days so far from it (days, Gaussian).
_NEAR_DAYS = 30.0
#: One period that nobody could foresee says no more than this.
_FARTHEST = 2.5


def spread_factor(past: pd.DataFrame, day: int) -> float:
    """Factor on the spread of what is to come on day ``day`` of a period.

    Parameters
    ----------
    past : DataFrame
        Earlier origins whose period is over: ``period``, ``day_of_period`` and the normal score ``z``.
    day : int

    Returns
    -------
    float
        Root of the mean z², one vote a period, pulled towards 1. Without any past: 1. Where ranges hold as often as
        they say the normal scores have variance 1, however skewed the draws.
    """
    if past.empty:
        return 1.0
    near = np.exp(-(((past["day_of_period"] - day) / _NEAR_DAYS) ** 2))
    table = pd.DataFrame({"near": near, "square": near * past["z"].clip(-_FARTHEST, _FARTHEST) ** 2})
    by_period = table.groupby(past["period"].to_numpy()).agg({"near": ["sum", "max"], "square": "sum"})
    vote = by_period["near", "max"]  # several days of a period are one vote
    square = by_period["square", "sum"] / by_period["near", "sum"]
    return float(np.sqrt((PRIOR_PERIODS + (vote * square).sum()) / (PRIOR_PERIODS + vote.sum())))


def normal_score(draws: np.ndarray, actual: float) -> float:
    """Normal quantile of the actual's rank among the draws (D,); NaN where all draws are alike.

    References
    ----------
    Gneiting, Balabdaoui and Raftery, "Probabilistic forecasts, calibration and sharpness", JRSS B 69, 2007.
    """
    from scipy.special import ndtri

    if np.ptp(draws) <= 0:
        return float("nan")
    below = (draws < actual).sum() + 0.5 * (draws == actual).sum()
    return float(ndtri((below + 0.5) / (len(draws) + 1.0)))


def widened(total: np.ndarray, won: float, factor: float) -> np.ndarray:
    """Spread the draws (D,) of a total by ``factor`` around their mean; never below what is won."""
    mean = total.mean()
    return np.asarray(np.maximum(mean + factor * (total - mean), np.minimum(total, won)))


def multipliers(total: np.ndarray, won: float, wanted: np.ndarray) -> np.ndarray:
    """Number (D,) by which all that is still to come is multiplied in each draw, so that its total becomes ``wanted``.

    1 where nothing is to come, and where credits outweigh it.
    """
    to_come = total - won
    some = to_come > 1e-9 * max(abs(won), 1.0)
    return np.where(some, np.maximum(wanted - won, 0.0) / np.where(some, to_come, 1.0), 1.0)


def multiplied(draws: np.ndarray, won: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Multiply what is to come in each draw: draws (cells, D), what each cell has won (cells,), multipliers (D,).

    One number for all cells of a draw: whatever added up before adds up after.
    """
    fixed = won[:, None]
    return np.asarray(fixed + (draws - fixed) * times)


def with_total(forecast: Forecast, wanted: np.ndarray, mean: float, method: str) -> Forecast:
    """Give a forecast whose total has the draws ``wanted`` (D,) and the mean ``mean``; groups and parts follow.

    What is won stays; all else of a draw is multiplied by one number, all other means by another.
    """
    won, total = forecast.value("won"), forecast.draw()
    times = multipliers(total, won, wanted)
    to_come = forecast.value() - won
    scale = (mean - won) / to_come if to_come > 0 else 1.0
    part = forecast.cells["part"].to_numpy()
    fixed = part == "won"
    assert forecast.draws is not None  # noqa: S101  asked by `draw` above; for the type checker
    draws = np.where(fixed[:, None], forecast.draws, forecast.draws * times)
    means = np.where(fixed, forecast.mean, forecast.mean * scale)
    for values in (draws, means):
        _summed(values, forecast.cells)
    deals = None if forecast.open_draws is None else forecast.open_draws.multiply(times[None, :]).tocsr()
    return replace(forecast, method=method, draws=draws, mean=means, open_draws=deals)


def _summed(values: np.ndarray, cells: pd.DataFrame) -> None:
    """Make totals of the parts again, cell by cell."""
    at = {name: (cells["part"] == name).to_numpy() for name in cells["part"].unique() if name not in MEMOS}
    values[at[TOTAL]] = sum(values[at[name]] for name in ADDENDS)
