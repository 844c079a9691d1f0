"""Settings in, objects out: closed registries, so that a setting is data and never code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

import pandas as pd

from pipeforecast.contract import TRACKABLE
from pipeforecast.engine import EMBEDDED, Engine
from pipeforecast.engine.spark import Spark, spark_session
from pipeforecast.errors import DataError, SettingsError, some
from pipeforecast.evenings import KeptEvenings
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import Forecaster
from pipeforecast.history import DealHistory
from pipeforecast.ingest import Export, Refusals, read_export
from pipeforecast.kinds import (
    AalenJohansenSettings,
    BlendSettings,
    BoostingSettings,
    CoxSettings,
    HazardSettings,
    IncidenceSettings,
    PluginSettings,
    RuleSettings,
    StagesSettings,
)
from pipeforecast.lessonplan import Lessonplan
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.bagged import Bagged
from pipeforecast.models.blend import Blend
from pipeforecast.models.boosted import BoostedHazards
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.classical import AalenJohansen, Cox
from pipeforecast.models.deals import Recipe
from pipeforecast.models.direct import DirectIncidence
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import WithPrior
from pipeforecast.models.stages import StageTransitions
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.provenance import libraries, source_fingerprint
from pipeforecast.rules import RULES, AnyRule, Call, Rule, rule
from pipeforecast.sections import SparkSettings
from pipeforecast.settings import BacktestSettings, CalendarSettings, RunSettings

#: Where other packages offer kinds: an entry point is called with the options and gives an object with ``fit``.
PLUGINS = "pipeforecast.models"


def build_export(settings: RunSettings, refusals: Refusals | None = None) -> Export:
    """Read the export that the settings name, with ``refusals`` to look on; its history is asked where they say."""
    engine = build_engine(settings)
    if isinstance(engine, Spark):
        spark_session(engine.master)  # now: what is missing is said before anything is read, and a source takes it too
    export = read_export(CrmMapping.model_validate(settings.crm), settings.source, refusals)
    return replace(export, history=replace(export.history, engine=engine, kept=build_kept(settings)))


def build_engine(settings: RunSettings) -> Engine:
    """Make what runs the questions over a whole history; verbs that take no snapshots have no choice."""
    chosen = getattr(settings, "engine", None)
    return Spark(chosen.master) if isinstance(chosen, SparkSettings) else EMBEDDED


def build_kept(settings: RunSettings) -> KeptEvenings | None:
    """Make what keeps snapshots of past evenings, where the settings name a folder."""
    chosen = getattr(settings, "engine", None)
    if chosen is None or chosen.keep is None:
        return None
    return KeptEvenings(chosen.keep, fingerprint_of([source_fingerprint(), libraries()]), chosen.most_mb)


def build_calendar(settings: CalendarSettings) -> FiscalCalendar:
    """Make the fiscal calendar."""
    return FiscalCalendar(settings.length, settings.start_month, settings.weeks_445)


def build_plan(settings: BacktestSettings) -> Lessonplan:
    """Make the plan of days on which lessons are taken; a rule needs only the days that it looks at."""
    if isinstance(settings.model, RuleSettings):
        return Lessonplan()
    return Lessonplan(settings.model.lesson_days, settings.model.periods, settings.model.max_deals)


def build_model(settings: BacktestSettings) -> Forecaster:
    """Make the forecaster that the settings choose."""
    chosen = settings.model
    if isinstance(chosen, RuleSettings):
        return rule(chosen.name)
    return PipelineForecaster(
        build_recipe(chosen, settings.seed),
        draws=chosen.draws,
        coefficient_draws=chosen.coefficient_draws,
        shock_prior_sd=chosen.shock_prior_sd,
        seed=settings.seed,
    )


def build_recipe(chosen: Any, seed: int) -> Recipe:
    """Make the recipe of the deal model that ``chosen``, the settings of a kind, names."""
    return WithPrior(_bare(chosen, seed))


def _bare(chosen: Any, seed: int) -> Recipe:
    recipe: Recipe = RECIPES[type(chosen)](chosen, seed)
    bags = getattr(chosen, "bags", 0)
    return Bagged(recipe, members=bags, seed=seed) if bags else recipe


def _common(chosen: Any, seed: int, *names: str) -> dict[str, Any]:
    """Arguments that a kind's settings and its recipe call the same."""
    told = {name: getattr(chosen, name) for name in ("max_rows", *names)}
    if hasattr(chosen, "half_life"):
        told["half_life"] = chosen.half_life or math.inf
    return {**told, "seed": seed}


def _hazard(chosen: HazardSettings, seed: int) -> Recipe:
    own = chosen.form if chosen.form in ("stage", "segment") else ""
    model = HazardModel(C=chosen.penalty, by=own, **_common(chosen, seed, "bends"))
    return ChosenHazard(model) if chosen.form == "auto" else model


