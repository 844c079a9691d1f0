"""Win rates in their forms, and close rates."""

from __future__ import annotations

import numpy as np
import pytest
from deal_stories import lost, opened, seen, won
from lead_stories import codes, reason, status, table, value

from pipeforecast.metrics import View
from pipeforecast.metrics.choices import Choices
from stories import Deal, deal


def closed(n_won: int, n_lost: int) -> list[Deal]:
    """Deals created a quarter earlier, closed in the second."""
    return [won(f"w{i}", "2024-01-05", "2024-05-01", 10) for i in range(n_won)] + [
        lost(f"l{i}", "2024-01-05", "2024-05-02", 40) for i in range(n_lost)
    ]


def interval(view: View, name: str) -> tuple[float, float]:
    row = table(view, name).iloc[0]
    return float(row["lower"]), float(row["upper"])


def test_twenty_of_fifty_closed() -> None:
    view = seen(closed(20, 30))
    assert value(view, "win_rate") == 0.4
    # Wilson: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n)
    assert interval(view, "win_rate") == pytest.approx((0.2761, 0.5382), abs=1e-4)
    assert value(view, "win_rate_by_value") == 200 / (200 + 1200)
    assert np.isnan(interval(view, "win_rate_by_value")).all()  # money has no Wilson interval


def test_flow_is_won_over_created() -> None:
    deals = closed(20, 0) + [opened(f"n{i}", "2024-04-10", 5) for i in range(100)]
    view = seen(deals)
    assert value(view, "win_rate_flow") == 0.2
    assert interval(view, "win_rate_flow") == pytest.approx((0.133, 0.289), abs=5e-4)
    assert value(view, "win_rate_flow_by_value") == 200 / 500


def test_more_won_than_created_is_a_flow_without_an_interval() -> None:
    view = seen([*closed(3, 0), opened("n", "2024-04-10", 5)])
    assert value(view, "win_rate_flow") == 3
    assert np.isnan(interval(view, "win_rate_flow")).all()


def test_of_those_created_the_open_ones_stand_beside() -> None:
    deals = [
        won("a", "2024-04-01", "2024-05-01", 300), lost("b", "2024-04-01", "2024-05-01", 500),
        lost("c", "2024-04-01", "2024-05-01", 100), opened("d", "2024-04-01", 100),
    ]  # fmt: skip
    view = seen(deals)
    assert value(view, "win_rate_created") == 0.25
    assert value(view, "win_rate_created_by_value") == 0.3
    assert value(view, "created_still_open") == 0.25
    assert status(view, "win_rate_created") == "immature"
    assert status(seen(deals[:3]), "win_rate_created") == "ok"


def test_the_qualified_are_those_that_ever_reached_the_stage() -> None:
    deals = [
        deal("a", ("2024-04-01", {"stage": "Talk", "amount": 300}), ("2024-04-10", {"stage": "Offer"}),
             ("2024-05-01", {"status": "won"})),
        # Went back before it was lost: it had been there.
        deal("b", ("2024-04-01", {"stage": "Talk", "amount": 100}), ("2024-04-10", {"stage": "Offer"}),
             ("2024-04-12", {"stage": "Talk"}), ("2024-05-01", {"status": "lost"})),
        lost("c", "2024-04-01", "2024-05-01", 600),
    ]  # fmt: skip
    view = seen(deals, choices=Choices(qualified_stage="Offer"))
    assert value(view, "win_rate_qualified") == 0.5
    assert value(view, "win_rate_qualified_by_value") == 0.75
    assert value(view, "win_rate") == 1 / 3
    assert "qualified_stage" in reason(seen(deals), "win_rate_qualified")
    assert "'Offfer'" in reason(seen(deals, choices=Choices(qualified_stage="Offfer")), "win_rate_qualified")


def test_nothing_closed_is_undefined_and_all_lost_is_nought() -> None:
    assert status(seen([opened("a", "2024-04-01", 1)]), "win_rate") == "undefined"
    assert value(seen(closed(0, 2)), "win_rate") == 0


def test_close_rates_have_four_denominators() -> None:
    deals = [won("a", "2024-04-01", "2024-05-01", 1), won("b", "2024-04-01", "2024-05-01", 1)]
    # Three leads of the quarter, and five older ones that were touched in it: eight are active, five were contacted.
    leads = [{"lead_id": f"L{i}", "created_at": "2024-04-02" if i < 3 else "2024-01-02"} for i in range(9)]
    touches = [{"at": "2024-05-01", "kind": "sent", "lead_id": f"L{i}"} for i in (2, 3, 4, 5)]
    touches += [{"at": "2024-05-02", "kind": "sent", "lead_id": "L2"}]
    touches += [{"at": f"2024-05-0{d}", "kind": "meeting_held", "lead_id": "L6"} for d in (3, 4, 5, 6, 6)]  # one twice
    touches += [{"at": "2024-05-03", "kind": "opened", "lead_id": "L7"}]
    touches += [{"at": f"2024-05-0{d}", "kind": "proposal_sent", "lead_id": "L6"} for d in (4, 5)]
    view = seen(deals, leads=leads, touches=touches)
    assert value(view, "close_rate") == 2 / 8
    assert value(view, "close_rate_contacted") == 2 / 5
    assert value(view, "close_rate_meetings") == 2 / 4
    assert value(view, "close_rate_proposals") == 2 / 2
    assert codes(view) >= {"TOUCHES-REPEATED"}
    assert reason(seen(deals, leads=leads), "close_rate") == "no table touches"
