"""A search over kinds of deal models and their settings: chosen on earlier periods, scored once on the newest.

The best of many trials looks better on the days that chose it than it is. So these days' scores are marked as tuned in
sample, and only those of the held-out periods, which chose nothing, make a claim.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from pipeforecast.backtest import Origin
from pipeforecast.build import build_model, build_plan
from pipeforecast.champion import mapping_of, recipe_of
from pipeforecast.errors import DataError, PipeforecastError, SettingsError, some
from pipeforecast.evaluate import chances
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.gate import paired
from pipeforecast.kinds import ModelSettings
from pipeforecast.outbox import OutputError, whole_file
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.run import Run, say
from pipeforecast.scores import row_log_loss
from pipeforecast.settings import SearchSettings, TrainSettings

#: Columns of ``search.csv``.
SEARCH_COLUMNS = ("trial", "overrides", "split", "log_loss", "difference", "lower", "upper", "n")
TUNED, HELD_OUT = "tuned in sample", "held out"
#: What is searched of the settings that a kind has: (least, most) on a logarithmic scale, or the choices. The call's
#: own value is always among them.
_SPACE: Mapping[str, tuple[Any, ...]] = {
    "penalty": (0.001, 0.3),
    "half_life": (None, 365.0, 730.0),
    "periods": (8, 12, 16),
    "learning_rate": (0.02, 0.2),
    "rounds": (40, 60, 80, 120, 200),
    "leaves": (4, 8, 12, 20),
    "least_leaf": (30, 60, 120),
    "l2": (1.0, 100.0),
}
_RANGES = ("penalty", "learning_rate", "l2")
Settings = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    table : DataFrame
        Rows of ``search.csv``: every trial on the days that chose, then the winner and the call's own recipe on the
        held-out periods.
    overrides : str
        The winner's, to copy.
    said : str
    """

    table: pd.DataFrame
    overrides: str
    said: str


def search(settings: TrainSettings, run: Run, origins: Sequence[Origin]) -> Found:
    """Search as ``settings.search`` says.

    Raises
    ------
    SettingsError
        If Optuna is not installed, or a kind is not known.
    DataError
        If no period is left to choose on.
    """
    told = settings.search
    assert told is not None  # noqa: S101  asked by the verb; for the type checker
    earlier, newest = _split(origins, told.held_out)
    own = recipe_of(settings.model)
    study = _study(settings, run, told, earlier, own)
    left = told.trials - _ended(study)
    say(f"searching {some(told.kinds)}: {max(left, 0)} of {told.trials} trials to go, on {len(earlier)} past days")

    def loss(trial: Any) -> float:
        model = _suggested(trial, told.kinds, settings)
        trial.set_user_attr("model", json.dumps(model))
        table, said = _said(settings, run, earlier, model)
        value = float(row_log_loss(table["won"], said).mean())
        say(f"  trial {trial.number}: {value:.4f}  {overrides_of(model)}")
        return value

    for _ in range(max(left, 0)):
        # What is suggested hangs on the trials that have ended alone, so that a search that goes on after an
        # interruption ends where one would have that was never interrupted.
        study.sampler = _sampler(settings.seed + _ended(study))
        study.optimize(loss, n_trials=1, catch=(PipeforecastError, ValueError))
    if not any(t.state.name == "COMPLETE" for t in study.trials):
        raise DataError("search: expected at least one trial to end well, came none; see the lines above")
    winner = json.loads(study.best_trial.user_attrs["model"])
    return _found(study, winner, _judged(settings, run, newest, winner, own), len(earlier))


def overrides_of(model: Mapping[str, Any]) -> str:
    """Write a recipe as overrides to copy."""
    return " ".join(f"{'model' if k == 'kind' else f'model.{k}'}={_word(v)}" for k, v in model.items())


def _word(value: Any) -> str:
    return "null" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _split(origins: Sequence[Origin], held_out: int) -> tuple[list[Origin], list[Origin]]:
    names = sorted({o.period for o in origins}, key=lambda p: p.start)
    if len(names) <= held_out:
        raise DataError(
            f"search: expected more than search.held_out={held_out} past periods, came {len(names)}; raise "
            "origins.periods, or hold out fewer"
        )
    kept = set(names[-held_out:])
    return [o for o in origins if o.period not in kept], [o for o in origins if o.period in kept]


