"""Where every row of an export went, and every cell that was read as something else than it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

ROWS_COLUMNS = ("table", "file", "rows", "used", "excluded")
EXCLUDED_COLUMNS = ("table", "file", "row", "deal_id", "reason")
REPAIR_COLUMNS = ("table", "file", "row", "id", "column", "before", "after", "rule")


@dataclass(frozen=True)
class _Came:
    table: str
    file: str
    rows: int


@dataclass(frozen=True)
class _Left:
    table: str
    file: str
    rows: np.ndarray
    ids: pd.Series
    reason: str


@dataclass(frozen=True)
class _Mended:
    table: str
    file: str
    rows: np.ndarray | None
    ids: pd.Series | None
    column: str
    before: pd.Series
    after: pd.Series | None
    rule: str


@dataclass(frozen=True)
class Ledger:
    """What came in, what was left out and what was mended, told while reading; frames are made when they are asked for.

    Rows are counted as a spreadsheet counts them: the header is row 1.

    Attributes
    ----------
    part : str
        What precedes the names of files, such as the day of one of several exports.
    """

    part: str = ""
    _came: list[_Came] = field(default_factory=list)
    _left: list[_Left] = field(default_factory=list)
    _mended: list[_Mended] = field(default_factory=list)

    def within(self, part: str) -> Ledger:
        """Give this ledger for one of several exports: its files are named with ``part`` before them."""
        return replace(self, part=part)

    def came(self, table: str, file: str, rows: int) -> None:
        """Say that a file came with so many rows."""
        self._came.append(_Came(table, self.part + file, rows))

    def leave(self, table: str, file: str, ids: pd.Series, reason: str) -> None:
        """Say that rows are not used.

        Parameters
        ----------
        ids : Series
            Deal ids (missing where a table has none); the index is each row's place in the file, from 0.
        reason : str
            Code of the finding that says so.
        """
        if len(ids):
            rows = ids.index.to_numpy().astype("int64") + 2
            self._left.append(_Left(table, self.part + file, rows, ids.astype("string"), reason))

    def mend(
        self, table: str, file: str, column: str, before: pd.Series, rule: str,
        after: pd.Series | None = None, ids: pd.Series | None = None, by_row: bool = True,
    ) -> None:  # fmt: skip
        """Say that cells are read as something else than they say.

        Parameters
        ----------
        before : Series
            What stands there; the index is each row's place in the file, from 0.
        rule : str
            Code of the finding that says why.
        after : Series, optional
            What is taken instead; None: missing.
        by_row : bool
            Whether the index of ``before`` is the place in the file; otherwise ``ids`` alone say where it is.
        """
        if len(before):
            rows = before.index.to_numpy().astype("int64") + 2 if by_row else None
            self._mended.append(_Mended(table, self.part + file, rows, ids, column, before, after, rule))

    def rows(self) -> pd.DataFrame:
        """Table of ``table, file, rows, used, excluded``: the first is the sum of the last two, in every row."""
        came = pd.DataFrame([(c.table, c.file, c.rows) for c in self._came], columns=["table", "file", "rows"])
        came = came.drop_duplicates(["table", "file"], keep="last")
        out = came.merge(self.excluded().groupby(["table", "file"]).size().rename("excluded").reset_index(), "left")
        out["excluded"] = out["excluded"].fillna(0).astype("int64")
        out["used"] = out["rows"] - out["excluded"]
        return out[list(ROWS_COLUMNS)]

    def excluded(self) -> pd.DataFrame:
        """Table of every row that is not used, with the code that says why: ``table, file, row, deal_id, reason``."""
        parts = [
            pd.DataFrame({
                "table": e.table, "file": e.file, "row": e.rows, "deal_id": e.ids.to_numpy(), "reason": e.reason,
            })
            for e in self._left
        ]  # fmt: skip
        out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(EXCLUDED_COLUMNS))
        return out.drop_duplicates(["table", "file", "row"], ignore_index=True)

    def repairs(self) -> pd.DataFrame:
        """Table of every cell that was mended: ``table, file, row, id, column, before, after, rule``."""
        parts = [
            pd.DataFrame({
                "table": e.table, "file": e.file,
                "row": pd.array(e.rows if e.rows is not None else [None] * len(e.before), dtype="Int64"),
                "id": "" if e.ids is None else _shown(e.ids).to_numpy(), "column": e.column,
                "before": _shown(e.before).to_numpy(),
                "after": "" if e.after is None else _shown(e.after).to_numpy(), "rule": e.rule,
            })
            for e in self._mended
        ]  # fmt: skip
        out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(REPAIR_COLUMNS))
        return out.drop_duplicates(["table", "file", "row", "id", "column", "rule"], ignore_index=True)


def _shown(values: pd.Series) -> pd.Series:
    """Write values as text: days as ISO days, whole numbers without a point, missing as nothing."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        at_midnight = bool((values.dropna() == values.dropna().dt.normalize()).all())
        out = values.dt.strftime("%Y-%m-%d" if at_midnight else "%Y-%m-%d %H:%M:%S")
    elif pd.api.types.is_float_dtype(values.dtype):
        out = values.map(lambda v: "" if v != v else f"{v:.15g}")
    else:
        out = values.astype("string")
    shown: pd.Series = out.astype("string").fillna("")
    return shown