def _boosting(chosen: BoostingSettings, seed: int) -> Recipe:
    return BoostedHazards(**_common(chosen, seed, "rounds", "learning_rate", "leaves", "least_leaf", "l2"))


def _incidence(chosen: IncidenceSettings, seed: int) -> Recipe:
    names = ("questions", "rounds", "learning_rate", "leaves", "least_leaf", "l2")
    return DirectIncidence(**_common(chosen, seed, *names))


def _stages(chosen: StagesSettings, seed: int) -> Recipe:
    return StageTransitions(**_common(chosen, seed))


def _cox(chosen: CoxSettings, seed: int) -> Recipe:
    return Cox(**_common(chosen, seed))


def _aalen_johansen(chosen: AalenJohansenSettings, seed: int) -> Recipe:
    return AalenJohansen(**_common(chosen, seed, "least_closings"))


def _blend(chosen: BlendSettings, seed: int) -> Recipe:
    members = tuple(_bare(MEMBERS[name](), seed) for name in chosen.members)
    return Blend(members, chosen.weights, chosen.weight_periods)


def _plugin(chosen: PluginSettings, seed: int) -> Recipe:
    """Call another package's entry point; its options are its own, and so is its seed.

    Raises
    ------
    SettingsError
        If nobody offers the name, or what it gives cannot be fitted.
    """
    offered = {e.name: e for e in entry_points(group=PLUGINS)}
    if chosen.name not in offered:
        there = some(sorted(offered), 20) if offered else "none is installed"
        raise SettingsError(
            f"model.name: expected an entry point of the group {PLUGINS!r} ({there}), came {chosen.name!r}; "
            "install the package that offers it"
        )
    try:
        made = offered[chosen.name].load()(**chosen.options)
    except Exception as error:
        raise SettingsError(
            f"model.options: the model {chosen.name!r} cannot be made of {dict(chosen.options)} "
            f"({type(error).__name__}: {error})"
        ) from error
    if not callable(getattr(made, "fit", None)) or not isinstance(getattr(made, "name", None), str):
        raise SettingsError(
            f"model.name: expected {chosen.name!r} to give an object with name and fit(lessons), "
            f"came {type(made).__name__}; ask its makers"
        )
    recipe: Recipe = made
    return recipe


RECIPES: Mapping[type, Callable[[Any, int], Recipe]] = {
    HazardSettings: _hazard,
    BoostingSettings: _boosting,
    IncidenceSettings: _incidence,
    StagesSettings: _stages,
    CoxSettings: _cox,
    AalenJohansenSettings: _aalen_johansen,
    BlendSettings: _blend,
    PluginSettings: _plugin,
}
#: Kinds that a blend may have, made with their defaults.
MEMBERS: Mapping[str, Callable[[], Any]] = {
    "hazard": HazardSettings,
    "boosting": BoostingSettings,
    "incidence": IncidenceSettings,
    "stages": StagesSettings,
    "cox": CoxSettings,
    "aalen_johansen": AalenJohansenSettings,
}


def build_rules(settings: BacktestSettings, history: DealHistory) -> list[Forecaster]:
    """Make the rules that stand beside the model: those named, or all that the data can feed."""
    if settings.rules:
        return [rule(name) for name in settings.rules]
    return [r for r in RULES.values() if _fed(r, history)]


def _fed(told: AnyRule, history: DealHistory) -> bool:
    """Whether anybody ever wrote what the rule adds up, or repeats."""
    if isinstance(told, Call):
        return "calls" in history.tables and not told.heard_in(history.tables["calls"]).empty
    return not isinstance(told, Rule) or all(history.states[fact].notna().any() for fact in told.facts)


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
    """Keep the levels that the data have: facts of the deal at birth, or tracked ones; managers by a reporting line."""
    return tuple(c for c in settings.levels if _known_level(history, c))


#: What a reader of the report may filter by, where the data have it.
FILTERS = ("region", "team", "manager", "owner", "segment", "deal_type")


def build_filters(history: DealHistory) -> tuple[str, ...]:
    """Keep the groupings by which the report may be filtered."""
    return tuple(c for c in FILTERS if _known_level(history, c))


def _known_level(history: DealHistory, column: str) -> bool:
    if column == "manager" and len(history.tables.get("reporting_line", ())):
        return _known_level(history, "owner")
    known = column in history.states or column in history.deals
    dated = history.roles.get(column) in ("birth", "tracked")
    return known and dated and (column not in TRACKABLE or _filled(history, column))


def _filled(history: DealHistory, column: str) -> bool:
    frame = history.states if column in history.states else history.deals
    return bool(frame[column].notna().any())
