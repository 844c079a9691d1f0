"""Versions of a registered model in MLflow, and which of them is the champion; with `tracking` the only MLflow room.

A version is a folder of plain files, and the name of the module that loads it. Nothing here knows what a model is.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pipeforecast.errors import PipeforecastError
from pipeforecast.sections import StoreThen
from pipeforecast.tracking import alone, client_of, local_store, public, texts

CHAMPION = "champion"
_ARTIFACT = "model"


class RegistryError(PipeforecastError, RuntimeError):
    """The store of models could not be asked, or does not hold what was asked for."""


@dataclass(frozen=True)
class ModelRecord:
    """What is stored of one model.

    Attributes
    ----------
    folder : Path
        Its files.
    loader : str
        Module whose ``_load_pyfunc(path)`` loads them.
    inputs : mapping of column to (MLflow type, whether it must be there)
    outputs : sequence of str
        Columns of numbers that ``predict`` gives.
    example : DataFrame
        Made-up rows of the input.
    requirements : sequence of str
        What has to be installed, as pip names it.
    tags : mapping of str
        Of the version.
    """

    folder: Path
    loader: str
    inputs: Mapping[str, tuple[str, bool]]
    outputs: Sequence[str]
    example: pd.DataFrame
    requirements: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """One version of a registered model; ``run_id`` is the run that made it."""

    number: str
    run_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Registry:
    """The versions of one registered model.

    Attributes
    ----------
    uri : str
        As in ``tracking.record``.
    name : str
        Of the registered model.
    then : StoreThen or None
        What the store held when a run that is made again was first made; None: what it holds.
    """

    uri: str
    name: str
    then: StoreThen | None = None

    def register(self, model: ModelRecord, run_id: str) -> str:
        """Store a model with its run and make it the next version; gives the version's number.

        Raises
        ------
        RegistryError
            If the store cannot be written.
        """
        return str(self._asked(self._register, model, run_id))

    def champion(self) -> Version | None:
        """Give the version that bears the alias, or None; a store that does not exist holds none."""
        if self.then is not None:
            return None if self.then.champion is None else self.version(self.then.champion)
        found: Version | None = self._asked(self._by_alias) if self._there() else None
        return found

    def version(self, number: str) -> Version | None:
        """Give a version by its number, or None."""
        found: Version | None = self._asked(self._by_number, number) if self._there() else None
        return found

    def count(self, tag: str, value: str) -> int:
        """Count the versions whose tag has a value."""
        if self.then is not None:
            return self.then.candidates
        return int(self._asked(self._count, tag, value)) if self._there() else 0

    def crown(self, number: str, instead_of: str | None) -> bool:
        """Move the alias to a version, unless another than ``instead_of`` bears it by now."""
        return bool(self._asked(self._crown, number, instead_of))

    def tag(self, number: str, tags: Mapping[str, str]) -> None:
        """Write tags of a version."""
        self._asked(self._tag, number, tags)

    def fetched(self, version: Version, into: Path) -> Path:
        """Bring a version's files to this machine; gives the folder that ``ModelRecord.folder`` was."""
        return Path(self._asked(self._fetch, version, into))

    def _there(self) -> bool:
        store = local_store(self.uri)
        return store is None or store.exists()

    def _asked(self, ask: Any, *words: Any) -> Any:
        try:
            with alone(self.uri):
                return ask(client_of(self.uri), *words)
        except RegistryError:
            raise
        except Exception as error:
            said = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise RegistryError(public(f"{self.name}: the models in {self.uri} cannot be reached: {said}")) from error

    def _register(self, client: Any, model: ModelRecord, run_id: str) -> str:
        with tempfile.TemporaryDirectory() as place:
            made = Path(place) / _ARTIFACT
            _as_pyfunc(model, made)
            client.log_artifacts(run_id, str(made), _ARTIFACT)
        if not _found(client.get_registered_model, self.name):
            client.create_registered_model(self.name)
        source = f"{client.get_run(run_id).info.artifact_uri}/{_ARTIFACT}"
        version = client.create_model_version(self.name, source, run_id=run_id, tags=texts(model.tags))
        return str(version.version)

    def _by_alias(self, client: Any) -> Version | None:
        return _version(_found(client.get_model_version_by_alias, self.name, CHAMPION))

    def _by_number(self, client: Any, number: str) -> Version | None:
        return _version(_found(client.get_model_version, self.name, number))

    def _count(self, client: Any, tag: str, value: str) -> int:
        found = client.search_model_versions(f"name = '{self.name}'", max_results=1000)
        return sum(version.tags.get(tag) == value for version in found)

    def _crown(self, client: Any, number: str, instead_of: str | None) -> bool:
        bearer = self._by_alias(client)
        if (None if bearer is None else bearer.number) != instead_of:
            return False
        client.set_registered_model_alias(self.name, CHAMPION, number)
        return True

    def _tag(self, client: Any, number: str, tags: Mapping[str, str]) -> None:
        for key, value in texts(tags).items():
            client.set_model_version_tag(self.name, number, key, value)

    def _fetch(self, client: Any, version: Version, into: Path) -> str:
        from mlflow.models import Model

        into.mkdir(parents=True, exist_ok=True)
        place = Path(client.download_artifacts(version.run_id, _ARTIFACT, str(into)))
        return str(place / Model.load(str(place)).flavors["python_function"]["data"])


def _version(found: Any) -> Version | None:
    return None if found is None else Version(str(found.version), str(found.run_id), dict(found.tags))


def _found(ask: Any, *words: str) -> Any:
    """Ask for what may not be there."""
    from mlflow.exceptions import MlflowException

    try:
        return ask(*words)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _as_pyfunc(model: ModelRecord, place: Path) -> None:
    """Write MLflow's folder of a model: its files, the loader's name, the signature and a made-up example."""
    for name in ("mlflow.models.model", "mlflow.pyfunc", "mlflow.types.utils"):
        logging.getLogger(name).setLevel(logging.ERROR)
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec(kind, name, required=must) for name, (kind, must) in model.inputs.items()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about the pandas that it is given
        mlflow.pyfunc.save_model(
            str(place),
            loader_module=model.loader,
            data_path=str(model.folder),
            signature=ModelSignature(inputs, Schema([ColSpec("double", name) for name in model.outputs])),
            input_example=model.example,
            pip_requirements=list(model.requirements),
        )
