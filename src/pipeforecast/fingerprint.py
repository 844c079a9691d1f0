"""What identifies data and settings: the key under which a replay is stored and a run can be found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeforecast.errors import MissingFileError

_CHUNK = 1 << 20


def fingerprint_of_files(source: Path, only: Iterable[str] | None = None) -> str:
    """Give the SHA-256 (64 hex digits) over names and contents of a file or of every file below a folder.

    Parameters
    ----------
    source : Path
        File or folder.
    only : iterable of str, optional
        Names relative to the folder that count; by default all but hidden ones.

    Raises
    ------
    MissingFileError
        If ``source``, or a file named in ``only``, is not there.

    Notes
    -----
    Neither the folder's own place nor times of writing count: the same export copied elsewhere is the same data.
    """
    digest = hashlib.sha256()
    for name, content in digests_of_files(source, only).items():
        # Length before name, and a digest of fixed length after it: no two lists of files run together.
        encoded = name.encode()
        digest.update(len(encoded).to_bytes(8, "big") + encoded + bytes.fromhex(content))
    return digest.hexdigest()


def digests_of_files(source: Path, only: Iterable[str] | None = None) -> dict[str, str]:
    """Give the SHA-256 (64 hex digits) of each file that ``fingerprint_of_files`` counts, by its name, in order."""
    if not source.exists():
        raise MissingFileError(f"{source}: no such file or folder; source=FOLDER names the export")
    return {name: digest_of_file(path) for name, path in sorted(_named(source, only))}


def digest_of_file(path: Path) -> str:
    """Give the SHA-256 (64 hex digits) of one file's content."""
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; the mapping names it")
    content = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            content.update(chunk)
    return content.hexdigest()


def fingerprint_of(values: Any) -> str:
    """Give the SHA-256 (64 hex digits) of plain values (dicts, lists, texts, numbers), whatever the order of keys."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _named(source: Path, only: Iterable[str] | None) -> list[tuple[str, Path]]:
    if source.is_file():
        return [(source.name, source)]
    if only is not None:
        return [(name, source / name) for name in set(only)]
    found = [p for p in source.rglob("*") if p.is_file()]
    named = [(p.relative_to(source).as_posix(), p) for p in found]
    return [(name, p) for name, p in named if not any(part.startswith(".") for part in name.split("/"))]
