"""The life cycle of leads: worked examples, three sources of statuses, cohorts that are young."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import codes, history, look, reason, status, table, value

from pipeforecast.metrics.leads import CONVERSIONS
from pipeforecast.metrics.statuses import share_due
from stories import deal

DAYS = ("mql_at", "srl_at", "sql_at", "converted_at")


def leads(n: int, day: str = "2024-01-10", start: int = 0, **facts: Any) -> list[dict[str, Any]]:
    return [{"lead_id": f"L{start + i}", "created_at": day, **facts} for i in range(n)]


def funnel() -> list[dict[str, Any]]:
    """100 leads, of which 40 become MQL, 12 SRL, 10 SQL and 6 opportunities."""
    out = leads(100)
    for column, n, day in zip(DAYS, (40, 12, 10, 6), ("01-12", "01-16", "01-20", "01-21"), strict=True):
        for row in out[:n]:
            row[column] = f"2024-{day}"
    return out


@pytest.mark.parametrize(
    ("name", "expected", "days"),
    [
        ("lead_to_mql", 0.4, 2), ("mql_to_srl", 0.3, 4), ("srl_to_sql", 10 / 12, 4), ("mql_to_sql", 0.25, 8),
        ("sql_to_opportunity", 0.6, 1),
    ],
)  # fmt: skip
def test_cohort_conversion(name: str, expected: float, days: float) -> None:
    view = look(history(leads=funnel()))
    assert value(view, name) == pytest.approx(expected)
    assert value(view, "lead_step_days", name) == days


def test_100_mql_50_sql_30_opportunities() -> None:
    rows = leads(100, mql_at="2024-01-11")
    for i, row in enumerate(rows[:50]):
        row |= {"sql_at": "2024-01-20"} | ({"converted_at": "2024-01-30"} if i < 30 else {})
    view = look(history(leads=rows))
    assert (value(view, "mql_to_sql"), value(view, "sql_to_opportunity")) == (0.5, 0.6)


def test_the_median_time_is_of_those_that_made_it() -> None:
    rows = leads(5)
    for row, day in zip(rows, ("2024-01-12", "2024-01-15", "2024-01-19"), strict=False):
        row["mql_at"] = day
    assert value(look(history(leads=rows)), "lead_step_days", "lead_to_mql") == 5


def test_qualified_leads_and_their_share() -> None:
    rows = leads(120)
    for row in rows[:30]:
        row["sql_at"] = "2024-02-01"
    for row in rows[:60]:
        row["mql_at"] = "2024-01-20"
    company = history(leads=rows)
    assert (value(look(company), "qualified_leads"), value(look(company), "qualified_leads_share")) == (30, 0.25)
    assert value(look(company, qualified="mql"), "qualified_leads") == 60
    assert value(look(company), "qualified_leads", period="2024Q1") == 30


def test_leads_by_source_with_what_became_of_them() -> None:
    rows = [*leads(3, lead_source="web"), *leads(1, start=3, lead_source="event"), *leads(1, start=4)]
    rows[0] |= {"converted_at": "2024-01-20", "converted_deal_id": "A"}
    rows[1] |= {"converted_at": "2024-01-25", "converted_deal_id": "B"}
    deals = [
        deal("A", ("2024-01-20", {"amount": 100.0}), ("2024-02-20", {"status": "won"})),
        deal("B", ("2024-01-25", {"amount": 250.0}), ("2024-02-25", {"status": "won"})),
    ]
    view = look(history(deals, leads=rows))
    assert [value(view, "leads_by_source", p) for p in ("web", "event", "(none)")] == [3, 1, 1]
    assert [value(view, "converted_by_source", p) for p in ("web", "event")] == [2, 0]
    assert [value(view, "won_from_leads_by_source", p) for p in ("web", "event")] == [350, 0]
    before = look(history(deals, leads=rows), as_of="2024-02-22")
    assert value(before, "won_from_leads_by_source", "web") == 100


def test_undefined_where_nobody_started() -> None:
    view = look(history(leads=[*funnel(), *leads(1, "2023-12-31", 500)]), "2023Q4", "2023Q3")
    rows = table(view, "mql_to_srl", "lead_to_mql")
    assert rows[rows["metric"] == "mql_to_srl"]["status"].tolist() == ["undefined", "undefined"]
    assert rows[rows["metric"] == "lead_to_mql"]["value"].tolist()[0] == 0
    assert rows["value"].isna().sum() == 3


def test_not_available_without_statuses_or_leads() -> None:
    assert "leads.mql_at" in reason(look(history(leads=leads(3))), "lead_to_mql")
    assert "no table leads" in reason(look(history()), "lead_to_mql")
    some = look(history(leads=leads(2, mql_at="2024-01-12")))
    assert "srl" in reason(some, "mql_to_srl")
    assert value(some, "lead_to_mql") == 1


# Where statuses live


def log_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = dict(zip(DAYS, ("MQL", "Sales Ready", "sales qualified", "Converted"), strict=True))
    return [
        {"lead_id": r["lead_id"], "changed_at": f"{r[c]} 17:00", "field": "Status", "value": names[c]}
        for r in rows for c in DAYS if c in r
    ]  # fmt: skip


def test_a_log_tells_the_same_as_days() -> None:
    rows = funnel()
    bare = [{k: r[k] for k in ("lead_id", "created_at")} for r in rows]
    by_days, by_log = look(history(leads=rows)), look(history(leads=bare, lead_changes=log_of(rows)))
    for start, end in CONVERSIONS:
        name = f"{start}_to_{end}"
        assert value(by_log, name) == value(by_days, name)
        assert value(by_log, "lead_step_days", name) == value(by_days, "lead_step_days", name)


def test_other_names_in_a_log_are_a_setting() -> None:
    rows = funnel()
    log = [r | {"value": {"MQL": "Ciepły"}.get(r["value"], r["value"]), "field": "Etap"} for r in log_of(rows)]
    bare = [{k: r[k] for k in ("lead_id", "created_at")} for r in rows]
    company = history(leads=bare, lead_changes=log)
    assert "lead_changes" in reason(look(company), "lead_to_mql")
    told = look(company, statuses={"field": ["etap"], "mql": ["ciepły"]})
    assert value(told, "lead_to_mql") == 0.4


def test_the_first_two_stages_of_deals() -> None:
    """SRL is the deal's first stage, SQL the second: sql_to_opportunity is not available."""
    rows = leads(10, mql_at="2024-01-12", lead_source="web")
    deals = []
    for i, row in enumerate(rows[:4]):
        row |= {"converted_at": "2024-01-20", "converted_deal_id": f"D{i}"}
        states = [("2024-01-20", {"stage": "Talk"})]
        if i < 3:
            states.append(("2024-01-30", {"stage": "Deal" if i else "Offer"}))
        if i == 1:
            states.append(("2024-02-20", {"stage": "Won", "status": "won"}))
        deals.append(deal(f"D{i}", *states))
    view = look(history(deals, leads=rows), source="stages")
    assert (value(view, "mql_to_srl"), value(view, "srl_to_sql"), value(view, "mql_to_sql")) == (0.4, 0.75, 0.3)
    assert value(view, "lead_step_days", "srl_to_sql") == 10
    assert "opportunity already" in reason(view, "sql_to_opportunity")
    assert value(view, "converted_by_source", "web") == 4


