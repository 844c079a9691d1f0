"""Read the export, say what was found in it, and where every row of it went."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeforecast.build import build_export
from pipeforecast.dealaudit import audit_deals
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.history import DealHistory
from pipeforecast.ingest import Export, Refusals, read_leads
from pipeforecast.ingest.ledger import Ledger
from pipeforecast.ingest.tie import EXCLUDED_COLUMNS, TIE_COLUMNS
from pipeforecast.leadrun import audit_of
from pipeforecast.leads import lead_book
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.mapping import NO_DEALS, CrmMapping
from pipeforecast.outbox import whole_folder
from pipeforecast.results import write_csv
from pipeforecast.run import findings_of, gravest_first
from pipeforecast.settings import CheckSettings

_LISTED = (*EXCLUDED_COLUMNS, "table", "file")
_NO_TIE, _NO_ROWS = pd.DataFrame(columns=list(TIE_COLUMNS)), pd.DataFrame(columns=list(_LISTED))


#: So many messages of what the other verbs refuse are shown; all stand in findings.csv.
_SHOWN = 20


def check(settings: CheckSettings) -> str:
    """Read the export and say what was found in it.

    Raises
    ------
    DataError
        If the other verbs would refuse the export: everything is written, and the message says what there is.
    """
    mapping, refusals = CrmMapping.model_validate(settings.crm), Refusals()
    try:
        found = (_leads_alone if mapping.deals == NO_DEALS else _deals)(settings, mapping, refusals)
    except DataError as error:
        if not refusals:  # a file that is not there, or is none: nothing was read, and nothing else can be told
            raise
        refusals.tell(_stopped(), str(error))
        _write(settings, refusals.findings(), Ledger(), _NO_TIE, _NO_ROWS)
        found = f"written: {settings.out}"
    if refusals:
        raise DataError("\n".join([_refused(refusals), found]))
    return found


def _refused(refusals: Refusals) -> str:
    messages, n = refusals.messages, len(refusals.messages)
    more = [f"  and {n - _SHOWN} more, in findings.csv"] if n > _SHOWN else []
    return "\n".join([
        f"{n} {'thing' if n == 1 else 'things'} for which the other verbs refuse this export:",
        *(f"  {m}" for m in messages[:_SHOWN]), *more,
        "what follows was read without these, so that some of it may only follow from them:",
    ])  # fmt: skip


def _stopped() -> Finding:
    return Finding(
        "READING-STOPPED", "error", "deals", count=1, repair="nothing else was read",
        advice="correct what the other errors name, and check again",
    )  # fmt: skip


def _deals(settings: CheckSettings, mapping: CrmMapping, refusals: Refusals) -> str:
    export = build_export(settings, refusals)
    leaks = [
        *audit_deals(export.history, mapping.roles.allow_leaks).findings,
        *_of_leads(export.history.tables, export.history, mapping),
    ]
    findings = gravest_first([*refusals.findings(), *findings_of(export, export.history), *leaks])
    _write(settings, findings, export.ledger, export.tie, _excluded(export))
    return "\n".join([
        f"{len(export.history.deals):,} deals read, {len(export.excluded):,} rows excluded, "
        f"written until {export.history.written_until.date()}",
        *_summed_up(settings, findings, export.ledger),
    ])  # fmt: skip


def _leads_alone(settings: CheckSettings, mapping: CrmMapping, refusals: Refusals) -> str:
    """Say the same of an export that has leads and no deals."""
    export = read_leads(mapping, settings.source, refusals)
    findings = gravest_first([*refusals.findings(), *export.findings, *_of_leads(export.tables, None, mapping)])
    _write(settings, findings, export.ledger, _NO_TIE, export.ledger.excluded().reindex(columns=list(_LISTED)))
    head = f"{len(export.tables.get('leads', ())):,} leads read; there are no deals in crm={mapping.name}"
    return "\n".join([head, *_summed_up(settings, findings, export.ledger)])


def _write(
    settings: CheckSettings, findings: list[Finding], ledger: Ledger, tied: pd.DataFrame, excluded: pd.DataFrame
) -> None:
    with whole_folder(settings.out) as out:
        write_csv(findings_frame(findings), out / "findings.csv")
        write_csv(tied, out / "tie.csv")
        write_csv(excluded, out / "excluded.csv")
        write_csv(ledger.rows(), out / "rows.csv")
        write_csv(ledger.repairs(), out / "repairs.csv")


def _summed_up(settings: CheckSettings, findings: list[Finding], ledger: Ledger) -> list[str]:
    counts = {s: sum(f.severity == s for f in findings) for s in ("error", "warning", "info")}
    rows, repairs = ledger.rows(), ledger.repairs()
    return [
        f"rows of all tables: {rows['rows'].sum():,} came, {rows['used'].sum():,} used, "
        f"{rows['excluded'].sum():,} excluded (excluded.csv); {len(repairs):,} cells mended (repairs.csv)",
        f"findings: {counts['error']} errors, {counts['warning']} warnings, {counts['info']} to know",
        *(f"  {f.severity:8}{f.code} ({f.count:,}): {f.advice}" for f in findings[:20]),
        f"written: {settings.out}",
    ]


def _of_leads(tables: Mapping[str, pd.DataFrame], history: DealHistory | None, mapping: CrmMapping) -> list[Finding]:
    """Audit the leads as a training of them would, where there are any."""
    if "leads" not in tables or tables["leads"].empty:
        return []
    roles = mapping.roles.leads
    try:
        book = lead_book(tables, roles.birth, roles.engagement, (), history)
        return [*book.findings, *audit_of(book, LeadSettings()).findings]
    except (DataError, SettingsError) as error:
        return [Finding("LEADS-NOT-AUDITED", "info", "leads", count=len(tables["leads"]), advice=str(error)[:300])]


def _excluded(export: Export) -> pd.DataFrame:
    """Every row that is not used, of any table; amounts, statuses and pipelines of deals beside them."""
    keys = ["table", "file", "row"]
    deals = export.excluded[[*keys, "status", "pipeline", "amount"]]
    return export.ledger.excluded().merge(deals, "left", on=keys)[list(_LISTED)]
