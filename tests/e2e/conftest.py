from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
from whole import MARKER, PROVEN, SMALL, VERBS, Ran, Refused, call

from pipeforecast.cli import main
from pipeforecast.demo import make_company


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Every verb, once, on one small company whose people and accounts carry a marker."""
    root = tmp_path_factory.mktemp("ran")
    make_company(n_deals=700, seed=2).write(root / "company")
    _plant_markers(root / "company")
    said, told = {}, {}
    own = {
        "check": (), "forecast": (*PROVEN, "version=fit"), "score": ("version=champion",),
        "metrics": ("by=[owner,deal_type]", "periods=5"), "audit": ("criteria=bant",), "plan": ("target=500000",),
        "thresholds": ("lead.random_split=false", "cost_per_contact=30", "value_per_conversion=900"),
    }  # fmt: skip
    for verb in VERBS:
        small = own.get(verb, SMALL)
        done = call(verb, "crm=salesforce", "source=company", f"out={verb}", *small, at=root)
        said[verb], told[verb] = done.stdout, done.stderr
    return Ran(root, said, told)


def _plant_markers(company: Path) -> None:
    for name, columns in {
        "User.csv": ["Name", "Email"], "Lead.csv": ["Name", "Email", "Company"], "Account.csv": ["Name"],
        "Opportunity.csv": ["Name", "NextStep"],
    }.items():  # fmt: skip
        table = pd.read_csv(company / name, dtype="string", keep_default_na=False)
        for column in columns:
            assert column in table, (name, column)
            # A formula too: a spreadsheet that opens a file of results must show it and not run it.
            table[column] = "=" + MARKER + " " + column + " " + pd.Series(range(len(table))).astype(str)
        table.to_csv(company / name, index=False)


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Make a call that must be refused: a line or two, its status, nothing written; gives what was said."""

    def refuse(*words: str, status: int = 1) -> str:
        before = sorted(tmp_path.rglob("*"))
        with chdir(tmp_path):
            found = main([*words, "tracking=off"])
        out, err = capsys.readouterr()
        assert found == status, err
        assert out == ""
        assert "Traceback" not in err
        assert "unexpected" not in err
        lines = [line for line in err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, err
        after = err[err.index("error: ") :].rstrip()
        assert len(after.splitlines()) <= 2
        assert len(after) <= 600
        assert sorted(tmp_path.rglob("*")) == before
        return after.removeprefix("error: ")

    return refuse
