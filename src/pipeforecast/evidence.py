"""Whether a difference between scores means anything: ranges by resampling periods, a test for few periods."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeforecast.errors import DataError

Key = TypeVar("Key")
#: Takes how often each row counts, (rows, draws), and gives one number a draw, (draws,).
Statistic = Callable[[NDArray[np.float64]], Any]

#: Under so many periods a test of equal accuracy says nothing worth repeating.
FEWEST_PERIODS = 12
_CHUNK_CELLS = 2_000_000


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


def resampled(period: ArrayLike, deal: ArrayLike, draws: int, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """Draw whole periods again, then deals within each; all rows of a deal in a period stay together.

    Parameters
    ----------
    period, deal : array (n,)
        Of each row.
    draws, seed : int
        How often, and from which seed.

    Yields
    ------
    float array (n, some of the draws)
        How often each row counts. Weights instead of copies: a score of all draws is one matrix product.

    References
    ----------
    Davison and Hinkley, *Bootstrap Methods and their Application*, Cambridge 1997, section 3.8 (both stages drawn
    with replacement: a little wide rather than too narrow where periods are few).
    """
    names, of_row = np.unique(np.asarray(period), return_inverse=True)
    pair = _pairs(of_row, np.unique(np.asarray(deal), return_inverse=True)[1])
    first = np.unique(pair, return_index=True)[1]
    members = [np.flatnonzero(of_row[first] == i) for i in range(len(names))]
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK_CELLS // max(len(of_row), 1))
    for at in range(0, draws, step):
        some = min(step, draws - at)
        times = rng.multinomial(len(names), np.full(len(names), 1 / max(len(names), 1)), size=some)
        count = np.zeros((len(first), some))
        for i, member in enumerate(members):
            m = len(member)
            draw = np.repeat(np.arange(some), times[:, i] * m)
            hit = rng.integers(m, size=len(draw)) * some + draw
            count[member] = np.bincount(hit, minlength=m * some).reshape(m, some)
        yield count[pair]


def _pairs(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the pairs that occur, 0 upwards."""
    width = int(second.max()) + 1 if len(second) else 1
    return np.asarray(np.unique(first * width + second, return_inverse=True)[1], dtype=np.intp)


def bootstrap_periods_and_deals(
    statistics: Mapping[Key, Statistic],
    period: ArrayLike,
    deal: ArrayLike,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 0,
    centred: Collection[Key] = (),
) -> dict[Key, Interval]:
    """Ranges of many statistics from the same draws, in which periods and then deals are drawn again.

    Parameters
    ----------
    statistics : mapping of name to callable
        Each takes how often each row counts (n, draws) and gives one number a draw.
    period, deal : array (n,)
        Of each row.
    level : float in (0, 1)
        Probability of the range.
    draws, seed : int
        How often, and from which seed.
    centred : collection of names
        Statistics that noise only raises (a mean of distances): drawing again adds noise to noise, so that their
        draws are moved to have the statistic itself in their middle.

    Returns
    -------
    dict of name to Interval
        Percentile ranges; draws in which a statistic is NaN do not count; NaN ends where there is one period only.
    """
    if not 0 < level < 1:
        raise DataError(f"bootstrap: expected a level between 0 and 1, came {level}")
    n, groups = len(np.asarray(period)), len(np.unique(np.asarray(period)))
    once = np.ones((n, 1))
    values = {key: float(np.asarray(function(once))[0]) for key, function in statistics.items()}
    if groups < 2:
        return {key: Interval(value, float("nan"), float("nan"), groups) for key, value in values.items()}
    found: dict[Key, list[NDArray[np.float64]]] = {key: [] for key in statistics}
    for weight in resampled(period, deal, draws, seed):
        for key, function in statistics.items():
            found[key].append(np.asarray(function(weight), dtype=float))
    return {
        key: _range(values[key], np.concatenate(drawn), level, groups, key in centred) for key, drawn in found.items()
    }


def _range(value: float, drawn: NDArray[np.float64], level: float, groups: int, centred: bool) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"), groups)
    moved = value - float(np.median(drawn)) if centred else 0.0
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) + moved
    return Interval(value, float(lower), float(upper), groups)


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
