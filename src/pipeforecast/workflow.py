"""One function a verb; each body is the sentence: read, rewind, fit, forecast, roll up, replay, report."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeforecast import __version__
from pipeforecast.backtest import Backtest, Lessonplan, Origin, lessons_at, origins_of, prepare
from pipeforecast.backtest import backtest as replay_past
from pipeforecast.build import (
    build_as_of,
    build_calendar,
    build_export,
    build_levels,
    build_model,
    build_plan,
    build_rules,
    check_teachable,
)
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.evaluate import BASELINES, chances, scored
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.fingerprint import fingerprint_of, fingerprint_of_files
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import Forecast, Forecaster
from pipeforecast.history import DealHistory
from pipeforecast.ingest import Export
from pipeforecast.outbox import whole_folder
from pipeforecast.proof import Proof, prove, table_of
from pipeforecast.proofstore import ProofStore
from pipeforecast.quality import check_history
from pipeforecast.report import ReportInput, summary, write_report
from pipeforecast.report.brief import first_lines
from pipeforecast.report.facts import facts
from pipeforecast.results import DEAL_COLUMNS, UNKNOWN_CURRENCY, deal_rows, forecast_rows
from pipeforecast.rollup import FittedPipeline, PipelineForecaster
from pipeforecast.settings import (
    BacktestSettings,
    CheckSettings,
    DemoSettings,
    ForecastSettings,
    RunSettings,
    TrainSettings,
)
from pipeforecast.tracking import Artifact, Metric, RunRecord, record

#: So many more periods before the replayed ones are forecast by the rules alone: they need earlier errors.
_WARM_UP_PERIODS = 5
_BOOKINGS = (
    "Revenue here is bookings: the amount of deals won with a close date in the period; it is not recognised revenue."
)


def demo(settings: DemoSettings) -> str:
    """Make the demo company, write its raw export, and run the whole sentence on it."""
    from pipeforecast.demo import make_company

    told = settings.demo
    _say(f"making a company of {told.n_deals:,} deals in {told.folder}")
    make_company(told.kind, n_deals=told.n_deals, seed=told.seed).write(told.folder)
    return forecast(settings, company="The demo company (made up)")


def check(settings: CheckSettings) -> str:
    """Read the export and say what was found in it."""
    export = build_export(settings)
    findings = _findings(export, export.history)
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
    run = _prepared(settings)
    period = _period(settings, run)
    _say(f"forecasting {period.name} from the evening of {run.as_of.date()}")
    snapshot = prepare(run.known, run.calendar, run.plan, [run.as_of])
    lessons = lessons_at(run.known, run.calendar, snapshot, run.as_of, run.plan)
    now = snapshot.only([run.as_of])
    fitted = run.model.fit(lessons)
    forecasts = [fitted.forecast(now, period, run.levels)]
    forecasts += [r.fit(lessons).forecast(now, period) for r in run.rules if r.name != fitted.name]
    proof = _proof(settings, run)
    if proof is not None:
        run.findings.extend(proof.findings)
    version = f"{run.model.name}-{fingerprint_of(settings.model.model_dump())[:8]}"
    table = forecast_rows(forecasts, run.currency, _coverage(proof))
    deals = pd.DataFrame(columns=list(DEAL_COLUMNS))  # a rule looks at no single deal
    if isinstance(fitted, FittedPipeline):
        deals = deal_rows(forecasts[0], fitted.deal_forecast(now), now, settings.horizon, version)
    told = _report_input(settings, run, forecasts[0], table, deals, proof, company)
    said = facts(told)
    with whole_folder(settings.out) as out:
        _csv(table, out / "forecast.csv")
        _csv(deals, out / "deals.csv")
        _csv(findings_frame(run.findings), out / "findings.csv")
        if proof is not None:
            _csv(proof.rows, out / "backtest.csv")
            _csv(proof.scores, out / "backtest_scores.csv")
        write_report(told, out / "report.html")
        (out / "summary.md").write_text(summary(said), encoding="utf-8")
    _track(settings, run, "forecast", _forecast_metrics(forecasts[0], proof))
    lines = [first_lines(said).rstrip()]
    if proof is not None:
        lines += ["", "Error on past periods (share of revenue), by day of the period:", _readable(proof)]
    return "\n".join([*lines, "", f"report: {settings.out / 'report.html'}  ({time.monotonic() - started:.0f} s)"])


def backtest(settings: BacktestSettings) -> str:
    """Replay the past from the chosen days, the model and every rule, at every level."""
    run = _prepared(settings)
    origins, warm = _origins(settings, run)
    replayed = _replay(run, [*warm, *origins], run.levels, settings.origins.jobs, frozenset(warm))
    proof = prove(replayed, since=origins[0].as_of)
    with whole_folder(settings.out) as out:
        _csv(proof.rows, out / "backtest.csv")
        _csv(proof.scores, out / "backtest_scores.csv")
    _track(settings, run, "backtest", _score_metrics(proof))
    return "\n".join([
        proof.sentence, "", "Error (share of revenue), by day of the period:", _readable(proof), "",
        f"written: {settings.out}",
    ])  # fmt: skip


def train(settings: TrainSettings) -> str:
    """Fit the deal model at past origins and score its chances on what came after."""
    run = _prepared(settings)
    if not isinstance(run.model, PipelineForecaster):
        raise SettingsError(f"train: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    origins, _ = _origins(settings, run)
    _say(f"scoring {run.model.deals.name} on {len(origins)} past days")
    table = chances(run.known, run.calendar, [run.model.deals], origins, run.plan, settings.origins.jobs)
    methods = [run.model.deals.name, *BASELINES]
    evaluation = scored(table, methods)
    with whole_folder(settings.out) as out:
        _csv(evaluation, out / "evaluation.csv")
    told = evaluation.dropna(subset=["value"]).to_dict("records")
    metrics = [Metric(f"{row['model']}.{row['score']}", float(row["value"])) for row in told]
    _track(settings, run, "train", metrics)
    wide = evaluation.pivot_table(index="model", columns="score", values="value").sort_values("log_loss")
    return "\n".join([
        f"P(won in the period) of {len(table):,} open deals on {len(origins)} past days, fitted anew on each:",
        wide.round(4).to_string(), "", f"written: {settings.out / 'evaluation.csv'}",
    ])  # fmt: skip


@dataclass(frozen=True)
class _Run:
    """What every verb that learns needs, read once."""

    export: Export
    known: DealHistory
    calendar: FiscalCalendar
    as_of: pd.Timestamp
    model: Forecaster
    rules: Sequence[Forecaster]
    levels: tuple[str, ...]
    plan: Lessonplan
    findings: list[Finding]
    currency: str
    data: str


def _prepared(settings: BacktestSettings) -> _Run:
    _say(f"reading {settings.source}")
    export = build_export(settings)
    history = export.history
    as_of = build_as_of(settings, history)
    known = history.known_by(as_of)
    check_teachable(settings, known)
    return _Run(
        export=export,
        known=known,
        calendar=build_calendar(settings.calendar),
        as_of=as_of,
        model=build_model(settings),
        rules=build_rules(settings, known),
        levels=build_levels(settings, known),
        plan=build_plan(settings),
        findings=_findings(export, known),
        currency=_currency(settings, history),
        data=fingerprint_of_files(settings.source),
    )


def _findings(export: Export, known: DealHistory) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted([*export.findings, *check_history(known)], key=lambda f: order[f.severity])


def _currency(settings: RunSettings, history: DealHistory) -> str:
    """Name the one currency of the deals, else the one that the mapping names."""
    named = list(history.deals["currency"].dropna().unique()) if "currency" in history.deals else []
    return str(named[0]) if len(named) == 1 else str(settings.crm.get("currency") or UNKNOWN_CURRENCY)


def _period(settings: ForecastSettings, run: _Run) -> Period:
    following = run.calendar.containing(run.as_of + pd.Timedelta(days=1))
    if settings.period is None:
        return following
    period = run.calendar.named(settings.period)
    if period.end <= run.as_of:
        raise SettingsError(
            f"period: {period.name} ended on {period.end.date()}, before as_of {run.as_of.date()}; "
            f"expected {following.name} or later, or an earlier as_of"
        )
    return period


def _origins(settings: BacktestSettings, run: _Run) -> tuple[list[Origin], list[Origin]]:
    """Origins to score, and earlier ones from which only the rules learn their errors."""
    told = settings.origins
    every = origins_of(run.known, run.calendar, told.days, told.periods + _WARM_UP_PERIODS, run.as_of)
    if not every:
        raise DataError(
            "backtest: expected at least one complete period with a past to learn from, came none; "
            "export a longer history, or choose shorter periods (calendar=month)"
        )
    names = sorted({o.period for o in every}, key=lambda p: p.start)
    # At least one period of lessons before the first scored one.
    scored_periods = set(names[max(1, len(names) - told.periods) :] or names)
    return [o for o in every if o.period in scored_periods], [o for o in every if o.period not in scored_periods]


def _replay(
    run: _Run, origins: Sequence[Origin], levels: Sequence[str], jobs: int, rules_only: frozenset[Origin]
) -> Backtest:
    full = [o for o in origins if o not in rules_only]
    parts = []
    for some_origins, forecasters in ((full, [run.model, *run.rules]), (sorted(rules_only, key=_day), run.rules)):
        if some_origins and forecasters:
            parts.append(
                replay_past(
                    run.known,
                    run.calendar,
                    forecasters,
                    some_origins,
                    plan=run.plan,
                    levels=levels,
                    jobs=jobs if forecasters is not run.rules else 1,
                    progress=_progress,
                )
            )
    draws = {key: d for part in parts for key, d in part.draws.items()}
    deals = [p.deals for p in parts if len(p.deals)] or [parts[0].deals]
    return Backtest(pd.concat([p.rows for p in parts], ignore_index=True), draws, pd.concat(deals, ignore_index=True))


def _day(origin: Origin) -> pd.Timestamp:
    return origin.as_of


def _proof(settings: ForecastSettings, run: _Run) -> Proof | None:
    """Replay what is not stored yet, newest first, within the budget; score what there is."""
    if settings.proof.mode == "none":
        return None
    try:
        origins, warm = _origins(settings, run)
    except DataError:
        return None
    key = {
        "data": run.data, "crm": settings.crm, "calendar": settings.calendar.model_dump(), "as_of": str(run.as_of),
        "model": settings.model.model_dump(), "rules": [r.name for r in run.rules], "seed": settings.seed,
        "code": _code(),
    }  # fmt: skip
    store = ProofStore(settings.proof.folder, key)
    # The rules' own earlier days are cheap, and without them no rule has a range to be compared by.
    missing = [*store.missing(warm), *store.missing(origins)]
    began, jobs = time.monotonic(), max(1, settings.origins.jobs if settings.origins.jobs > 0 else 2)
    if missing:
        _say(f"replaying {len(missing)} past days ({len(origins) + len(warm) - len(missing)} are stored)")
    while missing and (settings.proof.mode == "full" or time.monotonic() - began < settings.proof.budget_s):
        batch, missing = missing[: 6 * jobs], missing[6 * jobs :]
        found = _replay(run, batch, (), settings.origins.jobs, frozenset(o for o in batch if o in warm))
        for origin in batch:
            store.save(origin, found)
    stored = store.load([*origins, *warm])
    if stored is None:
        return None
    proof = prove(stored, since=min(o.as_of for o in origins))
    if missing:
        words = f"{proof.sentence} ({len(missing)} of {len(origins) + len(warm)} past days are still to be replayed.)"
        proof = replace(proof, sentence=words)
    return proof


def _code() -> str:
    """Fingerprint of the program itself: another version's replay is not this one's."""
    home = Path(__file__).parent
    return fingerprint_of_files(home, [str(p.relative_to(home)) for p in home.rglob("*.py")])


def _coverage(proof: Proof | None) -> float | None:
    if proof is None:
        return None
    s = proof.scores
    hit = s[((s["level"] == "total") & (s["method"] == "model") & (s["day_of_period"] == -1)).to_numpy()]
    return float(hit["cover80"].iloc[0]) if len(hit) else None


def _readable(proof: Proof) -> str:
    return table_of(proof.scores).map(lambda v: "" if pd.isna(v) else f"{v:.1%}").to_string()


def _report_input(
    settings: ForecastSettings, run: _Run, made: Forecast, table: pd.DataFrame, deals: pd.DataFrame,
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


def _forecast_metrics(made: Forecast, proof: Proof | None) -> list[Metric]:
    named = {"mean": made.value(), "won": made.value("won"), "open": made.value("open"), "new": made.value("new")}
    return [Metric(f"forecast.{k}", v) for k, v in named.items()] + ([] if proof is None else _score_metrics(proof))


def _score_metrics(proof: Proof) -> list[Metric]:
    total = proof.scores[(proof.scores["level"] == "total").to_numpy()]
    out = []
    for row in total.to_dict("records"):
        name, step = str(row["method"]).replace("+", " plus "), int(row["day_of_period"])
        for score in ("wape", "crps", "cover80", "skill"):
            if pd.notna(row[score]):
                over = f"{name}.{score}" if step >= 0 else f"{name}.{score}.all"
                out.append(Metric(over, float(row[score]), max(step, 0)))
    return out


def _track(settings: RunSettings, run: _Run, verb: str, metrics: Sequence[Metric]) -> None:
    """Record settings, data and scores; no file that names people or deals."""
    told = settings.model_dump(mode="json", exclude={"tracking", "out", "source"})
    tags = {"verb": verb, "data": run.data, "pipeforecast": __version__, "as_of": str(run.as_of.date())}
    artifacts = [
        Artifact(settings.out / name)
        for name in ("backtest_scores.csv", "evaluation.csv")
        if (settings.out / name).exists()
    ]
    record(RunRecord(verb, told, tags, metrics, artifacts), **settings.tracking.model_dump())


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d", float_format="%.10g")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _progress(done: int, total: int) -> None:
    end = "\n" if done == total else "\r"
    if sys.stderr.isatty() or done == total:
        print(f"  replayed {done} of {total} past days", file=sys.stderr, end=end, flush=True)
