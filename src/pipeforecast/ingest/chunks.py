"""The table of leads some rows at a time, so that millions of them can be scored in little memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeforecast.address import Address
from pipeforecast.errors import DataError
from pipeforecast.findings import Finding
from pipeforecast.ingest.databases import source_at
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.files import as_text
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.tables import read_table, read_tables
from pipeforecast.mapping import CrmMapping, TableSettings


class LeadFile:
    """The leads of an export, and the tables beside them.

    Parameters
    ----------
    mapping : CrmMapping
    source : Path or Address
        Folder, file or database.
    """

    def __init__(self, mapping: CrmMapping, source: Address | Path) -> None:
        if "leads" not in mapping.tables:
            raise DataError(
                f"crm mapping {mapping.name!r}: expected a table of leads under tables.leads, came none; map it there"
            )
        self.findings: list[Finding] = []
        self._reading = Reading(mapping, source_at(source, self.findings), self.findings)
        self._settings = mapping.tables["leads"]
        self.paths = self._reading.source.find(self._settings.files)

    @property
    def streams(self) -> bool:
        """Whether the leads can be read some rows at a time: one Parquet file."""
        return len(self.paths) == 1 and self.paths[0].suffix.casefold() == ".parquet"

    @property
    def content(self) -> str | None:
        """SHA-256 of what was read of a database; None where files were read."""
        return self._reading.source.content()

    def beside(self) -> dict[str, pd.DataFrame]:
        """Read the change log and the touches of leads whole."""
        mapping = self._reading.mapping
        kept = {n: t for n, t in mapping.tables.items() if n in ("lead_changes", "touches")}
        few = mapping.model_copy(update={"tables": kept})
        return read_tables(Reading(few, self._reading.source, self.findings))

    def chunks(self, size: int, only: Collection[str] | None = None) -> Iterator[pd.DataFrame]:
        """Give the leads, ``size`` rows at a time, in the order of the file.

        Parameters
        ----------
        size : int
        only : collection of str, optional
            Canonical columns that are needed; the others are not read.
        """
        settings = self._settings if only is None else _only(self._settings, only)
        if not self.streams:
            frame = self._reading.cells(settings.files, settings.delimiter, settings.encoding, settings.sheet)
            whole = read_table(
                Rows(frame if frame is not None else pd.DataFrame(), "leads", self._reading), "leads", settings
            )
            for first in range(0, len(whole), size):
                yield whole.iloc[first : first + size].reset_index(drop=True)
            return
        quiet = Reading(self._reading.mapping, self._reading.source, [])
        first = True
        for batch in pq.ParquetFile(self.paths[0]).iter_batches(batch_size=size):
            frame = as_text(pa.Table.from_batches([batch]))
            frame.attrs = {"file": self.paths[0].name}
            yield read_table(Rows(frame, "leads", self._reading if first else quiet), "leads", settings)
            first = False


def _only(settings: TableSettings, names: Collection[str]) -> TableSettings:
    """Keep the columns that are needed."""
    return settings.model_copy(
        update={
            "columns": {n: e for n, e in settings.columns.items() if n in names},
            "optional": {n: e for n, e in settings.optional.items() if n in names},
            "keep": {k: {n: e for n, e in c.items() if n in names} for k, c in settings.keep.items()},
        }
    )
