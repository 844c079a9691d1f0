"""Whether what comes in has moved, and since when what came true has: beyond what chance alone would show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_BINS = 10
_DRAWS = 400
#: A shift of less than this beyond chance is of no consequence, however sure it is (the usual mark for "some").
_MATTERS = 0.1


@dataclass(frozen=True)
class Drift:
    """How far one feature has moved.

    Attributes
    ----------
    value : float
        Population stability index of today's rows against the reference.
    by_chance : float
        What rows of the reference itself, as many as today's, show against the rest: on average.
    threshold : float
        What chance, and the reference's own days against each other, do not exceed.
    moved : bool
    """

    value: float
    by_chance: float
    threshold: float
    moved: bool


def stability_index(reference: np.ndarray, today: np.ndarray, bins: int) -> float:
    """Population stability index of bin numbers (0 … bins − 1): Σ (q − p) log(q ÷ p), each bin half a row fuller.

    References
    ----------
    Siddiqi, *Credit Risk Scorecards*, Wiley 2006, chapter 9.
    """
    p, q = (np.bincount(x, minlength=bins) + 0.5 for x in (reference, today))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def number_bins(reference: np.ndarray, today: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Bin numbers at the reference's tenths; what is missing is a bin of its own."""
    known = reference[~np.isnan(reference)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    found = [np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x, side="left")) for x in (reference, today)]
    return found[0], found[1], len(edges) + 2


def level_bins(reference: np.ndarray, today: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Bin categories: the reference's commonest levels, and one bin for all others."""
    levels, count = np.unique(reference.astype(str), return_counts=True)
    kept = {level: i for i, level in enumerate(levels[np.argsort(-count, kind="stable")][:_BINS])}
    found = [np.array([kept.get(v, len(kept)) for v in x.astype(str)], dtype=int) for x in (reference, today)]
    return found[0], found[1], len(kept) + 1


def drift_of(
    reference: np.ndarray, today: np.ndarray, bins: int, day: np.ndarray, features: int, rng: np.random.Generator
) -> Drift:
    """Judge how far today's bin numbers lie from the reference's.

    Parameters
    ----------
    reference, today : int arrays (n,), (m,)
    bins : int
    day : array (n,)
        Day of each row of the reference: its days differ among themselves without anything having drifted.
    features : int
        How many features are looked at: with many, one of them looks odd by chance.
    rng : Generator
    """
    value = stability_index(reference, today, bins)
    chance = np.array(list(_halves(reference, len(today), bins, rng)))
    if not len(chance) or not len(today):
        return Drift(value, float("nan"), float("nan"), False)
    own = [stability_index(reference[day != d], reference[day == d], bins) for d in np.unique(day)] if len(day) else []
    threshold = max(float(np.quantile(chance, 1 - 0.05 / max(features, 1))), max(own[1:] and own, default=0.0))
    expected = float(chance.mean())
    return Drift(value, expected, threshold, value > threshold and value > expected + _MATTERS)


def _halves(reference: np.ndarray, size: int, bins: int, rng: np.random.Generator) -> Iterator[float]:
    """Set random rows of the reference, as many as today's, against the rest."""
    size = min(size, len(reference) // 2)
    if size < 1:
        return
    for _ in range(_DRAWS):
        order = rng.permutation(len(reference))
        yield stability_index(reference[order[size:]], reference[order[:size]], bins)


@dataclass(frozen=True)
class Change:
    """Where a series of residuals changed its level.

    Attributes
    ----------
    at : int
        First place of the new level.
    shift : float
        New level less the old, in the residuals' unit.
    statistic, threshold : float
        Largest standardised cumulated sum, and what 95 % of shuffled series stay below.
    p_value : float
        Share of shuffled series with a statistic as large (itself counted).
    """

    at: int
    shift: float
    statistic: float
    threshold: float
    p_value: float


#: Below so many values even a clean step cannot be told from chance.
FEWEST_VALUES = 8


def change_of(residuals: np.ndarray, seed: int = 0, draws: int = 5000) -> Change | None:
    """Find the one place where a level changed; None for fewer than ``FEWEST_VALUES`` residuals.

    The cumulated sum of what lies off the mean is largest at a change; how large it gets by chance is learned from the
    same residuals in shuffled order, so that their spread need not be known.

    References
    ----------
    Page, "Continuous inspection schemes", Biometrika 41, 1954.
    Taylor, "Change-point analysis: a powerful new tool for detecting changes", Taylor Enterprises 2000.
    """
    x = np.asarray(residuals, dtype="float64")
    if len(x) < FEWEST_VALUES:
        return None
    sums = _standardised(x[None, :])[0]
    at = int(np.argmax(sums)) + 1
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(x, (draws, 1)), axis=1)
    by_chance = _standardised(shuffled).max(axis=1)
    p_value = (1 + int((by_chance >= sums.max() - 1e-12).sum())) / (1 + draws)
    shift = float(x[at:].mean() - x[:at].mean())
    return Change(at, shift, float(sums.max()), float(np.quantile(by_chance, 0.95)), p_value)


def _standardised(x: np.ndarray) -> np.ndarray:
    """Cumulated sums off the mean after 1 … n − 1 values, each over its own spread (draws, n − 1)."""
    n = x.shape[1]
    k = np.arange(1, n)
    sums = np.cumsum(x - x.mean(axis=1, keepdims=True), axis=1)[:, :-1]
    return np.asarray(np.abs(sums) / np.sqrt(k * (n - k) / n))
