"""Reading change logs into pieces: whole rows, days of entering a stage, values at creation, fields by fieldlogs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, TRACKABLE
from pipeforecast.errors import DataError
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.columns import left_out, read_columns
from pipeforecast.ingest.deals import DealRows, sane_probability
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.fieldlogs import read_field_log
from pipeforecast.ingest.pasts import Log, times
from pipeforecast.ingest.places import known_stages, placed, say_same_second, tells_status
from pipeforecast.ingest.reading import MissingColumnError, Reading, not_read
from pipeforecast.ingest.refusals import without
from pipeforecast.ingest.states import FIELD, WHOLE, Piece, Setting, setting
from pipeforecast.mapping import LogSettings, TableSettings, kind_of


def read_logs(reading: Reading, rows: DealRows) -> Log:
    """Read all the change logs that the mapping names and the export has."""
    deals = rows.used()
    history = reading.mapping.history
    long = [(s, f) for s in history.long if (f := _frame(reading, s)) is not None and _has_fields(reading, s, f)]
    wide = _frame(reading, history.wide) if history.wide is not None else None
    if history.wide is not None and any(s.files == history.wide.files for s, _ in long):
        wide = None  # the same file has one row per field
    logs: list[Log] = []
    if history.wide is not None and wide is not None:
        logs += _if_read(reading, partial(_wide, reading, rows, deals, history.wide, wide), wide)
    for s, f in long:
        logs += _if_read(reading, partial(read_field_log, reading, rows, deals, s, f, bool(logs)), f)
    if not any("stage" in log.tracked for log in logs):  # a log knows every entry, these columns only the last
        logs.append(_entered(reading, rows))
    logs.append(_created(reading, rows))
    _say_absent(reading, logs)
    return Log(
        tuple(p for log in logs for p in log.pieces),
        tuple(dict.fromkeys(f for log in logs for f in log.tracked)),
        {f: v for log in logs for f, v in log.first.items()},
        any(log.tells_status for log in logs),
        tuple(u for log in logs for u in log.unchanged),
    )


def _if_read(reading: Reading, read: Callable[[], Log], frame: pd.DataFrame) -> list[Log]:
    """Give the log, or none where it cannot be read and ``check`` looks on without it."""
    try:
        return [read()]
    except DataError as error:
        not_read(reading, "changes", error, frame)
        return []


def _frame(reading: Reading, settings: TableSettings | LogSettings) -> pd.DataFrame | None:
    try:
        return reading.cells(settings.files, settings.delimiter, settings.encoding)
    except DataError as error:
        not_read(reading, "changes", error)
        return None


def _has_fields(reading: Reading, settings: LogSettings, frame: pd.DataFrame) -> bool:
    """Tell whether a file has one row per field; the same file may hold whole rows instead."""
    wide = reading.mapping.history.wide
    try:
        Rows(frame, "changes", reading).evaluate(settings.field, "text")
    except MissingColumnError as error:
        if wide is None or wide.files != settings.files:
            not_read(reading, "changes", error, frame)
        return False
    return True


def _say_absent(reading: Reading, logs: list[Log]) -> None:
    absent = list(dict.fromkeys(files[0] for files in reading.mapping.history.files if not reading.source.find(files)))
    if absent:
        reading.findings.append(
            Finding(
                "CHANGE-LOG-NOT-THERE", "warning", "changes", count=len(absent), examples=first_examples(absent),
                repair="read without", advice="export it too, or keep dated exports: the past is learned from them",
            )
        )  # fmt: skip


def _wide(reading: Reading, rows: DealRows, deals: pd.DataFrame, settings: TableSettings, frame: pd.DataFrame) -> Log:
    """Read a log whose rows are whole states."""
    source = Rows(frame, "changes", reading)
    table = read_columns(source, settings, "changes")
    if name := without(table, ("deal_id", "changed_at")):
        raise DataError(f"{source.file}: a change log needs {name!r}; name its column in crm.history.wide")
    out = left_out(source, settings).to_numpy(dtype=bool)
    ledger = reading.ledger
    ledger.came("changes", source.file, len(frame))
    ledger.leave("changes", source.file, table["deal_id"][out], "EXCLUDED-BY-MAPPING")
    table = table[~out]
    ids, at = table["deal_id"], table["changed_at"]
    if "recorded_at" in table:
        at = table["recorded_at"].where(table["recorded_at"].notna(), at)
    place = placed(reading, rows, deals, ids, at, source.file)
    say_same_second(place, ids, source.file, reading)
    facts: dict[str, Setting] = {}
    for fact in (f for f in TRACKABLE if f in table):
        values = table[fact]
        if fact == "probability":
            values = sane_probability(values, ids, source)
        values = values.iloc[place.rows]
        if fact == "stage":
            values = known_stages(reading, rows, deals, place.deal, values, source.file)
        facts[fact] = setting(values)
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
    tells = tells_status(piece, rows)
    return Log((piece,), tuple(f for f in facts if f != "closed_at"), {}, tells)


def _entered(reading: Reading, rows: DealRows) -> Log:
    """Read the days of entering each stage.

    The day of the last change alone makes no state: it would tell today's stage of deals that are still open on
    days on which nothing is known of those that closed since, and so give the outcome away.
    """
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
    return Log()


def _created(reading: Reading, rows: DealRows) -> Log:
    """Read facts whose value at creation stands in the deals' file beside today's."""
    used = rows.reason.isna().to_numpy(dtype=bool)
    first: dict[str, Setting] = {}
    for fact, expression in reading.mapping.history.created.items():
        try:
            values = rows.source.evaluate(expression, kind_of("deals", fact) or "text")[used].reset_index(drop=True)
        except MissingColumnError as error:
            not_read(reading, "changes", error)
            continue
        first[fact] = setting(values, values.notna().to_numpy(dtype=bool))
    return Log((), tuple(first), first)
