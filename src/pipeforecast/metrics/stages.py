"""Metrics of stages: how many get further, how long it takes, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen, Facts
from pipeforecast.metrics.stays import cohorts, open_stages, stage_stays
from pipeforecast.metrics.values import NotAvailable, Values, proportion, ratio
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

#: A cohort with a larger share of deals still open is young: what it shows is of those that were quick.
YOUNG = 0.1
_YEAR = 365.25
#: What the metrics ask of the deals of stays and cohorts: whole frames of them are large.
_OF_DEALS = ("won", "lost", "amount", "deal_type")
T = TypeVar("T")


def stays_of(view: View) -> Facts:
    """Stays in stages, with what the metrics ask of their deals, and the groups of these."""
    return view.once("stays", lambda: _with_deals(view, stage_stays(view.known)))  # type: ignore[no-any-return]


def cohorts_of(view: View) -> Facts:
    """Deals in every stage that they entered or skipped, with what the metrics ask of them, and their groups."""

    def make() -> Facts:
        rows = cohorts(stays_of(view).rows, view.deal_frame, open_stages(view.known.stages))
        return _with_deals(view, rows)

    return view.once("cohorts", make)  # type: ignore[no-any-return]


def _with_deals(view: View, rows: pd.DataFrame) -> Facts:
    """Count rows of deals in the groups of the deals; where a grouping is a column of the rows, in their own."""
    deals, place = view.deal_frame, view.deal_frame.index.get_indexer(pd.Index(rows["deal"]))
    own = [by in rows for by in view.groups.by]
    codes = view.deals.codes[:, place]
    codes[own] = view.groups.codes(rows)[own]
    asked = [c for c in _OF_DEALS if c in deals and c not in rows]
    return view.facts(rows.assign(**{c: deals[c].array.take(place) for c in asked}), codes)


def stage_names(view: View) -> list[str]:
    """Names of the open stages, in their order."""
    names = [str(s) for s in dict.fromkeys(open_stages(view.known.stages)["stage"])]
    if not names:
        raise NotAvailable(pnoop("reason", "the order of the stages is not known"))
    return names


def by_stage(view: View, chosen: Chosen, told: Callable[[Chosen], T]) -> dict[str, T]:
    """Tell something of the chosen rows of each stage, in the order of the stages."""
    code = pd.Categorical(chosen.facts.rows["stage"], categories=stage_names(view)).codes
    return {name: told(chosen.where(code == i)) for i, name in enumerate(stage_names(view))}


def duration(view: View, window: str = "period", where: Any = None, name: str = "") -> dict[str, Values]:
    """Median days in each stage of the stays that began in the window, of rows ``where`` (called ``name``)."""

    def told(began: Chosen) -> Values:
        middle, lower, upper = began.time_until("days", "ended")
        return Values(middle, began.count(), lower, upper)

    def make() -> dict[str, Values]:
        return by_stage(view, stays_of(view).within("entered_at", where, window), told)

    return view.once(f"duration, {window} {name}", make)  # type: ignore[no-any-return]


def converted(entered: Chosen) -> Values:
    """Share of a cohort that got further, of those of which it is known; immature while many are open."""
    rows, every = entered.facts.rows, entered.count()
    known = entered.where(rows["resolved"]).count()
    young = every - known > YOUNG * every
    return replace(proportion(entered.where(rows["passed"]).count(), known), immature=young)


def conversion(view: View, window: str = "period", where: Any = None, name: str = "") -> dict[str, Values]:
    """Conversion of each stage's cohort of the window, of rows ``where`` (called ``name``)."""

    def make() -> dict[str, Values]:
        return by_stage(view, cohorts_of(view).within("entered_at", where, window), converted)

    return view.once(f"conversion, {window} {name}", make)  # type: ignore[no-any-return]


def _stage_conversion(view: View) -> dict[str, Values]:
    return conversion(view)


def _stage_still_open(view: View) -> dict[str, Values]:
    def told(entered: Chosen) -> Values:
        return proportion(entered.where(~entered.facts.rows["resolved"].to_numpy(dtype=bool)).count(), entered.count())

    return by_stage(view, cohorts_of(view).within("entered_at"), told)


def _stage_days_to_pass(view: View) -> dict[str, Values]:
    def told(entered: Chosen) -> Values:
        rows = entered.facts.rows
        days = ((rows["passed_at"] - rows["entered_at"]).dt.total_seconds() / 86400).to_numpy()
        passed = entered.where(rows["passed"])
        return Values(passed.quantile(days), passed.count())

    return by_stage(view, cohorts_of(view).within("entered_at"), told)


