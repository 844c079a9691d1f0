"""Sources, sizes, calls and the four Vs: worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from deal_stories import lost, opened, seen, won
from lead_stories import reason, status, table, value

from pipeforecast.metrics.choices import Choices
from stories import deal

APRIL, MAY = "2024-04-01", "2024-05-01"


def test_sources_and_how_concentrated_they_are() -> None:
    deals = [
        won("a", APRIL, MAY, 400, lead_source="Web"), won("b", APRIL, MAY, 100, lead_source="Web"),
        won("c", APRIL, MAY, 300, lead_source="Fair"), won("d", APRIL, MAY, 200), lost("e", APRIL, MAY, 999),
    ]  # fmt: skip
    view = seen(deals)
    assert [value(view, "won_by_source", s) for s in ("Web", "Fair", "(none)")] == [2, 1, 1]
    assert [value(view, "won_amount_by_source", s) for s in ("Web", "Fair", "(none)")] == [500, 300, 200]
    assert value(view, "largest_source_share") == 0.5
    assert value(view, "source_concentration") == pytest.approx(0.25 + 0.09 + 0.04)
    assert reason(seen([won("a", APRIL, MAY, 1)]), "won_by_source") == "deals has no lead_source"
    assert status(seen([lost("a", APRIL, MAY, 1, lead_source="Web")]), "source_concentration") in (
        "undefined", "not available",
    )  # fmt: skip


def test_sizes_in_bands_of_ones_own() -> None:
    deals = [
        won("a", "2024-04-21", MAY, 100), won("b", "2024-04-11", MAY, 200), won("c", APRIL, MAY, 5_000),
        lost("d", APRIL, MAY, 999), lost("e", APRIL, MAY, 1), lost("f", APRIL, MAY, None),
    ]  # fmt: skip
    done = (("sent", "a", 3), ("sent", "b", 1), ("meeting_held", "b", 2), ("sent", "c", 7))
    touches = [{"at": f"2024-04-2{i}", "kind": k, "deal_id": d} for k, d, n in done for i in range(2, 2 + n)]
    touches += [{"at": "2024-05-02", "kind": "meeting_held", "deal_id": "a"}]  # after it was closed
    touches += [{"at": "2024-04-25", "kind": "sent", "deal_id": None}]
    view = seen(deals, touches=touches, choices=Choices(size_bands=(1_000.0,)))
    small, large = "under 1,000", "1,000 and over"
    assert (value(view, "deal_size_count", small), value(view, "deal_size_count", large)) == (2, 1)
    assert (value(view, "deal_size_amount", small), value(view, "deal_size_amount", large)) == (300, 5_000)
    assert value(view, "deal_size_win_rate", small) == 0.5
    assert value(view, "deal_size_win_rate", "without amount") == 0
    assert value(view, "deal_size_cycle", small) == 15
    assert value(view, "touches_per_win", small) == 3
    assert value(view, "touches_per_win", large) == 7
    assert value(view, "meetings_per_win", small) == 1
    assert "deal_id" in reason(seen(deals, touches=[{"at": MAY, "kind": "sent"}]), "touches_per_win")


def test_bands_of_themselves_are_quartiles_of_what_was_won() -> None:
    deals = [won(f"w{x}", APRIL, MAY, x) for x in (100, 200, 300, 400, 500)]
    rows = table(seen(deals), "deal_size_count").set_index("part")["value"]
    assert rows.to_dict() == {
        "under 200": 1, "200 to 300": 1, "300 to 400": 1, "400 and over": 2, "without amount": 0,
    }  # fmt: skip
    assert "size bands" in reason(seen([opened("a", APRIL, 1)]), "deal_size_count")


def call(made: str, person: str, amount: float, layer: str = "rep", period: str = "2024Q2") -> dict[str, object]:
    return {"made_at": made, "person": person, "layer": layer, "period": period, "amount": amount}


def test_calls_beside_what_was_won() -> None:
    deals = [won("a", APRIL, MAY, 100, owner="ann"), won("b", APRIL, MAY, 300, owner="bob")]
    calls = [
        call("2024-03-31", "ann", 90), call("2024-04-30", "ann", 120), call("2024-05-01", "ann", 100),
        call("2024-04-30", "bob", 150), call("2024-04-02", "eve", 500, "executive"),
        call("2024-04-02", "ann", 7, period="2024Q1"),
    ]  # fmt: skip
    view = seen(deals, by=["owner"], calls=calls)
    assert value(view, "forecast_accuracy", "rep, day 0", "ann") == pytest.approx(0.9)
    assert value(view, "forecast_accuracy", "rep, day 30", "ann") == pytest.approx(0.8)
    assert value(view, "forecast_accuracy", "rep, day 60", "ann") == 1.0
    assert value(view, "forecast_accuracy", "rep, day 30", "bob") == 0.5
    # 120 and 150 of 400 in all; the executive said 500.
    assert value(view, "forecast_accuracy", "rep, day 30") == pytest.approx(1 - 130 / 400)
    assert value(view, "forecast_accuracy", "executive, day 30") == 0.75
    # A period that is not over has not come true yet.
    assert np.isnan(value(seen(deals, calls=calls, until="2024-06-29"), "forecast_accuracy", "rep, day 30"))
    assert status(seen([], calls=calls), "forecast_accuracy", "rep, day 30") == "undefined"


def test_the_four_vs_of_new_and_existing_customers() -> None:
    deals = [
        opened("a", APRIL, 100, deal_type="new"), opened("b", APRIL, 200, deal_type="new"),
        opened("c", APRIL, 50, deal_type="existing"),
        deal("d", (APRIL, {"stage": "Talk", "amount": 1}), ("2024-04-11", {"stage": "Offer"}),
             ("2024-04-21", {"status": "lost"}), deal_type="existing"),
    ]  # fmt: skip
    view = seen(deals)
    assert [value(view, "four_vs", f"{w} customers: volume") for w in ("all", "new", "existing")] == [3, 2, 1]
    assert [value(view, "four_vs", f"{w} customers: value") for w in ("all", "new", "existing")] == [350, 300, 50]
    assert value(view, "four_vs", "existing customers: conversion, Talk") == 1
    assert value(view, "four_vs", "existing customers: conversion, Offer") == 0
    assert value(view, "four_vs", "existing customers: velocity, Offer") == 10
    units = table(view, "four_vs").set_index("part")["unit"]
    assert units["new customers: volume"] == "count"
    assert units["new customers: value"] == "currency"
    assert units["new customers: velocity, Talk"] == "days"
    assert units["new customers: conversion, Talk"] == "share"
    # Without a kind of deal there are all customers alone.
    assert {p.split(":")[0] for p in table(seen([opened("a", APRIL, 1)]), "four_vs")["part"]} == {"all customers"}
