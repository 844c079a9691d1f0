"""The command: a verb is taken off the call, Hydra composes its settings, ``workflow`` does it.

Nothing heavy is imported before a verb runs, so that ``--help`` is instant. The working directory is never changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from pipeforecast import __version__, manual
from pipeforecast.address import without_secrets
from pipeforecast.errors import PipeforecastError, SettingsError, some
from pipeforecast.guess import nearest

DONE, REFUSED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130
DEBUG = "PIPEFORECAST_DEBUG"
_WHERE = "the results of this run are not written; make room or give rights there, or name another place (out=FOLDER)"


@dataclass(frozen=True)
class Call:
    """What the user typed, taken apart."""

    verb: str | None
    overrides: tuple[str, ...]
    help: bool = False
    version: bool = False
    multirun: bool = False
    show: bool = False
    resolve: bool = False


def main(argv: Sequence[str] | None = None) -> int:
    """Run one call and give its exit status: 0 done, 1 data or result refused, 2 wrong call, 130 interrupted.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the command; by default those of the process.
    """
    return _guarded(partial(_answer, sys.argv[1:] if argv is None else argv))


def _answer(argv: Sequence[str]) -> int:
    call = _taken_apart(argv)
    if call.version:
        return _say(f"pipeforecast {__version__}")
    if call.verb is None:
        if call.help:
            return _say(manual.overview(__version__))
        raise SettingsError(f"expected a verb: {some(manual.PAGES, 20)}. See pipeforecast --help")
    if call.help:
        return _say(manual.page(call.verb))
    from pipeforecast.overrides import composed, shown, swept

    if call.show:
        return _say(shown(call.verb, call.overrides, call.resolve).rstrip())
    if call.multirun:
        return _sweep(swept(call.verb, call.overrides, partial(_job, call.verb)))
    return _run(call.verb, composed(call.verb, call.overrides), call.overrides)


def _taken_apart(argv: Sequence[str]) -> Call:
    """Sort words into verb, flags and overrides."""
    flags: set[str] = set()
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word in ("--cfg", "-c"):
            _only_job(next(rest, ""))
            flags.add("show")
        elif word.startswith("--cfg="):
            _only_job(word.removeprefix("--cfg="))
            flags.add("show")
        elif word.startswith("-"):
            flags.add(_flag(word))
        else:
            words.append(word)
    if {"show", "multirun"} <= flags:
        raise SettingsError("expected one of --cfg and --multirun, came both")
    named = [w for w in words if "=" not in w and not w.startswith("~")]
    verb = named[0] if named else None
    if verb is not None:
        _known_verb(verb)
        words.remove(verb)
        words = _with_key(verb, words)
    return Call(verb, tuple(words), **dict.fromkeys(flags, True))


def _with_key(verb: str, words: list[str]) -> list[str]:
    """Let the one bare word of a verb that takes one stand for its setting: ``replay ID`` for ``replay run=ID``."""
    key = manual.PAGES[verb].bare
    bare = [w for w in words if "=" not in w and not w.startswith("~")]
    return [f"{key}={w}" if key and w in bare[:1] else w for w in words]


def _flag(word: str) -> str:
    known = {
        "-h": "help", "--help": "help", "--version": "version", "-m": "multirun", "--multirun": "multirun",
        "--resolve": "resolve",
    }  # fmt: skip
    if word not in known:
        raise SettingsError(
            f"{word}: expected one of {some([*known, '--cfg job'], 20)}{nearest(word, known)} "
            "Settings are given as key=value, without dashes."
        )
    return known[word]


def _only_job(value: str) -> None:
    if value != "job":
        raise SettingsError(f"--cfg: expected 'job', came {value!r}")


def _known_verb(verb: str) -> None:
    if verb not in manual.PAGES:
        known = manual.PAGES
        raise SettingsError(f"verb: expected one of {some(known, 20)}, came {verb!r}{nearest(verb, known)}")


def _run(verb: str, config: Any, told: Sequence[str]) -> int:
    """Judge the settings, run the verb, print what it says."""
    from pipeforecast.cluster import on_cluster
    from pipeforecast.settings import settings_for

    settings = settings_for(verb, config).model_copy(update={"told": tuple(told)})
    workflow = import_module("pipeforecast.workflow")
    with on_cluster(getattr(getattr(settings, "origins", None), "cluster", None)):
        return _say(str(getattr(workflow, verb)(settings)))


def _sweep(jobs: Sequence[Any]) -> int:
    """Sum up a sweep, with its jobs' scores side by side; its exit status is the worst of its jobs'."""
    from pipeforecast.sweep import compared, written

    failed = sum(job.status != DONE for job in jobs)
    print(f"{len(jobs)} jobs, {failed} failed", file=sys.stderr)
    table = compared([(job.number, job.choice, job.folder, job.status) for job in jobs])
    if table is not None:
        print(f"{table.to_string(index=False)}\n\nwritten: {written(table, jobs[0].folder.parent)}", flush=True)
    return max((job.status for job in jobs), default=DONE)


def _job(verb: str, config: Any) -> int:
    """Run one job of a sweep in its own folder; its failure is its exit status, so the others still run."""
    from pipeforecast.overrides import folder_of_job, words_of_job

    number, choice, folder = folder_of_job()
    print(f"job {number}: {choice or 'no overrides'} -> {folder}", file=sys.stderr)
    config.out = str(folder)
    return _mended(partial(_run, verb, config, words_of_job()))


def _guarded(run: Callable[[], int]) -> int:
    """Turn whatever ends the whole call into an exit status."""
    try:
        return _mended(run)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone (as in `| head`): nothing is left to say, and Python must not say so at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _mended(run: Callable[[], int]) -> int:
    """Turn a failure into a few lines on stderr and an exit status."""
    try:
        return run()
    except PipeforecastError as error:
        return _complain(str(error), error.exit_status)
    except BrokenPipeError:
        raise
    except FileNotFoundError as error:
        return _complain(f"no such file: {error.filename or error}", REFUSED)
    except Exception as error:
        if os.environ.get(DEBUG) == "1":
            raise
        if isinstance(error, OSError) and error.strerror:
            where = f"{error.filename}: " if error.filename else ""
            return _complain(f"{where}{error.strerror.lower()}; {_WHERE}", REFUSED)
        said = " ".join(str(error).split())[:300] or "no message"
        return _complain(f"unexpected {type(error).__name__}: {said} ({DEBUG}=1 shows the traceback)", REFUSED)


def _say(text: str) -> int:
    print(text, flush=True)
    return DONE


def _complain(text: str, status: int) -> int:
    print(f"error: {without_secrets(text)}", file=sys.stderr, flush=True)
    return status
