"""The model that a call works with: a registered version where one fits the call, else one that is fitted now."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from pipeforecast.build import build_model, build_plan
from pipeforecast.errors import DataError, PipeforecastError, SettingsError
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.history import DealHistory
from pipeforecast.kinds import ModelSettings
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.registry import Registry, RegistryError, Version
from pipeforecast.run import Run, say
from pipeforecast.saved import SavedModel, SavedModelError, about_of, load
from pipeforecast.settings import BacktestSettings, CompareSettings, ForecastSettings, MonitorSettings, ScoreSettings

#: What a model is told for the period's draws alone: the chances of deals do not depend on it.
_OF_THE_ROLLUP = ("draws", "coefficient_draws", "shock_prior_sd")
_MARKS = 64
_SAME_COMPANY = 0.5
Choosing = ForecastSettings | ScoreSettings | MonitorSettings | CompareSettings


@dataclass(frozen=True)
class Chosen:
    """The model of a call.

    Attributes
    ----------
    run : Run
        With the recipe of the version, where one is used: proof and forecast are of one recipe.
    settings : mapping
        The model's settings, of that same recipe.
    saved : SavedModel or None
        The version's model; None: fit now.
    version : str
        What ``model_version`` says.
    said : str
        The choice in words.
    """

    run: Run
    model: ModelSettings
    saved: SavedModel | None
    version: str
    said: str

    def fit(self, lessons: Lessons) -> Any:
        """Give the fitted forecaster: the version's deals and amounts, and all else learned from the lessons."""
        if self.saved is None or not isinstance(self.run.model, PipelineForecaster):
            return self.run.model.fit(lessons)
        fitted: FittedPipeline = self.run.model.around(self.saved.deals, self.saved.amounts, lessons)
        return fitted


def chosen(settings: Choosing, run: Run) -> Chosen:
    """Choose the model that ``version`` asks for.

    Raises
    ------
    SettingsError, DataError, RegistryError
        If a version was asked for by name and is missing, out of reach, or does not fit the call. With ``auto`` a
        model is fitted instead, and why is said.
    """
    asked = settings.version
    if asked == "fit" or (asked == "auto" and not _possible(settings, run)):
        return _fitted_now(settings, run, "")
    if not _possible(settings, run):
        raise SettingsError(
            f"version: expected tracking and a model of deals, came version={asked} with "
            f"{'a rule' if settings.tracking.enabled else 'tracking=off'}; say version=fit"
        )
    try:
        return _registered(settings, run)
    except PipeforecastError as error:
        if asked != "auto":
            raise
        if isinstance(error, RegistryError | SavedModelError):
            sys.stderr.write(f"warning: {error} (a model is fitted instead)\n")
        return _fitted_now(settings, run, str(error))


def registry_of(settings: BacktestSettings) -> Registry:
    """Give the registry that the settings name."""
    return Registry(settings.tracking.uri, settings.tracking.model, settings.tracking.then)


def mapping_of(settings: BacktestSettings) -> str:
    """Fingerprint of how the export is read and time is cut: models of other ones do not fit."""
    return fingerprint_of({"crm": settings.crm, "calendar": settings.calendar.model_dump()})


def reading_of(settings: BacktestSettings) -> dict[str, str]:
    """Give a fingerprint of each part of what ``mapping_of`` is made of, so that a difference can be named."""
    parts = {f"crm.{key}": value for key, value in settings.crm.items()} | {"calendar": settings.calendar.model_dump()}
    return {name: fingerprint_of({name: value})[:16] for name, value in parts.items()}


def recipe_of(model: Any) -> dict[str, Any]:
    """Give the settings that make a deal model what it is."""
    told = dict(model) if isinstance(model, Mapping) else model.model_dump(mode="json")
    return {key: value for key, value in told.items() if key not in _OF_THE_ROLLUP}


def with_recipe(settings: BacktestSettings, model: Mapping[str, Any]) -> BacktestSettings:
    """Put the recipe of a version in the place of the call's own; draws stay the call's."""
    own = settings.model.model_dump(mode="json")
    kept = {key: own[key] for key in _OF_THE_ROLLUP if key in own and key in model}
    judged: Any = TypeAdapter(ModelSettings).validate_python({**model, **kept})
    return settings.model_copy(update={"model": judged})