def _stage_duration(view: View) -> dict[str, Values]:
    return duration(view)


def _lost_to_conversion(view: View) -> dict[str, Values]:
    """(Conversion of the year before − of the period) × amount of the period's cohort × what such amounts brought."""
    facts = cohorts_of(view)
    rows = facts.rows

    def brings(passed: Chosen) -> np.ndarray:
        return ratio(passed.where(rows["won"]).sum("amount"), passed.sum("amount"))

    def make() -> dict[str, Values]:
        money = by_stage(view, facts.within("entered_at", rows["resolved"]), lambda c: c.sum("amount"))
        worth = by_stage(view, facts.within("entered_at", rows["passed"], "year before"), brings)
        now, then = conversion(view), conversion(view, "year before")
        fell = {s: np.maximum(then[s].value - now[s].value, 0.0) for s in now}
        return {s: Values(fell[s] * money[s] * worth[s], now[s].n) for s in now}

    return view.once("lost to conversion", make)  # type: ignore[no-any-return]


def _lost_to_time(view: View) -> dict[str, Values]:
    """(Median days now − of the year before) × what was won a day, then, of deals that were in the stage."""
    facts = stays_of(view)
    once = ~facts.rows.duplicated(["deal", "stage"]).to_numpy() & facts.rows["won"].to_numpy(dtype=bool)
    brought = by_stage(
        view, facts.within("entered_at", once, "year before"), lambda c: Values(c.sum("amount"), c.count())
    )
    now, past = duration(view), duration(view, "year before")
    longer = {s: np.maximum(now[s].value - past[s].value, 0.0) for s in now}
    return {s: Values(longer[s] * brought[s].value / _YEAR, now[s].n) for s in now}


def _bottleneck(view: View) -> dict[str, Values]:
    """The larger of both, by stage: the stage with the most is the bottleneck."""
    share, time = _lost_to_conversion(view), _lost_to_time(view)
    return {s: Values(np.fmax(share[s].value, time[s].value), share[s].n) for s in share}


_DEALS = {"deals": (), "stages": ("position",)}

METRICS = (
    Metric(
        "stage_conversion", "Conversion by stage",
        "of the deals that entered the stage in the period (or skipped it): reached a later stage or won by now ÷ "
        "these and those closed without; deals still open are left out, and the cohort is immature while they are "
        "more than a tenth",
        "share", "deals with a known outcome", "entered", "up", "stages", _stage_conversion, _DEALS, parts="stage",
        example="50 that entered, 30 reached a later stage, 20 were lost = 0.60",
    ),
    Metric(
        "stage_still_open", "Share still open by stage",
        "of the deals that entered the stage in the period: open and not yet further ÷ all",
        "share", "deals", "entered", "neither", "stages", _stage_still_open, _DEALS, parts="stage",
        example="2 of 10 = 0.20",
    ),
    Metric(
        "stage_days_to_pass", "Days to the next stage", "median days from entering the stage to a later one, of those "
        "that got further", "days", "deals", "entered", "down", "stages", _stage_days_to_pass, _DEALS, parts="stage",
        example="4, 10 and 12 days = 10",
    ),
    Metric(
        "stage_duration", "Days in stage",
        "median days in the stage, of stays that began in the period (Kaplan–Meier: stays that go on are censored)",
        "days", "stays", "entered", "down", "stages", _stage_duration, _DEALS, parts="stage",
        example="exits after 5, 10, 40, still open at 8 and 30 = 40",
    ),
    Metric(
        "bottleneck_conversion", "Money lost to conversion",
        "max(0, conversion of the year before − of the period) × amount of the period's cohort × won ÷ listed amount "
        "of the deals that passed the stage the year before",
        "currency", "deals with a known outcome", "entered", "down", "stages", _lost_to_conversion, _DEALS,
        grows=True, parts="stage", example="(0.50 − 0.25) × 1,000 × 0.5 = 125",
    ),
    Metric(
        "bottleneck_time", "Money put off by time",
        "max(0, median days in stage − of the year before) × amount won a day of deals that were in it the year before",
        "currency", "stays", "entered", "down", "stages", _lost_to_time, _DEALS, grows=True,
        parts="stage",
        example="(20 − 10 days) × 365.25 ÷ 365.25 = 10",
    ),
    Metric(
        "bottleneck", "Bottleneck",
        "the larger of money lost to conversion and money put off by time; the stage with the most is the bottleneck",
        "currency", "deals with a known outcome", "entered", "down", "stages", _bottleneck, _DEALS, grows=True,
        parts="stage",
        example="125 and 10 = 125",
    ),
)  # fmt: skip
