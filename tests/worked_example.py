"""A small company that can be reckoned by hand.

Seen from 30 April 2024, day 30 of its second quarter. Two quarters are complete and held whole: 2023Q4 and 2024Q1.
"""

from __future__ import annotations

import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from stories import Deal, day, deal

AS_OF = day("2024-04-30")
CALENDAR = FiscalCalendar()
PERIOD = CALENDAR.named("2024Q2")

PAST = [
    deal("p1", ("2023-10-02", {"stage": "Talk", "amount": 100.0}), ("2023-10-05", {"status": "won"}), segment="smb"),
    # Open in Talk on day 30 of 2023Q4 (30 October), for 100 and 150; the second brings 100 in time, though not due.
    deal("p3", ("2023-10-10", {"stage": "Talk", "amount": 100.0, "expected_close": "2023-12-01"}),
         ("2023-12-15", {"status": "lost"}), segment="smb"),
    deal("p10", ("2023-10-10", {"stage": "Talk", "amount": 150.0, "expected_close": "2024-01-15"}),
         ("2023-12-28", {"status": "won", "amount": 100.0}), segment="ent"),
    # In Offer by then, for 200; brings 240.
    deal("p2", ("2023-10-10", {"stage": "Talk", "amount": 200.0, "expected_close": "2023-11-30"}),
         ("2023-10-20", {"stage": "Offer"}),
         ("2023-12-01", {"status": "won", "amount": 240.0}), segment="smb"),
    # New after day 30, won in the same quarter: 60, and 40 in the next.
    deal("p4", ("2023-11-10", {"stage": "Talk", "amount": 60.0}), ("2023-12-20", {"status": "won"}), segment="smb"),
    deal("p7", ("2024-02-15", {"stage": "Talk", "amount": 40.0}), ("2024-03-10", {"status": "won"}), segment="smb"),
    # Open on day 30 of 2024Q1 (30 January): one in Offer in time, one in Talk too late; that one is W.
    deal("p5", ("2024-01-10", {"stage": "Offer", "amount": 300.0, "expected_close": "2024-01-15"}),
         ("2024-03-01", {"status": "won"}), segment="ent"),
    deal("p6", ("2024-01-10", {"stage": "Talk", "amount": 150.0, "expected_close": "2024-03-31"}),
         ("2024-04-10", {"status": "won"}), segment="ent"),
    deal("p8", ("2024-02-20", {"stage": "Talk", "amount": 500.0}), ("2024-03-20", {"status": "lost"}), segment="ent"),
]  # fmt: skip


def now_open(name: str, segment: str, **state: object) -> Deal:
    return deal(name, ("2024-04-20", state), segment=segment, region="north")


#: What people said of the quarter by 30 April: reps 200 and 300, a manager 450, the boss 470.
CALLS = pd.DataFrame([
    {"made_at": day(made), "person": person, "layer": layer, "period": period, "amount": amount, "category": category}
    for made, person, layer, period, amount, category in (
        ("2024-04-02", "ann", "rep", "2024Q2", 100.0, "Commit"),
        ("2024-04-15", "ann", "Rep", "2024Q2", 200.0, "Commit"),
        ("2024-04-15", "ann", "rep", "2024Q2", 900.0, "Best Case"),
        ("2024-04-16", "ann", "rep", "2024Q3", 5000.0, "Commit"),
        ("2024-04-01", "bob", "rep", "2024q2", 300.0, "commit "),
        ("2024-01-05", "bob", "rep", "2024Q1", 7.0, "Commit"),
        ("2024-04-20", "mia", "manager", "2024Q2", 450.0, "Commit"),
        ("2024-04-10", "eve", "executive", "2024Q2", 480.0, "Commit"),
        ("2024-04-30", "eve", "executive", "2024Q2", 470.0, "Commit"),
    )
])  # fmt: skip

BOOK = [
    now_open("o1", "ent", stage="Offer", amount=1000.0, expected_close="2024-06-15", probability=0.6,
             forecast_category="Commit"),
    now_open("o2", "smb", stage="Talk", amount=400.0, expected_close="2024-04-15", probability=0.2,
             forecast_category="Best Case"),
    now_open("o3", "ent", stage="Talk", amount=800.0, expected_close="2024-08-01", probability=0.5,
             forecast_category="Commit"),
    now_open("o4", "smb", stage="Offer", amount=None, expected_close="2024-05-31", probability=0.5,
             forecast_category=" commit "),
    now_open("o5", "smb", stage="Deal", amount=10.0, expected_close="2024-06-30", probability=0.1,
             forecast_category="Pipeline"),
]  # fmt: skip
