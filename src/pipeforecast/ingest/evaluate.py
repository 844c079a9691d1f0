"""Evaluating a mapping's expressions on the rows of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial, reduce
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeforecast import expressions as m
from pipeforecast.contract import Kind, typed
from pipeforecast.errors import DataError, MissingFileError, some
from pipeforecast.findings import Finding
from pipeforecast.ingest.coded import arrow, blanked, decoded, each, is_coded, positions, recoded, spread
from pipeforecast.ingest.dates import day_from_parts, parse_dates, plain_times
from pipeforecast.ingest.needed import bare_name
from pipeforecast.ingest.numbers import looks_grouped, parse_flags, parse_numbers
from pipeforecast.ingest.reading import MissingColumnError, Reading
from pipeforecast.ingest.refusals import SEE_CHECK, UnreadableError, cells
from pipeforecast.ingest.sane import sane_times, say_zones


@dataclass(frozen=True)
class Rows:
    """The rows of one file, as text, on which expressions are evaluated."""

    frame: pd.DataFrame
    table: str
    reading: Reading

    @property
    def file(self) -> str:
        """The file's name, for errors."""
        return str(self.frame.attrs.get("file", self.table))

    def text(self, name: str, missing: Iterable[str] = ()) -> pd.Series:
        """Give a source column with what means missing as NA.

        Raises
        ------
        MissingColumnError
            If there is no such column, also not with other capitals, spaces or underscores.
        """
        columns = self.frame.columns
        if name not in columns:
            alike = [c for c in columns if bare_name(str(c)) == bare_name(name)]
            if len(alike) != 1:
                raise MissingColumnError(self._absent(name))
            name = alike[0]
        return blanked(self.frame[name], [*self.reading.mapping.missing, *missing])

    def _absent(self, name: str) -> str:
        columns = [str(c) for c in self.frame.attrs.get("columns", self.frame.columns)]
        near = get_close_matches(name, columns, n=3, cutoff=0.6)
        hint = f"; near it are {some(near)}" if near else ""
        return f"{self.file} has no column {name!r} (table {self.table!r}){hint}; it has {some(columns, 12)}"

    def holds(self, condition: m.Condition) -> pd.Series:
        """Tell in which rows a condition holds; an empty text in its list stands for missing."""
        text, wanted = self.text(condition.column), [v.casefold() for v in condition.is_]
        held = each(text, lambda texts: texts.str.casefold().isin(wanted)).fillna(False).astype(bool)
        return held | text.isna() if "" in wanted else held

    def unreadable(self, error: UnreadableError, text: pd.Series, column: str, repair: str = "set missing") -> None:
        """Refuse cells that cannot be read, or tell of them; what is then set missing stands among the repairs."""
        if self.reading.refusals is None:
            raise DataError(f"{error}{SEE_CHECK}") from None
        before, ledger = text[error.bad], self.reading.ledger
        finding = Finding(
            error.code, "error", self.table, column, len(before), cells(before, ledger.part), repair, error.advice
        )
        self.reading.refuse(error, finding)
        ledger.mend(self.table, self.file, column, before, error.code)

    def evaluate(self, expression: Any, kind: Kind) -> pd.Series:
        """Evaluate an expression in every row, as values of ``kind``."""
        return _FORMS[type(expression)](self, expression, kind)


def _parse(rows: Rows, text: pd.Series, kind: Kind, column: str) -> pd.Series:
    """Read text as values of a kind; while ``check`` looks on, what cannot be read is told and set missing."""
    if kind in ("id", "text"):
        return decoded(text)
    try:
        return _parsed(rows, text, kind, column)
    except UnreadableError as error:
        if is_coded(text):  # told of by the cells
            return _parse(rows, decoded(text), kind, column)
        if error.code == "DATES-AMBIGUOUS":
            rows.unreadable(error, text.iloc[:0], column, "read day first, to look at the rest")
            return _parsed(_day_first(rows), text, kind, column)
        rows.unreadable(error, text, column)
        return _parse(rows, text.mask(error.bad), kind, column)


def _day_first(rows: Rows) -> Rows:
    mapping = rows.reading.mapping
    dates = mapping.dates.model_copy(update={"order": "day_first"})
    return replace(rows, reading=replace(rows.reading, mapping=mapping.model_copy(update={"dates": dates})))


