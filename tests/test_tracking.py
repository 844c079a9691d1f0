"""A run's record arrives whole, in a store that several processes may make at once, or says why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeforecast.tracking import Artifact, Metric, RunRecord, TrackingError, flat, public, record

WRITER = """
import sys
from pipeforecast.tracking import Metric, RunRecord, record
uri, n = sys.argv[1:]
print(record(RunRecord(f"run {n}", params={"n": n}, metrics=[Metric("n", float(n))]), uri, "together", required=True))
"""


def _client(uri: str):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store/mlflow.db"


def test_everything_given_is_recorded_and_nothing_else(uri: str, tmp_path: Path) -> None:
    table = tmp_path / "forecast.csv"
    table.write_text("a,b\n1,2\n")
    run = RunRecord(
        "week 13",
        params={"model": {"kind": "hazard", "lesson_days": (0, 30)}, "long": "x" * 9000},
        tags={"data": "abc"},
        metrics=[Metric("wape", 0.4, 0), Metric("wape", 0.3, 30), Metric("skill", float("nan"))],
        artifacts=[Artifact(table), Artifact(table, "again")],
    )
    run_id = record(run, uri, "first", required=True)
    assert run_id is not None
    client = _client(uri)
    kept = client.get_run(run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.params["model.kind"] == "hazard"
    assert kept.data.params["model.lesson_days"] == "0,30"
    assert len(kept.data.params["long"]) == 6000
    assert [(m.step, m.value) for m in client.get_metric_history(run_id, "wape")] == [(0, 0.4), (30, 0.3)]
    assert kept.data.tags == {"data": "abc", "mlflow.runName": "week 13"}
    files = {p.relative_to(tmp_path).parts[-1] for p in (tmp_path / "store" / "mlartifacts").rglob("*.csv")}
    assert files == {"forecast.csv"}
    assert {a.path for a in client.list_artifacts(run_id)} == {"forecast.csv", "again"}
    assert not (Path.cwd() / "mlruns").exists()


def test_more_params_than_one_request_takes(uri: str) -> None:
    run_id = record(RunRecord("many", params={f"p{i}": i for i in range(230)}), uri, "first", required=True)
    assert len(_client(uri).get_run(run_id).data.params) == 230


def test_four_processes_share_a_store_that_none_of_them_made(uri: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, uri, str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    ids = {writer.communicate(timeout=240)[0].strip() for writer in writers}
    assert all(writer.returncode == 0 for writer in writers)
    client = _client(uri)
    experiment = client.get_experiment_by_name("together")
    assert {run.info.run_id for run in client.search_runs([experiment.experiment_id])} == ids
    assert len(ids) == 4


@pytest.mark.parametrize(
    "address",
    [
        "http://bob:hun@ter2@h/",
        "http://bob:hun/ter2@h/",
        "postgresql://h/db?user=u&password=hunter2",
        "http://h/?token=ter2",
    ],
)
def test_no_part_of_a_password_is_shown(address: str) -> None:
    assert "ter2" not in public(f"no record in MLflow at {address}: it is down")


def test_a_server_that_is_down_is_a_warning_or_an_error_as_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    nowhere = "http://user:secret@127.0.0.1:9"
    assert record(RunRecord("lost"), nowhere, "x") is None
    said = capsys.readouterr().err
    assert said.startswith("warning: the run's files are written")
    assert "127.0.0.1:9" in said
    with pytest.raises(TrackingError, match=r"tracking\.required=false") as refused:
        record(RunRecord("lost"), nowhere, "x", required=True)
    assert "secret" not in said + str(refused.value)


def test_a_run_that_breaks_off_is_marked_as_failed(uri: str, tmp_path: Path) -> None:
    run = RunRecord("broken", artifacts=[Artifact(tmp_path / "not_there.csv")])
    with pytest.raises(TrackingError):
        record(run, uri, "first", required=True)
    client = _client(uri)
    (kept,) = client.search_runs([client.get_experiment_by_name("first").experiment_id])
    assert kept.info.status == "FAILED"


def test_nothing_is_written_where_tracking_is_off(uri: str, tmp_path: Path) -> None:
    assert record(RunRecord("off"), uri, "first", enabled=False) is None
    assert list(tmp_path.iterdir()) == []


def test_mlflow_is_imported_late_and_without_telemetry(uri: str) -> None:
    code = (
        "import os, sys, pipeforecast.tracking as t; assert 'mlflow' not in sys.modules;"
        f"t.record(t.RunRecord('r'), {uri!r}, 'e', required=True); assert 'mlflow' in sys.modules;"
        "print(os.environ['MLFLOW_DISABLE_TELEMETRY'])"
    )
    for given, expected in ((None, "true"), ("false", "false")):
        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_DISABLE_TELEMETRY"}
        environment |= {"MLFLOW_DISABLE_TELEMETRY": given} if given else {}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected


def test_nested_params_are_flattened() -> None:
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == {"a": 1, "b.c": 2, "b.d.e": 3}


def test_a_store_that_another_process_holds_is_waited_for_and_given_up_with_a_word(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    from pipeforecast import tracking

    (tmp_path / "store").mkdir()
    monkeypatch.setattr(tracking, "_LONG_WAIT", 0.0)
    monkeypatch.setattr(tracking, "_LONGEST_WAIT", 0.01)
    with (tmp_path / "store" / "mlflow.db.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TrackingError, match="another process holds"):
            record(RunRecord("r"), uri, "e", required=True)
    assert capsys.readouterr().err.startswith("waiting for another run that uses ")


def test_a_store_is_there_whole_or_not_at_all(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between two of its tables it could never be opened again, so it is made aside."""
    from pipeforecast import tracking

    real = tracking.client_of

    def stops(address: str):
        made = real(address)
        assert not (tmp_path / "store" / "mlflow.db").exists()
        if "draft" in address:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(tracking, "client_of", stops)
    with pytest.raises(KeyboardInterrupt):
        record(RunRecord("r"), uri, "e", required=True)
    assert {p.name for p in (tmp_path / "store").iterdir()} == {"mlflow.db.lock"}
    monkeypatch.setattr(tracking, "client_of", real)
    assert record(RunRecord("r"), uri, "e", required=True)


@pytest.mark.parametrize("content", [b"no database at all " * 9, b"SQLite format 3\0" + b"\xff" * 200])
def test_a_store_that_is_none_is_named_in_one_line(uri: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mlflow.db").write_bytes(content)
    with pytest.raises(TrackingError, match=r"mlflow\.db: .*(database|malformed)") as refused:
        record(RunRecord("r"), uri, "e", required=True)
    assert "\n" not in str(refused.value)
    assert (tmp_path / "store" / "mlflow.db").read_bytes() == content
