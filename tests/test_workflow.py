"""The verbs called as functions: which period, which past days, how much of the proof, in which order the findings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.errors import SettingsError
from pipeforecast.overrides import composed
from pipeforecast.settings import RunSettings, settings_for
from tables import rows, written


@pytest.fixture
def told(tmp_path: Path):
    """Settings of a verb on the small table, with everything below ``tmp_path``."""
    written(tmp_path, rows())
    small = ["draws=100", "model.coefficient_draws=2", "origins.periods=2", "origins.days=[45]", "rules=[stage_rate]"]

    def settings(verb: str, *words: str) -> RunSettings:
        model = next((w for w in words if w.startswith("model=")), "")
        mine = [w for w in small if not (model and w.startswith("model."))]
        here = [f"source={tmp_path}/exports", f"out={tmp_path}/out", "tracking=off"]
        proof = [f"proof.folder={tmp_path}/proof"] if verb == "forecast" else []
        return settings_for(verb, composed(verb, [*here, *proof, *([] if verb == "check" else mine), *words]))

    return settings


def total(folder: Path) -> pd.Series:
    table = pd.read_csv(folder / "out" / "forecast.csv")
    return table[(table["part"] == "total") & (table["method"] == "model")].iloc[0]


@pytest.mark.parametrize(
    ("as_of", "period"), [("2023-06-29", "2023Q2"), ("2023-06-30", "2023Q3"), ("2023-07-01", "2023Q3")]
)
def test_on_the_last_evening_of_a_period_the_next_one_is_forecast(told, tmp_path: Path, as_of: str, period: str):
    workflow.forecast(told("forecast", f"as_of={as_of}", "proof=none"))
    assert total(tmp_path)["period"] == period
    assert total(tmp_path)["as_of"] == as_of


def test_a_later_period_may_be_named_and_an_earlier_one_is_refused(told, tmp_path: Path):
    workflow.forecast(told("forecast", "as_of=2023-06-29", "period=2023Q3", "proof=none"))
    assert total(tmp_path)["period"] == "2023Q3"
    with pytest.raises(SettingsError, match="2023Q1 ended on 2023-03-31"):
        workflow.forecast(told("forecast", "as_of=2023-06-29", "period=2023Q1", "proof=none"))


def test_a_forecast_of_a_past_day_sees_nothing_written_later(told, tmp_path: Path):
    """What was written after as_of may say anything: no number of the forecast moves."""
    workflow.forecast(told("forecast", "as_of=2023-03-31", "proof=none"))
    before = (tmp_path / "out" / "forecast.csv").read_bytes()
    later = rows()
    closed_later = pd.to_datetime(later["closed_at"]) > pd.Timestamp("2023-03-31")
    later.loc[closed_later, "outcome"] = "lost"
    later = later[pd.to_datetime(later["created_at"]) < pd.Timestamp("2023-10-01")]
    written(tmp_path, later)
    workflow.forecast(told("forecast", "as_of=2023-03-31", "proof=none"))
    assert (tmp_path / "out" / "forecast.csv").read_bytes() == before


def test_no_budget_means_no_proof_and_full_takes_no_notice_of_it(told, tmp_path: Path):
    none = workflow.forecast(told("forecast", "proof.budget_s=0"))
    assert none.casefold().startswith("not yet proven")
    assert not (tmp_path / "out" / "backtest.csv").exists()
    workflow.forecast(told("forecast", "proof=full", "proof.budget_s=0"))
    scores = pd.read_csv(tmp_path / "out" / "backtest_scores.csv")
    assert scores.loc[scores["day_of_period"] == -1, "n_origins"].max() == 2
    # What is stored is free: no budget is needed any more.
    assert "still to be replayed" not in workflow.forecast(told("forecast", "proof.budget_s=0"))
    assert (tmp_path / "out" / "backtest.csv").exists()


def test_a_short_budget_is_spent_on_the_rules_own_days_and_then_on_the_newest(told, tmp_path: Path, monkeypatch):
    """Two batches of a budget: what is proven with them is the newest past, beside rules that have a range."""
    replayed: list[list[str]] = []
    replay = workflow._replay

    def watched(run, origins, *others):
        replayed.append([str(o.as_of.date()) for o in origins])
        return replay(run, origins, *others)

    monkeypatch.setattr(workflow, "_replay", watched)
    workflow.forecast(told("forecast", "proof=full"))
    days = [day for batch in replayed for day in batch]
    scored = sorted(pd.read_csv(tmp_path / "out" / "backtest.csv")["as_of"].unique())
    assert len(scored) == 2
    assert days[-2:] == scored[::-1]
    assert max(days[:-2]) < scored[0]


def test_one_period_proves_nothing(told):
    said = workflow.forecast(told("forecast", "origins.periods=1"))
    assert said.startswith("Not yet proven: 1 past period cannot tell skill from luck (there the model's error was ")
    assert "nan" not in said


def test_another_seed_is_another_proof(told, tmp_path: Path):
    workflow.forecast(told("forecast"))
    workflow.forecast(told("forecast", "seed=5"))
    first, second = sorted((tmp_path / "proof").iterdir())
    assert sorted(p.name for p in first.iterdir()) == sorted(p.name for p in second.iterdir()) != []


def test_check_counts_what_it_lists(told, tmp_path: Path):
    said = workflow.check(told("check"))
    found = pd.read_csv(tmp_path / "out" / "findings.csv")
    counts = found["severity"].value_counts()
    assert f"findings: {counts.get('error', 0)} errors, {counts.get('warning', 0)} warnings" in said
    order = found["severity"].map({"error": 0, "warning": 1, "info": 2})
    assert order.is_monotonic_increasing
    tie = pd.read_csv(tmp_path / "out" / "tie.csv")
    assert tie["raw_count"].sum() == len(rows())
    assert tie["raw_amount"].sum() == pytest.approx(rows()["amount"].sum())


def test_train_scores_the_model_beside_what_is_used_today(told, tmp_path: Path):
    workflow.train(told("train"))
    table = pd.read_csv(tmp_path / "out" / "evaluation.csv")
    assert {"hazard", "stage_rate", "base_rate"} <= set(table["model"])
    assert set(table["score"]) == {"log_loss", "brier", "auc", "calibration_error"}
    known = table.dropna(subset=["lower", "upper"])
    assert ((known["lower"] <= known["value"]) & (known["value"] <= known["upper"])).mean() > 0.9


def test_train_refuses_a_rule(told):
    with pytest.raises(SettingsError, match="model=hazard"):
        workflow.train(told("train", "model=rule", "model.name=stage_rate"))