def _parsed(rows: Rows, text: pd.Series, kind: Kind, column: str) -> pd.Series:
    where = f"{rows.file}, column {column!r}"
    settings = rows.reading.mapping
    if kind in ("date", "time"):
        return _parse_times(rows, text, kind, column)
    if kind == "flag":
        return each(text, partial(parse_flags, where=where))
    numbers = parse_numbers(text, where, settings.numbers)
    if looks_grouped(text, settings.numbers):
        rows.reading.findings.append(
            Finding(
                "NUMBERS-LOOK-GROUPED", "warning", rows.table, column, len(text), repair="read as decimals", advice=
                "every decimal has three digits: if they mean thousands, set numbers.decimal and numbers.thousands",
            )
        )  # fmt: skip
    return numbers


#: Zeros in the place of a day.
_NO_DAY = r"0{1,4}[-/.]0{1,2}[-/.]0{1,4}(\D|$)"


def _is_no_day(texts: pd.Series) -> pd.Series:
    return texts.str.match(_NO_DAY).fillna(False).astype(bool)


def _parse_times(rows: Rows, text: pd.Series, kind: Kind, column: str) -> pd.Series:
    """Read days and times; those that stand for none are missing, with a finding."""
    reading = rows.reading
    dates, where = reading.mapping.dates, f"{rows.file}, column {column!r}"
    plain = None if column in dates.formats else plain_times(text)
    if plain is not None:
        nothing, told = pd.Series(False, index=text.index), None
        values = typed(plain, kind)
    else:
        nothing = each(text, _is_no_day).fillna(False).astype(bool)  # codes of missing cells have none
        shown = recoded(text, lambda texts: texts.mask(_is_no_day(texts)))
        values = typed(parse_dates(shown, where, dates, dates.formats.get(column)), kind)
        told = say_zones(text, rows.table, column)
    values, no_days = sane_times(values, text, nothing, rows.table, column)
    if no_days is not None:
        meant, before = no_days
        reading.ledger.mend(rows.table, rows.file, column, before, meant.code)
    reading.findings.extend(f for f in (told, no_days and no_days[0]) if f is not None and f not in reading.findings)
    return values


def _text(rows: Rows, e: m.ColumnOf) -> pd.Series:
    text = rows.text(e.column, e.missing)
    return recoded(text, partial(_renamed, e)) if e.others is not None or e.values else text


def _column(rows: Rows, e: m.ColumnOf, kind: Kind) -> pd.Series:
    text = _text(rows, e)
    if e.hashed:
        return _hashed(text)
    values = _parse(rows, text, kind, e.column)
    return values * e.scale if e.scale != 1.0 else values


def _renamed(e: m.ColumnOf, text: pd.Series) -> pd.Series:
    """Give texts the names that a mapping gives them."""
    if e.others is not None:
        text = text.where(text.isin(list(e.values)) | text.isna(), e.others)
    if e.values:
        replaced = text.map(e.values)
        text = replaced.astype(text.dtype).where(text.isin(list(e.values)), text)
        text = text.mask(text.eq(""))
    return text


def _hashed(text: pd.Series) -> pd.Series:
    """Give a key by which equal texts (but for capitals) are told, and nothing of the text."""
    return each(text, _keys)


def _keys(text: pd.Series) -> pd.Series:
    import duckdb

    held = arrow(text)
    plain = pc.all(pc.string_is_ascii(held)).as_py()
    folded = pa.table({"text": pc.ascii_lower(held) if plain else arrow(text.str.casefold().astype("string"))})
    with duckdb.connect() as con:
        keys = con.from_arrow(folded).project("substr(sha256(text), 1, 16) AS key").to_arrow_table()["key"]
    return pd.Series(keys.to_pandas().array, index=text.index, dtype="string")


def _constant(rows: Rows, e: m.Constant, kind: Kind) -> pd.Series:
    text = pd.Series(e.constant, index=rows.frame.index, dtype="string")
    return _parse(rows, text, kind, "(constant)")


def _row_number(rows: Rows, e: m.RowNumber, kind: Kind) -> pd.Series:
    numbers = pd.Series(range(1, len(rows.frame) + 1), index=rows.frame.index)
    return typed(numbers, kind)


