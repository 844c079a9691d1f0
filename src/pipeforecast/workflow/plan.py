"""Plan backwards from a target: what has to be won, opened and contacted, and how surely that is enough."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeforecast.build import build_as_of, build_calendar, build_export
from pipeforecast.contract import OPEN
from pipeforecast.digests import digests_of
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.history import DealHistory
from pipeforecast.outbox import whole_folder
from pipeforecast.outcome import won_between
from pipeforecast.pastrun import Wrote
from pipeforecast.plan import Goal, Past, Rate, latest_day, of_type, past_of, plan_rows, rate_rows, rates_of
from pipeforecast.quota import targets_of
from pipeforecast.records import Seen, track
from pipeforecast.report.words import MISSING, money, number, percent
from pipeforecast.results import write_csv
from pipeforecast.run import currency_of, data_of, findings_of, say
from pipeforecast.settings import PlanSettings
from pipeforecast.tracking import Metric
from pipeforecast.wording.numerals import NBSP

_MONEY = ("target", "won_so_far", "to_go")


def plan(settings: PlanSettings) -> str:
    """Measure the rates, turn the target around through them, and write what it asks for."""
    if settings.target is None:
        raise SettingsError("target: nothing was given; say target=AMOUNT, target={PERIOD: AMOUNT} or target=quota")
    say(f"reading {settings.source}")
    export = build_export(settings)
    as_of = build_as_of(settings, export.history)
    known = export.history.known_by(as_of)
    calendar = build_calendar(settings.calendar)
    today = as_of >= export.history.written_until.normalize()
    past = past_of(known, calendar, today, settings.past.periods, settings.past.deal_type)
    rates = rates_of(past, settings.rates, settings.draws, settings.seed)
    goals = [_goal(p, amount, known, as_of, settings) for p, amount in targets(settings, known, calendar, as_of)]
    table = pd.concat([plan_rows(goal, rates) for goal in goals], ignore_index=True)
    findings = [*findings_of(export, known), *past.findings, *plan_findings(rates, goals)]
    with whole_folder(settings.out) as out:
        write_csv(table, out / "plan.csv")
        write_csv(rate_rows(rates, as_of), out / "rates.csv")
        write_csv(findings_frame(findings), out / "findings.csv")
        wrote = Wrote(digests_of(out))
    told = [Metric(f"plan.{rate.name}", rate.value) for rate in rates.values() if np.isfinite(rate.value)]
    track(settings, Seen(data_of(settings.source, export.content), as_of), "plan", told, wrote=wrote)
    words = [in_words(goal, table, rates, past, currency_of(settings, known)) for goal in goals]
    return "\n\n".join([*words, f"written: {settings.out}"])


def targets(
    settings: PlanSettings, known: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> list[tuple[Period, float]]:
    """Give each period with what is to be won in it.

    Raises
    ------
    SettingsError
        If a period is over, or none of this calendar.
    DataError
        If the export's quotas are asked for and it has none above 0.
    """
    following = calendar.shift(calendar.containing(as_of), 1)
    period = following if settings.period is None else calendar.named(settings.period)
    if isinstance(settings.target, dict):
        if settings.period is not None:
            raise SettingsError("expected one of period=NAME and target={PERIOD: AMOUNT}, came both")
        asked = [(calendar.named(name), amount) for name, amount in settings.target.items()]
    elif isinstance(settings.target, str):
        rows = targets_of(known.tables.get("quotas"), period, calendar, {}).rows
        amount = float(rows["quota"].iloc[0]) if len(rows) else 0.0
        if amount <= 0:
            raise DataError(f"target=quota: the export has no quota above 0 for {period.name}; say target=AMOUNT")
        asked = [(period, amount)]
    else:
        asked = [(period, float(settings.target or 0.0))]
    for wanted, _ in asked:
        if wanted.end <= as_of:
            raise SettingsError(
                f"period: {wanted.name} ended on {wanted.end.date()}, as_of is {as_of.date()}; "
                f"expected a later one, such as {following.name}"
            )
    return asked


def _goal(period: Period, target: float, known: DealHistory, as_of: pd.Timestamp, settings: PlanSettings) -> Goal:
    latest = known.latest()
    counts = latest[of_type(known.deals.reindex(latest.index), settings.past.deal_type)]
    won = won_between(counts, period.start, min(period.end, as_of))
    owners = int(latest.loc[(latest["status"] == OPEN).to_numpy(dtype=bool), "owner"].nunique())
    reps = owners if settings.reps is None else settings.reps
    return Goal(period, target, float(won["amount"].fillna(0.0).sum()), reps, as_of)


def plan_findings(rates: Mapping[str, Rate], goals: list[Goal]) -> list[Finding]:
    """Say which rates cannot be measured, and what follows."""
    found = [
        Finding("RATE-UNDEFINED", "warning", "", rate.name, 1, (), "what hangs on it is left open, not guessed",
                f"{rate.title}: {rate.reason}; state it as rates.{rate.name}=X if you know it")
        for rate in rates.values() if rate.reason
    ]  # fmt: skip
    few = [r.name for r in rates.values() if not r.assumed and not r.reason and r.hits == 1]
    if few:
        found.append(Finding(
            "RATE-OF-ONE", "warning", "", "", len(few), tuple(few), "the mean of what hangs on it is left open",
            "a rate that rests on a single case has no mean of its inverse; look at p10 and p90, or past.periods=N",
        ))  # fmt: skip
    if not goals[0].reps:
        found.append(Finding(
            "NO-REPS", "info", "deals", "owner", 0, (), "nothing is told per rep", "say reps=N, or map the owner"
        ))  # fmt: skip
    return found


def in_words(goal: Goal, table: pd.DataFrame, rates: Mapping[str, Rate], past: Past, currency: str) -> str:
    """Set the plan of one period in a table, and say what it rests on."""
    rows = table[((table["period"] == goal.period.name) & (table["step"] != "won_so_far")).to_numpy()]
    head = (
        f"{goal.period.name}: {money(goal.target, currency)} asked for"
        + (f", {money(goal.won)} won so far" if goal.won else "")
        + (", reached" if not goal.to_go else "")
        + f"; {goal.days_left} days left, {goal.reps or 'no known'} reps"
    )
    shown = pd.DataFrame({
        "": rows["title"].str.ljust(int(rows["title"].str.len().max())),
        "in the period": [_amount(v, s) for v, s in zip(rows["per_period"], rows["step"], strict=True)],
        "a rep": [_amount(v, s) for v, s in zip(rows["per_rep"], rows["step"], strict=True)],
        "a week": [_amount(v, s) for v, s in zip(rows["per_week"], rows["step"], strict=True)],
        "80 % range": [
            MISSING if pd.isna(a) or a == b else f"{_amount(a, s)} to {_amount(b, s)}"
            for a, b, s in zip(rows["p10"], rows["p90"], rows["step"], strict=True)
        ],
        "rate": [_rate(rates.get(str(r))) for r in rows["rate"]],
    })  # fmt: skip
    lines = [head, "", shown.to_string(index=False), ""]
    last = latest_day(goal, rates)
    if last is not None:
        lines.append(
            f"At the median cycle of {rates['cycle_days'].value:.0f} days a deal must be created by {last.date()} "
            "to be won in the period."
        )
    if past.periods:
        names = past.periods[0].name, past.periods[-1].name
        lines.append(f"Measured on {names[0] if names[0] == names[1] else f'{names[0]} to {names[1]}'}.")
    lines += [f"  {r.title}: {r.reason}" for r in rates.values() if r.reason]
    return "\n".join(lines).replace(NBSP, " ")


def _amount(value: float, step: str) -> str:
    if pd.isna(value):
        return MISSING
    return money(value) if step in _MONEY else f"{value:,.0f}" if value >= 99.5 else f"{value:.1f}"


def _rate(rate: Rate | None) -> str:
    if rate is None or not np.isfinite(rate.value):
        return "" if rate is None else "not known"
    told = {"deal_size": money(rate.value), "cycle_days": f"{rate.value:.0f} days"}.get(rate.name)
    return f"{told or percent(number(rate.value))} ({'assumed' if rate.assumed else f'of {rate.n:,}'})"
