"""What a points card is: a few rows of a condition and its points, which evaluate themselves on any leads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.leads import MISSING, LeadFeatures

Axis = Literal["fit", "engagement"]
AXES: tuple[Axis, ...] = ("fit", "engagement")
OPERATORS = (">=", "is", "in", "missing")
#: Prefix of features that count touches of a kind, each worth half after every half-life.
TOUCHES = "touches:"
TRUE = "true"


@dataclass(frozen=True)
class CardRow:
    """One row: a lead that meets the condition gets the points.

    Attributes
    ----------
    axis : 'fit' or 'engagement'
    feature : str
        A column of ``LeadFeatures``, or ``touches:KIND``: the count of touches of that kind, decayed.
    operator : str
        ``>=`` (a number at or above ``value``), ``is`` (a text equal to ``value``; ``true`` for a flag), ``in`` (a text
        equal to one of ``value``), ``missing`` (nothing is known). A missing value meets ``missing`` and nothing else.
    value : float, str or tuple of str
        Empty text for ``missing``.
    points : int
    """

    axis: Axis
    feature: str
    operator: str
    value: float | str | tuple[str, ...]
    points: int

    def __post_init__(self) -> None:
        if self.axis not in AXES or self.operator not in OPERATORS:
            raise DataError(
                f"points card: expected an axis of {some(AXES)} and an operator of {some(OPERATORS)}, "
                f"came {self.axis!r} and {self.operator!r}"
            )
        kinds = {">=": (int, float), "is": (str,), "in": (tuple,), "missing": (str,)}[self.operator]
        if not isinstance(self.value, kinds) or isinstance(self.value, bool):
            raise DataError(f"points card: {self.operator!r} does not go with the value {self.value!r}")
        if isinstance(self.value, float | int) and not math.isfinite(self.value):
            raise DataError(f"points card: expected a finite value for {self.feature!r}, came {self.value!r}")


@dataclass(frozen=True)
class PointsCard:
    """Rows that add up, and what a sum of points means.

    Attributes
    ----------
    rows : tuple of CardRow
        All that apply are added; a lead to which none applies has 0 points.
    intercept, slope : float
        Log-odds of the step: ``intercept + slope × points``.
    half_life : float or None
        Days after which a touch counts half; None where touches do not decay, or no row counts them.
    disqualify_below : int or None
        Leads with fewer points are disqualified.
    """

    rows: tuple[CardRow, ...]
    intercept: float
    slope: float
    half_life: float | None = None
    disqualify_below: int | None = None

    def points(self, features: LeadFeatures, axis: Axis | None = None) -> np.ndarray:
        """Points of each lead, of one axis or in all.

        Parameters
        ----------
        features : LeadFeatures of n rows
            A column that the card knows and they lack counts as missing.
        axis : 'fit', 'engagement' or None

        Returns
        -------
        int array (n,)
        """
        total = np.zeros(len(features), dtype=np.int64)
        for row in self.rows:
            if axis is None or row.axis == axis:
                total += row.points * meets(row, features, self.half_life)
        return total

    def chance(self, points: np.ndarray) -> np.ndarray:
        """Probability of the step for sums of points."""
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.slope * np.asarray(points, dtype=float)))))

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that have rows, fit first."""
        return tuple(a for a in AXES if any(r.axis == a for r in self.rows))

    def range(self) -> tuple[int, int]:
        """Bounds of the sums: no lead has fewer or more points (not every sum between can occur)."""
        return sum(min(r.points, 0) for r in self.rows), sum(max(r.points, 0) for r in self.rows)

    def plain(self) -> dict[str, Any]:
        """Give the card as dicts, lists, numbers and text: what JSON and YAML hold."""
        rows = [
            {**vars(r), "value": list(r.value) if isinstance(r.value, tuple) else r.value} for r in self.rows
        ]  # fmt: skip
        return {
            "rows": rows, "intercept": self.intercept, "slope": self.slope, "half_life_days": self.half_life,
            "disqualify_below": self.disqualify_below,
        }  # fmt: skip


def card_of(plain: Mapping[str, Any]) -> PointsCard:
    """Make a card of what ``PointsCard.plain`` gave, judged again: the file may have been edited.

    Raises
    ------
    DataError
        If a key is missing, unknown or of a wrong kind.
    """
    try:
        rows = tuple(
            CardRow(
                r["axis"], _text(r["feature"]), r["operator"],
                tuple(_text(v) for v in r["value"]) if isinstance(r["value"], list) else r["value"],
                _whole(r["points"]),
            )
            for r in plain["rows"]
        )  # fmt: skip
        unknown = set(plain) - {"rows", "intercept", "slope", "half_life_days", "disqualify_below"}
        if unknown:
            raise ValueError(f"unknown keys {some(sorted(unknown))}")
        half, below = plain["half_life_days"], plain["disqualify_below"]
        return PointsCard(
            rows, float(plain["intercept"]), float(plain["slope"]), None if half is None else float(half),
            None if below is None else _whole(below),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"points card: expected rows of axis, feature, operator, value and points, intercept, slope, "
            f"half_life_days and disqualify_below; came {type(error).__name__}: {error}. Make the file anew"
        ) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, came {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, came {value!r}")
    return value


def meets(row: CardRow, features: LeadFeatures, half_life: float | None) -> np.ndarray:
    """Say which leads meet the condition of a row, as booleans (n,)."""
    name, n = row.feature, len(features)
    if name.startswith(TOUCHES):
        count = decayed_counts(features, (name.removeprefix(TOUCHES),), half_life)[:, 0]
        return np.asarray(count >= row.value) if row.operator == ">=" else np.zeros(n, dtype=bool)
    if name in features.categories:
        return _text_meets(row, features.categories[name])
    if name not in features.numbers and name not in features.flags:
        return np.full(n, row.operator == "missing")
    flag = name in features.flags
    value = (features.flags if flag else features.numbers)[name].to_numpy(dtype=float)
    if row.operator == "missing":
        return np.asarray(np.isnan(value))
    if row.operator == ">=" and not flag:
        return np.asarray(value >= row.value)  # a comparison with NaN is false
    return np.asarray(value == 1) if flag and row.value == TRUE else np.zeros(n, dtype=bool)


def _text_meets(row: CardRow, value: pd.Series) -> np.ndarray:
    if row.operator == "missing":
        return (value == MISSING).to_numpy(dtype=bool)
    if row.operator == "is":
        return ((value == row.value) & (value != MISSING)).to_numpy(dtype=bool)
    wanted = [v for v in row.value if v != MISSING] if isinstance(row.value, tuple) else []
    return value.isin(wanted).to_numpy(dtype=bool)


def decayed_counts(features: LeadFeatures, kinds: Sequence[str], half_life: float | None) -> np.ndarray:
    """Count touches by kind, each worth ``2 ** (−days ago ÷ half-life)``.

    Parameters
    ----------
    features : LeadFeatures of n rows
    kinds : sequence of k kinds of touches
    half_life : float or None
        In days; None counts every touch as 1.

    Returns
    -------
    float array (n, k)
        Rounded to nine digits: a sum must not hang on the order of adding.
    """
    touches = features.touches
    worth = np.ones(len(touches)) if half_life is None else 0.5 ** (touches["days_ago"].to_numpy(float) / half_life)
    out = np.zeros((len(features), len(kinds)))
    for at, kind in enumerate(kinds):
        own = (touches["kind"] == kind).to_numpy(dtype=bool)
        out[:, at] = np.bincount(touches["row"].to_numpy(dtype=int)[own], worth[own], minlength=len(features))
    return np.asarray(np.round(out, 9))