def _date_from(rows: Rows, e: m.DateFrom, kind: Kind) -> pd.Series:
    parts = e.date_from
    year, month, day = (decoded(rows.text(c)) for c in (parts.year, parts.month, parts.day))
    where = f"{rows.file}, {parts.year!r}, {parts.month!r}, {parts.day!r}"
    try:
        return typed(day_from_parts(year, month, day, where), kind)
    except UnreadableError as error:
        rows.unreadable(error, year + "-" + month + "-" + day, parts.day)
        return typed(day_from_parts(year.mask(error.bad), month, day, where), kind)


def _days(rows: Rows, parts: tuple[Any, ...], sign: int) -> pd.Series:
    first, *rest = parts
    start = rows.evaluate(first, "time")
    days = reduce(pd.Series.add, [rows.evaluate(r, "number") for r in rest])
    return start + pd.to_timedelta((sign * days * 86400).round(), unit="s")


def _add_days(rows: Rows, e: m.AddDays, kind: Kind) -> pd.Series:
    return typed(_days(rows, e.add_days, 1), kind)


def _subtract_days(rows: Rows, e: m.SubtractDays, kind: Kind) -> pd.Series:
    return typed(_days(rows, e.subtract_days, -1), kind)


def _product(rows: Rows, e: m.Product, kind: Kind) -> pd.Series:
    return reduce(pd.Series.mul, [rows.evaluate(p, "number") for p in e.product])


def _sum(rows: Rows, e: m.Sum, kind: Kind) -> pd.Series:
    return reduce(pd.Series.add, [rows.evaluate(p, "number") for p in e.sum])


def _first_of(rows: Rows, e: m.FirstOf, kind: Kind) -> pd.Series:
    first, *rest = (rows.evaluate(p, kind) for p in e.first_of)
    return reduce(lambda a, b: a.where(a.notna(), b), rest, first)


def _join(rows: Rows, e: m.Joined, kind: Kind) -> pd.Series:
    first, *rest = (rows.evaluate(p, "text").fillna("") for p in e.join)
    joined = reduce(lambda a, b: a + e.by + b, rest, first).str.strip()
    return joined.mask(joined.eq(""))


def _when(rows: Rows, e: m.When, kind: Kind) -> pd.Series:
    holds = rows.holds(e.when)
    then = rows.evaluate(e.then, kind)
    if e.otherwise is None:
        return then.where(holds)
    return then.where(holds, rows.evaluate(e.otherwise, kind))


def _lookup(rows: Rows, e: m.Lookup, kind: Kind) -> pd.Series:
    look = e.lookup
    frame = rows.reading.cells(look.file)
    if frame is None:
        raise MissingFileError(
            f"the table {rows.table!r} looks up {some(look.file)} in {rows.reading.source.where}, where it is not"
        )
    other = replace(rows, frame=frame)
    keys = decoded(other.text(look.key))
    again = keys.notna() & keys.duplicated()
    if again.any():
        _note_lookup(rows, "LOOKUP-KEY-REPEATED", look, keys[again], "the first row counts")
    known = np.flatnonzero((keys.notna() & ~again).to_numpy(dtype=bool))
    told = look.by
    by = _text(rows, told) if isinstance(told, m.ColumnOf) and not told.hashed else rows.evaluate(told, "id")
    place = positions(by, keys.iloc[known])
    value = other.evaluate(look.value, kind)
    found = spread(value.iloc[known], place, by.index)
    unmatched = by.notna().to_numpy(dtype=bool) & (place < 0) & (not look.partial)
    if unmatched.any():
        _note_lookup(rows, "LOOKUP-UNMATCHED", look, by[unmatched], "left missing")
    return typed(found, kind)


def _note_lookup(rows: Rows, code: str, look: m.LookupIn, values: pd.Series, repair: str) -> None:
    finding = Finding(
        code, "warning", rows.table, look.key, len(values), look.file[:1], repair,
        f"make {look.key} in {look.file[0]} complete and unique, or rename its spellings with values",
    )  # fmt: skip
    if finding not in rows.reading.findings:  # several columns may be looked up in one file
        rows.reading.findings.append(finding)


_FORMS: dict[type[Any], Callable[[Rows, Any, Kind], pd.Series]] = {
    m.ColumnOf: _column, m.Constant: _constant, m.RowNumber: _row_number, m.DateFrom: _date_from,
    m.AddDays: _add_days, m.SubtractDays: _subtract_days, m.Product: _product, m.Sum: _sum,
    m.FirstOf: _first_of, m.Joined: _join, m.Lookup: _lookup, m.When: _when,
}  # fmt: skip
