"""What is odd in how the past is recorded: logs that begin late or before a deal, stages renamed, deals told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.findings import Finding, first_examples
from pipeforecast.history import DealHistory

#: Fewest deals, or entries of a stage, before their days say anything.
_FEWEST = 10
_LONG, _GAP = pd.Timedelta(days=90), pd.Timedelta(days=31)


def _moves(history: DealHistory) -> pd.DataFrame:
    """Give rows written of deals that were open before and after: what only a log can know."""
    states = history.states
    again = states["deal"].duplicated().to_numpy() & (states["status"] == OPEN).to_numpy(dtype=bool)
    return states[again]


def _begins_late(history: DealHistory) -> Iterator[Finding]:
    moves = _moves(history)
    if not history.has_stage_history or moves["recorded_at"].dt.normalize().nunique() < _FEWEST:
        return
    begin = moves["recorded_at"].min().normalize()
    created = history.deals["created_at"]
    before = created.index[(created < begin - _LONG).to_numpy(dtype=bool)].to_numpy()
    if len(before) < 2 * _FEWEST:
        return
    yield Finding(
        "HISTORY-BEGINS-LATE", "warning", "changes", "changed_at", len(before),
        first_examples(history.deals["deal_id"].loc[before[:5]]),
        "what these deals were before is unknown; their creation and closing count",
        f"nothing that changed before {begin.date()} is in the log: export it whole, or replay only later days",
    )  # fmt: skip


def _before_created(history: DealHistory) -> Iterator[Finding]:
    first = history.states.groupby("deal")["recorded_at"].min().dt.normalize()
    early = first.index[
        (first < history.deals["created_at"].dt.normalize().reindex(first.index)).to_numpy(dtype=bool)
    ].to_numpy()
    if len(early):
        yield Finding(
            "LOG-BEFORE-CREATED", "warning", "changes", "changed_at", len(early),
            first_examples(history.deals["deal_id"].loc[early[:5]]),
            "kept; these deals count as seen from their first row on", "check the days of creation, or the clocks",
        )  # fmt: skip


def _renamed(history: DealHistory) -> Iterator[Finding]:
    if not history.has_stage_history:
        return
    states = history.states[(history.states["status"] == OPEN).to_numpy(dtype=bool)]
    entered = (states["stage"] != states.groupby("deal")["stage"].shift()).fillna(True).to_numpy(dtype=bool)
    days = (
        states[entered & states["stage"].notna().to_numpy()].groupby("stage")["recorded_at"].agg(["min", "max", "size"])
    )
    begin, until = states["recorded_at"].min(), history.written_until
    many = days[(days["size"] >= _FEWEST).to_numpy()]
    gone = many[(many["max"] < until - _LONG).to_numpy()]
    fresh = many[(many["min"] > begin + _LONG).to_numpy()]
    for old, was in gone.iterrows():
        gaps = (fresh["min"] - was["max"]).abs()
        if len(gaps) and gaps.min() < _GAP:
            new = gaps.idxmin()
            yield Finding(
                "STAGE-RENAMED", "warning", "changes", "stage", int(was["size"] + many["size"][new]),
                (str(old), str(new)), "kept as two stages",
                f"{old} was last entered on {was['max'].date()}, {new} first on {many['min'][new].date()}: if they are "
                f"one, say values: {{{old}: {new}}} for the stage in the mapping",
            )  # fmt: skip


def _alike(history: DealHistory) -> Iterator[Finding]:
    deals = history.deals
    if "name" not in deals or "amount" not in deals:
        return
    keys = [k for k in ("name", "account_id", "account_name", "created_at", "amount", "owner") if k in deals]
    whole = deals[[*keys[:1], "amount"]].notna().all(axis=1).to_numpy(dtype=bool)
    twice = whole & deals.duplicated(keys).to_numpy() & np.asarray(deals["amount"].ne(0).to_numpy(dtype=bool))
    if twice.any():
        yield Finding(
            "DEALS-ALIKE", "warning", "deals", "", int(twice.sum()), first_examples(deals["deal_id"][twice]),
            "kept; each counts", "same name, day of creation and amount under another id: delete one in the CRM",
        )  # fmt: skip


CHECKS: tuple[Callable[[DealHistory], Iterator[Finding]], ...] = (_begins_late, _before_created, _renamed, _alike)
