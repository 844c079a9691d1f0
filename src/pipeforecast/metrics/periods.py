"""From what is asked to windows: the last periods, named ones, and the two sides of a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pandas as pd

from pipeforecast.errors import SettingsError, some
from pipeforecast.fiscal import FiscalCalendar, Length, Period
from pipeforecast.history import DealHistory
from pipeforecast.metrics.windows import Window

LENGTHS: Sequence[Length] = ("month", "quarter", "year")
CAMPAIGN = "campaign:"
BEFORE, AFTER, DIFFERENCE = "before", "after", "difference"
#: The day on which a row of each table names its campaign.
_DAY = {"leads": "created_at", "touches": "at", "spend": "day"}


@cache
def of_length(calendar: FiscalCalendar, length: Length) -> FiscalCalendar:
    """Give the same calendar cut into periods of another length."""
    return replace(calendar, length=length)


def windows_of(
    asked: int | Sequence[str], calendar: FiscalCalendar, history: DealHistory, as_of: pd.Timestamp
) -> list[Window]:
    """Give the windows that are asked for.

    Parameters
    ----------
    asked : int or names
        The last so many periods of the calendar up to the one that ``as_of`` lies in, oldest first; or names of its
        fiscal months, quarters and years, and ``campaign:NAME``.
    history : DealHistory
        May know more: nothing written after ``as_of`` is used.

    Raises
    ------
    SettingsError
        If a name is none of the calendar, lies after ``as_of``, or no row known by then names the campaign.
    """
    if isinstance(asked, int):
        now = calendar.containing(as_of)
        return [_window(p) for p in (*calendar.before(now, asked - 1), now)]
    out: list[Window] = []
    for name in asked:
        if name.startswith(CAMPAIGN):
            out += campaign_windows(name.removeprefix(CAMPAIGN), history, as_of)
        else:
            out.append(_window(_named(name, calendar)))
            if out[-1].start > as_of:
                raise SettingsError(f"periods: {name} begins on {out[-1].start.date()}, after as_of {as_of.date()}")
    return out


def _window(period: Period) -> Window:
    return Window(period.name, period.start, period.end)


def _named(name: str, calendar: FiscalCalendar) -> Period:
    for length in (calendar.length, *LENGTHS):
        try:
            return of_length(calendar, length).named(name)
        except SettingsError:
            continue
    raise SettingsError(
        f"periods: expected names such as 2024Q1, 2024M03, 2024 or campaign:NAME, or a number, came {name!r}"
    )


def campaign_windows(name: str, history: DealHistory, as_of: pd.Timestamp) -> list[Window]:
    """Give the windows before and after a campaign's beginning, of equal length.

    ``after`` goes from the first to the last day on which a lead, touch, deal or spend names the campaign (or to
    ``as_of``); ``before`` is as many days, up to the day before.
    """
    known = history.known_by(as_of)
    days: list[pd.Series] = []
    seen: set[str] = set()
    frames = [(known.deals, "created_at"), *((known.tables[t], day) for t, day in _DAY.items() if t in known.tables)]
    for frame, day in frames:
        if "campaign" in frame and day in frame:
            seen |= set(frame["campaign"].dropna().unique())
            days.append(frame.loc[(frame["campaign"] == name).fillna(False).to_numpy(dtype=bool), day].dropna())
    found = pd.concat(days) if days else pd.Series(dtype="datetime64[s]")
    if found.empty:
        raise SettingsError(f"periods: expected a campaign of the export ({some(sorted(seen))}), came {name!r}")
    start = pd.Timestamp(found.min()).normalize()
    end = max(min(pd.Timestamp(found.max()).normalize(), pd.Timestamp(as_of).normalize()), start)
    length = end - start + pd.Timedelta(days=1)
    title = f"{CAMPAIGN}{name}"
    return [
        Window(f"{title} {BEFORE}", start - length, start - pd.Timedelta(days=1)),
        Window(f"{title} {AFTER}", start, end),
    ]


def length_of(window: Window, calendar: FiscalCalendar) -> Length | None:
    """Tell which length of fiscal period a window is; None: a side of a campaign, and no period."""
    if window.name.startswith(CAMPAIGN):
        return None
    for length in LENGTHS:
        period = of_length(calendar, length).containing(window.start)
        if (period.start, period.end) == (window.start, window.end):
            return length
    return None


def shifted(window: Window, calendar: FiscalCalendar) -> tuple[Window, Window] | None:
    """Give the period before a window and the one a year before; None of a side of a campaign."""
    length = length_of(window, calendar)
    if length is None:
        return None
    own = of_length(calendar, length)
    period = own.containing(window.start)
    year = {"month": 12, "quarter": 4, "year": 1}[length]
    return _window(own.shift(period, -1)), _window(own.shift(period, -year))
