"""Which table is the change log, and what it says of the stages' order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeforecast.contract import OPEN, TRACKABLE
from pipeforecast.errors import DataError, some
from pipeforecast.ingest.dates import parse_dates
from pipeforecast.mapping import DateSettings
from pipeforecast.names import same
from pipeforecast.propose.columns import fits, matches
from pipeforecast.propose.deals import DealTable
from pipeforecast.propose.draft import Draft
from pipeforecast.propose.look import Looked, Table
from pipeforecast.propose.stages import Order, kinds_of, order_seen
from pipeforecast.propose.words import OLD, aliases, fields


@dataclass(frozen=True)
class Moves:
    """Entries into stages as a log tells them."""

    deal: pd.Series
    at: pd.Series
    stage: pd.Series


def put_logs(draft: Draft, made: DealTable, tables: Sequence[Table]) -> tuple[list[Table], list[Moves]]:
    """Find the change logs among the other tables and write them; give those used, and the moves that they tell."""
    ids = made.text("deal_id")
    used: list[Table] = []
    moves: list[Moves] = []
    if ids is None:
        return used, moves
    for table in tables:
        key = _key(table, set(ids))
        at = None if key is None else _time(table, key)
        if key is None or at is None:
            continue
        told = _put_long(draft, table, key, at) if _long(table) else _put_wide(draft, made, table, key, at)
        if told is not None:
            used.append(table)
            moves += told
    return used, moves


def _key(table: Table, ids: set[str]) -> str | None:
    """Find the column whose values are deals' ids, several times over."""
    best, most = None, 0.8
    for column in map(str, table.frame.columns[:60]):
        values = table.frame[column]
        filled = values[values != ""].head(20_000)
        share = float(filled.isin(ids).mean()) if len(filled) and len(filled) > 0.5 * min(len(values), 20_000) else 0.0
        if share >= most and not filled.is_unique:
            best, most = column, share
    return best


def _time(table: Table, key: str) -> str | None:
    known = aliases("changes")
    named = [c for c in map(str, table.frame.columns) if "changed_at" in known.get(same(c), ())]
    named += [c for c in map(str, table.frame.columns) if "recorded_at" in known.get(same(c), ())]
    created = [c for c in map(str, table.frame.columns) if "created_at" in aliases("deals").get(same(c), ())]
    return next((c for c in (*named, *created) if c != key and fits(table.frame[c], "time")), None)


def _long(table: Table) -> bool:
    return _column(table, "field") is not None and _column(table, "value") is not None


def _column(table: Table, canonical: str) -> str | None:
    known = aliases("changes")
    return next((c for c in map(str, table.frame.columns) if canonical in known.get(same(c), ())), None)


def _put_wide(draft: Draft, made: DealTable, table: Table, key: str, at: str) -> list[Moves] | None:
    if "wide" in draft.mapping.get("history", {}):
        return None
    found = {n: m.columns[0] for n, m in matches(table, "changes", {}).items() if m.columns[0] not in (key, at)}
    facts = {n: c for n, c in found.items() if n in (*TRACKABLE, "closed_at")}
    if not facts.keys() & {"stage", "amount", "expected_close", "closed_at", "probability"}:
        return None
    if draft.mapping.get("close_date") == "dual":
        dual = facts.pop("closed_at", None) or facts.get("expected_close")
        facts.pop("expected_close", None)
        facts |= {"closed_at": dual} if dual else {}
    place = ("history", "wide")
    log: dict[str, Any] = {"files": [table.files], "columns": {"deal_id": key, "changed_at": at, **facts}}
    if table.encoding:
        log["encoding"] = table.encoding
    draft.set(place, log)
    draft.note(
        place, f"{table.file}: {len(table.frame):,} rows, whole states: {key!r} holds deals' ids, {at!r} the time"
    )
    scale_probability(draft, (*place, "columns"), table.frame)
    return [Moves(table.frame[key], times(table.frame[at]), table.frame[facts["stage"]])] if "stage" in facts else []


def _put_long(draft: Draft, table: Table, key: str, at: str) -> list[Moves] | None:
    field, value = str(_column(table, "field")), str(_column(table, "value"))
    names = table.frame[field].value_counts()
    meant: dict[str, list[str]] = {}
    for name in map(str, names.index[:200]):
        canonical = fields().get(same(name))
        if canonical in (*TRACKABLE, "outcome", "closed_at"):
            meant.setdefault(str(canonical), []).append(name)
    if not meant:
        return None
    if draft.mapping.get("close_date") == "dual" and "expected_close" in meant:
        meant["closed_at"] = [*meant.get("closed_at", []), *meant.pop("expected_close")]
    old = next((c for c in map(str, table.frame.columns) if same(c) in map(same, OLD)), None)
    history = draft.mapping.setdefault("history", {})
    number = len(history.setdefault("long", []))
    log: dict[str, Any] = {"files": [table.files], "deal_id": key, "changed_at": at, "field": field, "value": value}
    log |= {"old": old} if old else {}
    log |= {"encoding": table.encoding} if table.encoding else {}
    log["fields"] = {n: f[0] if len(f) == 1 else f for n, f in meant.items()}
    values = table.frame[value].where(table.frame[field].isin(meant.get("probability", [])))
    if _percent(values.dropna()):
        log["fields"]["probability"] = {"field": meant["probability"], "scale": 0.01}
    status = draft.mapping.get("status", {}).get("value")
    if "outcome" in meant and isinstance(status, dict):
        log["fields"]["outcome"] = {"field": meant["outcome"], "values": status["values"]}
    history["long"].append(log)
    place = ("history", "long", number)
    draft.note(place, f"{table.file}: {len(table.frame):,} rows, one per changed field: {some(names.index, 8)}")
    left = [n for n in map(str, names.index) if not any(n in f for f in meant.values())]
    if left:
        draft.note(place, f"fields that are not read: {some(left, 8)}")
    rows = table.frame[table.frame[field].isin(meant.get("stage", []))]
    entered = [Moves(rows[key], times(rows[at]), rows[value])]
    if old is not None:  # what a deal was in before its first move
        first = rows.drop_duplicates(key)
        entered.insert(0, Moves(first[key], pd.Series(pd.Timestamp(0), index=first.index), first[old]))
    return entered if "stage" in meant else []


