"""The past that a plan is measured on: deals, leads and touches of the last complete periods, as then known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.findings import Finding
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.history import DealHistory
from pipeforecast.metrics.frames import deal_rows, known_table
from pipeforecast.metrics.once import leads_once, touches_once
from pipeforecast.outcome import complete_periods, observed_from

#: Kinds of touches that are a contact of one's own, and those that are a meeting.
CONTACTS, MEETINGS = ("sent", "called"), ("meeting_held",)
#: Where no meeting was ever marked as held, booked ones count.
BOOKED = ("meeting_booked",)
#: Share of conversions that must be over for a lead to be old enough.
_OLD_ENOUGH = 0.9


@dataclass(frozen=True)
class Past:
    """What happened in the periods that the rates are measured on.

    Attributes
    ----------
    periods : sequence of Period
        Complete ones, oldest first.
    closed : DataFrame
        Deals closed in them: ``status``, ``amount``, ``closed_at``, ``created_at``.
    created : tuple of int, or None
        Deals created in them, and of these those that came from a lead; None: no deal and no lead names the other.
    reached : mapping of step to bool array, or None
        Of the leads that are old enough: which were ever an MQL, an SQL, an opportunity.
    contacts, meetings : int
    no_leads, no_touches : str
        Why there is nothing to count; empty if there is.
    lead_days : float
        Age from which a lead is old enough.
    findings : list of Finding
        Leads and touches that the export holds more than once.
    """

    periods: Sequence[Period]
    closed: pd.DataFrame
    created: tuple[int, int] | None = None
    reached: dict[str, np.ndarray] | None = None
    contacts: int = 0
    meetings: int = 0
    no_leads: str = ""
    no_touches: str = ""
    lead_days: float = field(default=float("nan"))
    findings: list[Finding] = field(default_factory=list)


def past_of(known: DealHistory, calendar: FiscalCalendar, today: bool, most: int, kind: str = "all") -> Past:
    """Gather the last ``most`` complete periods before the evening up to which ``known`` is cut.

    Parameters
    ----------
    known : DealHistory
    calendar : FiscalCalendar
    today : bool
        Whether the evening is the last written day.
    most : int
    kind : 'all', 'new' or 'existing'
        The deal type that counts.
    """
    deals = deal_rows(known, today)
    deals = deals[of_type(deals, kind)]
    periods = complete_periods(calendar, observed_from(deals), known.written_until, most)
    closed = deals[_within(deals["closed_at"], periods) & (deals["status"] != OPEN).to_numpy(dtype=bool)]
    made = deals[_within(deals["created_at"], periods)]
    known, repeated = _each_once(known)
    reached, no_leads, lead_days = _leads(known, periods)
    contacts, meetings, no_touches = _touches(known, periods)
    if kind != "all" and not no_touches:
        no_touches = "touches are not told apart by deal type"
    led = None if no_leads else _from_leads(made, known)
    created = None if led is None else (len(made), int(led.sum()))
    told = (0, 0) if no_touches else (contacts, meetings)
    return Past(periods, closed, created, reached, *told, no_leads, no_touches, lead_days, repeated)


def _each_once(known: DealHistory) -> tuple[DealHistory, list[Finding]]:
    """Leave out leads and touches that are there already, as the catalogue does."""
    tables, found = dict(known.tables), []
    for name, once in (("leads", leads_once), ("touches", touches_once)):
        if name in tables:
            tables[name], repeated = once(tables[name])
            found += repeated
    return replace(known, tables=tables), found


def of_type(deals: pd.DataFrame, kind: str) -> np.ndarray:
    """Which deals are of the deal type ``new`` or ``existing`` (all: every one) (n,)."""
    if kind == "all":
        return np.ones(len(deals), dtype=bool)
    told = deals["deal_type"] if "deal_type" in deals else pd.Series("", index=deals.index)
    return np.asarray((told.astype("string").str.lower() == kind).fillna(False).to_numpy(dtype=bool))


def _within(days: pd.Series, periods: Sequence[Period]) -> np.ndarray:
    if not periods:
        return np.zeros(len(days), dtype=bool)
    inside = (days >= periods[0].start) & (days < periods[-1].end + pd.Timedelta(days=1))
    return np.asarray(inside.fillna(False).to_numpy(dtype=bool))


def _from_leads(made: pd.DataFrame, known: DealHistory) -> np.ndarray | None:
    """Whether each deal names its lead, or a lead names it; None where neither table can."""
    leads = known_table(known, "leads")
    if "lead_id" not in made and "converted_deal_id" not in leads:
        return None
    named = made["lead_id"].notna().to_numpy(dtype=bool) if "lead_id" in made else np.zeros(len(made), dtype=bool)
    if "converted_deal_id" in leads:
        ids = known.deals["deal_id"].reindex(made.index)
        named = named | ids.isin(leads["converted_deal_id"].dropna()).to_numpy(dtype=bool)
    return np.asarray(named)


def _leads(known: DealHistory, periods: Sequence[Period]) -> tuple[dict[str, np.ndarray] | None, str, float]:
    """Which leads reached which step, of those created in the periods' days, moved back until they are old enough."""
    if "leads" not in known.tables or known.tables["leads"].empty:
        return None, "no table leads", float("nan")
    if not periods:
        return None, "no period is complete", float("nan")
    leads = known_table(known, "leads")
    age = (leads["converted_at"] - leads["created_at"]).dt.days.dropna() if "converted_at" in leads else pd.Series([])
    old = float(np.ceil(age[age >= 0].quantile(_OLD_ENOUGH))) if len(age) else 0.0
    late = max(pd.Timedelta(days=old) - (known.written_until - periods[-1].end), pd.Timedelta(0))
    born = leads["created_at"]
    mine = (born >= periods[0].start - late) & (born < periods[-1].end - late + pd.Timedelta(days=1))
    cohort = leads[mine.fillna(False).to_numpy(dtype=bool)]
    days = {"opportunity": "converted_at", "sql": "sql_at", "mql": "mql_at"}
    reached: dict[str, np.ndarray] = {"lead": np.ones(len(cohort), dtype=bool)}
    later = np.zeros(len(cohort), dtype=bool)
    # Who went on had also been what comes before, whether or not that day was written.
    for step, column in days.items():
        if column in cohort and leads[column].notna().any():
            later = later | cohort[column].notna().to_numpy(dtype=bool)
            reached[step] = later
    return reached, "", old


def _touches(known: DealHistory, periods: Sequence[Period]) -> tuple[int, int, str]:
    if "touches" not in known.tables or known.tables["touches"].empty:
        return 0, 0, "no table touches"
    touches = known.tables["touches"]
    kind = touches["kind"].astype("string").str.lower()
    inside = _within(touches["at"], periods)
    meetings = MEETINGS if kind.isin(MEETINGS).any() else BOOKED
    contacts, met = (int((inside & kind.isin(k).to_numpy(dtype=bool)).sum()) for k in (CONTACTS, meetings))
    return contacts, met, ""
