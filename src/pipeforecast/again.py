"""A recorded run made again: its settings as they were, what differs from then, and whether its files are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeforecast.address import Address, is_address, without_secrets
from pipeforecast.digests import Digests, differing_columns, first_difference, is_data
from pipeforecast.errors import PipeforecastError, SettingsError
from pipeforecast.fingerprint import digest_of_file
from pipeforecast.pastrun import PastRun, inputs_of
from pipeforecast.provenance import code, libraries, machine
from pipeforecast.settings import AgainSettings, RunSettings, settings_for

#: So many differing files, and so many things that may have caused it, are named.
_MOST = 5


class NotIdentical(PipeforecastError):  # noqa: N818  the run went well; its files are not those of the first
    """A run made again wrote other files than it did first."""


@dataclass(frozen=True)
class Comparison:
    """Files of two runs side by side.

    Attributes
    ----------
    same : int
        Files with the same bytes.
    differing : tuple of str
        One line a file.
    left : tuple of str
        Files that are not compared: pages, workbooks and texts that say the same in words.
    """

    same: int
    differing: tuple[str, ...]
    left: tuple[str, ...] = ()


def settings_again(past: PastRun, asked: AgainSettings, stores: Path) -> RunSettings:
    """Give the settings of a past run: as judged then, on the evening that it looked from.

    Parameters
    ----------
    past : PastRun
    asked : AgainSettings
        Where things lie by now.
    stores : Path
        Folder for what the run would otherwise keep in the stores of the working directory.

    Raises
    ------
    SettingsError
        If neither the record nor the call says where something lies or who is meant.
    """
    # A demo made its export; made again, it is a forecast of that export.
    verb = "forecast" if past.verb == "demo" else past.verb
    told = {key: value for key, value in past.settings.items() if key not in ("demo", "save")}
    told |= {"out": str(asked.out), "tracking": _tracking(past, asked), "source": _source(past, asked)}
    told["as_of"] = told.get("as_of") or past.as_of or None
    told |= {k: v for k in ("since", "explored") if (v := _place(past, asked, k)) is not None}
    if told.get("scenario"):
        told["scenario"] = {**told["scenario"], **past.places.get("scenario", {}), **asked.scenario}
    if "proof" in told:
        told["proof"] = _proof(past, asked, told["proof"], stores)
    if told.get("search"):
        told["search"] = {**told["search"], "store": str(stores / "search.db")}
    if "report" in told:
        told["report"] = {**told["report"], **past.places.get("report", {}), "pdf": False}
    if asked.jobs is not None and "origins" in told:
        told["origins"] = {**told["origins"], "jobs": asked.jobs}
    try:
        found: RunSettings = settings_for(verb, told)
    except SettingsError as error:
        hint = "; what the record leaves out can be said, as in +scenario.owner=ID" if "scenario" in str(error) else ""
        raise SettingsError(f"the settings of the run are refused here: {error}{hint}") from None
    return found


def _source(past: PastRun, asked: AgainSettings) -> Address | Path | str:
    if asked.source is not None:
        return asked.source
    place = str(past.places.get("source", ""))
    if not place:
        raise SettingsError("source: the record does not say where the export lay; say source=FOLDER")
    if is_address(place) and without_secrets(place) == place and "***" in place:
        raise SettingsError(f"source: no password is ever kept; say source=… with that of {place}")
    return place


def _place(past: PastRun, asked: AgainSettings, name: str) -> str | None:
    """Give the place of an earlier forecast, or of an explored list, where the run had one."""
    own = getattr(asked, name)
    value = own if own is not None else past.places.get(name)
    if value is None and name in past.inputs:
        raise SettingsError(f"{name}: the record does not say where it lay; say {name}=PLACE")
    return None if value is None else str(value)


def _tracking(past: PastRun, asked: AgainSettings) -> dict[str, Any]:
    """Let the store be read as it was, and nothing be written into it."""
    names = [v.rpartition("/")[2] for v in past.wrote.versions if "/" in v]
    then = {"champion": names[-1] if names else None, "candidates": past.wrote.candidates}
    return {**asked.tracking.model_dump(mode="json"), "model": past.model, "then": then}


def _proof(past: PastRun, asked: AgainSettings, told: Mapping[str, Any], stores: Path) -> dict[str, Any]:
    """Let exactly those past days be replayed that the run had, however long they take."""
    if past.wrote.evenings is None:
        return {**told, "mode": "none"}
    folder = {} if asked.stored else {"folder": str(stores / "proof")}
    return {**told, "mode": "full", "evenings": list(past.wrote.evenings), **folder}


def differences(past: PastRun, settings: RunSettings) -> list[str]:
    """Say what differs between the run and now: data, other files that it read, code, libraries, machine."""
    told = [f"other data: {line}" for line in _changed(past.inputs, inputs_of(settings), "")]
    if isinstance(settings.source, Address):
        told.append("other data, perhaps: a database is not compared before it is read")
    now = code()
    if past.code["source"] != now["source"]:
        told.append(f"other code: {_code(past.code)} then, {_code(now)} now")
    told += [f"other versions: {line}" for line in _changed(past.libraries, libraries(), "none")]
    told += [f"another machine: {line}" for line in _changed(past.machine, machine(), "none")]
    if past.wrote.resumed:
        told.append(f"other settings: {past.wrote.resumed} of its trials were there from earlier calls")
    return told


def _changed(then: Mapping[str, str], now: Mapping[str, str], missing: str) -> list[str]:
    """Say which values differ; of digests only that they do."""
    out = []
    for name in [*then, *(n for n in now if n not in then)]:
        if then.get(name) == now.get(name):
            continue
        if missing:
            out.append(f"{name} {then.get(name, missing)} then, {now.get(name, missing)} now")
        else:
            what = "is new" if name not in then else "is gone" if name not in now else "changed"
            out.append(f"{name} {what}")
    return out


def _code(told: Mapping[str, str]) -> str:
    commit = f", commit {told['commit'][:12]}{' with changes' if told['dirty'] == 'yes' else ''}"
    return f"pipeforecast {told['version']}{commit if told['commit'] else ''} (source {told['source'][:12]})"


def compared(past: PastRun, out: Path, now: Digests, against: Path | None) -> Comparison:
    """Set the files of both runs side by side.

    Parameters
    ----------
    past : PastRun
    out : Path
        The run's files made again, whose digests are ``now``.
    against : Path or None
        Where the first files may still lie; they are only looked at where they are those that were recorded.
    """
    then = {name: told for name, told in past.wrote.files.items() if is_data(name)}
    new = {name: told for name, told in now.items() if is_data(name)}
    alone = then.keys() ^ new.keys()
    lines = [f"{name} is there only {'in the first run' if name in then else 'now'}" for name in alone]
    both = sorted(then.keys() & new.keys())
    unlike = [name for name in both if then[name]["sha256"] != new[name]["sha256"]]
    for name in unlike:
        first = None if against is None else against / name
        if first is not None and first.is_file() and digest_of_file(first) == then[name]["sha256"]:
            lines.append(f"{name}: {first_difference(first, out / name)}")
        else:
            lines.append(f"{name}: {differing_columns(then[name], new[name])}")
    left = sorted(name for name in {*past.wrote.files, *now} if not is_data(name))
    return Comparison(len(both) - len(unlike), tuple(sorted(lines)), tuple(left))


def verdict(found: Comparison, why: Sequence[str]) -> str:
    """Say that all files are the same, or which are not and why that may be.

    Raises
    ------
    NotIdentical
        If any file differs.
    """
    causes = _listed(why)
    left = f"\nnot compared (they say in words what the others hold): {', '.join(found.left)}" if found.left else ""
    if not found.differing:
        return f"identical: {found.same} files{left}" + (f"\nalthough there is\n{causes}" if why else "")
    text = f"not identical: {len(found.differing)} of {len(found.differing) + found.same} files differ\n"
    text += _listed(found.differing) + left
    if why:
        raise NotIdentical(f"{text}\nwhat differs from then:\n{causes}")
    raise NotIdentical(
        f"{text}\nnothing that is recorded differs from then (data, settings, code, versions, machine): "
        "the run does not repeat itself, which is a fault of the program"
    )


def _listed(lines: Sequence[str]) -> str:
    more = [f"  and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join([*(f"  {line}" for line in lines[:_MOST]), *more])