def marks_of(history: DealHistory) -> list[str]:
    """Give digests of each deal's id and first day: they tell one company's deals from another's, and no more."""
    deals = history.deals.loc[history.latest().index]
    days = pd.to_datetime(deals["created_at"]).dt.strftime("%Y-%m-%d").astype("object")
    pairs = zip(deals["deal_id"].astype(str), days, strict=True)
    return sorted(hashlib.blake2b(f"{i}|{d}".encode(), digest_size=8).hexdigest() for i, d in pairs)


def first_marks(history: DealHistory) -> list[str]:
    """Give the few digests that are kept with a model: a sample, because digests have no order in time."""
    return marks_of(history)[:_MARKS]


def why_not(settings: BacktestSettings, run: Run, version: Version, about: Mapping[str, Any]) -> str | None:
    """Say why a version does not fit this export, or None where it does."""
    if version.tags.get("mapping") != mapping_of(settings):
        then, now = about.get("reading", {}), reading_of(settings)
        unlike = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)] if then else []
        return f"was trained with another {', '.join(unlike[:4]) or 'mapping (crm) or calendar'} than this call has"
    marks = about.get("marks", [])
    own = set(marks_of(run.known))
    if marks and sum(m in own for m in marks) < _SAME_COMPANY * len(marks):
        return "was trained on deals of another company"
    return None


def read_about(registry: Registry, version: Version) -> dict[str, Any]:
    """Read what was said of a version."""
    with tempfile.TemporaryDirectory() as place:
        return about_of(registry.fetched(version, Path(place)))


def _possible(settings: Choosing, run: Run) -> bool:
    return settings.tracking.enabled and isinstance(run.model, PipelineForecaster)


def _registered(settings: Choosing, run: Run) -> Chosen:
    registry, asked = registry_of(settings), settings.version
    by_name = asked in ("auto", "champion")
    version = registry.champion() if by_name else registry.version(asked)
    if version is None:
        what = "champion" if by_name else f"version {asked}"
        raise DataError(f"version: there is no {what} of {registry.name}; run train, or say version=fit")
    name = f"{registry.name}/{version.number}"
    with tempfile.TemporaryDirectory() as place:
        saved = load(registry.fetched(version, Path(place)))
    model = saved.about["settings"]["model"]
    reason = why_not(settings, run, version, saved.about) or _why_not_now(run, saved.about)
    if reason is None and asked == "auto" and _other_recipe(settings, model):
        reason = "is of another recipe than this call names (model=…)"
    if reason is not None:
        raise DataError(f"version: {name} {reason}; train anew, or say version=fit")
    recipe = with_recipe(settings, model)
    of_version = replace(run, model=build_model(recipe), plan=build_plan(recipe))
    said = f"model: {name}, trained until {saved.about['cut_off']}"
    say(said)
    return Chosen(of_version, recipe.model, saved, name, said)


def _why_not_now(run: Run, about: Mapping[str, Any]) -> str | None:
    """A model that learned from later days knows what is to be forecast."""
    if pd.Timestamp(about["cut_off"]) > run.as_of:
        return f"was trained on days until {about['cut_off']}, which as_of {run.as_of.date()} must not know"
    return None


def _other_recipe(settings: Choosing, model: Mapping[str, Any]) -> bool:
    """Whether the call names a recipe of its own: neither the default nor the version's."""
    make: Any = type(settings).model_fields["model"].default_factory
    return recipe_of(settings.model) not in (recipe_of(make()), recipe_of(model))


def _fitted_now(settings: Choosing, run: Run, why: str) -> Chosen:
    version = f"{run.model.name}-{fingerprint_of(settings.model.model_dump())[:8]}"
    because = f", because {why.removeprefix('version: ').split('; ')[0]}" if why else ""
    said = f"model: fitted now{because}"
    return Chosen(run, settings.model, None, version, said)
