"""The sheet of the forecast: parts and totals by formula from the open deals, at every level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.report.names import Names
from pipeforecast.report.words import spoken
from pipeforecast.report.workbook.deals import Reckoned
from pipeforecast.report.workbook.inputs import BookInput
from pipeforecast.report.workbook.paper import Column, Live, Paper, Sheet, cell, fixed

HEAD = 9
_RANGES = ("p025", "p10", "p25", "p50", "p75", "p90", "p975")
_COLUMNS = (
    Column("No.", "key", 6), Column("Level", width=13), Column("Group", width=26), Column("Won so far", "money", 15),
    Column("Open, due by the period's end", "money", 15), Column("Open, pulled in", "money", 15),
    Column("All open deals", "money", 15), Column("Deals not yet created", "money", 15), Column("Total", "sum", 16),
    *(Column({"p025": "P2.5", "p975": "P97.5"}.get(q, q.upper()), "money", 15) for q in _RANGES),
    Column("forecast.csv: open, due", "money", 15), Column("forecast.csv: open, pulled in", "money", 15),
    Column("forecast.csv: total", "money", 15), Column("Difference in cents", "whole", 12),
)  # fmt: skip
_WON, _DUE, _PULLED, _OPEN, _NEW, _TOTAL = range(3, 9)
_SAID = 9 + len(_RANGES)
_OFF = _SAID + 3
_BEYOND = _OFF + 1
#: Only where not every deal is listed.
_FURTHER = (Column("Due, in summed rows", "money", 15), Column("Pulled in, in summed rows", "money", 15))

NOTES = (
    "Means: won so far and deals not yet created are stated; open deals are added up from the sheet Deals, so that an "
    "edit there moves every total.",
    "P2.5 to P97.5 are those of the draws: they do not follow an edit, and quantiles of groups or parts do not add up; "
    "means do.",
)
_STATED = "Open deals are stated, not added up: this method looks at no single deal."


def group_numbers(cells: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Number the groups of each level from 1, in the order of the sheet."""
    out: dict[str, dict[str, int]] = {}
    for level, group in cells.index:
        own = out.setdefault(str(level), {})
        own[str(group)] = len(own) + 1
    return out


def write_forecast(paper: Paper, sheet: Sheet, book: BookInput, names: Names, found: Reckoned) -> None:
    """Write the sheet: what counts, whether it equals forecast.csv, then a row per level and group."""
    given, cells = book.given, book.cells
    sheet.put(0, 0, given.title, "title")
    sheet.put(1, 0, f"{given.company}; as of the evening of {given.as_of.date()}; amounts in {given.currency}", "bold")
    sheet.put(2, 0, given.what_counts)
    sheet.lines(3, NOTES if found.live else (_STATED, NOTES[1]))
    last = HEAD + len(cells)
    sheet.put(6, 0, "Equal to forecast.csv", "bold")
    off = fixed(HEAD + 1, _OFF, last)
    said = f'=IF(MAX({off})=0,"yes, to the cent","no: changed by hand, by up to "&MAX({off})&" cents")'
    rows, worst = _rows(book, names, found)
    sheet.put(6, 3, Live(said, "yes, to the cent" if not worst else f"no: changed by hand, by up to {worst} cents"))
    sheet.put(7, 0, "Factor on what is not won", "bold")
    sheet.put(7, 3, book.factor, "factor")
    sheet.put(7, 4, "1: the model leads. Another number: past periods speak for a rule, or half of each.", "note")
    paper.name("factor", sheet.name, fixed(7, 3, 7))
    columns = (*_COLUMNS, *_FURTHER) if found.beyond else _COLUMNS
    sheet.head(HEAD, columns)
    for i, row in enumerate(rows):
        for j, (column, value) in enumerate(zip(columns, row, strict=True)):
            look = "sum" if i == 0 and column.look == "money" else column.look
            sheet.put(HEAD + 1 + i, j, value, look)
    sheet.at.freeze_panes(HEAD + 2, 3)
    sheet.at.autofilter(HEAD, 0, last, len(columns) - 1)
    sheet.at.print_area(0, 0, last, _SAID - 1)  # what it is checked against is for the screen


