"""Change logs with one row per changed field."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, REWRITTEN_AT_CLOSING
from pipeforecast.expressions import ColumnOf, Lookup, LookupIn
from pipeforecast.findings import Finding
from pipeforecast.ingest.columns import sane
from pipeforecast.ingest.deals import DealRows, note, sane_probability
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.pasts import Log
from pipeforecast.ingest.places import Place, known_stages, placed, say_same_second, tells_status
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.states import FIELD, Piece, Setting, setting, taken
from pipeforecast.mapping import FieldSettings, LogSettings, kind_of


def read_field_log(
    reading: Reading, rows: DealRows, deals: pd.DataFrame, settings: LogSettings, frame: pd.DataFrame, supplement: bool
) -> Log:
    """Read a log with one row per changed field; rows of one second become one state.

    Parameters
    ----------
    deals : the deals in use, index 0 … n−1
    frame : the log's rows as text
    supplement : whether another log holds whole states, which then tells of closing
    """
    source = Rows(frame, "changes", reading)
    field = source.evaluate(settings.field, "text")
    wanted = np.flatnonzero(field.isin([n for f in settings.fields.values() for n in f.field]).to_numpy(dtype=bool))
    ids, at = _ids(source, settings), _times(source, settings)
    reading.ledger.came("changes", source.file, len(frame))
    reading.ledger.leave("changes", source.file, ids.drop(ids.index[wanted]), "FIELD-NOT-MAPPED")
    place = placed(reading, rows, deals, ids.iloc[wanted], at.iloc[wanted], source.file)
    place = Place(wanted[place.rows], place.deal, place.at)
    names = field.to_numpy(dtype=object)[place.rows].astype(str)
    moment, deal, written = _moments(place)
    say_same_second(place, ids, source.file, reading, names)
    facts: dict[str, Setting] = {}
    first: dict[str, Setting] = {}
    for canonical, fs in settings.fields.items():
        mine = np.flatnonzero(np.isin(names, fs.field))
        if not len(mine):
            continue
        if not _named(fs, canonical, reading, len(mine)):
            reading.ledger.leave("changes", source.file, ids.iloc[place.rows[mine]], "NAMES-NOT-THERE")
            continue
        fact = _fact(canonical, reading)
        part = Rows(frame.iloc[place.rows[mine]], "changes", reading)
        where = np.full(len(deal), -1)
        where[moment[mine]] = np.arange(len(mine))  # of one second the last row counts
        values = _values(part, settings.value, fs, canonical)
        if fact == "stage" and not supplement:
            values = known_stages(reading, rows, deals, place.deal[mine], values, source.file)
        facts[fact] = setting(taken(values, where), where >= 0)
        old = _values(part, settings.old, fs, canonical) if settings.old is not None else None
        if fact not in ("status", "closed_at"):
            first[fact] = _first_values(fact, deals, place, mine, old)
            _say_unlogged(canonical, deals, first[fact][1], reading)
    piece = Piece(deal, written, FIELD, facts)
    tracked = tuple(f for f in facts if f != "closed_at")
    if supplement:
        return Log((piece,), tracked, first)
    silent = (deals["status"] == OPEN).to_numpy(dtype=bool)
    silent[place.deal] = False
    tells = tells_status(piece, rows)
    return Log((piece,), tracked, first, tells, (np.flatnonzero(silent),))


def _ids(source: Rows, settings: LogSettings) -> pd.Series:
    return source.evaluate(settings.deal_id, "id")


def _times(source: Rows, settings: LogSettings) -> pd.Series:
    at = source.evaluate(settings.changed_at, "time")
    if settings.recorded_at is None:
        return at
    recorded = source.evaluate(settings.recorded_at, "time")
    return recorded.where(recorded.notna(), at)


def _moments(place: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the seconds in which something was written; give each row's number, and deal and time by number."""
    order = np.lexsort((place.at, place.deal))
    deal, at = place.deal[order], place.at[order]
    new = np.r_[True, (deal[1:] != deal[:-1]) | (at[1:] != at[:-1])][: len(deal)]
    moment = np.empty(len(deal), dtype="int64")
    moment[order] = np.cumsum(new) - 1
    return moment, deal[new], at[new]


def _fact(canonical: str, reading: Reading) -> str:
    """Name the fact that a log's field sets: a dual close date is split only after it was carried forward."""
    if reading.mapping.close_date == "dual" and canonical in ("closed_at", "expected_close"):
        return "close_date"
    return "status" if canonical == "outcome" else canonical


def _values(rows: Rows, column: ColumnOf, fs: FieldSettings, canonical: str) -> pd.Series:
    read = ColumnOf(column=column.column, values=fs.values or column.values, missing=column.missing, scale=fs.scale)
    kind = kind_of("deals", canonical) or "text"
    values = rows.evaluate(read, kind)
    if canonical == "probability":
        values = sane_probability(values, pd.Series(pd.NA, index=values.index, dtype="string"), rows)
    values = sane(rows, canonical, kind, values)
    if fs.names is not None:
        look = LookupIn(file=fs.names.file, key=fs.names.key, by=read, value=ColumnOf(column=fs.names.value))
        named = rows.evaluate(Lookup(lookup=look), kind)
        values = named.where(named.notna(), values)
    return values


def _named(fs: FieldSettings, canonical: str, reading: Reading, n: int) -> bool:
    """Tell whether the ids of a field can be read: the deals show names, so ids alone would never fit them."""
    if fs.names is None or reading.source.find(fs.names.file):
        return True
    reading.findings.append(
        Finding(
            "NAMES-NOT-THERE", "warning", "changes", canonical, n, fs.names.file[:1], "its changes are not read",
            f"export {fs.names.file[0]} with {fs.names.key} and {fs.names.value}",
        )
    )  # fmt: skip
    return False


def _say_unlogged(canonical: str, deals: pd.DataFrame, known: np.ndarray, reading: Reading) -> None:
    """Say where a log lacks a field of closed deals: that it is missing then gives away that they closed."""
    lacking = ~known & (deals["status"] != OPEN).to_numpy(dtype=bool)
    if canonical in (*REWRITTEN_AT_CLOSING, "expected_close") and lacking.any():
        note(reading, "CLOSED-WITHOUT-LOGGED-FIELD", "warning", deals["deal_id"][lacking],
             "its past is taken as unknown for them", "log the field for every deal, or name it under crm.roles.today",
             "changes", canonical)  # fmt: skip


def _first_values(fact: str, deals: pd.DataFrame, place: Place, mine: np.ndarray, old: pd.Series | None) -> Setting:
    """Give the value at creation: the first old value; for deals without a change, today's.

    What closing rewrites stays unknown for closed deals without a change: their log cannot be whole.
    """
    n = len(deals)
    changed = np.zeros(n, dtype=bool)
    changed[place.deal[mine]] = True
    rewritten = fact in (*REWRITTEN_AT_CLOSING, "close_date")
    known = ~changed & ((deals["status"] == OPEN).to_numpy(dtype=bool) if rewritten else True)
    values = deals[fact].reset_index(drop=True) if fact in deals else pd.Series([None] * n, dtype="object")
    known &= fact in deals
    if old is None:
        return values, known
    order = np.lexsort((np.arange(len(mine)), place.at[mine], place.deal[mine]))[::-1]
    where = np.full(n, -1)
    where[place.deal[mine][order]] = order  # the earliest is assigned last
    before = taken(old.reset_index(drop=True), where)
    return before.where(changed, values.astype(before.dtype)), known | changed
