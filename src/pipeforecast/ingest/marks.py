"""Columns by which a CRM marks records as deleted or merged, also where a mapping does not name them."""

from __future__ import annotations

import pandas as pd

from pipeforecast.findings import Finding
from pipeforecast.ingest.coded import decoded, each
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.needed import DELETED, MERGED, bare_name
from pipeforecast.mapping import TableSettings

_NO = frozenset({"", "0", "false", "no", "n", "f"})


def merged_into(rows: Rows, ids: pd.Series) -> pd.Series:
    """Tell which rows were merged into another one of the same table, which then counts for both."""
    out = pd.Series(False, index=rows.frame.index)
    for name in (str(c) for c in rows.frame.columns if bare_name(str(c)) in MERGED):
        target = decoded(rows.text(name))
        known = target.isin(ids.dropna()) & target.ne(ids).fillna(False)
        out |= known.fillna(False).astype(bool)
    return out


def say_unmapped_deletions(rows: Rows, settings: TableSettings, reason: pd.Series) -> None:
    """Say where rows in use carry a mark of deletion that the mapping does not name."""
    named = {bare_name(c.column) for c in settings.exclude}
    used = reason.isna().to_numpy(dtype=bool)
    for name in (str(c) for c in rows.frame.columns if bare_name(str(c)) in DELETED - named):
        said = each(rows.text(name), lambda text: text.notna() & ~text.str.casefold().isin(_NO)).fillna(False)
        marked = used & said.to_numpy(dtype=bool)
        if marked.any():
            rows.reading.findings.append(
                Finding(
                    "DELETED-NOT-MAPPED", "warning", rows.table, name, int(marked.sum()),
                    tuple(f"row {i + 2}" for i in rows.frame.index[marked][:5]), "kept; they count as any other",
                    f"if they are deleted, leave them out: exclude: [{{column: {name}, is: [true, 1]}}]",
                )
            )  # fmt: skip
