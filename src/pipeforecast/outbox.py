"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeforecast.errors import PipeforecastError


class OutputError(PipeforecastError, OSError):
    """The results cannot be written where they should go."""


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder to write into; its files move to ``out`` only when the block ends well.

    Files of ``out`` that the block did not write stay; those that it did are replaced one by one, each at once.
    After an error or an interruption ``out`` is as it was.

    Raises
    ------
    OutputError
        If ``out`` is a file, or its place cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder for the results, came a file; say out=FOLDER")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Beside `out`, so that a move stays on one file system and is one step.
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); say out=FOLDER") from None
    try:
        yield draft
        for path in sorted(p for p in draft.rglob("*") if p.is_file()):
            target = out / path.relative_to(draft)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
