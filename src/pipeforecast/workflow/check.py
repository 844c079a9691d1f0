"""Read the export and say what was found in it."""

from __future__ import annotations

import pandas as pd

from pipeforecast.build import build_export
from pipeforecast.findings import findings_frame
from pipeforecast.ingest import Export
from pipeforecast.ingest.tie import EXCLUDED_COLUMNS
from pipeforecast.outbox import whole_folder
from pipeforecast.results import write_csv
from pipeforecast.run import findings_of
from pipeforecast.settings import CheckSettings


def _excluded(export: Export) -> pd.DataFrame:
    """Every row that is not used, of any table; amounts, statuses and pipelines of deals beside them."""
    keys = ["table", "file", "row"]
    deals = export.excluded[[*keys, "status", "pipeline", "amount"]]
    return export.ledger.excluded().merge(deals, "left", on=keys)[[*EXCLUDED_COLUMNS, "table", "file"]]


def check(settings: CheckSettings) -> str:
    """Read the export and say what was found in it."""
    export = build_export(settings)
    findings = findings_of(export, export.history)
    table = findings_frame(findings)
    with whole_folder(settings.out) as out:
        write_csv(table, out / "findings.csv")
        write_csv(export.tie, out / "tie.csv")
        write_csv(_excluded(export), out / "excluded.csv")
        write_csv(export.ledger.rows(), out / "rows.csv")
        write_csv(export.ledger.repairs(), out / "repairs.csv")
    counts = {s: sum(f.severity == s for f in findings) for s in ("error", "warning", "info")}
    lines = [
        f"{len(export.history.deals):,} deals read, {len(export.excluded):,} rows excluded, "
        f"written until {export.history.written_until.date()}",
        f"findings: {counts['error']} errors, {counts['warning']} warnings, {counts['info']} to know",
        *(f"  {f.severity:8}{f.code} ({f.count:,}): {f.advice}" for f in findings[:20]),
        f"written: {settings.out}",
    ]
    return "\n".join(lines)
