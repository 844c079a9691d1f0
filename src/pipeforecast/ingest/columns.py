"""The canonical columns of a table, and which of its rows the mapping leaves out."""

from __future__ import annotations

import pandas as pd

from pipeforecast.contract import Kind
from pipeforecast.errors import MissingFileError
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.reading import MissingColumnError
from pipeforecast.ingest.sane import sane_money
from pipeforecast.mapping import TableSettings, kind_of

#: Read with their hours, which order them among the rows of a log; the contract promises days in the end.
_TIMED = ("created_at", "closed_at", "closed_recorded_at", "stage_entered_at")


def _kind(canonical: str, name: str) -> Kind:
    return "time" if canonical == "deals" and name in _TIMED else kind_of(canonical, name) or "text"


def read_columns(rows: Rows, settings: TableSettings, canonical: str) -> pd.DataFrame:
    """Evaluate all expressions of a table; optional columns that are absent become one finding.

    Parameters
    ----------
    canonical : name of the table in the contract, whose kinds count
    """
    out: dict[str, pd.Series] = {}
    absent: list[str] = []
    for name, expression in settings.columns.items():
        try:
            out[name] = sane(rows, name, _kind(canonical, name), rows.evaluate(expression, _kind(canonical, name)))
        except (MissingColumnError, MissingFileError) as error:
            rows.reading.refuse(error, _not_there(rows, name))
    optional = [(n, e, _kind(canonical, n)) for n, e in settings.optional.items()]
    optional += [(n, e, kind) for kind, kept in settings.keep.items() for n, e in kept.items()]
    for name, expression, kind in optional:
        try:
            out[name] = sane(rows, name, kind, rows.evaluate(expression, kind))
        except (MissingColumnError, MissingFileError):
            absent.append(name)
    if absent:
        rows.reading.findings.append(
            Finding(
                "COLUMN-NOT-THERE", "info", rows.table, count=len(absent), examples=first_examples(absent),
                repair="read without", advice=f"add the source columns to {rows.file} or change the mapping",
            )
        )  # fmt: skip
    return pd.DataFrame(out, index=rows.frame.index)


def _not_there(rows: Rows, name: str) -> Finding:
    return Finding(
        "COLUMN-MISSING", "error", rows.table, name, max(len(rows.frame), 1), repair="looked on without it",
        advice=f"export the source of {name} too, or name its column in the mapping",
    )  # fmt: skip


def left_out(rows: Rows, settings: TableSettings) -> pd.Series:
    """Tell which rows the mapping excludes (deleted ones, say); an absent column excludes nothing."""
    out = pd.Series(False, index=rows.frame.index)
    for condition in settings.exclude:
        try:
            out |= rows.holds(condition).astype(bool)
        except MissingColumnError:
            continue
    return out


def sane(rows: Rows, name: str, kind: Kind, values: pd.Series) -> pd.Series:
    """Set amounts missing that no company has, with a finding and what stood there."""
    if kind != "money":
        return values
    kept, finding = sane_money(values, rows.table, name)
    if finding is not None:
        wrong = values[values.notna() & kept.isna()]
        rows.reading.ledger.mend(rows.table, rows.file, name, wrong, finding.code)
        if finding not in rows.reading.findings:
            rows.reading.findings.append(finding)
    return kept
