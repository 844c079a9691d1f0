"""Reading a CRM's export into a history, by a mapping file alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from pipeforecast.address import Address
from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding, first_examples
from pipeforecast.history import DealHistory
from pipeforecast.ingest.alone import LeadExport, read_leads
from pipeforecast.ingest.chunks import LeadFile
from pipeforecast.ingest.currency import in_one_currency
from pipeforecast.ingest.databases import source_at
from pipeforecast.ingest.deals import DealRows, finished, read_deals
from pipeforecast.ingest.exports import Dated, dated_exports, has_log, read_series
from pipeforecast.ingest.ledger import Ledger
from pipeforecast.ingest.logs import read_logs
from pipeforecast.ingest.needed import in_turn
from pipeforecast.ingest.pasts import Log, build_states, date_creations, last_written
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.refusals import Refusals
from pipeforecast.ingest.roles import roles_of
from pipeforecast.ingest.stages import read_stages
from pipeforecast.ingest.states import finished_states
from pipeforecast.ingest.tables import read_tables
from pipeforecast.ingest.tie import excluded, tie
from pipeforecast.mapping import CrmMapping

__all__ = ["Export", "LeadExport", "LeadFile", "Refusals", "read_export", "read_leads"]


@dataclass(frozen=True)
class Export:
    """An export as it was read.

    Attributes
    ----------
    history : DealHistory
    findings : list of Finding
        What was odd, assumed or mended.
    tie : DataFrame
        ``pipeline, status, raw_count, raw_amount, used_count, used_amount, excluded_count, excluded_amount``:
        what is in the source's deals, what is used, what is not; used and excluded add up to raw, to the cent.
    excluded : DataFrame
        ``deal_id, reason, status, pipeline, amount, row, table, file`` of every deal's row that is not used.
    ledger : Ledger
        Where each row of each table went, and what was mended.
    content : str or None
        SHA-256 of what was read of a database; None where files were read, which have their own.
    """

    history: DealHistory
    findings: list[Finding]
    tie: pd.DataFrame
    excluded: pd.DataFrame
    content: str | None = None
    ledger: Ledger = field(default_factory=Ledger)


def read_export(
    mapping: CrmMapping, source: Address | Path | str | Sequence[Path | str], refusals: Refusals | None = None
) -> Export:
    """Read a CRM's export.

    Parameters
    ----------
    mapping : CrmMapping
        What the files and columns are called and mean.
    source : a folder, a file, a list of files, a folder of dated exports, a DuckDB file or a database's address
    refusals : Refusals, optional
        Gathers what cannot be read and lets reading go on without it, so that ``check`` can tell of all of it; what is
        then read is for looking at alone.

    Raises
    ------
    MissingFileError
        If the deals' file is not there.
    DataError
        If a column is missing, or a value cannot be read as its kind.
    """
    findings: list[Finding] = []
    reading = Reading(mapping, source_at(source, findings), findings, refusals=refusals)
    series = dated_exports(mapping, reading.source)
    if series and (len(series) == 1 or has_log(mapping, series[-1].source)):
        findings += _not_read(series[:-1])
        reading = replace(reading, source=series[-1].source)
        series = []
    if series:
        rows, deals, log = read_series(reading, series)
        reading = replace(reading, source=series[-1].source)
    else:
        reading = replace(reading, turn=in_turn(mapping))
        rows = read_deals(reading, read_stages(reading))
        deals, log = rows.used(), read_logs(reading, rows)
    for files in (mapping.deals.files, *mapping.history.files):
        reading.source.forget(files)
    rows = rows.without_text()
    return _export(reading, rows, deals, log)


def _not_read(earlier: Sequence[Dated]) -> list[Finding]:
    """Say which exports of a series were not opened, because the newest has a change log."""
    if not earlier:
        return []
    days = first_examples(d.day.astype("datetime64[D]") for d in earlier)
    return [
        Finding(
            "EARLIER-EXPORTS-NOT-READ", "info", "", "", len(earlier), days, "the newest export alone is read",
            "nothing: its change log says more than differences between exports; name an earlier folder to look at it",
        )
    ]  # fmt: skip


def _export(reading: Reading, rows: DealRows, deals: pd.DataFrame, log: Log) -> Export:
    if rows.deals.empty:
        raise DataError(f"{rows.source.file}: expected at least one deal, came a header alone; export it with its rows")
    if deals.empty:
        raise DataError(
            f"none of {len(rows.deals)} deals can be used; the reasons: {some(rows.reason.dropna().unique())}"
        )
    tables = read_tables(reading)
    deals, log = in_one_currency(deals, log, tables, reading)
    until = last_written(deals, log)
    deals = date_creations(deals, log, until, reading)
    final = finished(deals)
    roles = roles_of(reading.mapping, final, log)
    birth = tuple(name for name, role in roles.items() if role == "birth")
    states = build_states(deals, log, birth, until, rows.stages, reading)
    history = DealHistory(
        deals=final,
        states=finished_states(states, [f for f in log.tracked if f not in ("status", "close_date")]),
        stages=rows.stages,
        written_until=until,
        roles=roles,
        tables=tables,
    )
    tied, left = tie(rows.deals, rows.reason), excluded(rows.deals, rows.reason)
    left = left.assign(table="deals", file=rows.source.reading.ledger.part + rows.source.file)
    return Export(history, reading.findings, tied, left, reading.source.content(), reading.ledger)
