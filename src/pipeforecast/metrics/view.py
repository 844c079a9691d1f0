"""What a metric's function looks at: every table as known on one evening, cut by windows and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding
from pipeforecast.fiscal import FiscalCalendar, Length, Period
from pipeforecast.forecast import TOTAL
from pipeforecast.guess import nearest
from pipeforecast.history import DealHistory
from pipeforecast.metrics.choices import Choices
from pipeforecast.metrics.facts import Facts
from pipeforecast.metrics.frames import deal_rows, known_table, open_rows
from pipeforecast.metrics.groups import Groups, name_groups
from pipeforecast.metrics.periods import length_of
from pipeforecast.metrics.values import NotAvailable
from pipeforecast.metrics.windows import Window, Windows
from pipeforecast.outcome import complete_periods, observed_from
from pipeforecast.wording import pnoop

#: Said of groupings that no table has.
NOT_THERE = "GROUPING-NOT-THERE"
#: Rates of the pace look back on so many complete periods.
TRAILING = 4


@dataclass(frozen=True)
class View:
    """All that was known on one evening, for some windows and groupings.

    Attributes
    ----------
    known : DealHistory
        Cut at the evening of ``as_of``.
    calendar : FiscalCalendar
    windows : Windows (P)
    groups : Groups (G)
    today : bool
        Whether ``as_of`` is the last written day, so that today's values are known.
    findings : list of Finding
        What metrics find odd on their way; each code once.
    """

    known: DealHistory
    calendar: FiscalCalendar
    windows: Windows
    groups: Groups
    today: bool
    choices: Choices = field(default_factory=Choices)
    findings: list[Finding] = field(default_factory=list, compare=False)
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def as_of(self) -> pd.Timestamp:
        """The evening from which all is seen."""
        return self.windows.as_of

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows and of groups (P, G)."""
        return len(self.windows), len(self.groups)

    @cached_property
    def lengths(self) -> list[Length | None]:
        """Length of each window's fiscal period; None of a campaign's sides (P)."""
        return [length_of(w, self.calendar) for w in self.windows.items]

    @cached_property
    def deals(self) -> Facts:
        """Deals as known on the evening (see ``frames.deal_rows``)."""
        return self.facts(self.deal_frame)

    @cached_property
    def deal_frame(self) -> pd.DataFrame:
        """Rows of ``deals``."""
        made = self._made.get("deals")
        return deal_rows(self.known, self.today) if made is None else made

    @cached_property
    def opened(self) -> Facts:
        """Deals open on each window's evening, as known on that very evening (see ``frames.open_rows``)."""
        return self.facts(open_rows(self.known, self.windows.evenings, self.today))

    def table(self, name: str) -> Facts:
        """Give any other table as known on the evening; made once.

        Raises
        ------
        NotAvailable
            If the export does not have it.
        """
        made: Facts = self.once(name, lambda: self.facts(self.frame(name)))
        return made

    def frame(self, name: str) -> pd.DataFrame:
        """Give the rows of ``table(name)``, to make facts of one's own from."""
        if name not in self.known.tables:
            raise NotAvailable(pnoop("reason", "no table {table}").format(table=name))
        made: pd.DataFrame = self.once(f"rows of {name}", lambda: known_table(self.known, name))
        return made

    def facts(self, rows: pd.DataFrame, codes: np.ndarray | None = None) -> Facts:
        """Make countable facts of ``rows``, whose columns may be groupings, or whose groups are given as ``codes``."""
        return Facts(rows, self.groups, self.looking, codes)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Make something once and keep it for the other metrics of this view."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def note(self, finding: Finding) -> None:
        """Add a finding, unless it is there."""
        if all(finding.code != f.code or finding.column != f.column for f in self.findings):
            self.findings.append(finding)

    @cached_property
    def looking(self) -> dict[str, Windows]:
        """The windows asked for, and those that look back from each."""
        first = observed_from(self.deal_frame)
        evenings = [pd.Timestamp(e) for e in self.windows.evenings]
        past = [complete_periods(self.calendar, first, e, TRAILING) for e in evenings]
        trailing = [_joined(w.name, periods) for w, periods in zip(self.windows.items, past, strict=True)]
        day = pd.Timedelta(days=1)
        year = [Window(w.name, w.start - pd.DateOffset(years=1), w.start - day) for w in self.windows.items]
        return {
            "period": self.windows,
            "trailing": Windows(trailing, self.as_of),
            "year before": Windows(year, self.as_of),
        }


def _joined(name: str, periods: Sequence[Period]) -> Window:
    """Make one window of periods that follow each other; without any it ends before it begins."""
    if not periods:
        return Window(name, pd.Timestamp("1970-01-02"), pd.Timestamp("1970-01-01"))
    return Window(name, periods[0].start, periods[-1].end)


def view_of(
    history: DealHistory,
    calendar: FiscalCalendar,
    as_of: pd.Timestamp,
    windows: Sequence[Window],
    by: Iterable[str] = (),
    choices: Choices | None = None,
) -> View:
    """Look at a history from the evening of ``as_of``: nothing that was written later is seen.

    Parameters
    ----------
    windows : sequence of Window
    by : iterable of str
        Columns to group by, of any table; one that no table has is told as not available.
    """
    known = history.known_by(as_of)
    today = as_of >= history.written_until
    deals = deal_rows(known, today)
    frames = [deals, *known.tables.values()]
    groups = name_groups(by, frames)
    findings = _not_there([b for b in groups.by if b != TOTAL], frames)
    return View(
        known, calendar, Windows(windows, as_of), groups, today, choices or Choices(), findings, {"deals": deals}
    )


def _not_there(by: Sequence[str], frames: Sequence[pd.DataFrame]) -> list[Finding]:
    """Say which groupings no table has: misspelt, not mapped, or not known of that evening."""
    absent = [b for b in by if not any(b in frame for frame in frames)]
    if not absent:
        return []
    known = [str(c) for frame in frames for c in frame]
    meant = "".join(nearest(b, known) for b in absent)
    return [Finding(NOT_THERE, "warning", "", "by", len(absent), tuple(absent[:5]), "told as not available",
                    f"name columns that the export has, or map these{meant}")]  # fmt: skip
