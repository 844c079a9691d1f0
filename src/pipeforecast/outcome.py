"""Observe: what became of the deals of a snapshot, looked at no further than a given day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import LOST, OPEN, WON
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.held import Held
from pipeforecast.history import DealHistory
from pipeforecast.reporting import credited
from pipeforecast.snapshot import Snapshot

#: What people said and were asked for: rules may read it, models do not.
_PEOPLE = ("calls", "quotas", "reporting_line")
_OUTCOME = ("status", "closed_at", "amount")
_LOOKED_AT = ("stage", "amount", "expected_close", "segment")


@dataclass(frozen=True)
class Outcome:
    """What was written by the evening of ``until`` about the rows of a snapshot.

    Attributes
    ----------
    until : Timestamp
    rows : DataFrame, one row per row of ``snapshot.open``
        ``status`` (open: censored at ``until``), ``closed_at`` (true day), ``days`` from ``as_of`` to the closing
        or, while open, to ``until`` (0: closed on or before ``as_of`` but written later), ``amount`` (as last
        written).
    """

    until: pd.Timestamp
    rows: pd.DataFrame


def observe(history: DealHistory, snapshot: Snapshot, until: pd.Timestamp) -> Outcome:
    """Look up what was known by ``until`` of each deal that was open in ``snapshot``.

    A deal that is still open is censored: neither lost nor dropped.
    """
    last = history.held.last_by(until)
    return _outcome(history.states[["deal", *_OUTCOME]].iloc[last].set_index("deal"), snapshot, until)


def _outcome(latest: pd.DataFrame, snapshot: Snapshot, until: pd.Timestamp) -> Outcome:
    found: pd.DataFrame = latest[list(_OUTCOME)].reindex(snapshot.open["deal"].to_numpy())
    as_of = snapshot.open["as_of"].to_numpy().astype("datetime64[s]")
    closed_at = found["closed_at"].to_numpy().astype("datetime64[s]")
    end = np.where(np.isnat(closed_at), np.datetime64(until, "s"), closed_at)
    days = (end - as_of).astype("int64") / 86400
    rows = pd.DataFrame({
        "status": found["status"].fillna(OPEN).to_numpy(),
        "closed_at": closed_at,
        "days": np.maximum(days, 0.0),
        "amount": found["amount"].to_numpy(dtype="float64", na_value=np.nan),
    })  # fmt: skip
    return Outcome(pd.Timestamp(until), rows)


def cause_of(rows: pd.DataFrame) -> np.ndarray:
    """0 where a deal is open, 1 where it is won, 2 where it is lost (n,): whenever that was.

    Parameters
    ----------
    rows : DataFrame
        As of ``Outcome.rows``: ``status``.
    """
    status = rows["status"].to_numpy(dtype=object)
    return np.select([status == WON, status == LOST], [1, 2], 0)


def cause_in(rows: pd.DataFrame, period: Period) -> np.ndarray:
    """1 where a deal is won, 2 where it is lost, with its true day in ``period``, else 0 (n,).

    Parameters
    ----------
    rows : DataFrame
        As of ``Outcome.rows``: ``status`` and ``closed_at``.
    period : Period
        Its first and its last day belong to it.
    """
    closed = rows["closed_at"]
    inside = ((closed >= period.start) & (closed <= period.end)).to_numpy(dtype=bool)
    return np.where(inside, cause_of(rows), 0)


@dataclass(frozen=True)
class Teaching:
    """The deals that teach, where not all do.

    Attributes
    ----------
    deals : int array
        Their keys, rising.
    of : int
        How many could.
    """

    deals: np.ndarray
    of: int


@dataclass(frozen=True)
class Lessons:
    """All that a forecaster may learn from on the evening of ``cutoff``: every choice comes from here.

    Attributes
    ----------
    cutoff : Timestamp
    calendar : FiscalCalendar
    snapshot : Snapshot
        Days before the cutoff, of the deals that teach.
    outcome : Outcome
        Of its rows, until the cutoff.
    deals : DataFrame, index deal key
        Every deal known by the cutoff: ``created_at``, ``first_recorded_at``, its last written state
        (``status``, ``closed_at``, ``recorded_at``, ``amount``, …), its birth facts, and the ``owner`` and (where
        there is a reporting line) the ``manager`` for whom it counts.
    entered : DataFrame
        ``deal`` and ``stage``, once for each stage that a deal is known to have been in.
    tables : mapping of name to DataFrame
        ``calls``, ``quotas`` and ``reporting_line`` as written by the cutoff, where the export has them.
    teaching : Teaching or None
        Which deals teach; None: all.
    held : Held or None
        The states of all deals. Ask ``open_on``.
    """

    cutoff: pd.Timestamp
    calendar: FiscalCalendar
    snapshot: Snapshot
    outcome: Outcome
    deals: pd.DataFrame
    entered: pd.DataFrame
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    teaching: Teaching | None = None
    held: Held | None = None

    def open_on(self, days: np.ndarray, young: int | None = None) -> pd.DataFrame:
        """Give all deals that were open on the evenings of ``days`` (lesson days), whether they teach or not.

        Parameters
        ----------
        days : datetime64[s] array
            Those that are no lesson days are left out.
        young : int, optional
            Only deals that were first written less than so many days before.

        Returns
        -------
        DataFrame, by day and deal
            ``as_of``, ``deal``, the deal's state and, where it is a fact of birth, ``segment``.
        """
        days = np.intersect1d(days.astype("datetime64[s]"), self.snapshot.days)
        if self.held is None:  # made by hand: all that there is
            rows = self.snapshot.open
            fresh = np.ones(len(rows), dtype=bool) if young is None else _young(rows, young)
            asked: pd.DataFrame = rows[np.isin(rows["as_of"].to_numpy().astype("datetime64[s]"), days) & fresh]
            return asked
        state, day = self.held.open_on(days, young)
        wanted = [c for c in ("deal", *_LOOKED_AT) if c in self.held.states]
        rows = self.held.states[wanted].iloc[state].reset_index(drop=True)
        if "segment" not in rows and "segment" in self.deals:
            rows["segment"] = self.deals["segment"].reindex(rows["deal"]).to_numpy()
        rows.insert(0, "as_of", days[day])
        return rows

    def of_teaching(self) -> Lessons:
        """Leave out the deals that do not teach: what a model of deals learns from."""
        if self.teaching is None:
            return self
        deals = self.teaching.deals
        return replace(
            self,
            deals=self.deals[self.deals.index.isin(deals)],
            entered=self.entered[self.entered["deal"].isin(deals).to_numpy()],
            held=None,
        )

    def past_periods(self, most: int = 8) -> list[Period]:
        """Give the last periods that were complete by the cutoff and began after wins were recorded, oldest first."""
        return complete_periods(self.calendar, observed_from(self.deals), self.cutoff, most)

    def won_in(self, period: Period) -> pd.DataFrame:
        """Deals won with a close date in ``period`` (true day), as known by the cutoff."""
        return won_between(self.deals, period.start, period.end)


def _young(rows: pd.DataFrame, days: int) -> np.ndarray:
    return (rows["first_recorded_at"] > rows["as_of"] - pd.Timedelta(days=days)).to_numpy(dtype=bool)


def observed_from(deals: pd.DataFrame) -> pd.Timestamp | None:
    """First true day of a win: exports often hold open deals, or losses, that are older than any win they hold."""
    first = deals.loc[(deals["status"] == WON).to_numpy(), "closed_at"].min()
    return None if pd.isna(first) else pd.Timestamp(first)


def complete_periods(
    calendar: FiscalCalendar, first: pd.Timestamp | None, until: pd.Timestamp, most: int | None = None
) -> list[Period]:
    """Give the last periods that have ended by ``until`` and whose wins are held whole, oldest first.

    Parameters
    ----------
    calendar : FiscalCalendar
    first : Timestamp or None
        First true day of a win; None: there is none, and no period.
    until : Timestamp
    most : int, optional
        How many at most; all of them without it.
    """
    out: list[Period] = []
    period = calendar.containing(until + pd.Timedelta(days=1))
    while most is None or len(out) < most:
        period = calendar.shift(period, -1)
        # The first win may come some days into the first period that the records hold whole.
        if first is None or period.start + pd.Timedelta(days=period.days // 10) < first:
            break
        out.insert(0, period)
    return out


def won_between(deals: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Rows of ``deals`` that are won and whose true day of closing lies from ``start`` to ``end``."""
    closed = deals["closed_at"]
    hit = (deals["status"] == WON) & (closed >= start) & (closed < end + pd.Timedelta(days=1))
    return deals[hit.fillna(False).to_numpy(dtype=bool)]


