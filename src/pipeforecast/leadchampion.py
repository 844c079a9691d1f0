"""Lead models and the registry: judged against the champion, stored, crowned or not; and the one that a call uses."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast import __version__
from pipeforecast.errors import DataError, PipeforecastError, SettingsError
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.gate import Judgement, judged, refreshed
from pipeforecast.leadmodels import LeadModel
from pipeforecast.leadrun import LeadRun
from pipeforecast.leads import LeadBook
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.leadstore import OUTPUTS, columns_of, example_of, load_lead_model, save_lead_model
from pipeforecast.registry import ModelRecord, Registry, Version
from pipeforecast.run import say
from pipeforecast.settings import RunSettings

_LOADER = "pipeforecast.leadstore"
_MARKS = 64
#: What does not make the recipe another one: where results go, what stands beside them, how fast they come.
_BESIDE = {"card", "threshold", "payloads", "chunk", "model", "random_split", "allow_leaks"}


@dataclass(frozen=True)
class LeadGate:
    """What was decided, and whom the candidate would follow (None: nobody)."""

    judgement: Judgement
    champion: Version | None


def registry_of(settings: RunSettings, told: LeadSettings) -> Registry:
    """Give the registry of lead models."""
    return Registry(settings.tracking.uri, told.model, settings.tracking.then)


def mapping_of(settings: RunSettings) -> str:
    """Fingerprint of how the export is read."""
    return fingerprint_of({"crm": settings.crm})


def recipe_of(told: LeadSettings) -> dict[str, Any]:
    """Settings that make a lead model what it is."""
    return told.model_dump(mode="json", exclude=_BESIDE)


def marks_of(book: LeadBook) -> list[str]:
    """Give digests of leads' ids, by which one company's leads are told from another's, and no more."""
    ids = book.leads["lead_id"].astype(str)
    return sorted(hashlib.blake2b(i.encode(), digest_size=8).hexdigest() for i in ids)


def judge_leads(settings: RunSettings, run: LeadRun, table: pd.DataFrame) -> LeadGate:
    """Compare the tool's chances with those of the champion's recipe on the same leads, or with the base rate.

    Parameters
    ----------
    settings : RunSettings
    run : LeadRun
    table : DataFrame
        Of ``leadcheck.table_of``.
    """
    own = table["chosen"].to_numpy(dtype="float64")

    def against_base_rate(champion: Version | None, why: str, move: bool = True) -> LeadGate:
        found = judged(table, own, table["base_rate"].to_numpy(dtype="float64"), ("chosen", "base_rate"))
        return LeadGate(replace(found, moved=found.moved and move, reason=f"{why}; {found.reason}"), champion)

    if not settings.tracking.enabled:
        return against_base_rate(None, "tracking=off registers nothing", move=False)
    try:
        champion = registry_of(settings, run.told).champion()
        about = None if champion is None else _about(settings, run.told, champion)
    except PipeforecastError as error:
        return against_base_rate(None, _missed(settings, error), move=False)
    if champion is None or about is None:
        return against_base_rate(None, "there is no champion yet")
    title = f"version {champion.number}"
    misfit = why_not(settings, run.told, about, marks_of(run.book))
    if misfit is not None:
        return against_base_rate(champion, f"the champion, {title}, {misfit}")
    if about["recipe"] == recipe_of(run.told):
        newer = run.as_of is None or pd.Timestamp(about["cut_off"]) <= run.as_of
        return LeadGate(refreshed(table, own, ("chosen", title), newer), champion)
    return _contest(run, table, own, champion, about)


def _contest(
    run: LeadRun, table: pd.DataFrame, own: np.ndarray, champion: Version, about: Mapping[str, Any]
) -> LeadGate:
    """Refit the champion's recipe at the same past days and compare on the leads that both foretell."""
    title = f"version {champion.number}"
    say(f"refitting the champion's recipe ({title}) on the same past days")
    told = LeadSettings.model_validate({**run.told.model_dump(mode="json", by_alias=True), **about["recipe"]})
    other = LeadRun(run.book, told, run.audit, [], run.as_of, run.data, run.seed, run.history)
    rival = other.decided(told.kinds).set_index("lead")["p"].reindex(table["lead"]).to_numpy(dtype="float64")
    both = ~np.isnan(rival)
    found = judged(table[both], own[both], rival[both], ("chosen", title))
    return LeadGate(found, champion)


def why_not(settings: RunSettings, told: LeadSettings, about: Mapping[str, Any], marks: Sequence[str]) -> str | None:
    """Say why a version does not fit this call, or None where it does."""
    if about["mapping"] != mapping_of(settings):
        return "was trained with another mapping (crm)"
    if (about["recipe"]["step"], about["recipe"]["days"]) != (told.step, told.days):
        return f"foretells {about['recipe']['step']} within {about['recipe']['days']} days"
    known = about.get("marks", [])
    own = set(marks)
    if known and marks and sum(m in own for m in known) < 0.5 * len(known):
        return "was trained on leads of another company"
    return None


