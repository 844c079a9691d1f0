"""What each factor adds to the log-odds of winning in a period, exactly, where hazards are linear in their columns.

The chance to win in a period is a smooth function of the linear predictors of all its intervals and both causes.
Along the straight line from the average open deal's predictors to a deal's, the integral of its gradient shares the
whole difference of log-odds out to the predictors, and linearity shares a predictor's out to the columns. What a prior
assumes of a deal is one more predictor.

References
----------
Aumann and Shapley, *Values of Non-Atomic Games*, Princeton University Press 1974.
Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeforecast.features import Features
from pipeforecast.models.design import frame_of, interval_columns
from pipeforecast.models.factors import CRM_PROBABILITY, EXPECTED_CLOSE, factor_of, factors_of
from pipeforecast.models.grid import Grid
from pipeforecast.models.hazard import HazardChances
from pipeforecast.models.multinomial import Multinomial
from pipeforecast.models.prior import PriorChances, tilt_of

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
    p : float array (n,)
        Chance of each deal.
    reference : float
        Chance of the average open deal.
    """

    factors: tuple[str, ...]
    log_odds: np.ndarray
    p: np.ndarray
    reference: float


@dataclass(frozen=True)
class _Predictors:
    """Predictors (n, m, 2), less the average deal's; and what of them comes from where.

    ``deal`` and ``slope`` are (n, factors, 2), the latter per unit of ``ahead`` (m,); ``due`` is (n, m, 2). ``listed``
    (n,) are the prior's log-odds, likewise less their ``usual`` mean.
    """

    average: np.ndarray
    apart: np.ndarray
    deal: np.ndarray
    slope: np.ndarray
    due: np.ndarray
    ahead: np.ndarray
    usual: float
    listed: np.ndarray


@dataclass(frozen=True)
class _Asked:
    """What is asked: wins in the intervals ``inside`` (m,), where the prior has a ``share`` and ``closes`` (m,)."""

    inside: np.ndarray
    share: float
    closes: np.ndarray


def exact_shares(
    chances: HazardChances, prior: PriorChances | None, features: Features, grid: Grid, inside: np.ndarray
) -> Shares:
    """Share the log-odds of winning in the intervals ``inside`` (bool, (m,)) out to the factors.

    Parameters
    ----------
    chances : HazardChances
        That have learned something.
    prior : PriorChances or None
        What they are mixed with.
    features : Features
        The open deals of one day, at least one.
    grid : Grid
    inside : bool array (m,)

    Returns
    -------
    Shares
        They add up to each deal's log-odds less the reference's, to about 1e-9.
    """
    factors = tuple(dict.fromkeys([*factors_of(chances.design.factors), CRM_PROBABILITY]))
    found = _predictors(chances, features, grid, factors)
    asked = _Asked(inside, 0.0, np.zeros(len(inside)))
    if prior is not None:
        found = _with_prior(found, prior, features, factors.index(CRM_PROBABILITY))
        asked = _Asked(inside, prior.share, 1.0 - np.exp(-prior.prior.rate * grid.lengths))
    weight, of_listed = _integrated(found, asked)
    alike = weight.sum(axis=1)[:, None, :]  # of what moves a deal in all intervals alike
    later = np.einsum("nmc,m->nc", weight, found.ahead)[:, None, :]
    shares = (found.deal * alike + found.slope * later).sum(axis=2)
    shares[:, factors.index(EXPECTED_CLOSE)] += (found.due * weight).sum(axis=(1, 2))
    shares[:, factors.index(CRM_PROBABILITY)] += found.listed * of_listed
    p = _chance(found.average + found.apart, found.usual + found.listed, asked)[0]
    reference = _chance(found.average, np.array([found.usual]), asked)[0]
    return Shares(factors, shares, p, float(reference[0]))


