"""Conditions that a points card may be made of: cuts of numbers, levels and groups of them, flags, what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.leads import MISSING, LeadFeatures
from pipeforecast.points.card import TOUCHES, TRUE, Axis, CardRow, decayed_counts, meets

_CUTS = np.array([2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98]) / 100
_LEVELS = 30
_LARGEST_GROUP = 6
#: A condition holds for so many leads at least, and for so large a share; so does its opposite.
_LEAST, _LEAST_SHARE = 20, 0.005


@dataclass(frozen=True)
class Conditions:
    """Conditions without points yet, and where they hold.

    Attributes
    ----------
    rows : tuple of CardRow
        With 0 points.
    holds : bool array (n, m)
    """

    rows: tuple[CardRow, ...]
    holds: np.ndarray


def conditions(features: LeadFeatures, y: np.ndarray, half_life: float | None) -> Conditions:
    """List the conditions that hold for enough leads, and not for enough: each pattern once.

    Parameters
    ----------
    features : LeadFeatures of n rows
    y : float (n,)
        1 where the step came, for the order in which levels are put into groups.
    half_life : float or None
        Of touches, in days.
    """
    n = len(features)
    least = max(_LEAST, _LEAST_SHARE * n)
    rows, holds, seen = [], [], set()
    for row in _all(features, y, half_life):
        held = meets(row, features, half_life)
        count = int(held.sum())
        pattern = np.packbits(held if held[:1].all() else ~held).tobytes() if n else b""
        if min(count, n - count) >= least and pattern not in seen:
            seen.add(pattern)
            rows.append(row)
            holds.append(held)
    return Conditions(tuple(rows), np.column_stack(holds) if holds else np.zeros((n, 0), dtype=bool))


def _all(features: LeadFeatures, y: np.ndarray, half_life: float | None) -> Iterator[CardRow]:
    for name in map(str, features.numbers):
        axis, value = _axis(features, name), features.numbers[name].to_numpy(dtype=float)
        yield from (CardRow(axis, name, ">=", cut, 0) for cut in _cuts(value[~np.isnan(value)]))
        yield CardRow(axis, name, "missing", "", 0)
    for name in map(str, features.flags):
        yield CardRow(_axis(features, name), name, "is", TRUE, 0)
        yield CardRow(_axis(features, name), name, "missing", "", 0)
    for name in map(str, features.categories):
        yield from _of_levels(_axis(features, name), name, features.categories[name], y)
    kinds = sorted(features.touches["kind"].astype(str).unique())
    counts = decayed_counts(features, kinds, half_life)
    for at, kind in enumerate(kinds):
        there = counts[:, at][counts[:, at] > 0]
        yield from (CardRow("engagement", TOUCHES + kind, ">=", cut, 0) for cut in _cuts(there))


def _axis(features: LeadFeatures, name: str) -> Axis:
    return "engagement" if name in features.engagement else "fit"


def _cuts(known: np.ndarray) -> list[float]:
    """Values at which a number may be cut: a few of its quantiles, of four figures, so that a person can type them."""
    known = known[np.isfinite(known)]
    if not len(known):
        return []
    found = np.quantile(known, _CUTS, method="inverted_cdf")
    more = known[known > known.min()]  # the second smallest: a count that is not nought
    return sorted({float(f"{v:.4g}") for v in [*found, *([more.min()] if len(more) else [])]})


def _of_levels(axis: Axis, name: str, value: pd.Series, y: np.ndarray) -> Iterator[CardRow]:
    """Single levels, and groups from either end of the order of their (smoothed) rates."""
    yield CardRow(axis, name, "missing", "", 0)
    known = (value != MISSING).to_numpy()
    table = pd.DataFrame({"level": value[known].astype(str), "y": y[known]}).groupby("level")["y"].agg(["sum", "size"])
    table = table.sort_values("size", ascending=False, kind="stable").head(_LEVELS)
    yield from (CardRow(axis, name, "is", str(level), 0) for level in table.index)
    rate = (table["sum"] + 10 * float(y.mean())) / (table["size"] + 10)
    order = [str(level) for level in rate.sort_values(ascending=False, kind="stable").index]
    for k in range(2, min(_LARGEST_GROUP, len(order) - 1) + 1):
        yield CardRow(axis, name, "in", tuple(sorted(order[:k])), 0)
        yield CardRow(axis, name, "in", tuple(sorted(order[-k:])), 0)
