"""What was replayed comes back as it was, and only under the key that it was replayed for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast.backtest import Backtest, Origin, backtest, origins_of
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outbox import OutputError
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.proof import prove
from pipeforecast.proofstore import ProofStore
from pipeforecast.rules import RULES

KEY = {"data": "abc", "model": {"C": 1.0}}


@pytest.fixture(scope="module")
def origins(company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp) -> list[Origin]:
    return origins_of(company_history, calendar, (30,), 2, as_of)


@pytest.fixture(scope="module")
def replayed(company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]) -> Backtest:
    model = PipelineForecaster(HazardModel(max_rows=400), draws=100, coefficient_draws=4)
    plan = Lessonplan((30,), 4)
    return backtest(company_history, calendar, [model, RULES["stage_rate"]], origins, plan=plan, levels=("segment",))


def saved(folder: Path, origins: list[Origin], replay: Backtest) -> ProofStore:
    store = ProofStore(folder, KEY)
    for origin in origins:
        store.save(origin, replay)
    return store


def test_a_replay_comes_back(tmp_path: Path, origins: list[Origin], replayed: Backtest) -> None:
    found = saved(tmp_path, origins, replayed).load(origins)
    assert found is not None
    pd.testing.assert_frame_equal(found.rows, replayed.rows, check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(found.deals, replayed.deals, check_dtype=False, rtol=1e-12)
    assert set(found.draws) == set(replayed.draws)
    for key, draws in replayed.draws.items():
        np.testing.assert_array_equal(found.draws[key], draws)
    assert prove(found).sentence == prove(replayed).sentence


def test_a_replay_comes_back_to_the_last_bit(tmp_path: Path, origins: list[Origin], replayed: Backtest) -> None:
    found = saved(tmp_path, origins, replayed).load(origins)
    assert found is not None
    for one, other in ((found.rows, replayed.rows), (found.deals, replayed.deals)):
        numbers = other.select_dtypes("number").columns
        np.testing.assert_array_equal(one[numbers].to_numpy("float64"), other[numbers].to_numpy("float64"))


def test_a_replay_without_deals_comes_back(
    tmp_path: Path, company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]
) -> None:
    rules = backtest(company_history, calendar, [RULES["mean_of_four"]], origins[:1], plan=Lessonplan((30,), 2))
    found = saved(tmp_path, origins[:1], rules).load(origins)
    assert found is not None
    pd.testing.assert_frame_equal(found.rows, rules.rows, check_dtype=False, rtol=1e-12)
    assert len(found.deals) == 0
    assert set(found.deals.columns) == set(rules.deals.columns)
    assert found.draws == {}
    assert prove(found).beaten is None


def test_what_is_not_stored_is_missing_newest_first(tmp_path: Path, origins: list[Origin], replayed: Backtest) -> None:
    store = ProofStore(tmp_path / "not there yet", KEY)
    assert store.load(origins) is None
    assert store.missing(origins) == origins[::-1]
    store.save(origins[0], replayed)
    assert store.missing(origins) == [origins[1]]
    part = store.load(origins)
    assert part is not None
    assert set(part.rows["as_of"]) == {origins[0].as_of}


def test_another_key_sees_nothing(tmp_path: Path, origins: list[Origin], replayed: Backtest) -> None:
    saved(tmp_path, origins, replayed)
    for other in ({**KEY, "data": "abd"}, {**KEY, "model": {"C": 2.0}}, {**KEY, "more": None}):
        assert ProofStore(tmp_path, other).load(origins) is None
    assert ProofStore(tmp_path, dict(reversed(KEY.items()))).load(origins) is not None


def test_nothing_half_written_stays(tmp_path: Path, origins: list[Origin], replayed: Backtest) -> None:
    saved(tmp_path, origins, replayed)
    saved(tmp_path, origins, replayed)
    assert sorted(p.suffix for p in tmp_path.rglob("*.*")) == [".npz", ".npz"]


def test_no_pickle_is_stored(tmp_path: Path, origins: list[Origin], replayed: Backtest) -> None:
    saved(tmp_path, origins, replayed)
    for path in tmp_path.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_file_that_is_cut_short_is_replayed_again(
    tmp_path: Path, origins: list[Origin], replayed: Backtest, cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path, origins, replayed)
    broken = sorted(tmp_path.rglob("*.npz"))[0]
    broken.write_bytes(broken.read_bytes()[:cut])
    store = ProofStore(tmp_path, KEY)
    (missing,) = store.missing(origins)
    assert broken.name.startswith(str(missing.as_of.date()))
    assert "is replayed again" in capsys.readouterr().err
    store.save(missing, replayed)
    found = ProofStore(tmp_path, KEY).load(origins)
    assert found is not None
    pd.testing.assert_frame_equal(found.rows, replayed.rows, check_dtype=False, rtol=1e-12)


def test_a_store_that_cannot_be_written_says_which_setting_moves_it(
    tmp_path: Path, origins: list[Origin], replayed: Backtest
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"proof\.folder=FOLDER"):
        saved(tmp_path / "file", origins, replayed)
