"""A saved model as a plain function of a flat table: one described deal a row, chances and an amount out.

This is the module that MLflow names as the loader of a model: what is stored beside it holds no code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.features import MISSING, Features, describe
from pipeforecast.forecast import DealForecast
from pipeforecast.models.grid import make_grid
from pipeforecast.saved import SavedModel, load
from pipeforecast.snapshot import Snapshot

#: Columns beside the features; all but the first may be left out.
FACTS = ("as_of", "expected_close", "amount", "horizon", "period_start", "period_end")
OUTPUTS = ("p_win", "p_lost", "p_win_in_period", "expected_amount")
_HORIZON = 365


def flat_table(snapshot: Snapshot) -> pd.DataFrame:
    """Describe the open deals of a snapshot in one flat table, as ``Scorer.predict`` takes it."""
    features = describe(snapshot)
    facts = pd.DataFrame({
        "as_of": features.as_of, "expected_close": features.due,
        "amount": snapshot.open["amount"].to_numpy(dtype="float64"),
    })  # fmt: skip
    return pd.concat([facts, features.numbers, features.categories], axis=1)


def inputs_of(features: Features) -> dict[str, list[str]]:
    """Name the columns of a model's flat table: its numbers and its categories, in their order."""
    return {"numbers": list(features.numbers.columns), "categories": list(features.categories.columns)}


def columns_of(inputs: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, bool]]:
    """Type of each column of the flat table, and whether it must be there."""
    facts = {
        "as_of": ("datetime", True), "expected_close": ("datetime", False), "amount": ("double", False),
        "horizon": ("double", False), "period_start": ("datetime", False), "period_end": ("datetime", False),
    }  # fmt: skip
    features = dict.fromkeys(inputs["numbers"], ("double", True))
    return {**facts, **features, **dict.fromkeys(inputs["categories"], ("string", True))}


def example_of(inputs: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Make two deals up that show what a row looks like; no value comes from data."""
    day = pd.Timestamp("2024-02-15")
    return pd.DataFrame({
        "as_of": [day, day],
        "expected_close": [day + pd.Timedelta(days=20), day + pd.Timedelta(days=75)],
        "amount": [12000.0, 48000.0],
        "horizon": [365.0, 365.0],
        "period_start": [pd.Timestamp("2024-01-01")] * 2,
        "period_end": [pd.Timestamp("2024-03-31")] * 2,
        **{name: [0.0, 1.0] for name in inputs["numbers"]},
        **{name: [MISSING, MISSING] for name in inputs["categories"]},
    })  # fmt: skip


@dataclass(frozen=True)
class Scorer:
    """A saved model that scores flat tables.

    Attributes
    ----------
    model : SavedModel
    """

    model: SavedModel

    def predict(self, table: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Score each row.

        Parameters
        ----------
        table : DataFrame
            ``as_of`` and every feature (``columns_of``); optional ``expected_close`` and ``amount`` (as listed),
            ``horizon`` (days, default 365), ``period_start`` and ``period_end`` (default: the fiscal period that the
            day after ``as_of`` lies in).
        params : mapping, optional
            Not used; MLflow hands it over.

        Returns
        -------
        DataFrame
            ``p_win`` and ``p_lost`` (within the horizon), ``p_win_in_period``, ``expected_amount`` (given that it is
            won, in the export's currency), in the order of the rows.

        Raises
        ------
        DataError
            If a needed column is not there, or an ``as_of`` is missing.
        """
        features, asked = self._taken_apart(table)
        out = np.zeros((len(table), len(OUTPUTS)))
        out[:, 3] = self.model.amounts.expected(_as_snapshot(features, asked))
        calendar = self.model.deals.calendar
        days, code = np.unique(features.as_of, return_inverse=True)
        for i, day in enumerate(days):
            at = np.flatnonzero(code == i)
            rows, as_of = asked.iloc[at], pd.Timestamp(day)
            furthest = max(rows["until"].max(), rows["period_end"].max())
            grid = make_grid(as_of, calendar, max(int((furthest - as_of).days), 1))
            won, lost = next(iter(self.model.deals.chances.incidences(features.rows(at), grid)))
            made = DealForecast(at, grid.ends, won, lost, np.zeros(len(at)))
            until, before = _array(rows["until"]), _array(rows["period_start"] - pd.Timedelta(days=1))
            out[at, 0], out[at, 1] = made.won_by(until), made.lost_by(until)
            out[at, 2] = made.won_by(_array(rows["period_end"])) - made.won_by(before)
        return pd.DataFrame(out, columns=list(OUTPUTS), index=table.index)

    def _taken_apart(self, table: pd.DataFrame) -> tuple[Features, pd.DataFrame]:
        """Sort the columns into features and what is asked of each row."""
        inputs = self.model.about["inputs"]
        needed = [n for n, (_, must) in columns_of(inputs).items() if must]
        missing = [n for n in needed if n not in table]
        if missing:
            raise DataError(f"scoring: expected the columns {some(needed, 60)}, came none called {some(missing)}")
        asked = self._asked(table.reset_index(drop=True))
        return Features(
            table[list(inputs["numbers"])].reset_index(drop=True).astype("float64"),
            table[list(inputs["categories"])].reset_index(drop=True).astype("object").fillna(MISSING),
            _array(asked["as_of"]),
            _array(asked["expected_close"]),
        ), asked

    def _asked(self, table: pd.DataFrame) -> pd.DataFrame:
        days = pd.DataFrame({
            name: pd.to_datetime(table[name]).astype("datetime64[s]").dt.normalize()
            if name in table else pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
            for name in ("as_of", "expected_close", "period_start", "period_end")
        })  # fmt: skip
        if days["as_of"].isna().any():
            raise DataError("scoring: expected a day in as_of of every row, came rows without one")
        calendar = self.model.deals.calendar
        running = {d: calendar.containing(d + pd.Timedelta(days=1)) for d in days["as_of"].unique()}
        days["period_start"] = days["period_start"].fillna(days["as_of"].map({d: p.start for d, p in running.items()}))
        days["period_end"] = days["period_end"].fillna(days["as_of"].map({d: p.end for d, p in running.items()}))
        horizon = table["horizon"].fillna(_HORIZON) if "horizon" in table else pd.Series(_HORIZON, index=table.index)
        days["until"] = days["as_of"] + pd.to_timedelta(horizon.astype("float64"), unit="D").astype("timedelta64[s]")
        amount = table["amount"] if "amount" in table else pd.Series(np.nan, index=table.index)
        return days.assign(amount=amount.astype("float64"))


def _as_snapshot(features: Features, asked: pd.DataFrame) -> Snapshot:
    """Give amounts the rows that they look at: what is listed, and the stage and segment that it depends on."""
    rows = pd.concat([asked, features.categories.replace(MISSING, None)], axis=1)
    if "stage" not in rows:
        rows["stage"] = None
    rows = rows.assign(deal=np.arange(len(rows)))
    nothing = pd.DataFrame()
    return Snapshot(np.unique(features.as_of), rows, nothing, nothing, {}, nothing)


def _array(days: pd.Series) -> np.ndarray:
    return days.to_numpy().astype("datetime64[s]")


def _load_pyfunc(path: str) -> Scorer:
    """Load a model's folder; MLflow calls it by this name."""
    return Scorer(load(Path(path)))