def times(text: pd.Series) -> pd.Series:
    """Read the times of a log, missing where nothing decides how they are written."""
    clean = text.astype("string").mask(text.eq("").to_numpy(dtype=bool))
    for order in ("auto", "day_first"):
        try:
            return parse_dates(clean, "", DateSettings(order=order))
        except DataError:
            continue
    return pd.Series(pd.NaT, index=text.index)


def _percent(values: pd.Series) -> bool:
    numbers = pd.to_numeric(values.astype("string").str.replace("%", "").str.replace(",", "."), errors="coerce")
    return bool((numbers > 1).any())


def scale_probability(draft: Draft, place: tuple[str | int, ...], frame: pd.DataFrame) -> None:
    """See whether probabilities are percentages: some are above 1."""
    node: Any = draft.mapping
    for key in place:
        node = node.get(key, {})
    column = node.get("probability")
    if isinstance(column, str) and _percent(frame[column]):
        node["probability"] = {"column": column, "scale": 0.01}
        draft.note((*place, "probability"), f"{column!r} goes above 1: percentages")


def moves_of_days(looked: Looked, made: DealTable) -> list[Moves]:
    """Take the stages of a folder of dated exports for entries, one after another."""
    key, stage = made.found.get("deal_id"), made.found.get("stage")
    if not looked.days or key is None or stage is None:
        return []
    out = []
    for number, tables in enumerate(looked.days):
        for table in (t for t in tables if t.files == made.table.files):
            if {key.columns[0], stage.columns[0]} <= set(table.frame.columns):
                at = pd.Series(pd.Timestamp(0) + pd.Timedelta(days=number), index=table.frame.index)
                out.append(Moves(table.frame[key.columns[0]], at, table.frame[stage.columns[0]]))
    return out


def put_stages(draft: Draft, made: DealTable, moves: Sequence[Moves]) -> Order | None:
    """Propose the stages, open ones in the order in which deals went through them, and say what it rests on."""
    text = made.text("stage")
    if text is None:
        return None
    every = pd.concat([text, *(m.stage for m in moves)], ignore_index=True)
    status = None if made.status is None else pd.concat([made.status.astype("object")], ignore_index=True)
    kind = kinds_of(text.reset_index(drop=True), status)
    kind |= {s: k for s, k in kinds_of(every, None).items() if s not in kind}
    open_ = [s for s, k in kind.items() if k == OPEN]
    order = None
    if moves:
        log = Moves(*(pd.concat([getattr(m, n) for m in moves]) for n in ("deal", "at", "stage")))
        order = order_seen(log.deal, log.at, log.stage.where(log.stage.isin(open_), ""))
    place, listed = ("stages",), list(open_)
    if order is not None:
        listed = [*order.stages, *(s for s in open_ if s not in order.stages)]
        draft.doubt(
            place, f"the order of the stages is a proposal: {order.forward:.0%} of {order.moves:,} moves between them "
            "go this way. Put them right if your process is another",
        )  # fmt: skip
        lacking = [s for s in open_ if s not in order.stages]
        if lacking:
            draft.doubt(place, f"{some(lacking)}: no deal was seen to move there or away; listed last")
    elif (by := _by_probability(made, open_)) is not None:
        listed = by
        draft.doubt(
            place, "the order of the stages is not known, as there is no history: listed by the CRM's probability"
        )
    else:
        draft.doubt(place, "the order of the stages is not known: there is neither history nor a probability. Listed "
                    "as they appear; put them in their order")  # fmt: skip
    ends = [s for k in ("won", "lost") for s in kind if kind[s] == k]
    draft.set(
        ("stages", "list"), [{"stage": s} | ({"kind": kind[s]} if kind[s] != OPEN else {}) for s in [*listed, *ends]]
    )
    return order


def _by_probability(made: DealTable, stages: list[str]) -> list[str] | None:
    stage, chance = made.text("stage"), made.text("probability")
    if stage is None or chance is None or made.status is None:
        return None
    numbers = pd.to_numeric(chance.str.replace("%", "").str.replace(",", "."), errors="coerce").astype("float64")
    mean = numbers[(made.status == OPEN).to_numpy(dtype=bool)].groupby(stage).median()
    known = [s for s in stages if s in mean.index and mean[s] == mean[s]]
    if len(known) < 2 or mean[known].nunique() < len(known):
        return None
    return [*sorted(known, key=lambda s: float(mean[s])), *(s for s in stages if s not in known)]
