"""The four Vs side by side: volume, value, velocity and conversion, new and existing customers apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.pipeline import listed, opened
from pipeforecast.metrics.stages import by_stage, cohorts_of, converted, duration, stays_of
from pipeforecast.metrics.values import NotAvailable, Values, amount, count
from pipeforecast.metrics.view import View

_KINDS = {"all customers": None, "new customers": "new", "existing customers": "existing"}


def _four_vs(view: View) -> dict[str, Values]:
    out: dict[str, Values] = {}
    for who, kind in _KINDS.items():
        if kind is None or "deal_type" in view.deal_frame:
            out |= {f"{who}: {what}": values for what, values in _vs(view, kind).items()}
    return out


def _vs(view: View, kind: str | None) -> dict[str, Values]:
    now = opened(view).where(_are(view.opened.rows, kind))
    x = listed(view)
    out = {
        "volume": replace(count(now.count()), unit="count"),
        "value": replace(amount(now.sum(x), now.count(), now.squares(x)), unit="currency"),
    }
    try:
        stays, entered = stays_of(view), cohorts_of(view)
    except NotAvailable:
        return out
    days = duration(view, where=_are(stays.rows, kind), name=kind or "")
    for stage, values in days.items():
        out[f"velocity, {stage}"] = replace(values, unit="days")
    cohort = entered.within("entered_at", _are(entered.rows, kind))
    for stage, values in by_stage(view, cohort, converted).items():
        out[f"conversion, {stage}"] = replace(values, unit="share")
    return out


def _are(rows: pd.DataFrame, kind: str | None) -> np.ndarray:
    if kind is None:
        return np.ones(len(rows), dtype=bool)
    if "deal_type" not in rows:
        return np.zeros(len(rows), dtype=bool)
    return np.asarray((rows["deal_type"] == kind).fillna(False), dtype=bool)


METRICS = (
    Metric(
        "four_vs", "The four Vs",
        "volume: open deals; value: their amount; velocity: median days in each stage; conversion of each stage; of "
        "all, new and existing customers",
        "by part", "deals", "as of", "neither", "pipeline", _four_vs, parts="customers and V",
        example="2 open deals of new customers worth 300, 1 of an existing one worth 50",
    ),
)  # fmt: skip
