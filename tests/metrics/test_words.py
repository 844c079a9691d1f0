"""The first screen in words."""

from __future__ import annotations

import pandas as pd
import pytest
from deal_stories import lost, opened, won
from lead_stories import QUARTERS, history

from pipeforecast.metrics.computed import computed
from pipeforecast.metrics.words import first_lines, number
from stories import Deal

SPEND = [{"day": d, "amount": 5, "campaign": "Spring"} for d in ("2024-05-10", "2024-05-19")]
DEALS = [
    *(won(f"w{i}", "2024-04-01", "2024-05-01", 1_000) for i in range(3)), lost("l", "2024-04-01", "2024-05-12", 9),
    won("past", "2024-01-02", "2024-02-02", 500),
]  # fmt: skip


def lines(deals: list[Deal], periods: list[str], *first: str) -> list[str]:
    made = computed(history(deals, "2024-06-30", spend=SPEND), QUARTERS, pd.Timestamp("2024-06-30"), (), (), periods)
    return first_lines(made, first, "EUR", {name: name for name in first})


def test_the_newest_period_beside_the_one_before() -> None:
    said = lines(DEALS, ["2024Q1", "2024Q2"], "won_amount", "win_rate", "quota_attainment", "sales_velocity")
    assert said[0] == "2024Q2 (data as of 2024-06-30)"
    assert said[1] == "  won_amount: 3.00 k EUR, +2.50 k EUR on before, +3.00 k EUR on a year before"
    assert said[2].startswith("  win_rate: 75.0 % (30.1 % to 95.4 %, n=4), −25.0 points on before")
    assert said[3] == "  quota_attainment: not available (no table quotas)"
    assert said[4].startswith("  sales_velocity: 0 EUR a day")  # nothing is open


def test_a_campaigns_difference_is_told_in_points() -> None:
    (_, line) = lines(DEALS, ["campaign:Spring"], "win_rate")
    assert line.startswith("  win_rate: -100.0 points (")


def test_a_year_has_one_period_before_it() -> None:
    (_, line) = lines(DEALS, ["2024"], "won_amount")
    assert line.count(" on ") <= 1


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.125, "share", "12.5 %"), (1_234_567.0, "currency", "1.23 M EUR"),
        (4_000.0, "currency a day", "4.00 k EUR a day"),
        (41.26, "days", "41.3 days"), (12.0, "count", "12"), (12.5, "count", "12.50"), (3.0, "ratio", "3.00"),
        (999.0, "currency", "999 EUR"), (-2e9, "currency", "-2.00 bn EUR"),
    ],
)  # fmt: skip
def test_numbers_in_their_units(value: float, unit: str, expected: str) -> None:
    assert number(value, unit, "EUR") == expected


def test_without_a_deal_nothing_is_said_but_why() -> None:
    said = lines([opened("o", "2024-04-01", None)], ["2024Q2"], "win_rate", "average_deal_size")
    assert said[1:] == ["  win_rate: undefined", "  average_deal_size: undefined"]
