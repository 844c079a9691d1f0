"""Which past days are replayed, within which budget, and what one is told of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeforecast import replay, workflow


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
    replayed: list[tuple[str, str]] = []
    forward = replay.replayed

    def watched(run, origins, *others):
        replayed.extend((o.period.name, str(o.as_of.date())) for o in origins)
        return forward(run, origins, *others)

    monkeypatch.setattr(replay, "replayed", watched)
    workflow.forecast(told("forecast", "proof=full"))
    running = pd.read_csv(tmp_path / "out" / "forecast.csv")["period"].iloc[0]
    days = [day for period, day in replayed if period != running]  # the running period's own are no part of the proof
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
