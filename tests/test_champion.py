"""Which model a call works with: the champion where it fits, a named version on demand, else one fitted now."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.candidate import Gate, record_training, register
from pipeforecast.champion import chosen, first_marks, marks_of, recipe_of, with_recipe
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.gate import Judgement
from pipeforecast.kinds import HazardSettings
from pipeforecast.registry import Registry, RegistryError
from pipeforecast.run import prepared
from tables import rows, written


@pytest.fixture
def store(tmp_path: Path, told) -> tuple[str, ...]:
    """Settings of a store that holds one champion, trained until the end of June 2023."""
    here = ("tracking=local", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db")
    settings = told("train", *here, "as_of=2023-06-30")
    run = prepared(settings)
    better = Judgement("hazard", "base_rate", 0.2, 0.3, -0.1, -0.2, -0.05, 100, 2, 1, "better", True, "it is better")
    run_id = record_training(settings, run, [], Gate(better, None), {"plot.svg": "<svg/>"})
    carried_out, said = register(settings, run, Gate(better, None), run_id)
    assert carried_out.moved
    assert said == "pipeforecast-deals/1 is the champion: it is better"
    return here


def version_of(folder: Path) -> set[str]:
    return set(pd.read_csv(folder / "out" / "deal_scores.csv")["model_version"])


def test_the_champion_is_used_where_it_fits_and_never_where_it_knows_too_much(
    store: tuple[str, ...], told, tmp_path: Path
) -> None:
    assert "trained until 2023-06-30" in workflow.score(told("score", *store))
    assert version_of(tmp_path) == {"pipeforecast-deals/1"}
    assert "must not know" in workflow.score(told("score", *store, "as_of=2023-06-29"))
    assert all(v.startswith("model-") for v in version_of(tmp_path))
    with pytest.raises(DataError, match="must not know"):
        workflow.score(told("score", *store, "as_of=2023-06-29", "version=champion"))
    with pytest.raises(DataError, match="no version 7"):
        workflow.score(told("score", *store, "version=7"))
    with pytest.raises(DataError, match="calendar"):
        workflow.score(told("score", *store, "version=1", "calendar=month"))
    said = workflow.score(told("score", *store, "calendar=month"))
    assert "fitted now, because" in said
    assert "was trained with another calendar than this call has" in said
    assert "another crm.currency than" in workflow.score(told("score", *store, "+crm.currency=USD"))
    with pytest.raises(SettingsError, match="tracking=off"):
        workflow.score(told("score", "version=champion"))
    assert "fitted now" in workflow.score(told("score", *store, "version=fit"))


def test_another_recipe_or_company_is_not_served_by_the_champion(store: tuple[str, ...], told, tmp_path: Path) -> None:
    assert "another recipe" in workflow.score(told("score", *store, "model.penalty=0.5"))
    run = prepared(told("score", *store))
    use = chosen(told("score", *store, "model.penalty=0.5", "version=1"), run)
    assert recipe_of(use.model) == recipe_of(HazardSettings())
    table = rows(200)
    table["deal_id"] = "X" + table["deal_id"]
    written(tmp_path, table)
    assert "another company" in workflow.score(told("score", *store))
    with pytest.raises(DataError, match="another company"):
        workflow.score(told("score", *store, "version=champion"))


def test_the_gate_follows_the_alias(store: tuple[str, ...], told, tmp_path: Path) -> None:
    """The same recipe and newer data: refreshed. Older data: not. Another recipe that is no better: not."""
    words = (*store, "learning_curve=false")
    assert "pipeforecast-deals/2 is the champion" in workflow.train(told("train", *words))
    assert "older" in workflow.train(told("train", *words, "as_of=2023-06-30"))
    assert not pd.read_csv(tmp_path / "out" / "gate.csv")["moved"].iloc[0]
    said = workflow.train(told("train", *words, "model.penalty=0.08"))
    assert "pipeforecast-deals/4 stays a candidate" in said
    row = pd.read_csv(tmp_path / "out" / "gate.csv").iloc[0]
    assert (row["rival"], row["verdict"]) == ("version 2", "cannot tell")
    assert row["lower"] <= row["difference"] <= row["upper"]
    assert row["n_candidates"] == 1
    workflow.train(told("train", *words, "model.penalty=0.07"))
    assert pd.read_csv(tmp_path / "out" / "gate.csv")["n_candidates"].iloc[0] == 2


def test_a_candidate_does_not_dethrone_a_champion_that_it_was_not_compared_with(store: tuple[str, ...], told) -> None:
    settings = told("train", *store)
    run = prepared(settings)
    better = Judgement("hazard", "base_rate", 0.2, 0.3, -0.1, -0.2, -0.05, 100, 2, 1, "better", True, "it is better")
    run_id = record_training(settings, run, [], Gate(better, None), {})
    carried_out, said = register(settings, run, Gate(better, None), run_id)
    assert not carried_out.moved
    assert "pipeforecast-deals/2 stays a candidate" in said
    assert "meanwhile" in said


def test_a_replay_never_asks_for_a_registered_model(
    store: tuple[str, ...], told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("a replay that loads a model knows the days that it forecasts")

    monkeypatch.setattr(Registry, "_asked", asked)
    workflow.backtest(told("backtest", *store))
    with pytest.raises(AssertionError):
        workflow.score(told("score", *store))


def test_a_store_that_cannot_be_reached(told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = ("tracking=local", "tracking.uri=http://127.0.0.1:9")
    assert "fitted now" in workflow.score(told("score", *away))
    assert "warning: pipeforecast-deals: the models in http://127.0.0.1:9" in capsys.readouterr().err
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9"):
        workflow.score(told("score", *away, "version=champion"))


def test_rules_score_no_deals_and_leads_need_their_table(told) -> None:
    with pytest.raises(DataError, match="table of leads"):
        workflow.score(told("score", "target=lead"))
    with pytest.raises(SettingsError, match="model=hazard"):
        workflow.score(told("score", "model=rule", "model.name=stage_rate"))


def test_marks_tell_companies_apart_and_name_nobody(told) -> None:
    run = prepared(told("score"))
    marks = first_marks(run.known)
    assert len(marks) == 64
    assert set(marks) <= set(marks_of(run.known))
    assert not any("D00" in m for m in marks)


def test_a_recipe_keeps_the_draws_of_the_call(told) -> None:
    settings = told("score")
    kept = with_recipe(settings, {**HazardSettings().model_dump(mode="json"), "penalty": 0.7}).model
    assert isinstance(kept, HazardSettings)
    assert (kept.penalty, kept.draws, kept.coefficient_draws) == (0.7, 100, 2)
