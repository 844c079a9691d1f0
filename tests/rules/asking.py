"""What every test of a rule does: ask it for a period of a company that is told in a few lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.rules import RULES
from pipeforecast.snapshot import Snapshot
from stories import Deal, day, deal, lessons_of, tell

CALENDAR = FiscalCalendar()


def ask(name: str, taught: tuple[Lessons, Snapshot], period: Period, *levels: str) -> Forecast:
    return RULES[name].fit(taught[0]).forecast(taught[1], period, levels)


def seen(
    deals: list[Deal], as_of: str, period: Period, calendar: FiscalCalendar = CALENDAR
) -> tuple[Lessons, Snapshot]:
    """What is known on the evening of ``as_of``, with lessons of the same day of past periods."""
    history = tell(deals, until=max(as_of, "2024-12-31"))
    return lessons_of(history, calendar, day(as_of), ks=(0, 30, period.day_of(day(as_of))))


def won(closed: str, amount: float | None, segment: str = "s", cycle: int = 10, written: str | None = None) -> Deal:
    """A deal won on ``closed``, created ``cycle`` days before, and booked on ``written`` where that is later."""
    created = str((day(closed) - pd.Timedelta(days=cycle)).date())
    return deal(f"{closed} {amount}", (created, {"stage": "Talk", "amount": amount}),
                (written or closed, {"status": "won", "closed_at": closed}), segment=segment)  # fmt: skip


def open_deal(created: str, amount: float | None, segment: str = "s", due: str | None = None) -> Deal:
    state = {"stage": "Talk", "amount": amount, "expected_close": due}
    return deal(f"open {created} {amount}", (created, state), segment=segment)


def of_segments(made: Forecast) -> dict[str, float]:
    """Totals of the level ``segment`` by group."""
    rows = made.cells[((made.cells["level"] == "segment") & (made.cells["part"] == "total")).to_numpy()]
    assert rows["group"].is_unique
    return dict(zip(rows["group"], made.mean[rows.index.to_numpy(dtype=np.intp)], strict=True))
