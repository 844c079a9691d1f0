"""The verb `compare`: both ends are the forecasts of their evenings, and nothing written later moves a bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.tracking import TrackingError
from tables import rows, written

Told = Callable[..., Any]


def bars(folder: Path, out: str = "out") -> pd.Series:
    table = pd.read_csv(folder / out / "waterfall.csv")
    return table[(table["level"] == "total") & (table["measure"] == "forecast")].set_index("cause")["amount"]


def forecast_mean(told: Told, folder: Path, as_of: str, *words: str, out: str = "forecast") -> float:
    workflow.forecast(told("forecast", f"as_of={as_of}", "proof=none", f"out={folder}/{out}", *words))
    table = pd.read_csv(folder / out / "forecast.csv")
    return float(table[(table["method"] == "model") & (table["part"] == "total")]["mean"].iloc[0])


def test_both_ends_are_the_forecasts_of_their_evenings(told: Told, tmp_path: Path) -> None:
    said = workflow.compare(told("compare", "since=2023-04-11", "as_of=2023-05-09"))
    found = bars(tmp_path)
    assert found["start"] == pytest.approx(forecast_mean(told, tmp_path, "2023-04-11"))
    assert found["end"] == pytest.approx(forecast_mean(told, tmp_path, "2023-05-09"))
    assert found.drop("end").sum() == pytest.approx(found["end"])
    assert "2023Q2: from " in said
    assert "What moved it most:" in said


def test_nothing_written_later_moves_a_bar(told: Told, tmp_path: Path) -> None:
    words = ("since=2023-04-11", "as_of=2023-05-09")
    workflow.compare(told("compare", *words))
    before = (tmp_path / "out" / "waterfall.csv").read_bytes()
    table = rows()
    late = pd.to_datetime(table["closed_at"]) > pd.Timestamp("2023-05-09")
    table.loc[late, "outcome"] = "lost"
    written(tmp_path, table[pd.to_datetime(table["created_at"]) < pd.Timestamp("2023-10-01")])
    workflow.compare(told("compare", *words))
    assert (tmp_path / "out" / "waterfall.csv").read_bytes() == before


def test_what_was_written_between_the_evenings_leaves_the_start(told: Told, tmp_path: Path) -> None:
    words = ("since=2023-04-11", "as_of=2023-05-09")
    workflow.compare(told("compare", *words))
    before = bars(tmp_path)
    table = rows()
    closed = pd.to_datetime(table["closed_at"])
    between = (closed > pd.Timestamp("2023-04-11")) & (closed <= pd.Timestamp("2023-05-09"))
    table.loc[between, "outcome"] = "lost"
    written(tmp_path, table)
    workflow.compare(told("compare", *words))
    after = bars(tmp_path)
    assert after["start"] == before["start"]
    assert after["won"] == 0 < before["won"]
    assert after["lost"] < before["lost"]


def test_a_week_before_is_the_default(told: Told, tmp_path: Path) -> None:
    workflow.compare(told("compare", "as_of=2023-05-09"))
    table = pd.read_csv(tmp_path / "out" / "waterfall.csv")
    assert set(table["as_of_from"]) == {"2023-05-02"}
    assert set(table["as_of_to"]) == {"2023-05-09"}
    assert set(table["period"]) == {"2023Q2"}


def test_a_folder_of_an_earlier_forecast_names_evening_and_period(told: Told, tmp_path: Path) -> None:
    mean = forecast_mean(told, tmp_path, "2023-04-11", "period=2023Q3", out="earlier")
    said = workflow.compare(told("compare", f"since={tmp_path}/earlier", "as_of=2023-05-09"))
    table = pd.read_csv(tmp_path / "out" / "waterfall.csv")
    assert set(table["as_of_from"]) == {"2023-04-11"}
    assert set(table["period"]) == {"2023Q3"}
    assert bars(tmp_path)["start"] == pytest.approx(mean)
    assert "The forecast of 2023-04-11 said" in said
    with pytest.raises(DataError, match=r"forecast\.csv of an earlier forecast"):
        workflow.compare(told("compare", f"since={tmp_path}/nowhere"))


def test_a_recorded_run_names_evening_and_period(told: Told, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    store = ("tracking=local", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db", "version=fit")
    mean = forecast_mean(told, tmp_path, "2023-04-11", *store)
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("pipeforecast").experiment_id])
    said = workflow.compare(told("compare", f"since=run:{run.info.run_id}", "as_of=2023-05-09", *store))
    assert bars(tmp_path)["start"] == pytest.approx(mean)
    assert "The forecast of 2023-04-11 said" in said
    made = client.search_runs([client.get_experiment_by_name("pipeforecast").experiment_id])
    (own,) = (r for r in made if r.info.run_name == "compare")
    assert own.data.tags["since"] == "2023-04-11"
    assert "since" not in own.data.params
    assert own.data.metrics["compare.start"] == pytest.approx(mean)
    with pytest.raises(TrackingError, match="0123"):
        workflow.compare(told("compare", "since=run:0123", *store))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["since=2023-05-09", "as_of=2023-05-09"], "to the day before as_of 2023-05-09"),
        (["since=2001-01-01"], "the first on which anything was written"),
        (["as_of=2023-05-09", "period=2023Q1"], "2023Q1 ended on 2023-03-31"),
        (["model=rule", "model.name=stage_rate"], "expected a model of deals"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(told: Told, words: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        workflow.compare(told("compare", *words))


def test_the_last_evening_of_a_period_may_be_compared(told: Told, tmp_path: Path) -> None:
    """Then nothing is left to be created, and what is not won by now can only have been written late."""
    workflow.compare(told("compare", "since=2023-06-20", "as_of=2023-06-30", "period=2023Q2"))
    found = bars(tmp_path)
    won = rows()
    closed = pd.to_datetime(won["closed_at"]).between("2023-04-01", "2023-06-30")
    assert found["new_business"] <= 0
    assert found["end"] >= won.loc[closed & (won["outcome"] == "won"), "amount"].sum()


def test_the_first_days_of_a_company_can_be_compared(told: Told, tmp_path: Path) -> None:
    said = workflow.compare(told("compare", "since=2022-01-03", "as_of=2022-01-04"))
    found = bars(tmp_path)
    assert found.drop("end").sum() == pytest.approx(found["end"])
    assert "Open deals without a known amount count as 0 in the pipeline: 1 on 2022-01-03" in said


def test_a_forecast_says_what_changed_since_as_compare_does(told: Told, tmp_path: Path) -> None:
    workflow.compare(told("compare", "since=2023-04-11", "as_of=2023-05-09"))
    workflow.forecast(told("forecast", "since=2023-04-11", "as_of=2023-05-09", "proof=none", f"out={tmp_path}/now"))
    pd.testing.assert_series_equal(bars(tmp_path, "now"), bars(tmp_path))
    page = (tmp_path / "now" / "report.html").read_text(encoding="utf-8")
    assert "What changed since 11\u00a0Apr\u00a02023" in page
    workflow.forecast(told("forecast", "as_of=2023-05-09", "proof=none", f"out={tmp_path}/plain"))
    assert not (tmp_path / "plain" / "waterfall.csv").exists()
