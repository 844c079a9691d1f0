"""Benchmarks and metric sets are data: what they name must be there."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from pipeforecast.asked import MOST_AT_FIRST, AskedSettings
from pipeforecast.benchmarks import Benchmark, BenchmarkSettings
from pipeforecast.metrics import CATALOGUE
from pipeforecast.overrides import composed
from pipeforecast.settings import MetricsSettings, settings_for

CONFIGS = Path(str(files("pipeforecast.configs")))
SETS = sorted(p.stem for p in (CONFIGS / "metric_sets").glob("*.yaml"))
BENCHMARKS = sorted(p.stem for p in (CONFIGS / "benchmarks").glob("*.yaml"))


def test_there_is_a_set_for_each_of_those_who_look() -> None:
    assert {"rep", "manager", "marketing", "revops", "executive", "b2b", "saas", "default"} == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_a_set_names_at_most_nine_metrics_that_exist(name: str) -> None:
    told = yaml.safe_load((CONFIGS / "metric_sets" / f"{name}.yaml").read_text())
    assert told["set_name"] == name
    assert 1 <= len(told["first"]) <= MOST_AT_FIRST
    assert len(set(told["first"])) == len(told["first"])
    assert [m for m in told["first"] if m not in CATALOGUE] == []


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_chosen_by_its_name_and_gives_way_to_metrics_that_are_named(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = yaml.safe_load((CONFIGS / "metric_sets" / f"{name}.yaml").read_text())
    settings = settings_for("metrics", composed("metrics", ["source=x", f"metric_sets={name}"]))
    assert isinstance(settings, MetricsSettings)
    assert (settings.set_name, list(settings.first)) == (name, told["first"])
    own = settings_for("metrics", composed("metrics", ["source=x", f"metric_sets={name}", "first=[win_rate]"]))
    assert isinstance(own, AskedSettings)
    assert own.first == ("win_rate",)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_is_of_a_metric_that_exists(name: str) -> None:
    told = BenchmarkSettings.model_validate(yaml.safe_load((CONFIGS / "benchmarks" / f"{name}.yaml").read_text()))
    assert told.name == name
    assert [b.metric for b in told.values if b.metric not in CATALOGUE] == []


WRONG = [
    {"low": 0.5, "high": 0.4}, {"low": 0.5}, {"low": 0, "high": 1, "metric": ""},
    {"low": 0, "high": 1, "by": "deal_type"}, {"low": 0, "high": 1, "hi": 2},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_benchmark_that_says_nothing_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Benchmark.model_validate({"metric": "win_rate"} | wrong)
