"""Touches: answers, meetings, e-mails, campaigns, and what odd rows do."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import codes, history, look, reason, table, value


def touches(n: int, kind: str, start: int = 0, **facts: Any) -> list[dict[str, Any]]:
    """``n`` touches of as many leads, a minute apart."""
    first = pd.Timestamp("2024-02-01 09:00")
    return [
        {"at": first + pd.Timedelta(minutes=i), "kind": kind, "lead_id": f"L{start + i}", **facts} for i in range(n)
    ]


def test_response_rate_and_its_positive_share() -> None:
    rows = [*touches(100, "sent"), *touches(6, "replied"), *touches(9, "replied_positive")]
    view = look(history(touches=rows))
    assert (value(view, "response_rate"), value(view, "positive_response_share")) == (0.15, 0.6)
    told = table(view, "response_rate").iloc[0]
    assert (told["n"], round(told["lower"], 3), round(told["upper"], 3)) == (100, 0.093, 0.233)


def test_meeting_booking_rate_counts_prospects_once() -> None:
    rows = [*touches(100, "sent"), *touches(40, "called"), *touches(5, "meeting_booked")]
    assert value(look(history(touches=rows)), "meeting_booking_rate") == 0.05


def test_email_rates() -> None:
    rows = [*touches(120, "delivered"), *touches(30, "opened"), *touches(6, "clicked")]
    view = look(history(touches=rows))
    assert (value(view, "email_open_rate"), value(view, "email_click_rate")) == (0.25, 0.05)


def test_more_opens_than_mails_is_no_interval() -> None:
    told = table(look(history(touches=[*touches(2, "delivered"), *touches(3, "opened")])), "email_open_rate").iloc[0]
    assert told["value"] == 1.5
    assert pd.isna(told["lower"])


def test_campaign_touches_to_leads() -> None:
    leads = [{"lead_id": f"L{i}", "created_at": "2024-02-02", "campaign": "C" if i < 8 else None} for i in range(20)]
    view = look(history(leads=leads, touches=touches(200, "campaign", campaign="C")), by=["campaign", "lead_source"])
    assert value(view, "campaign_to_lead") == 0.04
    assert value(view, "campaign_to_lead", group="C") == 0.04


def test_what_is_not_recorded_is_not_available_and_nothing_sent_is_undefined() -> None:
    assert "no table touches" in reason(look(history()), "response_rate")
    view = look(history(touches=touches(3, "sent")))
    assert "replied" in reason(view, "response_rate")
    assert "meeting_booked" in reason(view, "meeting_booking_rate")
    both = look(history(touches=[*touches(3, "sent"), *touches(1, "replied")]), "2024Q1", "2023Q4")
    assert table(both, "response_rate")["status"].tolist() == ["ok", "undefined"]


def test_a_touch_that_is_there_twice_counts_once_and_is_told() -> None:
    rows = [*touches(10, "sent"), *touches(2, "replied")]
    view = look(history(touches=[*rows, rows[0], rows[-1], rows[-1]]))
    assert value(view, "response_rate") == 0.2
    (finding,) = (f for f in view.findings if f.code == "TOUCHES-REPEATED")
    assert finding.count == 3
    assert "TOUCHES-REPEATED" in codes(view)


def test_a_touch_counts_for_the_group_of_its_lead() -> None:
    leads = [
        {"lead_id": f"L{i}", "created_at": "2024-01-02", "region": "north" if i < 4 else "south"} for i in range(10)
    ]
    view = look(history(leads=leads, touches=[*touches(10, "sent"), *touches(5, "replied")]), by=["region"])
    assert value(view, "response_rate", group="north") == 1
    assert value(view, "response_rate", group="south") == pytest.approx(1 / 6)


drawn = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from(["sent", "replied", "replied_positive", "meeting_booked", "called"]),
              st.integers(0, 5)), max_size=40,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(drawn, st.integers(1, 95))
def test_touches_written_later_change_nothing(rows, day) -> None:
    begin = pd.Timestamp("2024-01-01")
    told = [{"at": begin + pd.Timedelta(days=d), "kind": k, "lead_id": f"L{i}"} for d, k, i in rows]
    early = [r for r in told if r["at"] < begin + pd.Timedelta(days=day + 1)]
    as_of = str((begin + pd.Timedelta(days=day)).date())
    names = ("response_rate", "positive_response_share", "meeting_booking_rate")
    one, two = (table(look(history(touches=r), as_of=as_of), *names) for r in (told, early))
    pd.testing.assert_frame_equal(one, two)


def test_campaign_touches_are_told_by_what_leads_alone_have() -> None:
    leads = [{"lead_id": f"L{i}", "created_at": "2024-02-02", "campaign": "C", "region": "ns"[i % 2]} for i in range(8)]
    view = look(history(leads=leads, touches=touches(8, "campaign")), by=["region"])
    assert value(view, "campaign_to_lead", group="n") == 1
