"""Worlds whose chances are known: what a model finds in them can be set beside the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import day, deal, lessons_of, tell

AS_OF = day("2024-01-30")
CALENDAR = FiscalCalendar()
#: Daily hazards of winning and of losing.
HAZARDS = {"fast": (0.016, 0.012), "slow": (0.004, 0.012)}


def constant_hazards(n: int, seed: int) -> tuple[Lessons, Snapshot]:
    """Deals of two segments, each with its own constant hazards; seen from ``AS_OF``."""
    rng = np.random.default_rng(seed)
    begun = pd.Timestamp("2021-01-01")
    deals = []
    for i in range(n):
        segment = ["fast", "slow"][i % 2]
        won, lost = HAZARDS[segment]
        first = begun + pd.Timedelta(days=int(rng.integers(0, 1120)))
        days = int(np.ceil(rng.exponential(1 / (won + lost))))
        closing = first + pd.Timedelta(days=days)
        states = [(str(first.date()), {"stage": "Talk", "amount": 100.0})]
        if closing <= day("2024-06-30"):
            states.append((str(closing.date()), {"status": "won" if rng.random() < won / (won + lost) else "lost"}))
        deals.append(deal(f"d{i}", *states, segment=segment))
    return lessons_of(tell(deals, until="2024-06-30"), CALENDAR, AS_OF, back=10)


def won_and_lost_by(segment: str, ahead: int) -> tuple[float, float]:
    """True P(won) and P(lost) within ``ahead`` days of a deal of ``constant_hazards``."""
    won, lost = HAZARDS[segment]
    closed = 1 - float(np.exp(-(won + lost) * ahead))
    return won / (won + lost) * closed, lost / (won + lost) * closed
