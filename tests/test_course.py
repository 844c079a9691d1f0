"""The running period day by day: what was won by when, and what would have been said on its earlier evenings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeforecast import workflow
from pipeforecast.course import won_by_day
from pipeforecast.fiscal import FiscalCalendar
from stories import day, deal, tell

#: Day 45 of the second quarter.
EVENING = "as_of=2023-05-15"


def total(folder: Path) -> pd.Series:
    table = pd.read_csv(folder / "forecast.csv")
    return table[(table["part"] == "total") & (table["level"] == "total") & (table["method"] == "model")].iloc[0]


def course(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "course.csv").set_index("day_of_period")


def test_an_earlier_day_says_what_a_forecast_of_that_evening_says(told, tmp_path: Path):
    """Days of lessons and of the proof that have passed; the same mean, although more is known by now."""
    workflow.forecast(told("forecast", EVENING, "origins.days=[0,45]"))
    seen = course(tmp_path / "out")
    assert seen.index.tolist() == [0, 15, 30]
    assert (seen["period"] == "2023Q2").all()
    assert (seen["p10"] <= seen["p90"]).all()
    workflow.forecast(told("forecast", "as_of=2023-04-30", "origins.days=[0,45]", f"out={tmp_path / 'then'}"))
    then = total(tmp_path / "then")
    assert (then["period"], then["as_of"]) == ("2023Q2", seen.loc[30, "as_of"])
    np.testing.assert_allclose(seen.loc[30, "mean"], then["mean"], rtol=1e-9)
    pd.testing.assert_series_equal(course(tmp_path / "then").loc[15], seen.loc[15])


def test_the_running_period_is_no_part_of_the_proof(told, tmp_path: Path):
    """It is not over: its earlier days are told and never scored, and today's forecast does not learn from them."""
    workflow.forecast(told("forecast", EVENING))
    assert "2023Q2" not in set(pd.read_csv(tmp_path / "out" / "backtest.csv")["period"])
    assert len(course(tmp_path / "out"))
    first = [(tmp_path / "out" / f"{name}.csv").read_bytes() for name in ("forecast", "backtest_scores", "course")]
    workflow.forecast(told("forecast", EVENING, "proof.budget_s=0"))  # all is stored
    again = [(tmp_path / "out" / f"{name}.csv").read_bytes() for name in ("forecast", "backtest_scores", "course")]
    assert again == first


def test_without_a_budget_the_page_says_what_is_missing(told, tmp_path: Path):
    workflow.forecast(told("forecast", EVENING, "proof=none"))
    assert course(tmp_path / "out").empty
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "No earlier forecasts of 2023Q2 to show yet" in page
    assert "No past periods have been replayed yet" in page


def test_a_period_that_has_not_begun_has_no_course(told, tmp_path: Path):
    workflow.forecast(told("forecast", EVENING, "period=2023Q4"))
    assert course(tmp_path / "out").empty
    assert "2023Q4 has not begun" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_what_was_won_adds_up_by_the_true_day():
    """Written late counts on its true day; dated ahead counts today; lost and reopened count for nothing."""
    opened = ("2024-01-02", {"amount": 100.0})
    history = tell([
        deal("a", opened, ("2024-04-10", {"status": "won", "closed_at": "2024-04-03", "amount": 40.0})),
        deal("b", opened, ("2024-04-12", {"status": "won"})),
        deal("c", opened, ("2024-04-20", {"status": "won", "closed_at": "2024-05-30", "amount": 7.0})),
        deal("d", opened, ("2024-04-05", {"status": "lost"})),
        deal("e", opened, ("2024-04-05", {"status": "won"}), ("2024-04-06", {"status": "open"})),
        deal("f", opened, ("2024-03-31", {"status": "won", "amount": 5.0})),
    ])  # fmt: skip
    calendar = FiscalCalendar()
    now = calendar.named("2024Q2")
    told = won_by_day(history, [*calendar.before(now, 1), now], day("2024-04-25"))
    first, second = (told[(told["period"] == name).to_numpy()] for name in ("2024Q1", "2024Q2"))
    assert first[["day_of_period", "won"]].to_numpy().tolist() == [[0, 0], [91, 5]]
    assert second[["day_of_period", "won"]].to_numpy().tolist() == [[0, 0], [3, 40], [12, 140], [25, 147]]
    assert won_by_day(history, [calendar.named("2024Q3")], day("2024-04-25")).empty
