"""Reading change logs into pieces: whole rows, single fields, days of entering a stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, REWRITTEN_AT_CLOSING, TRACKABLE, typed
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.deals import DealRows, note, sane_probability
from pipeforecast.ingest.expressions import MissingColumnError, Reading, Rows, left_out, read_columns
from pipeforecast.ingest.pasts import Log, times
from pipeforecast.ingest.stages import check_known, kinds
from pipeforecast.ingest.states import FIELD, WHOLE, Piece, setting, taken
from pipeforecast.mapping import ColumnOf, FieldSettings, LogSettings, TableSettings, kind_of


@dataclass(frozen=True)
class Place:
    """Where rows of a log belong: which rows are used, their deal key and the time at which they were written."""

    rows: np.ndarray
    deal: np.ndarray
    at: np.ndarray


def read_logs(reading: Reading, rows: DealRows) -> Log:
    """Read all the change logs that the mapping names and the export has."""
    deals = rows.used()
    history = reading.mapping.history
    long = [(s, f) for s in history.long if (f := _frame(reading, s)) is not None]
    long = [(s, f) for s, f in long if _has_fields(reading, s, f)]
    wide = _frame(reading, history.wide) if history.wide is not None else None
    if history.wide is not None and any(s.files == history.wide.files for s, _ in long):
        wide = None  # the same file has one row per field
    logs = [_wide(reading, rows, deals, history.wide, wide)] if history.wide is not None and wide is not None else []
    logs += [_long(reading, rows, deals, s, f, supplement=bool(logs)) for s, f in long]
    logs += [_entered(reading, rows, deals), _created(reading, rows)]
    _say_absent(reading, logs)
    return Log(
        tuple(p for log in logs for p in log.pieces),
        tuple(dict.fromkeys(f for log in logs for f in log.tracked)),
        {f: v for log in logs for f, v in log.first.items()},
        any(log.tells_status for log in logs),
        tuple(u for log in logs for u in log.unchanged),
    )


def _frame(reading: Reading, settings: TableSettings | LogSettings) -> pd.DataFrame | None:
    return reading.source.rows(settings.files, settings.delimiter, settings.encoding)


def _has_fields(reading: Reading, settings: LogSettings, frame: pd.DataFrame) -> bool:
    """Tell whether a file has one row per field; the same file may hold whole rows instead."""
    wide = reading.mapping.history.wide
    try:
        Rows(frame, "changes", reading).evaluate(settings.field, "text")
    except MissingColumnError:
        if wide is not None and wide.files == settings.files:
            return False
        raise
    return True


def _say_absent(reading: Reading, logs: list[Log]) -> None:
    history = reading.mapping.history
    named = [*([history.wide] if history.wide else []), *history.long]
    absent = list(dict.fromkeys(s.files[0] for s in named if not reading.source.find(s.files)))
    if absent:
        reading.findings.append(
            Finding(
                "CHANGE-LOG-NOT-THERE", "warning", "changes", count=len(absent), examples=first_examples(absent),
                repair="read without", advice="export it too, or keep dated exports: the past is learned from them",
            )
        )  # fmt: skip


def _placed(reading: Reading, rows: DealRows, deals: pd.DataFrame, ids: pd.Series, at: pd.Series, file: str) -> Place:
    """Find the deals of a log's rows; orphans and rows without a time are left out, with findings."""
    key = pd.Index(deals["deal_id"].astype("object")).get_indexer(pd.Index(ids.astype("object")))
    orphan = (~ids.isin(rows.deals["deal_id"])).to_numpy(dtype=bool)
    if orphan.any():
        note(reading, "LOG-ROWS-WITHOUT-DEAL", "warning", ids[orphan], "left out",
             "export the deals too, deleted ones with their mark", file)  # fmt: skip
    undated = at.isna().to_numpy(dtype=bool)
    if undated.any():
        note(reading, "LOG-ROWS-WITHOUT-TIME", "warning", ids[undated], "left out", "fill the time of change", file)
    kept = np.flatnonzero((key >= 0) & ~undated)
    return _oldest_first(Place(kept, key[kept], times(at)[kept]))


