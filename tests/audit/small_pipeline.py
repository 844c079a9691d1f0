"""A small pipeline that can be audited by hand."""

from __future__ import annotations

import pandas as pd

from pipeforecast.audit import Asked, Audit, audit_of
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings, ReviewSettings
from stories import deal, tell

AS_OF = pd.Timestamp("2024-04-30")
CALENDAR = FiscalCalendar()
ASKED = Asked(
    FlagSettings(pushes=2, silent_days=30, least_stays=3), PastSettings(days=120, every=10), ReviewSettings(deals=2),
    CriteriaSettings(),
)  # fmt: skip


def audited(history: DealHistory, asked: Asked = ASKED, as_of: pd.Timestamp = AS_OF) -> Audit:
    return audit_of(history.known_by(as_of), CALENDAR, as_of, asked, as_of >= history.written_until)


def talk(name: str, *more, amount=100.0, due="2024-06-30", owner="ann", **facts):
    first = {"stage": "Talk", "amount": amount, "expected_close": due, "owner": owner}
    return deal(name, ("2024-01-02", first), *more, **facts)


def company(**facts) -> list:
    """Of the past deals that lost their close date, one in three was won; of those that never did, two in three."""
    late = "2024-01-15"
    ended = [("2024-02-01", "won"), ("2024-02-01", "lost"), ("2024-02-01", "lost")]
    past_due = [talk(f"late{i}", (day, {"status": how}), due=late) for i, (day, how) in enumerate(ended)]
    fine = [talk(f"fine{i}", (day, {"status": how})) for i, (day, how) in enumerate(
        [("2024-02-01", "won"), ("2024-02-01", "won"), ("2024-02-01", "lost")])]  # fmt: skip
    return [*past_due, *fine]


OPEN = [
    talk("clean"),
    talk("passed", due="2024-04-29", amount=500.0),
    talk("today", due="2024-04-30"),
    talk("pushed", ("2024-02-01", {"expected_close": "2024-07-31"}), ("2024-03-01", {"expected_close": "2024-08-31"})),
    talk("pulled", ("2024-02-01", {"expected_close": "2024-05-31"}), ("2024-03-01", {"expected_close": "2024-06-30"})),
    talk("poor", amount=None),
    talk("nought", amount=0.0),
    talk("back", ("2024-02-01", {"stage": "Offer"}), ("2024-03-01", {"stage": "Talk"}), owner="bob"),
    talk("jumped", ("2024-02-01", {"stage": "Deal"}), owner="bob"),
    talk("visited", ("2024-02-01", {"stage": "Offer"}), ("2024-02-02", {"stage": "Talk"}),
         ("2024-03-01", {"stage": "Deal"}), owner="bob"),
    deal("late start", ("2024-03-01", {"stage": "Deal", "amount": 5.0, "expected_close": "2024-06-01"})),
]  # fmt: skip


def small_audit() -> Audit:
    return audited(tell([*company(), *OPEN], until="2024-04-30"))
