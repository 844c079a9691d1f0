"""The four Vs side by side: volume, value, velocity and conversion, new and existing customers apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.metrics.accounts import engagement
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.leads import created
from pipeforecast.metrics.marketing import first_wins
from pipeforecast.metrics.pipeline import listed, opened
from pipeforecast.metrics.speed import speed_of
from pipeforecast.metrics.stages import cohorts_of, conversion, duration, stays_of
from pipeforecast.metrics.statuses import leads_of
from pipeforecast.metrics.values import NotAvailable, Values, amount, count
from pipeforecast.metrics.view import View

_FARMING = "existing customers: touches a month"
_KINDS = {"all customers": None, "new customers": "new", "existing customers": "existing"}


def _four_vs(view: View) -> dict[str, Values]:
    out: dict[str, Values] = {}
    for who, kind in _KINDS.items():
        if kind is None or "deal_type" in view.deal_frame:
            out |= {f"{who}: {what}": values for what, values in _vs(view, kind).items()}
    hunt, farm = ("new customers: speed to lead", "hours", _hunting), (_FARMING, "ratio", engagement)
    for what, unit, tell in (hunt, farm):
        try:
            out[what] = replace(tell(view), unit=unit)
        except NotAvailable:
            continue
    return out


def _hunting(view: View) -> Values:
    """Median hours to the first response, of leads of the period that are not of an account that had bought before."""
    hours, leads = speed_of(view).hours, leads_of(view).facts.rows
    new = np.ones(len(leads), dtype=bool)
    if "account_id" in leads and "account_id" in view.deal_frame and view.deal_frame["account_id"].notna().any():
        first = first_wins(view).set_index("account_id")["closed_at"]
        new = ~(leads["account_id"].map(first) < leads["created_at"]).to_numpy(dtype=bool)
    answered = created(view).where(new).known(hours)
    return Values(answered.quantile(hours), answered.count())


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
    for stage, values in conversion(view, where=_are(entered.rows, kind), name=kind or "").items():
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
        "all, new and existing customers; for the hunt of new ones the speed to lead, for the farming of existing ones "
        "the touches of an account a month",
        "by part", "deals", "as of", "neither", "pipeline", _four_vs, parts="customers and V",
        example="2 open deals of new customers worth 300, 1 of an existing one worth 50",
    ),
)  # fmt: skip
