"""The plain sheets: every part of every method, the record by day, and what the workbook is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeforecast.forecast import PARTS, QUANTILES, TOTAL
from pipeforecast.report.names import Names
from pipeforecast.report.words import spoken
from pipeforecast.report.workbook.inputs import BookInput
from pipeforecast.report.workbook.paper import Column, Sheet

HEAD = 3
#: Rows of a table at most: a sheet ends at 1,048,576.
MOST_ROWS_OF_TABLE = 1_000_000
_KEYS = ("period", "method", "level", "group")


def write_parts(sheet: Sheet, book: BookInput, names: Names) -> None:
    """Write forecast.csv in wide form: a row per period, method, level and group."""
    given = book.given
    later = given.later if given.later is not None and len(given.later) else given.forecast.iloc[:0]
    table = pd.concat([given.forecast, later]) if len(later) else given.forecast
    if "period" not in table:
        table = table.assign(period=given.period)
    keys = pd.MultiIndex.from_frame(table[list(_KEYS)].drop_duplicates())
    mean = table.set_index([*_KEYS, "part"])["mean"].unstack("part").reindex(keys)  # noqa: PD010  no sums
    whole = table[(table["part"] == TOTAL).to_numpy(dtype=bool)].set_index(list(_KEYS))
    whole = whole[[*QUANTILES, *(["coverage_measured"] if "coverage_measured" in whole else [])]].reindex(keys)
    columns = [
        Column("Period", width=12), Column("Method", width=38), Column("Level", width=14), Column("Group", width=28),
        *(Column(f"{spoken(p)}: mean", "money", 17) for p in PARTS if p in mean),
        *(Column(f"Total: {q.upper()}", "money", 17) for q in QUANTILES),
        *(Column("80 % range held", "share", 11) for _ in range(whole.shape[1] - len(QUANTILES))),
    ]  # fmt: skip
    told = keys.to_frame(index=False)
    values = [
        list(told["period"].astype(str)), [names.method(m) for m in told["method"]],
        [spoken(level) for level in told["level"]], _groups(told, names),
        *(mean[p].to_list() for p in PARTS if p in mean), *(whole[c].to_list() for c in whole),
    ]  # fmt: skip
    _write(sheet, "Parts: forecast.csv in wide form", columns, values)


def write_record(sheet: Sheet, book: BookInput, names: Names) -> None:
    """Write backtest_scores.csv as it is, with names for ids; a day of −1 speaks for all days."""
    scores = book.given.scores
    if scores is None or scores.empty:
        sheet.put(0, 0, "Record by day of the period", "title")
        sheet.lines(1, ["Not yet proven: no past period could be replayed."])
        return
    if "group" not in scores:
        scores = scores.assign(group=TOTAL)
    first = ["method", "level", "group", "day_of_period"]
    rest = [str(c) for c in scores if c not in first]
    columns = [
        Column("Method", width=38), Column("Level", width=14), Column("Group", width=28),
        Column("Day of period (−1: all)", "whole", 12), *(Column(spoken(c), _look(c), 14) for c in rest),
    ]  # fmt: skip
    values: list[Sequence[object]] = [
        [names.method(m) for m in scores["method"]], [spoken(level) for level in scores["level"]],
        _groups(scores, names), scores["day_of_period"].to_list(), *(scores[c].to_list() for c in rest),
    ]  # fmt: skip
    _write(sheet, "Record by day of the period: backtest_scores.csv", columns, values)


def write_about(sheet: Sheet, book: BookInput) -> None:
    """Write what the workbook is about, and how it was made."""
    given = book.given
    lines = {
        "Title": given.title, "Company": given.company, "As of the evening of": given.as_of.normalize(),
        "Period": given.period, "From": given.period_start, "To": given.period_end,
        "Day of the period": given.day_of_period, "Currency": given.currency, "What counts": given.what_counts,
        "Proof": given.proof, "Open deals": len(book.deals), **(book.about or {}),
        "Live": "Sheets Deals, Forecast and Rules reckon by formula; Parts and Record are values.",
        "Amounts": "As in the CSV files, which keep ten digits: above 99,999,999.99 these show more cents than they.",
        "Not advice": "A mean is what comes on average, not what is most likely; see the ranges.",
    }  # fmt: skip
    sheet.put(0, 0, "About this workbook", "title")
    sheet.at.set_column(0, 0, 24)
    sheet.at.set_column(1, 1, 110)
    for i, (what, value) in enumerate(lines.items()):
        look = "day" if isinstance(value, pd.Timestamp) else "whole" if isinstance(value, int) else "wrap"
        sheet.put(2 + i, 0, what, "bold")
        sheet.put(2 + i, 1, value, look)


def _look(column: str) -> str:
    if column in ("crps", "interval_score"):
        return "money"
    return "whole" if column.startswith("n_") else "share"


def _groups(rows: pd.DataFrame, names: Names) -> list[str]:
    pairs = zip(rows["level"].astype(str), rows["group"], strict=True)
    return ["Total" if level == TOTAL else names.group(level, group) for level, group in pairs]


def _write(sheet: Sheet, title: str, columns: Sequence[Column], values: Sequence[Sequence[object]]) -> None:
    n = len(values[0])
    shown = min(n, MOST_ROWS_OF_TABLE)
    sheet.put(0, 0, title, "title")
    if shown < n:
        sheet.lines(1, [f"The first {shown:,} of {n:,} rows; all of them are in the CSV file."])
    sheet.head(HEAD, columns)
    sheet.rows(HEAD + 1, columns, [v[:shown] for v in values])
    sheet.at.autofilter(HEAD, 0, HEAD + int(np.maximum(shown, 1)), len(columns) - 1)