# Time


def test_a_status_of_a_later_day_is_not_known() -> None:
    view = look(history(leads=funnel()), as_of="2024-01-16")
    assert value(view, "mql_to_srl") == 0.3
    assert "sql" in reason(view, "mql_to_sql")


rows_of_leads = st.lists(
    st.tuples(st.integers(0, 80), st.lists(st.integers(0, 60) | st.none(), min_size=4, max_size=4)), min_size=1,
    max_size=25,
)  # fmt: skip


def told_leads(drawn: list[tuple[int, list[int | None]]]) -> list[dict[str, Any]]:
    begin = pd.Timestamp("2024-01-01")
    out = []
    for i, (created, lags) in enumerate(drawn):
        day = begin + pd.Timedelta(days=created)
        row = {"lead_id": f"L{i}", "created_at": day, "region": ["north", "south"][i % 2], "lead_source": "web"}
        out.append(row | {c: day + pd.Timedelta(days=x) if x is not None else pd.NaT
                          for c, x in zip(DAYS, lags, strict=True)})  # fmt: skip
    return out


LIFE = ("lead_to_mql", "mql_to_sql", "lead_step_days", "cohort_maturity", "leads_by_source", "converted_by_source",
        "qualified_leads")  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(rows_of_leads, st.integers(5, 100), st.integers(0, 3))
def test_rows_and_days_written_later_change_nothing(drawn, day, n) -> None:
    as_of = pd.Timestamp("2024-01-01") + pd.Timedelta(days=day)
    rows = told_leads(drawn)
    later = [r | {c: r[c] if r[c] <= as_of else as_of + pd.Timedelta(days=1 + i) for c in DAYS}
             for i, r in enumerate(rows)]  # fmt: skip
    later += [{"lead_id": f"X{i}", "created_at": as_of + pd.Timedelta(days=1 + i), "region": "north"} for i in range(n)]
    one, two = (
        table(look(history(leads=r, until="2024-12-31"), by=["region"], as_of=str(as_of.date())), *LIFE)
        for r in (rows, later)
    )
    pd.testing.assert_frame_equal(one, two)


