"""Deals created and won in a period: worked examples, each on paper in its test."""

from __future__ import annotations

import pytest
from deal_stories import lost, opened, seen, won
from lead_stories import reason, status, value

from pipeforecast.metrics.choices import Choices
from stories import deal

#: Three won after 30, 60 and 90 days for 100, 200 and 600; one lost after 20 for 40; one open.
DEALS = [
    won("a", "2024-04-01", "2024-05-01", 100, account_id="A", lead_source="Web"),
    won("b", "2024-04-01", "2024-05-31", 200, account_id="B", lead_source="Fair"),
    won("c", "2024-03-01", "2024-05-30", 600, account_id="A", lead_source="Web"),
    lost("d", "2024-04-01", "2024-04-21", 40, account_id="C"),
    opened("e", "2024-05-02", 70, account_id="D", lead_source="Web"),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("new_opportunities", 4), ("new_pipeline", 100 + 200 + 40 + 70), ("won_deals", 3), ("won_amount", 900),
        ("lost_deals", 1), ("lost_amount", 40), ("average_deal_size", 300), ("median_deal_size", 200),
        ("average_contract_value", 450), ("sales_cycle_length", 60), ("sales_cycle_median", 60),
        ("closing_cycle_length", 50), ("closing_cycle_median", 45), ("revenue_per_opportunity", 225),
    ],
)  # fmt: skip
def test_worked_examples(name: str, expected: float) -> None:
    assert value(seen(DEALS), name) == expected


def test_ten_deals_of_150_000_are_one_and_a_half_million() -> None:
    ten = [won(f"w{i}", "2024-04-01", "2024-05-01", 150_000) for i in range(10)]
    assert (value(seen(ten), "won_deals"), value(seen(ten), "won_amount")) == (10, 1_500_000)


def test_marketing_and_sales_share_the_new_opportunities() -> None:
    view = seen(DEALS, choices=Choices(marketing_sources=("Web",)))
    assert value(view, "marketing_sourced_opportunities") == 2
    assert value(view, "sales_sourced_opportunities") == 2
    assert "marketing_sources" in reason(seen(DEALS), "marketing_sourced_opportunities")


def test_orders_of_the_period() -> None:
    orders = [
        {"order_id": str(i), "account_id": "A", "day": day, "amount": x}
        for i, (day, x) in enumerate([("2024-04-01", 10), ("2024-05-01", 20), ("2024-06-30", 60), ("2024-07-01", 999)])
    ]
    view = seen(DEALS, orders=orders)
    assert value(view, "average_order_value") == 30
    assert value(view, "median_order_value") == 20
    assert reason(seen(DEALS), "average_order_value") == "no table orders"


def test_a_term_of_two_years_is_worth_half_of_it_a_year() -> None:
    deals = [won("a", "2024-04-01", "2024-05-01", 2_400, account_id="A", term_months=24.0)]
    assert value(seen(deals), "annual_contract_value") == 1_200


def test_the_cycle_from_the_first_touch_of_deal_or_lead() -> None:
    deals = [won("a", "2024-04-11", "2024-05-11", 1, lead_id="L"), won("b", "2024-04-01", "2024-05-01", 1, lead_id="M")]
    touches = [
        {"at": "2024-04-01 15:00:00", "kind": "sent", "lead_id": "L"},
        {"at": "2024-04-20", "kind": "sent", "deal_id": "b"},  # after it was created
    ]
    assert value(seen(deals, touches=touches), "sales_cycle_from_contact") == (40 + 30) / 2


def test_touches_of_a_lead_count_for_the_deal_that_the_lead_alone_names() -> None:
    lead = {"lead_id": "L", "created_at": "2024-04-01", "converted_deal_id": "a"}
    touches = [{"at": "2024-04-01 15:00:00", "kind": "sent", "lead_id": "L"}]
    view = seen([won("a", "2024-04-11", "2024-05-11", 1)], leads=[lead], touches=touches)
    assert value(view, "sales_cycle_from_contact") == 40


def test_revenue_per_lead_counts_a_lead_once() -> None:
    leads = [{"lead_id": str(i), "created_at": "2024-04-02"} for i in range(9)]
    assert value(seen(DEALS, leads=leads), "revenue_per_lead") == 100
    assert value(seen(DEALS, leads=[*leads, *leads]), "revenue_per_lead") == 100


def test_a_deal_won_before_it_was_created_counts_and_has_no_cycle() -> None:
    odd = deal("odd", ("2024-05-10", {"stage": "Talk", "amount": 50}),
               ("2024-05-11", {"status": "won", "closed_at": "2024-04-15"}))  # fmt: skip
    view = seen([*DEALS, odd])
    assert value(view, "won_amount") == 950
    assert value(view, "sales_cycle_length") == 60


def test_nothing_won_is_nought_and_its_mean_is_undefined() -> None:
    view = seen([opened("e", "2024-05-02", 70)])
    assert value(view, "won_amount") == 0
    assert status(view, "average_deal_size") == "undefined"
    assert status(view, "sales_cycle_length") == "undefined"


def test_won_without_an_amount_is_won_for_nothing() -> None:
    view = seen([won("a", "2024-04-01", "2024-05-01", None), won("b", "2024-04-01", "2024-05-01", 10)])
    assert (value(view, "won_deals"), value(view, "won_amount"), value(view, "average_deal_size")) == (2, 10, 10)
