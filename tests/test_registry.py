"""Versions in a local store: registered whole, loaded by name in another process, crowned only on purpose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeforecast.features import describe
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.registry import ModelRecord, Registry, RegistryError
from pipeforecast.saved import load, save
from pipeforecast.scoring import OUTPUTS, columns_of, example_of, flat_table, inputs_of
from pipeforecast.snapshot import Snapshot
from pipeforecast.tracking import RunRecord, record

ELSEWHERE = """
import sys, mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/deals@champion")
print(model.predict(pd.read_pickle(sys.argv[2]))["p_win"].sum())
assert len(model.predict(model.input_example)) == 2
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def registry(home: Path, fitted: FittedPipeline, now: Snapshot) -> Registry:
    """Hold two versions in a store, none of them a champion."""
    inputs = inputs_of(describe(now))
    save(home / "made", fitted.deals, fitted.amounts, {"inputs": inputs})
    found = Registry(f"sqlite:///{home}/mlflow.db", "deals")
    assert found.champion() is None
    assert not (home / "mlflow.db").exists()
    model = ModelRecord(
        home / "made", "pipeforecast.scoring", columns_of(inputs), OUTPUTS, example_of(inputs), ["pipeforecast"],
        {"kind": "hazard"},
    )  # fmt: skip
    for number in ("1", "2"):
        run_id = record(RunRecord("train"), found.uri, "x", required=True)
        assert run_id is not None
        assert found.register(model, run_id) == number
    return found


def test_the_alias_moves_only_from_the_champion_that_was_compared_with(registry: Registry) -> None:
    assert registry.champion() is None
    assert registry.crown("1", None)
    assert not registry.crown("2", None)
    found = registry.champion()
    assert found is not None
    assert (found.number, found.tags["kind"]) == ("1", "hazard")
    assert registry.crown("2", "1")
    assert registry.crown("1", "2")
    assert registry.version("7") is None
    assert (registry.count("kind", "hazard"), registry.count("kind", "cox")) == (2, 0)


def test_a_version_comes_back_as_it_was_stored(registry: Registry, home: Path, fitted: FittedPipeline) -> None:
    version = registry.version("2")
    assert version is not None
    folder = registry.fetched(version, home / "fetched")
    assert {p.name for p in folder.iterdir()} == {"model.skops", "about.json"}
    assert load(folder).deals.name == fitted.deals.name
    stored = [p for p in (home / "mlartifacts").rglob("*") if p.is_file()]
    assert [p for p in stored if p.suffix in (".pkl", ".pickle", ".cloudpickle")] == []


def test_another_process_predicts_from_the_name_alone(
    registry: Registry, home: Path, fitted: FittedPipeline, now: Snapshot
) -> None:
    registry.crown("1", None)
    flat_table(now).to_pickle(home / "table.pkl")
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, registry.uri, str(home / "table.pkl")],
        capture_output=True, text=True, check=True, cwd=home,
    )  # fmt: skip

    expected = fitted.deal_forecast(now).won_by(now.as_of + pd.Timedelta(days=365)).sum()
    assert float(done.stdout.split()[-1]) == pytest.approx(expected)


def test_a_store_that_cannot_be_reached_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9") as refused:
        Registry("http://user:secret@127.0.0.1:9", "deals").champion()
    assert "secret" not in str(refused.value)
