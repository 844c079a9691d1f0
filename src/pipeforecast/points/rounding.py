"""Whole points in place of coefficients, at the least loss that rounding can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Largest points of a row, from coarse to fine.
_LARGEST = (5, 10, 15, 20, 25, 30, 40, 50)
#: Share of the gain over the base rate that coarser points may cost.
_TOLERATED = 0.005
_PASSES = 5
_STEPS = 50


@dataclass(frozen=True)
class Rounded:
    """Whole points, and the log-odds that a sum of them means.

    Attributes
    ----------
    points : int array (m,)
    intercept, slope : float
    loss : float
        Mean log loss of the rows that taught it.
    """

    points: np.ndarray
    intercept: float
    slope: float
    loss: float


def line_of(points: np.ndarray, came: np.ndarray, n: np.ndarray) -> tuple[float, float, float]:
    """Fit log-odds as a line in the points by Newton's method, each sum of points a group.

    Parameters
    ----------
    points, came, n : arrays (groups,)
        Sum of points, how many converted, how many leads; half a conversion more on each side (at the mean of the
        points) keeps the line finite where the groups are told apart perfectly.

    Returns
    -------
    tuple
        Intercept, slope and the mean log loss.
    """
    centre = float((points * n).sum() / n.sum())
    width = float(np.abs(points - centre).max()) or 1.0
    x = np.append((points - centre) / width, [0.0, 1.0, -1.0])
    k, m = np.append(came, [0.5, 0.25, 0.25]), np.append(n, [1.0, 0.5, 0.5])
    a, b = float(np.log(k.sum() / (m.sum() - k.sum()))), 0.0
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(a + b * x)))
        g = np.array([(k - m * p).sum(), ((k - m * p) * x).sum()])
        v = m * p * (1 - p)
        h = np.array([[v.sum(), (v * x).sum()], [(v * x).sum(), (v * x * x).sum()]])
        step = np.linalg.solve(h + 1e-12 * np.eye(2), g)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        a, b = a + float(step[0]), b + float(step[1])
        if np.abs(step).max() < 1e-9:
            break
    slope = b / width
    intercept = a - slope * centre
    eta = intercept + slope * points
    loss = float((n * np.logaddexp(0, eta) - came * eta).sum() / n.sum())
    return intercept, slope, loss


def rounded(holds: np.ndarray, y: np.ndarray, beta: np.ndarray) -> Rounded:
    """Turn coefficients into whole points.

    For each size of the largest points the scaled coefficients are rounded and then moved, one row by one point, as
    long as the log loss falls; the coarsest size is taken that costs less than half a percent of the gain over the base
    rate against the finest.

    Parameters
    ----------
    holds : bool array (n, m)
    y : float (n,)
    beta : float (m,)

    References
    ----------
    Ustun and Rudin, "Learning optimized risk scores", JMLR 20, 2019 (rounding and coordinate descent).
    """
    if not len(beta) or not np.abs(beta).max() > 0:
        intercept, _, loss = line_of(np.zeros(1), np.array([y.sum()]), np.array([float(len(y))]))
        return Rounded(np.zeros(len(beta), dtype=np.int64), intercept, 0.0, loss)
    patterns, of_row = np.unique(holds, axis=0, return_inverse=True)
    of_row = of_row.ravel()
    n = np.bincount(of_row, minlength=len(patterns)).astype(float)
    came = np.bincount(of_row, y, minlength=len(patterns))
    patterns = patterns.astype(np.int64)
    found = [_descended(patterns, came, n, np.round(beta * size / np.abs(beta).max())) for size in _LARGEST]
    base = line_of(np.zeros(1), np.array([came.sum()]), np.array([n.sum()]))[2]
    least = min(f.loss for f in found)
    return next(f for f in found if f.loss - least <= _TOLERATED * max(base - least, 0.0) + 1e-12)


def _descended(patterns: np.ndarray, came: np.ndarray, n: np.ndarray, start: np.ndarray) -> Rounded:
    points = start.astype(np.int64)
    best = _scored(patterns, came, n, points)
    for _ in range(_PASSES):
        moved = False
        for j in range(len(points)):
            for step in (1, -1):
                trial = points.copy()
                trial[j] += step
                # A row keeps its sign: rounding must not turn a plus into a minus.
                if trial[j] * start[j] < 0:
                    continue
                scored = _scored(patterns, came, n, trial)
                if scored.loss < best.loss - 1e-12:
                    points, best, moved = trial, scored, True
        if not moved:
            break
    return best


def _scored(patterns: np.ndarray, came: np.ndarray, n: np.ndarray, points: np.ndarray) -> Rounded:
    total = patterns @ points
    low = int(total.min())
    at = total - low
    size = int(at.max()) + 1
    groups, k = np.bincount(at, n, minlength=size), np.bincount(at, came, minlength=size)
    there = groups > 0
    intercept, slope, loss = line_of(np.flatnonzero(there) + low, k[there], groups[there])
    return Rounded(points, intercept, slope, loss)
