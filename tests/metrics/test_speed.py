"""Speed to lead in hours: medians, limits, bands; no hours, no figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import codes, history, look, reason, status, table, value

from stories import deal

BEGIN = pd.Timestamp("2024-02-01 09:00")


def leads(*hours: float | None, **facts: Any) -> list[dict[str, Any]]:
    """A lead for each number of hours to its first response (None: never answered)."""
    return [
        {
            "lead_id": f"L{i}", "created_at": BEGIN.normalize(), "created_time": BEGIN,
            "first_response_time": pd.NaT if h is None else BEGIN + pd.Timedelta(hours=h), **facts,
        }
        for i, h in enumerate(hours)
    ]  # fmt: skip


def test_median_and_ninetieth_percentile_of_the_answered() -> None:
    view = look(history(leads=leads(0.5, 2, 30, None)))
    assert value(view, "speed_to_lead", "median") == 2
    assert value(view, "speed_to_lead", "90th percentile") == pytest.approx(2 + 0.8 * 28)


def test_shares_within_an_hour_and_a_day() -> None:
    view = look(history(leads=leads(0.5, 2, 30, None)))
    assert value(view, "speed_to_lead_share", "within 1 h") == 0.25
    assert value(view, "speed_to_lead_share", "within 24 h") == 0.5


def test_a_lead_that_is_younger_than_the_limit_and_unanswered_does_not_count_yet() -> None:
    view = look(history(leads=leads(0.5, None, None)), as_of="2024-02-01")
    assert value(view, "speed_to_lead_share", "within 1 h") == pytest.approx(1 / 3)
    assert value(view, "speed_to_lead_share", "within 24 h") == 1


def test_conversion_by_band() -> None:
    rows = leads(0.5, 0.5, 1.0, 0.2, 5, 100, 400, None)
    for i in (0, 1, 2, 4):
        rows[i]["converted_at"] = "2024-02-20"
    view = look(history(leads=rows))
    bands = {"up to 1 h": 0.75, "1 to 24 h": 1, "1 to 7 days": 0, "over 7 days": 0, "no response": 0}
    assert {b: value(view, "speed_to_lead_conversion", b) for b in bands} == bands
    assert status(view, "speed_to_lead_conversion", "up to 1 h") == "ok"


def test_the_first_outreach_stands_in_for_a_response() -> None:
    rows = leads(None, None)
    touches = [
        {"at": BEGIN - pd.Timedelta(hours=1), "kind": "sent", "lead_id": "L0"},
        {"at": BEGIN + pd.Timedelta(hours=3), "kind": "opened", "lead_id": "L0"},
        {"at": BEGIN + pd.Timedelta(hours=6), "kind": "called", "lead_id": "L0"},
        {"at": BEGIN + pd.Timedelta(hours=9), "kind": "called", "lead_id": "L0"},
    ]
    assert value(look(history(leads=rows, touches=touches)), "speed_to_lead", "median") == 6


def test_days_alone_tell_no_hours() -> None:
    rows = [{"lead_id": "a", "created_at": "2024-02-01", "first_response_at": "2024-02-02"}]
    assert "no time of day" in reason(look(history(leads=rows)), "speed_to_lead")
    assert "touches" in reason(look(history(leads=leads(None))), "speed_to_lead_share")
    assert "no table leads" in reason(look(history()), "speed_to_lead")


def test_a_response_before_the_lead_is_left_out_and_told() -> None:
    view = look(history(leads=leads(-3, 2, None)))
    assert value(view, "speed_to_lead", "median") == 2
    assert value(view, "speed_to_lead_share", "within 24 h") == 0.5
    assert "RESPONSE-BEFORE-CREATED" in codes(view)


def test_nobody_created_is_undefined() -> None:
    rows = table(look(history(leads=leads(1)), "2023Q4"), "speed_to_lead", "speed_to_lead_share")
    assert set(rows["status"]) == {"undefined"}


hours = st.lists(st.floats(0.01, 2000) | st.none(), min_size=1, max_size=30)


@settings(max_examples=20, deadline=None)
@given(hours, st.integers(0, 60))
def test_answers_given_later_change_nothing(drawn, days) -> None:
    as_of = BEGIN.normalize() + pd.Timedelta(days=days)
    evening = as_of + pd.Timedelta(days=1)
    known = [h if h is not None and BEGIN + pd.Timedelta(hours=h) < evening else None for h in drawn]
    names = ("speed_to_lead", "speed_to_lead_share")
    one, two = (
        table(look(history(leads=leads(0.3, *h)), as_of=str(as_of.date())), *names) for h in (drawn, known)
    )  # fmt: skip
    pd.testing.assert_frame_equal(one, two)


@settings(max_examples=20, deadline=None)
@given(hours)
def test_quantiles_are_those_of_numpy(drawn) -> None:
    view = look(history([deal("A", ("2024-02-01", {}))], leads=leads(1.5, *drawn)))
    known = [round(h * 3600) / 3600 for h in [1.5, *drawn] if h is not None]
    for part, share in (("median", 0.5), ("90th percentile", 0.9)):
        assert value(view, "speed_to_lead", part) == pytest.approx(np.quantile(known, share), abs=1e-3)


def test_the_hunt_of_new_customers_stands_among_the_four_vs() -> None:
    """The lead of an account that has bought before is farming: its hours do not count for the hunt."""
    rows = leads(1, 3, 500, account_id=None)
    rows[2]["account_id"] = "A"
    deals = [deal("old", ("2023-10-01", {}), ("2023-12-01", {"status": "won"}), account_id="A", deal_type="new")]
    touches = [{"at": "2024-02-10 10:00", "kind": "called", "account_id": "A"}] * 1
    view = look(history(deals, leads=rows, touches=touches))
    assert value(view, "four_vs", "new customers: speed to lead") == 2
    assert value(view, "four_vs", "existing customers: touches a month") == pytest.approx(1 / 3)
