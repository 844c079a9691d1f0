"""What each factor adds to the log-odds of winning in a period, for any kind of model: Shapley values by sampling.

A factor's share is what it adds when it is put in place of another open deal's, after some of the other factors,
averaged over orders and over open deals of the same day. Each order is walked forwards and backwards (antithetic),
which cancels much of the noise; two halves of the draws say whether what is left of it matters.

References
----------
Castro, Gómez and Tejada, "Polynomial calculation of the Shapley value based on sampling", Computers & Operations
Research 36, 2009.
Lomeli, Rowland, Gretton and Ghahramani, "Antithetic and Monte Carlo kernel estimators for partial rankings",
Statistics and Computing 29, 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.features import Features
from pipeforecast.models.factors import EXPECTED_CLOSE, factor_of, factors_of

#: Log-odds of the deals described (n,).
LogOdds = Callable[[Features], np.ndarray]


@dataclass(frozen=True)
class Sampled:
    """Shares as two independent halves of the draws give them.

    Attributes
    ----------
    factors : tuple of str
    halves : float array (2, k, factors)
        Of the difference of log-odds to the reference; their mean adds up to it.
    reference : float
        Mean log-odds of the other deals that were drawn.
    """

    factors: tuple[str, ...]
    halves: np.ndarray
    reference: float


def sampled_shares(
    log_odds: LogOdds, features: Features, whole: np.ndarray, rows: np.ndarray, others: int, seed: int
) -> Sampled:
    """Share the log-odds of the deals at ``rows`` out to the factors.

    Parameters
    ----------
    log_odds : callable
    features : Features
        All open deals of one day (n,), at least one: the others are drawn from these.
    whole : float array (n,)
        Log-odds of each.
    rows : int array (k,)
    others : int
        Other deals drawn for each half.
    seed : int
    """
    rng = np.random.default_rng(seed)
    factors = _that_vary(features)
    deals = features.rows(rows)
    halves = np.zeros((2, len(rows), len(factors)))
    background = np.stack([_spread(whole, others, rng) for _ in range(2)])
    for half, drawn in enumerate(background):
        for other in drawn:
            order = rng.permutation(len(factors))
            for walk in (order, order[::-1]):
                at_steps = _walked(log_odds, features, deals, int(other), factors, walk)
                ends = (np.full(len(rows), whole[other]), whole[rows])
                steps = np.column_stack([ends[0], at_steps, ends[1]]) if len(factors) else np.zeros((len(rows), 1))
                halves[half][:, walk] += np.diff(steps, axis=1) / (2 * len(drawn))
    return Sampled(factors, halves, float(whole[background].mean()))


def _that_vary(features: Features) -> tuple[str, ...]:
    """Name the factors in which the deals differ: all others have no share."""
    varying = [str(c) for table in (features.numbers, features.categories) for c in table if len(table[c].unique()) > 1]
    named = factors_of(varying)
    dated = len(np.unique(features.due)) > 1 or any(factor_of(c) == EXPECTED_CLOSE for c in varying)
    return named if dated else named[1:]


def _spread(whole: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw deals from the least to the most likely, one from each of ``count`` equal parts."""
    order = np.argsort(whole, kind="stable")
    count = min(count, len(order))
    return np.asarray(order[((np.arange(count) + rng.random(count)) * len(order) / count).astype(int)])


def _walked(
    log_odds: LogOdds, features: Features, deals: Features, other: int, factors: tuple[str, ...], walk: np.ndarray
) -> np.ndarray:
    """Log-odds of each deal (k, factors − 1) after each step but the last from the other deal to itself."""
    k, steps = len(deals.due), len(factors) - 1
    if steps < 1:
        return np.zeros((k, 0))
    reached = np.argsort(walk)  # the step at which a factor becomes the deal's own
    taken = dict(zip(factors, reached, strict=True))
    step = np.tile(np.arange(steps), k)
    row = np.repeat(np.arange(k), steps)

    def mixed(table: pd.DataFrame, all_rows: pd.DataFrame) -> pd.DataFrame:
        out = {}
        for name in table:
            own = taken.get(factor_of(str(name)), steps + 1) <= step
            out[name] = np.where(own, table[name].to_numpy()[row], all_rows[name].to_numpy()[other])
        return pd.DataFrame(out, index=pd.RangeIndex(len(row)))

    own_due = taken.get(EXPECTED_CLOSE, steps + 1) <= step
    hybrids = Features(
        mixed(deals.numbers, features.numbers),
        mixed(deals.categories, features.categories),
        deals.as_of[row],
        np.where(own_due, deals.due[row], features.due[other]),
    )
    return log_odds(hybrids).reshape(k, steps)
