"""What a metric's function gives back: one value for each window and group, with what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

#: 97.5 % quantile of the normal distribution.
Z = 1.959963984540054


@dataclass(frozen=True)
class Values:
    """A metric in every window (P) and group (G).

    Attributes
    ----------
    value : float array (P, G)
        NaN: undefined.
    n : float array (P, G)
        How many units were looked at: of a sum those added, of a rate those below the line.
    lower, upper : float arrays (P, G) or None
        95 % interval, where there is one.
    low, high : float arrays (P, G) or None
        95 % bounds of a value that is shown without an interval (a count, a sum): for the comparison of two windows.
    reached, immature : bool arrays (P, G) or None
        Where the status is ``reached`` (nothing is left to be done; the value is null) or ``immature``.
    unit : str
        Of a part whose unit is not the metric's.
    """

    value: np.ndarray
    n: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    reached: np.ndarray | None = None
    immature: np.ndarray | None = None
    unit: str = ""


#: What a metric's function may give: one set of values, or one for each part (stage, band, source …), in order.
Answer = Values | Mapping[str, Values]


@dataclass(frozen=True)
class NotAvailable(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by a metric's function where what it needs is not in the data; the reason goes to the table."""

    reason: str = field(default="")

    def __str__(self) -> str:
        return self.reason


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; NaN where ``below`` is not above 0 (never 0 and never infinite)."""
    below = np.asarray(below, dtype="float64")
    return np.asarray(np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0))


def amount(total: np.ndarray, n: np.ndarray, squares: np.ndarray | None = None) -> Values:
    """Give a sum; the variance of a sum of a random number of amounts is Σ x² (compound Poisson)."""
    off = np.full(n.shape, np.nan) if squares is None else Z * np.sqrt(squares)
    return Values(total, n, low=total - off, high=total + off)


def count(n: np.ndarray) -> Values:
    """Give a count; its bounds are the score interval of a Poisson count."""
    middle, off = n + Z**2 / 2, Z * np.sqrt(n + Z**2 / 4)
    return Values(n, n, low=middle - off, high=middle + off)


def proportion(hits: np.ndarray, n: np.ndarray) -> Values:
    """Give the share of ``n`` units that are hits, with its Wilson 95 % interval; undefined without a unit.

    References
    ----------
    Wilson (1927), by statsmodels' ``proportion_confint``.
    """
    from statsmodels.stats.proportion import proportion_confint

    value, lower, upper = ratio(hits, n), np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    some = n > 0
    if some.any():
        low, high = proportion_confint(np.clip(hits[some], 0, n[some]), n[some], alpha=0.05, method="wilson")
        lower[some], upper[some] = low, high
    return Values(value, n, lower, upper)


def mean(total: np.ndarray, squares: np.ndarray, n: np.ndarray) -> Values:
    """Give a mean of ``n`` units from their sum and their sum of squares; undefined without a unit."""
    value = ratio(total, n)
    off = Z * np.sqrt(ratio(np.maximum(ratio(squares, n) - value**2, 0.0), n - 1))
    return Values(value, n, low=value - off, high=value + off)


def quotient(above: np.ndarray, below: np.ndarray, n: np.ndarray) -> Values:
    """Give a ratio without an interval (of money, or of things that are not each other's units)."""
    return Values(ratio(above, below), n)
