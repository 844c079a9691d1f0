"""Forecast one period: what is open, what it will bring, how the same recipe did before."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeforecast.cells import Cells
from pipeforecast.champion import chosen
from pipeforecast.course import won_by_day
from pipeforecast.digests import digests_of
from pipeforecast.findings import findings_frame
from pipeforecast.forecast import Forecast
from pipeforecast.metrics import metrics_named
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.records import forecast_metrics, track
from pipeforecast.report import ReportInput, summary, write_page
from pipeforecast.report.brief import first_lines, what_if_words
from pipeforecast.report.facts import facts
from pipeforecast.report.names import PERSONS, numbers_of_people
from pipeforecast.report.pdf import print_pdf
from pipeforecast.report.target import quota_words
from pipeforecast.report.workbook import write_workbook
from pipeforecast.results import DEAL_COLUMNS, deal_rows, forecast_rows, write_csv
from pipeforecast.run import Run, period_of, prepared, say
from pipeforecast.scenario import difference
from pipeforecast.settings import DemoSettings, ForecastSettings
from pipeforecast.settled import AUTO
from pipeforecast.snapshot import Snapshot
from pipeforecast.wording import noop, speaking
from pipeforecast.workflow.backtest import readable
from pipeforecast.workflow.beside import with_beside
from pipeforecast.workflow.compare import moved_since
from pipeforecast.workflow.made import Made, make
from pipeforecast.workflow.people import Shown, people_told, shown_people, write_people
from pipeforecast.workflow.workbook import book_input

#: Past periods whose course the page may show beside the running one.
_PERIODS_SHOWN = 12
_BOOKINGS = noop(
    "Revenue here is bookings: the amount of deals won with a close date in the period; it is not recognised revenue."
)


def demo(settings: DemoSettings) -> str:
    """Make the demo company, write its raw export, and run the whole sentence on it."""
    from pipeforecast.demo import make_company

    told = settings.demo
    say(f"making a company of {told.n_deals:,} deals in {told.folder}")
    company = make_company(told.kind, n_deals=told.n_deals, seed=told.seed)
    with whole_folder(told.folder) as draft:
        company.write(draft)
    return forecast(settings, company="The demo company (made up)")


def forecast(settings: ForecastSettings, company: str | None = None) -> str:
    """Forecast one period: what is open, what it will bring, how the same recipe did before."""
    started = time.monotonic()
    metrics_named(settings.first, "first")
    run = prepared(settings)
    period = period_of(settings, run)
    say(f"forecasting {period.name} from the evening of {run.as_of.date()}")
    use = chosen(settings, run)
    run, settings = use.run, settings.model_copy(update={"model": use.model})  # the proof is of the recipe in use
    made = make(settings, run, use, period)
    with speaking(settings.report.language):
        quota = quota_words(made.aims.total, made.aims.given, period.name, made.aims.unknown, made.aims.largest)
    table, lead = made.rows(run.currency), made.lead
    deals = pd.DataFrame(columns=list(DEAL_COLUMNS))  # a rule looks at no single deal
    if lead.deals is not None:
        deals = deal_rows(period, lead.deals, made.now, settings.horizon, use.version, made.why.reasons, run.currency)
    later = forecast_rows(made.later, run.currency, None) if made.later else table.iloc[:0]
    moved = moved_since(settings, run, period)
    people, who = people_told(run, made.proof), shown_people(run.known, settings.report, run.as_of)
    shown = _in_language(deals, made, settings.report.language)
    told = with_beside(
        _report_input(settings, run, made, table, later, shown, company, who), settings, run, made, people
    )
    if moved is not None:
        told = replace(told, moves=moved.moves, moves_since=moved.as_of_from)
    said = facts(told)
    with whole_folder(settings.out) as out:
        rows = pd.concat([table, later]) if made.later else table
        words = _write_forecast(rows, made, told, run, out, who)
        if moved is not None:
            write_csv(moved.table(), out / "waterfall.csv")
        write_csv(who.beside(deals, "owner"), out / "deals.csv")
        write_csv(who.beside_groups(made.aims.rows), out / "quota.csv")
        write_csv(made.why.factors, out / "reasons.csv")
        write_csv(made.course.told, out / "course.csv")
        write_csv(findings_frame(run.findings), out / "findings.csv")
        if made.proof is not None:
            write_csv(made.proof.rows, out / "backtest.csv")
            write_csv(made.proof.scores, out / "backtest_scores.csv")
        gained = write_people(people, who, out, numbers_of_people(told))
        write_page(said, out / "report.html")
        write_workbook(book_input(told, made, run), out / "forecast.xlsx")
        unprinted = print_pdf(out / "report.html", out / "report.pdf") if settings.report.pdf else ""
        (out / "summary.md").write_text(summary(said, words, quota), encoding="utf-8")
        evenings = None if made.proof is None else (*made.proof.evenings, *made.course.evenings)
        wrote = Wrote(digests_of(out), (use.version,), evenings=evenings)
    track(settings, run, "forecast", forecast_metrics(lead, made.proof), {"model_version": use.version}, wrote=wrote)
    lines = [first_lines(said).rstrip(), quota, *([words] if words else [])]
    if made.proof is not None:
        lines += ["", "Error on past periods (share of revenue), by day of the period:", readable(made.proof), *gained]
    lines += ["", use.said, *([unprinted] if unprinted else [])]
    return "\n".join([*lines, f"report: {settings.out / 'report.html'}  ({time.monotonic() - started:.0f} s)"])


def _write_forecast(table: pd.DataFrame, made: Made, told: ReportInput, run: Run, out: Path, who: Shown) -> str:
    """Write ``forecast.csv`` and, where there is a scenario, its rows and ``scenario.csv``; give the words on it."""
    rows = told.scenario
    if made.changed is None or rows is None:
        write_csv(who.beside_groups(table), out / "forecast.csv")
        return ""
    both = pd.concat([table, forecast_rows([made.changed], run.currency, None)])
    write_csv(who.beside_groups(both), out / "forecast.csv")
    write_csv(who.beside_groups(rows), out / "scenario.csv")
    with speaking(told.language):
        return what_if_words(rows.iloc[0].to_dict(), run.currency)


def _in_language(deals: pd.DataFrame, made: Made, language: str) -> pd.DataFrame:
    """Give the rows of ``deals.csv`` with their reasons as the page says them."""
    if language == "en" or deals.empty:
        return deals
    with speaking(language):
        reasons = made.why.spoken()
    reasons.index = made.now.labels["deal_id"].reindex(made.now.open["deal"].to_numpy())
    first = reasons[~reasons.index.duplicated()]
    return deals.assign(**{str(c): deals["deal_id"].map(first[c]) for c in first})


def _report_input(
    settings: ForecastSettings, run: Run, made: Made, table: pd.DataFrame, later: pd.DataFrame, deals: pd.DataFrame,
    company: str | None, who: Shown,
) -> ReportInput:  # fmt: skip
    lead, period, proof = made.lead, made.lead.period, made.proof
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
        deals=deals if made.cells is None else deals.assign(cell=_cell_of(deals, made.cells, made.now)),
        scores=None if proof is None else _without_auto(proof.scores, lead),
        backtest=None if proof is None else _without_auto(proof.rows, lead),
        findings=findings_frame(run.findings),
        tie=run.export.tie,
        excluded=run.export.excluded,
        proof=made.sentence(),
        model_name=lead.method,
        group_labels=dict.fromkeys(PERSONS, who.names),
        people=settings.report.people,
        team=who.team or frozenset(),
        draws=None if lead.draws is None else lead.draw(),
        top_deals=settings.report.top_deals,
        language=settings.report.language,
        later=later[(later["method"] == made.head.model.method).to_numpy()],
        cells=made.cells,
        quotas=made.aims.rows,
        scenario=None if made.changed is None else difference(made.head.model, made.changed),
        course=made.course.told,
        course_missing=made.course.missing,
        won_by_day=won_by_day(run.known, [*run.calendar.before(period, _PERIODS_SHOWN), period], run.as_of),
    )


def _cell_of(deals: pd.DataFrame, cells: Cells, now: Snapshot) -> pd.Series:
    """Cell of each row of ``deals.csv``; empty for a deal that the snapshot does not name."""
    ids = now.labels["deal_id"].reindex(now.open["deal"].to_numpy()).to_numpy()
    found = pd.Series(cells.deal, index=ids)
    return deals["deal_id"].map(found[~found.index.duplicated()])


def _without_auto(rows: pd.DataFrame, lead: Forecast) -> pd.DataFrame:
    """Leave the method ``auto`` out where it is the model: the page would show one thing twice."""
    return rows if lead.method == AUTO else rows[(rows["method"] != AUTO).to_numpy()]
