"""What every verb that learns needs: the export read once, and everything that the settings choose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeforecast.address import Address
from pipeforecast.build import (
    build_as_of,
    build_calendar,
    build_export,
    build_levels,
    build_model,
    build_plan,
    build_rules,
)
from pipeforecast.dealaudit import ALLOW, audit_deals, cleaned_history
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.findings import Finding
from pipeforecast.fingerprint import fingerprint_of_files
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import Forecaster
from pipeforecast.history import DealHistory
from pipeforecast.ingest import Export
from pipeforecast.leakage import Audit
from pipeforecast.lessonplan import Lessonplan
from pipeforecast.mapping import CrmMapping
from pipeforecast.quality import check_history
from pipeforecast.results import UNKNOWN_CURRENCY
from pipeforecast.settings import BacktestSettings, ForecastSettings, RunSettings, ScoreSettings


@dataclass(frozen=True)
class Run:
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


def prepared(settings: BacktestSettings) -> Run:
    """Read the export and build what the settings choose."""
    say(f"reading {settings.source}")
    export = build_export(settings)
    history = export.history
    as_of = build_as_of(settings, history)
    known, audited = history.known_by(as_of), Audit()
    if settings.model.kind != "rule":  # rules see no fact of birth
        audited = audit_deals(known, CrmMapping.model_validate(settings.crm).roles.allow_leaks)
        audited.stop(ALLOW)
        known = cleaned_history(known, audited)
    return Run(
        export=export,
        known=known,
        calendar=build_calendar(settings.calendar),
        as_of=as_of,
        model=build_model(settings),
        rules=build_rules(settings, known),
        levels=build_levels(settings, known),
        plan=build_plan(settings),
        findings=gravest_first([*findings_of(export, known), *audited.findings]),
        currency=currency_of(settings, history),
        data=data_of(settings.source, export.content),
    )


def data_of(source: Address | Path, content: str | None) -> str:
    """Give the fingerprint of the data: by files, or what was read of a database, and never its address."""
    if content is not None:
        return content
    if isinstance(source, Address):
        raise DataError(f"{source}: expected tables that were read, came none; the fingerprint is of what was read")
    return fingerprint_of_files(source)


def findings_of(export: Export, known: DealHistory) -> list[Finding]:
    """What reading found and what the history shows, the serious first."""
    return gravest_first([*export.findings, *check_history(known)])


def gravest_first(findings: Sequence[Finding]) -> list[Finding]:
    """Put the serious first, otherwise in their order."""
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda f: order[f.severity])


def currency_of(settings: RunSettings, history: DealHistory) -> str:
    """Name the one currency of the deals, else the one that the mapping names."""
    named = list(history.deals["currency"].dropna().unique()) if "currency" in history.deals else []
    return str(named[0]) if len(named) == 1 else str(settings.crm.get("currency") or UNKNOWN_CURRENCY)


def period_of(settings: ForecastSettings | ScoreSettings, run: Run) -> Period:
    """Give the period to forecast: the one named, else the one that the day after ``as_of`` lies in."""
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


def say(text: str) -> None:
    """Tell the user what is being done, beside the result that goes to the standard output."""
    print(text, file=sys.stderr, flush=True)


def steps(what: str) -> Callable[[int, int], None]:
    """Show how far a count of steps has come, in place on a terminal and silent elsewhere."""

    def told(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"  {what}: {done} of {total}", file=sys.stderr, end="\n" if done == total else "\r", flush=True)

    return told


def progress(done: int, total: int) -> None:
    """Show how far a replay has come, line over line on a terminal."""
    end = "\n" if done == total else "\r"
    if sys.stderr.isatty() or done == total:
        print(f"  replayed {done} of {total} past days", file=sys.stderr, end=end, flush=True)