@settings(max_examples=20, deadline=None)
@given(rows_of_leads)
def test_groups_and_months_add_up(drawn) -> None:
    company = history(leads=told_leads(drawn))
    whole = look(company, "2024Q1", by=["region"])
    months = look(company, "2024M01", "2024M02", "2024M03")
    for name in ("leads_by_source", "converted_by_source", "won_from_leads_by_source", "qualified_leads"):
        one, parts = table(whole, name), table(months, name)
        if (one["status"] == "not available").any():
            continue
        total = one[one["by"] == "total"]["value"].sum()
        assert one[one["by"] == "region"]["value"].sum() == total
        assert parts["value"].sum() == total


@settings(max_examples=25, deadline=None)
@given(rows_of_leads)
def test_rates_lie_between_nought_and_one_and_days_never_fall(drawn) -> None:
    view = look(history(leads=told_leads(drawn)))
    rows = table(view, *(f"{a}_to_{b}" for a, b in CONVERSIONS), "lead_step_days", "cohort_maturity")
    known = rows.dropna(subset="value")
    assert (known["value"] >= 0).all()
    assert (known[known["unit"] == "share"]["value"] <= 1 + 1e-12).all()


# Young cohorts


def test_a_young_cohort_is_immature_and_says_how_much() -> None:
    """Conversions take 10 or 20 days, half each; of a cohort 15 days old half are due."""
    old = leads(200, "2024-01-10")
    for i, row in enumerate(old):
        if i < 100:
            row["mql_at"] = "2024-01-20" if i % 2 else "2024-01-30"
    young = leads(40, "2024-06-15", start=1000)
    for row in young[:10]:
        row["mql_at"] = "2024-06-25"
    view = look(history(leads=[*old, *young], until="2024-06-30"), "2024Q1", "2024Q2")
    rows = table(view, "lead_to_mql").set_index("period")
    assert rows["status"].to_dict() == {"2024Q1": "ok", "2024Q2": "immature"}
    assert rows["value"].to_dict() == {"2024Q1": 0.5, "2024Q2": 0.25}
    # The young cohort's ten quick conversions are among those learned from: 60 of 110 quick ones, but they had to be.
    assert value(view, "cohort_maturity", "lead_to_mql", period="2024Q2") == pytest.approx(0.5)
    assert value(view, "cohort_maturity", "lead_to_mql", period="2024Q1") == 1


def test_durations_that_had_to_be_short_are_not_taken_for_all() -> None:
    rng = np.random.default_rng(4)
    lag, age = rng.geometric(1 / 30, 30_000), rng.integers(0, 200, 30_000)
    seen = lag <= age
    due = share_due(lag[seen], age[seen])
    for day in (5, 30, 90):
        assert due[day] == pytest.approx((lag <= day).mean(), abs=0.01)
        assert (lag[seen] <= day).mean() > (lag <= day).mean() + 0.004
    assert (np.diff(due) >= 0).all()
    assert due[-1] == 1
    assert not len(share_due(np.zeros(0, dtype=int), np.zeros(0, dtype=int)))


# Odd input


def test_statuses_out_of_order_are_told_and_take_no_negative_time() -> None:
    rows = leads(3, mql_at="2024-02-10", sql_at="2024-02-01")
    rows.append({"lead_id": "early", "created_at": "2024-01-10", "mql_at": "2024-01-05", "sql_at": "2024-01-12"})
    view = look(history(leads=rows))
    assert value(view, "mql_to_sql") == 1
    assert value(view, "lead_step_days", "mql_to_sql") == 0
    assert value(view, "lead_step_days", "lead_to_mql") == 22
    assert {"LEAD-STATUS-OUT-OF-ORDER", "LEAD-STATUS-BEFORE-CREATED"} <= codes(view)
    (finding,) = (f for f in view.findings if f.code == "LEAD-STATUS-OUT-OF-ORDER")
    assert (finding.count, finding.examples) == (3, ("L0", "L1", "L2"))


def test_a_lead_that_is_there_twice_counts_once() -> None:
    rows = [*leads(4, mql_at="2024-01-11", lead_source="web"), *leads(1, mql_at="2024-01-12", lead_source="event")]
    view = look(history(leads=rows))
    assert [value(view, "leads_by_source", p) for p in ("event", "web")] == [1, 3]
    assert "LEADS-REPEATED" in codes(view)


@pytest.mark.parametrize("n", [0, 1])
def test_empty_tables_and_one_row(n: int) -> None:
    view = look(history(leads=leads(n, mql_at="2024-01-12")))
    rows = table(view, *LIFE)
    assert set(rows["status"]) <= {"ok", "undefined", "not available", "immature"}
    assert np.isfinite(rows["value"].dropna()).all()
    if n:
        assert status(view, "lead_to_mql") == "ok"
        assert value(view, "lead_to_mql") == 1
