"""The design matrix of the hazard model: a deal's features, the interval looked at, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from pipeforecast.features import Features
from pipeforecast.models.grid import Grid

_SLOTS = 6
_PERIODS = 3
_SHRINK_SEASON = 0.3
_MOST_LEVELS = 25
_VALUES_TO_BEND = 12
#: Numbers whose effect may differ by stage or segment: how long, how much, how often put off.
_CROSSED = ("log_age", "log_days_in_stage", "log_amount", "log_pushes", "log_days_since_touch", "overdue")


@dataclass
class DealDesign:
    """Turns features into columns of mean 0 and sd 1; missing numbers become the mean and a flag.

    A number with many values may bend: beside it stand hinges, max(0, z − knot), at its quantiles, so that the log-odds
    are piecewise linear in it. With ``by`` a category, each of its levels has an effect of its own for some
    numbers, shrunk towards the common one: between one model for all and one model a level.
    """

    min_count: int = 30
    bends: int = 0
    by: str = ""
    numbers: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    scale: np.ndarray = field(default_factory=lambda: np.ones(0))
    bent: list[int] = field(default_factory=list)
    knots: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bend_mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bend_scale: np.ndarray = field(default_factory=lambda: np.ones(0))
    encoder: OneHotEncoder | None = None
    own: list[int] = field(default_factory=list)
    crossed: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    factors: list[str] = field(default_factory=list)

    def fit(self, features: Features) -> DealDesign:
        """Learn means, scales, knots and levels; constant and empty columns are dropped."""
        x = features.numbers
        values = x.to_numpy(dtype="float64")
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(values)
            usable = [bool(known[:, j].any()) and np.nanstd(values[:, j]) > 1e-9 for j in range(values.shape[1])]
        self.numbers = [c for c, ok in zip(x.columns, usable, strict=True) if ok]
        kept = values[:, usable]
        self.mean, self.scale = np.nanmean(kept, axis=0) if kept.size else np.zeros(0), _scale(kept)
        share = np.isnan(kept).mean(axis=0) if kept.size else np.zeros(0)
        self.flags = [c for c, s in zip(self.numbers, share, strict=True) if 0.005 < s < 0.995]
        self._bend(kept)
        self.encoder = None
        if features.categories.shape[1]:
            least = max(2, min(self.min_count, len(x) // 50))
            self.encoder = OneHotEncoder(
                min_frequency=least,
                max_categories=_MOST_LEVELS,
                handle_unknown="infrequent_if_exist",
                sparse_output=False,
            ).fit(features.categories.to_numpy(dtype=object))
        self._name(list(features.categories.columns))
        return self

    def _bend(self, values: np.ndarray) -> None:
        """Put knots at the quantiles of the numbers that have enough values to show a bend."""
        z = (values - self.mean) / self.scale
        levels = np.arange(1, self.bends + 1) / (self.bends + 1)
        bent, knots = [], []
        for j in range(z.shape[1]) if self.bends else ():
            column = z[~np.isnan(z[:, j]), j]
            at = np.unique(np.quantile(column, levels))
            at = at[(at > column.min() + 1e-9) & (at < column.max() - 1e-9)]
            if len(np.unique(column)) >= _VALUES_TO_BEND:
                bent += [j] * len(at)
                knots += list(at)
        self.bent, self.knots = bent, np.array(knots)
        hinges = self._hinges(np.clip(np.nan_to_num(z, nan=0.0), -6, 6))
        self.bend_mean = hinges.mean(axis=0) if hinges.size else np.zeros(len(bent))
        self.bend_scale = np.maximum(hinges.std(axis=0), 1e-3) if hinges.size else np.ones(len(bent))

    def _hinges(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(z[:, self.bent] - self.knots, 0.0))

    def _name(self, categories: list[str]) -> None:
        encoded, factors = [], []
        if self.encoder is not None:
            encoded = [str(n) for n in self.encoder.get_feature_names_out(categories)]
            places = self.encoder.get_feature_names_out([str(i) for i in range(len(categories))])
            factors = [categories[int(str(n).split("_", 1)[0])] for n in places]
        self.own = [i for i, f in enumerate(factors) if f == self.by]
        hinges = [f"{self.numbers[j]} bend at {k:.2f}" for j, k in zip(self.bent, self.knots, strict=True)]
        self.crossed = [j for j, n in enumerate(self.numbers) if self.own and n in _CROSSED]
        crossed = [f"{encoded[i]}: {self.numbers[j]}" for i in self.own for j in self.crossed]
        self.names = [*self.numbers, *hinges, *(f"{c} is missing" for c in self.flags), *encoded, *crossed]
        bent = [self.numbers[j] for j in self.bent]
        own = [self.numbers[j] for j in self.crossed] * len(self.own)
        self.factors = [*self.numbers, *bent, *self.flags, *factors, *own]

    def transform(self, features: Features) -> np.ndarray:
        """Columns of each row (n, p), float64."""
        x = features.numbers.reindex(columns=self.numbers).to_numpy(dtype="float64")
        z = np.clip(np.nan_to_num((x - self.mean) / self.scale, nan=0.0), -6, 6)
        flags = np.isnan(features.numbers.reindex(columns=self.flags).to_numpy(dtype="float64")).astype("float64")
        parts = [z, (self._hinges(z) - self.bend_mean) / self.bend_scale, flags]
        if self.encoder is not None:
            levels = np.asarray(self.encoder.transform(features.categories.to_numpy(dtype=object)))
            parts += [levels, *(levels[:, [i]] * z[:, self.crossed] for i in self.own)]
        return np.hstack(parts)


def _scale(values: np.ndarray) -> np.ndarray:
    return np.nanstd(values, axis=0) if values.size else np.ones(0)


def interval_columns(
    grids: Sequence[Grid], grid_of_row: np.ndarray, interval: np.ndarray, expected_close: np.ndarray
) -> np.ndarray:
    """Columns of each (row, interval) pair: its place in the fiscal period, and against the expected close.

    Parameters
    ----------
    grids : sequence of Grid
    grid_of_row, interval : int arrays (N,)
    expected_close : datetime64[s] array (N,)

    Returns
    -------
    float array (N, q)
    """
    width = max(len(g.ends) for g in grids)
    table = {
        name: np.stack([_padded(getattr(g, name), width) for g in grids])[grid_of_row, interval]
        for name in ("lengths", "ahead", "slot", "period", "season")
    }
    ends = np.stack([_padded(g.gone, width) for g in grids])
    end = ends[grid_of_row, interval]
    as_of = np.array([g.as_of.to_datetime64() for g in grids], dtype="datetime64[s]")[grid_of_row]
    due = (expected_close - as_of).astype("float64") / 86400
    due[np.isnat(expected_close)] = np.nan
    slot = table["slot"].astype("int64")
    columns = [
        (slot == -1).astype("float64"),
        *[(slot == s).astype("float64") for s in range(_SLOTS - 1)],
        *[(table["period"] == p).astype("float64") for p in range(1, _PERIODS)],
        *[(table["season"] // 3 == s) * _SHRINK_SEASON for s in range(4)],
        np.log(table["lengths"]),
        _log_ahead(table["ahead"]),
        _log_ahead(table["ahead"]) ** 2,
        *_against_due(due, end - table["lengths"], end),
    ]
    return np.column_stack(columns)


def _padded(values: np.ndarray, width: int) -> np.ndarray:
    return np.pad(values.astype("float64"), (0, width - len(values)), constant_values=1.0)


def _log_ahead(days: np.ndarray) -> np.ndarray:
    return np.asarray(np.log1p(days)) / 2.0 - 1.5  # centred near three weeks, so that the interactions stay readable


def _against_due(due: np.ndarray, start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    """Place of the interval against the expected close: in it, before it, after it, and how far."""
    with np.errstate(invalid="ignore"):
        known = ~np.isnan(due)
        holds = known & (due > start) & (due <= end)
        before = known & (due > end)
        after = known & (due <= start)
        return [
            holds.astype("float64"),
            before.astype("float64"),
            np.where(before, np.log1p(np.maximum(due - end, 0)), 0.0) / 2,
            after.astype("float64"),
            np.where(after, np.log1p(np.maximum(start - due, 0)), 0.0) / 2,
            np.where(known & (due <= 0), np.log1p(np.maximum(-due, 0)), 0.0) / 2,
            np.where(holds, np.log(np.maximum(end - start, 1.0)), 0.0) / 2,
        ]


def together(deal: np.ndarray, interval: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Join both parts (N, p + q + s): ``slopes`` are the deal's columns whose effect changes with time ahead."""
    log_ahead = interval[:, [AHEAD]]
    return np.hstack([deal, interval, slopes * log_ahead])


def split(beta: np.ndarray, deal: int, interval: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part coefficients (K−1, p + q + s + 1) on ``together``'s columns: the deal's, the interval's, the slopes'."""
    return beta[:, :deal], beta[:, deal : deal + interval], beta[:, deal + interval : -1]


#: Position of log(days ahead) among the interval's columns.
AHEAD = 1 + (_SLOTS - 1) + (_PERIODS - 1) + 4 + 1


def frame_of(deal_names: Sequence[str], slope_names: Sequence[str]) -> pd.Index:
    """Name the columns of ``together``, in their order."""
    interval = [
        "already closed", *(f"slot {s}" for s in range(_SLOTS - 1)), *(f"period +{p}" for p in range(1, _PERIODS)),
        *(f"season {s + 1}" for s in range(4)), "log days in interval", "log days ahead", "log days ahead squared",
        "due in interval", "due later", "log days until due", "due earlier", "log days since due", "log days overdue",
        "due in interval, log length",
    ]  # fmt: skip
    return pd.Index([*deal_names, *interval, *(f"{n} × log days ahead" for n in slope_names)])
