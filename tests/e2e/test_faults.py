"""A full disk, a folder without rights, a lost store: one clear message, the exit status, and nothing is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from whole import call

from pipeforecast.demo import make_company


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    make_company(n_deals=300, seed=2).write(folder / "company")
    return folder


EXPORT = ("crm=salesforce", "source=company")


def _limited(at: Path, *words: str, most: int) -> subprocess.CompletedProcess[str]:
    """Run the command where no file may grow beyond so many bytes, as on a disk that is full."""
    return subprocess.run(
        [sys.executable, "-m", "pipeforecast", *words], cwd=at, capture_output=True, text=True, check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, timeout=600,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip


def test_on_a_full_disk_earlier_results_stay_and_one_line_says_why(root: Path) -> None:
    call("metrics", *EXPORT, "out=full", "periods=2", "tracking=off", at=root)
    before = {p.name: p.read_bytes() for p in (root / "full").iterdir()}
    done = _limited(root, "metrics", *EXPORT, "out=full", "periods=3", "tracking=off", most=20_000)
    assert done.returncode == 1
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    assert "the results of this run are not written; make room" in line
    assert "Traceback" not in done.stderr
    assert {p.name: p.read_bytes() for p in (root / "full").iterdir()} == before
    assert not list(root.glob(".full*"))


def test_a_record_that_cannot_be_written_costs_no_result(root: Path) -> None:
    (root / "mlflow.db").write_bytes(b"no database at all " * 9)
    done = call("plan", *EXPORT, "target=5e5", "out=planned", at=root)
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("warning: ")]
    assert "the run's files are written, but not its record" in line
    assert (root / "planned" / "plan.csv").exists()
    said = call("plan", *EXPORT, "target=5e5", "out=planned", "tracking.required=true", at=root, status=1).stderr
    assert "tracking.required=false makes this a warning" in said
    (root / "mlflow.db").unlink()
    assert "warning" not in call("plan", *EXPORT, "target=5e5", "out=planned", at=root).stderr
