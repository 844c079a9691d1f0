"""A scenario as a user names it: settings that are judged, files beside the forecast's, and a forecast left alone."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.errors import SettingsError
from pipeforecast.kinds import CombineScenario, NoScenario, SlipScenario, WinRateScenario
from pipeforecast.overrides import composed
from pipeforecast.report.brief import what_if_words
from pipeforecast.scenario import SCENARIO_COLUMNS
from pipeforecast.settings import ForecastSettings, settings_for


def told_of(*words: str) -> ForecastSettings:
    settings = settings_for("forecast", composed("forecast", ["source=x", *words]))
    assert isinstance(settings, ForecastSettings)
    return settings


def refused(scenario: Any) -> str:
    with pytest.raises(SettingsError) as said:
        settings_for("forecast", {"crm": {"name": "generic"}, "source": "x", "scenario": scenario})
    return str(said.value)


# Settings


def test_nothing_is_assumed_unless_it_is_asked_for() -> None:
    assert told_of().scenario == NoScenario()


def test_values_of_a_ready_file_can_be_overridden() -> None:
    assert told_of("scenario=win_rate_down").scenario.model_dump()["factor"] == 0.8
    told = told_of("scenario=win_rate_down", "scenario.factor=0.9", "scenario.where={segment: [SMB, 2]}").scenario
    assert told == WinRateScenario(name="win_rate_down", factor=0.9, where={"segment": ("SMB", "2")})
    leaves = told_of("scenario=rep_leaves", "scenario.owner=ann", "scenario.day=2024-03-01").scenario.model_dump()
    assert (leaves["owner"], leaves["day"]) == (("ann",), dt.date(2024, 3, 1))


def test_who_leaves_has_to_be_said() -> None:
    with pytest.raises(SettingsError, match=r"scenario.owner: nothing was given; say scenario.owner=VALUE"):
        told_of("scenario=rep_leaves")


def test_a_scenario_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "configs" / "scenario").mkdir(parents=True)
    own = "kind: combine\nname: bad_quarter\nparts:\n- {kind: win_rate, factor: 0.9}\n- {kind: slip, days: 7}\n"
    (tmp_path / "configs" / "scenario" / "bad_quarter.yaml").write_text(own)
    monkeypatch.chdir(tmp_path)
    told = told_of("scenario=bad_quarter").scenario
    assert isinstance(told, CombineScenario)
    assert told.title == "bad_quarter"
    assert told.parts == (WinRateScenario(factor=0.9), SlipScenario(days=7))


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"kind": "recession"}, "scenario.kind: expected one of 'none', 'win_rate', 'slip'"),
        ({"kind": "slip", "dayz": 3}, "scenario.days: nothing was given"),
        ({"kind": "slip", "days": 3, "wher": {}}, "scenario.wher: there is no such setting; did you mean 'where'?"),
        ({"kind": "slip", "days": 1000}, "scenario.days: expected less than or equal to 365, came 1000"),
        ({"kind": "slip", "days": 3, "where": {"segment": []}}, "scenario.where.segment: "),
        ({"kind": "slip", "days": 3, "name": "../../etc"}, "scenario.name: "),
        ({"kind": "win_rate"}, "scenario: expected one of factor and points, came factor=None, points=None"),
        ({"kind": "win_rate", "factor": 0.9, "points": 3}, "expected one of factor and points"),
        ({"kind": "win_rate", "factor": 0}, "scenario.factor: expected greater than 0, came 0"),
        ({"kind": "capacity"}, "scenario: expected owner or where, came neither"),
        ({"kind": "capacity", "owner": "a", "day": 20240301}, "scenario.day: expected a day written YYYY-MM-DD"),
        ({"kind": "extra_pipeline", "amount": 1, "deals": 2, "average_amount": 3}, "expected deals or average_amount"),
        ({"kind": "combine", "parts": []}, "scenario.parts: expected at least one, came none"),
        (
            {"kind": "combine", "parts": [{"kind": "slip", "days": 3, "wher": {}}]},
            "scenario.parts.0.wher: there is no such setting; did you mean 'where'?",
        ),
        ({"kind": "combine", "parts": [{"kind": "none"}]}, "expected one of 'win_rate', 'slip'"),
    ],
)
def test_what_cannot_be_meant_is_refused(scenario: Any, said: str) -> None:
    assert said in refused(scenario)


# Files


def lines_of(folder: Path, method: str) -> list[bytes]:
    return [line for line in (folder / "forecast.csv").read_bytes().splitlines() if f",{method},".encode() in line]


def test_the_forecast_and_its_proof_stay_as_they_are(told: Any, tmp_path: Path) -> None:
    plain = told("forecast", f"out={tmp_path}/plain")
    said = workflow.forecast(plain)
    asked = told("forecast", f"out={tmp_path}/asked", "scenario=downturn")
    beside = workflow.forecast(asked)
    files = {p.name for p in plain.out.iterdir()}
    assert {p.name for p in asked.out.iterdir()} == files | {"scenario.csv"}
    for name in files - {"forecast.csv", "summary.md", "report.html"}:
        assert (asked.out / name).read_bytes() == (plain.out / name).read_bytes(), name
    before, after = ((s.out / "forecast.csv").read_bytes() for s in (plain, asked))
    assert after.startswith(before)
    ahead = 1 + plain.ahead  # the scenario is told for the first period alone
    assert ahead * len(lines_of(asked.out, "scenario:downturn")) == len(lines_of(asked.out, "model")) >= 7
    assert not lines_of(plain.out, "scenario:downturn")
    (words,) = set(beside.splitlines()) - {x for x in beside.splitlines() if not x.startswith("If ")}
    assert words.startswith("If downturn: on average ")
    assert "If " not in said
    assert words.split(":")[0] in (asked.out / "summary.md").read_text()
    page = (asked.out / "report.html").read_text()
    section = re.search(r'<section id="what-if".*?</section>\n', page, re.DOTALL)
    assert section is not None
    assert "downturn" in section[0]
    alone = re.sub(r'\s*<a href="#what-if">.*?</a>', "", page.replace(section[0], ""))
    assert alone.split() == (plain.out / "report.html").read_text().split()


def test_the_table_of_a_scenario_agrees_with_the_forecast(told: Any, tmp_path: Path) -> None:
    workflow.forecast(told("forecast", "proof=none", "scenario=slip_two_weeks"))
    table, forecast = (pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("scenario", "forecast"))
    assert [c for c in table if c != "group_name"] == list(SCENARIO_COLUMNS)
    cell = ["level", "group", "part"]
    for method, prefix in (("model", "base_"), ("scenario:slip_two_weeks", "")):
        first = forecast["period"] == forecast["period"].iloc[0]
        rows = forecast[first & (forecast["method"] == method)].set_index(cell)[["mean", "p10", "p90"]]
        own = table.set_index(cell)[[f"{prefix}{c}" for c in rows]].set_axis(list(rows), axis=1)
        pd.testing.assert_frame_equal(own, rows, check_dtype=False)
    assert (table["difference"] - (table["mean"] - table["base_mean"])).abs().max() < 1e-4
    assert table["difference"].min() < 0


def test_what_is_not_there_is_refused_before_anything_is_written(told: Any, tmp_path: Path) -> None:
    settings = told("forecast", "scenario=rep_leaves", "scenario.owner=anne")
    with pytest.raises(SettingsError, match=r"'ann', 'bob'.*came 'anne'; did you mean 'ann'"):
        workflow.forecast(settings)
    assert not (tmp_path / "out").exists()
    with pytest.raises(SettingsError, match="expected a model of deals"):
        workflow.forecast(told("forecast", "model=rule", "model.name=stage_rate", "scenario=price_up"))


def test_who_is_named_is_not_recorded(told: Any, tmp_path: Path) -> None:
    store = ["tracking=local", f"tracking.uri=sqlite:///{tmp_path}/runs.db"]
    people = ["scenario=rep_leaves", "scenario.owner=ann", "scenario.where={stage: Proposal}"]
    workflow.forecast(told("forecast", "proof=none", *people, *store))
    held = (tmp_path / "runs.db").read_bytes()
    assert b"scenario.kept" in held
    assert b"scenario.owner" not in held
    assert b"scenario.where" not in held


def test_words_say_what_is_assumed_and_what_it_costs() -> None:
    row = {
        "scenario": "downturn", "base_mean": 2.81e6, "mean": 2.61e6, "difference": -0.2e6,
        "difference_p10": -0.35e6, "difference_p90": 0.08e6,
    }  # fmt: skip
    assert what_if_words(row, "EUR") == (
        "If downturn: on average 2.61 M EUR instead of 2.81 M (−200 k; 80 % of draws: −350 k to +80.0 k)"
    )
