"""A run's record as it is needed to make the run again: what it was told, what it read and wrote, what made it.

Two parts: ``record.json`` in MLflow, which says neither where things lie nor who is named, and a file beside the other
stores of the working directory, which does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import yaml

from pipeforecast.address import Address, without_secrets
from pipeforecast.digests import Digests
from pipeforecast.errors import DataError
from pipeforecast.fingerprint import digest_of_file, digests_of_files
from pipeforecast.outbox import whole_file
from pipeforecast.provenance import code, libraries, machine
from pipeforecast.sections import TrackingSettings
from pipeforecast.settings import SETTINGS, RunSettings
from pipeforecast.tracking import TrackingError, attach, fetched_text, public

#: Where things lie on this machine, and who is named, is nobody else's business.
PLACES: Any = {
    "tracking": True, "out": True, "source": True, "explored": True, "since": True, "proof": {"folder"},
    "demo": {"folder"}, "search": {"store"}, "scenario": {"owner", "where", "parts"}, "report": {"manager"},
}  # fmt: skip
FILE = "record.json"
#: Changed only where an older record can no longer be read.
FORM = 1
_HIDDEN = "…"


@dataclass(frozen=True)
class Wrote:
    """What a run wrote, and what it met that the settings alone do not decide.

    Attributes
    ----------
    files : mapping of name to digests
        Of ``digests.digests_of``.
    versions : sequence of str
        What ``model_version`` says of each model that was used.
    candidates : int
        Candidates that had been set beside the champion.
    evenings : sequence of str or None
        Origins of the proof; None: there was none.
    resumed : int
        Trials of a search that earlier calls had made.
    """

    files: Digests
    versions: Sequence[str] = ()
    candidates: int = 0
    evenings: Sequence[str] | None = None
    resumed: int = 0


@dataclass(frozen=True)
class PastRun:
    """One recorded run, read back; ``places`` is empty where this machine has not kept them."""

    verb: str
    settings: Mapping[str, Any]
    told: Sequence[str]
    as_of: str
    inputs: Mapping[str, str]
    code: Mapping[str, str]
    libraries: Mapping[str, str]
    machine: Mapping[str, str]
    model: str
    wrote: Wrote
    places: Mapping[str, Any] = field(default_factory=dict)


class Looked(Protocol):
    """What is looked at of a run."""

    @property
    def as_of(self) -> pd.Timestamp | None:
        """Evening to look from; None where nothing has a date."""
        ...


def keep(settings: RunSettings, run: Looked, run_id: str | None, wrote: Wrote) -> None:
    """Add the record of a run to it; where it cannot be written, the run is recorded all the same, and this is said."""
    if run_id is None:
        return
    as_of = "" if run.as_of is None else str(run.as_of.date())
    made = {
        "form": FORM, "verb": verb_of(settings), "told": words_of(settings.told), "as_of": as_of,
        "settings": public_values(settings_of(settings)), "inputs": inputs_of(settings), "code": code(),
        "libraries": libraries(), "machine": machine(), "model": settings.tracking.model, "wrote": asdict(wrote),
    }  # fmt: skip
    try:
        attach(settings.tracking.uri, run_id, FILE, json.dumps(made, ensure_ascii=False, indent=1))
        _keep_places(settings, run_id)
    except (TrackingError, OSError) as error:
        if settings.tracking.required:
            raise
        sys.stderr.write(f"warning: the run is recorded, but cannot be made again by replay: {public(str(error))}\n")


def past_run(tracking: TrackingSettings, run_id: str) -> PastRun:
    """Read the record of a run.

    Raises
    ------
    TrackingError
        If there is no such run, or the store cannot be read.
    DataError
        If the run has no record to be made again from.
    """
    try:
        told = dict(json.loads(fetched_text(tracking.uri, run_id, FILE)))
        form = told.pop("form")
        wrote = Wrote(**told.pop("wrote"))
        told["settings"]["crm"] = yaml.safe_load(told["settings"]["crm"])
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataError(f"run: the record of {run_id} cannot be read ({type(error).__name__}: {error})") from None
    if form != FORM:
        raise DataError(f"run: expected a record of form {FORM}, came {form}; use the version that made it")
    return PastRun(**told, wrote=wrote, places=_places(tracking, run_id))


def verb_of(settings: RunSettings) -> str:
    """Give the verb that the settings are of."""
    return next(verb for verb, kind in SETTINGS.items() if type(settings) is kind)


def settings_of(settings: RunSettings) -> dict[str, Any]:
    """Give the judged settings as plain values, without places and names; a day or a run of ``since`` is neither."""
    told = settings.model_dump(mode="json", by_alias=True, exclude=PLACES)
    # As text of its own, because JSON would turn the numbers that are keys of a mapping into texts.
    told["crm"] = yaml.safe_dump(public_values(settings.crm), sort_keys=False, allow_unicode=True)
    since = getattr(settings, "since", None)
    return told | ({} if since is None or isinstance(since, Path) else {"since": str(since)})


def inputs_of(settings: RunSettings) -> dict[str, str]:
    """Give the digest of every file that the run reads, by what it is for; a database has none."""
    files = {} if isinstance(settings.source, Address) else digests_of_files(settings.source)
    found = {f"source: {name}": digest for name, digest in files.items()}
    since, explored = getattr(settings, "since", None), getattr(settings, "explored", None)
    threshold = _threshold(settings)
    named = {
        "since": since / "forecast.csv" if isinstance(since, Path) else None, "explored": explored,
        "saved threshold": threshold,
    }  # fmt: skip
    for name, path in named.items():
        if path is not None and path.is_file():
            found[name] = digest_of_file(path)
    return found


def _threshold(settings: RunSettings) -> Path | None:
    """Find the settings of a saved threshold, which mark leads when they are scored."""
    lead = getattr(settings, "lead", None)
    if lead is None or getattr(settings, "target", "") != "lead":
        return None
    return Path("configs") / "lead_threshold" / f"{lead.threshold or 'default'}.yaml"


def words_of(told: Sequence[str]) -> list[str]:
    """Give the words of a call, with the values of places, names and addresses left out."""
    hidden = {"scenario", *(f"{k}.{v}" if v else k for k, inner in PLACES.items() for v in _inner(inner))}
    out = []
    for word in told:
        key, equals, _ = word.partition("=")
        name = key.lstrip("+~").split("@")[0]
        private = name in hidden or name.startswith("tracking.") or (name == "scenario" and "{" in word)
        choice = name in ("tracking", "scenario") and "{" not in word and "/" not in word
        out.append(f"{key}{equals}{_HIDDEN}" if private and not choice else public(without_secrets(word)))
    return out


def _inner(inner: Any) -> Sequence[str]:
    return ("",) if inner is True else sorted(inner)


def public_values(values: Any) -> Any:
    """Hide passwords in addresses, wherever they stand among plain values."""
    if isinstance(values, dict):
        return {key: public_values(value) for key, value in values.items()}
    if isinstance(values, list):
        return [public_values(value) for value in values]
    return public(without_secrets(values)) if isinstance(values, str) else values


def _keep_places(settings: RunSettings, run_id: str) -> None:
    """Write where things lie and who is named into a file that only this user reads, whole or not at all."""
    whole = settings.model_dump(mode="json", by_alias=True)
    kept = {key: whole[key] for key in ("source", "since", "explored", "out") if whole.get(key) is not None}
    for section in ("scenario", "report"):
        told = whole.get(section) or {}
        kept[section] = {key: told[key] for key in PLACES[section] & told.keys()}
    with whole_file(settings.tracking.places / f"{run_id}.json") as draft:
        draft.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


def _places(tracking: TrackingSettings, run_id: str) -> dict[str, Any]:
    path = tracking.places / f"{run_id}.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError):
        sys.stderr.write(f"warning: {path} cannot be read; say source=FOLDER if the export lies elsewhere\n")
        return {}
