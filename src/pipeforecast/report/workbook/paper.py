"""Sheets to write on: values with their formats, text never as a formula, the same bytes for the same input."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

#: Limits of the format: rows of a sheet, UTF-16 units of a cell.
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767

_HEAD = {"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"}
_LOOKS: dict[str, dict[str, Any]] = {
    "text": {},
    "title": {"bold": True, "font_size": 14},
    "note": {"font_color": "#555555", "italic": True},
    "head": _HEAD,
    "head_right": _HEAD | {"align": "right"},
    "hint": {"indent": 1},
    "money": {"num_format": "#,##0.00"},
    "share": {"num_format": "0.0%"},
    "number": {"num_format": "#,##0.####"},
    "factor": {"num_format": "0.######", "align": "left"},
    "right": {"align": "right"},
    "whole": {"num_format": "0"},
    "day": {"num_format": "yyyy-mm-dd", "align": "left"},
    "sum": {"num_format": "#,##0.00", "bold": True},
    "bold": {"bold": True},
    "key": {"font_color": "#888888", "num_format": "0"},
    "wrap": {"text_wrap": True, "valign": "top"},
}
_NUMBERS = ("money", "sum", "share", "number", "whole", "key")
_YEARS, _LAST_DAY = (1900, 9999), datetime(9999, 12, 31)
_TALL = 32  # points: two lines of a header
_EDITED = {"bg_color": "#FFF6D6", "font_color": "#7A3E00"}


@dataclass(frozen=True)
class Live:
    """A formula and its value as of writing, for readers that do not reckon."""

    formula: str
    value: float | str


@dataclass(frozen=True)
class Column:
    """One column of a table: its header, how its values look, how wide it is."""

    title: str
    look: str = "text"
    width: float = 14.0
    hidden: bool = False


def plain(value: object, longest: int = LONGEST_CELL) -> str:
    """Take text from outside: no control characters and no non-characters, cut with an ellipsis; missing is empty."""
    if value is None or (not isinstance(value, str) and bool(pd.isna(value))):  # type: ignore[call-overload]
        return ""
    if len(text := str(value)) <= longest // 2 and text.isprintable():  # nothing to take out or to cut
        return text.strip()
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text[: 2 * longest])
    text = text.replace("\ufffe", " ").replace("\uffff", " ").strip()
    # The format counts UTF-16 units: a sign beyond the first 65,536 takes two of them, and is not cut in half.
    units = text.encode("utf-16-le")
    if len(units) <= 2 * longest:
        return text
    return units[: 2 * (longest - 1)].decode("utf-16-le", errors="ignore").rstrip() + "…"


class _Page(Worksheet):  # type: ignore[misc]
    """A sheet whose formulas use no function that came after Excel 2007: none is searched for, a hundred times each."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        return formula.removeprefix("=")


class Paper:
    """A workbook being written.

    Parameters
    ----------
    path : Path
    created : Timestamp
        The day that is written as that of creation: the clock of the machine is in no file.
    title : str
    """

    def __init__(self, path: Path, created: pd.Timestamp, title: str) -> None:
        options = {
            "in_memory": True,  # times and modes of temporary files would be part of the bytes
            "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        }  # fmt: skip
        self.book = xlsxwriter.Workbook(str(path), options)
        self.book.set_properties({"title": plain(title, 255), "created": created.to_pydatetime()})
        self._formats: dict[str, Any] = {}

    def close(self) -> None:
        """Write the file."""
        self.book.close()

    def look(self, name: str) -> Any:
        """Give the format called ``name``; ``name!`` marks what is meant to be edited."""
        if name not in self._formats:
            base = name.removesuffix("!")
            self._formats[name] = self.book.add_format(_LOOKS[base] | (_EDITED if name != base else {}))
        return self._formats[name]

    def sheet(self, name: str) -> Sheet:
        """Add a sheet, set up for print: landscape, one page wide, its name and page number below."""
        sheet = Sheet(self, self.book.add_worksheet(name, _Page), name)
        at = sheet.at
        at.set_landscape()
        at.set_paper(9)
        at.fit_to_pages(1, 0)
        at.set_footer("&L&A&RPage &P of &N")
        at.hide_gridlines(2)
        return sheet

    def name(self, name: str, sheet: str, cells: str) -> None:
        """Give cells a name that formulas use."""
        self.book.define_name(name, f"={sheet}!{cells}")


class Sheet:
    """One sheet being written, from above."""

    def __init__(self, paper: Paper, at: Any, name: str) -> None:
        self.paper, self.at, self.name = paper, at, name

    @cached_property
    def _look(self) -> Any:
        return self.paper.look

    def put(self, row: int, column: int, value: object, look: str = "text") -> None:
        """Write one value by its kind. Text is text, whatever it begins with; what is not known is an empty cell."""
        form = self._look(look)
        if isinstance(value, Live):
            self.at.write_formula(row, column, value.formula, form, value.value)
        elif isinstance(value, str):
            text = plain(value)
            self.at.write_string(row, column, text, form) if text else self.at.write_blank(row, column, None, form)
        elif value is None or pd.isna(value):  # type: ignore[call-overload]
            self.at.write_blank(row, column, None, form)
        elif isinstance(value, pd.Timestamp):
            self._put_day(row, column, value, form)
        elif np.isfinite(float(value)):  # type: ignore[arg-type]
            self.at.write_number(row, column, float(value), form)  # type: ignore[arg-type]
        else:
            self.at.write_string(row, column, str(value), form)

    def _put_day(self, row: int, column: int, day: pd.Timestamp, form: Any) -> None:
        """Write a day as one; before 1900, where the format has none, as text; after 9999 as the last that it has."""
        if day.year < _YEARS[0]:
            self.at.write_string(row, column, str(day.date()), form)
        else:
            last = day.year > _YEARS[1]
            self.at.write_datetime(row, column, _LAST_DAY if last else day.to_pydatetime(warn=False), form)

    def head(self, row: int, columns: Sequence[Column]) -> None:
        """Write a table's header, freeze what is above it, repeat it on every printed page, set the widths."""
        for i, column in enumerate(columns):
            right = column.look.removesuffix("!") in _NUMBERS
            self.put(row, i, column.title, "head_right" if right else "head")
            self.at.set_column(i, i, column.width, None, {"hidden": column.hidden})
        self.at.set_row(row, _TALL)
        self.at.freeze_panes(row + 1, 0)
        self.at.repeat_rows(row)

    def rows(self, row: int, columns: Sequence[Column], values: Sequence[Sequence[object]]) -> int:
        """Write a table's columns of values below its header; gives the row after it."""
        for i, (column, cells) in enumerate(zip(columns, values, strict=True)):
            for j, value in enumerate(cells):
                self.put(row + j, i, value, column.look)
        return row + (len(values[0]) if values else 0)

    def lines(self, row: int, texts: Sequence[str], look: str = "note") -> int:
        """Write lines of text; gives the row after them."""
        for i, text in enumerate(texts):
            self.put(row + i, 0, text, look)
        return row + len(texts)


def cell(row: int, column: int) -> str:
    """Name a cell: ``cell(0, 1)`` is B1."""
    return str(xl_rowcol_to_cell(row, column))


def fixed(row: int, column: int, last_row: int, last_column: int | None = None) -> str:
    """Name a range by absolute places: ``fixed(0, 1, 2)`` is $B$1:$B$3."""
    return str(xl_range_abs(row, column, max(last_row, row), column if last_column is None else last_column))
