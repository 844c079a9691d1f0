"""Customers and subscriptions: worked examples, joined subscriptions, and undefined where nobody was there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import codes, history, look, reason, status, table, value

from stories import deal


def subscriptions(n: int, begin: str, to: str | None = None, start: int = 0, **facts: Any) -> list[dict[str, Any]]:
    return [{"account_id": f"A{start + i}", "from": begin, "to": to, **facts} for i in range(n)]


def hundred(**facts: Any) -> list[dict[str, Any]]:
    """100 at the start of the quarter, 10 of them lost in it, 20 new: 110 at the end."""
    return [*subscriptions(90, "2023-05-01", **facts), *subscriptions(10, "2023-05-01", "2024-02-10", 90, **facts),
            *subscriptions(20, "2024-02-01", None, 100, **facts)]  # fmt: skip


def test_retention_and_churn() -> None:
    view = look(history(subscriptions=hundred()))
    assert (value(view, "retention_rate"), value(view, "churn_rate")) == (0.9, pytest.approx(0.1))


def test_customers_tell_the_same_as_subscriptions() -> None:
    rows = [{"account_id": r["account_id"], "started_at": r["from"], "ended_at": r["to"]} for r in hundred()]
    view = look(history(customers=rows))
    assert (value(view, "retention_rate"), value(view, "churn_rate")) == (0.9, pytest.approx(0.1))


def test_lifetime_value_and_its_variants() -> None:
    rows = [*subscriptions(98, "2023-05-01", recurring_amount=1000),
            *subscriptions(2, "2023-05-01", "2024-01-20", 98, recurring_amount=1000)]  # fmt: skip
    company = history(subscriptions=rows)
    assert value(look(company, "2024M01"), "customer_lifetime_value") == pytest.approx(50_000)
    assert "gross_margin" in reason(look(company, "2024M01"), "customer_lifetime_margin")
    margin = look(company, "2024M01", customers={"gross_margin": 0.8})
    assert value(margin, "customer_lifetime_margin") == pytest.approx(40_000)
    # A quarter of the same company: three months' revenue over the quarter's churn.
    assert value(look(company, "2024Q1"), "customer_lifetime_value") == pytest.approx(150_000)
    yearly = look(company, "2024M01", customers={"recurring_months": 12})
    assert value(yearly, "customer_lifetime_value") == pytest.approx(50_000 / 12)
    assert status(look(company, "2024M03"), "customer_lifetime_value") == "undefined"


def test_observed_value() -> None:
    days = {"a": ("2023-11-01", 100), "b": ("2024-01-01", 200), "c": ("2024-02-01", 300), "d": ("2024-04-01", 999)}
    deals = [
        deal(n, ("2023-10-01", {"amount": float(x)}), (day, {"status": "won"}), account_id="A" if n != "c" else "B")
        for n, (day, x) in days.items()
    ]
    assert value(look(history(deals)), "customer_value_observed") == 300


def test_a_subscription_that_follows_goes_on() -> None:
    rows = [
        *subscriptions(1, "2023-01-01", "2023-12-31"), *subscriptions(1, "2024-01-15", "2025-01-14"),
        *subscriptions(1, "2023-01-01", "2023-12-31", 1), *subscriptions(1, "2024-03-20", "2025-01-14", 1),
        *subscriptions(1, "2023-01-01", "2024-06-30", 2), *subscriptions(1, "2023-03-01", "2023-04-30", 2),
    ]  # fmt: skip
    view = look(history(subscriptions=rows), "2023Q4", "2024Q1")
    told = table(view, "churn_rate")
    assert told["value"].tolist() == [pytest.approx(1 / 3), 0]
    assert told["n"].tolist() == [3, 2]


def test_renewal_rate() -> None:
    """Of twelve that are due nine go on: six by another subscription, three in place."""
    rows = subscriptions(9, "2023-02-01", "2024-01-31", renewal_due="2024-01-31")
    rows += subscriptions(3, "2023-02-01", "2025-01-31", 9, renewal_due="2024-01-31")
    rows += subscriptions(6, "2024-02-15", "2025-02-14", renewal_due="2025-02-14")
    company = history(subscriptions=rows)
    assert value(look(company), "renewal_rate") == 0.75
    assert status(look(company), "renewal_rate") == "ok"
    early = look(company, as_of="2024-02-10")
    assert (value(early, "renewal_rate"), status(early, "renewal_rate")) == (0, "immature")
    assert status(look(company, "2023Q1"), "renewal_rate") == "undefined"


def test_expansion_rate() -> None:
    rows = subscriptions(10, "2023-05-01", recurring_amount=100)
    deals = [
        deal("up", ("2024-01-05", {"amount": 150.0}), ("2024-02-01", {"status": "won"}), deal_type="existing"),
        deal("new", ("2024-01-05", {"amount": 900.0}), ("2024-02-01", {"status": "won"}), deal_type="new"),
        deal("open", ("2024-01-05", {"amount": 70.0}), deal_type="existing"),
    ]
    assert value(look(history(deals, subscriptions=rows)), "expansion_rate") == 0.15


@pytest.mark.parametrize(
    ("metric", "start", "end", "n", "hits"),
    [
        ("trial_to_paid", "trial_started_at", "started_at", 40, 12),
        ("onboarding_rate", "signed_up_at", "onboarded_at", 60, 45),
        ("activation_rate", "signed_up_at", "activated_at", 60, 30),
    ],
)
def test_steps_of_customers(metric: str, start: str, end: str, n: int, hits: int) -> None:
    rows = [{"account_id": f"A{i}", start: "2024-01-10", end: "2024-01-20" if i < hits else None} for i in range(n)]
    rows.append({"account_id": "later", start: "2024-05-10", end: None})
    view = look(history(customers=rows))
    assert value(view, metric) == hits / n
    assert status(look(history(customers=rows), "2023Q1"), metric) == "undefined"
    young = look(history(customers=rows), "2024Q2", as_of="2024-05-12")
    assert status(young, metric) == "immature"


@pytest.mark.parametrize("metric", ["retention_rate", "churn_rate", "customer_lifetime_value", "renewal_rate",
                                    "expansion_rate", "trial_to_paid", "onboarding_rate"])  # fmt: skip
def test_not_available_without_the_table(metric: str) -> None:
    assert reason(look(history([deal("a", ("2024-01-01", {}), deal_type="new")])), metric)


def test_nobody_at_the_start_is_undefined() -> None:
    view = look(history(subscriptions=hundred(recurring_amount=5)), "2022Q1")
    for metric in ("retention_rate", "churn_rate", "customer_lifetime_value"):
        assert status(view, metric) == "undefined"


def test_one_that_ended_before_it_began_is_left_out_and_told() -> None:
    rows = [*hundred(), *subscriptions(1, "2023-09-01", "2023-01-01", 200)]
    view = look(history(subscriptions=rows))
    assert value(view, "churn_rate") == pytest.approx(0.1)
    assert "ENDED-BEFORE-BEGUN" in codes(view)


@pytest.mark.parametrize("n", [0, 1])
def test_empty_tables_and_one_row(n: int) -> None:
    view = look(history(subscriptions=subscriptions(n, "2023-05-01", recurring_amount=10, renewal_due="2024-02-02"),
                        customers=[{"account_id": "A0", "signed_up_at": "2024-01-02"}] * n))  # fmt: skip
    rows = table(view, "retention_rate", "churn_rate", "customer_lifetime_value", "renewal_rate", "onboarding_rate")
    assert set(rows["status"]) <= {"ok", "undefined", "not available", "immature"}
    assert np.isfinite(rows["value"].dropna()).all()


def test_groups_are_those_of_the_accounts_deals() -> None:
    deals = [deal(f"d{i}", ("2023-01-01", {}), account_id=f"A{i}", region="ns"[i % 2]) for i in range(100)]
    view = look(history(deals, subscriptions=hundred()), by=["region"])
    rows = table(view, "churn_rate").set_index("group")
    assert rows.loc[["n", "s"], "n"].tolist() == [50, 50]
    assert rows.loc[["n", "s"], "value"].tolist() == [0.1, 0.1]


drawn = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 700), st.integers(0, 400) | st.none()), min_size=1, max_size=20
)  # fmt: skip


def told(rows: list[tuple[int, int, int | None]]) -> list[dict[str, Any]]:
    begin = pd.Timestamp("2022-06-01")
    return [
        {"account_id": f"A{a}", "from": begin + pd.Timedelta(days=d), "recurring_amount": 10.0,
         "to": pd.NaT if n is None else begin + pd.Timedelta(days=d + n),
         "renewal_due": pd.NaT if n is None else begin + pd.Timedelta(days=d + n)}
        for a, d, n in rows
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(drawn)
def test_the_customers_at_the_end_less_new_ones_are_those_that_stayed(rows) -> None:
    """Retention by its definition, from days on which somebody is a customer, counted one by one."""
    made = told(rows)
    view = look(history(subscriptions=made), "2023Q3", customers={"renewal_days": 0})
    first, last = pd.Timestamp("2023-07-01"), pd.Timestamp("2023-09-30")
    stayed, there = 0, 0
    for account in {r["account_id"] for r in made}:
        spans = sorted((r["from"], r["to"] if not pd.isna(r["to"]) else pd.Timestamp("2099-01-01"))
                       for r in made if r["account_id"] == account)  # fmt: skip
        joined: list[list[pd.Timestamp]] = []
        for begin, end in spans:
            if joined and begin <= joined[-1][1] + pd.Timedelta(days=1):
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([begin, end])
        before = [j for j in joined if j[0] < first <= j[1]]
        there += len(before)
        stayed += sum(j[1] > last for j in before)
    row = table(view, "retention_rate").iloc[0]
    assert row["n"] == there
    assert (np.isnan(row["value"]) and not there) or row["value"] == pytest.approx(stayed / there)


@settings(max_examples=20, deadline=None)
@given(drawn, st.integers(300, 700))
def test_subscriptions_that_begin_later_change_nothing(rows, day) -> None:
    as_of = pd.Timestamp("2022-06-01") + pd.Timedelta(days=day)
    made = told(rows)
    early = [
        r | {"to": r["to"] if r["to"] <= as_of else pd.Timestamp("2030-01-01")} for r in made if r["from"] <= as_of
    ]
    names = ("retention_rate", "churn_rate", "customer_lifetime_value")
    one, two = (
        table(look(history(subscriptions=r, until="2026-01-01"), "2023Q1", "2023Q2", as_of=str(as_of.date())), *names)
        for r in (made, early)
    )
    pd.testing.assert_frame_equal(one, two)
