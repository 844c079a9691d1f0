"""The files about people: always there, and without names where people are hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipeforecast.errors import SettingsError
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.people import biases
from pipeforecast.people.added import COLUMNS as ADDED
from pipeforecast.people.bias import COLUMNS as BIAS
from pipeforecast.sections import ReportSettings
from pipeforecast.workflow.people import Shown, people_names, people_told, shown_people, team_of, write_people
from stories import tell

REPLAY = pd.DataFrame({
    "as_of": [pd.Timestamp("2024-01-30")] * 2, "day_of_period": 30, "period": "2024Q1", "level": "total",
    "group": "total", "method": ["rep_call", "model"], "mean": [120.0, 110.0], "actual": 100.0,
})  # fmt: skip
PROOF: Any = SimpleNamespace(rows=REPLAY)


@pytest.fixture
def run(company_history: DealHistory, as_of: pd.Timestamp) -> Any:
    return SimpleNamespace(known=company_history.known_by(as_of), calendar=FiscalCalendar(), as_of=as_of)


def shown(run: Any, **told: Any) -> Shown:
    return shown_people(run.known, ReportSettings(**told), run.as_of)


def test_people_and_what_they_add_are_written_and_told(run: Any, tmp_path: Path) -> None:
    lines = write_people(people_told(run, PROOF), shown(run), tmp_path)
    assert lines[0] == ""
    assert lines[1].startswith("Calls of reps missed by 20 % of revenue, the model's by 10 % (10 points better")
    people = pd.read_csv(tmp_path / "people.csv")
    assert tuple(people.columns) == ("person", "person_name", *BIAS[1:])
    assert people["person_name"].notna().all()  # managers and the executive too, who own no deal
    assert people["person"].tolist() == biases(run.known, run.calendar, run.as_of)["person"].tolist()
    assert tuple(pd.read_csv(tmp_path / "value_added.csv").columns) == ADDED


def test_hidden_people_are_numbered_as_the_report_numbers_them(run: Any, tmp_path: Path) -> None:
    known = biases(run.known, run.calendar, run.as_of)["person"].tolist()
    hidden = shown(run, people="anonymous")
    lines = write_people(people_told(run, PROOF), hidden, tmp_path, {known[1]: 7})
    written = pd.read_csv(tmp_path / "people.csv")
    assert written["person_name"].isna().all()
    assert written["person"].tolist()[:3] == ["Person 8", "Person 7", "Person 9"]
    text = " ".join([(tmp_path / n).read_text(encoding="utf-8") for n in ("people.csv", "value_added.csv")] + lines)
    assert [p for p in known if p in text] == []


def test_without_calls_and_without_a_proof_the_files_are_empty(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(known=tell([]), calendar=FiscalCalendar(), as_of=pd.Timestamp("2024-01-30"))
    assert write_people(people_told(run, None), shown(run), tmp_path) == []
    for name, columns in (("people.csv", ("person", "person_name", *BIAS[1:])), ("value_added.csv", ADDED)):
        table = pd.read_csv(tmp_path / name)
        assert table.empty
        assert tuple(table.columns) == columns


SINCE = pd.to_datetime(["2023-01-01", "2023-01-01", "2024-01-01", "2023-01-01", "2023-01-01"])
LINE = pd.DataFrame(
    {"owner": ["ada", "bo", "ada", "cy", "dan"], "manager": ["eve", "eve", "fay", "fay", "gil"], "valid_from": SINCE}
)
ABOVE = pd.DataFrame({"owner": ["eve", "fay"], "manager": "head", "valid_from": pd.NaT})
PEOPLE = pd.DataFrame({"person": ["eve", "fay", "ada"], "person_name": ["Eve Lund", "Fay Obi", "Ada Osei"]})


def _with_line(line: pd.DataFrame) -> DealHistory:
    return replace(tell([]), tables={"reporting_line": line, "people": PEOPLE})


def test_a_team_is_whoever_reports_to_the_manager_on_that_evening() -> None:
    history = _with_line(pd.concat([LINE, ABOVE]))
    names = people_names(history)
    told = {
        day: team_of(history, "eve", pd.Timestamp(day), names) - {"Eve Lund"} for day in ("2023-06-01", "2024-06-01")
    }
    assert told == {"2023-06-01": {"eve", "ada", "bo"}, "2024-06-01": {"eve", "bo"}}
    by_name = team_of(history, "Eve Lund", pd.Timestamp("2024-06-01"), names)
    assert {"eve", "bo"} <= by_name
    assert not {"ada", "cy", "fay"} & by_name
    everybody = team_of(history, "head", pd.Timestamp("2024-06-01"), names)
    assert everybody == {"head", "eve", "fay", "ada", "bo", "cy"}


def test_nobody_reports_to_a_stranger() -> None:
    with pytest.raises(SettingsError, match=r"somebody to whom others report \('eve', 'fay', 'gil'\), came 'nobody'"):
        team_of(_with_line(LINE), "nobody", pd.Timestamp("2023-06-01"), {})
    with pytest.raises(SettingsError, match="no reporting line"):
        team_of(tell([]), "eve", pd.Timestamp("2023-06-01"), {})


def test_only_the_own_team_is_named() -> None:
    run: Any = SimpleNamespace(known=_with_line(LINE), as_of=pd.Timestamp("2024-06-01"))
    who = shown(run, people="own_team", manager="fay")
    assert [p for p in ("ada", "bo", "cy", "eve", "fay") if who.may(p)] == ["ada", "cy", "fay"]
    assert who.named() == {"ada": "Ada Osei", "fay": "Fay Obi"}
    table = pd.DataFrame({"level": ["owner", "owner", "region"], "group": ["ada", "eve", "ada"], "mean": 1.0})
    beside = who.beside_groups(table)
    assert list(beside) == ["level", "group", "group_name", "mean"]
    assert beside["group_name"].fillna("").tolist() == ["Ada Osei", "", ""]


def test_a_team_needs_its_manager() -> None:
    for told in ({"people": "own_team"}, {"manager": "eve"}, {"people": "anonymous", "manager": "eve"}):
        with pytest.raises(ValueError, match="go together"):
            ReportSettings(**told)
