"""Proper scores of probabilities, ranges and draws, and errors of amounts.

Arrays are numpy arrays of one value per forecast unless said otherwise; money is in the currency of the data. A lower
score is better wherever the name says loss or score; ``auc``, ``average_precision``, ``coverage`` and ``skill`` say
otherwise. Scores of probabilities take weights: one column (n,) gives a number, several columns (n, draws), such as
those of resampled rows, give one number each (draws,).

References
----------
Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102, 2007.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeforecast.errors import DataError

Numbers = NDArray[np.float64]

#: A method that says "never" of a deal that is won would lose infinitely much: every chance is kept this far inside.
LEAST = 0.005


def row_log_loss(won: ArrayLike, p: ArrayLike, least: float = LEAST) -> Numbers:
    """−log of the probability given to what happened, row by row.

    Parameters
    ----------
    won : 0 or 1 (n,)
        What happened.
    p : float (n,), or any shape that broadcasts with it
        Probability of 1; counts as at most ``least`` from 0 and 1.
    """
    y, q = np.asarray(won, dtype=float), np.clip(np.asarray(p, dtype=float), least, 1 - least)
    return np.asarray(-(y * np.log(q) + (1 - y) * np.log1p(-q)))


def log_loss(won: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, least: float = 1e-12) -> Any:
    """Mean of −log of the probability given to what happened.

    Parameters
    ----------
    won : 0 or 1 (n,)
        What happened.
    p : float (n,)
        Probability of 1; moved into [``least``, 1 − ``least``], so one sure error costs at most −log ``least``.
    weight : float (n,) or (n, draws), optional
        Weights of the mean.
    """
    y, q = _pair(won, p)
    _probabilities(q)
    return _mean(row_log_loss(y, q, least), weight)


def brier(won: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> Any:
    """Mean squared distance between probability and what happened (0 or 1).

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950.
    """
    y, q = _pair(won, p)
    _probabilities(q)
    return _mean((q - y) ** 2, weight)


def auc(won: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> Any:
    """Chance that a won deal ranks above a lost one (ties count half); NaN where all ended alike."""
    hits, others = _ranked(won, p, weight)
    below = np.cumsum(others, axis=0) - others
    pairs = hits.sum(axis=0) * others.sum(axis=0)
    return _share((hits * (below + others / 2)).sum(axis=0), pairs)


def average_precision(won: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> Any:
    """Mean share won among the deals at or above each won deal's rank; NaN where none was won.

    A forecast that tells nothing apart scores the share won.
    """
    hits, others = _ranked(won, p, weight)
    hits, others = hits[::-1], others[::-1]
    above = np.cumsum(hits, axis=0)
    precision = above / np.maximum(above + np.cumsum(others, axis=0), 1e-300)
    return _share((hits * precision).sum(axis=0), hits.sum(axis=0))


def money_ratio(p: ArrayLike, expected: ArrayLike, brought: ArrayLike, weight: ArrayLike | None = None) -> Any:
    """Σ p × amount expected given won ÷ Σ amount that was won: above 1 too much was promised; NaN where nothing came.

    Parameters
    ----------
    p : float (n,)
    expected : float (n,)
        Amount of each deal, given that it is won.
    brought : float (n,)
        Amount that it brought in the period; 0 where it was not won.
    weight : float (n,) or (n, draws), optional
    """
    q, amount = _pair(p, expected)
    promised, actual = _pair(q * amount, brought)
    w = np.ones(len(actual)) if weight is None else np.asarray(weight, dtype=float)
    return _share(promised @ w, actual @ w)


def crps_draws(draws: ArrayLike, actual: ArrayLike, fair: bool = False) -> Any:
    """Continuous ranked probability score of forecasts given as draws, in the unit of ``actual``.

    Parameters
    ----------
    draws : float (..., D)
        Draws of each forecast along the last axis.
    actual : float (...)
        What happened.
    fair : bool
        Score the distribution that the draws come from, not the draws themselves: unbiased for any D ≥ 2, but may
        fall below 0. Use it to compare methods with different D.

    Returns
    -------
    float or float array (...)
        E|X − y| − E|X − X'| / 2. Draws that are all alike give the absolute error.

    References
    ----------
    Ferro, "Fair scores for ensemble forecasts", QJRMS 140, 2014.
    """
    x = np.sort(np.asarray(draws, dtype=float), axis=-1)
    y = np.asarray(actual, dtype=float)
    n = x.shape[-1] if x.ndim else 0
    if n < 1 + fair or x.shape[:-1] != y.shape:
        raise DataError(
            f"crps: expected draws of shape (*{y.shape}, D) with D of at least {1 + fair}, came {np.shape(draws)}"
        )
    error = np.abs(x - y[..., None]).mean(axis=-1)
    # Sorted, Σ|xi − xj| over all pairs is 2 Σ (2i − n + 1) xi (i from 0): n log n instead of n².
    # Relative to the middle draw, so that large amounts do not cancel.
    centred = x - x[..., n // 2, None]
    spread = (centred * (2 * np.arange(n) - n + 1)).sum(axis=-1) / (n * (n - fair))
    return _scalar(error - spread)


def interval_score(lower: ArrayLike, upper: ArrayLike, actual: ArrayLike, level: float) -> Any:
    """Width of a central range of probability ``level``, plus 2 / (1 − level) × the distance by which it is missed.

    Parameters
    ----------
    lower, upper, actual : float (n,)
        Ends of the ranges, and what happened.
    level : float in (0, 1)
        0.8 for the range from the 10 % to the 90 % quantile.

    References
    ----------
    Winkler, "A decision-theoretic approach to interval estimation", JASA 67, 1972.
    """
    _level(level)
    low, high, y = (np.asarray(v, dtype=float) for v in (lower, upper, actual))
    if np.any(low > high):
        raise DataError("interval score: expected lower ends at or below the upper ends")
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return _scalar(high - low + 2 / (1 - level) * missed)


def pinball(quantile: ArrayLike, actual: ArrayLike, level: float) -> Any:
    """Loss of a forecast quantile: ``level`` a unit below what happened, 1 − ``level`` a unit above.

    References
    ----------
    Koenker and Bassett, "Regression quantiles", Econometrica 46, 1978.
    """
    _level(level)
    gap = np.asarray(actual, dtype=float) - np.asarray(quantile, dtype=float)
    return _scalar(np.maximum(level * gap, (level - 1) * gap))


def wape(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Sum of absolute errors ÷ sum of absolute actual values (0.1 = 10 %); NaN where nothing happened."""
    y, f = _pair(actual, forecast)
    return _ratio(np.abs(f - y).sum(), np.abs(y).sum())


