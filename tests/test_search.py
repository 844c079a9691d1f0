"""A search chooses on earlier periods, scores its winner once on the newest, and goes on where it was interrupted."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.champion import recipe_of
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.kinds import HazardSettings
from pipeforecast.outbox import OutputError
from pipeforecast.replay import scored_origins
from pipeforecast.run import prepared
from pipeforecast.search import HELD_OUT, SEARCH_COLUMNS, TUNED, _split, _study, overrides_of


def words(folder: Path, trials: int = 2) -> list[str]:
    return [
        "+experiment=search_deal_model", f"search.trials={trials}", "search.held_out=1", "search.kinds=[hazard]",
        f"search.store={folder}/search.db", "origins.periods=3",
    ]  # fmt: skip


def test_the_winner_is_scored_on_periods_that_did_not_choose_it_and_the_search_goes_on(told, tmp_path: Path) -> None:
    said = workflow.train(told("train", *words(tmp_path)))
    found = pd.read_csv(tmp_path / "out" / "search.csv")
    assert list(found) == list(SEARCH_COLUMNS)
    assert found["split"].tolist() == [TUNED, TUNED, HELD_OUT, HELD_OUT]
    assert found["log_loss"].iloc[0] <= found["log_loss"].iloc[1]
    assert found["overrides"].iloc[0] == found["overrides"].iloc[2]
    assert f"to copy: {found['overrides'].iloc[0]}" in said
    assert "0" in found["trial"].tolist()
    own = f"model=hazard model.penalty={HazardSettings().penalty:.6g} "
    assert found["overrides"].str.startswith(own).any()  # the call's own recipe is among the trials
    workflow.train(told("train", *words(tmp_path, 3)))
    again = pd.read_csv(tmp_path / "out" / "search.csv")
    assert (again["split"] == TUNED).sum() == 3
    assert set(found["overrides"].iloc[:2]) <= set(again["overrides"])


def test_what_chooses_and_what_is_held_out_share_no_period(told) -> None:
    settings = told("train", "origins.periods=3")
    origins, _ = scored_origins(settings, prepared(settings))
    earlier, newest = _split(origins, 1)
    assert max(o.period.end for o in earlier) < min(o.period.start for o in newest)
    assert len(earlier) + len(newest) == len(origins)
    with pytest.raises(DataError, match="held_out=3"):
        _split(origins, 3)


def test_overrides_can_be_typed_as_they_stand() -> None:
    model = {"kind": "hazard", "penalty": 0.123456789, "half_life": None, "periods": 9}
    assert overrides_of(model) == "model=hazard model.penalty=0.123457 model.half_life=null model.periods=9"


def test_without_optuna_the_extra_is_named(told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SettingsError, match=r"pipeforecast\[sweep\]"):
        workflow.train(told("train", *words(tmp_path)))


def test_a_search_that_was_killed_ends_where_an_uninterrupted_one_does(told, tmp_path: Path) -> None:
    import optuna

    workflow.train(told("train", *words(tmp_path / "whole", 3)))
    whole = pd.read_csv(tmp_path / "out" / "search.csv")
    for trials in (0, 2, 3):
        if trials:
            workflow.train(told("train", *words(tmp_path / "killed", trials)))
        else:  # killed in its very first trial, the call's own recipe: it is begun and has not ended
            settings = told("train", *words(tmp_path / "killed", 1))
            run = prepared(settings)
            earlier, _ = _split(scored_origins(settings, run)[0], 1)
            study = _study(settings, run, settings.search, earlier, recipe_of(settings.model))
            assert study.ask().number == 0
            assert optuna.load_study(study_name=study.study_name, storage=study._storage).trials[0].state.name
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / "search.csv"), whole)


def test_a_store_of_trials_that_is_none_is_named(told, tmp_path: Path) -> None:
    (tmp_path / "search.db").write_bytes(b"no database at all " * 9)
    with pytest.raises(OutputError, match=r"search\.store=FILE"):
        workflow.train(told("train", *words(tmp_path)))
