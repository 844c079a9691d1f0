"""Columns as scikit-learn's pipelines take them: bent lines and bins of numbers, with what is missing kept apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from pipeforecast.leads import LeadFeatures


def flat(features: LeadFeatures) -> pd.DataFrame:
    """Put numbers, categories and flags side by side."""
    return pd.concat([features.numbers, features.categories, features.flags], axis=1)


def usable(features: LeadFeatures) -> tuple[list[str], list[str], list[str]]:
    """Names of the numbers, categories and flags that take at least two values, missing being one.

    A column without any value would stop scikit-learn's boosting, and one that never changes says nothing.
    """
    frames = (features.numbers, features.categories, features.flags)
    numbers, categories, flags = ([str(n) for n in frame if varies(frame[n])] for frame in frames)
    return numbers, categories, flags


def varies(column: pd.Series) -> bool:
    """Whether a column takes at least two values, missing being one."""
    return len(column.drop_duplicates()) > 1


class Ramps(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers as ramps between quantiles: each rises from 0 to 1 between two knots, and one column says missing.

    A penalty on their coefficients is one on the steps of a bent line, which is so drawn towards a flat one; beyond
    the outer knots it is flat, so that no outlier counts for more than the rest.
    """

    def __init__(self, shares: tuple[float, ...] = (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)) -> None:
        self.shares = shares

    def fit(self, X: pd.DataFrame, y: Any = None) -> Ramps:
        """Find the knots of each column."""
        self.knots_ = [_knots(X[name].to_numpy(dtype="float64"), self.shares) for name in X]
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Give the ramps of all columns, side by side (n, ·)."""
        out = [np.zeros((len(X), 0))]
        for name, knots in zip(X, self.knots_, strict=True):
            x = X[name].to_numpy(dtype="float64")
            ramps = np.clip((x[:, None] - knots[:-1]) / np.diff(knots), 0, 1)
            out += [np.nan_to_num(ramps), np.isnan(x)[:, None].astype("float64")]
        return np.hstack(out)


def _knots(x: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    x = x[np.isfinite(x)]
    if not len(x):
        return np.array([0.0])
    knots = np.unique(np.quantile(x, shares, method="nearest"))
    return np.unique([x.min(), x.max()]) if len(knots) < 2 else knots


class Bins(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers as the number of the quantile bin that they lie in; missing stays NaN."""

    def __init__(self, bins: int = 32) -> None:
        self.bins = bins

    def fit(self, X: pd.DataFrame, y: Any = None) -> Bins:
        """Find the edges of each column."""
        self.edges_ = [bin_edges(X[name].to_numpy(dtype="float64"), self.bins) for name in X]
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Give the bins' numbers (n, columns)."""
        out = np.empty((len(X), len(self.edges_)))
        for i, (name, edges) in enumerate(zip(X, self.edges_, strict=True)):
            x = X[name].to_numpy(dtype="float64")
            out[:, i] = np.where(np.isnan(x), np.nan, np.searchsorted(edges, x, side="left"))
        return out


def bin_edges(x: np.ndarray, bins: int) -> np.ndarray:
    """Upper edges of quantile bins: a value on an edge lies below it; the last bin has none."""
    x = x[np.isfinite(x)]
    if not len(x):
        return np.zeros(0)
    edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    return np.asarray(edges[edges < x.max()])
