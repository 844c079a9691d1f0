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
from pipeforecast.evenings import marks_of
from pipeforecast.history import STATE_KEYS, DealHistory
from pipeforecast.reporting import closing_day, owner_when_closed, with_manager

#: Running facts that the change log adds to a state.
RUNNING = (
    "first_recorded_at", "stage_entered_at", "last_change_at", "n_moves", "n_back", "n_pushes", "push_days",
    "n_amount_changes", "first_amount", "first_expected_close",
)  # fmt: skip
#: What is put beside states for the query.
_ADDED = ("position", "chosen")
_NEVER = pd.Timestamp("9999-12-31")
_RECENT_DAYS = 30
#: Seconds of the line of touches that each deal has, and the first of them.
_WIDTH, _BEGIN = 2**34, np.datetime64("1800-01-01", "s")


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
    """Take the rows of the evenings, or read those that the history's place to keep them holds; add touches.

    Evenings of a sample of deals are not kept: the sample changes with the history, and costs little.
    """
    if history.kept is None or "chosen" in states:
        out = _rewound(history, states, days, whole)
    else:

        def take(missing: np.ndarray) -> pd.DataFrame:
            return _rewound(history, _open_since(states, missing), missing, whole)

        ids = history.deals["deal_id"]
        read = states.drop(columns=["closed_at"])  # of closed deals, which have no row
        out = history.kept.rows(marks_of(days, read, ids), ids, take)
        out = _canonical(out.astype({c: kind for c, kind in states.dtypes.items() if c in out}))
    return _with_touches(history, out) if "deal_id" in history.tables.get("touches", ()) else out


def _open_since(states: pd.DataFrame, days: np.ndarray) -> pd.DataFrame:
    """Leave out deals whose last word, that they are closed, was written before the first of the evenings."""
    if not len(days):
        return states
    last = states[~states.duplicated("deal", keep="last").to_numpy()]
    over = (last["status"] != OPEN) & (last["recorded_at"] < pd.Timestamp(days[0]))
    return states[~states["deal"].isin(last["deal"][over.to_numpy()]).to_numpy()]


def _rewound(history: DealHistory, states: pd.DataFrame, days: np.ndarray, whole: np.ndarray) -> pd.DataFrame:
    """Run the query: running facts by window functions, then each state joined to the days on which it held.

    It gives the places of the states; their facts are taken from the history, so that no text passes through it. Where
    ``states`` say which deals are ``chosen``, the others are left out but on the days ``whole``.
    """
    facts = [c for c in states.columns if c not in (*STATE_KEYS, *_ADDED)]
    with history.engine.session() as session:
        calendar = session.table(_calendar(days, whole))
        held = _running(session.table(_steps(states)))
        joined = held.inner_join(
            calendar, [held["recorded_at"] < calendar["evening"], held["known_until"] >= calendar["evening"]]
        )
        kept = joined["is_open"]
        if "chosen" in states:
            kept &= joined["chosen"] | joined["whole"]
        opened = joined.filter(kept).order_by(["as_of", "deal"]).select("as_of", "row", *RUNNING)
        out = session.frame(opened)
    there = states[["deal", *facts]].take(out["row"].to_numpy()).reset_index(drop=True)
    return _canonical(pd.concat([out[["as_of"]], there, out[list(RUNNING)]], axis=1))


def _steps(states: pd.DataFrame) -> pd.DataFrame:
    """Give what running facts are made of, stages as numbers."""
    stage = pd.factorize(states["stage"])[0].astype("float64")
    return pd.DataFrame({
        "row": np.arange(len(states)), "stage": np.where(stage < 0, np.nan, stage),
        "is_open": (states["status"] == OPEN).to_numpy(dtype=bool),
        **{n: states[n].to_numpy() for n in ("deal", "seq", "recorded_at", "amount", "expected_close")},
        **{n: states[n].to_numpy() for n in _ADDED if n in states},
    })  # fmt: skip


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


def _with_touches(history: DealHistory, opened: pd.DataFrame) -> pd.DataFrame:
    """Count the touches of each open deal by each evening, and the recent ones; the day of the last.

    Touches of all deals are laid on one line, deal behind deal: how many come before an evening is a place on it.
    """
    touches = history.tables["touches"]
    deal, at = history.keys_of(touches["deal_id"]), touches["at"].to_numpy().astype("datetime64[s]")
    asked = opened["deal"].to_numpy(dtype="int64")
    known = np.isin(deal, asked) & ~np.isnat(at)
    line = np.sort(_on_line(deal[known], at[known]))
    evening = opened["as_of"].to_numpy().astype("datetime64[s]") + np.timedelta64(1, "D")
    begin = np.searchsorted(line, asked * _WIDTH)
    end = np.searchsorted(line, _on_line(asked, evening))  # what comes in the second of an evening's end is not seen
    recent = np.searchsorted(line, _on_line(asked, evening - np.timedelta64(_RECENT_DAYS, "D")))
    last = _BEGIN + (np.append(line, 0)[end - 1] - asked * _WIDTH).astype("timedelta64[s]")
    return opened.assign(
        n_touches=(end - begin).astype("float64"),
        n_touches_recent=(end - recent).astype("float64"),
        last_touch_at=np.where(end > begin, last, np.datetime64("NaT", "s")).astype("datetime64[s]"),
    )


def _on_line(deal: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Number the seconds of deals' lives, those of one deal behind those of another."""
    second = (at - _BEGIN).astype("int64").clip(0, _WIDTH - 1)
    return np.asarray(deal.astype("int64") * _WIDTH + second)


def _canonical(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the columns the types that the history has, whatever the engine made of them."""
    for name in rows.columns:
        if pd.api.types.is_datetime64_any_dtype(rows[name].dtype):
            rows[name] = rows[name].astype("datetime64[s]")
    for name in ("n_moves", "n_back", "n_pushes", "push_days", "n_amount_changes"):
        rows[name] = rows[name].fillna(0).astype("float64")
    return rows
