"""The columns that each table promises: canonical names, kinds and which are required."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from pipeforecast.errors import DataError, some

Kind = Literal["id", "text", "date", "time", "money", "number", "flag"]
Role = Literal["birth", "tracked", "today"]

OPEN, WON, LOST = "open", "won", "lost"
STATUSES = (OPEN, WON, LOST)


@dataclass(frozen=True)
class Column:
    """One promised column; ``date`` is a day, ``time`` may carry hours, ``money`` is in the table's currency."""

    kind: Kind
    required: bool = False


def _columns(required: str, **optional: str) -> Mapping[str, Column]:
    """Read ``name:kind`` words; ``required`` ones first."""
    out = {n: Column(k, True) for n, k in (w.split(":") for w in required.split())}  # type: ignore[arg-type]
    for kind, names in optional.items():
        out |= {n: Column(kind) for n in names.split()}  # type: ignore[arg-type]
    return out


TABLES: Mapping[str, Mapping[str, Column]] = {
    "deals": _columns(
        "deal_id:id created_at:date",
        date="closed_at closed_recorded_at expected_close last_activity_at stage_entered_at",
        money="amount recurring_amount",
        number="term_months probability",
        flag="qualified",
        id="account_id lead_id",
        text="name outcome lost_reason pipeline stage currency forecast_category owner owner_name manager team "
        "region segment product lead_source campaign deal_type account_name next_step",
    ),
    "changes": _columns(
        "deal_id:id changed_at:time",
        time="recorded_at",
        text="field value stage forecast_category owner team region segment pipeline next_step",
        date="expected_close closed_at",
        money="amount",
        number="probability",
    ),
    "stages": _columns(
        "stage:text position:number kind:text",
        text="pipeline required_fields",
        number="probability",
        flag="qualified",
        date="valid_from",
    ),
    "leads": _columns(
        "lead_id:id",
        id="person_key account_id converted_deal_id",
        text="status owner team region segment lead_source campaign",
        date="created_at mql_at srl_at sql_at converted_at disqualified_at first_response_at",
        time="created_time first_response_time",  # days are counted with the dates, hours with these
        flag="converted",
    ),
    "lead_changes": _columns("lead_id:id changed_at:time field:text value:text"),
    "touches": _columns("at:time kind:text", id="lead_id deal_id account_id", text="campaign lead_source"),
    "calls": _columns("made_at:date person:text layer:text period:text amount:money", text="level group category"),
    "quotas": _columns("period:text level:text group:text amount:money"),
    "reporting_line": _columns("owner:text manager:text", date="valid_from"),
    "people": _columns("person:text person_name:text"),
    "spend": _columns("day:date amount:money", text="lead_source campaign"),
    "orders": _columns("order_id:id account_id:id day:date amount:money"),
    "customers": _columns(
        "account_id:id",
        date="signed_up_at trial_started_at onboarded_at activated_at started_at ended_at",
        money="recurring_amount",
    ),
    "subscriptions": _columns("account_id:id from:date", date="to renewal_due", money="recurring_amount"),
    "rates": _columns("currency:text day:date rate:number"),
}

#: What a change log may follow; every other column of ``deals`` is a birth fact or today's value.
TRACKABLE = (
    "stage", "amount", "expected_close", "probability", "forecast_category", "owner",
    "team", "region", "segment", "pipeline", "next_step",
)  # fmt: skip

#: Columns that closing itself writes: without a log their past values are unknown, so never birth facts.
REWRITTEN_AT_CLOSING = ("stage", "probability", "forecast_category", "lost_reason", "closed_at", "outcome")


def empty(table: str) -> pd.DataFrame:
    """Give ``table`` without rows, with every promised column in its canonical type."""
    return pd.DataFrame({n: typed(pd.Series([], dtype="object"), c.kind) for n, c in TABLES[table].items()})


def typed(values: pd.Series, kind: Kind) -> pd.Series:
    """Cast clean values to the canonical type of ``kind`` (days and times are ``datetime64[s]``)."""
    if kind in ("id", "text"):
        return values.astype("string")
    if kind == "date":
        return values.astype("datetime64[s]").dt.normalize().astype("datetime64[s]")
    if kind == "time":
        return values.astype("datetime64[s]")
    if kind == "flag":
        return values.astype("boolean")
    return values.astype("float64")


def conform(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Check and cast ``frame`` to the promise of ``table``; columns that are not promised stay as they are.

    Raises
    ------
    DataError
        If a required column is missing or empty in some row.
    """
    promised = TABLES[table]
    missing = [n for n, c in promised.items() if c.required and n not in frame]
    if missing:
        raise DataError(
            f"table {table!r} needs the columns {some(missing)}; it has {some(frame.columns, 12)}. "
            "Name their source columns in the mapping (configs/crm/*.yaml)."
        )
    out = frame.copy()
    for name, column in promised.items():
        if name in out:
            out[name] = typed(out[name], column.kind)
    for name in (n for n, c in promised.items() if c.required):
        if out[name].isna().any():
            rows = out.index[out[name].isna()]
            raise DataError(f"table {table!r}: {name!r} is empty in {len(rows)} rows, the first are {some(rows)}")
    return out
