"""The rows of the files: promised columns, chances in their order, and nothing that is not in the forecast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import Period
from pipeforecast.forecast import QUANTILES, DealForecast, Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.results import DEAL_COLUMNS, deal_rows, forecast_rows
from pipeforecast.rules import RULES
from pipeforecast.snapshot import Snapshot

HORIZON = 365
NO_REASONS = pd.DataFrame(columns=["reason_1", "reason_2", "reason_3"])


@pytest.fixture(scope="module")
def made(fitted: FittedPipeline, now: Snapshot, period: Period) -> Forecast:
    return fitted.forecast(now, period, ("segment",))


@pytest.fixture(scope="module")
def table(fitted: FittedPipeline, made: Forecast, now: Snapshot) -> pd.DataFrame:
    reasons = pd.DataFrame({"reason_1": now.open["stage"].astype("object"), "reason_2": None, "reason_3": None})
    return deal_rows(made.period, fitted.deal_forecast(now), now, HORIZON, "v1", reasons)


def test_forecast_rows_are_those_of_every_method(
    made: Forecast, lessons: Lessons, now: Snapshot, period: Period
) -> None:
    rule = RULES["stage_rate"].fit(lessons).forecast(now, period)
    rows = forecast_rows([made, rule], "EUR", 0.75)
    assert {
        "as_of", "period", "period_start", "period_end", "level", "group", "method", "part", "currency", "mean",
        *QUANTILES, "coverage_measured",
    } == set(rows)  # fmt: skip
    assert len(rows) == len(made.cells) + len(rule.cells)
    own = (rows["method"] == "model").to_numpy()
    assert (rows.loc[own, "coverage_measured"] == 0.75).all()
    assert rows.loc[~own, "coverage_measured"].isna().all()
    assert (rows["currency"] == "EUR").all()
    quantiles = rows.loc[own, list(QUANTILES)].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert forecast_rows([made], "EUR", None)["coverage_measured"].isna().all()


def test_deals_are_those_of_the_book_the_largest_first(table: pd.DataFrame, now: Snapshot) -> None:
    ids = now.labels["deal_id"].reindex(now.open["deal"].to_numpy())
    assert sorted(table["deal_id"]) == sorted(ids)
    assert (np.diff(table["expected_amount_in_period"]) <= 0).all()
    owner = dict(zip(ids, now.open["owner"], strict=True))
    assert table["owner"].tolist() == [owner[i] for i in table["deal_id"]]
    assert table["reason_1"].tolist() == table["stage"].tolist()  # each reason stays with its deal
    assert list(table) == list(DEAL_COLUMNS)


def test_chances_of_the_deals_are_in_order(table: pd.DataFrame, as_of: pd.Timestamp) -> None:
    p = table[["p_win", "p_lost", "p_win_in_period"]]
    assert ((p >= 0) & (p <= 1)).all(axis=None)
    assert (table["p_win"] + table["p_lost"] <= 1 + 1e-6).all()
    assert (table["p_win_in_period"] <= table["p_win"] + 1e-9).all()
    days = table[["close_p10", "close_p50", "close_p90"]]
    assert days.notna().all(axis=None)
    assert (days["close_p10"] <= days["close_p50"]).all()
    assert (days["close_p50"] <= days["close_p90"]).all()
    assert (days["close_p90"] <= as_of + pd.Timedelta(days=HORIZON)).all()
    assert (days["close_p10"] >= as_of).all()


def test_a_deal_slips_surely_once_its_day_has_passed(table: pd.DataFrame, as_of: pd.Timestamp) -> None:
    due = table["expected_close"]
    assert (due <= as_of).any()
    assert (table.loc[(due <= as_of).to_numpy(), "p_slip"] == 1.0).all()
    later = table.loc[(due > as_of).to_numpy(), "p_slip"]
    assert ((later > 0) & (later < 1)).all()
    assert (table["p_slip"].isna() == due.isna()).all()


def test_slip_by_hand(made: Forecast, now: Snapshot, as_of: pd.Timestamp) -> None:
    three = now.take(np.arange(3))
    due = pd.Series([as_of + pd.Timedelta(days=10), as_of - pd.Timedelta(days=1), pd.NaT]).astype("datetime64[s]")
    three = replace(three, open=three.open.assign(expected_close=due))
    dates = np.array([as_of.to_datetime64(), (as_of + pd.Timedelta(days=20)).to_datetime64()], dtype="datetime64[s]")
    deals = DealForecast(
        three.open["deal"].to_numpy(), dates, np.tile([0.0, 0.4], (3, 1)), np.zeros((3, 2)), np.array([3.0, 2.0, 1.0])
    )
    rows = deal_rows(made.period, deals, three, HORIZON, "v1", NO_REASONS.reindex(range(3)))
    assert rows["p_slip"].tolist() == pytest.approx([0.8, 1.0, np.nan], nan_ok=True)
    assert rows["p_win"].tolist() == pytest.approx([0.4] * 3)
    assert rows["close_p50"].tolist() == [as_of + pd.Timedelta(days=10)] * 3


def test_an_empty_book_has_the_same_columns(
    fitted: FittedPipeline, table: pd.DataFrame, now: Snapshot, period: Period
) -> None:
    none = now.take(np.zeros(0, dtype=int))
    rows = deal_rows(period, fitted.deal_forecast(none), none, HORIZON, "v1", NO_REASONS)
    assert list(rows) == list(table)
    assert len(rows) == 0
