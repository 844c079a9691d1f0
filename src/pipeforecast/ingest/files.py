"""Finding an export's files and reading them as text, whatever their delimiter, encoding or format."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import gzip
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeforecast.errors import DataError, MissingFileError, some
from pipeforecast.findings import Finding
from pipeforecast.ingest.packed import refuse_swollen

DELIMITERS = ",;\t|"
_ENDINGS = re.compile(r"(\.(csv|tsv|txt|parquet|xlsx|xlsm|xlsb|xls|ods))?(\.gz)?$", re.IGNORECASE)
_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_TEXT_TYPE = pd.StringDtype("pyarrow")


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
    _read: dict[tuple[Any, ...], pd.DataFrame] = field(default_factory=dict)

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
        if not found:
            return None
        key = (tuple(found), delimiter, encoding, sheet)
        if key not in self._read:
            parts = [self.read(p, delimiter, encoding, sheet) for p in found]
            frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
            frame.attrs = {"file": found[0].name if len(found) == 1 else f"{found[0].name} …"}
            self._read[key] = frame
        return self._read[key]

    def read(self, path: Path, delimiter: str | None, encoding: str | None, sheet: str | None) -> pd.DataFrame:
        """Read one file with every cell as text."""
        return read_text(path, self.findings, delimiter, encoding, sheet)

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


def read_text(
    path: Path,
    findings: list[Finding],
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """Read one file with every cell as trimmed text and empty cells as empty text; no type is guessed."""
    ending = path.suffix.casefold()
    try:
        refuse_swollen(path)
        if ending == ".parquet":
            frame = as_text(pq.read_table(path))
        elif ending in _EXCEL:
            frame = _from_excel(path, sheet)
        else:
            frame = _from_delimited(path, findings, delimiter, encoding)
    except (OSError, EOFError, pa.ArrowInvalid, UnicodeError, csv.Error) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read: {first}") from None
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(f"{path.name} has the columns {some(repeated.unique())} more than once: rename one of each")
    return frame


def _from_delimited(path: Path, findings: list[Finding], delimiter: str | None, encoding: str | None) -> pd.DataFrame:
    raw = gzip.decompress(path.read_bytes()) if path.suffix.casefold() == ".gz" else path.read_bytes()
    data = _utf8(raw, path, findings, encoding)
    if not data.strip():
        raise DataError(f"{path.name} is empty")
    hint = re.match(rb'"?sep=(.)"?\r?\n', data)
    if hint:  # Excel writes the delimiter into a first line of its own
        data, delimiter = data[hint.end() :], delimiter or hint.group(1).decode()
    delimiter = delimiter or _sniff(data)
    header = next(csv.reader(io.StringIO(data[:1_000_000].decode("utf-8", "ignore")), delimiter=delimiter))
    table = pa_csv.read_csv(
        pa.BufferReader(data),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.large_string()), strings_can_be_null=False
        ),
    )
    return as_text(table)


def _utf8(raw: bytes, path: Path, findings: list[Finding], encoding: str | None) -> bytes:
    """Give the text as UTF-8 bytes; what is not UTF-8 is tried as Windows text, with a finding."""
    if encoding is not None:
        return raw.decode(encoding).removeprefix("\ufeff").encode()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16").encode()
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text, guess = raw.decode("cp1252"), "cp1252"
        except UnicodeDecodeError:
            text, guess = raw.decode("latin-1"), "latin-1"
        findings.append(
            Finding(
                "ENCODING-GUESSED", "info", path.name, count=1, examples=(guess,), repair=f"read as {guess}",
                advice="check a name with accents; write the file as UTF-8 or set the table's encoding",
            )
        )  # fmt: skip
        return text.encode()
    return raw


def _sniff(data: bytes) -> str:
    """Find the delimiter that cuts the first lines into the same number of fields, the most of them."""
    sample = data[:200_000].decode("utf-8", "ignore").splitlines(keepends=True)
    sample = sample[: max(1, min(len(sample) - 1, 40))]

    def fields(delimiter: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        return (len(set(counts)) == 1 and counts[0] > 1, counts[0] if counts else 0)

    return max(DELIMITERS, key=fields)


def as_text(table: pa.Table) -> pd.DataFrame:
    """Give every column as trimmed text; days and times become ISO text, nothing becomes empty text."""
    columns = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        text = values if pa.types.is_large_string(values.type) else values.cast(pa.large_string())
        text = pa.compute.fill_null(text, "")
        columns[str(name).strip()] = pd.Series(pd.array(pa.compute.utf8_trim_whitespace(text), dtype=_TEXT_TYPE))
    if len(columns) < table.num_columns:
        names = [str(n).strip() for n in table.column_names]
        raise DataError(f"columns {some(sorted({n for n in names if names.count(n) > 1}))} stand more than once")
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _from_excel(path: Path, sheet: str | None) -> pd.DataFrame:
    from python_calamine import CalamineError

    try:
        cells = pd.read_excel(path, sheet_name=sheet or 0, engine="calamine", dtype=object, keep_default_na=False)
    except (CalamineError, ValueError) as error:
        raise DataError(
            f"{path.name} cannot be read as a workbook: {str(error)[:200]}; save it anew, or as CSV"
        ) from None
    texts = {str(name).strip(): pd.Series(cells[name].map(_cell), dtype=_TEXT_TYPE) for name in cells.columns}
    return pd.DataFrame(texts, index=pd.RangeIndex(len(cells)))


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
