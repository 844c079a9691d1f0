"""A recorded run made again writes the same bytes on the same data, and says what differs where it does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
from threadpoolctl import threadpool_limits
from whole import MARKER, VERBS, Ran, call

from pipeforecast.cli import main

RECORDED = [verb for verb in VERBS if verb != "check"]


@pytest.fixture(autouse=True)
def _other_threads_than_recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two threads, where the recorded runs had one: a replay takes the recorded number."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with threadpool_limits(2, user_api="blas"):
        yield


def _ids(ran: Ran) -> dict[str, str]:
    """The runs of the fixture, by the folder that each wrote."""
    found = {p.stem: json.loads(p.read_text()) for p in (ran.root / ".pipeforecast" / "runs").glob("*.json")}
    return {Path(told["out"]).name: run for run, told in found.items()}


@pytest.mark.parametrize("verb", RECORDED)
def test_every_verb_writes_the_same_again(
    ran: Ran, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Models that were trained since, and a store of proofs that is not asked, change nothing."""
    with chdir(ran.root):
        assert main(["replay", _ids(ran)[verb], f"out={tmp_path}/again"]) == 0
    first = {p.name: p.read_bytes() for p in (ran.root / verb).glob("*.csv")}
    assert verb != "train" or "gate.csv" in first
    assert {p.name: p.read_bytes() for p in (tmp_path / "again").glob("*.csv")} == first
    out, err = capsys.readouterr()
    data = [p for p in (ran.root / verb).iterdir() if p.suffix in (".csv", ".json", ".txt")]
    assert out.startswith(f"identical: {len(data)} files")
    assert "replay" in err or verb != "forecast"
    assert "other data" not in out + err
    assert "another machine" not in out + err
    unlike = [p.name for p in (ran.root / verb).iterdir() if p not in data]
    assert all(name in out.partition("not compared")[2] for name in unlike)


def test_nothing_is_recorded_or_registered_by_a_replay(ran: Ran, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in (ran.root / "mlartifacts").rglob("*") if p.is_file()}
    runs = sorted((ran.root / ".pipeforecast" / "runs").iterdir())
    call("replay", f"run={_ids(ran)['train']}", f"out={tmp_path}/again", at=ran.root)
    assert {p: p.read_bytes() for p in (ran.root / "mlartifacts").rglob("*") if p.is_file()} == before
    assert sorted((ran.root / ".pipeforecast" / "runs").iterdir()) == runs


def test_other_data_are_named_with_the_first_cell_that_differs(ran: Ran, tmp_path: Path) -> None:
    shutil.copytree(ran.root / "company", tmp_path / "company")
    deals = pd.read_csv(tmp_path / "company" / "Opportunity.csv", dtype="string", keep_default_na=False)
    is_open = deals["IsClosed"].str.lower().isin(["false", "0"])
    deals.loc[is_open.idxmax(), "Name"] = "Renamed"
    deals.to_csv(tmp_path / "company" / "Opportunity.csv", index=False)
    words = (f"run={_ids(ran)['score']}", f"source={tmp_path}/company", f"out={tmp_path}/again")
    said = call("replay", *words, at=ran.root, status=1).stderr
    assert "error: not identical: 1 of 1 files differ" in said
    assert "other data: source: Opportunity.csv changed" in said
    assert "column name: " in said
    assert "'Renamed' now" in said
    assert (tmp_path / "again" / "deal_scores.csv").exists()
    # Where the first files are gone, digests of the columns are left.
    said = call("replay", *words, f"against={tmp_path}", at=ran.root, status=1).stderr
    assert "deal_scores.csv: columns name" in said


def test_the_record_names_neither_places_nor_people_and_what_is_missing_is_asked_for(ran: Ran, tmp_path: Path) -> None:
    for path in (ran.root / "mlartifacts").rglob("record.json"):
        text = path.read_text()
        assert str(ran.root) not in text
        assert MARKER not in text
        assert {"settings", "libraries", "code", "machine", "inputs"} <= set(json.loads(text))
    # On another machine there is the store of MLflow and nothing else.
    run = _ids(ran)["plan"]
    where = f"tracking.uri=sqlite:///{ran.root}/mlflow.db"
    said = call("replay", run, where, at=tmp_path, status=2).stderr
    assert "source: the record does not say where the export lay; say source=FOLDER" in said
    assert list(tmp_path.iterdir()) == []
    done = call("replay", run, where, f"source={ran.root}/company", at=tmp_path)
    assert done.stdout.startswith("identical: 3 files")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("run=0000",), 1, "'0000' could not be read in MLflow"),
        (("run=../x",), 2, "run: "),
        ((), 2, "run: nothing was given"),
        (("0000", "tracking=off"), 2, "expected the store that holds the run"),
        (("0000", "1111"), 2, "1111"),
    ],
)
def test_a_run_that_cannot_be_made_again_is_refused(
    ran: Ran, tmp_path: Path, words: tuple[str, ...], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with chdir(ran.root):
        assert main(["replay", *words, f"out={tmp_path}/again"]) == status
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
