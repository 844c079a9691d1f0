"""A fitted lead model as a sum of terms on the log-odds, one term a column: quick to score, and its reasons add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.leads import MISSING, LeadFeatures


@dataclass(frozen=True)
class Term:
    """What one column adds to the log-odds.

    Attributes
    ----------
    name : str
        The column.
    kind : 'line', 'step' or 'level'
        Straight lines between the knots ``at`` (constant outside), one value for each interval that they cut (a value
        on an edge belongs below it), or one value a level.
    at : float array, or list of str for levels
    values : float array
        As long as ``at``; one more for steps, and for levels, whose last value is that of all others.
    missing : float
    mean : float
        Over the leads that taught: reasons count from there.
    """

    name: str
    kind: str
    at: np.ndarray | list[str]
    values: np.ndarray
    missing: float
    mean: float = 0.0

    def of(self, column: pd.Series) -> np.ndarray:
        """Give what each row (n,) adds."""
        if self.kind == "level":
            table = dict(zip(self.at, self.values[:-1].tolist(), strict=True))
            codes, levels = pd.factorize(column, use_na_sentinel=False)
            named = [MISSING if pd.isna(level) else str(level) for level in levels]
            return np.array([table.get(level, float(self.values[-1])) for level in named] or [0.0])[codes]
        x = column.to_numpy(dtype="float64", na_value=np.nan)
        at = np.asarray(self.at, dtype="float64")
        line = self.kind == "line"
        out = np.interp(x, at, self.values) if line else self.values[np.searchsorted(at, x, side="left")]
        return np.asarray(np.where(np.isnan(x), self.missing, out))


@dataclass(frozen=True)
class LeadModel:
    """A fitted model of leads.

    Attributes
    ----------
    kind : str
        logistic, boosting or naive_bayes.
    intercept : float
    terms : list of Term
    offset, slope : float
        Recalibration: the log-odds are ``offset + slope × (intercept + Σ terms)``.
    step, days
        What is foretold: the step within the days.
    facts : mapping
        How it was taught: plain values.
    """

    kind: str
    intercept: float
    terms: list[Term]
    offset: float = 0.0
    slope: float = 1.0
    step: str = "converted"
    days: int = 90
    facts: Mapping[str, object] = field(default_factory=dict)

    def parts(self, features: LeadFeatures) -> np.ndarray:
        """What each term adds to the log-odds of each row, against the average lead (n, terms)."""
        out = np.empty((len(features), len(self.terms)))
        for i, term in enumerate(self.terms):
            out[:, i] = self.slope * (term.of(column_of(features, term.name)) - term.mean)
        return out

    @property
    def base(self) -> float:
        """Log-odds of a lead that is average in every column: ``base + parts.sum(axis=1)`` are the log-odds."""
        return float(self.offset + self.slope * (self.intercept + sum(t.mean for t in self.terms)))

    def log_odds(self, features: LeadFeatures) -> np.ndarray:
        """Log-odds of the step within the days (n,)."""
        total = np.full(len(features), self.base)
        for term in self.terms:
            total += self.slope * (term.of(column_of(features, term.name)) - term.mean)
        return total

    def chance(self, features: LeadFeatures) -> np.ndarray:
        """P(step within the days) of each row (n,)."""
        return sigmoid(self.log_odds(features))


def column_of(features: LeadFeatures, name: str) -> pd.Series:
    """Give a column of any of the three frames; one that is not there is missing in every row."""
    for frame in (features.numbers, features.flags, features.categories):
        if name in frame:
            return frame[name]
    return pd.Series(np.full(len(features), np.nan), name=name)


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Chance of log-odds, without overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -35, 35))))
