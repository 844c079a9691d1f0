"""What each person called for a period, beside what came true of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import TOTAL, group_names
from pipeforecast.history import DealHistory
from pipeforecast.outcome import complete_periods, observed_from, won_between
from pipeforecast.reporting import credited
from pipeforecast.rules.people import CALLS, Call

COLUMNS = ("layer", "person", "period", "n_calls", "call", "actual")


def called_and_closed(history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp) -> pd.DataFrame:
    """Set each person's calls of each complete period beside what the called deals brought.

    Parameters
    ----------
    history : DealHistory
        May know more: nothing written after ``as_of`` is used.
    calendar : FiscalCalendar
        Calls of other periods than its own are left out.
    as_of : Timestamp
        Periods that end after it are left out, and those that began before wins were recorded.

    Returns
    -------
    DataFrame, one row per layer, person and period
        ``n_calls``, days up to the period's end on which the person called; ``call``, the mean over these days of what
        was then the latest call (currency); ``actual``, what came true: the person's own deals (rep), those of the
        owners who reported to them (manager), all (executive), or of another group that the call names. NaN where no
        deal is known to belong to what was called.
    """
    known, calls = history.known_by(as_of), history.tables.get("calls")
    periods = complete_periods(calendar, observed_from(known.latest()), as_of)
    if calls is None or not periods:
        return pd.DataFrame(columns=list(COLUMNS))
    book = _book(known, as_of, periods)
    calls = calls[(calls["made_at"] < as_of + pd.Timedelta(days=1)).to_numpy(dtype=bool)]
    found = []
    for layer in CALLS:
        said = _said(layer, calls, periods)
        if len(said):
            found.append(_beside(said, book, periods).assign(layer=layer.layer))
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(found, ignore_index=True)[list(COLUMNS)]


def _said(layer: Call, calls: pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per person, period, group and day of calling by the period's end; of a day the last call counts."""
    heard = layer.heard_in(calls)
    words = heard["period"].astype("object").fillna("").astype(str).str.strip().str.lower()
    table = layer.named(heard).assign(
        period=words.map({p.name.lower(): i for i, p in enumerate(periods)}).astype("float64"),
        day=heard["made_at"].dt.normalize(),
    )
    table = table[table["period"].notna().to_numpy()].astype({"period": "int64"})
    end = pd.Series([p.end for p in periods])
    table = table[(table["day"] <= table["period"].map(end)).to_numpy(dtype=bool)]
    table["group"] = table["group"].where(table["level"] != TOTAL, TOTAL)
    # Who called at several levels said the same money twice: the level called last counts.
    last = table.groupby(["person", "period"])["level"].transform("last")
    table = table[(table["level"] == last).to_numpy(dtype=bool)]
    return table.drop_duplicates(["person", "period", "group", "day"], keep="last")


def _beside(said: pd.DataFrame, book: _Book, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per person and period that they called whole: what they called, and what came true."""
    of = ["person", "period"]
    groups = said.drop_duplicates([*of, "group"])
    brought = groups.assign(actual=_brought(groups, book)).groupby(of)["actual"]
    # A group's latest call holds on; who calls several groups has called once each of them has been told.
    number = said.groupby(of)["group"].rank("dense").astype("int64")
    wide = said.assign(number=number).pivot_table(index=[*of, "day"], columns="number", values="amount")
    wide = wide.groupby(level=of).ffill()
    whole = wide.notna().sum(axis=1).groupby(level=of).transform("max") == wide.notna().sum(axis=1)
    call = wide.sum(axis=1)[whole].groupby(level=of)
    actual = brought.sum().where(brought.count() == brought.size())
    out = pd.DataFrame({"n_calls": call.size(), "call": call.mean(), "actual": actual}).reset_index()
    return out.assign(period=[periods[i].name for i in out["period"]])


@dataclass(frozen=True)
class _Book:
    """Deals by those for whom they count: all of them, those won in each period, and who else is known at a level."""

    deals: pd.DataFrame
    won: pd.DataFrame
    dated: set[str]
    more: Mapping[str, pd.Series]


def _book(known: DealHistory, as_of: pd.Timestamp, periods: Sequence[Period]) -> _Book:
    line = known.tables.get("reporting_line")
    deals = credited(known.states, line, as_of)
    dated = {c for c, role in known.roles.items() if role in ("birth", "tracked")}
    dated |= {"manager"} if line is not None and "owner" in dated else set()
    deals = deals.join(known.deals[[c for c in known.deals if c in dated and c not in deals]])
    won = pd.concat([won_between(deals, p.start, p.end).assign(period=i) for i, p in enumerate(periods)])
    more = {"owner": known.states["owner"], "manager": pd.Series(dtype=object) if line is None else line["manager"]}
    return _Book(deals, won, dated, {level: pd.Series(names.unique()) for level, names in more.items()})


def _brought(groups: pd.DataFrame, book: _Book) -> np.ndarray:
    """What each called group (``level``, ``group``, ``period``) brought; NaN where no deal is known to belong to it."""
    won = book.won
    out = pd.Series(np.nan, index=groups.index)
    for level, part in groups.groupby("level"):
        if level != TOTAL and (level not in book.dated or level not in book.deals):
            continue  # whose a past deal was is not known
        whose = np.full(len(won), TOTAL) if level == TOTAL else group_names(won, str(level))
        sums = won["amount"].fillna(0.0).groupby([whose, won["period"].to_numpy()]).sum()
        told = pd.MultiIndex.from_frame(part[["group", "period"]])
        there = (
            [TOTAL]
            if level == TOTAL
            else [*np.unique(group_names(book.deals, str(level))), *book.more.get(str(level), ())]
        )
        out[part.index] = np.where(part["group"].isin(there), sums.reindex(told, fill_value=0.0), np.nan)
    return out.to_numpy()
