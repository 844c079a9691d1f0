"""The sheets of the rules: their terms, and each rule by formula beside the value of our own computation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.report.names import Names
from pipeforecast.report.words import clean
from pipeforecast.report.workbook.inputs import BookInput
from pipeforecast.report.workbook.listed import Listed
from pipeforecast.report.workbook.paper import Column, Live, Paper, Sheet, cell, fixed

HEAD = 4
_DUE = "SUMIFS(deal_rule_amount,deal_rule_due,1)"
_NAMED = "SUMPRODUCT(SUMIFS(deal_rule_amount,deal_category,{names},deal_rule_due,1))"
_COUNT = "COUNT(deal_due)"
_DAILY = f"{_COUNT}*mean_won_amount*win_rate/mean_won_cycle"


@dataclass(frozen=True)
class _Sum:
    """How a rule is reckoned: as a formula, and in words."""

    formula: str
    words: str


_FORMULAS: Mapping[str, _Sum] = {
    "crm_probability": _Sum(
        "won_so_far+SUMPRODUCT(deal_rule_amount,deal_crm_probability,deal_rule_due)",
        "Won + amount × CRM probability of the deals due; dates that have passed count",
    ),
    "crm_probability_not_past_due": _Sum(
        "won_so_far+SUMPRODUCT(deal_rule_amount,deal_crm_probability,"
        "deal_rule_due*ISNUMBER(deal_close)*(deal_close>as_of_day))",
        "The same without dates that have passed",
    ),
    "stage_rate": _Sum(
        "won_so_far+SUMPRODUCT(stage_rate,stage_due)", "Won + amount × win rate of the stage, deals due"
    ),
    "stage_rate_all_dates": _Sum(
        "won_so_far+SUMPRODUCT(stage_rate,stage_open)", "Won + amount × win rate of the stage, all deals"
    ),
    "same_stage_same_time": _Sum(
        "won_so_far+SUMPRODUCT(stage_yield,stage_open)+new_business",
        "Won + amount × what past deals in that stage on that day brought by the period's end + new business",
    ),
    "category_commit": _Sum(
        "won_so_far+" + _NAMED.format(names="commit_names"), "Won + amounts of the deals due that are committed"
    ),
    "category_upside": _Sum(
        "won_so_far+" + _NAMED.format(names="upside_names"), "Won + amounts of the deals due, committed or upside"
    ),
    "coverage_yield": _Sum(
        f"won_so_far+coverage_rate*{_DUE}", "Won + amounts of the deals due × what such sums brought in the past"
    ),
    "velocity": _Sum(
        f"won_so_far+IF(OR({_COUNT}=0,win_rate=0),0,{_DAILY})*days_left",
        "Won + open deals × mean won amount × win rate ÷ mean days to win × days left",
    ),
    "run_rate": _Sum(
        "IF(day_of_period>0,won_so_far*days_in_period/MIN(day_of_period,days_in_period),MAX(won_so_far,last_total))",
        "Won ÷ days elapsed × days of the period; before its first day the last period",
    ),
    "chain_ladder": _Sum(
        "IF(past_by_day>0,won_so_far*past_total/past_by_day,MAX(won_so_far,AVERAGE(past_totals)))",
        "Won ÷ the share that past periods had won by this day; with none the mean of four",
    ),
    "last_period": _Sum("MAX(won_so_far,last_total)", "The last period, never below what is won"),
    "mean_of_four": _Sum(
        "MAX(won_so_far,AVERAGE(past_totals))", "Mean of the last four periods, never below what is won"
    ),
    "same_period_last_year": _Sum(
        "MAX(won_so_far,year_ago_total)", "The same period a year before, never below what is won"
    ),
}  # fmt: skip
_OTHERS = {
    "model": "The model's draws: see the sheet Forecast",
    "ets": "Exponential smoothing, its form chosen by AICc: not a formula of cells",
    "rep_call": "Calls that people made",
    "manager_call": "Calls that people made",
    "executive_call": "Calls that people made",
}
#: Name of the cell, key of the term, how it looks, what it is.
_CELLS: Sequence[tuple[str, str, str, str]] = (
    ("won_so_far", "won", "money", "W: won in the period so far, as written by now"),
    ("new_business", "new", "money", "N(k): mean of what past periods created after this day and won by their end"),
    ("day_of_period", "day", "whole", "k: day of the period; 0 is the last evening before it"),
    ("days_in_period", "days", "whole", "Days of the period"),
    ("coverage_rate", "coverage", "number", "Brought by past deals open on this day ÷ listed and due then"),
    ("past_by_day", "past_by_day", "money", "Won by this day of past periods, at most eight"),
    ("past_total", "past_total", "money", "Won in these periods in all"),
    ("win_rate", "win_rate", "share", "Won ÷ closed, last four periods"),
    ("mean_won_amount", "won_amount", "money", "Mean amount of won deals, last four periods"),
    ("mean_won_cycle", "won_cycle", "number", "Mean days from creation to winning, last four periods"),
    ("year_ago_total", "last_year", "money", "Won in the same period a year before"),
)
_RATES = (Column("Term", width=26), Column("Value", "money", 18), Column("What it is", width=18),
          Column("", width=18), Column("", width=18))  # fmt: skip
_STAGES = ("Stage", "Win rate", "Yield on this day", "Amount, due", "Amount, all")
_RULES = (
    Column("Rule", width=48), Column("Method", width=30), Column("By formula", "sum", 18),
    Column("forecast.csv", "money", 18), Column("Difference in cents", "whole", 12), Column("How", "hint", 100),
)  # fmt: skip


def write_rules(sheet: Sheet, rows: Listed, names: Names) -> None:
    """Write every method's total: by formula where it is a sum of cells, else as a value, with the reason."""
    book = rows.book
    sheet.put(0, 0, f"Rules for {book.given.period}", "title")
    sheet.lines(1, ["Each rule by formula from the sheets Deals and Rates, beside our own value: edits there move it.",
                    "A rule that the past cannot feed is not known; it is never nought."])  # fmt: skip
    f = book.given.forecast
    whole = ((f["level"] == TOTAL) & (f["part"] == TOTAL) & (f["method"] != book.given.model_name)).to_numpy(dtype=bool)
    sheet.head(HEAD, _RULES)
    for i, (method, value) in enumerate(zip(f["method"][whole], f["mean"][whole], strict=True)):
        row = HEAD + 1 + i
        formula, how = _reckoned(str(method), rows.more)
        known = bool(np.isfinite(value))
        live = Live(f"={formula}", float(value)) if formula and known else None
        off = Live(f"=ROUND(100*ABS({cell(row, 2)}-{cell(row, 3)}),0)", 0.0) if live else None
        said = [names.method(method), clean(method), live, value if known else "not known", off, how]
        for j, (column, shown) in enumerate(zip(_RULES, said, strict=True)):
            sheet.put(row, j, shown, "right" if j == 3 and not known else column.look)


