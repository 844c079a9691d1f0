"""Hierarchy: who owned a deal when it closed, and to whom its owner reported on a day.

A deal counts for whoever owns it when its closing is written, and for whoever owns it today until then; its manager is
the one to whom that owner reports on that day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN

#: Group of new business whose past owners (or their managers) have no open deal any more: nobody knows yet who gets it.
NOT_YET_ASSIGNED = "(not yet assigned)"
_EVER = pd.Timestamp("1000-01-01")


def manager_on(line: pd.DataFrame, owner: pd.Series, day: pd.Series | pd.Timestamp) -> pd.Series:
    """Look up to whom each owner reported on the evening of a day.

    Parameters
    ----------
    line : DataFrame
        The table ``reporting_line``: ``owner``, ``manager`` and ``valid_from`` (empty or absent: since ever). Of
        several rows that begin on one day the last counts.
    owner : Series (n,)
    day : Series (n,) or Timestamp
        One day each, or one for all.

    Returns
    -------
    Series of string (n,), index of ``owner``
        Missing where there is no owner, no day, or no row that is valid by then.
    """
    since = line["valid_from"] if "valid_from" in line else pd.Series(pd.NaT, index=line.index)
    begins = since.astype("datetime64[s]").fillna(_EVER).dt.normalize()
    on = day if isinstance(day, pd.Timestamp) else day.to_numpy()
    asked = pd.DataFrame({"day": pd.Series(on, index=range(len(owner))).astype("datetime64[s]").dt.normalize()})
    # Numbers for names (−1: none): kinds of text differ between tables.
    names = pd.factorize(pd.concat([line["owner"], owner]).astype("object"))[0]
    told = pd.DataFrame({"owner": names[: len(line)], "day": begins.to_numpy(), "line": np.arange(len(line))})
    asked = asked.assign(owner=names[len(line) :], at=np.arange(len(owner)))
    asked = asked[(asked["day"].notna() & (asked["owner"] >= 0)).to_numpy()]
    told = told.sort_values("day", kind="stable")
    found = pd.merge_asof(asked.sort_values("day", kind="stable"), told, on="day", by="owner").dropna()
    manager = pd.Series(pd.NA, index=owner.index, dtype="string")
    manager.iloc[found["at"].to_numpy()] = line["manager"].astype("string").iloc[found["line"].astype(int)].to_numpy()
    return manager


def with_manager(rows: pd.DataFrame, line: pd.DataFrame | None, day: pd.Series | pd.Timestamp) -> pd.DataFrame:
    """Add ``manager``: to whom the ``owner`` of each row reported on ``day``; without a line rows stay as they are."""
    return rows if line is None else rows.assign(manager=manager_on(line, rows["owner"], day))


def closing_day(states: pd.DataFrame) -> pd.Series:
    """True day of each closing, or the day on which it was written where that is earlier (n,).

    A closing that is dated ahead was written under the reporting line of the day it was written.
    """
    written = states["recorded_at"].dt.normalize()
    return states["closed_at"].where(states["closed_at"] < written, written)


def owner_when_closed(states: pd.DataFrame, rows: np.ndarray | None = None) -> pd.Series:
    """Who owned each deal when its closing was written; the owner of the row itself while it is open.

    Deals that change hands after they are closed stay with who closed them; a deal that is opened again starts anew.

    Parameters
    ----------
    states : DataFrame
        As of ``DealHistory.states``: ``deal``, ``status``, ``owner``, in the order of ``deal`` and writing.
    rows : int array (k,), optional
        Positions of the states that are asked for; all of them without it.

    Returns
    -------
    Series (k,), index of the states that are asked for
        Looks at no later row: what was known of an evening does not change.
    """
    own = states["owner"] if rows is None else states["owner"].iloc[rows]
    if own.empty:
        return own
    deal, closed = states["deal"].to_numpy(), (states["status"] != OPEN).to_numpy(dtype=bool)
    goes_on = np.r_[False, (deal[1:] == deal[:-1]) & closed[1:] & closed[:-1]]
    first = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(states))))
    owner = states["owner"].iloc[first if rows is None else first[rows]].set_axis(own.index)
    return owner.where(owner.notna(), own)


def credited(
    states: pd.DataFrame, line: pd.DataFrame | None, today: pd.Timestamp, last: np.ndarray | None = None
) -> pd.DataFrame:
    """Give the last written state of every deal, with the owner and the manager for whom it counts.

    Parameters
    ----------
    states : DataFrame
        As of ``DealHistory.states``.
    line : DataFrame or None
        The table ``reporting_line``; without one ``manager`` is not added.
    today : Timestamp
        Decides the manager of deals that are open.
    last : int array, optional
        Positions of the last states, where they are known, or those of an earlier evening.

    Returns
    -------
    DataFrame, index deal key
    """
    if last is None:
        last = np.flatnonzero(~states.duplicated("deal", keep="last").to_numpy())
    out = states.iloc[last].assign(owner=owner_when_closed(states, last)).set_index("deal")
    return with_manager(out, line, closing_day(out).where((out["status"] != OPEN).to_numpy(dtype=bool), today))


def assigned_today(pool: pd.DataFrame, opened: pd.DataFrame) -> pd.DataFrame:
    """Name who gets new business like that of ``pool``: past owners that own an open deal today, under today's manager.

    Of all others ``owner`` becomes ``NOT_YET_ASSIGNED``, and ``manager`` too unless somebody who owns an open deal
    reports to the past one: people who left forecast nothing.

    Parameters
    ----------
    pool : DataFrame
        Past deals, with the ``owner`` (and ``manager``) of their closing.
    opened : DataFrame
        The deals that are open today.
    """
    out = pool
    if "owner" in pool and "owner" in opened:
        stays = pool["owner"].isin(opened["owner"])
        out = out.assign(owner=pool["owner"].where(stays, NOT_YET_ASSIGNED))
        if "manager" in pool and "manager" in opened:
            now = opened.dropna(subset="owner").drop_duplicates("owner").set_index("owner")["manager"]
            there = pool["manager"].where(pool["manager"].isin(opened["manager"].dropna()), NOT_YET_ASSIGNED)
            out = out.assign(manager=there.where(~stays, pool["owner"].map(now)))
    return out
