"""Reading a CRM's export into a history, by a mapping file alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeforecast.errors import DataError
from pipeforecast.findings import Finding
from pipeforecast.history import DealHistory
from pipeforecast.ingest.deals import DealRows, finished, read_deals
from pipeforecast.ingest.expressions import Reading
from pipeforecast.ingest.files import Source
from pipeforecast.ingest.logs import read_logs
from pipeforecast.ingest.pasts import Log, build_states, date_creations, last_written
from pipeforecast.ingest.roles import roles_of
from pipeforecast.ingest.stages import read_stages
from pipeforecast.ingest.states import finished_states
from pipeforecast.ingest.tables import read_tables
from pipeforecast.ingest.tie import excluded, tie
from pipeforecast.mapping import CrmMapping

__all__ = ["Export", "read_export"]


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
        ``deal_id, reason, status, pipeline, amount`` of every row that is not used.
    """

    history: DealHistory
    findings: list[Finding]
    tie: pd.DataFrame
    excluded: pd.DataFrame


def read_export(mapping: CrmMapping, source: Path | str | Sequence[Path | str]) -> Export:
    """Read a CRM's export.

    Parameters
    ----------
    mapping : CrmMapping
        What the files and columns are called and mean.
    source : a folder, a file, a list of files, or a folder of dated exports

    Raises
    ------
    MissingFileError
        If the deals' file is not there.
    DataError
        If a column is missing, or a value cannot be read as its kind.
    """
    findings: list[Finding] = []
    reading = Reading(mapping, Source.at(source, findings), findings)
    stages = read_stages(reading)
    rows = read_deals(reading, stages)
    log = read_logs(reading, rows)
    return _export(reading, rows, log)


def _export(reading: Reading, rows: DealRows, log: Log) -> Export:
    deals = rows.used()
    if deals.empty:
        raise DataError(f"no deal of {len(rows.deals)} rows can be used; the reasons: {set(rows.reason.dropna())}")
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
        tables=read_tables(reading),
    )
    return Export(history, reading.findings, tie(rows.deals, rows.reason), excluded(rows.deals, rows.reason))
