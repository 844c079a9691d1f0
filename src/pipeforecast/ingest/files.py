"""Finding an export's files and reading them as text, whatever their format."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeforecast.errors import DataError, MissingFileError, some
from pipeforecast.findings import Finding
from pipeforecast.ingest.coded import TEXT_TYPE, coded, trimmed
from pipeforecast.ingest.delimited import read_delimited
from pipeforecast.ingest.packed import refuse_swollen

_ENDINGS = re.compile(r"(\.(csv|tsv|txt|parquet|xlsx|xlsm|xlsb|xls|ods))?(\.gz)?$", re.IGNORECASE)
_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

#: Files, and the delimiter, encoding and sheet by which they are read.
Key = tuple[tuple[Path, ...], str | None, str | None, str | None]
#: Gives for a file what tells of a column's name whether it is read.
Needed = Callable[[Path], Callable[[str], bool]]
Read = tuple[pd.DataFrame, list[Finding]]


@dataclass
class Source:
    """The files of one export: those of a folder, or the ones given; each is read once.

    ``names`` are the names under which files are looked for, where they are not their own.
    """

    paths: tuple[Path, ...]
    where: str
    findings: list[Finding] = field(default_factory=list)
    folder: Path | None = None
    names: Mapping[Path, str] = field(default_factory=dict)
    _read: dict[Key, Future[Read]] = field(default_factory=dict)
    _once: set[Key] = field(default_factory=set)

    @classmethod
    def at(cls, source: Path | str | Sequence[Path | str], findings: list[Finding]) -> Source:
        """Take a folder, a file or a list of files.

        Raises
        ------
        MissingFileError
            If one of them is not there.
        """
        given = [Path(source)] if isinstance(source, str | Path) else [Path(p) for p in source]
        for path in given:
            if not path.exists():
                raise MissingFileError(f"there is no {str(path)!r}")
        files: list[Path] = []
        for path in given:
            files += sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        folder = given[0] if len(given) == 1 and given[0].is_dir() else None
        return cls(tuple(files), ", ".join(str(p) for p in given[:3]), findings, folder)

    def find(self, patterns: Sequence[str]) -> list[Path]:
        """List the files of the first pattern that matches any; a glob may match several.

        Raises
        ------
        DataError
            If a plain name matches several files, which would count rows twice.
        """
        for pattern in patterns:
            found = [p for p in self.paths if _matches(self.names.get(p, p.name), pattern)]
            if len(found) > 1 and not any(c in pattern for c in "*?["):
                names = some(p.name for p in found)
                raise DataError(f"{pattern!r} may be {names} in {self.where}: keep one, or name it with its ending")
            if found:
                return found
        return []

    def rows(
        self,
        patterns: Sequence[str],
        delimiter: str | None = None,
        encoding: str | None = None,
        sheet: str | None = None,
    ) -> pd.DataFrame | None:
        """Read the files of ``patterns`` one below the other, all as text; None if there are none."""
        found = self.find(patterns)
        told = (delimiter, encoding, sheet)
        return framed(self._whole((tuple(found), *told), _every, self.findings)[0]) if found else None

    def cells(
        self, patterns: Sequence[str], delimiter: str | None, encoding: str | None, sheet: str | None, needed: Needed
    ) -> pd.DataFrame | None:
        """Read the files of ``patterns`` as ``rows`` does, the columns that repeat themselves as codes.

        The frame is kept until ``forget``; its ``attrs`` hold the ``file`` and all ``columns`` that the file has.

        Parameters
        ----------
        needed : callable
            Gives for a file what tells of a column's name whether it is read.
        """
        key = (tuple(self.find(patterns)), delimiter, encoding, sheet)
        if not key[0]:
            return None
        if key not in self._read:
            read: Future[Read] = Future()
            read.set_result(self._coded(key, needed))
            self._read[key] = read
        self._once.add(key)
        frame, findings = self._read[key].result()
        self.findings.extend(f for f in findings if f not in self.findings)
        return frame

    def ahead(
        self, patterns: Sequence[str], delimiter: str | None, encoding: str | None, sheet: str | None, needed: Needed
    ) -> bool:
        """Begin to read what ``cells`` will be asked for, unless it was; tell whether it is being read.

        What is odd or wrong is told when it is asked for.
        """
        try:
            key = (tuple(self.find(patterns)), delimiter, encoding, sheet)
        except DataError:
            return False
        if not key[0] or key in self._once:
            return False
        if key not in self._read:
            pool = ThreadPoolExecutor(1)
            self._read[key] = pool.submit(self._coded, key, needed)
            pool.shutdown(wait=False)
        return True

    def forget(self, patterns: Sequence[str]) -> None:
        """Let go of what ``cells`` keeps of some files."""
        found = tuple(self.find(patterns))
        for key in [k for k in self._read if k[0] == found]:
            del self._read[key]

    def _coded(self, key: Key, needed: Needed) -> Read:
        found, findings = key[0], list[Finding]()
        table, names = self._whole(key, needed(found[0]), findings)
        frame = coded(table)
        frame.attrs = {"file": found[0].name if len(found) == 1 else f"{found[0].name} …", "columns": names}
        return frame, findings

    def _whole(self, key: Key, wanted: Callable[[str], bool], findings: list[Finding]) -> tuple[pa.Table, list[str]]:
        found, delimiter, encoding, sheet = key
        parts = [self.read(path, delimiter, encoding, sheet, wanted, findings) for path in found]
        names = list(dict.fromkeys(name for _, head in parts for name in head))
        return pa.concat_tables([table for table, _ in parts], promote_options="default"), names

    def read(
        self, path: Path, delimiter: str | None, encoding: str | None, sheet: str | None,
        wanted: Callable[[str], bool], findings: list[Finding],
    ) -> tuple[pa.Table, list[str]]:  # fmt: skip
        """Read the wanted columns of one file with every cell as text, and give the names of all."""
        return read_cells(path, findings, delimiter, encoding, sheet, wanted)

    def content(self) -> str | None:
        """Give the fingerprint of what was read where that is no file; files have their own."""
        return None

    def need(self, patterns: Sequence[str], table: str) -> MissingFileError:
        """Make the error that says which file was expected and which files came."""
        return MissingFileError(
            f"the table {table!r} is expected in {some(patterns)} in {self.where}, "
            f"where there is {some((p.name for p in self.paths), 12) or 'no file'}; set crm.{table}.files"
        )


def _matches(name: str, pattern: str) -> bool:
    name, pattern = name.casefold(), pattern.casefold()
    return fnmatch(name, pattern) or fnmatch(_ENDINGS.sub("", name), pattern)


def _every(name: str) -> bool:
    return True


def read_text(
    path: Path,
    findings: list[Finding],
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """Read one file with every cell as trimmed text and empty cells as empty text; no type is guessed."""
    return framed(read_cells(path, findings, delimiter, encoding, sheet)[0])


def read_cells(
    path: Path,
    findings: list[Finding],
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    wanted: Callable[[str], bool] = _every,
) -> tuple[pa.Table, list[str]]:
    """Read the wanted columns of one file as text, not trimmed yet, and give the names of all."""
    ending = path.suffix.casefold()
    try:
        refuse_swollen(path)
        if ending == ".parquet":
            names = pq.read_schema(path).names
            table = pq.read_table(path, columns=[n for n in names if wanted(n.strip())] or None)
        elif ending in _EXCEL:
            table = _from_excel(path, sheet)
            names = table.column_names
            table = table.select([n for n in names if wanted(n)] or names)
        else:
            table, names = read_delimited(path, findings, delimiter, encoding, wanted)
    except (OSError, EOFError, pa.ArrowInvalid, pa.ArrowKeyError, UnicodeError, csv.Error) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read: {first}") from None
    names = [str(n).strip() for n in names]
    repeated = pd.Index(names)[pd.Index(names).duplicated()]
    if len(repeated):
        raise DataError(f"{path.name} has the columns {some(repeated.unique())} more than once: rename one of each")
    return texts(table), names


def texts(table: pa.Table) -> pa.Table:
    """Give every column as text, not trimmed yet; days and times become ISO text, nothing becomes empty text."""
    names = [str(n).strip() for n in table.column_names]
    if len(set(names)) < len(names):
        raise DataError(f"columns {some(sorted({n for n in names if names.count(n) > 1}))} stand more than once")
    columns = [c if pa.types.is_large_string(c.type) else c.cast(pa.large_string()) for c in table.columns]
    columns = [pc.fill_null(c, "") if c.null_count else c for c in columns]
    return pa.table(columns, names=names)


def as_text(table: pa.Table) -> pd.DataFrame:
    """Make a frame of a table of anything, with every cell as trimmed text."""
    return framed(texts(table))


def framed(table: pa.Table) -> pd.DataFrame:
    """Make a frame of a table of text, trimmed."""
    columns = {
        str(name): pd.Series(pd.array(trimmed(values), dtype=TEXT_TYPE))
        for name, values in zip(table.column_names, table.columns, strict=True)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _from_excel(path: Path, sheet: str | None) -> pa.Table:
    from python_calamine import CalamineError

    try:
        cells = pd.read_excel(path, sheet_name=sheet or 0, engine="calamine", dtype=object, keep_default_na=False)
    except (CalamineError, ValueError) as error:
        raise DataError(
            f"{path.name} cannot be read as a workbook: {str(error)[:200]}; save it anew, or as CSV"
        ) from None
    columns = {str(name).strip(): pa.array(cells[name].map(_cell), type=pa.large_string()) for name in cells.columns}
    return pa.table(columns)


def _cell(value: object) -> str:
    """Write an Excel cell as the text that a CSV export would have."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime):
        at_midnight = value.time() == dt.time()
        return value.date().isoformat() if at_midnight else value.isoformat(sep=" ", timespec="seconds")
    return str(value).strip()
