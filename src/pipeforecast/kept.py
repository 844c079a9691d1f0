"""Dated exports kept side by side: the history that a CRM does not give.

A day is a folder ``YYYY-MM-DD`` that appears whole or not at all: it is copied beside and then renamed.
"""

from __future__ import annotations

import datetime as dt
import filecmp
import os
import re
import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeforecast.errors import DataError, MissingFileError, SettingsError, some
from pipeforecast.ingest.databases import DatabaseSource
from pipeforecast.ingest.files import Source, read_text
from pipeforecast.mapping import CrmMapping
from pipeforecast.outbox import OutputError

_DRAFT = ".keep-"
_STALE_S = 24 * 3600
_DAY = re.compile(r"(\d{4})[-_]?(\d{2})[-_]?(\d{2})")


@dataclass(frozen=True)
class Kept:
    """What was kept: the folder of the day, whether it is new, every kept day, and what differs from the day before."""

    folder: Path
    new: bool
    days: tuple[dt.date, ...]
    changed: tuple[str, ...]


def keep_export(source: Source, kept: Path, day: dt.date, mapping: CrmMapping) -> Kept:
    """Keep today's export as one more day.

    Parameters
    ----------
    source : Source
        Files of the export, or a database, whose tables are written as Parquet.
    kept : Path
        Folder of dated exports; it is made where it is not there.
    day : date
        Day of the export.
    mapping : CrmMapping
        Says which tables of a database count.

    Raises
    ------
    DataError
        If the day exists with other content, or there is nothing to keep.
    SettingsError
        If ``kept`` lies within the source, or the source within ``kept``.
    OutputError
        If the folder cannot be written.
    """
    _apart(source, kept)
    before = kept_days(kept)
    elsewhere = [e.name for e in _entries(kept) if _day_of(e.name) == day and e.name != day.isoformat()]
    if elsewhere:
        raise DataError(f"{kept}: {some(elsewhere)} is of {day} already; rename it to {day}/ or name another as_of")
    target = kept / day.isoformat()
    try:
        kept.mkdir(parents=True, exist_ok=True)
        _swept(kept)
        draft = kept / f"{_DRAFT}{os.getpid()}-{uuid.uuid4().hex[:12]}"
        draft.mkdir()
        try:
            _copied(source, draft, mapping)
            new = not target.exists()
            if new:
                os.rename(draft, target)
            elif not _same(draft, target):
                raise DataError(
                    f"{target} exists with other content: a day is written once; name another as_of, "
                    "or remove that folder if it is wrong"
                )
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        if isinstance(error, MissingFileError):
            raise
        raise OutputError(f"{kept}: cannot be written ({error.strerror or error}); say kept=FOLDER") from None
    earlier = [d for d in before if d < day]
    changed = _differences(kept / earlier[-1].isoformat(), target) if earlier and new else ()
    return Kept(target, new, tuple(kept_days(kept)), changed)


def kept_days(kept: Path) -> list[dt.date]:
    """List the days that a folder of dated exports has, the oldest first."""
    return sorted({day for e in _entries(kept) if (day := _day_of(e.name)) is not None})


def _entries(kept: Path) -> list[Path]:
    return sorted(p for p in kept.iterdir() if not p.name.startswith(".")) if kept.is_dir() else []


def _day_of(name: str) -> dt.date | None:
    found = _DAY.search(name)
    try:
        return dt.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _apart(source: Source, kept: Path) -> None:
    """Refuse to keep an export within itself: the next one would hold this one."""
    if kept.is_file():
        raise SettingsError(f"kept: expected a folder, came the file {kept}")
    home = kept.resolve()
    places = [source.folder.resolve()] if source.folder is not None else [p.resolve() for p in source.paths]
    places = [] if isinstance(source, DatabaseSource) else places
    for place in places:
        if place == home or place in home.parents or home in place.parents:
            raise SettingsError(f"kept: expected a folder outside the export {place}, and not around it, came {kept}")


def _swept(kept: Path) -> None:
    """Remove what a killed call left more than a day ago."""
    for path in kept.glob(f"{_DRAFT}*"):
        if time.time() - path.stat().st_mtime > _STALE_S:
            shutil.rmtree(path, ignore_errors=True)


def _copied(source: Source, draft: Path, mapping: CrmMapping) -> None:
    if isinstance(source, DatabaseSource):
        for path in _wanted(source, mapping):
            table = pa.Table.from_pandas(source.rows([path.name]), preserve_index=False)
            pq.write_table(table.replace_schema_metadata(None), draft / f"{_file_name(path.name)}.parquet")
    else:
        for path in (p for p in source.paths if not p.name.startswith(".")):
            shutil.copyfile(path, draft / path.name)
    made = list(draft.iterdir())
    if not made:
        raise DataError(f"{source.where}: expected files of an export, came none; name the folder that holds them")
    for path in made:  # on the disk before the rename is
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _file_name(table: str) -> str:
    if re.search(r"[/\\\x00]|^\.", table):
        raise DataError(f"expected a table whose name may be a file's, came {table!r}; make a view of another name")
    return table


def _wanted(source: Source, mapping: CrmMapping) -> list[Path]:
    """List the tables of a database that the mapping reads."""
    history, stages = mapping.history, mapping.stages.table
    patterns: list[Sequence[str]] = [mapping.deals.files, *(t.files for t in mapping.tables.values())]
    patterns += [t.files for t in (stages, history.wide) if t is not None] + [log.files for log in history.long]
    return list(dict.fromkeys(p for files in patterns for p in source.find(files)))


def _same(one: Path, other: Path) -> bool:
    names = sorted(p.name for p in one.iterdir())
    if not other.is_dir() or names != sorted(p.name for p in other.iterdir() if not p.name.startswith(".")):
        return False
    return filecmp.cmpfiles(one, other, names, shallow=False)[0] == names


def _differences(before: Path, today: Path) -> tuple[str, ...]:
    """Say which files and columns have come or gone, and where rows have become fewer."""
    if not before.is_dir():
        return (f"{before.name} is no folder of its own: columns were not compared",)
    old, new = _by_kind(before), _by_kind(today)
    said = [f"{old[k].name} is gone" for k in sorted(old.keys() - new.keys())]
    said += [f"{new[k].name} is new" for k in sorted(new.keys() - old.keys())]
    for kind in sorted(old.keys() & new.keys()):
        was, now = read_text(old[kind], []), read_text(new[kind], [])
        for head, one, other in (("gone", was, now), ("new", now, was)):
            columns = [c for c in one.columns if c not in set(other.columns)]
            if columns:
                said.append(f"{new[kind].name}: columns that are {head}: {some(columns, 8)}")
        if len(now) < len(was):
            said.append(f"{new[kind].name}: {len(now):,} rows, {len(was):,} before; export all, closed ones too")
    return tuple(said)


def _by_kind(folder: Path) -> dict[str, Path]:
    """Name a day's files without the digits in which exports differ from day to day."""
    return {re.sub(r"\d+", "#", p.name).casefold(): p for p in folder.iterdir() if not p.name.startswith(".")}