def register_leads(settings: RunSettings, run: LeadRun, gate: LeadGate, run_id: str | None) -> tuple[Judgement, str]:
    """Store today's model as a new version and move the alias where the gate says so."""
    if settings.tracking.then is not None:
        return gate.judgement, "not registered (made again)"
    if run_id is None or not settings.tracking.enabled:
        return replace(gate.judgement, moved=False), "not registered (its run was not recorded)"
    try:
        registry, decided = registry_of(settings, run.told), gate.judgement
        with tempfile.TemporaryDirectory() as place:
            number = registry.register(_record(settings, run, Path(place) / "model"), run_id)
        if decided.moved and not registry.crown(number, None if gate.champion is None else gate.champion.number):
            decided = replace(decided, moved=False, reason=f"{decided.reason}; but another training moved the alias")
        registry.tag(
            number, {"gate.rival": decided.rival, "gate.verdict": decided.verdict, "gate.reason": decided.reason}
        )
    except PipeforecastError as error:
        reason = _missed(settings, error)
        return replace(gate.judgement, moved=False, reason=reason), f"not registered: {reason}"
    now = "is the champion" if decided.moved else "stays a candidate"
    return decided, f"{registry.name}/{number} {now}: {decided.reason}"


def _record(settings: RunSettings, run: LeadRun, folder: Path) -> ModelRecord:
    from importlib.metadata import version as installed

    model = run.model
    about = about_of(settings, run)
    save_lead_model(folder, model, about)
    needs = [f"pipeforecast=={__version__}", *(f"{n}=={installed(n)}" for n in ("numpy", "pandas", "scikit-learn"))]
    named = {key: str(about[key]) for key in ("kind", "pipeforecast", "cut_off", "data", "mapping")}
    tags = {**named, "target": "lead", "recipe": fingerprint_of(about["recipe"])}
    return ModelRecord(folder, _LOADER, columns_of(model), OUTPUTS, example_of(model), needs, tags)


def about_of(settings: RunSettings, run: LeadRun) -> dict[str, Any]:
    """What is said of a model: plain values, no lead."""
    return {
        "kind": run.model.kind, "pipeforecast": __version__, "data": run.data, "mapping": mapping_of(settings),
        "cut_off": "" if run.as_of is None else str(run.as_of.date()), "recipe": recipe_of(run.told),
        "marks": marks_of(run.book)[:_MARKS], "accepted": list(run.book.accepted),
        "allowed": list(run.told.allow_leaks), "split": run.split, "left_out": list(run.audit.left_out),
        "sentinels": {k: list(v) for k, v in run.audit.sentinels.items()},
    }  # fmt: skip


def _about(settings: RunSettings, told: LeadSettings, version: Version) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        return load_lead_model(registry_of(settings, told).fetched(version, Path(place)))[1]


@dataclass(frozen=True)
class ChosenLeadModel:
    """The model of a call; ``about`` is None where it has to be fitted now."""

    model: LeadModel | None
    about: dict[str, Any] | None
    version: str
    said: str


def chosen_lead_model(settings: Any, as_of: pd.Timestamp | None, marks: Sequence[str]) -> ChosenLeadModel:
    """Choose the model that ``version`` asks for.

    Raises
    ------
    SettingsError, DataError, RegistryError
        If a version was asked for by name and is missing, or does not fit the call.
    """
    asked, told = settings.version, settings.lead
    if asked == "fit" or (asked == "auto" and not settings.tracking.enabled):
        return ChosenLeadModel(None, None, "", "model: fitted now")
    if not settings.tracking.enabled:
        raise SettingsError(f"version: expected tracking, came version={asked} with tracking=off; say version=fit")
    try:
        return _registered(settings, told, as_of, marks)
    except PipeforecastError as error:
        if asked != "auto":
            raise
        why = str(error).removeprefix("version: ").split("; ")[0]
        return ChosenLeadModel(None, None, "", f"model: fitted now ({why})")


def _registered(settings: Any, told: LeadSettings, as_of: pd.Timestamp | None, marks: Sequence[str]) -> ChosenLeadModel:
    registry, by_name = registry_of(settings, told), settings.version in ("auto", "champion")
    version = registry.champion() if by_name else registry.version(settings.version)
    if version is None:
        what = "champion" if by_name else f"version {settings.version}"
        raise DataError(f"version: there is no {what} of {registry.name}; run train target=lead, or say version=fit")
    with tempfile.TemporaryDirectory() as place:
        model, about = load_lead_model(registry.fetched(version, Path(place)))
    name, reason = f"{registry.name}/{version.number}", why_not(settings, told, about, marks)
    if reason is None and as_of is not None and about["cut_off"] and pd.Timestamp(about["cut_off"]) > as_of:
        reason = f"was trained on days until {about['cut_off']}, which as_of {as_of.date()} must not know"
    if reason is None and set(told.accept_todays_values) != set(about["accepted"]) and told.accept_todays_values:
        reason = "accepted other today's values"
    if reason is not None:
        raise DataError(f"version: {name} {reason}; train anew, or say version=fit")
    said = f"model: {name}, trained until {about['cut_off'] or 'the end of its file'}"
    say(said)
    return ChosenLeadModel(model, about, name, said)


def _missed(settings: RunSettings, error: PipeforecastError) -> str:
    """Raise where a record is required; otherwise warn and give the reason."""
    if settings.tracking.required:
        raise error
    sys.stderr.write(f"warning: {error}\n")
    return str(error)
