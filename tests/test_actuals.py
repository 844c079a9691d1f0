"""What a period brought: by the true day, as known now and on its last evening, for whom a deal counted."""

from __future__ import annotations

import pandas as pd

from pipeforecast.actuals import actuals
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.outcome import won_between
from pipeforecast.reporting import credited
from stories import day, deal, tell


def by_cell(found: pd.DataFrame, as_of: pd.Timestamp) -> dict[tuple[str, str], tuple[float, float]]:
    own = found[(found["as_of"] == as_of).to_numpy()]
    cells = zip(own["level"], own["group"], own["actual"], own["actual_as_first_known"], strict=True)
    return {(level, group): (now, then) for level, group, now, then in cells}


def test_late_bookings_reopenings_and_handing_over(calendar: FiscalCalendar) -> None:
    """Booked late: not known at first. Opened again: known at first. Handed over once won: stays with who won it."""
    third = calendar.named("2024Q3")
    history = tell([
        deal("late", ("2024-07-01", {"amount": 100.0, "owner": "ann"}),
             ("2024-10-03", {"status": "won", "closed_at": "2024-09-30"})),
        deal("again", ("2024-07-01", {"amount": 7.0, "owner": "ann"}), ("2024-08-01", {"status": "won"}),
             ("2024-10-10", {"status": "open", "closed_at": None})),
        deal("passed on", ("2024-07-01", {"amount": 30.0, "owner": "bob"}), ("2024-09-01", {"status": "won"}),
             ("2024-09-15", {"owner": "cid"})),
        deal("next", ("2024-07-01", {"amount": 9.0, "owner": "bob"}), ("2024-10-01", {"status": "won"})),
    ])  # fmt: skip
    evening = third.evening(30)
    told = by_cell(actuals(history, [(evening, third)], ("owner",)), evening)
    assert told == {("total", "total"): (130.0, 37.0), ("owner", "ann"): (100.0, 7.0), ("owner", "bob"): (30.0, 30.0)}


def test_a_period_that_is_not_over_is_known_as_it_is(calendar: FiscalCalendar) -> None:
    third = calendar.named("2024Q3")
    history = tell([deal("a", ("2024-07-01", {"amount": 5.0, "owner": "ann"}), ("2024-07-09", {"status": "won"}))])
    told = by_cell(actuals(history, [(day("2024-07-01"), third)], ()), day("2024-07-01"))
    assert told == {("total", "total"): (5.0, 5.0)}


def test_it_is_what_a_history_cut_on_the_last_evening_says(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> None:
    periods = calendar.before(calendar.containing(as_of), 4)
    found = actuals(company_history, [(p.evening(0), p) for p in periods], ("owner", "region"))
    for p in periods:
        told = by_cell(found, p.evening(0))
        known = company_history.known_by(p.end)
        for which, history in enumerate((company_history, known)):
            line = history.tables.get("reporting_line")
            won = won_between(credited(history.states, line, history.written_until), p.start, p.end)
            assert told["total", "total"][which] == won["amount"].sum()
            by_owner = won.groupby("owner")["amount"].sum()
            assert {g: v[which] for (level, g), v in told.items() if level == "owner" and v[which]} == {
                str(g): v for g, v in by_owner.items() if v
            }
