"""Forecast one period: what is open, what it will bring, how the same recipe did before."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from pipeforecast.backtest import lessons_at, prepare
from pipeforecast.champion import chosen
from pipeforecast.explain import explain
from pipeforecast.findings import findings_frame
from pipeforecast.forecast import Forecast
from pipeforecast.history import DealHistory
from pipeforecast.outbox import whole_folder
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.proof import Proof
from pipeforecast.quota import quotas_of
from pipeforecast.records import forecast_metrics, track
from pipeforecast.replay import proof_of
from pipeforecast.report import ReportInput, summary, write_report
from pipeforecast.report.brief import first_lines, what_if_words
from pipeforecast.report.facts import facts
from pipeforecast.report.names import numbers_of_people
from pipeforecast.report.target import quota_words
from pipeforecast.results import DEAL_COLUMNS, deal_rows, forecast_rows, write_csv
from pipeforecast.run import Run, period_of, prepared, say
from pipeforecast.scenario import difference, what_if
from pipeforecast.settings import DemoSettings, ForecastSettings
from pipeforecast.workflow.backtest import readable
from pipeforecast.workflow.people import write_people

_BOOKINGS = (
    "Revenue here is bookings: the amount of deals won with a close date in the period; it is not recognised revenue."
)


def demo(settings: DemoSettings) -> str:
    """Make the demo company, write its raw export, and run the whole sentence on it."""
    from pipeforecast.demo import make_company

    told = settings.demo
    say(f"making a company of {told.n_deals:,} deals in {told.folder}")
    make_company(told.kind, n_deals=told.n_deals, seed=told.seed).write(told.folder)
    return forecast(settings, company="The demo company (made up)")


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
    changed = what_if(settings.scenario, fitted, now, period, run.levels)
    forecasts += [r.fit(lessons).forecast(now, period) for r in run.rules if r.name != fitted.name]
    aims = quotas_of(forecasts[0], now, run.known.tables.get("quotas"), run.calendar, run.currency, settings.seed)
    run.findings.extend(aims.findings)
    quota = quota_words(aims.total, aims.given, period.name, aims.unknown, aims.largest)
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
        words = _write_forecast(table, forecasts[0], changed, run, out)
        write_csv(deals, out / "deals.csv")
        write_csv(aims.rows, out / "quota.csv")
        write_csv(why.factors, out / "reasons.csv")
        write_csv(findings_frame(run.findings), out / "findings.csv")
        if proof is not None:
            write_csv(proof.rows, out / "backtest.csv")
            write_csv(proof.scores, out / "backtest_scores.csv")
        gained = write_people(run, proof, settings.report, out, numbers_of_people(told))
        write_report(told, out / "report.html")
        (out / "summary.md").write_text(summary(said, words, quota), encoding="utf-8")
    track(settings, run, "forecast", forecast_metrics(forecasts[0], proof), {"model_version": use.version})
    lines = [first_lines(said).rstrip(), quota, *([words] if words else [])]
    if proof is not None:
        lines += ["", "Error on past periods (share of revenue), by day of the period:", readable(proof), *gained]
    return "\n".join(
        [*lines, "", use.said, f"report: {settings.out / 'report.html'}  ({time.monotonic() - started:.0f} s)"]
    )


def _write_forecast(table: pd.DataFrame, base: Forecast, changed: Forecast | None, run: Run, out: Path) -> str:
    """Write ``forecast.csv`` and, where there is a scenario, its rows and ``scenario.csv``; give the words on it."""
    if changed is None:
        write_csv(table, out / "forecast.csv")
        return ""
    rows = difference(base, changed)
    write_csv(pd.concat([table, forecast_rows([changed], run.currency, None)]), out / "forecast.csv")
    write_csv(rows, out / "scenario.csv")
    return what_if_words(rows.iloc[0].to_dict(), run.currency)


def _coverage(proof: Proof | None) -> float | None:
    if proof is None:
        return None
    s = proof.scores
    hit = s[((s["level"] == "total") & (s["method"] == "model") & (s["day_of_period"] == -1)).to_numpy()]
    return float(hit["cover80"].iloc[0]) if len(hit) else None


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
