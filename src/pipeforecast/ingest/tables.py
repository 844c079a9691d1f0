"""The other tables of an export: leads, touches, quotas, forecast calls, spend."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import TABLES, conform
from pipeforecast.errors import DataError
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.columns import left_out, read_columns
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.reading import Reading, not_read
from pipeforecast.mapping import TableSettings


def read_tables(reading: Reading) -> dict[str, pd.DataFrame]:
    """Read every mapped table whose file is there; the others become one finding."""
    out: dict[str, pd.DataFrame] = {}
    absent: list[str] = []
    for name, settings in reading.mapping.tables.items():
        frame = None
        try:
            frame = reading.cells(settings.files, settings.delimiter, settings.encoding, settings.sheet)
            if frame is None:
                absent.append(name)
            else:
                out[name] = read_table(Rows(frame, name, reading), name, settings)
                reading.source.forget(settings.files)
        except DataError as error:
            not_read(reading, name, error, frame)
    if absent:
        reading.findings.append(
            Finding(
                "TABLE-NOT-THERE", "info", "", count=len(absent), examples=first_examples(absent),
                repair="read without", advice="export these tables too for what needs them",
            )
        )  # fmt: skip
    return out


def read_table(rows: Rows, name: str, settings: TableSettings) -> pd.DataFrame:
    """Read one table; rows without a required value are left out, with a finding."""
    every, left = read_columns(rows, settings, name), left_out(rows, settings)
    ledger, nobody = rows.reading.ledger, pd.Series(pd.NA, index=every.index, dtype="string")
    ledger.came(name, rows.file, len(every))
    ledger.leave(name, rows.file, nobody[left], "EXCLUDED-BY-MAPPING")
    table = every[~left] if left.any() else every
    required = [c for c, promise in TABLES[name].items() if promise.required and c in table]
    incomplete = np.zeros(len(table), dtype=bool)
    for column in required:
        incomplete |= table[column].isna().to_numpy(dtype=bool)
    ledger.leave(name, rows.file, nobody.loc[table.index[incomplete]], "ROWS-INCOMPLETE")
    if incomplete.any():
        rows.reading.findings.append(
            Finding(
                "ROWS-INCOMPLETE", "warning", name, ", ".join(required), int(incomplete.sum()),
                tuple(f"row {i + 2}" for i in table.index[incomplete][:5]), "left out", "fill the required columns",
            )
        )  # fmt: skip
        table = table[~incomplete]
    return conform(table, name).reset_index(drop=True)
