"""The files about people: always there, and without names where people are hidden."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.people import biases
from pipeforecast.people.added import COLUMNS as ADDED
from pipeforecast.people.bias import COLUMNS as BIAS
from pipeforecast.sections import ReportSettings
from pipeforecast.workflow.people import people_told, write_people
from stories import tell

REPLAY = pd.DataFrame({
    "as_of": [pd.Timestamp("2024-01-30")] * 2, "day_of_period": 30, "period": "2024Q1", "level": "total",
    "group": "total", "method": ["rep_call", "model"], "mean": [120.0, 110.0], "actual": 100.0,
})  # fmt: skip
PROOF: Any = SimpleNamespace(rows=REPLAY)


@pytest.fixture
def run(company_history: DealHistory, as_of: pd.Timestamp) -> Any:
    return SimpleNamespace(known=company_history.known_by(as_of), calendar=FiscalCalendar(), as_of=as_of)


def test_people_and_what_they_add_are_written_and_told(run: Any, tmp_path: Path) -> None:
    lines = write_people(people_told(run, PROOF), ReportSettings(), tmp_path)
    assert lines[0] == ""
    assert lines[1].startswith("Calls of reps missed by 20 % of revenue, the model's by 10 % (10 points better")
    people = pd.read_csv(tmp_path / "people.csv")
    assert tuple(people.columns) == BIAS
    assert people["person"].tolist() == biases(run.known, run.calendar, run.as_of)["person"].tolist()
    assert tuple(pd.read_csv(tmp_path / "value_added.csv").columns) == ADDED


def test_hidden_people_are_numbered_as_the_report_numbers_them(run: Any, tmp_path: Path) -> None:
    known = biases(run.known, run.calendar, run.as_of)["person"].tolist()
    hidden = ReportSettings(people="anonymous")
    lines = write_people(people_told(run, PROOF), hidden, tmp_path, {known[1]: 7})
    shown = pd.read_csv(tmp_path / "people.csv")["person"].tolist()
    assert shown[:3] == ["Person 8", "Person 7", "Person 9"]
    text = " ".join([(tmp_path / n).read_text(encoding="utf-8") for n in ("people.csv", "value_added.csv")] + lines)
    assert [p for p in known if p in text] == []


def test_without_calls_and_without_a_proof_the_files_are_empty(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(known=tell([]), calendar=FiscalCalendar(), as_of=pd.Timestamp("2024-01-30"))
    assert write_people(people_told(run, None), ReportSettings(), tmp_path) == []
    for name, columns in (("people.csv", BIAS), ("value_added.csv", ADDED)):
        table = pd.read_csv(tmp_path / name)
        assert table.empty
        assert tuple(table.columns) == columns
