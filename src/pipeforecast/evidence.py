"""Whether a difference between scores means anything: ranges by resampling periods, a test for few periods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeforecast.errors import DataError

#: Under so many periods a test of equal accuracy says nothing worth repeating.
FEWEST_PERIODS = 12


@dataclass(frozen=True)
class Interval:
    """A value with the range that resampling gives it; NaN ends where there is too little to resample."""

    value: float
    lower: float
    upper: float
    n_groups: int


def bootstrap_by_group(
    statistic: Callable[[NDArray[np.intp]], float],
    group: ArrayLike,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """Range of a statistic when whole groups (periods) are drawn again: rows of one period hang together.

    Parameters
    ----------
    statistic : callable
        Takes row numbers (a row may come several times) and gives a number.
    group : array (n,)
        Group of each row.
    level : float in (0, 1)
        Probability of the range.
    draws, seed : int
        How often, and from which seed.

    Returns
    -------
    Interval
        Percentile range; draws in which the statistic is NaN do not count.

    References
    ----------
    Field and Welsh, "Bootstrapping clustered data", JRSS B 69, 2007.
    """
    if not 0 < level < 1:
        raise DataError(f"bootstrap: expected a level between 0 and 1, came {level}")
    names, number = np.unique(np.asarray(group), return_inverse=True)
    rows = [np.flatnonzero(number == i) for i in range(len(names))]
    value = statistic(np.arange(len(number)))
    if len(names) < 2:
        return Interval(value, float("nan"), float("nan"), len(names))
    rng = np.random.default_rng(seed)
    picked = rng.integers(len(names), size=(draws, len(names)))
    values = np.array([statistic(np.concatenate([rows[i] for i in pick])) for pick in picked])
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(value, float("nan"), float("nan"), len(names))
    lower, upper = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(lower), float(upper), len(names))


@dataclass(frozen=True)
class Comparison:
    """Which of two methods has the lower loss.

    Attributes
    ----------
    verdict : str
        'first', 'second', 'no difference' (that the test can see) or 'cannot tell' (too few periods).
    difference : float
        Mean loss of the first less that of the second.
    statistic, p_value : float
        Of the test; NaN where it cannot tell.
    n_periods : int
        How many periods it rests on.
    """

    verdict: str
    difference: float
    statistic: float
    p_value: float
    n_periods: int


def diebold_mariano(first: ArrayLike, second: ArrayLike, horizon: int = 1, alpha: float = 0.05) -> Comparison:
    """Test whether two methods' losses differ, one loss per period in the order of time.

    Parameters
    ----------
    first, second : float (n,)
        Losses of both methods in the same periods. Average losses of one period beforehand: they hang together.
    horizon : int
        Periods that a forecast looks ahead; losses less than ``horizon`` apart may be correlated.
    alpha : float
        A p-value below it is a difference.

    Returns
    -------
    Comparison
        With Harvey, Leybourne and Newbold's correction for few periods and Student's t; under 12 periods (or where
        the variance comes out at 0 or below) the verdict is 'cannot tell'.

    References
    ----------
    Diebold and Mariano, "Comparing predictive accuracy", JBES 13, 1995.
    Harvey, Leybourne and Newbold, "Testing the equality of prediction mean squared errors", IJF 13, 1997.
    """
    from scipy.stats import t

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise DataError(f"diebold_mariano: expected two columns of one length, came shapes {a.shape} and {b.shape}")
    if horizon < 1:
        raise DataError(f"diebold_mariano: expected a horizon of 1 period or more, came {horizon}")
    d, n, nan = a - b, len(a), float("nan")
    mean = float(d.mean()) if n else nan
    if n < max(FEWEST_PERIODS, 2 * horizon):
        return Comparison("cannot tell", mean, nan, nan, n)
    if np.all(d == d[0]):
        return _always(mean, n)
    e = d - mean
    autocovariance = [float(e[k:] @ e[: n - k]) / n for k in range(horizon)]
    variance = (autocovariance[0] + 2 * sum(autocovariance[1:])) / n
    if variance <= 0:
        return Comparison("cannot tell", mean, nan, nan, n)
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = mean / np.sqrt(variance) * np.sqrt(correction)
    p_value = float(2 * t.sf(abs(statistic), df=n - 1))
    verdict = "no difference" if p_value >= alpha else "first" if mean < 0 else "second"
    return Comparison(verdict, mean, float(statistic), p_value, n)


def _always(mean: float, n: int) -> Comparison:
    """Judge losses that differ by the same amount in every period, where the variance is 0."""
    if mean == 0:
        return Comparison("no difference", 0.0, 0.0, 1.0, n)
    return Comparison("first" if mean < 0 else "second", mean, float(np.copysign(np.inf, mean)), 0.0, n)
