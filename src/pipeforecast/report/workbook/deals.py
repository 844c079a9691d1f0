"""The sheet of the open deals: what is said of each, and what may be edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeforecast.report.names import Names
from pipeforecast.report.words import spoken
from pipeforecast.report.workbook.inputs import BookInput
from pipeforecast.report.workbook.listed import Listed, is_due, is_due_for_rules
from pipeforecast.report.workbook.paper import Column, Live, Paper, Sheet, cell, fixed

HEAD = 4
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
        Whether parts can be added up from the deals.
    beyond : mapping of level to float array (groups, 2)
        By number of the group, expected amounts of the deals due, and of those pulled in, that only sums hold; empty
        where every deal is listed.
    """

    expected: np.ndarray
    due: np.ndarray
    keys: Mapping[str, np.ndarray]
    live: bool
    beyond: Mapping[str, np.ndarray]


def reckon(rows: Listed, numbers: Mapping[str, Mapping[str, int]]) -> Reckoned:
    """Work out what the sheet's formulas give; ``numbers`` holds each level's groups by their number."""
    book, deals = rows.book, rows.book.deals
    p, amount = (deals[c].to_numpy(dtype="float64") for c in ("probability", "amount_if_won"))
    keys = {
        level: book.groups[level].map(dict(numbers[level])).to_numpy(dtype="float64", na_value=0.0).astype("int64")
        for level in book.levels
        if level in numbers
    }
    beyond = {
        level: sums.reindex(list(numbers[level])).fillna(0.0).to_numpy(dtype="float64")
        for level, sums in rows.beyond.items()
        if level in numbers
    }
    return Reckoned(np.nan_to_num(p * amount), is_due(book, deals), keys, book.told_by_deal, beyond)


def write_deals(paper: Paper, sheet: Sheet, rows: Listed, names: Names, found: Reckoned) -> None:
    """Write the sheet and name its columns for the formulas of other sheets."""
    book, n = rows.book, len(rows.book.deals)
    sheet.put(0, 0, f"Open deals on {book.given.as_of.date()}", "title")
    notes = list(_NOTES)
    if rows.summed:
        notes[-1] = (
            f"The {rows.single:,} deals with the most money expected are listed one by one; the last "
            f"{n - rows.single:,} rows sum up {rows.summed:,} further ones that are alike in stage, category and date, "
            "so that totals hold all of them."
        )
    sheet.lines(1, notes)
    table = _table(rows, names, found)
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


def _table(rows: Listed, names: Names, found: Reckoned) -> dict[str, tuple[Column, Sequence[object]]]:
    """Columns of the sheet by the name under which formulas know them, with their values."""
    book, deals = rows.book, rows.book.deals
    stages = {stage: i + 1 for i, stage in enumerate(book.stages["stage"])}
    out: dict[str, tuple[Column, Sequence[object]]] = {
        "name": (Column("Deal", width=34), _named(deals, names)),
        "deal_id": (Column("Deal id", width=20), _texts(deals["deal_id"])),
        "account": (Column("Account", width=24), _texts(deals["account_name"])),
        "owner": (Column("Owner", width=20), _grouped(deals["owner"], rows.single, names.owner)),
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
        f"level {level}": (
            Column(spoken(level), width=18),
            _grouped(book.groups[level], rows.single, partial(names.group, level)),
        )
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
    rule_due = is_due_for_rules(book, deals)
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
    said = deals["stage"].astype("object").where(deals["stage"].notna(), "(none)").astype(str)
    key = said.map(dict(stages)).fillna(0)
    out: dict[str, tuple[Column, Sequence[object]]] = {
        "deal_stage_key": (Column("No. of stage", "key", 8, hidden=True), list(key))
    }
    for i, level in enumerate(book.levels):
        title = f"No. of {spoken(level).lower()}"
        numbers = found.keys.get(level, np.zeros(len(book.deals)))
        out[f"deal_key_{i + 1}"] = (Column(title, "key", 8, hidden=True), numbers.tolist())
    return out


def _grouped(groups: pd.Series, single: int, word: Callable[[object], str]) -> list[object]:
    """Name each deal's group, each name once; rows that sum deals up belong to none."""
    code, kinds = pd.factorize(groups.iloc[:single], use_na_sentinel=False)
    told = np.array([word(k) for k in kinds], dtype=object)
    return [*told[code], *[None] * (len(groups) - single)]


def _named(deals: pd.DataFrame, names: Names) -> list[str]:
    return [names.deal(name, key) for name, key in zip(deals["name"], deals["deal_id"], strict=True)]


def _texts(values: pd.Series) -> list[object]:
    return [None if pd.isna(v) else str(v) for v in values]
