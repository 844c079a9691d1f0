"""Rewind: what was known of every open deal on the evening of any past day, for many days in one query.

The expressions are Ibis', so that the same ones run embedded (DuckDB) and on a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, Role
from pipeforecast.engine import Session
from pipeforecast.history import STATE_KEYS, DealHistory
from pipeforecast.reporting import closing_day, owner_when_closed, with_manager

#: Running facts that the change log adds to a state.
RUNNING = (
    "first_recorded_at", "stage_entered_at", "last_change_at", "n_moves", "n_back", "n_pushes", "push_days",
    "n_amount_changes", "first_amount", "first_expected_close",
)  # fmt: skip
_NEVER = pd.Timestamp("9999-12-31")
_RECENT_DAYS = 30


@dataclass(frozen=True)
class Snapshot:
    """What was known on the evenings of ``days``, and nothing that was written later.

    Attributes
    ----------
    days : datetime64[s] array, rising
    open : DataFrame, one row per day and deal that was open then
        ``as_of``, ``deal`` (key), ``created_at``, the deal's state (``stage``, ``amount``, ``expected_close``,
        ``probability``, ``forecast_category``, ``owner``, …), its running facts (``RUNNING``), its touches and
        its birth facts; ``manager``, to whom its owner reports that day, where the export has a reporting line.
    closings : DataFrame, one row per written closing
        ``deal``, ``status``, ``closed_at`` (true day), ``recorded_at``, ``known_until`` (when a later row replaced
        it), ``created_at``, the closing state and the birth facts, the ``owner`` when it was closed and the ``manager``
        to whom that owner reported then. Ask ``closed_by(day)``.
    stages : DataFrame
        The stages of the pipelines, with ``position`` and ``kind``.
    roles : mapping of column to role
    labels : DataFrame, index deal key
        Names to show (deal, account, owner); never features.
    memo : dict
        What has been worked out of this very snapshot; a snapshot that differs in anything starts anew.
    cut_from : (Snapshot, positions) or None
        The snapshot whose open deals at the positions these are, and of which the ``days`` know nothing else.
    """

    days: np.ndarray
    open: pd.DataFrame
    closings: pd.DataFrame
    stages: pd.DataFrame
    roles: Mapping[str, Role]
    labels: pd.DataFrame
    memo: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)
    cut_from: tuple[Snapshot, np.ndarray] | None = field(init=False, default=None, compare=False, repr=False)

    @property
    def as_of(self) -> pd.Timestamp:
        """The day of a snapshot of one day."""
        (day,) = self.days
        return pd.Timestamp(day)

    @cached_property
    def birth_facts(self) -> list[str]:
        """Names of the columns that were true on every past day."""
        return sorted(c for c, role in self.roles.items() if role == "birth" and c in self.open)

    def closed_by(self, day: pd.Timestamp) -> pd.DataFrame:
        """Give the deals that were closed, and written as closed, by the evening of ``day``."""
        evening = pd.Timestamp(day).normalize() + pd.Timedelta(days=1)
        known = (self.closings["recorded_at"] < evening) & (self.closings["known_until"] >= evening)
        return self.closings[known.to_numpy()]

    def only(self, days: Iterable[pd.Timestamp]) -> Snapshot:
        """Keep the snapshots of ``days``."""
        wanted = np.intersect1d(self.days, _day_array(days))
        rows = np.isin(self.open["as_of"].to_numpy().astype("datetime64[s]"), wanted)
        return self._cut(wanted, np.flatnonzero(rows))

    def take(self, rows: np.ndarray) -> Snapshot:
        """Keep the open deals at the positions ``rows``."""
        return self._cut(self.days, np.arange(len(self.open))[rows])

    def without_later_closings(self, evening: pd.Timestamp) -> Snapshot:
        """Leave out the closings that were written at ``evening`` or later, of which none of the ``days`` knows."""
        known = (self.closings["recorded_at"] < evening).to_numpy()
        return self._tied(replace(self, closings=self.closings[known]), np.arange(len(self.open)))

    def _cut(self, days: np.ndarray, rows: np.ndarray) -> Snapshot:
        return self._tied(replace(self, days=days, open=self.open.iloc[rows].reset_index(drop=True)), rows)

    def _tied(self, part: Snapshot, rows: np.ndarray) -> Snapshot:
        """Say where a part comes from: from this, or from what this is a part of, where nothing is worked out here."""
        whole, at = (self, None) if self.cut_from is None or self.memo else self.cut_from
        object.__setattr__(part, "cut_from", (whole, rows if at is None else at[rows]))
        return part

    def __getstate__(self) -> dict[str, Any]:
        """Travel light: what was worked out, and the whole that this is a part of, stay behind."""
        return {**self.__dict__, "memo": {}, "cut_from": None}


def take_snapshots(
    history: DealHistory,
    days: Iterable[pd.Timestamp],
    some: np.ndarray | None = None,
    whole: Iterable[pd.Timestamp] = (),
) -> Snapshot:
    """Rebuild what was known on the evening of each of ``days``.

    Parameters
    ----------
    history : DealHistory
    days : iterable of Timestamp
    some : int array, optional
        Keys of the deals that are looked at; all without it.
    whole : iterable of Timestamp
        Those of the days on which all deals are looked at nevertheless.

    Returns
    -------
    Snapshot
        One row per day and deal that was open that evening, as written by then.
    """
    wanted = _day_array(days)
    states, always = history.states, _day_array(whole)
    if some is not None:
        always = np.intersect1d(wanted, always)
        there, _ = history.held.open_on(always)
        deal = states["deal"].to_numpy()
        states = states[np.isin(deal, np.union1d(some, deal[there]))]
        states = states.assign(chosen=np.isin(states["deal"].to_numpy(), some))
    open_rows = _open_rows(history, _with_positions(history.stages, states), wanted, always)
    birth = [
        c
        for c, role in history.roles.items()
        if role == "birth" and c in history.deals and c not in states and c != "created_at"
    ]
    facts = history.deals[["created_at", *birth]]
    line = history.tables.get("reporting_line")
    open_rows = with_manager(open_rows.join(facts, on="deal"), line, open_rows["as_of"])
    return Snapshot(
        days=wanted,
        open=open_rows,
        closings=_closings(history, facts),
        stages=history.stages,
        roles=history.roles,
        labels=history.deals[[c for c in ("deal_id", "name", "account_name", "owner_name", "currency", "pipeline")
                              if c in history.deals]],
    )  # fmt: skip


def due_by(rows: pd.DataFrame, end: pd.Timestamp | pd.Series) -> np.ndarray:
    """Whether each open deal is expected by ``end`` (one day, or one a row), or is not dated at all (n,)."""
    close = rows["expected_close"]
    return np.asarray(((close <= end) | close.isna()).to_numpy(dtype=bool))


def _day_array(days: Iterable[pd.Timestamp]) -> np.ndarray:
    return np.unique(np.array([pd.Timestamp(d).normalize() for d in days], dtype="datetime64[s]"))


def _with_positions(stages: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """Add the position of the stage, so that moves forward and back can be told apart."""
    position = stages.drop_duplicates("stage").set_index("stage")["position"]
    return states.assign(position=states["stage"].map(position).astype("float64"))


def _closings(history: DealHistory, facts: pd.DataFrame) -> pd.DataFrame:
    states = history.states
    same = states["deal"].eq(states["deal"].shift(-1))
    until = states["recorded_at"].shift(-1).where(same, _NEVER).astype("datetime64[s]")
    closed = (states["status"] != OPEN).to_numpy()
    out = states[closed].assign(known_until=until[closed], owner=owner_when_closed(states)[closed])
    out = with_manager(out.join(facts, on="deal"), history.tables.get("reporting_line"), closing_day(out))
    return out.reset_index(drop=True)


def _open_rows(history: DealHistory, states: pd.DataFrame, days: np.ndarray, whole: np.ndarray) -> pd.DataFrame:
    """Run the query: running facts by window functions, then each state joined to the days on which it held.

    Where ``states`` say which deals are ``chosen``, the others are left out but on the days ``whole``.
    """
    with history.engine.session() as session:
        table = session.table(states.reset_index(drop=True))
        facts = [c for c in states.columns if c not in (*STATE_KEYS, "position", "chosen")]
        chosen = [c for c in ("chosen",) if c in states]
        calendar = session.table(_calendar(days, whole))
        held = _held(_running(table), [*facts, *chosen])
        joined = held.inner_join(
            calendar, [held["recorded_at"] < calendar["evening"], held["known_until"] >= calendar["evening"]]
        )
        columns = ["as_of", "deal", *facts, *RUNNING]
        kept = [joined["status"] == OPEN, *(joined[c] | joined["whole"] for c in chosen)]
        opened = joined.filter(kept).select(columns).order_by(["as_of", "deal"])
        out = session.frame(opened)
        if "touches" in history.tables:
            out = out.merge(_touch_rows(session, history, out), on=["as_of", "deal"], how="left")
    return _canonical(out, states)


def _calendar(days: np.ndarray, whole: np.ndarray) -> pd.DataFrame:
    day = pd.Series(days).astype("datetime64[us]")
    return pd.DataFrame({
        "as_of": day,
        "evening": day + pd.Timedelta(days=1),
        "whole": np.isin(days, whole),
    })  # fmt: skip


def _running(table: Any) -> Any:
    """Add the facts that only the order of the states tells."""
    import ibis

    by = {"group_by": "deal", "order_by": ["recorded_at", "seq"]}
    step = ibis.window(**by)
    past = ibis.window(**by, preceding=None, following=0)

    def lagged(name: str) -> Any:
        return table[name].lag(1).over(step)

    moved = (table["stage"] != lagged("stage")).fill_null(False)
    first = ibis.row_number().over(step) == 0
    # Whole seconds add up to the same in any order; parts of days would not.
    pushed = (table["expected_close"].epoch_seconds() - lagged("expected_close").epoch_seconds()).fill_null(0)
    marked = table.mutate(
        moved=moved,
        back=(moved & (table["position"] < lagged("position"))).fill_null(False),
        pushed=pushed > 0,
        pushed_by=pushed.clip(lower=0),
        repriced=(table["amount"] != lagged("amount")).fill_null(False),
        # Engines differ in whether "the first" may be NULL; in the greatest of a single value they do not.
        amount_at_first=first.ifelse(table["amount"], ibis.null(table["amount"].type())),
        close_at_first=first.ifelse(table["expected_close"], ibis.null("timestamp")),
        entered=(moved | (first & table["stage"].notnull())).ifelse(table["recorded_at"], ibis.null("timestamp")),
        known_until=table["recorded_at"].lead(1).over(step).fill_null(ibis.literal(_NEVER.to_pydatetime())),
    )
    return marked.mutate(
        first_recorded_at=marked["recorded_at"].min().over(past),
        stage_entered_at=marked["entered"].max().over(past),
        last_change_at=marked["recorded_at"],
        n_moves=marked["moved"].cast("int64").sum().over(past),
        n_back=marked["back"].cast("int64").sum().over(past),
        n_pushes=marked["pushed"].cast("int64").sum().over(past),
        push_days=marked["pushed_by"].sum().over(past) / 86400,
        n_amount_changes=marked["repriced"].cast("int64").sum().over(past),
        first_amount=marked["amount_at_first"].max().over(past),
        first_expected_close=marked["close_at_first"].max().over(past),
    )


def _held(running: Any, facts: list[str]) -> Any:
    return running.select("deal", "recorded_at", "known_until", "status", *facts, *RUNNING)


def _touch_rows(session: Session, history: DealHistory, opened: pd.DataFrame) -> pd.DataFrame:
    """Count the touches of each open deal by each day, and the recent ones; the day of the last.

    Touches and evenings of a deal are laid on one line of time and counted along it: joined day by day, every touch
    would stand once for each day after it.
    """
    import ibis

    deals = history.deals.loc[np.unique(opened["deal"].to_numpy())]
    keys = pd.Series(deals.index, index=deals["deal_id"].to_numpy())
    touches = history.tables["touches"]
    frame = pd.DataFrame({"deal": touches["deal_id"].map(keys).to_numpy(), "at": touches["at"].to_numpy()}).dropna()
    frame = frame.astype({"deal": "int64", "at": "datetime64[us]"})
    touched = session.table(frame)
    looks = session.table(opened[["as_of", "deal"]].astype({"as_of": "datetime64[us]"}))
    ends = {"evening": ibis.interval(days=1), "recent": ibis.interval(days=1 - _RECENT_DAYS)}
    line = ibis.union(
        touched.mutate(as_of=ibis.null("timestamp"), what=ibis.literal("touch")).select("deal", "at", "as_of", "what"),
        *(
            looks.mutate(at=looks["as_of"] + after, what=ibis.literal(what)).select("deal", "at", "as_of", "what")
            for what, after in ends.items()
        ),
    )
    # Touches of the very second in which an evening ends belong to the next day: "touch" sorts behind the others.
    so_far = ibis.window(group_by="deal", order_by=["at", "what"], preceding=None, following=0)
    is_touch = line["what"] == "touch"
    counted = line.mutate(
        n=is_touch.cast("int64").sum().over(so_far),
        last=is_touch.ifelse(line["at"], ibis.null("timestamp")).max().over(so_far),
    ).filter(lambda t: t["what"] != "touch")
    return session.frame(
        counted.group_by("as_of", "deal").aggregate(
            n_touches=counted["n"].max(),
            n_touches_recent=counted["n"].max() - counted["n"].min(),
            last_touch_at=counted["last"].max(),
        )
    )


def _canonical(rows: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """Give the columns the types that the history has, whatever the engine made of them."""
    for name in rows.columns:
        if pd.api.types.is_datetime64_any_dtype(rows[name].dtype):
            rows[name] = rows[name].astype("datetime64[s]")
        elif name in states and states[name].dtype != rows[name].dtype:
            rows[name] = rows[name].astype(states[name].dtype)
    counts = ["n_moves", "n_back", "n_pushes", "push_days", "n_amount_changes", "n_touches", "n_touches_recent"]
    for name in (c for c in counts if c in rows):
        rows[name] = rows[name].fillna(0).astype("float64")
    return rows
