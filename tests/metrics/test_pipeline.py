"""What is open on an evening: worked examples of value, weight, categories, velocity, coverage and what is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from deal_stories import at, lost, opened, seen, won
from lead_stories import codes, history, reason, status, table, value

from pipeforecast.metrics.choices import Choices
from stories import Deal, deal

CHANCES = {"probability": [0.2, 0.6, 0.9, 1.0, 0.0]}


def quota(amount: float, period: str = "2024Q2", level: str = "total", group: str = "total") -> list[dict[str, Any]]:
    return [{"period": period, "level": level, "group": group, "amount": amount}]


def past(n_won: int, size: float, n_lost: int, lost_size: float, days: int = 50) -> list[Deal]:
    """Deals closed in the first quarter, those won after ``days`` days; wins are recorded since the year before."""
    first = np.datetime64("2024-02-20") - np.timedelta64(days, "D")
    before = won("since", "2023-12-01", "2023-12-31", 1)  # so that the first quarter is held whole
    return [before, *(won(f"pw{i}", str(first), "2024-02-20", size) for i in range(n_won))] + [
        lost(f"pl{i}", "2024-01-02", "2024-02-20", lost_size) for i in range(n_lost)
    ]


#: What rests on facts that a CRM writes over.
REWRITTEN = ("weighted_pipeline", "open_due", "commit", "upside", "qualified_pipeline", "unqualified_pipeline")


def test_what_no_log_kept_is_undefined_on_past_evenings_and_not_nought() -> None:
    """Read with neither log nor dated exports: only the last written day knows stage, date and category."""
    facts = {"stage": "Offer", "amount": 100, "expected_close": "2024-06-01", "forecast_category": "Commit"}
    company = history([deal("a", ("2024-01-10", {}), ("2024-06-30", facts))], quotas=quota(50, "2024Q1") + quota(50))
    company = replace(
        company, stages=company.stages.assign(probability=0.6), roles={**company.roles, **dict.fromkeys(facts, "today")}
    )
    view = at(company, "2024Q1", "2024Q2", choices=Choices("Offer"))
    then = {name: value(view, name, period="2024Q1") for name in (*REWRITTEN, "pipeline_coverage")}
    assert all(np.isnan(v) for v in then.values()), then
    now = {name: value(view, name, period="2024Q2") for name in (*REWRITTEN, "pipeline_coverage")}
    assert list(now.values()) == [60, 100, 100, 0, 100, 0, 2]
    assert np.isnan([value(at(company, "2024Q1", as_of="2024-03-31"), name) for name in REWRITTEN[:4]]).all()


def test_without_a_date_a_deal_is_not_due_where_dates_are_kept() -> None:
    later = opened("b", "2024-06-03", 7, expected_close="2024-06-20")
    view = seen([opened("a", "2024-04-01", 100), later], "2024M04", "2024M06")
    assert [value(view, "open_due", period=p) for p in ("2024M04", "2024M06")] == [0, 7]


def test_fifty_deals_of_150_000() -> None:
    view = seen([opened(f"o{i}", "2024-04-01", 150_000) for i in range(50)])
    assert (value(view, "open_deals"), value(view, "pipeline_value")) == (50, 7_500_000)
    assert value(view, "average_open_deal") == 150_000
    assert value(view, "pipeline_estimated") == 0


def test_deals_without_an_amount_are_worth_an_average_one() -> None:
    nothing = [opened(name, "2024-04-01", None) for name in "bc"]
    deals = [*past(2, 150_000, 0, 0), opened("a", "2024-04-01", 100), *nothing]
    view = seen(deals)
    assert value(view, "pipeline_estimated") == 300_000
    assert value(view, "pipeline_value") == 300_100
    assert codes(view) == {"PIPELINE-ESTIMATED"}
    # Nothing won yet: the average of what is listed; nothing listed at all: nothing is known.
    assert value(seen(deals[3:]), "pipeline_value") == 300
    assert value(seen(deals[3:]), "average_open_deal") == 100
    assert status(seen(nothing), "pipeline_value") == "undefined"
    assert value(seen(nothing), "open_deals") == 2


def test_weights_are_those_of_the_stages() -> None:
    deals = [opened("a", "2024-04-01", 100_000), opened("b", "2024-04-01", 50_000, "Offer", probability=0.99)]
    assert value(seen(deals, stages=CHANCES), "weighted_pipeline") == 50_000
    # Where stages have none, the deal's own.
    assert value(seen(deals), "weighted_pipeline") == pytest.approx(49_500)
    assert "probability" in reason(seen(deals[:1]), "weighted_pipeline")
    view = seen(deals, stages={"probability": [np.nan, 0.6, 0.9, 1.0, 0.0]})
    assert value(view, "weighted_pipeline") == 30_000
    assert "STAGE-WITHOUT-PROBABILITY" in codes(view)


def test_qualified_and_unqualified_make_the_whole() -> None:
    deals = [
        opened("a", "2024-04-01", 200),
        opened("b", "2024-04-01", 100, "Offer"),
        opened("c", "2024-04-01", 200, "Deal"),
    ]
    view = seen(deals, stages={"qualified": np.array([False, True, True, True, False])})
    assert value(view, "qualified_pipeline") == 300
    assert value(view, "unqualified_pipeline") == 200
    assert value(seen(deals, choices=Choices(qualified_stage="Deal")), "qualified_pipeline") == 200


def test_commit_and_upside_are_due_in_the_period() -> None:
    deals = [
        opened("a", "2024-04-01", 1000, expected_close="2024-06-30", forecast_category="Commit", owner="ann"),
        opened("b", "2024-04-01", 400, expected_close="2024-04-02", forecast_category=" commit", owner="bob"),
        opened("c", "2024-04-01", 800, expected_close="2024-07-01", forecast_category="Commit", owner="ann"),
        opened("d", "2024-04-01", 300, expected_close="2024-05-01", forecast_category="Best Case", owner="ann"),
        opened("e", "2024-04-01", 50, forecast_category="Commit", owner="ann"),
    ]
    line = [{"owner": "ann", "manager": "mia"}, {"owner": "bob", "manager": "max"}]
    view = seen(deals, by=["manager"], reporting_line=line)
    assert value(view, "commit") == 1400
    assert value(view, "upside") == 300
    assert value(view, "open_due") == 1700
    assert (value(view, "commit", group="mia"), value(view, "commit", group="max")) == (1000, 400)


def test_velocity_is_four_thousand_a_day() -> None:
    deals = past(2, 10_000, 8, 1, days=50) + [opened(f"o{i}", "2024-04-01", 5) for i in range(100)]
    assert value(seen(deals), "sales_velocity") == pytest.approx(4_000)
    assert status(seen(deals[11:]), "sales_velocity") == "undefined"


def test_coverage_is_three() -> None:
    deals = [
        won("w", "2024-04-01", "2024-05-01", 200_000),
        opened("a", "2024-04-01", 900_000, expected_close="2024-06-30"),
        opened("b", "2024-04-01", 900_000, expected_close="2024-07-30"),
    ]
    view = seen(deals, quotas=quota(500_000))
    assert value(view, "pipeline_coverage") == 3
    assert value(view, "quota") == 500_000
    assert value(view, "ahead_of_quota") == -300_000
    assert reason(seen(deals), "pipeline_coverage") == "no table quotas"


@pytest.mark.parametrize("amount", [200_000, 100_000, 0, -5])
def test_where_the_quota_is_reached_nothing_is_needed(amount: float) -> None:
    now = opened("a", "2024-04-01", 1, expected_close="2024-06-01", owner="ann")
    deals = [*past(1, 50_000, 3, 50_000), won("w", "2024-04-01", "2024-05-01", 200_000), now]
    view = seen(deals, quotas=quota(amount))
    for name in ("pipeline_coverage", "pipeline_needed", "opportunities_needed", "opportunities_needed_a_day"):
        assert status(view, name) == "reached"
        assert np.isnan(value(view, name))


def test_what_is_needed_for_the_rest_of_the_quota() -> None:
    # One of four closed deals was won, all of 50,000: a quarter by number and by value.
    now = [opened(name, "2024-04-01", 1, owner=owner) for name, owner in (("a", "ann"), ("b", "bob"))]
    deals = [*past(1, 50_000, 3, 50_000), *now]
    view = seen(deals, quotas=quota(300_000), until="2024-06-20")  # Thursday: 6 weekdays are left
    assert value(view, "pipeline_needed") == 1_200_000
    assert value(view, "opportunities_needed") == 24
    assert value(view, "opportunities_needed_a_day") == 2


def test_attainment_by_owner_and_a_quota_of_nought() -> None:
    deals = [
        won("a", "2024-04-01", "2024-05-01", 500_000, owner="ann"),
        won("b", "2024-04-01", "2024-05-01", 7, owner="bob"),
    ]
    quotas = quota(400_000, level="owner", group="ann") + quota(0, level="owner", group="bob")
    view = seen(deals, by=["owner"], quotas=quotas)
    assert value(view, "quota_attainment", group="ann") == 1.25
    assert status(view, "quota_attainment", group="bob") == "undefined"
    assert "QUOTA-NOT-POSITIVE" in codes(view)


def test_quotas_of_quarters_are_those_of_their_year() -> None:
    quotas = quota(100) + quota(50, "2024Q1")
    view = seen([won("a", "2024-02-01", "2024-03-01", 60)], "2024Q1", "2024Q2", "2024", quotas=quotas)
    rows = table(view, "quota")
    assert rows.set_index("period")["value"].to_dict() == {"2024Q1": 50, "2024Q2": 100, "2024": 150}


def test_quotas_of_months_that_are_still_to_come_count_in_the_running_quarter() -> None:
    months = [quota(a, f"P{m}")[0] | {"period_start": f"2024-{m:02d}-01"} for m, a in ((4, 10), (5, 20), (6, 40))]
    view = seen([won("a", "2024-04-01", "2024-04-10", 35)], quotas=months, until="2024-04-15")
    assert value(view, "quota") == 70
    assert value(view, "quota_attainment") == 0.5


def test_each_window_is_seen_from_its_own_evening() -> None:
    deals = [
        deal("a", ("2024-01-05", {"stage": "Talk", "amount": 100}), ("2024-05-01", {"amount": 300})),
        lost("b", "2024-01-05", "2024-05-01", 50),
        opened("c", "2024-04-20", 7),
    ]
    rows = table(seen(deals, "2024Q1", "2024Q2"), "pipeline_value")
    assert rows.set_index("period")["value"].to_dict() == {"2024Q1": 150, "2024Q2": 307}
