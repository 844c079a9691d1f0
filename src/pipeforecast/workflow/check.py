"""Read the export, say what was found in it, and where every row of it went."""

from __future__ import annotations

import pandas as pd

from pipeforecast.build import build_export
from pipeforecast.dealaudit import audit_deals
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.ingest import Export
from pipeforecast.ingest.tie import EXCLUDED_COLUMNS
from pipeforecast.leadrun import audit_of
from pipeforecast.leads import lead_book
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.mapping import CrmMapping
from pipeforecast.outbox import whole_folder
from pipeforecast.results import write_csv
from pipeforecast.run import findings_of, gravest_first
from pipeforecast.settings import CheckSettings
from pipeforecast.textcells import shown_frame


def check(settings: CheckSettings) -> str:
    """Read the export and say what was found in it."""
    export = build_export(settings)
    mapping = CrmMapping.model_validate(settings.crm)
    leaks = [*audit_deals(export.history, mapping.roles.allow_leaks).findings, *_of_leads(export, mapping)]
    findings = gravest_first([*findings_of(export, export.history), *leaks])
    rows, repairs = export.ledger.rows(), export.ledger.repairs()
    with whole_folder(settings.out) as out:
        write_csv(shown_frame(findings_frame(findings)), out / "findings.csv")
        write_csv(export.tie, out / "tie.csv")
        write_csv(shown_frame(_excluded(export)), out / "excluded.csv")
        write_csv(shown_frame(rows), out / "rows.csv")
        write_csv(shown_frame(repairs), out / "repairs.csv")
    counts = {s: sum(f.severity == s for f in findings) for s in ("error", "warning", "info")}
    lines = [
        f"{len(export.history.deals):,} deals read, {len(export.excluded):,} rows excluded, "
        f"written until {export.history.written_until.date()}",
        f"rows of all tables: {rows['rows'].sum():,} came, {rows['used'].sum():,} used, "
        f"{rows['excluded'].sum():,} excluded (excluded.csv); {len(repairs):,} cells mended (repairs.csv)",
        f"findings: {counts['error']} errors, {counts['warning']} warnings, {counts['info']} to know",
        *(f"  {f.severity:8}{f.code} ({f.count:,}): {f.advice}" for f in findings[:20]),
        f"written: {settings.out}",
    ]
    return "\n".join(lines)


def _of_leads(export: Export, mapping: CrmMapping) -> list[Finding]:
    """Audit the leads as a training of them would, where there are any."""
    tables = export.history.tables
    if "leads" not in tables or tables["leads"].empty:
        return []
    roles = mapping.roles.leads
    try:
        book = lead_book(tables, roles.birth, roles.engagement, (), export.history)
        return [*book.findings, *audit_of(book, LeadSettings()).findings]
    except (DataError, SettingsError) as error:
        return [Finding("LEADS-NOT-AUDITED", "info", "leads", count=len(tables["leads"]), advice=str(error)[:300])]


def _excluded(export: Export) -> pd.DataFrame:
    """Every row that is not used, of any table; amounts, statuses and pipelines of deals beside them."""
    keys = ["table", "file", "row"]
    deals = export.excluded[[*keys, "status", "pipeline", "amount"]]
    return export.ledger.excluded().merge(deals, "left", on=keys)[[*EXCLUDED_COLUMNS, "table", "file"]]
