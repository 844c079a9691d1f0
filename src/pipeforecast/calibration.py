"""Whether probabilities come true as often as they say.

``won`` is 0 or 1, ``p`` the probability of 1, both (n,). Weights of rows are one column (n,), which gives numbers, or
several (n, draws), such as those of resampled rows, which give one number each (draws,). Bins hold equal counts of
rows; equal probabilities share a bin (whichever holds the first of them), so that the order of rows is no matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipeforecast.errors import DataError

Numbers = NDArray[np.float64]

#: A log-odds of infinity cannot be fitted: probabilities are moved this far inside first.
LEAST = 1e-4
_STEPS = 50
_SIMULATED = 200


def equal_count_bins(p: ArrayLike, bins: int = 10) -> NDArray[np.intp]:
    """Number of the bin of each row, 0 to ``bins`` − 1, rising with ``p``; a bin may be empty where many are equal."""
    q = np.asarray(p, dtype=float)
    rank = np.searchsorted(np.sort(q), q, side="left")
    return np.asarray(rank * bins // max(len(q), 1), dtype=np.intp)


def reliability(
    won: ArrayLike, p: ArrayLike, bins: int = 10, group: ArrayLike | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Forecast beside what came true, bin by bin.

    Parameters
    ----------
    won, p : (n,)
    bins : int
    group : array (n,), optional
        Rows of one group (a deal in a period) end alike and count as one in the interval.
    level : float in (0, 1)
        Probability of the interval.

    Returns
    -------
    DataFrame
        One row per bin that is not empty: ``bin`` (from 1), ``forecast`` (mean), ``observed`` (share), ``lower``,
        ``upper`` (Wilson's interval of the share), ``n`` (rows).
    """
    y, q = _checked(won, p)
    frame = pd.DataFrame({
        "bin": equal_count_bins(q, bins) + 1, "p": q, "won": y,
        "group": np.arange(len(q)) if group is None else np.asarray(group),
    })  # fmt: skip
    found = frame.groupby("bin").agg(
        forecast=("p", "mean"), observed=("won", "mean"), n=("p", "size"), groups=("group", "nunique")
    )
    lower, upper = wilson(found["observed"], found["groups"], level)
    found = found.assign(lower=lower, upper=upper).reset_index()
    return found[["bin", "forecast", "observed", "lower", "upper", "n"]]


def wilson(share: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Numbers, Numbers]:
    """Interval of a share seen in ``n`` independent trials (``n`` may be an effective number).

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    """
    f, m = np.asarray(share, dtype=float), np.maximum(np.asarray(n, dtype=float), 1e-12)
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (f + z**2 / (2 * m)) / (1 + z**2 / m)
    half = z / (1 + z**2 / m) * np.sqrt(f * (1 - f) / m + z**2 / (4 * m**2))
    return np.clip(middle - half, 0.0, f), np.clip(middle + half, f, 1.0)


@dataclass(frozen=True)
class Recalibration:
    """What log-odds(p) would have to be turned into: ``intercept`` + ``slope`` × log-odds(p).

    Attributes
    ----------
    slope : float or float array (draws,)
        Below 1: too sure of itself; above 1: not sure enough. 1 is calibrated.
    intercept : float or float array (draws,)
        Fitted together with the slope.
    in_the_large : float or float array (draws,)
        Intercept where the slope is held at 1 (calibration in the large): below 0 the probabilities are too high on
        the whole, above 0 too low.
    """

    slope: Any
    intercept: Any
    in_the_large: Any


