"""The verbs called as functions: which period, which past days, how much of the proof, in which order the findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.errors import SettingsError
from pipeforecast.learning import LEARNING_COLUMNS
from tables import rows, written


def total(folder: Path) -> pd.Series:
    table = pd.read_csv(folder / "out" / "forecast.csv")
    return table[(table["part"] == "total") & (table["method"] == "model")].iloc[0]


@pytest.mark.parametrize(
    ("as_of", "period"), [("2023-06-29", "2023Q2"), ("2023-06-30", "2023Q3"), ("2023-07-01", "2023Q3")]
)
def test_on_the_last_evening_of_a_period_the_next_one_is_forecast(told, tmp_path: Path, as_of: str, period: str):
    workflow.forecast(told("forecast", f"as_of={as_of}", "proof=none"))
    assert total(tmp_path)["period"] == period
    assert total(tmp_path)["as_of"] == as_of


def test_a_forecast_of_a_past_day_sees_nothing_written_later(told, tmp_path: Path):
    """What was written after as_of may say anything: no number of the forecast moves."""
    workflow.forecast(told("forecast", "as_of=2023-03-31", "proof=none"))
    before = (tmp_path / "out" / "forecast.csv").read_bytes()
    later = rows()
    closed_later = pd.to_datetime(later["closed_at"]) > pd.Timestamp("2023-03-31")
    later.loc[closed_later, "outcome"] = "lost"
    later = later[pd.to_datetime(later["created_at"]) < pd.Timestamp("2023-10-01")]
    written(tmp_path, later)
    workflow.forecast(told("forecast", "as_of=2023-03-31", "proof=none"))
    assert (tmp_path / "out" / "forecast.csv").read_bytes() == before


def test_check_counts_what_it_lists(told, tmp_path: Path):
    said = workflow.check(told("check"))
    found = pd.read_csv(tmp_path / "out" / "findings.csv")
    counts = found["severity"].value_counts()
    assert f"findings: {counts.get('error', 0)} errors, {counts.get('warning', 0)} warnings" in said
    order = found["severity"].map({"error": 0, "warning": 1, "info": 2})
    assert order.is_monotonic_increasing
    tie = pd.read_csv(tmp_path / "out" / "tie.csv")
    assert tie["raw_count"].sum() == len(rows())
    assert tie["raw_amount"].sum() == pytest.approx(rows()["amount"].sum())


def test_train_scores_the_model_beside_what_is_used_today(told, tmp_path: Path):
    workflow.train(told("train"))
    table = pd.read_csv(tmp_path / "out" / "evaluation.csv")
    assert {"hazard", "stage_rate", "base_rate"} <= set(table["model"])
    assert {"log_loss", "brier", "auc", "calibration_slope", "calibration_error"} <= set(table["score"])
    assert len(set(table.loc[table["split"] == "later periods", "n"])) == 1
    assert list(pd.read_csv(tmp_path / "out" / "learning_curve.csv").columns) == list(LEARNING_COLUMNS)
    bins = pd.read_csv(tmp_path / "out" / "calibration.csv")
    assert bins.groupby(["model", "split"])["n"].sum().loc["hazard", "later periods"] == table["n"].max()
    known = table.dropna(subset=["lower", "upper"])
    assert ((known["lower"] <= known["value"]) & (known["value"] <= known["upper"])).mean() > 0.9


def test_the_learning_curve_can_be_left_out(told, tmp_path: Path):
    workflow.train(told("train", "learning_curve=false"))
    assert (tmp_path / "out" / "evaluation.csv").exists()
    assert not (tmp_path / "out" / "learning_curve.csv").exists()


def test_train_refuses_a_rule(told):
    with pytest.raises(SettingsError, match="model=hazard"):
        workflow.train(told("train", "model=rule", "model.name=stage_rate"))


@pytest.mark.parametrize(
    ("calendar", "names", "days"),
    [
        ("quarter", ["2023Q3", "2023Q4", "2024Q1", "2024Q2"], 92),
        ("month", ["2023M08", "2023M09", "2023M10", "2023M11"], 31),
        ("year", ["2023", "2024", "2025", "2026"], 365),
        ("weeks_445", ["2023Q3", "2023Q4", "2024Q1", "2024Q2"], 91),
        ("fiscal_february", ["2024Q3", "2024Q4", "2025Q1", "2025Q2"], 92),
    ],
)
def test_this_period_and_the_next_three_of_any_calendar(
    told, tmp_path: Path, calendar: str, names: list[str], days: int
):
    workflow.forecast(told("forecast", "as_of=2023-08-14", "proof=none", f"calendar={calendar}"))
    table = pd.read_csv(
        tmp_path / "out" / "forecast.csv", dtype={"period": str}, parse_dates=["period_start", "period_end"]
    )
    model = table[table["method"] == "model"]
    assert list(dict.fromkeys(model["period"])) == names
    first = model[model["period"] == names[0]].iloc[0]
    assert first["period_start"] <= pd.Timestamp("2023-08-15") <= first["period_end"]
    assert (first["period_end"] - first["period_start"]).days + 1 == days
    by_part = model[model["level"] == "total"].pivot_table(index="period", columns="part", values="mean")
    parts = by_part[["won", "open_due", "open_pulled_in", "new"]]
    np.testing.assert_allclose(by_part["total"], parts.sum(axis=1), rtol=1e-6)
    assert (parts.to_numpy() >= 0).all()
    assert (by_part.loc[names[1:], "won"] == 0).all()  # nothing is won in a period that has not begun
    assert (by_part.loc[names[1:], "new"] > 0).all()


def test_amounts_below_nothing_and_beyond_belief_are_found_and_forecast(told, tmp_path: Path):
    table = rows()
    at = np.flatnonzero(table["outcome"].isna() | (table["outcome"] == "open"))
    assert len(at) > 2
    table["amount"] = table["amount"].astype("float64")
    table.loc[table.index[at[0]], "amount"] = -7000.0
    table.loc[table.index[at[1]], "amount"] = 1e14
    written(tmp_path, table)
    workflow.forecast(told("forecast", "proof=none", "ahead=0"))
    out = pd.read_csv(tmp_path / "out" / "forecast.csv")
    assert np.isfinite(out.loc[out["method"] == "model", ["mean", "p10", "p90"]].to_numpy()).all()
    found = pd.read_csv(tmp_path / "out" / "findings.csv")
    assert found["code"].str.contains("AMOUNT|NEGATIVE|ENORMOUS|OUTLIER").any(), sorted(found["code"])
