from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.thresholds import ALL, Asked, Terms, findings_of, studied
from pipeforecast.thresholds.stability import history, inflation, weekly

DAYS = np.arange("2024-01-07", "2025-01-05", 7, dtype="datetime64[D]")


def test_a_growing_share_is_found_and_dated() -> None:
    rng = np.random.default_rng(0)
    leads = rng.poisson(60, len(DAYS))
    handed = rng.binomial(leads, np.where(np.arange(len(DAYS)) >= 35, 0.35, 0.2))
    found = inflation(DAYS, handed, leads)
    assert found is not None
    assert abs((found.since - DAYS[35]) / np.timedelta64(7, "D")) <= 2
    assert found.before == pytest.approx(0.2, abs=0.03)
    assert found.after == pytest.approx(0.35, abs=0.04)


def test_luck_a_falling_share_and_more_leads_alone_raise_no_alarm() -> None:
    raised = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        leads = rng.poisson(60, len(DAYS))
        raised += inflation(DAYS, rng.binomial(leads, 0.2), leads, seed) is not None
    assert raised <= 1
    rng = np.random.default_rng(1)
    leads = rng.poisson(np.where(np.arange(len(DAYS)) >= 30, 180, 60))
    assert inflation(DAYS, rng.binomial(leads, 0.2), leads) is None
    assert inflation(DAYS, rng.binomial(leads, np.linspace(0.4, 0.1, len(DAYS))), leads) is None
    assert inflation(DAYS, np.zeros(len(DAYS), dtype=int), leads) is None


def test_weeks_are_counted_back_from_the_last_day() -> None:
    as_of = np.array(["2024-01-01", "2024-01-08", "2024-01-09", "2024-01-15"], dtype="datetime64[s]")
    days, counts = weekly(as_of, np.array([0.9, 0.2, 0.5, 0.5]), np.array([0.1, 0.5, 1.0]))
    assert [str(d) for d in days] == ["2024-01-08", "2024-01-15"]
    assert counts.tolist() == [[1, 0, 0, 1], [2, 2, 0, 2]]


def test_no_more_weeks_than_asked_and_every_lead_of_them_once() -> None:
    rng = np.random.default_rng(0)
    as_of = np.datetime64("2024-01-01", "s") + rng.integers(0, 400, 3000).astype("timedelta64[D]")
    days, counts = weekly(as_of, rng.random(3000), np.array([0.0, 0.5]))
    assert len(days) == 26
    day = as_of.astype("datetime64[D]")
    assert counts[:, -1].sum() == (day > day.max() - np.timedelta64(26 * 7, "D")).sum()
    assert (counts[:, 0] == counts[:, -1]).all()
    assert (counts[:, 1] <= counts[:, 0]).all()


def test_a_period_is_judged_by_the_threshold_of_earlier_leads_alone(made) -> None:
    terms, leads = made.asked.terms, made.leads["p"][ALL]
    table = history(leads, "p", terms, FiscalCalendar())
    assert len(table) > 4
    assert table["chosen_before"].isna().tolist() == [True] + [False] * (len(table) - 1)
    assert (table["own_net_per_week"].fillna(0) >= -1e-9).all()
    last = leads.as_of >= leads.as_of.max() - np.timedelta64(80, "D")
    flipped = replace(leads, came=np.where(last, 1 - leads.came, leads.came))
    again = history(flipped, "p", terms, FiscalCalendar())
    pd.testing.assert_series_equal(table["chosen_before"].iloc[:-1], again["chosen_before"].iloc[:-1])
    assert table["net_per_week"].iloc[-1] != again["net_per_week"].iloc[-1]


def test_scores_that_inflate_are_a_finding_with_its_day(scored) -> None:
    leads = scored.leads.copy()
    late = (leads["as_of"] >= "2024-07-01").to_numpy()
    odds = np.log(leads["p"] / (1 - leads["p"]))
    leads.loc[late, "p"] = (1 / (1 + np.exp(-odds - 1.5)))[late]
    made = studied(replace(scored, leads=leads), Asked(Terms(30.0, 200.0)))
    (found,) = (f for f in findings_of(made) if f.code == "SHARE-HANDED-OVER-GREW")
    assert abs((pd.Timestamp(found.examples[0]) - pd.Timestamp("2024-07-01")).days) <= 28
    assert "SHARE-HANDED-OVER-GREW" not in {f.code for f in findings_of(studied(scored, Asked(Terms(30.0, 200.0))))}
