"""Settings in, objects out: closed registries, so that a setting is data and never code."""

from __future__ import annotations

import math

import pandas as pd

from pipeforecast.backtest import Lessonplan
from pipeforecast.contract import LOST, TRACKABLE, WON
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import Forecaster
from pipeforecast.history import DealHistory
from pipeforecast.ingest import Export, read_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.hazard import HazardModel
from pipeforecast.rollup import PipelineForecaster
from pipeforecast.rules import RULES, rule
from pipeforecast.settings import BacktestSettings, CalendarSettings, HazardSettings, RunSettings

#: Tracked facts without which a rule has nothing to add up.
_RULE_NEEDS = {
    "crm_probability": "probability",
    "category_commit": "forecast_category",
    "category_upside": "forecast_category",
}


def build_export(settings: RunSettings) -> Export:
    """Read the export that the settings name."""
    return read_export(CrmMapping.model_validate(settings.crm), settings.source)


def build_calendar(settings: CalendarSettings) -> FiscalCalendar:
    """Make the fiscal calendar."""
    return FiscalCalendar(settings.length, settings.start_month, settings.weeks_445)


def build_plan(settings: BacktestSettings) -> Lessonplan:
    """Make the plan of days on which lessons are taken; a rule needs only the days that it looks at."""
    if isinstance(settings.model, HazardSettings):
        return Lessonplan(settings.model.lesson_days, settings.model.periods)
    return Lessonplan()


def build_model(settings: BacktestSettings) -> Forecaster:
    """Make the forecaster that the settings choose."""
    chosen = settings.model
    if not isinstance(chosen, HazardSettings):
        return rule(chosen.name)
    return PipelineForecaster(
        HazardModel(
            C=chosen.penalty, max_rows=chosen.max_rows, half_life=chosen.half_life or math.inf, seed=settings.seed
        ),
        draws=chosen.draws,
        coefficient_draws=chosen.coefficient_draws,
        shock_prior_sd=chosen.shock_prior_sd,
        seed=settings.seed,
    )


def check_teachable(settings: BacktestSettings, history: DealHistory) -> None:
    """Refuse a model that has nothing to learn from: its zeros would look like a forecast.

    Raises
    ------
    DataError
        If by then no deal was won, or none was lost.
    """
    if not isinstance(settings.model, HazardSettings):
        return
    status = history.closed()["status"]
    won, lost = int((status == WON).sum()), int((status == LOST).sum())
    if not won or not lost:
        raise DataError(
            f"model: expected deals won and deals lost by {history.written_until.date()} to learn from, "
            f"came {won} won and {lost} lost; export closed deals too, or say model=rule model.name=crm_probability"
        )


def build_rules(settings: BacktestSettings, history: DealHistory) -> list[Forecaster]:
    """Make the rules that stand beside the model: those named, or all that the data can feed."""
    if settings.rules:
        return [rule(name) for name in settings.rules]
    usable = [n for n in RULES if _fed(n.removesuffix("+new"), history)]
    return [RULES[n] for n in usable]


def _fed(name: str, history: DealHistory) -> bool:
    needed = _RULE_NEEDS.get(name)
    return needed is None or bool(history.states[needed].notna().any())


def build_as_of(settings: RunSettings, history: DealHistory) -> pd.Timestamp:
    """Give the evening to look from: the one named, else the last day on which anything was written.

    Raises
    ------
    DataError
        If nothing was written by then, or the day lies after the export.
    """
    last = history.written_until.normalize()
    if settings.as_of is None:
        return last
    day = pd.Timestamp(settings.as_of)
    first = pd.Timestamp(history.states["recorded_at"].min()).normalize()
    if day < first:
        raise DataError(
            f"as_of: nothing was written by {day.date()}; the data were written from {first.date()} to {last.date()}"
        )
    if day > last:
        raise SettingsError(
            f"as_of: {day.date()} lies after the last written day of the data, {last.date()}; "
            "leave as_of out to look from there"
        )
    return day


def build_levels(settings: BacktestSettings, history: DealHistory) -> tuple[str, ...]:
    """Keep the levels that the data have: facts of the deal at birth, or tracked ones."""
    known = [c for c in settings.levels if c in history.states.columns or c in history.deals.columns]
    return tuple(
        c for c in known if history.roles.get(c) in ("birth", "tracked") and (c not in TRACKABLE or _filled(history, c))
    )


def _filled(history: DealHistory, column: str) -> bool:
    frame = history.states if column in history.states else history.deals
    return bool(frame[column].notna().any())
