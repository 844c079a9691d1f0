"""Small made-up histories, told state by state, and the ways in which a later day may rewrite what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import Forecaster
from pipeforecast.history import STATE_FACTS, STATE_KEYS, DealHistory
from pipeforecast.outcome import Lessons, gather_lessons
from pipeforecast.snapshot import Snapshot, take_snapshots

STAGES = pd.DataFrame({
    "pipeline": pd.array([None] * 5, dtype="string"),
    "stage": pd.array(["Talk", "Offer", "Deal", "Won", "Lost"], dtype="string"),
    "position": [1.0, 2.0, 3.0, 4.0, 4.0],
    "kind": pd.array(["open", "open", "open", "won", "lost"], dtype="string"),
})  # fmt: skip
_KINDS = {
    "recorded_at": "datetime64[s]", "status": "string", "closed_at": "datetime64[s]", "stage": "string",
    "amount": "float64", "expected_close": "datetime64[s]", "probability": "float64",
    "forecast_category": "string", "owner": "string",
}  # fmt: skip
_BIRTH = ("segment", "region")
_ROLES: dict[str, Any] = {
    **dict.fromkeys(("deal_id", "created_at", *_BIRTH), "birth"), **dict.fromkeys(STATE_FACTS, "tracked"),
}  # fmt: skip


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


@dataclass(frozen=True)
class Deal:
    """A deal's story: each state is (written on, what it changes); what is not named stays as it was."""

    name: str
    states: Sequence[tuple[str, Mapping[str, Any]]]
    created: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def deal(name: str, *states: tuple[str, Mapping[str, Any]], created: str | None = None, **facts: Any) -> Deal:
    return Deal(name, states, created, facts)


def tell(deals: Iterable[Deal], until: str | None = None, roles: Mapping[str, Any] | None = None) -> DealHistory:
    """Make the history of ``deals``; a deal is open from its first state until one says won or lost."""
    rows, facts = [], []
    for key, told in enumerate(deals):
        state: dict[str, Any] = dict.fromkeys(STATE_FACTS) | {"status": "open", "closed_at": None}
        for written, change in told.states:
            state = state | change
            if state["status"] == "open":
                state["closed_at"] = None
            elif state["closed_at"] is None:
                state["closed_at"] = written[:10]
            rows.append({"deal": key, "seq": len(rows), "recorded_at": written, **state})
        facts.append({"deal_id": told.name, "created_at": told.created or told.states[0][0][:10], **told.facts})
    states = pd.DataFrame(rows, columns=["deal", "seq", "recorded_at", "status", "closed_at", *STATE_FACTS])
    states = states.astype({"deal": "int64", "seq": "int64"}).astype(_KINDS)
    table = pd.DataFrame(facts, columns=list(dict.fromkeys(["deal_id", "created_at", *_BIRTH, *_named(facts)])))
    table["created_at"] = table["created_at"].astype("datetime64[s]")
    for column in ("deal_id", *_BIRTH):
        table[column] = table[column].astype("string")
    last = states["recorded_at"].max() if len(states) else pd.Timestamp("2020-01-01")
    return DealHistory(
        deals=table,
        states=_ordered(states),
        stages=STAGES,
        written_until=pd.Timestamp(until) if until else last.normalize(),
        roles=_ROLES | dict(roles or {}),
    )


def _named(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for row in facts for name in row]


def _ordered(states: pd.DataFrame) -> pd.DataFrame:
    return states.sort_values(["deal", "recorded_at", "seq"], kind="stable", ignore_index=True)


# What a later day may do to a history. Each gives another one in which nothing written by ``as_of`` differs.

Mutation = Callable[[DealHistory, pd.Timestamp, np.random.Generator], DealHistory]


def _with(history: DealHistory, states: pd.DataFrame, deals: pd.DataFrame | None = None) -> DealHistory:
    states = states.astype(history.states.dtypes.to_dict())
    until = max(history.written_until, states["recorded_at"].max().normalize())
    return replace(
        history, states=_ordered(states), deals=history.deals if deals is None else deals, written_until=until
    )


