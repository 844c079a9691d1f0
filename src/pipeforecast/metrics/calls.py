"""How near forecast calls came to what was won, by layer and day of the period."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.deals import won_in
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.values import Values, ratio
from pipeforecast.metrics.view import View
from pipeforecast.metrics.windows import DAY
from pipeforecast.rules.people import CALLS, Call


def _forecast_accuracy(view: View) -> dict[str, Values]:
    """Only periods that are over: before, nobody knows."""
    actual = won_in(view).sum("amount")
    actual[view.windows.ends > np.datetime64(view.as_of, "s")] = np.nan
    out = {}
    for layer in CALLS:
        heard = _heard(view, layer)
        for k in view.choices.call_days:
            call, n = _latest(view, heard, k)
            out[f"{layer.layer}, day {k}"] = Values(1 - ratio(np.abs(call - actual), actual), n)
    return {part: values for part, values in out.items() if (values.n > 0).any()}


def _heard(view: View, layer: Call) -> pd.DataFrame:
    """Calls of a layer for the windows: ``window``, ``level``, ``group``, ``made_at``, ``amount``, the oldest first."""
    own = layer.heard_in(view.frame("calls"))
    windows = {name.lower(): i for i, name in enumerate(view.windows.names)}
    words = own["period"].astype("object").astype(str).str.strip().str.lower()
    table = layer.named(own).assign(window=words.map(windows).astype("float64"), made_at=own["made_at"])
    table = table[table["window"].notna().to_numpy()].astype({"window": "int64"})
    # Who called at several levels said the same money twice: the level called last counts.
    last = table.groupby(["person", "window"])["level"].transform("last")
    return table[(table["level"] == last).to_numpy(dtype=bool)]


def _latest(view: View, heard: pd.DataFrame, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Latest call of every group by the evening of day ``k``, and a layer's sum as its total; how many (P, G)."""
    by_then = view.windows.starts[heard["window"]] + k * DAY  # midnight after the evening of day k
    said = heard[(heard["made_at"].to_numpy().astype("datetime64[s]") < by_then)]
    said = said.drop_duplicates(["window", "level", "group"], keep="last")
    call, n = np.full(view.shape, np.nan), np.zeros(view.shape)
    labels = view.groups.labels.reset_index(names="place")
    own = said.merge(labels[(labels["by"] != TOTAL).to_numpy()], left_on=["level", "group"], right_on=["by", "group"])
    call[own["window"], own["place"]], n[own["window"], own["place"]] = own["amount"], 1.0
    whole = said.groupby("window")["amount"].agg(["sum", "size"])
    call[whole.index, 0], n[whole.index, 0] = whole["sum"], whole["size"]
    return call, n


METRICS = (
    Metric(
        "forecast_accuracy", "Forecast accuracy",
        "1 − |call − won amount| ÷ won amount, of the latest call by the evening of that day; of periods that are over",
        "share", "calls", "closed", "up", "forecast", _forecast_accuracy,
        {"deals": (), "calls": ("made_at", "person", "layer", "period", "amount")}, parts="layer and day",
        example="called 90, won 100 = 0.90",
    ),
)  # fmt: skip
