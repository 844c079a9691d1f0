"""Settings become objects by a closed list; what the data cannot feed is left out, what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeforecast.build import (
    MEMBERS,
    PLUGINS,
    build_as_of,
    build_calendar,
    build_export,
    build_levels,
    build_model,
    build_plan,
    build_rules,
)
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.history import DealHistory
from pipeforecast.models.bagged import Bagged
from pipeforecast.models.classical import AalenJohansen
from pipeforecast.models.direct import DirectIncidence
from pipeforecast.overrides import composed
from pipeforecast.pipeline import PipelineForecaster
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
    hazard = model.deals.model.simple
    assert (hazard.C, hazard.max_rows, hazard.seed) == (0.3, 777, 11)
    assert (model.draws, model.coefficient_draws, model.shock_prior_sd, model.seed) == (123, 5, 0.4, 11)
    plan = build_plan(told("model.lesson_days=[0,10]", "model.periods=3"))
    assert (tuple(plan.days), plan.periods) == ((0, 10), 3)


@pytest.mark.parametrize("kind", MEMBERS)
def test_every_kind_is_built_and_named_by_its_setting(kind: str) -> None:
    model: Any = build_model(told(f"model={kind}", "model.max_rows=555", "seed=11", "draws=123"))
    assert isinstance(model, PipelineForecaster)
    bare: Any = model.deals.model
    inside = getattr(bare, "recipe", getattr(bare, "simple", bare))
    assert (model.deals.name, inside.max_rows, inside.seed, model.draws) == (kind, 555, 11, 123)
    plan = build_plan(told(f"model={kind}", "model.lesson_days=[0,10]", "model.periods=3"))
    assert (tuple(plan.days), plan.periods) == ((0, 10), 3)


def test_what_boosting_is_told_arrives() -> None:
    told_ = {"rounds": 7, "learning_rate": 0.2, "leaves": 5, "least_leaf": 9, "l2": 0.5, "half_life": 100.0}
    words = [f"model.{k}={v}" for k, v in told_.items()]
    bagged: Any = build_model(told("model=boosting", *words, "model.bags=3")).deals.model  # type: ignore[attr-defined]
    assert isinstance(bagged, Bagged)
    assert bagged.members == 3
    assert {k: getattr(bagged.recipe, k) for k in told_} == told_
    bare: Any = build_model(told("model=incidence", "model.bags=0", "model.questions=2")).deals.model  # type: ignore[attr-defined]
    assert (type(bare), bare.questions) == (DirectIncidence, 2)


def test_a_blend_has_the_members_that_it_is_told() -> None:
    words = ("model.members=[cox,stages]", "model.weights=[1,2]", "model.weight_periods=4")
    blend: Any = build_model(told("model=blend", *words)).deals.model  # type: ignore[attr-defined]
    assert [m.name for m in blend.members] == ["cox", "stages"]
    assert (tuple(blend.weights), blend.periods) == ((1.0, 2.0), 4)


@pytest.mark.parametrize("layer", ["rep", "manager", "executive"])
def test_a_rule_of_calls_needs_calls_of_its_layer(history: DealHistory, layer: str) -> None:
    row = {"made_at": pd.Timestamp("2023-01-01"), "person": "ann", "layer": layer.title(), "period": "2023Q1",
           "amount": 1.0}  # fmt: skip
    heard = replace(history, tables={"calls": pd.DataFrame([row])})
    names = {r.name for r in build_rules(told(), heard)} - {r.name for r in build_rules(told(), history)}
    assert names == {f"{layer}_call"}


# Kinds that other packages offer


class Offered:
    """An entry point that stands for an installed package."""

    def __init__(self, name: str, load: Any) -> None:
        self.name, self._load = name, load

    def load(self) -> Any:
        return self._load


@pytest.fixture
def _offered(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = [Offered("ours", AalenJohansen), Offered("unfit", dict)]
    monkeypatch.setattr("pipeforecast.build.entry_points", lambda group: offers if group == PLUGINS else [])


@pytest.mark.usefixtures("_offered")
def test_a_kind_of_another_package_is_called_with_its_options() -> None:
    model: Any = build_model(told("model=plugin", "model.name=ours", "+model.options.least_closings=3"))
    assert model.deals.model == AalenJohansen(least_closings=3)


@pytest.mark.usefixtures("_offered")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model.name=theirs",), r"'ours', 'unfit'.*came 'theirs'; install"),
        (("model.name=ours", "+model.options.colour=red"), r"model.options: the model 'ours' cannot be made .*colour"),
        (("model.name=unfit",), "expected 'unfit' to give an object with name and fit"),
    ],
)
def test_a_kind_that_cannot_be_made_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        build_model(told("model=plugin", *words))


def test_without_a_package_that_offers_kinds_it_says_so() -> None:
    with pytest.raises(SettingsError, match=r"none is installed\), came 'ours'"):
        build_model(told("model=plugin", "model.name=ours"))


@pytest.mark.parametrize("name", RULES)
def test_every_rule_may_stand_in_the_models_place(name: str) -> None:
    assert build_model(told("model=rule", f"model.name={name}")).name == name


def test_a_rule_that_is_not_listed_is_refused() -> None:
    with pytest.raises(SettingsError, match="crm_probability"):
        build_model(told("model=rule", "model.name=os.system"))


def test_rules_that_the_data_cannot_feed_are_left_out(history: DealHistory) -> None:
    """Nobody wrote a probability or a category here, and nobody called."""
    names = {r.name for r in build_rules(told(), history)}
    assert names == {n for n in RULES if not n.startswith(("crm_probability", "category_")) and "_call" not in n}
    fed = replace(history, states=history.states.assign(probability=0.5))
    assert {r.name for r in build_rules(told(), fed)} - names == {n for n in RULES if n.startswith("crm_probability")}
    undated = replace(fed, states=fed.states.assign(expected_close=pd.NaT))
    gone = {r.name for r in build_rules(told(), fed)} - {r.name for r in build_rules(told(), undated)}
    assert gone == {n for n in RULES if n.startswith(("crm_probability", "coverage_yield", "stage_rate")) and
                    "all_dates" not in n}  # fmt: skip
    assert [r.name for r in build_rules(told("rules=[crm_probability]"), history)] == ["crm_probability"]


def test_levels_that_the_data_have_are_kept_in_order(history: DealHistory) -> None:
    """Without a log the owner is today's: no past day knows it, so no replay may be split by it."""
    assert build_levels(told("levels=[segment,owner,region]"), history) == ()
    tracked = replace(history, roles={**history.roles, "owner": "tracked"})
    assert build_levels(told("levels=[segment,owner,region]"), tracked) == ("owner",)


def test_managers_are_a_level_where_a_line_says_whom_owners_report_to(history: DealHistory) -> None:
    """The levels that ship ask for them; a column of today's managers is not enough."""
    line = pd.DataFrame({"owner": ["ann"], "manager": ["mia"], "valid_from": [pd.Timestamp("2022-01-01")]})
    tracked = replace(history, roles={**history.roles, "owner": "tracked"})
    assert "manager" in told().levels
    for known, there, found in (
        (tracked, line, ("owner", "manager")), (tracked, line.iloc[:0], ("owner",)), (history, line, ()),
    ):  # fmt: skip
        assert build_levels(told(), replace(known, tables={"reporting_line": there})) == found
    mapped = replace(tracked, deals=tracked.deals.assign(manager="mia"))
    assert build_levels(told("levels=[manager]"), mapped) == ()
    born = replace(mapped, roles={**mapped.roles, "manager": "birth"})
    assert build_levels(told("levels=[manager]"), born) == ("manager",)


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


def test_the_source_may_be_one_file(tmp_path: Path) -> None:
    written(tmp_path, rows())
    export = build_export(told(f"source={tmp_path}/exports/deals.csv"))
    assert len(export.history.deals) == 120
