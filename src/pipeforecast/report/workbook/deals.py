"""The sheet of the open deals: what is said of each, and what may be edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.report.names import Names
from pipeforecast.report.words import spoken
from pipeforecast.report.workbook.inputs import BookInput
from pipeforecast.report.workbook.paper import MOST_ROWS, Column, Live, Paper, Sheet, cell, fixed

HEAD = 4
#: Open deals that the sheet lists at most; with more of them the forecast states its parts instead of adding up deals.
MOST_DEALS = 1_000_000
_NOTES = (
    "Edit the coloured cells: a deal's probability or amount moves the sheet Forecast; its listed amount, date, "
    "category and CRM probability move the sheet Rules.",
    "Expected amount = probability used × amount used. Amount if won: the listed amount, corrected for how amounts of "
    "won deals were revised.",
)
_AHEAD = "IF(ISNUMBER({d}),IF({d}<=period_end,1,0),1)"  # without a date, or dated before 1900: due
_RULE_DUE = 'IF(ISNUMBER({d}),IF(AND({d}<=period_end,OR({d}<=as_of_day,{d}>=period_start)),1,0),IF({d}="",0,1))'


@dataclass(frozen=True)
class Reckoned:
    """What the sheet's formulas give as of writing; arrays follow the deals.

    Attributes
    ----------
    expected, due : float and bool arrays (n,)
    keys : mapping of level to int array (n,)
        Number of each deal's group in the sheet Forecast; 0 where it has none there.
    live : bool
        Whether all deals are on the sheet and told one by one, so that parts can be added up from them.
    """

    expected: np.ndarray
    due: np.ndarray
    keys: Mapping[str, np.ndarray]
    live: bool


def reckon(book: BookInput, numbers: Mapping[str, Mapping[str, int]]) -> Reckoned:
    """Work out what the sheet's formulas give; ``numbers`` holds each level's groups by their number."""
    deals = book.deals
    p, amount = (deals[c].to_numpy(dtype="float64") for c in ("probability", "amount_if_won"))
    close = pd.to_datetime(deals["expected_close"])
    due = (close.isna() | (close <= book.given.period_end)).to_numpy(dtype=bool)
    keys = {
        level: book.groups[level].map(dict(numbers[level])).to_numpy(dtype="float64", na_value=0.0).astype("int64")
        for level in book.levels
        if level in numbers
    }
    return Reckoned(np.nan_to_num(p * amount), due, keys, book.told_by_deal and len(deals) <= MOST_DEALS)


def write_deals(paper: Paper, sheet: Sheet, book: BookInput, names: Names, found: Reckoned) -> None:
    """Write the sheet and name its columns for the formulas of other sheets."""
    deals = book.deals.head(MOST_DEALS)
    n = len(deals)
    sheet.put(0, 0, f"Open deals on {book.given.as_of.date()}", "title")
    notes = list(_NOTES)
    if n < len(book.deals):
        notes[-1] = f"The first {n:,} of {len(book.deals):,} open deals: a sheet ends at {MOST_ROWS:,} rows."
    sheet.lines(1, notes)
    table = _table(book, deals, names, found)
    columns = [column for column, _ in table.values()]
    sheet.head(HEAD, columns)
    sheet.rows(HEAD + 1, columns, [values for _, values in table.values()])
    last = HEAD + max(n, 1)
    at = {name: i for i, name in enumerate(table)}
    for name in (x for x in at if x.startswith("deal_")):
        paper.name(name, sheet.name, fixed(HEAD + 1, at[name], last))
    sheet.at.autofilter(HEAD, 0, last, len(columns) - 1)
    sheet.at.freeze_panes(HEAD + 1, 1)
    sheet.at.print_area(0, 0, last, at["deal_due"])
    if n:
        share = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1,
                 "error_title": "Probability", "error_message": "A probability lies between 0 and 1."}  # fmt: skip
        for name in ("probability", "deal_crm_probability"):
            sheet.at.data_validation(HEAD + 1, at[name], last, at[name], share)


def _table(
    book: BookInput, deals: pd.DataFrame, names: Names, found: Reckoned
) -> dict[str, tuple[Column, Sequence[object]]]:
    """Columns of the sheet by the name under which formulas know them, with their values."""
    n = len(deals)
    stages = {stage: i + 1 for i, stage in enumerate(book.stages["stage"])}
    out: dict[str, tuple[Column, Sequence[object]]] = {
        "name": (Column("Deal", width=34), _named(deals, names)),
        "deal_id": (Column("Deal id", width=20), _texts(deals["deal_id"])),
        "account": (Column("Account", width=24), _texts(deals["account_name"])),
        "owner": (Column("Owner", width=20), [names.owner(o) for o in deals["owner"]]),
        "stage": (Column("Stage", width=18), _texts(deals["stage"])),
        "deal_category": (Column("Forecast category", "text!", 16), _texts(deals["forecast_category"])),
        "deal_close": (Column("Expected close", "day!", 12), list(pd.to_datetime(deals["expected_close"]))),
        "amount": (Column("Listed amount", "money!", 15), list(deals["amount"])),
        "p_said": (Column("P(win in period)", "share", 11), list(deals["probability"])),
        "amount_said": (Column("Amount if won", "money", 15), list(deals["amount_if_won"])),
        "probability": (Column("Probability used", "share!", 11), list(deals["probability"])),
        "amount_used": (Column("Amount used", "money!", 15), list(deals["amount_if_won"])),
    }
    at = {name: i for i, name in enumerate(out)}
    levels: dict[str, tuple[Column, Sequence[object]]] = {
        f"level {level}": (Column(spoken(level), width=18), [names.group(level, g) for g in book.groups[level][:n]])
        for level in book.levels
        if level != "owner"
    }
    return out | _reckoned(book, deals, found, at) | levels | _keys(deals, book, found, stages)


def _reckoned(
    book: BookInput, deals: pd.DataFrame, found: Reckoned, at: Mapping[str, int]
) -> dict[str, tuple[Column, Sequence[object]]]:
    rows = range(HEAD + 1, HEAD + 1 + len(deals))
    amount, rule_amount = deals["amount"].to_numpy(dtype="float64"), deals["rule_amount"].to_numpy(dtype="float64")
    close = [cell(r, at["deal_close"]) for r in rows]
    given, e = book.given, pd.to_datetime(deals["expected_close"])
    rule_due = ((e <= given.period_end) & ~((e > given.as_of) & (e < given.period_start))).to_numpy(dtype=bool)
    return {
        "deal_expected": (Column("Expected amount", "sum", 15), [
            Live(f"={cell(r, at['probability'])}*{cell(r, at['amount_used'])}", float(v))
            for r, v in zip(rows, found.expected, strict=False)
        ]),
        "deal_due": (Column("Due by the period's end", "whole", 13), [
            Live("=" + _AHEAD.format(d=d), float(v)) for d, v in zip(close, found.due, strict=False)
        ]),
        "deal_crm_probability": (Column("CRM probability", "share!", 11), list(deals["crm_probability"])),
        "deal_rule_amount": (Column("Amount for the rules", "money", 15), [
            _rule_amount(cell(r, at["amount"]), a, x) for r, a, x in zip(rows, amount, rule_amount, strict=True)
        ]),
        "deal_rule_due": (Column("Due for the rules", "whole", 11), [
            Live("=" + _RULE_DUE.format(d=d), float(v)) for d, v in zip(close, rule_due, strict=True)
        ]),
    }  # fmt: skip


def _rule_amount(place: str, listed: float, taken: float) -> Live | None:
    """As listed; where nothing is listed what the rules take instead, until an amount is filled in."""
    if not np.isnan(listed):
        return Live(f"={place}", float(listed))
    return None if np.isnan(taken) else Live(f"=IF(ISNUMBER({place}),{place},{float(taken)!r})", float(taken))


def _keys(
    deals: pd.DataFrame, book: BookInput, found: Reckoned, stages: Mapping[str, int]
) -> dict[str, tuple[Column, Sequence[object]]]:
    """Numbers by which formulas find a deal's groups.

    Names would not do: a criterion of Excel takes ``>5`` for a comparison, ``*`` for anything and ``007`` for 7.
    """
    n = len(deals)
    said = deals["stage"].astype("object").where(deals["stage"].notna(), "(none)").astype(str)
    key = said.map(dict(stages)).fillna(0)
    out: dict[str, tuple[Column, Sequence[object]]] = {
        "deal_stage_key": (Column("No. of stage", "key", 8, hidden=True), list(key))
    }
    for i, level in enumerate(book.levels):
        title = f"No. of {spoken(level).lower()}"
        numbers = found.keys.get(level, np.zeros(len(book.deals)))
        out[f"deal_key_{i + 1}"] = (Column(title, "key", 8, hidden=True), numbers[:n].tolist())
    return out


def _named(deals: pd.DataFrame, names: Names) -> list[str]:
    return [names.deal(name, key) for name, key in zip(deals["name"], deals["deal_id"], strict=True)]


def _texts(values: pd.Series) -> list[object]:
    return [None if pd.isna(v) else str(v) for v in values]
