"""Kaplan–Meier quantiles of many small samples at once.

statsmodels' ``SurvfuncRight`` takes one sample a call; a catalogue asks for tens of thousands (windows, groups,
stages). The tests set both beside each other.
"""

from __future__ import annotations

import numpy as np

#: Stands for log 0, so that running sums of logs stay finite.
_LOG_NOTHING = -50.0
_ROUNDING = 1e-9


def survival_quantile(
    cell: np.ndarray, days: np.ndarray, ended: np.ndarray, size: int, share: float = 0.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time by which a share of each cell's units have ended, with its 95 % interval.

    Parameters
    ----------
    cell : int array (K,)
        Cell of each unit, below ``size``.
    days : float array (K,)
        Time until its end, or until it was last seen.
    ended : bool array (K,)
        False: still going on (censored).
    share : float
        0.5 is the median.

    Returns
    -------
    value, lower, upper : float arrays (size,)
        NaN where so many never ended.

    References
    ----------
    Kaplan and Meier (1958); interval on the log(−log) scale after Brookmeyer and Crowley (1982), as
    ``statsmodels.duration.survfunc.SurvfuncRight.quantile_ci`` has it.
    """
    out = np.full((3, size), np.nan)
    if not len(cell):
        return out[0], out[1], out[2]
    cell, time, log_s, var = _curves(cell, days, ended, size)
    s = np.exp(log_s)
    out[0] = _first(cell, time, s < 1 - share - _ROUNDING, size)
    # Curves as statsmodels has them: the band of times at which the curve may still be at 1 − share.
    inside = (s > 0) & (s < 1)
    log_safe = np.where(inside, log_s, -1.0)
    far = np.log(-log_safe) - np.log(-np.log(1 - share))
    se = np.sqrt(var) / -log_safe
    band = inside & (np.abs(far) <= 1.959963984540054 * se)
    out[1] = _first(cell, time, band, size)
    out[2] = _after_last(cell, time, band, size)
    return out[0], out[1], out[2]


def _curves(
    cell: np.ndarray, days: np.ndarray, ended: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give cell, time, log survival and Greenwood's sum at every time at which something ended, cell by cell."""
    order = by_cell(cell, days, size)
    cell, days, ended = cell[order], days[order], ended[order].astype("float64")
    begins = np.r_[True, (cell[1:] != cell[:-1]) | (days[1:] != days[:-1])]
    at = np.flatnonzero(begins)
    deaths = np.add.reduceat(ended, at)
    last = np.cumsum(np.bincount(cell, minlength=size))[cell[at]]
    risk = (last - at).astype("float64")
    some = deaths > 0
    at, deaths, risk = at[some], deaths[some], risk[some]
    over = deaths >= risk
    step = np.where(over, _LOG_NOTHING, np.log1p(-np.where(over, 0.0, deaths / np.where(over, risk + 1, risk))))
    spread = np.where(over, 0.0, deaths / (risk * np.where(over, 1.0, risk - deaths)))
    log_s, var = (_running(v, cell[at]) for v in (step, spread))
    return cell[at], days[at], np.where(log_s < _LOG_NOTHING / 2, -np.inf, log_s), var


def by_cell(cell: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Order of cells, and of values within each (K,); short whole numbers are sorted by their digits, in one pass."""
    order = np.argsort(values, kind="stable")
    short = cell.astype("uint16") if size <= np.iinfo("uint16").max else cell
    return np.asarray(order[np.argsort(short[order], kind="stable")])


def _running(step: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Running sums that begin anew in each cell."""
    total = np.cumsum(step)
    first = np.r_[True, cell[1:] != cell[:-1]] if len(cell) else np.zeros(0, dtype=bool)
    before = np.where(first, total - step, 0.0)
    place = np.maximum.accumulate(np.where(first, np.arange(len(cell)), 0))
    return np.asarray(total - before[place])


def _first(cell: np.ndarray, time: np.ndarray, which: np.ndarray, size: int) -> np.ndarray:
    out = np.full(size, np.nan)
    at = np.flatnonzero(which)[::-1]
    out[cell[at]] = time[at]  # the last one written is the first in time
    return out


def _after_last(cell: np.ndarray, time: np.ndarray, which: np.ndarray, size: int) -> np.ndarray:
    """Time after the last of each cell for which ``which`` holds; NaN where none comes after it."""
    out = np.full(size, np.nan)
    at = np.flatnonzero(which)
    following = np.r_[cell[1:] == cell[:-1], False] if len(cell) else np.zeros(0, dtype=bool)
    then = np.r_[time[1:], np.nan] if len(cell) else np.zeros(0)
    out[cell[at]] = np.where(following[at], then[at], np.nan)
    return out