def _rows(book: BookInput, names: Names, found: Reckoned) -> tuple[list[list[object]], int]:
    """Every row's values, and by how many cents the formulas are off at most."""
    cells, numbers = book.cells, group_numbers(book.cells)
    key = {level: i + 1 for i, level in enumerate(book.levels)}
    sums = {level: _by_group(found, level, len(of)) for level, of in numbers.items()}
    out, worst = [], 0
    told = {part: _values(cells, part, "mean") for part in ("won", "open_due", "open_pulled_in", "new", TOTAL)}
    quantiles = np.column_stack([_values(cells, TOTAL, q) for q in _RANGES])
    for i, (level, group) in enumerate(cells.index):
        mean = {part: float(values[i]) for part, values in told.items()}
        row = HEAD + 1 + i
        number = numbers[level][group]
        live = found.live and not np.isnan(mean["open_due"]) and (level == TOTAL or level in key)
        due, pulled = (mean[p] for p in ("open_due", "open_pulled_in"))
        total: object = mean[TOTAL]
        parts: list[object] = [mean["won"], due, pulled, _sum(due, pulled), mean["new"]]
        cents = 0
        beyond: list[object] = [None, None] if found.beyond else []
        if live and level in found.beyond:
            beyond = found.beyond[level][number - 1].tolist()
        if live:
            due, pulled = (float(x) * book.factor for x in sums[level][number - 1])
            whole = np.nansum([mean["won"], due, pulled, mean["new"]])
            parts = _formulas(row, mean, (due, pulled), None if level == TOTAL else key[level], bool(found.beyond))
            total = Live(f"={cell(row, _WON)}+{cell(row, _OPEN)}+{cell(row, _NEW)}", float(whole))
            cents = max(_cents(due, mean["open_due"]), _cents(pulled, mean["open_pulled_in"]),
                        _cents(float(whole), mean[TOTAL]))  # fmt: skip
        worst = max(worst, cents)
        label = "The whole" if level == TOTAL else spoken(level)
        named = "Total" if level == TOTAL else names.group(level, group)
        said = [mean["open_due"], mean["open_pulled_in"], mean[TOTAL]]
        out.append([number, label, named, *parts, total, *quantiles[i].tolist(), *said,
                    _difference(row, cents) if live else None, *beyond])  # fmt: skip
    return out, worst


def _formulas(
    row: int, mean: Mapping[str, float], value: tuple[float, float], key: int | None, beyond: bool
) -> list[object]:  # fmt: skip
    """Won as stated, the two open parts and their sum by formula, new business as stated.

    Rows that sum deals up are part of the total, and of no group: what a group has of them is added.
    """
    group = "" if key is None else f",deal_key_{key},{cell(row, 0)}"
    sums = [f"SUMIFS(deal_expected,deal_due,{flag}{group})" for flag in (1, 0)]
    if beyond and key is not None:
        sums = [f"({s}+{cell(row, _BEYOND + j)})" for j, s in enumerate(sums)]
    due, pulled = (Live(f"=factor*{s}", v) for s, v in zip(sums, value, strict=True))
    both = Live(f"={cell(row, _DUE)}+{cell(row, _PULLED)}", sum(value))
    return [mean["won"], due, pulled, both, mean["new"]]


def _difference(row: int, cents: int) -> Live:
    pairs = zip((_DUE, _PULLED, _TOTAL), range(_SAID, _SAID + 3), strict=True)
    off = ",".join(f"ABS({cell(row, a)}-{cell(row, b)})" for a, b in pairs)
    return Live(f"=ROUND(100*MAX({off}),0)", float(cents))


def _cents(a: float, b: float) -> int:
    return round(100 * abs(a - b))


def _sum(*values: float) -> float:
    return float(np.sum(values))


def _by_group(found: Reckoned, level: str, n: int) -> Sequence[tuple[float, float]]:
    """Expected amount of the deals due, and of those pulled in, by group number; of summed rows too."""
    at = np.ones(len(found.expected), dtype="int64") if level == TOTAL else found.keys.get(level)
    if at is None:
        return [(np.nan, np.nan)] * n
    due, pulled = (
        np.bincount(at, found.expected * flag, minlength=n + 1)[1 : n + 1] for flag in (found.due, ~found.due)
    )
    if level in found.beyond:
        due, pulled = np.column_stack([due, pulled]).T + found.beyond[level].T
    return list(zip(due.tolist(), pulled.tolist(), strict=True))


def _values(cells: pd.DataFrame, part: str, column: str) -> np.ndarray:
    if (part, column) not in cells:
        return np.full(len(cells), np.nan)
    return np.asarray(cells[part, column].to_numpy(dtype="float64"))
