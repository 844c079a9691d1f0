"""Settings become objects by a closed list; what the data cannot feed is left out, what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeforecast.build import (
    build_as_of,
    build_calendar,
    build_export,
    build_levels,
    build_model,
    build_plan,
    build_rules,
    check_teachable,
)
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.history import DealHistory
from pipeforecast.overrides import composed
from pipeforecast.rollup import PipelineForecaster
from pipeforecast.rules import RULES
from pipeforecast.settings import BacktestSettings, settings_for
from tables import rows, written


def told(*words: str) -> BacktestSettings:
    settings = settings_for("backtest", composed("backtest", ["source=x", *words]))
    assert isinstance(settings, BacktestSettings)
    return settings


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> DealHistory:
    folder = tmp_path_factory.mktemp("deals")
    written(folder, rows())
    return build_export(told(f"source={folder}/exports")).history


def test_a_hazard_model_takes_every_setting() -> None:
    words = ("model.penalty=0.3", "model.max_rows=777", "model.coefficient_draws=5", "model.shock_prior_sd=0.4")
    model: Any = build_model(told(*words, "seed=11", "draws=123"))
    assert isinstance(model, PipelineForecaster)
    assert (model.deals.C, model.deals.max_rows, model.deals.seed) == (0.3, 777, 11)
    assert (model.draws, model.coefficient_draws, model.shock_prior_sd, model.seed) == (123, 5, 0.4, 11)
    plan = build_plan(told("model.lesson_days=[0,10]", "model.periods=3"))
    assert (tuple(plan.days), plan.periods) == ((0, 10), 3)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_may_stand_in_the_models_place(name: str) -> None:
    assert build_model(told("model=rule", f"model.name={name}")).name == name


def test_a_rule_that_is_not_listed_is_refused() -> None:
    with pytest.raises(SettingsError, match="crm_probability"):
        build_model(told("model=rule", "model.name=os.system"))


def test_rules_that_the_data_cannot_feed_are_left_out(history: DealHistory) -> None:
    """Nobody wrote a probability or a category here."""
    names = {r.name for r in build_rules(told(), history)}
    assert names == {n for n in RULES if not n.startswith(("crm_probability", "category_"))}
    fed = replace(history, states=history.states.assign(probability=0.5))
    assert "crm_probability" in {r.name for r in build_rules(told(), fed)}
    assert [r.name for r in build_rules(told("rules=[crm_probability]"), history)] == ["crm_probability"]


def test_levels_that_the_data_have_are_kept_in_order(history: DealHistory) -> None:
    """Without a log the owner is today's: no past day knows it, so no replay may be split by it."""
    assert build_levels(told("levels=[segment,owner,region]"), history) == ()
    tracked = replace(history, roles={**history.roles, "owner": "tracked"})
    assert build_levels(told("levels=[segment,owner,region]"), tracked) == ("owner",)


def test_the_calendar_is_the_one_that_is_told() -> None:
    period = build_calendar(told("calendar=fiscal_february").calendar).containing(pd.Timestamp("2024-02-01"))
    assert period.start == pd.Timestamp("2024-02-01")


def test_as_of_lies_within_the_data(history: DealHistory) -> None:
    last = history.written_until.normalize()
    assert build_as_of(told(), history) == last
    assert build_as_of(told(f"as_of={last.date()}"), history) == last
    assert build_as_of(told("as_of=2023-03-31"), history) == pd.Timestamp("2023-03-31")
    with pytest.raises(DataError, match=r"written from 2022-01-03"):
        build_as_of(told("as_of=2021-12-31"), history)
    with pytest.raises(SettingsError, match=r"leave as_of out"):
        build_as_of(told(f"as_of={(last + pd.Timedelta(days=1)).date()}"), history)


def test_a_model_needs_both_ways_of_closing_by_the_day_from_which_it_looks(history: DealHistory) -> None:
    check_teachable(told(), history)
    early = history.known_by(pd.Timestamp("2022-01-20"))
    with pytest.raises(DataError, match="came 0 won and 0 lost"):
        check_teachable(told(), early)
    check_teachable(told("model=rule", "model.name=stage_rate"), early)


def test_the_source_may_be_one_file(tmp_path: Path) -> None:
    written(tmp_path, rows())
    export = build_export(told(f"source={tmp_path}/exports/deals.csv"))
    assert len(export.history.deals) == 120