def recalibration(
    won: ArrayLike,
    p: ArrayLike,
    weight: ArrayLike | None = None,
    least: float = LEAST,
    start: Recalibration | None = None,
) -> Recalibration:
    """Logistic regression of what happened on the log-odds of the forecast.

    Parameters
    ----------
    won, p : (n,)
    weight : float (n,) or (n, draws), optional
        With several columns each is one Newton step away from the fit of all rows: almost what a full fit gives, at
        the price of a matrix product.
    least : float
        Probabilities are moved into [``least``, 1 − ``least``].
    start : Recalibration, optional
        Fit of all rows, where it is known and ``weight`` has several columns: it need not be made again.

    Returns
    -------
    Recalibration
        NaN where all ended alike, or where the forecasts are all equal (the slope then).

    References
    ----------
    Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958.
    Moulton and Zeger, "Bootstrapping generalized linear models", CSDA 11, 1991.
    """
    y, q = _checked(won, p)
    q = np.clip(q, least, 1 - least)
    x = np.log(q) - np.log1p(-q)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    once = np.ones(len(y)) if w.ndim == 2 else w
    if not 0 < (once * y).sum() < once.sum():
        nothing = np.full(w.shape[1:], np.nan)
        return Recalibration(*(_scalar(nothing) for _ in range(3)))
    if start is None or w.ndim == 1:
        joint = _fit(y, x, once, None)
        start = Recalibration(float(joint[1]), float(joint[0]), float(_fit(y, x, once, 1.0)[0]))
    if w.ndim == 1:
        return start
    gradient, curvature = _score(y, x, np.array([start.in_the_large, 1.0]), w)
    large = start.in_the_large + gradient[0] / np.maximum(curvature[0], 1e-12)
    step = _solved(*_score(y, x, np.array([start.intercept, start.slope]), w))
    return Recalibration(start.slope + step[1], start.intercept + step[0], large)


