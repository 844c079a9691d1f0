"""The audit of deals before anything is trained: facts of birth that know the outcome, or that a deal has closed.

A column that a mapping calls fixed at creation teaches of every past day. One that is filled in at closing would tell
each past snapshot what became of its deals, so two questions are asked of it: does it tell the won from the lost, and,
among deals of one age, the closed from the open?
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, REWRITTEN_AT_CLOSING, TABLES, WON
from pipeforecast.features import may_teach
from pipeforecast.history import DealHistory
from pipeforecast.leakage import FEWEST, Audit, audit

#: How the user allows a column, for messages.
ALLOW = "+crm.roles.allow_leaks"
_WON = ("won", "lost")
_CLOSED = ("closed", "are open, of the same age")
#: Known of today by what they are, and never a feature of a past day.
_OF_TODAY = {
    *REWRITTEN_AT_CLOSING, "closed_recorded_at", "last_activity_at", "stage_entered_at", "expected_close", "created_at",
    "qualified",
}  # fmt: skip


def audit_deals(history: DealHistory, allow: Collection[str] = ()) -> Audit:
    """Audit the facts of deals against how the deals ended, and against whether they have.

    Parameters
    ----------
    history : DealHistory
        As known on the evening from which is looked.
    allow : collection of str
        Columns that the user allows by name.

    Returns
    -------
    Audit
        ``stops`` names what leaks beyond doubt, ``left_out`` what must not teach.
    """
    deals = history.deals
    status = history.latest()["status"].reindex(deals.index)
    names = [str(c) for c in deals if _looked_at(str(c), history)]
    used = [n for n in names if history.roles.get(n) == "birth"]
    if not names:
        return Audit()
    is_open, is_won = ((status == s).to_numpy(dtype=bool) for s in (OPEN, WON))
    ended = audit(deals[names], np.where(is_open, np.nan, is_won), used, allow, table="deals", said=_WON)
    same = _same_age(deals["created_at"], is_open)
    if same is None or not used:
        return ended
    closing = audit(deals.loc[same, used], (~is_open[same]).astype("float64"), used, allow, table="deals", said=_CLOSED)
    more = tuple(
        replace(f, code="LEAK-ONLY-CLOSED" if f.code == "LEAK-ONLY-REACHED" else f.code)
        for f in closing.findings
        if f.code.startswith("LEAK-")
        and f.code != "LEAK-NAME"
        and f.column in {**closing.stops, **dict.fromkeys(allow)}
    )
    told = {f.column for f in ended.findings if f.code.startswith("LEAK-") and f.code != "LEAK-NAME"}
    findings = (*ended.findings, *(f for f in more if f.column not in told))
    return replace(ended, findings=findings, stops={**closing.stops, **ended.stops})


def cleaned_history(history: DealHistory, found: Audit) -> DealHistory:
    """Take what must not teach for today's values, which no past snapshot holds."""
    left = [n for n in found.left_out if history.roles.get(n) == "birth"]
    return replace(history, roles={**history.roles, **dict.fromkeys(left, "today")}) if left else history


def _looked_at(name: str, history: DealHistory) -> bool:
    """Whether a column is a fact of birth that may teach, or one of the company's own that is not used."""
    role = history.roles.get(name)
    if name in _OF_TODAY or not may_teach(name) or role == "tracked":
        return False
    return role == "birth" or name not in TABLES["deals"]


def _same_age(created: pd.Series, is_open: np.ndarray) -> np.ndarray | None:
    """Mask of the deals as young as half of the open ones, or three quarters; None where too few are, or closed."""
    if not is_open.any():
        return None
    for older in (0.5, 0.25):
        young = (created >= created[is_open].quantile(older)).to_numpy(dtype=bool)
        if min((young & is_open).sum(), (young & ~is_open).sum()) >= FEWEST:
            return np.asarray(young)
    return None
