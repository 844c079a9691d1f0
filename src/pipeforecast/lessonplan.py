"""On which days lessons are taken, which deals teach, and the snapshots that this asks for.

Where more deals could teach than the learning curve asks for, a share of them does. A deal's id alone decides, so that
it hangs neither on the order of the rows nor on other deals, and the same ones teach from origin to origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.outcome import Lessons, Teaching, gather_lessons, lesson_days, observed_from
from pipeforecast.snapshot import Snapshot, take_snapshots

#: Where a prepared snapshot keeps the luck of each deal that decides whether it teaches.
_LUCK = "luck"
_HASHES = 2.0**64


@dataclass(frozen=True)
class Lessonplan:
    """On which past days lessons are taken.

    Parameters
    ----------
    days : days of each period (0 is the evening before it)
    periods : how many periods back
    most_deals : about how many deals teach; of more a share, the same at every origin
    """

    days: tuple[int, ...] = (0, 15, 30, 45, 60, 75)
    periods: int = 12
    most_deals: int = 50_000

    def with_day(self, k: int) -> Lessonplan:
        """Add day ``k``, which is below 0 for a later period than the next: past periods are seen from as far away."""
        return self if k in self.days else replace(self, days=(*self.days, k))


def prepare(
    history: DealHistory,
    calendar: FiscalCalendar,
    plan: Lessonplan,
    days: Iterable[pd.Timestamp],
    choosing: Iterable[pd.Timestamp] = (),
) -> Snapshot:
    """Take every snapshot that forecasts from ``days`` and their lessons need, in one query.

    A snapshot depends on nothing written after its day, so that one taken today serves every origin. On lesson days it
    holds the deals that teach, on ``days`` all; on those of ``choosing`` lessons are taken and nothing is forecast.
    """
    origins = sorted(days)
    asked = sorted({*origins, *choosing})
    first = first_day(history)
    ks = sorted({*plan.days, *(_day_ahead(calendar, d) for d in asked)})
    wanted: set[pd.Timestamp] = set(asked)
    for day in asked:
        wanted.update(lesson_days(calendar, first, day - pd.Timedelta(days=1), ks, plan.periods))
    shares = [min(1.0, plan.most_deals / _could_teach(history, calendar, day, plan)) for day in asked]
    if min(shares) == 1.0:
        return take_snapshots(history, wanted)
    luck = luck_of(history.deals["deal_id"])
    some = None if max(shares) == 1.0 else history.deals.index.to_numpy()[luck < max(shares)]
    out = take_snapshots(history, wanted, some, origins)
    out.memo[_LUCK] = luck
    return out


def luck_of(ids: pd.Series) -> np.ndarray:
    """Give each id a number in [0, 1) that is its own for ever (n,)."""
    return np.asarray(pd.util.hash_array(ids.to_numpy(dtype=object, na_value="")) / _HASHES)


def _could_teach(history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp, plan: Lessonplan) -> int:
    """How many deals could teach on the evening of ``day``: known by then, and not closed before the lessons begin."""
    since = calendar.shift(calendar.containing(day + pd.Timedelta(days=1)), -plan.periods).start
    last = history.held.last_by(day)
    return max(1, int((history.held.is_open[last] | (history.held.recorded[last] >= since.to_datetime64())).sum()))


def first_day(history: DealHistory, by: pd.Timestamp | None = None) -> pd.Timestamp:
    """First day on which lessons make sense: just before the first win, of those that were known and stood by a day."""
    states = history.states[["status", "closed_at"]]
    first = observed_from(states if by is None else states.iloc[history.held.last_by(by)])
    if first is None:
        written = history.held.recorded
        known = written if by is None else written[written < np.datetime64(by, "s") + np.timedelta64(1, "D")]
        until = history.written_until if by is None else min(by, history.written_until)
        first = pd.Timestamp(known.min()) if len(known) else until
    return first.normalize() - pd.Timedelta(days=1)


def _day_ahead(calendar: FiscalCalendar, as_of: pd.Timestamp) -> int:
    return calendar.containing(as_of + pd.Timedelta(days=1)).day_of(as_of)


def lessons_at(
    history: DealHistory, calendar: FiscalCalendar, snapshot: Snapshot, as_of: pd.Timestamp, plan: Lessonplan
) -> Lessons:
    """What may be learned on the evening of ``as_of``: the planned days only, and the same day of past periods."""
    ks = sorted({*plan.days, _day_ahead(calendar, as_of)})
    days = lesson_days(calendar, first_day(history, as_of), as_of - pd.Timedelta(days=1), ks, plan.periods)
    teaching = None
    if _LUCK in snapshot.memo:
        could = _could_teach(history, calendar, as_of, plan)
        chosen = snapshot.memo[_LUCK] < plan.most_deals / could
        teaching = None if could <= plan.most_deals else Teaching(history.deals.index.to_numpy()[chosen], could)
    return gather_lessons(history, calendar, snapshot.only(days), as_of, teaching)