def _score(y: Numbers, x: Numbers, at: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    """Gradient (2[, draws]) and curvature (3[, draws]: 11, 1x, xx) of the log-likelihood at (intercept, slope)."""
    fitted = 0.5 + 0.5 * np.tanh((at[0] + at[1] * x) / 2)  # the logistic function, without overflow
    error, v = y - fitted, fitted * (1 - fitted)
    sums = np.stack([error, error * x, v, v * x, v * x * x]) @ w
    return sums[:2], sums[2:]


def _solved(gradient: Numbers, curvature: Numbers) -> Numbers:
    a, b, c = curvature
    determinant = a * c - b * b
    safe = determinant > 1e-10 * a * c
    step = np.stack([c * gradient[0] - b * gradient[1], a * gradient[1] - b * gradient[0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(safe, step / determinant, np.nan))


def _fit(y: Numbers, x: Numbers, w: Numbers, slope: float | None) -> Numbers:
    """Intercept and slope (held at ``slope`` where it is given) by Newton steps, halved while they raise the loss."""
    at = np.array([0.0, 1.0 if slope is None else slope])
    if slope is None and np.ptp(x[w > 0]) < 1e-9:
        return np.full(2, np.nan)
    loss = _loss(y, x, at, w)
    for _ in range(_STEPS):
        gradient, curvature = _score(y, x, at, w)
        step = _solved(gradient, curvature) if slope is None else np.array([gradient[0] / curvature[0], 0.0])
        if not np.isfinite(step).all():
            return np.full(2, np.nan)
        after = _loss(y, x, at + step, w)
        while after > loss and np.abs(step).max() > 1e-12:
            step = step / 2
            after = _loss(y, x, at + step, w)
        at, gained, loss = at + step, loss - after, after
        if gained <= 1e-12 * w.sum():
            break
    return at


def _loss(y: Numbers, x: Numbers, at: Numbers, w: Numbers) -> float:
    eta = at[0] + at[1] * x
    return float((w * (np.logaddexp(0.0, eta) - y * eta)).sum())


def calibration_error(won: ArrayLike, p: ArrayLike, bins: int = 10, weight: ArrayLike | None = None) -> Any:
    """Mean distance between forecast and observed rate over bins of equal count, weighted by their size.

    Even a perfect forecast scores above 0: ``error_by_chance`` tells how much. The bins are those of the rows
    themselves, whatever their weights.

    References
    ----------
    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    """
    y, q = _checked(won, p)
    w = np.ones(len(q)) if weight is None else np.asarray(weight, dtype=float)
    gap = _in_bins(equal_count_bins(q, bins), bins, (w.T * (q - y)).T)
    return _share(np.abs(gap).sum(axis=0), w.sum(axis=0))


def error_by_chance(
    p: ArrayLike, bins: int = 10, group: ArrayLike | None = None, draws: int = _SIMULATED, seed: int = 0
) -> float:
    """Calibration error that a perfect model would show: the mean over outcomes drawn from ``p`` itself.

    Parameters
    ----------
    p : float (n,)
    bins : int
    group : array (n,), optional
        Rows of one group (a deal seen on several days of a period) share one throw of the dice: they end alike as far
        as their probabilities let them. Rows that hang together show more error by chance than as many separate ones.
    draws, seed : int
        How many sets of outcomes, and from which seed.
    """
    q = np.asarray(p, dtype=float)
    _checked(np.zeros(len(q)), q)
    if not len(q):
        return float("nan")
    number = np.arange(len(q)) if group is None else np.unique(np.asarray(group), return_inverse=True)[1]
    rng, bin_of, errors = np.random.default_rng(seed), equal_count_bins(q, bins), []
    for _ in range(draws):
        y = rng.random(int(number.max()) + 1)[number] < q
        errors.append(np.abs(_in_bins(bin_of, bins, q - y)).sum() / len(q))
    return float(np.mean(errors))


@dataclass(frozen=True)
class BrierParts:
    """Parts of the Brier score: ``reliability`` − ``resolution`` + ``uncertainty`` + ``within`` is the score.

    Attributes
    ----------
    reliability : float
        Squared distance of forecast and observed share of the bins: 0 where calibrated.
    resolution : float
        How far the bins' shares lie from the share of all: the more the better.
    uncertainty : float
        Score of the share of all.
    within : float
        What the spread of forecasts inside the bins adds (below 0 where it tells deals apart).
    """

    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier_parts(won: ArrayLike, p: ArrayLike, bins: int = 10) -> BrierParts:
    """Split the Brier score into what is wrong with the level, what is told apart, and what nobody could know.

    References
    ----------
    Murphy, "A new vector partition of the probability score", Journal of Applied Meteorology 12, 1973.
    Stephenson, Coelho and Jolliffe, "Two extra components in the Brier score decomposition", WAF 23, 2008.
    """
    y, q = _checked(won, p)
    if not len(q):
        return BrierParts(*[float("nan")] * 4)
    number = equal_count_bins(q, bins)
    count = np.maximum(np.bincount(number, minlength=bins), 1)
    forecast, observed = (np.bincount(number, weights=v, minlength=bins) / count for v in (q, y))
    reliability_, resolution = (forecast - observed)[number] ** 2, (observed[number] - y.mean()) ** 2
    inside = ((q - y) ** 2).mean() - reliability_.mean() + resolution.mean() - y.mean() * (1 - y.mean())
    return BrierParts(
        float(reliability_.mean()), float(resolution.mean()), float(y.mean() * (1 - y.mean())), float(inside)
    )


def _in_bins(number: NDArray[np.intp], bins: int, values: Numbers) -> Numbers:
    """Sums of the rows of each bin (bins[, draws])."""
    if values.ndim == 1:
        return np.asarray(np.bincount(number, weights=values, minlength=bins), dtype=float)
    member = np.zeros((bins, len(number)))
    member[number, np.arange(len(number))] = 1.0
    return np.asarray(member @ values)


def _checked(won: ArrayLike, p: ArrayLike) -> tuple[Numbers, Numbers]:
    y, q = np.asarray(won, dtype=float), np.asarray(p, dtype=float)
    if y.shape != q.shape or y.ndim != 1:
        raise DataError(f"calibration: expected two columns of one length, came shapes {y.shape} and {q.shape}")
    wrong = q[~((q >= 0) & (q <= 1))]
    if len(wrong):
        raise DataError(
            f"calibration: expected probabilities from 0 to 1, came {wrong[0]} (in {len(wrong)} rows); "
            "give the chances themselves, not log-odds or percent"
        )
    return y, q


def _share(above: Any, below: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _scalar(np.where(below > 0, np.divide(above, below), np.nan))


def _scalar(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else values