def _oldest_first(place: Place) -> Place:
    """Turn a log round that is written newest first: its order decides among rows of one second."""
    order = np.argsort(place.deal, kind="stable")
    same = np.diff(place.deal[order]) == 0
    steps = np.diff(place.at[order].astype("int64"))[same]
    if (steps < 0).sum() <= (steps > 0).sum():
        return place
    return Place(place.rows[::-1], place.deal[::-1], place.at[::-1])


def _wide(
    reading: Reading, rows: DealRows, deals: pd.DataFrame, settings: TableSettings, frame: pd.DataFrame
) -> Log:
    """Read a log whose rows are whole states."""
    source = Rows(frame, "changes", reading)
    table = read_columns(source, settings, "changes")
    out = left_out(source, settings).to_numpy(dtype=bool)
    table, ids = table[~out].reset_index(drop=True), table["deal_id"][~out].reset_index(drop=True)
    at = table["changed_at"]
    if "recorded_at" in table:
        at = table["recorded_at"].where(table["recorded_at"].notna(), at)
    place = _placed(reading, rows, deals, ids, at, source.file)
    facts: dict[str, tuple[pd.Series, np.ndarray]] = {}
    for fact in (f for f in TRACKABLE if f in table):
        values = table[fact]
        if fact == "probability":
            values = sane_probability(values, ids, source.file, reading)
        facts[fact] = setting(values.iloc[place.rows])
    if "outcome" in table:
        facts["status"] = setting(table["outcome"].iloc[place.rows])
    if reading.mapping.close_date == "dual":
        dual = table.get("closed_at", table.get("expected_close"))
        facts.pop("expected_close", None)
        if dual is not None:
            facts["close_date"] = setting(dual.iloc[place.rows])
    elif "closed_at" in table:
        facts["closed_at"] = setting(table["closed_at"].iloc[place.rows])
    piece = Piece(place.deal, place.at, WHOLE, facts)
    tells = _tells_status(piece, rows, deals, source.file)
    return Log((piece,), tuple(f for f in facts if f != "closed_at"), {}, tells)


def _tells_status(piece: Piece, rows: DealRows, deals: pd.DataFrame, file: str) -> bool:
    """Tell whether closing can be seen in a log: by its status, or by stages that are won or lost."""
    if "stage" in piece.facts:
        stage, which = piece.facts["stage"]
        pipeline = deals["pipeline"].take(piece.deal).reset_index(drop=True) if "pipeline" in deals else None
        check_known(rows.stages, stage.where(which), kinds(rows.stages, stage, pipeline), file)
    by_stage = "stage" in piece.facts and bool((rows.stages["kind"] != OPEN).any())
    return "status" in piece.facts or by_stage


def _long(
    reading: Reading,
    rows: DealRows,
    deals: pd.DataFrame,
    settings: LogSettings,
    frame: pd.DataFrame,
    *,
    supplement: bool,
) -> Log:
    """Read a log with one row per changed field; rows of one second become one state."""
    source = Rows(frame, "changes", reading)
    at = source.evaluate(settings.changed_at, "time")
    if settings.recorded_at is not None:
        recorded = source.evaluate(settings.recorded_at, "time")
        at = recorded.where(recorded.notna(), at)
    ids, field = source.evaluate(settings.deal_id, "id"), source.evaluate(settings.field, "text")
    wanted = field.isin([n for f in settings.fields.values() for n in f.field]).to_numpy(dtype=bool)
    place = _placed(reading, rows, deals, ids.where(wanted), at, source.file) if wanted.all() else _placed_some(
        reading, rows, deals, ids, at, source.file, wanted
    )
    moments = pd.MultiIndex.from_arrays([place.deal, place.at])
    group, distinct = moments.factorize()
    facts: dict[str, tuple[pd.Series, np.ndarray]] = {}
    first: dict[str, tuple[pd.Series, np.ndarray]] = {}
    names = field.to_numpy(dtype=object)[place.rows]
    for canonical, fs in settings.fields.items():
        fact = _fact(canonical, reading)
        mine = np.flatnonzero(np.isin(names.astype(str), fs.field))
        if not len(mine):
            continue
        part = Rows(frame.iloc[place.rows[mine]], "changes", reading)
        values = _values(part, settings.value, fs, canonical).reset_index(drop=True)
        where = np.full(len(distinct), -1)
        where[group[mine]] = np.arange(len(mine))
        facts[fact] = setting(taken(values, where), where >= 0)
        old = _values(part, settings.old, fs, canonical) if settings.old is not None else None
        if fact not in ("status", "closed_at"):
            first[fact] = _first_values(fact, deals, place, mine, old)
    piece = Piece(
        distinct.get_level_values(0).to_numpy(dtype="int64"),
        distinct.get_level_values(1).to_numpy(dtype="datetime64[s]"),
        FIELD,
        facts,
    )
    if supplement:  # its whole states come from elsewhere: what they hold is better known there
        return Log((piece,), tuple(facts), first, False)
    tells = _tells_status(piece, rows, deals, source.file)
    silent = (deals["status"] == OPEN).to_numpy(dtype=bool)
    silent[place.deal] = False
    return Log((piece,), tuple(facts), first, tells, (np.flatnonzero(silent),))


