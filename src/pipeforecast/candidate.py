"""A trained model on its way into the registry: judged against the champion's recipe, stored, crowned or not."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast import __version__
from pipeforecast.backtest import Origin
from pipeforecast.build import build_model, build_plan
from pipeforecast.champion import (
    first_marks,
    mapping_of,
    read_about,
    reading_of,
    recipe_of,
    registry_of,
    why_not,
    with_recipe,
)
from pipeforecast.errors import PipeforecastError
from pipeforecast.evaluate import chances
from pipeforecast.features import describe
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.gate import Judgement, judged, refreshed
from pipeforecast.judgement import TOTAL
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.records import track
from pipeforecast.registry import ModelRecord, Version
from pipeforecast.run import Run, say
from pipeforecast.saved import save
from pipeforecast.scores import row_log_loss
from pipeforecast.scoring import OUTPUTS, columns_of, example_of, inputs_of
from pipeforecast.settings import TrainSettings
from pipeforecast.sketches import reliability_curve, scores_by_day
from pipeforecast.tracking import Artifact, Metric

_NEEDS = ("scikit-learn", "skops", "numpy", "scipy", "pandas")
_LOADER = "pipeforecast.scoring"
#: Tag that names whom a version was compared with: how many were tells how lucky the luckiest may be.
_CONTEST = "gate.contest"


@dataclass(frozen=True)
class Gate:
    """What was decided, and whom the candidate would follow (None: nobody)."""

    judgement: Judgement
    champion: Version | None

    def metrics(self) -> list[Metric]:
        """Give the decision's numbers."""
        j = self.judgement
        told = {
            "difference": j.difference, "lower": j.lower, "upper": j.upper, "n": j.n, "n_periods": j.n_periods,
            "n_candidates": j.n_candidates,
            "candidate_log_loss": j.candidate_log_loss, "rival_log_loss": j.rival_log_loss,
        }  # fmt: skip
        return [Metric(f"gate.{key}", float(value)) for key, value in told.items() if pd.notna(value)]

    def tags(self) -> dict[str, str]:
        """Give the decision in words."""
        j = self.judgement
        told = {"gate.rival": j.rival, "gate.verdict": j.verdict, "gate.moved": str(j.moved), "gate.reason": j.reason}
        contest = {_CONTEST: j.rival} if j.verdict not in ("refresh", "older") else {}
        return told | contest


def judge(settings: TrainSettings, run: Run, table: pd.DataFrame, origins: Sequence[Origin]) -> Gate:
    """Compare the candidate with the champion's recipe, refitted at the same past days, or with the base rate.

    Parameters
    ----------
    settings : TrainSettings
    run : Run
    table : DataFrame
        ``evaluate.chances`` of the candidate at the origins.
    origins : sequence of Origin
    """
    name = _recipe(run).name
    own = table[name].to_numpy(dtype="float64")

    def against_base_rate(champion: Version | None = None, why: str = "", move: bool = True) -> Gate:
        found = judged(table, own, table["base_rate"].to_numpy(dtype="float64"), (name, "base_rate"))
        reason = f"{why}; {found.reason}" if why else found.reason
        return Gate(replace(found, moved=found.moved and move, reason=reason), champion)

    if not settings.tracking.enabled:
        return against_base_rate(why="tracking=off registers nothing", move=False)
    try:
        registry = registry_of(settings)
        champion = registry.champion()
        about = None if champion is None else read_about(registry, champion)
        before = 0 if champion is None else registry.count(_CONTEST, _title(champion))
    except PipeforecastError as error:
        return against_base_rate(why=_missed(settings, error), move=False)
    if champion is None or about is None:
        return against_base_rate(why="there is no champion yet")
    title = _title(champion)
    misfit = why_not(settings, run, champion, about)
    if misfit is not None:
        return against_base_rate(champion, f"the champion, {title}, {misfit}")
    model = about["settings"]["model"]
    if recipe_of(model) == recipe_of(settings.model):
        if about["pipeforecast"] != __version__:
            why = f"the champion, {title}, is of the same recipe in pipeforecast {about['pipeforecast']}"
            return against_base_rate(champion, f"{why}, which cannot be replayed here")
        newer = run.as_of >= pd.Timestamp(about["cut_off"])
        return Gate(refreshed(table, own, (name, title), newer), champion)
    say(f"refitting the champion's recipe ({title}, {model['kind']}) on the same {len(origins)} past days")
    rival = _refitted(settings, run, origins, model)
    return Gate(judged(table, own, _beside(table, rival), (name, title), before + 1), champion)


def record_training(
    settings: TrainSettings, run: Run, metrics: Sequence[Metric], gate: Gate, drawings: Mapping[str, str]
) -> str | None:
    """Record a training with the gate's decision and drawings (name to SVG); gives the id of the run."""
    with tempfile.TemporaryDirectory() as place:
        artifacts = []
        for name, drawing in drawings.items():
            path = Path(place) / name
            path.write_text(drawing, encoding="utf-8")
            artifacts.append(Artifact(path, "plots"))
        tags = {**gate.tags(), "kind": settings.model.kind, "mapping": mapping_of(settings)}
        return track(settings, run, "train", [*metrics, *gate.metrics()], tags, artifacts)


