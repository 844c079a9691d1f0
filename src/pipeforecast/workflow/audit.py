"""Audit the open deals of one evening: what is wrong with each, how often such deals were won, what to ask whom."""

from __future__ import annotations

import pandas as pd

from pipeforecast.audit import Asked, Audit, audit_of
from pipeforecast.audit.owners import ALL
from pipeforecast.build import build_as_of, build_calendar, build_export
from pipeforecast.digests import digests_of
from pipeforecast.findings import findings_frame
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.records import Seen, track
from pipeforecast.report.audit_page import audit_facts, write_audit_page
from pipeforecast.report.words import MISSING, clean, count, money, number, percent, shortened
from pipeforecast.results import write_csv
from pipeforecast.run import currency_of, data_of, findings_of, say
from pipeforecast.settings import AuditSettings
from pipeforecast.tracking import Metric
from pipeforecast.wording.numerals import NBSP
from pipeforecast.workflow.people import shown_people

_MOST_DEALS = 10


def audit(settings: AuditSettings) -> str:
    """Look at every open deal, and write what is wrong with it and what that has meant before."""
    say(f"reading {settings.source}")
    export = build_export(settings)
    as_of = build_as_of(settings, export.history)
    known = export.history.known_by(as_of)
    asked = Asked(settings.flags, settings.past, settings.review, settings.criteria)
    is_last = as_of >= export.history.written_until.normalize()
    made = audit_of(known, build_calendar(settings.calendar), as_of, asked, is_last)
    findings = [*findings_of(export, known), *made.findings]
    currency, who = currency_of(settings, known), shown_people(known, settings.report, as_of)
    tables = {
        "audit": made.deals, "audit_flags": made.deal_flags, "flags": made.flags, "criteria": made.criteria,
        "review": made.review, "owners": made.owners, "findings": findings_frame(findings),
    }  # fmt: skip
    with whole_folder(settings.out) as out:
        for name, table in tables.items():
            write_csv(table, out / f"{name}.csv")
        write_audit_page(audit_facts(made, as_of, currency, settings.report.language, who.may), out / "audit.html")
        wrote = Wrote(digests_of(out))
    flagged = int(made.deals["flag"].notna().sum())
    told = [Metric("audit.deals", float(len(made.deals))), Metric("audit.flagged", float(flagged))]
    track(settings, Seen(data_of(settings.source, export.content), as_of), "audit", told, wrote=wrote)
    lines = [in_words(made, currency, as_of), f"written: {settings.out}", f"page: {settings.out / 'audit.html'}"]
    return "\n".join(lines)


def in_words(made: Audit, currency: str, as_of: pd.Timestamp) -> str:
    """Sum the audit up: how many deals have each flag, what that has meant, and which deals to talk about first."""
    deals = made.deals
    clean_deals = int(deals["flag"].isna().sum())
    lines = [
        f"{count(len(deals), 'open deal')} of {money(float(deals['at_stake'].sum()), currency)} on the evening of "
        f"{as_of.date()}: {len(deals) - clean_deals:,} with a flag, {clean_deals:,} clean "
        f"(flags were judged on {count(made.evenings, 'past evening')}; each deal counts once)",
        "",
        _flag_table(made.flags),
        "",
    ]
    first = deals[deals["flag"].notna().to_numpy()].head(_MOST_DEALS)
    if len(first):
        lines += ["To talk about first (most money times what the flag costs):"]
        lines += [
            f"  {shortened(clean(r['name']) or str(r['deal_id']))} ({r['deal_id']}): {money(r['at_stake'])}, "
            f"{str(r['flags']).replace('_', ' ')}"
            for r in first.to_dict("records")
        ]
        lines += [""]
    heap = made.owners[(made.owners["owner"] == ALL).to_numpy()].iloc[0]
    if heap["close_dates"]:
        lines.append(
            f"Close dates on a period's last day: {percent(heap['last_day_share'])} of {heap['close_dates']:,} "
            f"(evenly spread it would be {percent(heap['chance_share'])})"
        )
    lines += [f"  {f.code} {', '.join(f.examples)}: {f.repair}; {f.advice}" for f in made.findings]
    return "\n".join(lines).replace(NBSP, " ")


def _flag_table(flags: pd.DataFrame) -> str:
    """Set the flags in a table: open deals, money, win rate with its interval, and that of deals without."""
    told = flags[(flags["status"] != "not available").to_numpy()]
    if told.empty:
        return "no flag can be judged on these data"
    table = pd.DataFrame({
        "flag": told["flag"].str.replace("_", " "),
        "open": [f"{n:,}" for n in told["open_deals"]],
        "at stake": [money(v) for v in told["at_stake"]],
        "won, of the closed": [percent(number(v)) for v in told["win_rate"]],
        "95 % interval": [_interval(a, b) for a, b in zip(told["lower"], told["upper"], strict=True)],
        "of": [f"{n:,}" for n in told["n"]],
        "same stages, without": [percent(number(v)) for v in told["win_rate_same_stage"]],
        "open with it a year ago, won since": [
            MISSING if pd.isna(share) else f"{percent(share)} of {n:,.0f}"
            for share, n in zip(told["year_share"], told["year_n"], strict=True)
        ],
    })  # fmt: skip
    return table.to_string(index=False)


def _interval(lower: float, upper: float) -> str:
    return MISSING if pd.isna(lower) else f"{percent(lower)} to {percent(upper)}"
