"""Settings accept what is meant, refuse what is not, and say in few lines what was expected."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from pydantic import ValidationError

from pipeforecast.errors import SettingsError
from pipeforecast.settings import (
    SETTINGS,
    DemoSettings,
    ForecastSettings,
    HazardSettings,
    RuleSettings,
    RunSettings,
    settings_for,
)

LEAST = {"crm": {"name": "generic"}, "source": "exports"}
#: Every verb that reads an export of its own accord.
EXPORTS = [verb for verb, kind in SETTINGS.items() if issubclass(kind, RunSettings)]


def _refused(verb: str = "forecast", **values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        settings_for(verb, {**LEAST, **values})
    assert refused.value.exit_status == 2
    return str(refused.value)


@pytest.mark.parametrize("verb", EXPORTS)
def test_little_is_needed_and_the_rest_has_a_default(verb: str) -> None:
    settings = settings_for(verb, LEAST)
    assert type(settings) is SETTINGS[verb]
    assert settings.tracking.uri == "sqlite:///mlflow.db"
    if isinstance(settings, ForecastSettings):
        assert settings.model == HazardSettings()
        assert settings.levels == ("owner", "manager", "region", "segment", "product", "deal_type")
        assert (settings.origins.days, settings.origins.periods, settings.draws) == ((0, 30, 60), 8, 2000)


def test_paths_count_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_for("demo", {**LEAST, "out": "~/report", "demo": {"folder": "company"}})
    assert isinstance(settings, DemoSettings)
    assert settings.source == tmp_path / "exports"
    assert settings.demo.folder == tmp_path / "company"
    assert settings.proof.folder == tmp_path / ".pipeforecast" / "proof"
    assert settings.out == Path.home() / "report"


def test_settings_are_frozen() -> None:
    settings = settings_for("forecast", LEAST)
    with pytest.raises(ValidationError):
        settings.seed = 3
    with pytest.raises(ValidationError):
        settings.calendar.length = "month"


@given(st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1)))
def test_a_written_day_is_read_as_it_stands(day: dt.date) -> None:
    for written in (day, day.isoformat()):
        assert settings_for("check", {**LEAST, "as_of": written}).as_of == day


@pytest.mark.parametrize(
    "as_of", [20170331, 1490918400, "31.03.2017", "2017-3-31", "2017-02-30", "2017-03-31T00:00", True]
)
def test_a_number_is_never_taken_for_a_day(as_of: object) -> None:
    assert _refused(as_of=as_of).startswith("as_of: ")


def test_a_year_may_name_a_period_and_a_folder() -> None:
    settings = settings_for("forecast", {**LEAST, "period": 2024, "out": 2024})
    assert isinstance(settings, ForecastSettings)
    assert (settings.period, settings.out.name) == ("2024", "2024")


def test_an_unknown_key_is_named_with_its_nearest_relative() -> None:
    assert _refused(sorce="x").splitlines()[0].startswith("sorce: there is no such setting; did you mean 'source'?")
    said = _refused(tracking={"urii": "x"})
    assert said.startswith("tracking.urii: there is no such setting; did you mean 'uri'?")
    assert "'experiment'" in said
    said = _refused(model={"kind": "hazard", "penalti": 1})
    assert said.startswith("model.penalti: there is no such setting; did you mean 'penalty'?")
    assert "'lesson_days'" in said
    assert "'name'" not in said


def test_a_verb_takes_only_its_own_settings() -> None:
    assert _refused("check", proof={"mode": "full"}).startswith("proof: there is no such setting")
    assert _refused("train", report={}).startswith("report: there is no such setting")
    assert "'demo', 'check'" in _refused("forcast")


def test_a_wrong_value_is_quoted_beside_what_was_expected() -> None:
    assert _refused(model={"kind": "hazard", "penalty": "much"}).startswith("model.penalty: expected a valid number")
    assert "came 'much'" in _refused(model={"kind": "hazard", "penalty": "much"})
    assert _refused(model={"kind": "tree"}) == (
        "model.kind: expected one of 'hazard', 'boosting', 'incidence', 'stages', 'cox', 'aalen_johansen', 'blend', "
        "'plugin', 'rule', came 'tree'"
    )
    assert _refused(model={}) == "model: expected a mapping with 'kind', came {}"
    assert _refused(model={"kind": "rule"}) == "model.name: nothing was given; say model.name=VALUE"
    assert _refused(source=None) == "source: expected a path, came None"
    assert _refused(source=" ") == "source: expected a path, came ' '"
    assert "came 'owner' more than once" in _refused(levels=["owner", "owner"])
    assert _refused(calendar={"start_month": 13}).endswith("came 13")
    assert "came 0" in _refused(origins={"jobs": 0})
    assert _refused(model={"kind": "hazard", "penalty": float("nan")}).startswith("model.penalty")


def test_a_complaint_stays_short_whatever_came() -> None:
    said = _refused(**{f"key{i}": "x" * 10_000 for i in range(50)}, seed="y" * 10_000)
    assert len(said.splitlines()) == 4
    assert said.endswith("and 48 more")
    assert len(_refused(seed="y" * 10_000)) < 300


def test_a_missing_value_is_asked_for() -> None:
    config = OmegaConf.create({**LEAST, "source": "???"})
    with pytest.raises(SettingsError, match="source: nothing was given; say source=VALUE"):
        settings_for("check", config)
    with pytest.raises(SettingsError, match="crm: nothing was given"):
        settings_for("check", {"source": "x"})


def test_nothing_of_hydra_passes_and_interpolations_are_followed() -> None:
    config = OmegaConf.create({**LEAST, "draws": 500, "model": {"kind": "hazard", "draws": "${draws}"}})
    settings = settings_for("forecast", config)
    assert isinstance(settings, ForecastSettings)
    assert type(settings.crm) is dict
    assert isinstance(settings.model, HazardSettings)
    assert settings.model.draws == 500
    with pytest.raises(SettingsError, match="nowhere"):
        settings_for("forecast", OmegaConf.create({**LEAST, "period": "${nowhere}"}))


def test_the_kind_chooses_the_model() -> None:
    settings = settings_for("forecast", {**LEAST, "model": {"kind": "rule", "name": "stage_rates"}})
    assert isinstance(settings, ForecastSettings)
    assert settings.model == RuleSettings(name="stage_rates")


@pytest.mark.parametrize("verb", EXPORTS)
def test_what_is_written_down_reads_back_the_same(verb: str) -> None:
    """A record of a run holds its settings as plain values; they give the same run again."""
    settings = settings_for(verb, LEAST)
    assert settings_for(verb, settings.model_dump(mode="json")) == settings


def test_a_blend_says_which_members_it_may_have() -> None:
    assert "came 'blend'" in _refused(model={"kind": "blend", "members": ["blend"]})
    assert "more than once" in _refused(model={"kind": "blend", "members": ["cox", "cox"]})
    assert "expected one for each of 2 members" in _refused(model={"kind": "blend", "weights": [1.0]})
    assert "not all 0" in _refused(model={"kind": "blend", "weights": [0.0, 0.0]})
