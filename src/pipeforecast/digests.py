"""Digests of the files that a run wrote: enough to tell whether another run wrote the same, and no word of them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipeforecast.fingerprint import digest_of_file

#: Kinds of files that hold results as data; pages, workbooks and texts say the same in words.
DATA = (".csv", ".json", ".txt")
_MOST_BYTES = 4_000_000
_SHORT = 16
Digests = Mapping[str, Mapping[str, Any]]


def digests_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Give each file's SHA-256 and, of a table that is not large, the number of rows and a digest a column.

    Parameters
    ----------
    folder : Path
        Where a run has written, and nobody else.
    """
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        told: dict[str, Any] = {"sha256": digest_of_file(path)}
        if path.suffix == ".csv" and path.stat().st_size <= _MOST_BYTES:
            told |= _columns(path)
        found[path.relative_to(folder).as_posix()] = told
    return found


def is_data(name: str) -> bool:
    """Whether a file's bytes are held to be the same in a run made again."""
    return name.endswith(DATA)


def first_difference(then: Path, now: Path) -> str:
    """Say where two tables differ first: the row of the file (the head is row 1), its column, and both values."""
    with then.open(newline="", encoding="utf-8") as one, now.open(newline="", encoding="utf-8") as other:
        head: list[str] = []
        for number, (a, b) in enumerate(zip_longest(csv.reader(one), csv.reader(other)), start=1):
            if number == 1:
                head = b or a or []
            if a == b:
                continue
            if a is None or b is None:
                return f"row {number} is there only {'now' if a is None else 'in the first run'}"
            for place, (old, new) in enumerate(zip_longest(a, b)):
                if old != new:
                    column = head[place] if place < len(head) else str(place + 1)
                    return f"row {number}, column {column}: {_cell(old)} then, {_cell(new)} now"
    return "only in how it is written (quotes or ends of lines)"


def differing_columns(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say which columns of a table differ, where only their digests are left of the first run."""
    if "columns" not in then or "columns" not in now:
        return "its contents differ"
    if then["rows"] != now["rows"]:
        return f"{then['rows']} rows then, {now['rows']} now"
    names = [n for n in {**then["columns"], **now["columns"]} if then["columns"].get(n) != now["columns"].get(n)]
    return f"columns {', '.join(names)}" if names else "only in how it is written"


def _columns(path: Path) -> dict[str, Any]:
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    head, body = (rows[0], rows[1:]) if rows else ([], [])
    digests = {}
    for place, name in enumerate(head):
        # Lengths stand between the cells, so that no two columns run together into one text.
        cells = (row[place] if place < len(row) else "" for row in body)
        text = "".join(f"{len(cell)}:{cell}" for cell in cells)
        digests[name] = hashlib.sha256(text.encode()).hexdigest()[:_SHORT]
    return {"rows": len(body), "columns": digests}


def _cell(value: str | None) -> str:
    if value is None:
        return "nothing"
    return repr(value) if len(value) <= 40 else repr(value[:39] + "…")
