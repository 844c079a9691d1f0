"""The tables that an unknown export holds, as text; nothing is known yet of what they mean."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.ingest.databases import DatabaseSource, source_at
from pipeforecast.ingest.files import Source, read_text
from pipeforecast.mapping import HistorySettings

_ENDINGS = re.compile(r"(\.(csv|tsv|txt|parquet|xlsx|xlsm|xlsb|xls|ods))?(\.gz)?$", re.IGNORECASE)
_READABLE = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".gz")
_DAY = re.compile(r"[-_ .]*" + HistorySettings().exports + r"[-_ .]*")
#: Tried for text that is not UTF-8; the first is what reading itself falls back to.
_ENCODINGS = ("cp1252", "cp1250", "gb18030")


@dataclass(frozen=True)
class Table:
    """One table of the export; ``files`` finds it again, ``encoding`` is named where reading would guess wrongly."""

    file: str
    files: str
    frame: pd.DataFrame
    encoding: str | None = None


@dataclass(frozen=True)
class Looked:
    """The tables of an export (of the newest day, where it is a folder of dated ones) and what could not be read."""

    tables: tuple[Table, ...]
    days: tuple[tuple[Table, ...], ...]
    unread: tuple[str, ...]


def look(source: object, known: Callable[[str], bool]) -> Looked:
    """Read every table of a source.

    Parameters
    ----------
    source : path, address or list of paths
    known : callable
        Whether a heading means something: it decides between encodings.

    Raises
    ------
    DataError
        If there is no table.
    """
    opened = source_at(source, [])  # type: ignore[arg-type]
    if isinstance(opened, DatabaseSource):
        tables = tuple(Table(p.name, glob.escape(p.name), opened.rows([glob.escape(p.name)])) for p in opened.paths)  # type: ignore[arg-type]
        return Looked(tables, (), ())
    unread: list[str] = []
    days = _days(opened)
    if days:
        read = tuple(tuple(_tables(entries, known, unread)) for entries in days)
        found = read[-1]
    else:
        read, found = (), tuple(_tables([(p, _undated(p, opened.paths)) for p in opened.paths], known, unread))
    if not found:
        why = unread[0] if unread else f"{opened.where}: expected a table (CSV, Excel, Parquet), came {_came(opened)}"
        raise DataError(why)
    return Looked(found, read, tuple(unread))


def _came(source: Source) -> str:
    return some((p.name for p in source.paths), 8) or "no file"


def _days(source: Source) -> list[list[tuple[Path, str]]]:
    """List the tables of each day of a folder of dated exports, the oldest first; none if it is one export."""
    if source.folder is None:
        return []
    found: dict[str, list[tuple[Path, str]]] = {}
    for entry in sorted(p for p in source.folder.iterdir() if not p.name.startswith(".")):
        match = _DAY.search(entry.name)
        if match is None:
            continue
        inside = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        found.setdefault("-".join(match.groups()), []).extend(
            (p, stem(p.name if entry.is_dir() else _DAY.sub("", _ENDINGS.sub("", p.name)))) for p in inside
        )
    plain = [p for p in source.paths if _DAY.search(p.name) is None and p.suffix.casefold() in _READABLE]
    return [found[day] for day in sorted(found)] if len(found) > 1 and not plain else []


def stem(name: str) -> str:
    """Give the pattern that finds a file by its name without the ending."""
    return glob.escape(_ENDINGS.sub("", name)) or "*"


def _undated(path: Path, paths: Sequence[Path]) -> str:
    """Give a pattern without the day, which another export will not have, where no second file fits it."""
    bare = _ENDINGS.sub("", path.name)
    match = _DAY.search(bare)
    if match is None or not bare[: match.start()]:
        return stem(path.name)
    head = bare[: match.start()]
    return stem(path.name) if sum(p.name.startswith(head) for p in paths) > 1 else glob.escape(head) + "*"


def _tables(entries: Sequence[tuple[Path, str]], known: Callable[[str], bool], unread: list[str]) -> list[Table]:
    out = []
    for path, files in entries:
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            encoding = _encoding(path, known)
            frame = read_text(path, [], encoding=encoding)
        except DataError as error:
            unread.append(str(error))
        else:
            out.append(Table(path.name, files, frame, encoding))
    return out


def _encoding(path: Path, known: Callable[[str], bool]) -> str | None:
    """Name the encoding of text that is not Unicode, by the headings that it makes known; None if it need not be."""
    if path.suffix.casefold() not in (".csv", ".tsv", ".txt"):
        return None
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    if b"\x00" in raw[:4096]:
        raise DataError(f"{path.name} is no text: expected a table as CSV, Excel or Parquet, came other data")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _best(raw, known)
    return None


def _best(raw: bytes, known: Callable[[str], bool]) -> str | None:
    best, most = None, -1
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        hits = sum(known(cell.strip().strip('"')) for cell in re.split(r"[,;\t|]", text.split("\n", 1)[0]))
        if hits > most:
            best, most = encoding, hits
    return best