def _known(history: DealHistory, as_of: pd.Timestamp, status: str | None = None) -> pd.DataFrame:
    """Last state by the evening of ``as_of`` of each deal, with its key as a column."""
    latest = history.known_by(as_of).latest().reset_index()
    return latest if status is None else latest[(latest["status"] == status).to_numpy()]


def _more(history: DealHistory, rows: pd.DataFrame, **changes: Any) -> DealHistory:
    """Append ``rows`` with ``changes``, after everything else that was written."""
    first = int(history.states["seq"].max()) + 1
    rows = rows.assign(seq=np.arange(first, first + len(rows)), **changes)[list(history.states.columns)]
    return _with(history, pd.concat([history.states, rows.astype(history.states.dtypes.to_dict())]))


def _later(as_of: pd.Timestamp, days: int) -> pd.Timestamp:
    return as_of + pd.Timedelta(days=days)


def wins_all(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    rows = _known(history, as_of, "open")
    return _more(history, rows, recorded_at=_later(as_of, 1), closed_at=_later(as_of, 1), status="won", amount=9e6)


def loses_all(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    rows = _known(history, as_of, "open")
    return _more(history, rows, recorded_at=_later(as_of, 1), closed_at=_later(as_of, 1), status="lost")


def back_dates(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """Closings that are written later, with a true day before ``as_of``."""
    rows = _known(history, as_of, "open")
    closed = [_later(as_of, -int(d)) for d in rng.integers(0, 120, len(rows))]
    status = np.where(rng.random(len(rows)) < 0.5, "won", "lost")
    return _more(history, rows, recorded_at=_later(as_of, 3), closed_at=closed, status=status)


def back_dates_before_all(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """A win that is written later, with a true day before everything that is known."""
    rows = _known(history, as_of, "open").iloc[:1]
    closed = history.states["recorded_at"].min().normalize() - pd.Timedelta(days=400)
    last = max(history.written_until, _later(as_of, 3))
    return _more(history, rows, recorded_at=last, closed_at=closed, status="won")


def reopens(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    rows = _known(history, as_of)
    rows = rows[(rows["status"] != "open").to_numpy()]
    return _more(history, rows, recorded_at=_later(as_of, 1), closed_at=pd.NaT, status="open")


def reverses(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """What was won is later called lost, and the other way round, with the same true day."""
    rows = _known(history, as_of)
    rows = rows[(rows["status"] != "open").to_numpy()]
    other = np.where(rows["status"] == "won", "lost", "won")
    return _more(history, rows, recorded_at=_later(as_of, 2), status=other, amount=1.0)


def rewrites_facts(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    rows = _known(history, as_of)
    return _more(
        history, rows, recorded_at=_later(as_of, 1), amount=rows["amount"] * 100, stage="Never seen",
        owner="Somebody new", probability=1.0, forecast_category="Commit", expected_close=_later(as_of, 2),
    )  # fmt: skip


def forgets(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """Nothing at all was written later."""
    evening = _later(as_of, 1)
    return replace(history, states=history.states[(history.states["recorded_at"] < evening).to_numpy()])


def flips(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """Every outcome written later is the other one."""
    late = (history.states["recorded_at"] >= _later(as_of, 1)).to_numpy()
    states = history.states.copy()
    other = states["status"].map({"won": "lost", "lost": "won", "open": "open"}).astype(states["status"].dtype)
    states["status"] = states["status"].where(~late, other)
    return _with(history, states)


def adds_deals(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """Deals that are written later, although they claim to be older, and are won at once; others are renumbered."""
    n = 7
    old = history.deals.index.to_numpy()
    fresh = history.deals.iloc[:n].assign(deal_id=[f"late {i}" for i in range(n)])
    fresh["created_at"] = (as_of - pd.Timedelta(days=200)).as_unit("s")
    deals = pd.concat([fresh, history.deals], ignore_index=True)
    moved = history.states.assign(deal=history.states["deal"].map(dict(zip(old, np.arange(len(old)) + n, strict=True))))
    rows = moved.groupby("deal").head(1).iloc[:n].assign(deal=np.arange(n))
    opened = rows.assign(recorded_at=_later(as_of, 1), status="open", closed_at=pd.NaT, amount=5e5)
    won = opened.assign(recorded_at=_later(as_of, 2), status="won", closed_at=as_of - pd.Timedelta(days=10))
    first = int(history.states["seq"].max()) + 1
    added = pd.concat([opened, won]).assign(seq=np.arange(first, first + 2 * n)).astype(moved.dtypes.to_dict())
    return _with(history, pd.concat([added, moved]), deals)


def writes_todays_values(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    """What is known of the deals today only is different."""
    deals = history.deals.copy()
    for column, role in history.roles.items():
        if role != "birth" and column in deals:
            deals[column] = deals[column].where(np.zeros(len(deals), dtype=bool))
    return replace(history, deals=deals)


def adds_touches(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    if "touches" not in history.tables:
        return history
    touches = history.tables["touches"]
    late = touches.assign(at=pd.Timestamp(_later(as_of, 1)).as_unit("s"))
    return replace(history, tables={**history.tables, "touches": pd.concat([touches, late], ignore_index=True)})


def adds_calls(history: DealHistory, as_of: pd.Timestamp, rng: np.random.Generator) -> DealHistory:
    if "calls" not in history.tables:
        return history
    calls = history.tables["calls"]
    late = calls.assign(made_at=pd.Timestamp(_later(as_of, 1)).as_unit("s"), amount=9e6)
    return replace(history, tables={**history.tables, "calls": pd.concat([late, calls, late], ignore_index=True)})


MUTATIONS: dict[str, Mutation] = {
    f.__name__: f
    for f in (
        wins_all, loses_all, back_dates, back_dates_before_all, reopens, reverses, rewrites_facts, forgets, flips,
        adds_deals, writes_todays_values, adds_touches, adds_calls,
    )
}  # fmt: skip


# What can be seen


def seen(snapshot: Snapshot, as_of: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All that a snapshot says of one evening: open deals, and closings known by it, by the deals' own ids."""
    ids = snapshot.labels["deal_id"]
    opened = snapshot.only([as_of]).open
    closed = snapshot.closed_by(as_of).drop(columns=["known_until", "seq"])
    tables = (t.assign(deal=ids.reindex(t["deal"].to_numpy()).to_numpy()) for t in (opened, closed))
    first, second = (t.sort_values("deal", ignore_index=True) for t in tables)
    return first, second


def lessons_of(
    history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp, ks: Sequence[int] = (0, 30, 60), back: int = 4
) -> tuple[Lessons, Snapshot]:
    """Give lessons on the days ``ks`` of the last ``back`` periods, and the snapshot of ``as_of`` itself."""
    period = calendar.containing(as_of + pd.Timedelta(days=1))
    ks = sorted({*ks, period.day_of(as_of)})
    days = {p.evening(k) for p in [*calendar.before(period, back), period] for k in ks}
    snapshot = take_snapshots(history, sorted({d for d in days if d < as_of} | {as_of}))
    return gather_lessons(history, calendar, snapshot, as_of), snapshot.only([as_of])


def forecast_of(
    forecaster: Forecaster, history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp,
    levels: Sequence[str] = (), period: Period | None = None,
) -> Any:  # fmt: skip
    lessons, now = lessons_of(history, calendar, as_of)
    ahead = period or calendar.containing(as_of + pd.Timedelta(days=1))
    return forecaster.fit(lessons).forecast(now, ahead, levels)


__all__ = ["MUTATIONS", "STAGES", "STATE_KEYS", "Deal", "day", "deal", "forecast_of", "lessons_of", "seen", "tell"]
