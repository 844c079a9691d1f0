"""Records of runs, sent to MLflow: with `registry` the only room that imports it.

The caller fills plain records; nothing else is sent: neither the user's name nor the program's path, which MLflow's
own ``start_run`` would add. MLflow takes two seconds to import, so it is imported when something is recorded.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeforecast.address import without_secrets
from pipeforecast.errors import PipeforecastError
from pipeforecast.outbox import whole_file

_LONGEST_PARAM = 6000
_LONGEST_TAG = 8000
_PARAMS_AT_ONCE = 100
_METRICS_AT_ONCE = 1000
#: Seconds after which a wait for another run is told, and after which it ends.
_LONG_WAIT, _LONGEST_WAIT = 15.0, 600.0


class TrackingError(PipeforecastError, RuntimeError):
    """The record of a run could not be written; the run's own files are not touched by that."""


@dataclass(frozen=True)
class Metric:
    """One number of a run; ``step`` tells apart values of one name (the day of the period, the fold)."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Artifact:
    """A file or folder that is copied into the record, under ``folder``."""

    path: Path
    folder: str = ""


@dataclass(frozen=True)
class RunRecord:
    """All that is recorded of one run.

    Attributes
    ----------
    name : str
        Shown in the list of runs.
    params : mapping
        What the run was told; nested mappings are flattened to dotted names.
    tags : mapping of str
        What the run is: data fingerprint, verb, version.
    metrics, artifacts : sequences
        What the run found, and its files.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Sequence[Metric] = ()
    artifacts: Sequence[Artifact] = ()


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Flatten nested mappings to dotted names: ``{"model": {"kind": "hazard"}}`` to ``{"model.kind": "hazard"}``."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}{key}"
        out |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return out


def record(
    run: RunRecord,
    uri: str,
    experiment: str,
    *,
    artifacts: str | None = None,
    required: bool = False,
    enabled: bool = True,
) -> str | None:
    """Send one run to MLflow.

    Parameters
    ----------
    run : RunRecord
        What to record.
    uri : str
        ``sqlite:///FILE`` for a local store (several processes may share it, and the first makes it), or a server's.
    experiment : str
        Made where it does not exist.
    artifacts : str, optional
        Folder or address for files of a new experiment; by default ``mlartifacts`` beside a local store, and what
        the server decides on a server.
    required : bool
        Whether a record that cannot be written is an error; otherwise one warning on stderr.
    enabled : bool
        False records nothing.

    Returns
    -------
    str or None
        MLflow's id of the run; None where nothing was recorded.

    Raises
    ------
    TrackingError
        If ``required`` and the record cannot be written.
    """
    if not enabled:
        return None
    try:
        with alone(uri):
            return _send(run, client_of(uri), experiment, artifacts or _beside(uri))
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        message = public(f"the run's files are written, but not its record in MLflow at {uri}: {said}")
        if required:
            raise TrackingError(f"{message} (tracking.required=false makes this a warning)") from error
        sys.stderr.write(f"warning: {message} (tracking=off records nothing)\n")
        return None


def recorded(uri: str, run_id: str) -> dict[str, str]:
    """Read back what was recorded of a run: parameters, metrics and tags, by name, as text.

    Raises
    ------
    TrackingError
        If there is no such run, or the store cannot be read.
    """
    data = _asked(uri, f"the run {run_id!r} could not be read", lambda client: client.get_run(run_id).data)
    return dict(data.params) | {name: str(value) for name, value in data.metrics.items()} | dict(data.tags)


def attach(uri: str, run_id: str, name: str, text: str) -> None:
    """Add a text file to a recorded run.

    Raises
    ------
    TrackingError
        If the store cannot be written.
    """
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        path.write_text(text, encoding="utf-8")
        _asked(uri, f"{name} of the run {run_id!r} could not be written", lambda c: c.log_artifact(run_id, str(path)))


def fetched_text(uri: str, run_id: str, name: str) -> str:
    """Read a text file of a recorded run.

    Raises
    ------
    TrackingError
        If there is no such run or file, or the store cannot be read.
    """
    with tempfile.TemporaryDirectory() as place:

        def ask(client: Any) -> str:
            client.get_run(run_id)
            if name not in {found.path for found in client.list_artifacts(run_id)}:
                raise LookupError("it was recorded without it, by an earlier version or without files")
            return str(client.download_artifacts(run_id, name, place))

        found = _asked(uri, f"{name} of the run {run_id!r} could not be read", ask)
        return Path(found).read_text(encoding="utf-8")


