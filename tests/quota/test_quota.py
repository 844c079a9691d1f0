"""Quotas beside a forecast: METRICS by hand, laws of the chance to reach them, and tables as people write them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import DealForecast, Forecast, cells_of
from pipeforecast.history import DealHistory
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.quota import (
    QUOTA_COLUMNS,
    attainment,
    chance,
    coverage,
    more_pipeline,
    opportunities_needed,
    pipeline_needed,
    quotas_of,
    targets_of,
)
from pipeforecast.report.target import quota_words
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import MUTATIONS, Deal, day, tell

CALENDAR = FiscalCalendar()
PERIOD = CALENDAR.named("2024Q2")
AS_OF = day("2024-05-07")


def test_the_worked_examples() -> None:
    assert coverage(900_000, 500_000, 200_000) == 3.0
    assert pipeline_needed(500_000, 200_000, 0.25) == 1_200_000
    assert opportunities_needed(500_000, 200_000, 50_000, 0.25) == 24
    assert attainment(500_000, 400_000) == 1.25


@pytest.mark.parametrize("quota", [-5.0, 0.0, 100.0])
def test_what_is_reached_or_cannot_be_divided_is_undefined(quota: float) -> None:
    assert math.isnan(coverage(10.0, quota, 100.0))
    assert math.isnan(pipeline_needed(quota, 100.0, 0.5))
    assert math.isnan(attainment(10.0, min(quota, 0.0)))
    for rate in (0.0, math.nan):
        assert math.isnan(pipeline_needed(200.0, 100.0, rate))
    assert math.isnan(opportunities_needed(200.0, 100.0, 0.0, 0.5))


# The chance, and the pipeline that it takes


def drawn(n: int, p: float, size: float, draws: int = 2000, seed: int = 1) -> scipy.sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    return scipy.sparse.csr_matrix((rng.random((n, draws)) < p) * size)


def summed(opened: scipy.sparse.csr_matrix) -> np.ndarray:
    return np.asarray(opened.sum(axis=0)).ravel()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1e6), st.floats(0, 1e5))
def test_the_chance_falls_as_the_quota_rises_and_a_sure_deal_never_lowers_it(
    draws: list[float], quota: float, more: float
) -> None:
    total = np.array(draws)
    assert chance(total, quota) >= chance(total, quota + more)
    assert chance(total + more, quota) >= chance(total, quota)
    assert 0 <= chance(total, quota) <= 1


def test_a_quota_that_is_met_to_the_cent_is_reached() -> None:
    assert chance(np.full(9, 0.1 + 0.2), 0.3) == 1.0
    assert chance(np.full(9, 0.29), 0.3) == 0.0


def test_pipeline_needed_is_found_by_trying_it() -> None:
    """40 deals of 10 at ½ bring 200 on average; 300 ask for more of them: so many more reach it in 4 of 5 draws."""
    opened = drawn(40, 0.5, 10.0, draws=8000)
    more = more_pipeline(summed(opened), opened, 400.0, 300.0)
    assert 230 < more < 290
    for share, sure in ((0.9, False), (1.1, True)):
        tried = summed(opened) + summed(drawn(round(share * more / 10), 0.5, 10.0, draws=8000, seed=2))
        assert (chance(tried, 300.0) > 0.8) == sure


def test_a_few_deals_never_need_infinitely_much() -> None:
    """One deal at ½ leaves half the draws empty, whatever its size: further deals have luck of their own."""
    opened = drawn(1, 0.5, 10.0)
    more = more_pipeline(summed(opened), opened, 10.0, 10.0)
    assert 10 < more < 40


def test_what_all_deals_suffer_further_ones_suffer_too() -> None:
    """In half of the draws nearly nothing is won: further deals are won there as rarely, and far more are needed."""
    good = np.random.default_rng(3).random(4000) < 0.5
    chances = np.where(good, 0.55, 0.05)
    shared = scipy.sparse.csr_matrix((np.random.default_rng(4).random((100, 4000)) < chances) * 10.0)
    alone = drawn(100, 0.3, 10.0, draws=4000)
    both = [more_pipeline(summed(o), o, 1000.0, 400.0) for o in (shared, alone)]
    assert both[0] > 3 * both[1]


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 900), st.floats(0, 300), st.integers(0, 5))
def test_a_higher_quota_never_needs_less(quota: float, more: float, seed: int) -> None:
    opened = drawn(20, 0.3, 10.0, draws=300, seed=seed)
    needed = [more_pipeline(summed(opened), opened, 200.0, q) for q in (quota, quota + more)]
    assert 0 <= needed[0] <= needed[1] < math.inf
    assert (needed[0] == 0) == (chance(summed(opened), quota) >= 0.8)


def test_more_than_can_be_laid_out_is_reckoned_in_bundles() -> None:
    opened = drawn(50, 0.5, 1.0, draws=400)
    near = more_pipeline(summed(opened), opened, 50.0, 2_000.0)
    far = more_pipeline(summed(opened), opened, 50.0, 40_000.0)
    assert near == pytest.approx(2 * 2_000, rel=0.1)
    assert far == pytest.approx(2 * 40_000, rel=0.05)


def test_deals_that_bring_nothing_tell_no_kind() -> None:
    none = scipy.sparse.csr_matrix((3, 100))
    assert math.isnan(more_pipeline(np.zeros(100), none, 300.0, 5.0))
    assert more_pipeline(np.full(100, 9.0), none, 300.0, 5.0) == 0.0


# Tables of quotas


def asked(rows: list[tuple[Any, ...]], calendar: FiscalCalendar = CALENDAR, period: str = "2024Q2") -> Any:
    table = pd.DataFrame(rows, columns=["period", "level", "group", "amount", "period_start"][: len(rows[0])])
    table = table.astype({"period": "string", "level": "string", "group": "string", "amount": "float64"})
    if "period_start" in table:
        table["period_start"] = table["period_start"].astype("datetime64[s]")
    return targets_of(table, calendar.named(period), calendar, {"owner": {"ann", "bob"}, "region": {"north"}})


def codes(found: Any) -> dict[str, int]:
    return {f.code: f.count for f in found.findings}


def quotas(found: Any) -> dict[tuple[str, str], float]:
    return {(r["level"], r["group"]): r["quota"] for r in found.rows.to_dict("records")}


def test_the_total_is_the_sum_of_the_owners_unless_a_row_says_it() -> None:
    two = [("2024Q2", "owner", "ann", 3.0), ("2024Q2", "owner", "bob", 4.0), ("2024Q1", "owner", "bob", 9.0)]
    region = ("2024Q2", "region", "north", 50.0)
    assert quotas(asked([*two, region])) == {
        ("total", "total"): 7.0, ("owner", "ann"): 3.0, ("owner", "bob"): 4.0, ("region", "north"): 50.0,
    }  # fmt: skip
    assert quotas(asked([*two, ("2024Q2", "Total", "all of us", 10.0)]))["total", "total"] == 10.0
    assert quotas(asked([region])) == {("total", "total"): 50.0, ("region", "north"): 50.0}


def test_unknown_groups_count_for_the_total_and_are_said() -> None:
    found = asked([("2024Q2", "owner", "ann", 3.0), ("2024Q2", "owner", "who", 4.0)])
    assert quotas(found)["total", "total"] == 7.0
    assert found.rows.set_index("group")["known"].to_dict() == {"total": True, "ann": True, "who": False}
    assert codes(found) == {"QUOTA-UNKNOWN-GROUP": 1}
    assert "who" not in str(found.findings)  # may be a person's name
    found = asked([("2024Q2", "squad", "red", 3.0)])
    assert quotas(found) == {("total", "total"): 3.0}
    assert codes(found) == {"QUOTA-UNKNOWN-LEVEL": 1}


def test_periods_are_read_as_people_write_them() -> None:
    """Months add up to their quarter, unless it has a quota of its own; a year's is no quarter's; else days decide."""
    months = [(f"2024M{m:02d}", "owner", "ann", float(m)) for m in (3, 4, 5, 6, 7)]
    assert quotas(asked(months))["owner", "ann"] == 15.0
    assert quotas(asked([*months, ("2024Q2", "owner", "ann", 99.0)]))["owner", "ann"] == 99.0
    year = asked([("2024", "owner", "ann", 400.0, "2024-04-01")])
    assert year.rows.empty
    assert codes(year) == {"QUOTA-NO-PERIOD": 1}
    dated = [("Frühling", "owner", "ann", 5.0, "2024-04-01"), ("Herbst", "owner", "ann", 6.0, "2024-10-01")]
    assert quotas(asked(dated))["owner", "ann"] == 5.0
    assert codes(asked([("Frühling", "owner", "ann", 5.0)])) == {"QUOTA-NO-PERIOD": 1}
    fiscal = FiscalCalendar(start_month=2)
    assert quotas(asked([("2024Q2", "owner", "ann", 5.0)], fiscal))["owner", "ann"] == 5.0


def test_a_quota_given_twice_counts_once() -> None:
    found = asked([("2024Q2", "owner", "ann", 3.0), ("2024Q2", "owner", "ann", 8.0)])
    assert quotas(found)["owner", "ann"] == 8.0
    assert codes(found) == {"QUOTA-TWICE": 1}


def test_no_quotas_are_no_rows() -> None:
    assert targets_of(None, PERIOD, CALENDAR, {}).rows.empty
    other = asked([("2023Q1", "owner", "ann", 3.0)])
    assert other.rows.empty
    assert other.findings == []


# A book that can be reckoned: ann has two deals, bob one and 100 won


def told(key: str, name: str, segment: str, *states: tuple[str, dict[str, Any]]) -> Deal:
    return Deal(key, states, facts={"segment": segment, "name": name})


LOST = ("2024-04-20", {"status": "lost"})
WON = ("2024-04-20", {"status": "won"})
DEALS = [
    told("a1", "Large", "smb",
         ("2024-04-01", {"stage": "Offer", "amount": 1000.0, "expected_close": "2024-06-01", "owner": "ann"})),
    told("a2", "Small", "ent",
         ("2024-04-01", {"stage": "Talk", "amount": 200.0, "expected_close": "2024-09-01", "owner": "ann"})),
    told("b1", "Third", "ent", ("2024-04-01", {"stage": "Talk", "amount": 300.0, "owner": "bob"})),
    told("w1", "Won", "ent", ("2024-04-01", {"stage": "Offer", "amount": 100.0, "owner": "bob"}), WON),
    told("l1", "Lost", "smb", ("2024-01-01", {"stage": "Offer", "amount": 300.0, "owner": "bob"}), LOST),
]  # fmt: skip
#: What a1, a2 and b1 bring in ten draws, and what is new.
DRAWS = np.array([[1000.0] * 5 + [0.0] * 5, [200.0, 0.0] * 5, [0.0] * 8 + [300.0] * 2])
NEW = np.array([10.0] * 10)
OWNERS = ["ann", "ann", "bob"]


@pytest.fixture(scope="module")
def now() -> Snapshot:
    return take_snapshots(tell(DEALS, until="2024-06-30"), [AS_OF])


def forecast(draws: np.ndarray = DRAWS, new: np.ndarray = NEW) -> Forecast:
    cells = cells_of({"owner": ["ann", "bob"]})
    owner, part = cells["group"].to_numpy(), cells["part"].to_numpy()
    out, mean = np.zeros((len(cells), draws.shape[1])), np.zeros(len(cells))
    for i, (who, what) in enumerate(zip(owner, part, strict=True)):
        mine = np.array([who in (o, "total") for o in OWNERS])
        won = 100.0 if who in ("bob", "total") else 0.0
        share = 1.0 if who == "total" else 0.5
        values = {"won": won, "open": draws[mine].sum(axis=0), "new": share * new}
        values["total"] = values["won"] + values["open"] + values["new"]
        out[i] = values.get(what, 0.0)
        mean[i] = out[i].mean()
    amount = np.array([1000.0, 200.0, 300.0])
    dates = np.array([AS_OF, PERIOD.end], dtype="datetime64[s]")
    p = np.column_stack([np.zeros(3), draws.mean(axis=1) / amount])
    deals = DealForecast(np.arange(3), dates, p, np.zeros((3, 2)), amount)
    return Forecast(AS_OF, PERIOD, "model", cells, mean, out, deals, scipy.sparse.csr_matrix(draws))


def table(*amounts: tuple[str, float]) -> pd.DataFrame:
    rows = [("2024Q2", "owner", who, amount) for who, amount in amounts]
    kinds = {"period": "string", "level": "string", "group": "string", "amount": "float64"}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def beside(now: Snapshot, *amounts: tuple[str, float], made: Forecast | None = None) -> Any:
    return quotas_of(made or forecast(), now, table(*amounts), CALENDAR, "EUR")


def test_a_book_by_hand(now: Snapshot) -> None:
    found = beside(now, ("ann", 500.0), ("bob", 300.0))
    rows = found.rows.set_index("group")
    assert list(found.rows.columns) == list(QUOTA_COLUMNS)
    total, ann, bob = (rows.loc[g] for g in ("total", "ann", "bob"))
    # 800: 100 are won and 10 new, so the first five draws reach it.
    assert (total["quota"], total["won"], total["p_hit"]) == (800.0, 100.0, 0.5)
    assert total["attainment"] == 0.125
    assert total["reached_with_80"] == pytest.approx(np.quantile(100 + 10 + DRAWS.sum(axis=0), 0.2))
    # Due by the end of June: a1, and b1, which has no date.
    assert total["open_due"] == 1300.0
    assert total["coverage"] == pytest.approx(1300 / 700)
    assert total["open_pipeline"] == 1500.0
    # Of 400 that were closed lately 100 were won.
    assert total["win_rate_by_value"] == 0.25
    assert total["pipeline_needed"] == 2800.0
    assert total["opportunities_needed"] == 28.0
    assert (ann["p_hit"], bob["p_hit"]) == (0.5, 0.2)
    assert (ann["coverage"], bob["coverage"]) == (2.0, 1.5)


def test_without_the_largest_deal_its_draws_are_gone(now: Snapshot) -> None:
    rows = beside(now, ("ann", 150.0), ("bob", 300.0)).rows.set_index("group")
    ann, bob = rows.loc["ann"], rows.loc["bob"]
    assert (ann["largest_deal"], bob["largest_deal"]) == ("a1", "b1")
    assert (ann["p_hit"], ann["p_hit_without_deal"]) == (pytest.approx(0.7), 0.5)  # a2 comes in every other draw
    assert ann["mean_without_deal"] == pytest.approx(ann["mean"] - 500)
    assert bob["p_hit_without_deal"] == 0.0
    assert beside(now, ("ann", 150.0)).largest == "Large"


def test_without_the_largest_source_its_deals_and_its_share_of_the_new_are_gone(now: Snapshot) -> None:
    """All that was won lately came from ent; of what is open smb expects 500, ent 100 + 60, and all of the new 10."""
    rows = beside(now, ("ann", 1.0), ("bob", 150.0)).rows.set_index("group")
    total, bob = rows.loc["total"], rows.loc["bob"]
    assert (total["source_column"], total["largest_source"]) == ("segment", "smb")
    assert total["mean_without_source"] == pytest.approx(total["mean"] - 500)
    assert (bob["largest_source"], bob["p_hit"], bob["p_hit_without_source"]) == ("ent", 0.2, 0.0)
    assert bob["mean_without_source"] == pytest.approx(100.0)


def test_statuses_and_undefined_numbers(now: Snapshot) -> None:
    found = beside(now, ("ann", 0.0), ("bob", 100.0), ("who", 50.0))
    rows = found.rows.set_index("group")
    assert rows["status"].to_dict() == {"total": "open", "ann": "reached", "bob": "reached", "who": "unknown_group"}
    assert rows.loc[["ann", "bob"], ["coverage", "pipeline_needed"]].isna().all().all()
    assert math.isnan(rows.loc["ann", "attainment"])
    assert rows.loc["who", ["won", "p_hit", "mean", "coverage"]].isna().all()
    assert {f.code for f in found.findings} == {"QUOTA-UNKNOWN-GROUP", "QUOTA-NOT-POSITIVE"}
    assert not np.isinf(found.rows.select_dtypes("number").to_numpy(dtype="float64")).any()
    assert found.unknown == 1
    negative = beside(now, ("bob", -5.0)).rows
    assert (negative["status"] == "reached").all()


def test_a_rule_tells_no_chances(now: Snapshot) -> None:
    made = replace(forecast(), draws=None, open_draws=None, deals=None)
    row = beside(now, ("ann", 500.0), ("bob", 300.0), made=made).total
    assert row["coverage"] == pytest.approx(1300 / 700)
    assert row["mean"] == pytest.approx(forecast().value())
    assert all(pd.isna(row[c]) for c in ("p_hit", "reached_with_80", "more_pipeline_for_80", "largest_deal"))


def test_nothing_open_is_no_pipeline(now: Snapshot) -> None:
    empty = now.take(np.zeros(0, dtype=int))
    cells = cells_of({"owner": ["bob"]})
    draws = np.where(cells["part"].isin(["won", "total"]).to_numpy()[:, None], 100.0, np.zeros((1, 10)))
    dates = np.array([AS_OF, PERIOD.end], dtype="datetime64[s]")
    none = np.zeros((0, 2))
    deals = DealForecast(np.zeros(0, dtype=int), dates, none, none, np.zeros(0))
    made = Forecast(AS_OF, PERIOD, "model", cells, draws.mean(axis=1), draws, deals, scipy.sparse.csr_matrix((0, 10)))
    row = beside(empty, ("bob", 300.0), made=made).total
    assert (row["p_hit"], row["coverage"], row["open_pipeline"]) == (0.0, 0.0, 0.0)
    assert all(pd.isna(row[c]) for c in ("more_pipeline_for_80", "largest_deal", "p_hit_without_deal"))


def test_without_what_brings_nothing_nothing_changes(now: Snapshot) -> None:
    bob = (
        beside(now, ("bob", 105.0), made=forecast(np.vstack([DRAWS[:2], np.zeros(10)])))
        .rows.set_index("group")
        .loc["bob"]
    )
    assert bob["p_hit_without_deal"] == bob["p_hit"] == 1.0
    assert bob["mean_without_deal"] == bob["mean"]


@settings(max_examples=30, deadline=None)
@given(st.floats(1.0, 3000.0), st.floats(0.0, 500.0))
def test_laws_of_a_row(now: Snapshot, quota: float, more: float) -> None:
    low, high = (beside(now, ("ann", q)).total for q in (quota, quota + more))
    assert low["p_hit"] >= high["p_hit"]
    assert low["more_pipeline_for_80"] <= high["more_pipeline_for_80"]
    assert low["reached_with_80"] == high["reached_with_80"]
    surer = beside(now, ("ann", quota), made=forecast(new=NEW + more)).total
    assert surer["p_hit"] >= low["p_hit"]
    for row in (low, high):
        assert row["p_hit"] >= max(row["p_hit_without_deal"], row["p_hit_without_source"])


def test_the_line_says_it_in_words(now: Snapshot) -> None:
    found = beside(now, ("ann", 500.0), ("bob", 300.0), ("who", 200.0))
    line = quota_words(found.total, found.given, "2024Q2", found.unknown, found.largest)
    assert line.startswith(
        "Quota 1.00 k: reached with probability 50 %; 270 is reached with 80 %; coverage 1.4; needs "
    )
    assert "more pipeline for 80 %; without the largest deal (Large) 0 %." in line
    assert line.endswith("It holds 1 quota of groups that no deal has.")
    reached = beside(now, ("bob", 50.0))
    assert quota_words(reached.total, True, "2024Q2").startswith("Quota 50: reached (won 100)")
    assert quota_words(None, True, "2024Q2") == "Quota: none for 2024Q2."
    assert quota_words(None, False, "2024Q2") == "Quota: the export has none."


def test_quotas_of_a_company_add_up(
    company_history: DealHistory, fitted: FittedPipeline, as_of: pd.Timestamp, period: Period
) -> None:
    seen = take_snapshots(company_history, [as_of])
    made = fitted.forecast(seen, period, ("owner",))
    found = quotas_of(made, seen, company_history.tables["quotas"], CALENDAR, "EUR")
    owners, total = found.rows[(found.rows["level"] == "owner").to_numpy()], found.total
    assert len(owners) > 3
    assert owners["quota"].sum() == pytest.approx(total["quota"])
    assert total["won"] == pytest.approx(made.value("won"))
    assert total["mean"] == pytest.approx(made.value())
    assert total["p_hit"] == pytest.approx((made.draw() >= total["quota"]).mean())
    assert owners["won"].sum() <= total["won"] + 1e-6
    mine = owners.iloc[0]
    assert mine["p_hit"] == (made.draw("total", "owner", mine["group"]) >= mine["quota"]).mean()


@pytest.mark.parametrize("name", MUTATIONS)
def test_nothing_written_later_moves_a_number(
    company_history: DealHistory, fitted: FittedPipeline, as_of: pd.Timestamp, period: Period, name: str
) -> None:
    other = MUTATIONS[name](company_history, as_of, np.random.default_rng(3))
    seen, again = (take_snapshots(h, [as_of]) for h in (company_history, other))
    made, table = fitted.forecast(seen, period, ("owner",)), company_history.tables["quotas"]
    one, two = (quotas_of(made, s, table, CALENDAR, "EUR").rows for s in (seen, again))
    pd.testing.assert_frame_equal(one, two)