def _placed_some(
    reading: Reading, rows: DealRows, deals: pd.DataFrame, ids: pd.Series, at: pd.Series, file: str, wanted: np.ndarray
) -> Place:
    place = _placed(reading, rows, deals, ids[wanted], at[wanted], file)
    return Place(np.flatnonzero(wanted)[place.rows], place.deal, place.at)


def _fact(canonical: str, reading: Reading) -> str:
    """Name the fact that a log's field sets: a dual close date is split only after it was carried forward."""
    if reading.mapping.close_date == "dual" and canonical in ("closed_at", "expected_close"):
        return "close_date"
    return "status" if canonical == "outcome" else canonical


def _values(rows: Rows, column: ColumnOf, fs: FieldSettings, canonical: str) -> pd.Series:
    read = ColumnOf(column=column.column, values=fs.values or column.values, missing=column.missing, scale=fs.scale)
    values = rows.evaluate(read, kind_of("deals", canonical) or "text")
    if canonical == "probability":
        values = values.mask((values < 0) | (values > 1))
    return values


def _first_values(
    fact: str, deals: pd.DataFrame, place: Place, mine: np.ndarray, old: pd.Series | None
) -> tuple[pd.Series, np.ndarray]:
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


def _entered(reading: Reading, rows: DealRows, deals: pd.DataFrame) -> Log:
    """Read the days of entering a stage; the last change alone tells only of open deals and their stage today."""
    entered = reading.mapping.history.entered
    used = rows.reason.isna().to_numpy(dtype=bool)
    pieces: list[Piece] = []
    if entered:
        source = rows.source
        stages = rows.stages[(rows.stages["kind"] == OPEN).to_numpy(dtype=bool)]
        for stage in (s for s in stages["stage"] if s in entered):  # closing itself stands in the deals
            try:
                at = times(source.evaluate(entered[stage], "time")[used])
            except MissingColumnError:
                continue
            deal = np.flatnonzero(~np.isnat(at))
            name = pd.Series(stage, index=range(len(deal)), dtype="string")
            pieces.append(Piece(deal, at[deal], FIELD, {"stage": setting(name)}))
        if pieces:
            return Log(tuple(pieces), ("stage",))
    if "stage_entered_at" in deals and "stage" in deals:
        is_open = (deals["status"] == OPEN).to_numpy(dtype=bool)
        deal = np.flatnonzero(is_open & deals["stage_entered_at"].notna().to_numpy(dtype=bool))
        if len(deal):
            at = times(typed(deals["stage_entered_at"], "time"))[deal]
            return Log((Piece(deal, at, FIELD, {"stage": setting(deals["stage"].iloc[deal])}),))
    return Log()


def _created(reading: Reading, rows: DealRows) -> Log:
    """Read facts whose value at creation stands in the deals' file beside today's."""
    used = rows.reason.isna().to_numpy(dtype=bool)
    first: dict[str, tuple[pd.Series, np.ndarray]] = {}
    for fact, expression in reading.mapping.history.created.items():
        values = rows.source.evaluate(expression, kind_of("deals", fact) or "text")[used].reset_index(drop=True)
        first[fact] = setting(values, values.notna().to_numpy(dtype=bool))
    return Log((), tuple(first), first)
