"""Which cause a deal's change counts under: what became of it between two evenings.

- ``new_deals``: first written since, whatever became of it by now.
- ``won``: open before (or lost) and won in the period now; taken back where a win was opened again.
- ``lost``: open before (or won) and lost now; taken back where a loss was opened again.
- ``pushed``, ``pulled_in``: its date was moved later, or earlier. A deal that was won with a date in another period
  has been moved there, so that ``pulled_in`` can lower a forecast.
- ``amount``: its amount was changed, also after it was won.
- ``probability``: all else that was written of it, or was done: stage, category, owner, touches.
- ``time_passing``: the day is a later one, and other deals have closed.
- ``new_business``: what is expected of deals not yet created.
- ``model_change``: the later model instead of the earlier one, asked about the same evening.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.compare.shares import CLOSE
from pipeforecast.contract import LOST, OPEN, WON
from pipeforecast.forecast import group_names
from pipeforecast.outcome import won_between
from pipeforecast.rollup import Outlook
from pipeforecast.snapshot import due_by

CAUSES = (
    "new_deals", "won", "lost", "pushed", "pulled_in", "amount", "probability", "time_passing", "new_business",
    "model_change",
)  # fmt: skip
NOT_CREATED = "(not yet created)"
#: Not written yet; won with a date in an earlier, or a later, period.
_ABSENT, _SOONER, _LATER = "absent", "won before", "won after"
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def standing(outlook: Outlook) -> pd.DataFrame:
    """How every deal stands on one evening, and what it brings in the period.

    Returns
    -------
    DataFrame, index deal key
        ``kind`` (open, lost, won in the period, before or after it), ``close`` (expected, of open deals), ``listed``
        (amount of open deals; 0 where none is listed), ``due`` (open, and expected by the end of the period or not
        dated) and ``value``.
    """
    snapshot, period = outlook.snapshot, outlook.period
    rows, closed = snapshot.open, snapshot.closed_by(snapshot.as_of)
    kind = np.where(closed["closed_at"] < period.start, _SOONER, _LATER).astype(object)
    kind[closed.index.isin(won_between(closed, period.start, period.end).index)] = WON
    kind[(closed["status"] == LOST).to_numpy()] = LOST
    opened = pd.DataFrame({
        "kind": OPEN, "close": rows["expected_close"].to_numpy(),
        "listed": rows["amount"].fillna(0.0).to_numpy(dtype="float64"),
        "due": due_by(rows, period.end),
        "value": outlook.chances * outlook.expected,
    }, index=rows["deal"].to_numpy())  # fmt: skip
    amount = closed["amount"].fillna(0.0).to_numpy(dtype="float64")
    ended = pd.DataFrame({
        "kind": kind, "close": np.datetime64("NaT", "s"), "listed": 0.0, "due": False,
        "value": np.where(kind == WON, amount, 0.0),
    }, index=closed["deal"].to_numpy())  # fmt: skip
    return pd.concat([part for part in (opened, ended) if len(part)] or [opened])


def groups(outlook: Outlook, levels: Sequence[str]) -> pd.DataFrame:
    """Group of every deal at each level: that of the evening, and of its closing once it is closed (index deal key)."""
    snapshot = outlook.snapshot
    parts = (snapshot.open, snapshot.closed_by(snapshot.as_of))
    named = {level: np.concatenate([group_names(p, level) for p in parts]) for level in levels}
    return pd.DataFrame(named, index=np.concatenate([p["deal"].to_numpy() for p in parts]))


def aligned(then: pd.DataFrame, now: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give both standings the same deals: those not written yet are absent and worth nothing."""
    every = then.index.union(now.index)
    nothing = {"kind": _ABSENT, "listed": 0.0, "due": False, "value": 0.0}
    one, other = (s.reindex(every).fillna(nothing) for s in (then, now))
    return one.astype({"due": bool}), other.astype({"due": bool})


def forecast_moves(then: pd.DataFrame, now: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """Put every deal's change in value under its cause.

    Parameters
    ----------
    then, now : DataFrame
        Aligned standings, of one model.
    shared : DataFrame, index deal key
        Shares of the deals that are open on both evenings.

    Returns
    -------
    DataFrame, index deal key
        One column per cause.
    """
    out = _nothing(then)
    change, both = now["value"] - then["value"], _both_open(then, now)
    cause = _cause_of(then, now)
    for name in CAUSES:
        alone = ~both & (cause == name)
        out.loc[alone, name] = change[alone]
    own = shared.reindex(then.index[both]).fillna(0.0)
    before, after = then["close"][both], now["close"][both]
    later = (after > before) | (~(after < before) & (own[CLOSE] < 0))  # where days cannot tell: whether it fell
    out.loc[both, "pushed"] = own[CLOSE].where(later, 0.0)
    out.loc[both, "pulled_in"] = own[CLOSE].where(~later, 0.0)
    for name, factor in (("amount", "amount"), ("probability", "probability"), ("time_passing", "time")):
        out.loc[both, name] = own[factor]
    return out


def pipeline_moves(then: pd.DataFrame, now: pd.DataFrame, due_only: bool) -> pd.DataFrame:
    """Put every deal's change in listed amount under its cause; a deal that comes or goes takes all of it along."""
    out, both = _nothing(then), _both_open(then, now)
    before, after = ((s["listed"] * s["due"] if due_only else s["listed"]) for s in (then, now))
    change = after - before
    leaves, enters = both & then["due"] & ~now["due"] & due_only, both & ~then["due"] & now["due"] & due_only
    out.loc[leaves, "pushed"], out.loc[enters, "pulled_in"] = change[leaves], change[enters]
    stays = both & ~leaves & ~enters
    out.loc[stays, "amount"] = change[stays]
    # Out of the pipeline a win is a win, wherever its date lies; what is opened again takes it back.
    closing = then["kind"].where(~then["kind"].isin([OPEN, _ABSENT]), now["kind"])
    cause = closing.where(closing == LOST, WON).where(then["kind"] != _ABSENT, "new_deals")
    for name in ("new_deals", WON, LOST):
        alone = ~both & (cause == name)
        out.loc[alone, name] = change[alone]
    return out


def _nothing(like: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(0.0, index=like.index, columns=list(CAUSES))


def _both_open(then: pd.DataFrame, now: pd.DataFrame) -> Bools:
    return np.asarray((then["kind"] == OPEN) & (now["kind"] == OPEN))


def _cause_of(then: pd.DataFrame, now: pd.DataFrame) -> np.ndarray:
    """Cause of the deals that are not open on both evenings; the first that fits."""
    was, now_is = then["kind"].to_numpy(dtype=object), now["kind"].to_numpy(dtype=object)
    causes = [
        (was == _ABSENT, "new_deals"),
        (now_is == LOST, "lost"),
        (now_is == _LATER, "pushed"),
        (now_is == _SOONER, "pulled_in"),
        ((now_is == WON) & (was == WON), "amount"),
        ((now_is == WON) & (was == _SOONER), "pushed"),
        ((now_is == WON) & (was == _LATER), "pulled_in"),
        (now_is == WON, "won"),
        (was == LOST, "lost"),
    ]
    conditions, names = zip(*causes, strict=True)
    return np.select(conditions, names, default="won")  # what is left: a win that was opened again