def drawings_of(table: pd.DataFrame, calibration: pd.DataFrame, methods: Sequence[str]) -> dict[str, str]:
    """Draw whether chances came true, and log loss by day of the period; no person and no deal is in them."""
    by_day: dict[str, dict[int, float]] = {}
    curves = [m for m in methods if m != "base_rate"]  # one bin is no curve
    for method in [*curves, *(m for m in methods if m not in curves)]:
        found = pd.Series(row_log_loss(table["won"], table[method])).groupby(table["day_of_period"].to_numpy()).mean()
        by_day[method] = dict(zip(found.index.astype(int), found.astype(float), strict=True))
    in_total = calibration[(calibration["split"] == TOTAL).to_numpy()]
    return {
        "reliability.svg": reliability_curve(in_total, curves),
        "log_loss_by_day.svg": scores_by_day(by_day, "log loss"),
    }


def register(settings: TrainSettings, run: Run, gate: Gate, run_id: str | None) -> tuple[Judgement, str]:
    """Fit on everything known at ``as_of``, store it as a new version and move the alias where the gate says so.

    Returns
    -------
    judgement : Judgement
        As carried out: another training may have moved the alias meanwhile.
    said : str
    """
    if settings.tracking.then is not None:
        return gate.judgement, "not registered (made again)"
    if run_id is None or not settings.tracking.enabled:
        return replace(gate.judgement, moved=False), "not registered (its run was not recorded)"
    try:
        return _registered(settings, run, gate, run_id)
    except PipeforecastError as error:
        reason = _missed(settings, error)
        return replace(gate.judgement, moved=False, reason=reason), f"not registered: {reason}"


def _registered(settings: TrainSettings, run: Run, gate: Gate, run_id: str) -> tuple[Judgement, str]:
    registry, decided = registry_of(settings), gate.judgement
    with tempfile.TemporaryDirectory() as place:
        number = registry.register(_record(settings, run, Path(place) / "model"), run_id)
    if decided.moved and not registry.crown(number, None if gate.champion is None else gate.champion.number):
        decided = replace(
            decided, moved=False, reason=f"{decided.reason}; but another training moved the alias meanwhile"
        )
    registry.tag(number, {**replace(gate, judgement=decided).tags(), "gate.difference": f"{decided.difference:.6g}"})
    now = "is the champion" if decided.moved else "stays a candidate"
    return decided, f"{registry.name}/{number} {now}: {decided.reason}"


def _record(settings: TrainSettings, run: Run, folder: Path) -> ModelRecord:
    """Fit on all that is known and write the model's files."""
    recipe = run.model
    assert isinstance(recipe, PipelineForecaster)  # noqa: S101  asked by the verb; for the type checker
    snapshot = prepare(run.known, run.calendar, run.plan, [run.as_of])
    lessons = lessons_at(run.known, run.calendar, snapshot, run.as_of, run.plan)
    inputs = inputs_of(describe(snapshot.take(np.arange(min(1, len(snapshot.open))))))
    cut_off = str(run.as_of.date())
    about: dict[str, Any] = {
        "kind": settings.model.kind, "pipeforecast": __version__, "cut_off": cut_off, "data": run.data,
        "mapping": mapping_of(settings), "reading": reading_of(settings), "marks": first_marks(run.known),
        "inputs": inputs, "settings": {"model": settings.model.model_dump(mode="json"), "seed": settings.seed},
    }  # fmt: skip
    save(folder, *recipe.learned(lessons), about)
    named = {key: str(about[key]) for key in ("kind", "pipeforecast", "cut_off", "data", "mapping")}
    needs = [f"pipeforecast=={__version__}", *(f"{name}=={installed(name)}" for name in _NEEDS)]
    tags = {**named, "recipe": fingerprint_of(recipe_of(settings.model))}
    return ModelRecord(folder, _LOADER, columns_of(inputs), OUTPUTS, example_of(inputs), needs, tags)


def _title(champion: Version) -> str:
    return f"version {champion.number}"


def _recipe(run: Run) -> Any:
    assert isinstance(run.model, PipelineForecaster)  # noqa: S101  asked by the verb; for the type checker
    return run.model.deals


def _refitted(settings: TrainSettings, run: Run, origins: Sequence[Origin], model: dict[str, Any]) -> pd.DataFrame:
    """Give the chances that the champion's recipe would have said at the same origins."""
    other = with_recipe(settings, model)
    recipe = build_model(other)
    assert isinstance(recipe, PipelineForecaster)  # noqa: S101  a registered model is one of deals
    found = chances(run.known, run.calendar, [recipe.deals], origins, build_plan(other), settings.origins.jobs)
    return found.rename(columns={recipe.deals.name: "rival"})[["as_of", "deal", "rival"]]


def _beside(table: pd.DataFrame, rival: pd.DataFrame) -> Any:
    """Line the rival's chances up with the candidate's rows."""
    both = table[["as_of", "deal"]].merge(rival, on=["as_of", "deal"], how="left", validate="one_to_one")
    return both["rival"].to_numpy(dtype="float64")


def _missed(settings: TrainSettings, error: PipeforecastError) -> str:
    """Raise where a record is required; otherwise warn and give the reason."""
    if settings.tracking.required:
        raise error
    sys.stderr.write(f"warning: {error}\n")
    return str(error)
