"""Past days that are replayed on a Dask cluster give the numbers of this process, one by one and in a sweep."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config

from pipeforecast.backtest import Lessonplan, backtest, origins_of
from pipeforecast.cli import main
from pipeforecast.cluster import on_cluster
from pipeforecast.errors import SettingsError
from pipeforecast.evaluate import chances
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.pipeline import PipelineForecaster
from tables import rows, written

PLAN = Lessonplan(days=(0, 30, 60), periods=4)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers in processes of their own."""
    distributed = pytest.importorskip("distributed", reason="install pipeforecast[dask]")
    told = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(**told) as cluster, distributed.Client(cluster) as client:
        yield client


def test_folds_on_two_workers_are_those_of_this_process(
    client: Any, company_history: DealHistory, calendar: FiscalCalendar, recipe: PipelineForecaster, as_of: pd.Timestamp
) -> None:
    from distributed import get_task_stream

    origins = origins_of(company_history, calendar, [30, 60], 2, as_of)
    assert len(origins) == 4

    def found() -> tuple[Any, pd.DataFrame]:
        replayed = backtest(company_history, calendar, [recipe], origins, plan=PLAN, levels=("region",))
        return replayed, chances(company_history, calendar, [recipe.deals], origins, PLAN)

    here, judged_here = found()
    with get_task_stream(client) as tasks, parallel_config(backend="dask"):
        there, judged_there = found()
    assert len({task["worker"] for task in tasks.data}) == 2
    pd.testing.assert_frame_equal(there.rows, here.rows, check_exact=True)
    pd.testing.assert_frame_equal(there.deals, here.deals, check_exact=True)
    pd.testing.assert_frame_equal(judged_there, judged_here, check_exact=True)
    assert list(there.draws) == list(here.draws)
    assert all(np.array_equal(there.draws[key], drawn) for key, drawn in here.draws.items())


def test_a_sweep_on_a_cluster_writes_the_same_files(
    client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, rows())
    call = ["backtest", "-m", "source=exports", "tracking=off", "model.penalty=0.1,1", "rules=[stage_rate]",
            "draws=100", "model.coefficient_draws=2", "origins.periods=2", "origins.days=[45]"]  # fmt: skip
    files = ("sweep.csv", "0/backtest_scores.csv", "1/backtest_scores.csv", "0/backtest.csv")
    assert main([*call, "out=here"]) == 0
    assert main([*call, "out=there", f"origins.cluster={client.scheduler.address}"]) == 0
    for name in files:
        here, there = ((tmp_path / place / name).read_bytes() for place in ("here", "there"))
        assert here == there
    capsys.readouterr()


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r"install pipeforecast\[dask\]"), on_cluster("tcp://127.0.0.1:1"):
        pass


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="install pipeforecast[dask]")
    monkeypatch.setattr("pipeforecast.cluster._PATIENCE", "300ms")
    with pytest.raises(SettingsError, match="expected a Dask scheduler") as said, on_cluster("tcp://127.0.0.1:1"):
        pass
    assert len(str(said.value).splitlines()) == 1