def _reckoned(method: str, more: int) -> tuple[str | None, str]:
    """Formula of a method, None where there is none, and how it is reckoned in words; ``more`` deals than rows."""
    base, new, _ = method.partition("+new")
    sum_ = _FORMULAS.get(base)
    if sum_ is None:
        return None, _OTHERS.get(base, "Not a formula of these sheets")
    formula = sum_.formula.replace(_COUNT, f"({_COUNT}+{more})") if more else sum_.formula
    return (formula + "+new_business", sum_.words + " + new business") if new else (formula, sum_.words)


def write_rates(paper: Paper, sheet: Sheet, book: BookInput) -> None:
    """Write the terms of the rules' sums, and name them for the formulas."""
    sheet.put(0, 0, "Terms of the rules", "title")
    sheet.lines(1, ["What the past says, as known on this evening. An empty term: the past cannot tell."])
    sheet.head(HEAD, _RATES)
    row = _write_terms(paper, sheet, book, HEAD + 1)
    row = _write_stages(paper, sheet, book, row + 1)
    row = _write_past(paper, sheet, book, row + 1)
    for name, said in book.categories.items():
        sheet.put(row + 1, 0, f"Categories: {name}", "head")
        sheet.rows(row + 2, [Column("")], [list(said)])
        paper.name(f"{name}_names", sheet.name, fixed(row + 2, 0, row + 1 + len(said)))
        row += 2 + len(said)


