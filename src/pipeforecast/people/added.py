"""Forecast value added: what each layer of judgement gains over the one below it, from rep to model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.evidence import bootstrap_by_group
from pipeforecast.forecast import TOTAL
from pipeforecast.people.words import ALL_DAYS
from pipeforecast.scores import wape

#: Layers from the bottom up, and the method of the replay that says what each of them forecast.
LAYERS = {"rep": "rep_call", "manager": "manager_call", "executive": "executive_call", "model": "model"}
COLUMNS = ("layer", "below", "day_of_period", "n_origins", "n_periods", "wape", "added", "lower", "upper")


def value_added(rows: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Compare each layer with the one below it on the origins at which all of them have forecast.

    Parameters
    ----------
    rows : DataFrame
        As of ``backtest.csv``: ``level``, ``as_of``, ``period``, ``day_of_period``, ``method``, ``mean``, ``actual``.
        A layer that never called is left out; the model stands above those that did.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        ``layer`` and the layer ``below`` it (empty for the lowest); ``day_of_period`` (−1: all days together);
        ``n_origins``, ``n_periods``; ``wape``, Σ abs error ÷ Σ abs actual; ``added``, by how much that is lower than
        the layer's below (share of revenue), with the interval ``lower``, ``upper`` that draws whole periods again:
        NaN ends with fewer than two periods. Without calls, or without an origin that all share, no row.
    """
    total = rows[((rows["level"] == TOTAL) & rows["method"].isin(LAYERS.values())).to_numpy(dtype=bool)]
    keys = ["as_of", "period", "day_of_period"]
    told = total.pivot_table(index=keys, columns="method", values="mean", aggfunc="first")
    there = [layer for layer, method in LAYERS.items() if method in told]
    if there in ([], ["model"]):
        return no_value_added()
    told = told.dropna()
    actual = total.groupby(keys)["actual"].first().reindex(told.index).to_numpy(dtype="float64")
    days = told.index.get_level_values("day_of_period").to_numpy()
    found: list[dict[str, Any]] = []
    for day in [ALL_DAYS, *np.unique(days)] if len(told) else []:
        on = np.ones(len(told), dtype=bool) if day == ALL_DAYS else days == day
        period = told.index.get_level_values("period").to_numpy()[on]
        for layer, below in zip(there, ["", *there], strict=False):
            own = told[LAYERS[layer]].to_numpy(dtype="float64")[on]
            other = told[LAYERS[below]].to_numpy(dtype="float64")[on] if below else None
            found.append({
                "layer": layer, "below": below, "day_of_period": int(day), "n_origins": int(on.sum()),
                "n_periods": len(np.unique(period)), "wape": wape(actual[on], own),
                **_gain(actual[on], own, other, period, level),
            })  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS))


def no_value_added() -> pd.DataFrame:
    """Give the table of ``value_added`` without rows."""
    return pd.DataFrame(columns=list(COLUMNS))


def _gain(
    actual: np.ndarray, own: np.ndarray, other: np.ndarray | None, period: np.ndarray, level: float
) -> dict[str, float]:
    if other is None:
        return dict.fromkeys(("added", "lower", "upper"), np.nan)

    def saved(i: np.ndarray) -> float:
        return wape(actual[i], other[i]) - wape(actual[i], own[i])

    gain = bootstrap_by_group(saved, period, level=level)
    return {"added": gain.value, "lower": gain.lower, "upper": gain.upper}