def bias(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Sum of (forecast − actual) ÷ sum of absolute actual values: above 0 the forecasts were too high."""
    y, f = _pair(actual, forecast)
    return _ratio((f - y).sum(), np.abs(y).sum())


def coverage(lower: ArrayLike, upper: ArrayLike, actual: ArrayLike) -> float:
    """Share of what happened that lies in its range, both ends included."""
    low, high, y = (np.asarray(v, dtype=float) for v in (lower, upper, actual))
    return float(np.mean((low <= y) & (y <= high))) if y.size else float("nan")


def skill(score: float, reference: float) -> float:
    """Share of the reference's score that is saved: 1 is perfect, 0 as good, below 0 worse; NaN where it is 0."""
    return _ratio(reference - score, reference)


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Numbers, Numbers]:
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise DataError(f"score: expected two columns of one length, came shapes {x.shape} and {y.shape}")
    return x, y


def _probabilities(p: Numbers) -> None:
    if not np.all((p >= 0) & (p <= 1)):
        wrong = p[~((p >= 0) & (p <= 1))]
        raise DataError(f"score: expected probabilities from 0 to 1, came {wrong[0]} (in {len(wrong)} rows)")


def _level(level: float) -> None:
    if not 0 < level < 1:
        raise DataError(f"score: expected a level between 0 and 1, came {level}")


def _mean(values: Numbers, weight: ArrayLike | None) -> Any:
    if weight is None:
        return float(values.mean()) if len(values) else float("nan")
    w = np.asarray(weight, dtype=float)
    return _share(values @ w, w.sum(axis=0))


def _ranked(won: ArrayLike, p: ArrayLike, weight: ArrayLike | None) -> tuple[Numbers, Numbers]:
    """Weight of the won and of the other rows of each probability, in rising order (distinct values[, draws])."""
    y, q = _pair(won, p)
    _probabilities(q)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    if not len(q):
        return w, w
    order = np.argsort(q, kind="stable")
    w, y, q = w[order], y[order], q[order]
    first = np.flatnonzero(np.concatenate([[True], q[1:] != q[:-1]]))
    hit = (w.T * y).T
    if len(first) == len(q):
        return hit, w - hit
    return np.add.reduceat(hit, first, axis=0), np.add.reduceat(w - hit, first, axis=0)


def _share(above: Any, below: Any) -> Any:
    """Ratio of numbers, or draw by draw; NaN where there is nothing below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _scalar(np.where(below > 0, np.divide(above, below), np.nan))


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below != 0 else float("nan")


def _scalar(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else values
