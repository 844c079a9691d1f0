"""Whether a closing date is the expected day, the real one, or both by turns."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeforecast.contract import LOST, OPEN, WON
from pipeforecast.errors import DataError, some
from pipeforecast.propose.columns import Match, fits
from pipeforecast.propose.deals import DealTable
from pipeforecast.propose.draft import Draft

_PLACE = ("deals", "columns", "closed_at")
#: A column filled in fewer open deals than this stays empty until a deal closes.
_HARDLY = 0.05


@dataclass(frozen=True)
class _Filled:
    """Which share of the open, the closed, the won or the lost deals has a value."""

    frame: pd.DataFrame
    status: pd.Series

    def of(self, column: str, *statuses: str) -> float:
        """Give the share among deals of these statuses; 0 where there are none."""
        chosen = self.frame.loc[self.status.isin(statuses).to_numpy(dtype=bool), column]
        return float((chosen != "").mean()) if len(chosen) else 0.0

    def open(self, column: str) -> float:
        return self.of(column, OPEN)

    def closed(self, column: str) -> float:
        return self.of(column, WON, LOST)


def put_close(draft: Draft, made: DealTable) -> None:
    """Find out whether a closing date is expected, real, or both by turns, and write it.

    Raises
    ------
    DataError
        If there is none.
    """
    assert made.status is not None  # noqa: S101 - put_status has told it
    filled = _Filled(made.table.frame, made.status)
    named, expected = (made.found[n].columns if n in made.found else [] for n in ("closed_at", "expected_close"))
    both = [c for c in (*named, *expected) if filled.open(c) > 0.5 and filled.closed(c) > 0.5]
    real = [c for c in named if filled.open(c) < _HARDLY and filled.closed(c) > 0]
    # Beside a column of expected days, one that deals get by closing is the real day, though reopened ones keep it.
    real = real or [c for c in named if expected and c not in both and filled.closed(c) > max(0.5, filled.open(c))]
    others = _unnamed(draft, made, filled)
    if real:
        _put_real(draft, real, filled)
        _put_expected(draft, [c for c in expected if c not in real], filled)
    elif others and not any(c in named for c in both):
        _put_unnamed(draft, others, expected or named, filled)
        made.found["closed_at"] = Match(others, "by what it holds", True)
        _put_expected(draft, expected, filled)
    elif both:
        _put_dual(draft, both, named, others, filled)
    elif named or expected:
        first = max((*named, *expected), key=filled.closed)
        draft.set(_PLACE, first)
        draft.set(("close_date",), "dual")
        draft.doubt(("close_date",), f"{first!r}: too little is filled to tell expected days from real ones",
                    "separate   # it is the real day of closed deals alone")  # fmt: skip
    else:
        raise DataError(
            f"{made.table.file}: expected a column with the day on which deals closed, and none is known as that; it "
            f"has {some(made.table.frame.columns, 12)}. Say which: columns={{closed_at: 'HEADING'}}"
        )


def _put_real(draft: Draft, real: list[str], filled: _Filled) -> None:
    pair = real[:2]
    frame = filled.frame
    disjoint = len(pair) == 2 and not bool(((frame[pair[0]] != "") & (frame[pair[1]] != "")).any())
    draft.set(_PLACE, {"first_of": pair} if disjoint else real[0])
    draft.set(("close_date",), "separate")
    if filled.open(real[0]) < _HARDLY:
        draft.note(_PLACE, f"empty while a deal is open, so the real day: {some(pair if disjoint else real[:1])}")
    else:
        draft.doubt(_PLACE, f"closed_at: {real[0]!r} is filled for {filled.open(real[0]):.0%} of open and "
                    f"{filled.closed(real[0]):.0%} of closed deals; it is taken as the real day alone")  # fmt: skip
    if len(real) > 1 and not disjoint:
        draft.doubt(_PLACE, f"closed_at: {real[0]!r} was taken; {some(real[1:])} may be meant as well",
                    *(f"closed_at: {c!r}" for c in real[1:]))  # fmt: skip


def _put_expected(draft: Draft, expected: list[str], filled: _Filled) -> None:
    if expected:
        place = ("deals", "optional", "expected_close")
        draft.set(place, expected[0])
        draft.note(place, f"by its name; {filled.open(expected[0]):.0%} of open deals")


def _put_dual(draft: Draft, both: list[str], named: list[str], others: list[str], filled: _Filled) -> None:
    first = both[0]
    draft.set(_PLACE, first)
    draft.set(("close_date",), "dual")
    shares = f"{first!r} is filled for {filled.open(first):.0%} of open and {filled.closed(first):.0%} of closed deals"
    if first in named:
        draft.note(("close_date",), f"{shares}: the expected day while open, the real one once closed")
    else:
        draft.doubt(("close_date",), f"{shares}, and no other column has the day on which a deal closed: it is taken "
                    "as the real one once closed, which is true only if your CRM sets it then")  # fmt: skip
    if len(both) > 1:
        draft.doubt(_PLACE, f"closed_at: {first!r} was taken; {some(both[1:])} is filled for open and closed "
                    "deals too", *(f"closed_at: {c!r}" for c in both[1:]))  # fmt: skip
    if others:
        draft.doubt(_PLACE, f"closed_at: {first!r} was taken; {some(others)} holds days of closed deals alone and may "
                    "be the real one, with close_date: separate", *(f"closed_at: {c!r}" for c in others))  # fmt: skip


def _put_unnamed(draft: Draft, others: list[str], beside: list[str], filled: _Filled) -> None:
    """Take a day that only closed deals have, under whatever heading, before a day that is called expected."""
    draft.set(_PLACE, others[0] if len(others) == 1 else {"first_of": others})
    draft.set(("close_date",), "separate")
    draft.doubt(
        _PLACE, f"closed_at: {some(others)} was taken, as closed deals have it and open ones do not; its name says "
        "no more", *(f"closed_at: {c!r}   # with close_date: dual" for c in beside if filled.closed(c) > 0),
    )  # fmt: skip


def _unnamed(draft: Draft, made: DealTable, filled: _Filled) -> list[str]:
    """Find days under unknown headings that closed deals have and open ones do not: one column, or won and lost days.

    A day that most of the won or most of the lost lack is none: a delivery, say, or a refusal.
    """
    frame = made.table.frame
    taken = {c for m in made.found.values() for c in m.columns}
    days = [
        str(c) for c in frame.columns
        if c not in taken and repr(str(c)) not in str(draft.mapping["status"]) and filled.open(str(c)) < _HARDLY
        and filled.closed(str(c)) > 0 and fits(frame[c], "date")
    ]  # fmt: skip
    whole = [c for c in days if min(filled.of(c, WON), filled.of(c, LOST)) > 0.5]
    if whole:
        return whole[:1]
    won = [c for c in days if filled.of(c, WON) > 0.5 and filled.of(c, LOST) == 0]
    lost = [c for c in days if filled.of(c, LOST) > 0.5 and filled.of(c, WON) == 0]
    return [won[0], lost[0]] if won and lost else []
