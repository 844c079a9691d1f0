"""What marketing brings and costs, and who is credited with it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import codes, history, look, reason, table, value

from pipeforecast.metrics.attribution import MODELS
from pipeforecast.metrics.credit import attribution_table
from stories import Deal, deal


def won(name: str, amount: float, day: str = "2024-02-20", **facts: Any) -> Deal:
    begun = (pd.Timestamp(day) - pd.Timedelta(days=30)).date()
    return deal(name, (str(begun), {"stage": "Talk", "amount": amount}), (day, {"status": "won"}), **facts)


def spend(amount: float, day: str = "2024-01-15", **facts: Any) -> dict[str, Any]:
    return {"day": day, "amount": amount, **facts}


def test_revenue_from_marketing_and_its_share() -> None:
    deals = [won("a", 100, lead_source="Web"), won("b", 300, lead_source="Event"), won("c", 600, lead_source="Phone"),
             won("d", 50, day="2023-11-11", lead_source="Web")]  # fmt: skip
    view = look(history(deals), marketing=["Web", "Event"])
    assert value(view, "marketing_sourced_revenue") == 400
    assert value(view, "marketing_sourced_share") == 0.4
    assert "marketing_sources" in reason(look(history(deals)), "marketing_sourced_revenue")


def test_return_on_spend() -> None:
    view = look(
        history([won("a", 150_000)], spend=[spend(30_000), spend(20_000, "2024-03-31"), spend(9, "2024-04-01")])
    )
    assert value(view, "roi") == 2.0


def test_return_on_spend_by_lead_source() -> None:
    deals = [won("a", 300, lead_source="web"), won("b", 500, lead_source="phone")]
    rows = [spend(100, lead_source="web"), spend(50, lead_source="event"), spend(0, lead_source="fair")]
    view = look(history(deals, spend=rows), by=["lead_source", "region"])
    assert value(view, "lead_source_roi", "web") == 2
    assert value(view, "lead_source_roi", "event") == -1
    rows = table(view, "lead_source_roi", "roi")
    assert rows[rows["part"] == "fair"]["status"].tolist()[0] == "undefined"
    assert "phone" not in set(rows["part"])
    roi = rows[(rows["metric"] == "roi")].set_index("group")["value"]
    assert (roi["web"], roi["event"], roi["total"]) == (2, -1, pytest.approx(650 / 150))
    # Spend has no region: nothing can be said by region.
    assert set(rows[rows["by"] == "region"]["status"]) == {"not available"}


def test_cost_per_lead() -> None:
    leads = [{"lead_id": f"L{i}", "created_at": "2024-02-02"} for i in range(1000)]
    view = look(history(leads=leads, spend=[spend(50_000)]))
    assert value(view, "cost_per_lead") == 50
    early = look(history(leads=leads, spend=[spend(50_000)]), "2023Q4")
    assert table(early, "cost_per_lead")["status"].tolist() == ["undefined"]


def test_customer_acquisition_cost_counts_accounts_that_buy_for_the_first_time() -> None:
    deals = [won(f"n{i}", 10, account_id=f"A{i}") for i in range(25)]
    deals += [won("again", 10, "2024-03-03", account_id="A0"), won("old", 10, "2023-05-05", account_id="B")]
    deals += [won("old again", 10, account_id="B")]
    view = look(history(deals, spend=[spend(50_000)]))
    assert value(view, "customer_acquisition_cost") == 2_000
    assert "account_id" in reason(look(history([won("a", 1)], spend=[spend(5)])), "customer_acquisition_cost")


@pytest.mark.parametrize("metric", ["roi", "cost_per_lead", "customer_acquisition_cost"])
def test_no_spend_table_is_not_available(metric: str) -> None:
    company = history([won("a", 1, account_id="A")], leads=[{"lead_id": "L", "created_at": "2024-02-02"}])
    assert "no table spend" in reason(look(company), metric)


def test_negative_spend_is_left_out_and_told() -> None:
    leads = [{"lead_id": f"L{i}", "created_at": "2024-02-02"} for i in range(10)]
    view = look(history(leads=leads, spend=[spend(100), spend(-40)]))
    assert value(view, "cost_per_lead") == 10
    assert "NEGATIVE-SPEND" in codes(view)


def test_a_return_on_nothing_is_undefined() -> None:
    view = look(history([won("a", 100)], spend=[spend(0)]))
    assert table(view, "roi")["status"].tolist() == ["undefined"]
    assert table(look(history([won("a", 100)], spend=[])), "roi")["status"].tolist() in (
        ["undefined"],
        ["not available"],
    )


# Attribution


def touch(day: str, **facts: Any) -> dict[str, Any]:
    return {"at": f"{day} 10:00", "kind": "campaign", **facts}


def shares(view: Any) -> dict[str, float]:
    rows = table(view, "attribution").set_index("part")["value"]
    return {str(k): float(v) for k, v in rows.items() if v}


def three(amount: float) -> dict[str, Any]:
    rows = [touch("2024-02-06", deal_id="a", lead_source="web"), touch("2024-02-13", deal_id="a", lead_source="event"),
            touch("2024-02-20", deal_id="a", lead_source="mail")]  # fmt: skip
    return {"deals": [won("a", amount)], "touches": rows}


def test_worked_examples_of_attribution() -> None:
    nine, seven = (shares(look(history(**three(x)))) for x in (900.0, 700.0))
    assert [nine[f"linear: {s}"] for s in ("web", "event", "mail")] == [300, 300, 300]
    assert [nine[f"position: {s}"] for s in ("web", "event", "mail")] == [360, 180, 360]
    assert [seven[f"time_decay: {s}"] for s in ("web", "event", "mail")] == [100, 200, 400]
    assert (nine["first: web"], nine["last: mail"]) == (900, 900)


def test_touches_of_the_lead_and_of_the_account_count_and_later_ones_do_not() -> None:
    leads = [{"lead_id": "L", "created_at": "2024-01-01", "converted_at": "2024-01-21", "converted_deal_id": "a"}]
    rows = [
        touch("2024-01-02", lead_id="L", lead_source="web"), touch("2024-02-20", account_id="A", lead_source="mail"),
        touch("2024-02-21", deal_id="a", lead_source="late"), touch("2024-02-01", lead_id="other", lead_source="no"),
        touch("2024-02-01", account_id="B", lead_source="no"),
    ]  # fmt: skip
    company = history([won("a", 100, account_id="A")], leads=leads, touches=rows)
    assert shares(look(company))["linear: web"] == 50
    assert shares(look(company))["linear: mail"] == 50
    before = look(company, attribution={"before": "creation"})
    assert shares(before) == {f"{m}: web": 100.0 for m in MODELS}


def test_kinds_and_half_life_are_settings() -> None:
    company = three(300.0)
    company["touches"][0]["kind"] = "called"
    only = shares(look(history(**company), attribution={"kinds": ["campaign"]}))
    assert "linear: web" not in only
    slow = shares(look(history(**three(300.0)), attribution={"half_life_days": 1e9}))
    assert slow["time_decay: web"] == 100


def test_the_source_of_a_campaign_stands_in() -> None:
    rows = [touch("2024-02-01", deal_id="a", campaign="C"), touch("2024-02-02", deal_id="a", campaign="D")]
    company = history(
        [won("a", 100, lead_source="own")], touches=rows, spend=[spend(1, campaign="C", lead_source="web")]
    )
    told = shares(look(company))
    assert (told["linear: web"], told["linear: own"]) == (50, 50)


def test_a_deal_without_touch_is_unattributed() -> None:
    company = three(90.0)
    company["deals"].append(won("b", 10.01))
    told = shares(look(history(**company)))
    assert {told[f"{m}: unattributed"] for m in MODELS} == {10.01}


def test_the_table_sets_all_models_side_by_side_by_source_and_by_campaign() -> None:
    company = three(100.0)
    company["touches"][0]["campaign"] = "C"
    company["deals"].append(won("b", 10.01))
    rows = attribution_table(look(history(**company)))
    assert list(rows.columns) == [
        "period", "by", "group", "touches", "first", "last", "linear", "position", "time_decay",
    ]  # fmt: skip
    assert set(rows["by"]) == {"source", "campaign"}
    for by in ("source", "campaign"):
        assert rows[rows["by"] == by][list(MODELS)].sum().round(2).tolist() == [110.01] * 5
    first = rows[(rows["by"] == "campaign") & (rows["group"] == "C")].iloc[0]
    assert (first["first"], first["linear"], first["touches"]) == (100, 33.34, 1)


drawn = st.lists(
    st.tuples(st.integers(1, 10**7), st.lists(st.tuples(st.integers(0, 80), st.sampled_from("xyz")), max_size=6)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(drawn)
def test_the_catalogue_credits_all_that_was_won_and_groups_add_up(deals) -> None:
    told = [won(f"d{i}", cents / 100, region="ns"[i % 2]) for i, (cents, _) in enumerate(deals)]
    rows = [
        touch(str((pd.Timestamp("2023-12-15") + pd.Timedelta(days=d)).date()), deal_id=f"d{i}", lead_source=s)
        for i, (_, touched) in enumerate(deals) for d, s in touched
    ]  # fmt: skip
    view = look(history(told, touches=rows), by=["region"])
    out = table(view, "attribution").assign(model=lambda t: t["part"].str.split(":").str[0])
    for by in ("total", "region"):
        sums = out[out["by"] == by].groupby("model")["value"].sum().round(2)
        assert set(sums) == {round(sum(c for c, _ in deals) / 100, 2)}


def test_touches_written_later_change_nothing() -> None:
    company = three(100.0)
    late = [touch("2024-03-10", deal_id="a", lead_source="late"), touch("2024-02-19", deal_id="b", lead_source="web")]
    one = table(look(history(**company), as_of="2024-02-25"), "attribution")
    company["touches"] = [*company["touches"], *late]
    company["deals"] = [*company["deals"], won("b", 50, "2024-02-26")]
    pd.testing.assert_frame_equal(one, table(look(history(**company), as_of="2024-02-25"), "attribution"))
