"""Score the recipe on what came after past days, register it, search for a better one."""

from __future__ import annotations

from collections.abc import Sequence

from pipeforecast.backtest import Origin
from pipeforecast.candidate import drawings_of, judge, record_training, register
from pipeforecast.digests import digests_of
from pipeforecast.errors import SettingsError
from pipeforecast.evaluate import BASELINES, chances
from pipeforecast.judgement import TOTAL, calibrated, evaluated, in_words
from pipeforecast.learning import LearningCurve, learning_curve
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote, keep
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.records import track
from pipeforecast.replay import scored_origins
from pipeforecast.results import write_csv
from pipeforecast.run import Run, prepared, say
from pipeforecast.search import HELD_OUT, search
from pipeforecast.settings import TrainSettings
from pipeforecast.tracking import Metric
from pipeforecast.workflow.leads import train_leads

_READ_SCORES = ("log_loss", "brier", "auc", "average_precision", "calibration_error", "money_ratio")


def train(settings: TrainSettings) -> str:
    """Score the recipe on what came after past days, register it, and make it champion where the gate opens."""
    if settings.target == "lead":
        return train_leads(settings)
    run = prepared(settings)
    if not isinstance(run.model, PipelineForecaster):
        raise SettingsError(f"train: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    origins, _ = scored_origins(settings, run)
    if settings.search is not None:
        return _searched(settings, run, origins)
    name = run.model.deals.name
    say(f"scoring {name} on {len(origins)} past days")
    table = chances(run.known, run.calendar, [run.model.deals], origins, run.plan, settings.origins.jobs)
    methods = [name, *BASELINES]
    evaluation, calibration = evaluated(table, methods, by_hand=BASELINES), calibrated(table, methods)
    curve = _curve(settings, run, origins)
    with whole_folder(settings.out) as out:
        write_csv(evaluation, out / "evaluation.csv")
        if curve is not None:
            write_csv(curve.rows, out / "learning_curve.csv")
        write_csv(calibration, out / "calibration.csv")
        files = digests_of(out)
    in_total = evaluation[(evaluation["split"] == TOTAL).to_numpy()]
    told = in_total.dropna(subset=["value"]).to_dict("records")
    metrics = [Metric(f"{row['model']}.{row['score']}", float(row["value"])) for row in told]
    gate = judge(settings, run, table, origins)
    run_id = record_training(settings, run, metrics, gate, drawings_of(table, calibration, methods))
    judgement, registered = register(settings, run, gate, run_id)
    with whole_folder(settings.out) as out:
        write_csv(judgement.rows(), out / "gate.csv")
        files |= digests_of(out)
    champion = [] if gate.champion is None else [f"{settings.tracking.model}/{gate.champion.number}"]
    keep(settings, run, run_id, Wrote(files, champion, max(0, judgement.n_candidates - 1)))
    wide = in_total.pivot_table(index="model", columns="score", values="value").reindex(columns=_READ_SCORES)
    return "\n".join([
        f"P(won in the period) of {len(table):,} open deals on {len(origins)} past days, fitted anew on each:",
        wide.sort_values("log_loss").round(4).to_string(), "", in_words(evaluation, [name, "reps_own"]), "",
        *([curve.sentence, ""] if curve is not None else []),
        judgement.in_words(), registered, f"written: {settings.out}",
    ])  # fmt: skip


def _searched(settings: TrainSettings, run: Run, origins: Sequence[Origin]) -> str:
    found = search(settings, run, origins)
    with whole_folder(settings.out) as out:
        write_csv(found.table, out / "search.csv")
        wrote = Wrote(digests_of(out))
    held_out = found.table[(found.table["split"] == HELD_OUT).to_numpy()].to_dict("records")
    metrics = [Metric(f"search.{row['trial']}.log_loss", float(row["log_loss"])) for row in held_out]
    track(settings, run, "search", metrics, {"search.winner": found.overrides}, wrote=wrote)
    return "\n".join([found.said, f"written: {settings.out / 'search.csv'}"])


def _curve(settings: TrainSettings, run: Run, origins: Sequence[Origin]) -> LearningCurve | None:
    if not settings.learning_curve or not isinstance(run.model, PipelineForecaster):
        return None
    say("teaching by parts of the history, for the learning curve")
    return learning_curve(run.known, run.calendar, run.model.deals, origins, run.plan)
