"""Grades: sums of points cut where conversion differs most, each with what it converted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pipeforecast.calibration import wilson
from pipeforecast.leads import LeadFeatures
from pipeforecast.points.card import Axis, PointsCard

LETTERS, NUMBERS = "ABCD", "1234"
_LEAST_SHARE, _LEAST = 0.05, 20
_CANDIDATES = 40


@dataclass(frozen=True)
class Grades:
    """Where the grades begin.

    Attributes
    ----------
    first : tuple of int, falling
        Fewest points of A, of B, of C (of the fit axis, or of the only one); all others are D. Fewer where the points
        do not tell four grades apart.
    second : tuple of int or None
        Fewest engagement points of 1, of 2, of 3; None where the card has one axis.
    """

    first: tuple[int, ...]
    second: tuple[int, ...] | None = None

    def of(self, card: PointsCard, features: LeadFeatures) -> np.ndarray:
        """Grade leads by a card: ``A`` … ``D``, or ``A1`` … ``D4``."""
        if self.second is None:
            return self.named(card.points(features))
        return self.named(card.points(features, "fit"), card.points(features, "engagement"))

    def named(self, first: np.ndarray, second: np.ndarray | None = None) -> np.ndarray:
        """Grade sums of points (of the first axis, and of the second)."""
        letters = np.array(list(LETTERS))[_place(first, self.first)]
        if self.second is None or second is None:
            return np.asarray(letters, dtype=object)
        return np.asarray(np.char.add(letters, np.array(list(NUMBERS))[_place(second, self.second)]), dtype=object)

    @property
    def names(self) -> list[str]:
        """All grades, the best first."""
        own = [*LETTERS[: len(self.first)], "D"]
        if self.second is None:
            return own
        return [a + b for a in own for b in (*NUMBERS[: len(self.second)], "4")]


def _place(points: np.ndarray, cuts: tuple[int, ...]) -> np.ndarray:
    """Place among the grades: 0 at or above the first cut, and so on; below the last it is the worst, 3."""
    below = sum((np.asarray(points) < c for c in cuts), np.zeros(len(points), dtype=int))
    return np.asarray(np.where(below == len(cuts), 3, below))


def axis_of_grades(card: PointsCard) -> tuple[Axis | None, ...]:
    """The axes that grades are cut on: both where the card has both, else the sum."""
    return ("fit", "engagement") if len(card.axes) == 2 else (None,)


def cuts_of(points: np.ndarray, y: np.ndarray) -> tuple[int, ...]:
    """Cut sums of points so that the grades' conversions are as likely as can be, and fall from grade to grade.

    Parameters
    ----------
    points : array (n,)
        Whole numbers.
    y : float (n,)

    Returns
    -------
    tuple of int, falling
        At most three; each grade holds 5 % of the leads and twenty of them at least.
    """
    if not len(points):
        return ()
    values = np.unique(np.asarray(points, dtype=np.int64))
    n = np.array([np.sum(points >= v) for v in values], dtype=float)
    won = np.array([y[points >= v].sum() for v in values])
    least = max(_LEAST, _LEAST_SHARE * len(points))
    usable = np.flatnonzero((n >= least) & (len(points) - n >= least))
    if len(usable) > _CANDIDATES:
        usable = usable[np.unique(np.linspace(0, len(usable) - 1, _CANDIDATES).round().astype(int))]
    for size in (3, 2, 1):
        tried = np.array(list(combinations(usable[::-1], size)), dtype=int).reshape(-1, size)
        if not len(tried):
            continue
        count = np.diff(np.column_stack([np.zeros(len(tried)), n[tried], np.full(len(tried), len(points))]))
        came = np.diff(np.column_stack([np.zeros(len(tried)), won[tried], np.full(len(tried), y.sum())]))
        rate = came / np.maximum(count, 1)
        good = (count >= least).all(axis=1) & (np.diff(rate) < 0).all(axis=1)
        if good.any():
            value = np.where(good, _likelihood(came, count).sum(axis=1), -np.inf)
            return tuple(int(values[i]) for i in tried[int(np.argmax(value))])
    return ()


def _likelihood(came: np.ndarray, n: np.ndarray) -> np.ndarray:
    rate = np.clip(came / np.maximum(n, 1), 1e-12, 1 - 1e-12)
    return np.asarray(came * np.log(rate) + (n - came) * np.log(1 - rate))


def grade_table(grade: np.ndarray, chance: np.ndarray, y: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Give each grade's leads, conversion with Wilson's interval, and the mean chance that was given.

    Parameters
    ----------
    grade : object array (n,)
    chance, y : float (n,)
        Out-of-fold; whether the step came.
    names : list of str
        Grades, the best first; one without leads has a row too.
    """
    rows = []
    for name in names:
        own = grade == name
        n, won = int(own.sum()), int(y[own].sum())
        share = won / n if n else float("nan")
        lower, upper = wilson(share, n) if n else (float("nan"), float("nan"))
        said = float(chance[own].mean()) if n else float("nan")
        rows.append({
            "grade": name, "leads": n, "share": n / max(len(grade), 1), "converted": won, "conversion": share,
            "lower": float(lower), "upper": float(upper), "chance": said,
        })  # fmt: skip
    return pd.DataFrame(rows)


def calibration_table(card: PointsCard, points: np.ndarray, y: np.ndarray, bins: int = 12) -> pd.DataFrame:
    """Give what a sum of points means: the chance by the card's line, and what converted at such sums out of fold.

    Sums are put together into at most ``bins`` runs of about equal counts; equal sums stay together.
    """
    values, count = np.unique(points.astype(np.int64), return_counts=True)
    run = ((np.cumsum(count) - count) * bins // max(int(count.sum()), 1)).astype(int)
    rows = []
    for i in np.unique(run)[::-1]:
        own = np.isin(points, values[run == i])
        n, won = int(own.sum()), float(y[own].sum())
        lower, upper = wilson(won / n, n)
        rows.append({
            "points_from": int(values[run == i].min()), "points_to": int(values[run == i].max()), "leads": n,
            "chance": float(card.chance(points[own]).mean()), "conversion": won / n, "lower": float(lower),
            "upper": float(upper),
        })  # fmt: skip
    return pd.DataFrame(
        rows, columns=["points_from", "points_to", "leads", "chance", "conversion", "lower", "upper"]
    )  # fmt: skip
