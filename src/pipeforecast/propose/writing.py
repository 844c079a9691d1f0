"""How an export writes days, numbers, nothing and money, over all the columns that are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from pipeforecast.contract import TABLES
from pipeforecast.errors import some
from pipeforecast.mapping import NumberSettings
from pipeforecast.propose.deals import DealTable
from pipeforecast.propose.draft import Draft
from pipeforecast.propose.look import Table
from pipeforecast.propose.values import dates_in, missing_in, one_way, present

_MARKS = {"€": "EUR", "£": "GBP", "zł": "PLN", "Rp": "IDR", "RM": "MYR"}


def _columns_of(expression: Any) -> Iterator[str]:
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, Mapping):
        if "column" in expression:
            yield str(expression["column"])
        for part in expression.get("first_of", []):
            yield from _columns_of(part)


def _typed(draft: Draft, made: DealTable, tables: list[Table]) -> Iterator[tuple[str, pd.Series, Table]]:
    """Give every column that is read, with its kind."""
    kinds = {n: c.kind for n, c in {**TABLES["changes"], **TABLES["deals"]}.items()}
    deals, history = draft.mapping["deals"], draft.mapping.get("history", {})
    parts = [(deals.get("columns", {}) | deals.get("optional", {}), made.table)]
    for log in [*([history["wide"]] if "wide" in history else []), *history.get("long", [])]:
        table = next(t for t in tables if [t.files] == log["files"])
        parts.append((log.get("columns") or {"changed_at": log["changed_at"]}, table))
    for columns, table in parts:
        for name, expression in columns.items():
            for column in _columns_of(expression):
                yield kinds.get(name, "text"), table.frame[column], table


def put_writing(draft: Draft, made: DealTable, tables: list[Table]) -> None:
    """Find out how days, numbers and nothing are written, and write it with the value that shows it."""
    typed = list(_typed(draft, made, tables))
    _put_missing(draft, [c for k, c, _ in typed if k in ("date", "time", "money", "number")])
    _put_dates(draft, [c for k, c, _ in typed if k in ("date", "time")])
    way = one_way([c for k, c, _ in typed if k in ("money", "number")])
    if way is not None:
        found, shows, unsure = way
        text = f"decimal {found.decimal!r}, thousands {found.thousands!r}"
        if unsure:
            draft.doubt(("numbers",), f"numbers such as {shows!r} may be meant otherwise; read with {text}",
                        "decimal: ',', thousands: '.'", "decimal: '.', thousands: ','")  # fmt: skip
        else:
            draft.note(("numbers",), f"{text}: all numbers read so, {shows!r} for one")
        draft.set(("numbers",), found.model_dump())
    else:
        draft.set(("numbers",), NumberSettings().model_dump())


def _put_missing(draft: Draft, columns: list[pd.Series]) -> None:
    words = sorted({w for c in columns for w in missing_in(c)} - {""})
    draft.set(("missing",), ["", *words])
    if words:
        draft.note(("missing",), f"{some(words)} stand where days and numbers are missing")


def _put_dates(draft: Draft, columns: list[pd.Series]) -> None:
    found = {str(c.name): d for c in columns if (d := dates_in(c)) is not None}
    orders = {d.order for d in found.values()} - {"iso"}
    told = orders - {"either"}
    formats = {c: d.format for c, d in found.items() if d.format}
    place, order = ("dates", "order"), "auto"
    draft.set(("dates",), {"order": order, **({"formats": formats} if formats else {})})
    if len(told) == 1:
        order = next(iter(told))
        column, shows = next((c, d.example) for c, d in found.items() if d.order == order)
        draft.set(place, order)
        draft.note(place, f"{order}: {shows!r} in {column!r} is no day in any other order")
    elif told:
        draft.doubt(place, "columns write days in different orders; `check` stops where nothing decides: give those "
                    "columns a format", "formats: {HEADING: '%d/%m/%Y'}")  # fmt: skip
    elif orders:
        column, shows = next((c, d.example) for c, d in found.items() if d.order == "either")
        draft.doubt(place, f"days such as {shows!r} in {column!r} may be day or month first, and nothing decides; "
                    "`check` stops until one of these stands here", "order: day_first",
                    "order: month_first")  # fmt: skip
    elif found:
        draft.note(place, "every column decides by itself (year, month, day)")


def put_currency(draft: Draft, made: DealTable) -> None:
    """Find the currency: a column, a sign in the amounts, or nothing."""
    column, amounts = made.text("currency"), made.text("amount")
    draft.set(("currency",), None)
    if column is not None:
        several = sorted(present(column))
        if len(several) > 1:
            draft.doubt(("currency",), f"{len(several)} currencies ({some(several)}): they need a table of rates; name "
                        "the one to report in", *(f"currency: {c}" for c in several[:4]))  # fmt: skip
        elif several:
            draft.set(("currency",), several[0])
            draft.note(("currency",), f"every deal is in {several[0]}")
        return
    text = " ".join(amounts.drop_duplicates().head(200)) if amounts is not None else ""
    marks = [code for mark, code in _MARKS.items() if mark in text]
    if len(marks) == 1:
        draft.set(("currency",), marks[0])
        draft.note(("currency",), f"by the sign in the amounts: {marks[0]}")
    else:
        draft.doubt(("currency",), "no column names the currency; figures go without one until it stands here",
                    "currency: EUR", "currency: USD")  # fmt: skip
