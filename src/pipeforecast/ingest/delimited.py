"""Reading delimited text: its encoding, its delimiter, and the columns that are wanted, block by block."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding

DELIMITERS = ",;\t|"
_HEAD, _CHUNK = 1_000_000, 1 << 22
_HINT = re.compile(rb'"?sep=(.)"?\r?\n')  # Excel writes the delimiter into a first line of its own


def read_delimited(
    path: Path, findings: list[Finding], delimiter: str | None, encoding: str | None, wanted: Callable[[str], bool]
) -> tuple[pa.Table, list[str]]:
    """Read the wanted columns of one file as large_string, and give all the names of its header.

    A file of UTF-8 is read from the disk block by block; only what must be decoded or unpacked stands whole in memory.
    """
    plain, quoted = (False, True) if encoding is not None or path.suffix.casefold() == ".gz" else _scanned(path)
    if plain:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        with pa.OSFile(str(path)) as file:
            return _parsed(file, head.removeprefix(codecs.BOM_UTF8), path, delimiter, quoted, wanted)
    raw = gzip.decompress(path.read_bytes()) if path.suffix.casefold() == ".gz" else path.read_bytes()
    data = _utf8(raw, path, findings, encoding)
    return _parsed(pa.BufferReader(data), data[:_HEAD], path, delimiter, b'"' in data, wanted)


def _scanned(path: Path) -> tuple[bool, bool]:
    """Tell whether a file is UTF-8 with something in it, and whether a cell of it may be quoted."""
    decoder, quoted, blank = codecs.getincrementaldecoder("utf-8")(), False, True
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                quoted, blank = quoted or b'"' in chunk, blank and not chunk.strip()
                if decoder.getstate()[0] or not chunk.isascii():
                    decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False, True
    return not blank, quoted


def _parsed(
    source: pa.NativeFile, head: bytes, path: Path, delimiter: str | None, quoted: bool, wanted: Callable[[str], bool]
) -> tuple[pa.Table, list[str]]:
    if not head.strip() and len(head) < _HEAD:
        raise DataError(f"{path.name} is empty")
    hint = _HINT.match(head)
    if hint:
        head, delimiter = head[hint.end() :], delimiter or hint.group(1).decode()
    delimiter = delimiter or _sniff(head)
    header = next(csv.reader(io.StringIO(head.decode("utf-8", "ignore")), delimiter=delimiter))
    names = [name.strip() for name in header]
    if len(set(names)) < len(names):
        if names.count("") > 1:
            raise DataError(
                f"{path.name}: expected the columns' headings in its first line, came {names.count('')} empty ones; if "
                "a title stands above the headings, take it out"
            )
        raise DataError(f"columns {some(sorted({n for n in names if names.count(n) > 1}))} stand more than once")
    used = [name for name in header if wanted(name.strip())]
    table = pa_csv.read_csv(
        source,
        read_options=pa_csv.ReadOptions(skip_rows=1 if hint else 0),
        # Without a quotation mark in the file no cell holds a line break, and blocks can be cut anywhere.
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.large_string()),
            strings_can_be_null=False,
            include_columns=used if len(used) < len(header) else [],
        ),
    )
    return table.rename_columns([name.strip() for name in table.column_names]), names


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
        finding = Finding(
            "ENCODING-GUESSED", "info", path.name, count=1, examples=(guess,), repair=f"read as {guess}",
            advice="check a name with accents; write the file as UTF-8 or set the table's encoding",
        )  # fmt: skip
        if finding not in findings:  # a file may be read once more
            findings.append(finding)
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
