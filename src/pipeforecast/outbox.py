"""A folder of results, or a file, that appears whole or not at all, whenever a run is killed."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeforecast.errors import PipeforecastError, SettingsError

_DRAFT = ".draft"
#: A draft this old, in seconds, that no process holds was left by one that was killed.
_LEFT_BEHIND = 60.0


class OutputError(PipeforecastError, OSError):
    """The results cannot be written where they should go."""


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder to write into; its files move to ``out`` only when the block ends well.

    Files of ``out`` that the block did not write stay; those that it did are replaced one by one, each at once. Of two
    runs that end at once one moves its files after the other, so that none are mixed. After an error or an
    interruption ``out`` is as it was; what a killed run left beside it goes when the next one starts.

    Raises
    ------
    OutputError
        If ``out`` is a file, or its place cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder for the results, came a file; say out=FOLDER")
    try:
        draft, held = _draft(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); say out=FOLDER") from None
    try:
        yield draft
        out.mkdir(parents=True, exist_ok=True)
        with _held(out):
            for path in sorted(p for p in draft.rglob("*") if p.is_file()):
                target = out / path.relative_to(draft)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(held)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give the path of an empty draft beside ``path``; what is left of it when the block ends is taken away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_DRAFT, dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path of a draft beside ``path`` to write; it takes the place of ``path`` when the block ends well."""
    with _beside(path) as draft:
        yield draft
        draft.replace(path)


@contextmanager
def settings_file(path: Path, key: str, force: bool) -> Iterator[Path]:
    """Give the path of a draft of a settings file, which takes its place whole, and never that of another unless told.

    Parameters
    ----------
    path : Path
    key : str
        The setting that names the file, for the message.
    force : bool
        Whether a file of that name is replaced.

    Raises
    ------
    SettingsError
        If the file is there, also where somebody else was faster, and ``force`` is false.
    """
    refuse_existing(path, key, force)
    with _beside(path) as draft:
        yield draft
        draft.chmod(0o644)
        if force:
            draft.replace(path)
            return
        try:
            os.link(draft, path)
        except FileExistsError:  # it has come since
            refuse_existing(path, key, force)
            raise


def refuse_existing(path: Path, key: str, force: bool) -> None:
    """Refuse to write over a settings file, unless told to."""
    if path.exists() and not force:
        raise SettingsError(f"{key}: {path} is there already; say force=true to replace it, or another name")


def _draft(out: Path) -> tuple[Path, int]:
    """Make a draft folder, held as long as this process lives."""
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`, so that a move stays on one file system and is one step; inside, where `out` is a mount of its own.
    inside = out.is_dir() and (out.stat().st_dev != out.parent.stat().st_dev or not os.access(out.parent, os.W_OK))
    place = out if inside else out.parent
    _clear(place, out.name)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=_DRAFT, dir=place))
    held = os.open(draft, os.O_RDONLY)
    with suppress(OSError):  # a file system without locks: then nothing is ever cleared
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return draft, held


def _clear(place: Path, name: str) -> None:
    """Remove drafts of runs that were killed: old ones that no process holds."""
    for left in place.glob(f".{glob.escape(name)}.*{_DRAFT}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime < _LEFT_BEHIND:
                continue
            held = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(held)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Let one run at a time move files into a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
