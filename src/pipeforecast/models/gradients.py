"""What each factor adds to the log-odds of winning in a period, exactly, where hazards are linear in their columns.

The chance to win in a period is a smooth function of the linear predictors η of all its intervals and both causes.
Along the straight line from the average open deal's η to a deal's, the integral of its gradient shares the whole
difference of log-odds out to the predictors, and linearity shares a predictor's out to the columns.

References
----------
Aumann and Shapley, *Values of Non-Atomic Games*, Princeton University Press 1974.
Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeforecast.features import Features
from pipeforecast.models.design import frame_of, interval_columns
from pipeforecast.models.factors import EXPECTED_CLOSE, factor_of, factors_of
from pipeforecast.models.grid import Grid
from pipeforecast.models.hazard import HazardChances
from pipeforecast.models.multinomial import Multinomial

#: Nodes of the quadrature: more are taken for the deals whose shares do not add up to so much yet.
_NODES = (8, 16, 32, 64, 128)
_TOLERANCE = 1e-9
_CHUNK_ROWS = 200_000


@dataclass(frozen=True)
class Shares:
    """Shares of the difference of log-odds to the average open deal.

    Attributes
    ----------
    factors : tuple of str
    log_odds : float array (n, factors)
    whole : float array (n,)
        Log-odds of each deal.
    reference : float
        Log-odds of the average open deal.
    """

    factors: tuple[str, ...]
    log_odds: np.ndarray
    whole: np.ndarray
    reference: float


@dataclass(frozen=True)
class _Predictors:
    """Linear predictors (n, m, 2), less the average deal's; and what of them comes from where.

    ``deal`` and ``slope`` are (n, factors, 2), the latter per unit of ``ahead`` (m,); ``due`` is (n, m, 2).
    """

    average: np.ndarray
    apart: np.ndarray
    deal: np.ndarray
    slope: np.ndarray
    due: np.ndarray
    ahead: np.ndarray


def exact_shares(chances: HazardChances, features: Features, grid: Grid, inside: np.ndarray) -> Shares:
    """Share the log-odds of winning in the intervals ``inside`` (bool, (m,)) out to the factors.

    Parameters
    ----------
    chances : HazardChances
        That have learned something.
    features : Features
        The open deals of one day, at least one.
    grid : Grid
    inside : bool array (m,)

    Returns
    -------
    Shares
        They add up to each deal's log-odds less the reference, to about 1e-9.
    """
    factors = factors_of(chances.design.factors)
    found = _predictors(chances, features, grid, factors)
    weight = _integrated(found, inside)
    won_lost = weight.sum(axis=1)[:, None, :]  # what moves a deal in all intervals alike
    later = np.einsum("nmc,m->nc", weight, found.ahead)[:, None, :]
    shares = (found.deal * won_lost + found.slope * later).sum(axis=2)
    shares[:, factors.index(EXPECTED_CLOSE)] += (found.due * weight).sum(axis=(1, 2))
    whole, _ = _log_odds(found.average + found.apart, inside)
    reference, _ = _log_odds(found.average, inside)
    return Shares(factors, shares, whole, float(reference[0]))


def _predictors(chances: HazardChances, features: Features, grid: Grid, factors: tuple[str, ...]) -> _Predictors:
    assert chances.model is not None  # noqa: S101  the caller has asked; for the type checker
    x, model = chances.design.transform(features), chances.model
    names = list(frame_of([], []))
    p, q = x.shape[1], len(names)
    b = model.coefficients
    place = np.array([factors.index(factor_of(f)) for f in chances.design.factors], dtype=int)
    member = (place[:, None] == np.arange(len(factors))).astype("float64")
    apart = x - x.mean(axis=0)
    deal = np.stack([apart @ (c[:p, None] * member) for c in b], axis=2)
    steep = [(c[p + q : -1, None] * member[chances.slopes]) for c in b]
    slope = np.stack([apart[:, chances.slopes] @ s for s in steep], axis=2)
    interval, ahead = _of_intervals(model, features.due, grid, slice(p, p + q), names.index("log days ahead"))
    due = interval - interval.mean(axis=0)
    middle = x.mean(axis=0)
    average = interval.mean(axis=0) + middle @ b[:, :p].T + b[:, -1]
    average = average + ahead[:, None] * (middle[chances.slopes] @ b[:, p + q : -1].T)
    total = deal.sum(axis=1)[:, None, :] + ahead[None, :, None] * slope.sum(axis=1)[:, None, :] + due
    return _Predictors(average[None], total, deal, slope, due, ahead)


def _of_intervals(
    model: Multinomial, due: np.ndarray, grid: Grid, columns: slice, ahead: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give what the intervals' own columns add to the predictors (n, m, 2), and log(days ahead) of each (m,)."""
    n, m = len(due), len(grid.ends)
    out, step = np.empty((n, m, 2)), max(1, _CHUNK_ROWS // m)
    for at in range(0, n, step):
        part = due[at : at + step]
        k = len(part)
        x = interval_columns([grid], np.zeros(k * m, dtype=int), np.tile(np.arange(m), k), np.repeat(part, m))
        out[at : at + k] = (x @ model.coefficients[:, columns].T).reshape(k, m, 2)
    return out, x[:m, ahead]


def _integrated(found: _Predictors, inside: np.ndarray) -> np.ndarray:
    """Integrate the gradient along the line (n, m, 2) by Gauss and Legendre."""
    out = np.zeros_like(found.apart)
    todo = np.arange(len(out))
    start, _ = _log_odds(found.average, inside)
    for count in _NODES:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        apart = found.apart[todo]
        sums = np.zeros_like(apart)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            sums += weight * _log_odds(found.average + node * apart, inside)[1]
        out[todo] = sums
        end, _ = _log_odds(found.average + apart, inside)
        off = np.abs((sums * apart).sum(axis=(1, 2)) - (end - start[0]))
        todo = todo[off > _TOLERANCE]
        if not len(todo):
            break
    return out


def _log_odds(eta: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of winning in the intervals ``inside`` (n,), and their gradient by the predictors (n, m, 2)."""
    top = np.maximum(eta.max(axis=2, keepdims=True), 0.0)
    raw, stay = np.exp(eta - top), np.exp(-top[:, :, 0])
    whole = stay + raw.sum(axis=2)
    hazard = raw / whole[:, :, None]
    before = np.cumprod(np.concatenate([np.ones((len(eta), 1)), (stay / whole)[:, :-1]], axis=1), axis=1)
    hit = before * hazard[:, :, 0] * inside  # won in this interval
    following = np.cumsum(hit[:, ::-1], axis=1)[:, ::-1]
    later = np.concatenate([following[:, 1:], np.zeros((len(eta), 1))], axis=1)  # won in a later one
    won, lost = hazard[:, :, 0], hazard[:, :, 1]
    # A higher hazard of winning gains this interval's wins and forgoes later ones; one of losing costs both.
    slope = np.stack([hit * (1.0 - won) - won * later, -lost * (hit + later)], axis=2)
    p = np.clip(following[:, 0], 1e-300, 1.0 - 1e-15)
    return np.log(p) - np.log1p(-p), slope / (p * (1.0 - p))[:, None, None]