def _predictors(chances: HazardChances, features: Features, grid: Grid, factors: tuple[str, ...]) -> _Predictors:
    assert chances.model is not None  # noqa: S101  the caller has asked; for the type checker
    x, model = chances.design.transform(features), chances.model
    names = list(frame_of([], []))
    p, q = x.shape[1], len(names)
    b = model.coefficients
    place = np.array([factors.index(factor_of(f)) for f in chances.design.factors], dtype=int)
    member = (place[:, None] == np.arange(len(factors))).astype("float64")
    middle = x.mean(axis=0)
    apart = x - middle
    deal = np.stack([apart @ (c[:p, None] * member) for c in b], axis=2)
    steep = [c[p + q : -1, None] * member[chances.slopes] for c in b]
    slope = np.stack([apart[:, chances.slopes] @ s for s in steep], axis=2)
    interval, ahead = _of_intervals(model, features.due, grid, slice(p, p + q), names.index("log days ahead"))
    due = interval - interval.mean(axis=0)
    average = interval.mean(axis=0) + middle @ b[:, :p].T + b[:, -1]
    average = average + ahead[:, None] * (middle[chances.slopes] @ b[:, p + q : -1].T)
    total = deal.sum(axis=1)[:, None, :] + ahead[None, :, None] * slope.sum(axis=1)[:, None, :] + due
    return _Predictors(average[None], total, deal, slope, due, ahead, 0.0, np.zeros(len(x)))


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


def _with_prior(found: _Predictors, prior: PriorChances, features: Features, place: int) -> _Predictors:
    """Add what the prior makes of the CRM's probability: its own log-odds, and a tilt of the predictors."""
    wins = prior.prior.wins(features)
    listed = np.log(wins) - np.log1p(-wins)
    found = replace(found, usual=float(listed.mean()), listed=listed - listed.mean())
    if not prior.tilted:
        return found
    tilt = np.column_stack(tilt_of(wins))
    apart = tilt - tilt.mean(axis=0)
    deal = found.deal.copy()
    deal[:, place] += apart
    return replace(found, average=found.average + tilt.mean(axis=0), apart=found.apart + apart[:, None, :], deal=deal)


def _integrated(found: _Predictors, asked: _Asked) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the gradient along the line, by the predictors (n, m, 2) and the prior's log-odds (n,).

    By Gauss and Legendre; only deals that are far from the average need many nodes.
    """
    out, of_listed = np.zeros_like(found.apart), np.zeros(len(found.apart))
    todo = np.arange(len(out))
    start = _log_odds(_chance(found.average, np.array([found.usual]), asked)[0])
    for count in _NODES:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        apart, listed = found.apart[todo], found.listed[todo]
        sums, sums_listed = np.zeros_like(apart), np.zeros(len(todo))
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            p, slope, slope_listed = _chance(found.average + node * apart, found.usual + node * listed, asked)
            per = weight / (p * (1.0 - p))
            sums += per[:, None, None] * slope
            sums_listed += per * slope_listed
        out[todo], of_listed[todo] = sums, sums_listed
        end = _log_odds(_chance(found.average + apart, found.usual + listed, asked)[0])
        off = (sums * apart).sum(axis=(1, 2)) + sums_listed * listed - (end - start)
        todo = todo[np.abs(off) > _TOLERANCE]
        if not len(todo):
            break
    return out, of_listed


def _chance(eta: np.ndarray, listed: np.ndarray, asked: _Asked) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P(won in the intervals asked for) (n,), its gradient by the predictors (n, m, 2) and by ``listed`` (n,)."""
    top = np.maximum(eta.max(axis=2), 0.0)
    raw, stay = np.exp(eta - top[:, :, None]), np.exp(-top)
    whole = stay + raw.sum(axis=2)
    learned, mine = raw / whole[:, :, None], 1.0 - asked.share
    wins = 1.0 / (1.0 + np.exp(-listed))[:, None]
    won = mine * learned[:, :, 0] + asked.share * wins * asked.closes
    stays = mine * stay / whole + asked.share * (1.0 - asked.closes)
    before = np.cumprod(np.concatenate([np.ones((len(eta), 1)), stays[:, :-1]], axis=1), axis=1)
    hit = before * won * asked.inside  # won in this interval
    following = np.cumsum(hit[:, ::-1], axis=1)[:, ::-1]
    later = np.concatenate([following[:, 1:], np.zeros((len(eta), 1))], axis=1)  # won in a later one
    # A higher hazard of winning gains this interval's wins and forgoes later ones; one of losing forgoes them too.
    lost_slope = -later / np.maximum(stays, 1e-300)
    won_slope = before * asked.inside + lost_slope
    both = learned[:, :, 0] * won_slope + learned[:, :, 1] * lost_slope
    slope = mine * learned * (np.stack([won_slope, lost_slope], axis=2) - both[:, :, None])
    assumed = asked.share * wins * (1.0 - wins) * asked.closes * (won_slope - lost_slope)
    return np.clip(following[:, 0], 1e-300, 1.0 - 1e-15), slope, assumed.sum(axis=1)


def _log_odds(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(p) - np.log1p(-p))
