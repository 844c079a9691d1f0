"""One function a verb; each body is the sentence: read, rewind, fit, forecast, roll up, replay, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeforecast.backtest import Origin, lessons_at, prepare
from pipeforecast.build import build_export
from pipeforecast.candidate import drawings_of, judge, record_training, register
from pipeforecast.champion import chosen
from pipeforecast.errors import SettingsError
from pipeforecast.evaluate import BASELINES, chances
from pipeforecast.explain import explain
from pipeforecast.findings import findings_frame
from pipeforecast.forecast import Forecast
from pipeforecast.history import DealHistory
from pipeforecast.judgement import TOTAL, calibrated, evaluated, in_words
from pipeforecast.learning import LearningCurve, learning_curve
from pipeforecast.monitor import FINE, checks
from pipeforecast.monitor import in_words as watched
from pipeforecast.outbox import whole_folder
from pipeforecast.proof import Proof, prove, table_of
from pipeforecast.records import forecast_metrics, score_metrics, track
from pipeforecast.replay import proof_of, replayed, scored_origins
from pipeforecast.report import ReportInput, summary, write_report
from pipeforecast.report.brief import first_lines
from pipeforecast.report.facts import facts
from pipeforecast.results import DEAL_COLUMNS, SCORE_COLUMNS, deal_rows, forecast_rows
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.run import Run, findings_of, period_of, prepared, say
from pipeforecast.search import HELD_OUT, search
from pipeforecast.settings import (
    BacktestSettings,
    CheckSettings,
    DemoSettings,
    ForecastSettings,
    MonitorSettings,
    ScoreSettings,
    TrainSettings,
)
from pipeforecast.snapshot import take_snapshots
from pipeforecast.tracking import Metric

_BOOKINGS = (
    "Revenue here is bookings: the amount of deals won with a close date in the period; it is not recognised revenue."
)
_READ_SCORES = ("log_loss", "brier", "auc", "average_precision", "calibration_error", "money_ratio")


def demo(settings: DemoSettings) -> str:
    """Make the demo company, write its raw export, and run the whole sentence on it."""
    from pipeforecast.demo import make_company

    told = settings.demo
    say(f"making a company of {told.n_deals:,} deals in {told.folder}")
    make_company(told.kind, n_deals=told.n_deals, seed=told.seed).write(told.folder)
    return forecast(settings, company="The demo company (made up)")


def check(settings: CheckSettings) -> str:
    """Read the export and say what was found in it."""
    export = build_export(settings)
    findings = findings_of(export, export.history)
    table = findings_frame(findings)
    with whole_folder(settings.out) as out:
        _csv(table, out / "findings.csv")
        _csv(export.tie, out / "tie.csv")
        _csv(export.excluded, out / "excluded.csv")
    counts = {s: sum(f.severity == s for f in findings) for s in ("error", "warning", "info")}
    lines = [
        f"{len(export.history.deals):,} deals read, {len(export.excluded):,} rows excluded, "
        f"written until {export.history.written_until.date()}",
        f"findings: {counts['error']} errors, {counts['warning']} warnings, {counts['info']} to know",
        *(f"  {f.severity:8}{f.code} ({f.count:,}): {f.advice}" for f in findings[:20]),
        f"written: {settings.out}",
    ]
    return "\n".join(lines)


def forecast(settings: ForecastSettings, company: str | None = None) -> str:
    """Forecast one period: what is open, what it will bring, how the same recipe did before."""
    started = time.monotonic()
    run = prepared(settings)
    period = period_of(settings, run)
    say(f"forecasting {period.name} from the evening of {run.as_of.date()}")
    use = chosen(settings, run)
    run, settings = use.run, settings.model_copy(update={"model": use.model})  # the proof is of the recipe in use
    plan = run.plan.with_day(period.day_of(run.as_of))
    snapshot = prepare(run.known, run.calendar, plan, [run.as_of])
    lessons = lessons_at(run.known, run.calendar, snapshot, run.as_of, plan)
    now = snapshot.only([run.as_of])
    fitted = use.fit(lessons)
    if isinstance(fitted, FittedPipeline):
        run.findings.extend(fitted.findings(now))
    forecasts = [fitted.forecast(now, period, run.levels)]
    forecasts += [r.fit(lessons).forecast(now, period) for r in run.rules if r.name != fitted.name]
    proof = proof_of(settings, run)
    if proof is not None:
        run.findings.extend(proof.findings)
    table = forecast_rows(forecasts, run.currency, _coverage(proof))
    deals = pd.DataFrame(columns=list(DEAL_COLUMNS))  # a rule looks at no single deal
    why = explain(getattr(fitted, "deals", None), forecasts[0].deals, now, period)
    if forecasts[0].deals is not None:
        deals = deal_rows(period, forecasts[0].deals, now, settings.horizon, use.version, why.reasons)
    run.findings.extend(why.findings)
    told = _report_input(settings, run, forecasts[0], table, deals, proof, company)
    said = facts(told)
    with whole_folder(settings.out) as out:
        _csv(table, out / "forecast.csv")
        _csv(deals, out / "deals.csv")
        _csv(why.factors, out / "reasons.csv")
        _csv(findings_frame(run.findings), out / "findings.csv")
        if proof is not None:
            _csv(proof.rows, out / "backtest.csv")
            _csv(proof.scores, out / "backtest_scores.csv")
        write_report(told, out / "report.html")
        (out / "summary.md").write_text(summary(said), encoding="utf-8")
    track(settings, run, "forecast", forecast_metrics(forecasts[0], proof), {"model_version": use.version})
    lines = [first_lines(said).rstrip()]
    if proof is not None:
        lines += ["", "Error on past periods (share of revenue), by day of the period:", _readable(proof)]
    return "\n".join(
        [*lines, "", use.said, f"report: {settings.out / 'report.html'}  ({time.monotonic() - started:.0f} s)"]
    )


def backtest(settings: BacktestSettings) -> str:
    """Replay the past from the chosen days, the model and every rule, at every level."""
    run = prepared(settings)
    origins, warm = scored_origins(settings, run)
    found = replayed(run, [*warm, *origins], run.levels, settings.origins.jobs, frozenset(warm))
    proof = prove(found, since=origins[0].as_of)
    with whole_folder(settings.out) as out:
        _csv(proof.rows, out / "backtest.csv")
        _csv(proof.scores, out / "backtest_scores.csv")
    track(settings, run, "backtest", score_metrics(proof))
    return "\n".join([
        proof.sentence, "", "Error (share of revenue), by day of the period:", _readable(proof), "",
        f"written: {settings.out}",
    ])  # fmt: skip


def train(settings: TrainSettings) -> str:
    """Score the recipe on what came after past days, register it, and make it champion where the gate opens."""
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
        _csv(evaluation, out / "evaluation.csv")
        if curve is not None:
            _csv(curve.rows, out / "learning_curve.csv")
        _csv(calibration, out / "calibration.csv")
    in_total = evaluation[(evaluation["split"] == TOTAL).to_numpy()]
    told = in_total.dropna(subset=["value"]).to_dict("records")
    metrics = [Metric(f"{row['model']}.{row['score']}", float(row["value"])) for row in told]
    gate = judge(settings, run, table, origins)
    run_id = record_training(settings, run, metrics, gate, drawings_of(table, calibration, methods))
    judgement, registered = register(settings, run, gate, run_id)
    with whole_folder(settings.out) as out:
        _csv(judgement.rows(), out / "gate.csv")
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
        _csv(found.table, out / "search.csv")
    held_out = found.table[(found.table["split"] == HELD_OUT).to_numpy()].to_dict("records")
    metrics = [Metric(f"search.{row['trial']}.log_loss", float(row["log_loss"])) for row in held_out]
    track(settings, run, "search", metrics, {"search.winner": found.overrides})
    return "\n".join([found.said, f"written: {settings.out / 'search.csv'}"])


def score(settings: ScoreSettings) -> str:
    """Score the open deals of one evening, without the period's total."""
    if settings.target == "lead":
        raise SettingsError("target: leads are not scored yet; expected target=deal")
    run = prepared(settings)
    period = period_of(settings, run)
    now = take_snapshots(run.known, [run.as_of])
    use = chosen(settings, run)
    if use.saved is not None:
        deals, amounts = use.saved.deals, use.saved.amounts
    elif isinstance(run.model, PipelineForecaster):
        plan = run.plan.with_day(period.day_of(run.as_of))
        lessons = lessons_at(
            run.known, run.calendar, prepare(run.known, run.calendar, plan, [run.as_of]), run.as_of, plan
        )
        deals, amounts = run.model.learned(lessons)
    else:
        raise SettingsError(f"score: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    made = deals.forecast(now, amounts.expected(now))
    why = explain(deals, made, now, period)
    table = deal_rows(period, made, now, settings.horizon, use.version, why.reasons)[list(SCORE_COLUMNS)]
    with whole_folder(settings.out) as out:
        _csv(table, out / "deal_scores.csv")
    track(settings, run, "score", [Metric("score.deals", float(len(table)))], {"model_version": use.version})
    expected = table["expected_amount_in_period"].sum()
    return "\n".join([
        f"{len(table):,} open deals on {run.as_of.date()}: {table['p_win_in_period'].sum():.1f} wins and "
        f"{expected:,.0f} {run.currency} expected of them in {period.name}",
        use.said, f"written: {settings.out / 'deal_scores.csv'}",
    ])  # fmt: skip


def monitor(settings: MonitorSettings) -> str:
    """Watch the champion, or the recipe: what has drifted, what came true, since when not, what to do."""
    run = prepared(settings)
    if not isinstance(run.model, PipelineForecaster):
        raise SettingsError(f"monitor: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    use = chosen(settings, run)
    origins, _ = scored_origins(settings, use.run)
    found = checks(settings, use, origins)
    with whole_folder(settings.out) as out:
        _csv(found, out / "monitor.csv")
    odd = (~found["verdict"].isin(FINE)).sum()
    track(settings, run, "monitor", [Metric("monitor.odd", float(odd))], {"model_version": use.version})
    return "\n".join([watched(found, use.version), use.said, f"written: {settings.out / 'monitor.csv'}"])


def _curve(settings: TrainSettings, run: Run, origins: Sequence[Origin]) -> LearningCurve | None:
    if not settings.learning_curve or not isinstance(run.model, PipelineForecaster):
        return None
    say("teaching by parts of the history, for the learning curve")
    return learning_curve(run.known, run.calendar, run.model.deals, origins, run.plan)


def _coverage(proof: Proof | None) -> float | None:
    if proof is None:
        return None
    s = proof.scores
    hit = s[((s["level"] == "total") & (s["method"] == "model") & (s["day_of_period"] == -1)).to_numpy()]
    return float(hit["cover80"].iloc[0]) if len(hit) else None


def _readable(proof: Proof) -> str:
    return table_of(proof.scores).map(lambda v: "" if pd.isna(v) else f"{v:.1%}").to_string()


def _report_input(
    settings: ForecastSettings, run: Run, made: Forecast, table: pd.DataFrame, deals: pd.DataFrame,
    proof: Proof | None, company: str | None,
) -> ReportInput:  # fmt: skip
    period = made.period
    return ReportInput(
        title=f"Forecast of {period.name}",
        company=company or settings.source.name,
        as_of=run.as_of,
        period=period.name,
        period_start=period.start,
        period_end=period.end,
        day_of_period=period.day_of(run.as_of),
        currency=run.currency,
        what_counts=_BOOKINGS,
        forecast=table,
        deals=deals,
        scores=None if proof is None else proof.scores,
        backtest=None if proof is None else proof.rows,
        findings=findings_frame(run.findings),
        tie=run.export.tie,
        excluded=run.export.excluded,
        proof="Not yet proven: no past period could be replayed." if proof is None else proof.sentence,
        model_name=made.method,
        group_labels={"owner": _owner_names(run.known)},
        people="anonymous" if settings.report.people == "anonymous" else "full",
        draws=None if made.draws is None else made.draw(),
        top_deals=settings.report.top_deals,
    )


def _owner_names(history: DealHistory) -> dict[str, str]:
    if "owner_name" not in history.deals:
        return {}
    owner = history.latest()["owner"].reindex(history.deals.index)
    named = pd.DataFrame({"owner": owner, "name": history.deals["owner_name"]}).dropna().astype(str)
    return dict(zip(named["owner"], named["name"], strict=True))


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d", float_format="%.10g")
