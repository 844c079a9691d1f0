"""Jobs side by side: from what each wrote, whatever launcher ran them."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest

from pipeforecast.cli import main
from pipeforecast.sweep import compared, written
from tables import rows
from tables import written as export

WORDS = ("learning_curve=false", "origins.periods=2", "origins.days=[45]", "tracking.required=true", "out=sweep")


def _job(folder: Path, loss: float) -> Path:
    folder.mkdir()
    pd.DataFrame({
        "model": ["hazard", "hazard", "base_rate", "hazard"],
        "split": ["later periods", "later periods", "later periods", "stage=A"],
        "score": ["log_loss", "auc", "log_loss", "log_loss"], "value": [loss, 0.8, 9.0, 7.0],
        "lower": [loss - 0.1, 0.7, 8.0, 6.0], "upper": [loss + 0.1, 0.9, 10.0, 8.0],
    }).to_csv(folder / "evaluation.csv", index=False)  # fmt: skip
    return folder


def test_the_best_comes_first_and_a_failed_job_stays_in_the_table(tmp_path: Path) -> None:
    jobs = [
        (0, "model.penalty=1", _job(tmp_path / "0", 0.4), 0), (1, "model.penalty=0.1", _job(tmp_path / "1", 0.3), 0),
        (2, "model.penalty=9", tmp_path / "2", 1),
    ]  # fmt: skip
    found = compared(jobs)
    assert found is not None
    assert found["job"].tolist() == [1, 0, 2]
    assert found["log_loss"].tolist()[:2] == [0.3, 0.4]
    assert found[["log_loss_lower", "auc"]].iloc[0].tolist() == pytest.approx([0.2, 0.8])
    assert pd.read_csv(written(found, tmp_path))["status"].tolist() == [0, 0, 1]
    assert compared([(0, "", tmp_path / "none", 1)]) is None


def test_a_parallel_sweep_fills_one_store_that_none_of_its_jobs_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow import MlflowClient

    source = export(tmp_path, rows())
    with chdir(tmp_path):
        status = main(
            [
                "train",
                "-m",
                source,
                *WORDS,
                "model.penalty=0.05,0.2",
                "hydra/launcher=joblib",
                "hydra.launcher.n_jobs=2",
            ]
        )
    said = capsys.readouterr()
    assert status == 0, said.err
    found = pd.read_csv(tmp_path / "sweep" / "sweep.csv").sort_values("job")
    assert found["overrides"].tolist() == ["model.penalty=0.05", "model.penalty=0.2"]
    client = MlflowClient(
        tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", registry_uri=f"sqlite:///{tmp_path}/mlflow.db"
    )
    runs = client.search_runs([client.get_experiment_by_name("pipeforecast").experiment_id])
    assert sorted(r.data.params["model.penalty"] for r in runs) == ["0.05", "0.2"]
    assert {int(v.version) for v in client.search_model_versions("name='pipeforecast-deals'")} == {1, 2}
