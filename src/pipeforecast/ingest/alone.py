"""Reading an export for its leads: with its deals where they are there, otherwise the other tables alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeforecast.address import Address
from pipeforecast.errors import MissingFileError
from pipeforecast.findings import Finding
from pipeforecast.history import DealHistory
from pipeforecast.ingest.databases import source_at
from pipeforecast.ingest.ledger import Ledger
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.refusals import Refusals
from pipeforecast.ingest.tables import read_tables
from pipeforecast.mapping import CrmMapping


@dataclass(frozen=True)
class LeadExport:
    """What an export says about leads.

    Attributes
    ----------
    tables : mapping of name to DataFrame
        ``leads``, and where they are there ``lead_changes``, ``touches``.
    findings : list of Finding
    history : DealHistory or None
        None where the export has no deals.
    content : str or None
        SHA-256 of what was read of a database; None where files were read.
    ledger : Ledger
        Where every row went.
    """

    tables: Mapping[str, pd.DataFrame]
    findings: list[Finding]
    history: DealHistory | None
    content: str | None = None
    ledger: Ledger = field(default_factory=Ledger)


def read_leads(
    mapping: CrmMapping, source: Address | Path | str | Sequence[Path | str], refusals: Refusals | None = None
) -> LeadExport:
    """Read an export's leads; ``refusals`` as for ``read_export``.

    Raises
    ------
    MissingFileError
        If the leads' file is not there.
    DataError
        If a value cannot be read as its kind.
    """
    from pipeforecast.ingest import read_export

    findings: list[Finding] = []
    reading = Reading(mapping, source_at(source, findings), findings, refusals=refusals)
    files = mapping.tables["leads"].files if "leads" in mapping.tables else ()
    if not reading.source.find(files):
        there = ", ".join(p.name for p in reading.source.paths[:8]) or "no file"
        raise MissingFileError(
            f"expected a table of leads ({', '.join(files) or 'tables.leads of the mapping'}) in "
            f"{reading.source.where}, came {there}; set crm.tables.leads.files"
        )
    if reading.source.find(mapping.deals.files):
        export = read_export(mapping, source, refusals)
        return LeadExport(export.history.tables, export.findings, export.history, export.content, export.ledger)
    tables = read_tables(reading)
    return LeadExport(tables, findings, None, reading.source.content(), reading.ledger)