def _study(settings: TrainSettings, run: Run, told: SearchSettings, earlier: Sequence[Origin], own: Settings) -> Any:
    """Open the study of this very search; another export, mapping, day or space is another study."""
    try:
        import optuna
    except ImportError as error:
        raise SettingsError("search: optuna is not installed; install pipeforecast[sweep]") from error
    logging.getLogger("optuna").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    key = {
        "data": run.data, "mapping": mapping_of(settings), "days": [str(o.as_of) for o in earlier], "own": own,
        "kinds": told.kinds, "seed": settings.seed,
    }  # fmt: skip
    try:
        if not told.store.exists():
            # Killed between two of its tables, a store would never be opened again.
            with whole_file(told.store) as draft:
                draft.unlink()
                optuna.storages.RDBStorage(f"sqlite:///{draft}")
        study = optuna.create_study(
            study_name=fingerprint_of(key)[:16],
            storage=f"sqlite:///{told.store}",
            load_if_exists=True,
            direction="minimize",
        )
    except Exception as error:  # of sqlite, SQLAlchemy or the system: Optuna wraps none of them
        said = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise OutputError(f"{told.store}: the trials cannot be kept there ({said}); say search.store=FILE") from None
    waits = any(t.state.name == "WAITING" for t in study.trials)
    if not _ended(study) and not waits and own["kind"] in told.kinds:
        # The call's own recipe is a trial too, so that the search cannot end below it on these days.
        known = {f"{own['kind']}.{name}": own[name] for name in _SPACE if name in own}
        study.enqueue_trial({"kind": own["kind"], **known})
    return study


def _sampler(seed: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed)


def _ended(study: Any) -> int:
    """Count the trials that have ended; one whose process was killed has not."""
    return sum(t.state.name in ("COMPLETE", "FAIL") for t in study.trials)


def _suggested(trial: Any, kinds: Sequence[str], settings: TrainSettings) -> Settings:
    """Let the trial choose a kind and the settings that this kind has."""
    kind = trial.suggest_categorical("kind", list(kinds))
    base = recipe_of(settings.model) if kind == settings.model.kind else _defaults(kind)
    chosen = {}
    for name, space in _SPACE.items():
        if name not in base:
            continue
        if name in _RANGES:
            low, high = min(space[0], base[name]), max(space[1], base[name])
            chosen[name] = trial.suggest_float(f"{kind}.{name}", low, high, log=True)
        else:
            choices = [*space, *([] if base[name] in space else [base[name]])]
            chosen[name] = trial.suggest_categorical(f"{kind}.{name}", choices)
    return {"kind": kind, **chosen}


def _defaults(kind: str) -> Settings:
    try:
        made: Any = TypeAdapter(ModelSettings).validate_python({"kind": kind})
    except ValidationError:
        raise SettingsError(f"search.kinds: expected kinds that need no more settings, came {kind!r}") from None
    return recipe_of(made)


def _said(
    settings: TrainSettings, run: Run, origins: Sequence[Origin], model: Mapping[str, Any]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Refit a recipe at each origin; gives the table of chances and the recipe's own column."""
    base = settings.model.model_dump(mode="json") if model["kind"] == settings.model.kind else {}
    judged: Any = TypeAdapter(ModelSettings).validate_python({**base, **model})
    other = settings.model_copy(update={"model": judged})
    recipe = build_model(other)
    if not isinstance(recipe, PipelineForecaster):
        raise SettingsError(f"search.kinds: expected models of deals, came {model['kind']!r}")
    table = chances(run.known, run.calendar, [recipe.deals], origins, build_plan(other), settings.origins.jobs)
    return table, table[recipe.deals.name].to_numpy(dtype="float64")


def _judged(
    settings: TrainSettings, run: Run, newest: Sequence[Origin], winner: Settings, own: Settings
) -> list[dict[str, Any]]:
    """Score the winner once on the held-out periods, beside the recipe that the call names."""
    say(f"scoring the winner once on {len(newest)} held-out days")
    table, best = _said(settings, run, newest, winner)
    _, usual = _said(settings, run, newest, own)
    first, second = row_log_loss(table["won"], best), row_log_loss(table["won"], usual)
    found = paired(first - second, table["period"], table["deal"])
    common = {"split": HELD_OUT, "n": len(table)}
    return [
        {
            "trial": "winner", "overrides": overrides_of(winner), "log_loss": float(first.mean()),
            "difference": found.value, "lower": found.lower, "upper": found.upper, **common,
        },
        {"trial": "own", "overrides": overrides_of({"kind": own["kind"]}), "log_loss": float(second.mean()), **common},
    ]  # fmt: skip


def _found(study: Any, winner: Settings, held_out: list[dict[str, Any]], days: int) -> Found:
    ended = [t for t in study.trials if t.state.name == "COMPLETE"]
    trials = [
        {
            "trial": str(place), "overrides": overrides_of(json.loads(t.user_attrs["model"])), "split": TUNED,
            "log_loss": float(t.value),
        }
        for place, t in sorted(enumerate(ended), key=lambda pair: (pair[1].value, pair[0]))
    ]  # fmt: skip
    table = pd.DataFrame([*trials, *held_out], columns=list(SEARCH_COLUMNS))
    best, own = held_out
    words = overrides_of(winner)
    ends = (
        f"95 % range {best['lower']:+.4f} to {best['upper']:+.4f}"
        if np.isfinite(best["lower"])
        else "one period: no range"
    )
    said = (
        f"best of {len(ended)} trials on {days} past days (tuned in sample): log loss {study.best_value:.4f}\n"
        f"on the held-out periods, which chose nothing: {best['log_loss']:.4f}, the call's own recipe "
        f"{own['log_loss']:.4f}, difference {best['difference']:+.4f} ({ends})\nto copy: {words}"
    )
    return Found(table, words, said)