def _asked(uri: str, what: str, ask: Callable[[Any], Any]) -> Any:
    """Ask a store, and say in one line what did not go."""
    try:
        with alone(uri):
            return ask(client_of(uri))
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise TrackingError(public(f"{what} in MLflow at {uri}: {said}")) from error


def client_of(uri: str) -> Any:
    """Import MLflow with telemetry off, few retries and no notes about the tables that it makes."""
    # The user opts in by setting the variable to false; a server that is down must not hold a run for minutes.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from mlflow import MlflowClient

    # The registry's address would otherwise come from the environment, and may be a server that is not asked for.
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _send(run: RunRecord, client: Any, experiment: str, location: str | None) -> str:
    """Write the whole record; a run that breaks off is marked as failed."""
    made = client.create_run(_experiment(client, experiment, location), run_name=run.name, tags=texts(run.tags))
    run_id = str(made.info.run_id)
    status = "FAILED"
    try:
        _log(client, run_id, run)
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status=status)
    return run_id


def _log(client: Any, run_id: str, run: RunRecord) -> None:
    from mlflow import entities

    started = client.get_run(run_id).info.start_time
    params = [entities.Param(k, _cut(_text(v), _LONGEST_PARAM)) for k, v in flat(run.params).items()]
    metrics = [entities.Metric(m.name, float(m.value), started, m.step) for m in run.metrics]
    for some_params in _pieces(params, _PARAMS_AT_ONCE):
        client.log_batch(run_id, params=list(some_params))
    for some_metrics in _pieces(metrics, _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=list(some_metrics))
    for artifact in run.artifacts:
        send = client.log_artifacts if artifact.path.is_dir() else client.log_artifact
        send(run_id, str(artifact.path), artifact.folder or None)


def _experiment(client: Any, name: str, location: str | None) -> str:
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            # Another process was quicker.
            known = client.get_experiment_by_name(name)
            if known is None:
                raise
    return str(known.experiment_id)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lock:
        _wait_for(lock, path)
        yield


def _wait_for(lock: Any, path: Path) -> None:
    """Wait until no other process holds the lock; say so where it takes long, and give up where it never ends."""
    began, said = time.monotonic(), False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            waited = time.monotonic() - began
        if waited > _LONGEST_WAIT:
            raise TrackingError(f"another process holds {path} for {waited:.0f} s; end it, or say tracking=off")
        if waited > _LONG_WAIT and not said:
            sys.stderr.write(f"waiting for another run that uses {path.with_suffix('')}\n")
            said = True
        time.sleep(0.05)


def alone(uri: str) -> Any:
    """Let one process at a time into a local store: several that make its tables at once crash."""
    store = local_store(uri)
    return nullcontext() if store is None else _entered(store)


@contextmanager
def _entered(store: Path) -> Iterator[None]:
    with _locked(store.with_name(f"{store.name}.lock")):
        if not store.exists() or not store.stat().st_size:
            _make_store(store)
        yield


def _make_store(store: Path) -> None:
    """Make the tables of a new store in a draft: killed between two of them, MLflow would never open it again."""
    with whole_file(store) as draft:
        draft.unlink()
        client_of(f"sqlite:///{draft}").search_experiments(max_results=1)


def _beside(uri: str) -> str | None:
    store = local_store(uri)
    return None if store is None else (store.parent / "mlartifacts").as_uri()


def local_store(uri: str) -> Path | None:
    """Give the file of a local store, or None where ``uri`` is none."""
    if not uri.startswith("sqlite:///") or ":memory:" in uri:
        return None
    return Path(uri.removeprefix("sqlite:///").split("?")[0]).absolute()


def public(text: str) -> str:
    """Hide what stands before the @ of an address, which may be a password, and options such as ``password=``."""
    return re.sub(r"//[^/@\s]*@", "//", without_secrets(text))


def texts(tags: Mapping[str, str]) -> dict[str, str]:
    """Cut tags to the length that a store takes."""
    return {k: _cut(_text(v), _LONGEST_TAG) for k, v in tags.items()}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _pieces(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Cut a sequence into pieces of at most ``size``."""
    return (items[i : i + size] for i in range(0, len(items), size))