def _write_terms(paper: Paper, sheet: Sheet, book: BookInput, row: int) -> int:
    given = book.given
    left = max(0, int(book.numbers["days"]) - min(max(int(book.numbers["day"]), 0), int(book.numbers["days"])))
    rows: list[tuple[str, object, str, str]] = [
        ("as_of_day", given.as_of.normalize(), "day", "Evening from which the forecast looks"),
        ("period_start", given.period_start, "day", "First day of the period"),
        ("period_end", given.period_end, "day", "Last day of the period"),
        *((name, book.numbers[key], look, what) for name, key, look, what in _CELLS),
        ("days_left", Live("=days_in_period-MIN(MAX(day_of_period,0),days_in_period)", float(left)), "whole",
         "Days of the period that are left"),
    ]  # fmt: skip
    for i, (name, value, look, what) in enumerate(rows):
        sheet.put(row + i, 0, name)
        sheet.put(row + i, 1, value, look)
        sheet.put(row + i, 2, what, "hint")
        paper.name(name, sheet.name, fixed(row + i, 1, row + i))
    return row + len(rows)


def _write_stages(paper: Paper, sheet: Sheet, book: BookInput, row: int) -> int:
    for j, title in enumerate(_STAGES):
        sheet.put(row, j, title, "head_right" if j else "head")
    sums = _stage_sums(book)
    for i, (stage, rate, share) in enumerate(book.stages[["stage", "rate", "yield"]].itertuples(index=False)):
        due, every = (float(x) for x in sums[i])
        of = f"SUMIFS(deal_rule_amount,deal_stage_key,{i + 1}"
        said = [(clean(stage), "text"), (rate, "number"), (share, "number"),
                (Live(f"={of},deal_rule_due,1)", due), "money"), (Live(f"={of})", every), "money")]  # fmt: skip
        for j, (value, look) in enumerate(said):
            sheet.put(row + 1 + i, j, value, look)
    last = row + max(len(book.stages), 1)
    for j, name in enumerate(("stage_rate", "stage_yield", "stage_due", "stage_open")):
        paper.name(name, sheet.name, fixed(row + 1, j + 1, last))
    return last + 1


def _stage_sums(book: BookInput) -> np.ndarray:
    """Amounts of the deals in each stage that are due, and of all (stages, 2)."""
    deals, given = book.deals, book.given
    close = pd.to_datetime(deals["expected_close"])
    due = (close <= given.period_end) & ~((close > given.as_of) & (close < given.period_start))
    stage = deals["stage"].astype("object").where(deals["stage"].notna(), "(none)").astype(str)
    table = pd.DataFrame({"due": deals["rule_amount"].where(due, 0.0), "all": deals["rule_amount"]}).fillna(0.0)
    return table.groupby(stage.to_numpy()).sum().reindex(book.stages["stage"]).fillna(0.0).to_numpy(dtype="float64")


def _write_past(paper: Paper, sheet: Sheet, book: BookInput, row: int) -> int:
    sheet.put(row, 0, "Past period", "head")
    sheet.put(row, 1, "Won", "head_right")
    sheet.rows(row + 1, [Column(""), Column("", "money")], [list(book.past["period"]), list(book.past["won"])])
    last = row + max(len(book.past), 1)
    paper.name("past_totals", sheet.name, fixed(row + 1, 1, last))
    paper.name("last_total", sheet.name, fixed(last, 1, last))
    return last + 1
