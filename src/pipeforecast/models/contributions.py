"""What moved each open deal's chance to win in a period: exactly where the kind allows it, else by sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeforecast.features import Features, describe
from pipeforecast.fiscal import Period
from pipeforecast.models.bagged import BaggedChances
from pipeforecast.models.blend import Pool
from pipeforecast.models.deals import Chances, FittedDeals, between
from pipeforecast.models.gradients import exact_shares
from pipeforecast.models.grid import Grid, make_grid
from pipeforecast.models.hazard import HazardChances
from pipeforecast.models.prior import PriorChances
from pipeforecast.models.recalibrated import Odds, RecalibratedChances
from pipeforecast.models.shapley import sampled_shares
from pipeforecast.snapshot import Snapshot

#: Nothing can be told apart below this chance, or this near to certainty: some kinds give 0.
_LEAST = 1e-6
#: Halves of the draws agree on a deal whose factors correlate so far, and whose biggest is all but biggest in both.
_AGREE, _NEAR = 0.8, 0.75
#: A factor is sure where its halves differ by less than this share of their mean.
_APART = 0.5


@dataclass(frozen=True)
class Contributions:
    """What each factor added to the log-odds of winning in the period.

    Attributes
    ----------
    rows : int array (k,)
        Positions of the deals in the snapshot.
    factors : tuple of str
    log_odds : float array (k, factors)
        They add up to the deal's log-odds less the reference.
    p : float array (k,)
        Chance to win in the period, as the model gives it.
    reference : float
        Chance of the average open deal of the same day.
    sure : bool array (k, factors)
        Whether a contribution would come out much the same if it were sampled again; exact ones are.
    stable : bool array (k,)
        Whether the deal's order of factors would.
    """

    rows: np.ndarray
    factors: tuple[str, ...]
    log_odds: np.ndarray
    p: np.ndarray
    reference: float
    sure: np.ndarray
    stable: np.ndarray


def contributions(
    fitted: FittedDeals,
    snapshot: Snapshot,
    period: Period,
    weight: np.ndarray,
    most: int = 200,
    others: int = 12,
    seed: int = 7,
) -> Contributions | None:
    """Share each deal's log-odds of winning in the period out to what is known of it.

    Parameters
    ----------
    fitted : FittedDeals
    snapshot : Snapshot
        Of one day.
    period : Period
        That does not end before that day.
    weight : float array (n,)
        Where sampling is needed, the ``most`` deals with most of it are explained.
    most, others, seed : int
        Of the sampling: deals explained, other deals that each half compares them with, seed.

    Returns
    -------
    Contributions or None
        None where there is no deal, or where the model has learned nothing that tells chances apart from 0.
    """
    if not len(snapshot.open):
        return None
    features = describe(snapshot)
    grid = make_grid(snapshot.as_of, fitted.calendar, max((period.end - snapshot.as_of).days, 1))
    p = fitted.won_between(snapshot, period.start, period.end, 0, np.random.default_rng(seed))[0]
    if not (p > 0).any():
        return None
    chances = _innermost(fitted.chances)
    exact = _exact(chances, features, grid, period)
    if exact is not None and np.allclose(exact.p, p, rtol=1e-5, atol=1e-9):  # else it is not the whole of the model
        return exact
    return _sampled(chances, features, grid, period, p, np.argsort(-weight, kind="stable")[:most], others, seed)


def _innermost(chances: Chances) -> Chances:
    """Take off what leaves the chances of the point fit as they are."""
    if isinstance(chances, BaggedChances):
        return _innermost(chances.whole)
    if isinstance(chances, RecalibratedChances) and chances.decision.odds == Odds():
        return _innermost(chances.chances)
    if isinstance(chances, Pool) and len(chances.members) == 1:
        return _innermost(chances.members[0])
    return chances


def _exact(chances: Chances, features: Features, grid: Grid, period: Period) -> Contributions | None:
    """Share exactly, or give None where the kind is not one of linear hazards."""
    prior = chances if isinstance(chances, PriorChances) else None
    learned = chances if prior is None else _innermost(prior.learned)
    if not isinstance(learned, HazardChances) or learned.model is None:
        return None
    first = np.searchsorted(grid.ends, np.datetime64(period.start, "s"), side="left")
    last = np.searchsorted(grid.ends, np.datetime64(period.end, "s"), side="right")
    place = np.arange(len(grid.ends))
    found = exact_shares(learned, prior, features, grid, (place >= first) & (place < last))
    every, n = np.ones_like(found.log_odds, dtype=bool), len(found.p)
    return Contributions(
        np.arange(n), found.factors, found.log_odds, found.p, found.reference, every, np.ones(n, dtype=bool)
    )


def _sampled(
    chances: Chances, features: Features, grid: Grid, period: Period, p: np.ndarray, rows: np.ndarray, others: int,
    seed: int,
) -> Contributions:  # fmt: skip
    def log_odds(described: Features) -> np.ndarray:
        won, _ = next(iter(chances.incidences(described, grid)))
        return _log_odds(between(won, grid, period.start, period.end))

    found = sampled_shares(log_odds, features, _log_odds(p), rows, others, seed)
    reference = 1.0 / (1.0 + np.exp(-found.reference))
    stable = _agree(found.halves)
    mean = found.halves.mean(axis=0)
    sure = np.abs(found.halves[0] - found.halves[1]) <= _APART * np.abs(mean)
    return Contributions(rows, found.factors, mean, p[rows], float(reference), sure | stable[:, None], stable)


def _log_odds(p: np.ndarray) -> np.ndarray:
    inside = np.clip(p, _LEAST, 1.0 - _LEAST)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _agree(halves: np.ndarray) -> np.ndarray:
    """Whether both halves (2, k, factors) tell the same of a deal: alike in all, and in the biggest factor.

    Not by ranks: most factors of a deal are near 0, and the order of these is noise that nobody reads.
    """
    k = halves.shape[1]
    if halves.shape[2] < 2:
        return np.ones(k, dtype=bool)
    apart = halves - halves.mean(axis=2, keepdims=True)
    spread = np.sqrt((apart**2).sum(axis=2)).prod(axis=0)
    alike = (apart[0] * apart[1]).sum(axis=1) >= _AGREE * spread
    mean = halves.mean(axis=0)
    top = np.abs(mean).argmax(axis=1)
    row = np.arange(k)
    near = halves[:, row, top] * np.sign(mean[row, top]) >= _NEAR * np.abs(halves).max(axis=2)
    return np.asarray(alike & near.all(axis=0))