def new_business(deals: pd.DataFrame, day: pd.Timestamp, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Deals first recorded after the evening of ``day`` and won with a close date from ``start`` to ``end``."""
    won = won_between(deals, start, end)
    later = won["first_recorded_at"] >= day + pd.Timedelta(days=1)
    return won[(later & won["amount"].notna()).to_numpy()]


def won_in_time(lessons: Lessons, k: int, most: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Look at day ``k`` of past periods: which snapshot rows were taken then, and which of these were won by its end.

    Returns
    -------
    rows : int array (n,)
        Positions in ``lessons.snapshot.open``.
    won : bool array (n,)
    """
    end = {np.datetime64(p.evening(k), "s"): np.datetime64(p.end, "s") for p in lessons.past_periods(most)}
    as_of = lessons.snapshot.open["as_of"].to_numpy().astype("datetime64[s]")
    days, code = np.unique(as_of, return_inverse=True)
    ends = np.array([end.get(d, np.datetime64("NaT")) for d in days], dtype="datetime64[s]")[code]
    rows = np.flatnonzero(~np.isnat(ends))
    outcome = lessons.outcome.rows.iloc[rows]
    closed = outcome["closed_at"].to_numpy().astype("datetime64[s]")
    return rows, (outcome["status"] == WON).to_numpy(dtype=bool) & (closed <= ends[rows])


def gather_lessons(
    history: DealHistory,
    calendar: FiscalCalendar,
    snapshot: Snapshot,
    cutoff: pd.Timestamp,
    teaching: Teaching | None = None,
) -> Lessons:
    """Collect what was known on the evening of ``cutoff``.

    Parameters
    ----------
    history : DealHistory
        May know more: nothing written after the cutoff is used.
    snapshot : Snapshot
        Of many days; those on or after the cutoff are left out.
    teaching : Teaching, optional
        The deals that teach, where not all do; the snapshot may hold others too.
    """
    past = snapshot.only(pd.Timestamp(d) for d in snapshot.days if pd.Timestamp(d) < cutoff)
    if teaching is not None:
        past = past.take(np.flatnonzero(np.isin(past.open["deal"].to_numpy(), teaching.deals)))
    evening = pd.Timestamp(cutoff).normalize() + pd.Timedelta(days=1)
    past = past.without_later_closings(evening)
    held = history.held
    last, tables = held.last_by(cutoff), history.tables_by(cutoff, _PEOPLE)
    latest = credited(history.states, tables.get("reporting_line"), cutoff, last)
    birth = [c for c, role in history.roles.items() if role == "birth" and c in history.deals]
    facts = history.deals[["created_at", *(c for c in birth if c not in latest and c != "created_at")]]
    first = pd.Series(held.first[last], latest.index).astype(history.states["recorded_at"].dtype)
    entered = held.entries[held.recorded[held.entries] < evening.to_datetime64()]
    return Lessons(
        cutoff=pd.Timestamp(cutoff),
        calendar=calendar,
        snapshot=past,
        outcome=_outcome(latest, past, cutoff),
        deals=latest.join(facts).assign(first_recorded_at=first),
        entered=history.states[["deal", "stage"]].iloc[entered],
        tables=tables,
        teaching=teaching,
        held=held,
    )


def lesson_days(
    calendar: FiscalCalendar, first: pd.Timestamp, last: pd.Timestamp, ks: Iterable[int], periods: int
) -> list[pd.Timestamp]:
    """Days on which lessons are taken: the days ``ks`` of the last ``periods`` periods up to ``last``."""
    period = calendar.containing(last)
    days: list[pd.Timestamp] = []
    for _ in range(periods + 1):
        days += [period.evening(k) for k in ks if k <= period.days]
        if period.start <= first:
            break
        period = calendar.shift(period, -1)
    return sorted({d for d in days if first <= d <= last})
