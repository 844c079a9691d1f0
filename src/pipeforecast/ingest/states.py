"""Complete states of every deal from pieces that each set some facts at some time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, typed
from pipeforecast.history import STATE_FACTS
from pipeforecast.mapping import kind_of

#: What writes a row, in the order that holds within one second.
CREATION, FIELD, WHOLE, TODAY = range(4)


#: Values of a fact, and which rows set it.
Setting = tuple[pd.Series, np.ndarray]


@dataclass(frozen=True)
class Piece:
    """Rows that set facts of deals.

    Attributes
    ----------
    deal : array of deal keys
    at : array of datetime64[s]
        When each row was written.
    rank : CREATION, FIELD, WHOLE or TODAY
    facts : mapping of fact to (values, which rows set it)
    """

    deal: np.ndarray
    at: np.ndarray
    rank: int
    facts: Mapping[str, Setting]

    def __len__(self) -> int:
        return len(self.deal)


def setting(values: pd.Series, which: np.ndarray | None = None) -> Setting:
    """Make an entry of ``Piece.facts``: all rows set the fact, unless ``which`` says less."""
    return values.reset_index(drop=True), np.ones(len(values), dtype=bool) if which is None else which


def fact_type(fact: str, values: pd.Series) -> pd.Series:
    """Cast to the type that a fact has in states; a dual close date keeps its day only."""
    if fact == "status":
        return values.astype("string")
    return typed(values, kind_of("deals", fact) or "date")


def blank(fact: str, n: int) -> pd.Series:
    """Give ``n`` missing values of a fact."""
    return fact_type(fact, pd.Series([None], dtype="object")).repeat(n).reset_index(drop=True)


def carry(source: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Give for each row the last row up to it, within its deal, where ``source`` is true; −1 if there is none.

    Parameters
    ----------
    source : boolean array, in the order of (deal, time)
    starts : array of the place of each row's deal's first row
    """
    last = np.maximum.accumulate(np.where(source, np.arange(len(source)), -1))
    return np.where(last >= starts, last, -1)


def deal_starts(deal: np.ndarray) -> np.ndarray:
    """Give for each row of a sorted array the place of the first row of the same deal."""
    new = np.r_[True, deal[1:] != deal[:-1]] if len(deal) else np.zeros(0, dtype=bool)
    return np.maximum.accumulate(np.where(new, np.arange(len(deal)), 0))


def taken(values: pd.Series, place: np.ndarray) -> pd.Series:
    """Take values by place, missing where the place is −1."""
    return pd.Series(values.array.take(place, allow_fill=True))


def fill(pieces: Sequence[Piece]) -> pd.DataFrame:
    """Put pieces in order and carry every fact forward within its deal.

    Returns
    -------
    DataFrame
        ``deal, at, rank`` and every fact, sorted by deal, time, rank and place in the source. Of rows of one
        second, those of a lower rank than the last are dropped: the last one holds all they set. (A deal that
        closes in the second of its creation keeps both rows.)
    """
    deal = np.concatenate([p.deal for p in pieces])
    at = np.concatenate([p.at.astype("datetime64[s]") for p in pieces])
    rank = np.concatenate([np.full(len(p), p.rank, dtype="int8") for p in pieces])
    order = np.lexsort((rank, at, deal))
    deal, at, rank = deal[order], at[order], rank[order]
    starts = deal_starts(deal)
    same = (deal[1:] == deal[:-1]) & (at[1:] == at[:-1]) & (rank[1:] > rank[:-1])
    same &= ~((rank[:-1] == CREATION) & (rank[1:] == TODAY))
    last = np.flatnonzero(~np.r_[same, False][: len(deal)])
    out: dict[str, Any] = {"deal": deal[last], "at": at[last], "rank": rank[last]}
    for fact in dict.fromkeys(f for p in pieces for f in p.facts):
        values, which = _joined(pieces, fact)
        place = carry(which[order], starts)[last]
        out[fact] = taken(values, np.where(place >= 0, order[place], -1))
    return pd.DataFrame(out)


def _joined(pieces: Sequence[Piece], fact: str) -> Setting:
    parts, which = [], []
    for piece in pieces:
        if fact in piece.facts:
            values, sets = piece.facts[fact]
            parts.append(fact_type(fact, values))
            # A row that does not tell the status leaves a deal as it was: open since its creation, or what was told.
            which.append(sets & parts[-1].notna().to_numpy(dtype=bool) if fact == "status" else sets)
        else:
            parts.append(blank(fact, len(piece)))
            which.append(np.zeros(len(piece), dtype=bool))
    return pd.concat(parts, ignore_index=True), np.concatenate(which)


def kept(frame: pd.DataFrame, which: np.ndarray) -> pd.DataFrame:
    """Keep some rows, numbered anew."""
    return frame.loc[which].reset_index(drop=True)


def split_close_date(states: pd.DataFrame) -> pd.DataFrame:
    """Give a dual close date its meaning: real while closed; expected as last written while open."""
    is_open = (states["status"] == OPEN).to_numpy(dtype=bool)
    starts = deal_starts(states["deal"].to_numpy())
    states["expected_close"] = taken(states["close_date"], carry(is_open, starts))
    states["closed_at"] = states["close_date"].mask(is_open)
    return states.drop(columns="close_date")


def date_closings(states: pd.DataFrame, deals: pd.DataFrame) -> pd.DataFrame:
    """Give closed states that have no closing day one.

    The last closing takes the deals' own day; an earlier one, before a reopening, the day it was written.
    """
    deal = states["deal"].to_numpy()
    starts = deal_starts(deal)
    is_open = (states["status"] == OPEN).to_numpy(dtype=bool)
    begins = ~is_open & np.r_[True, is_open[:-1] | (deal[1:] != deal[:-1])][: len(states)]
    written = taken(states["at"].dt.normalize(), carry(begins, starts))
    last_open = pd.Series(np.where(is_open, np.arange(len(states)), -1)).groupby(deal).transform("max").to_numpy()
    final = ~is_open & (np.arange(len(states)) > last_open)
    own = deals["closed_at"].dt.normalize().take(deal).reset_index(drop=True)
    day = own.where(final & own.notna().to_numpy(), written)
    closed_at = states["closed_at"] if "closed_at" in states else pd.Series(pd.NaT, index=states.index)
    states["closed_at"] = typed(closed_at.where(closed_at.notna(), day).mask(is_open), "date")
    return states


def finished_states(states: pd.DataFrame, tracked: Sequence[str]) -> pd.DataFrame:
    """Give states the columns and order that ``DealHistory`` promises."""
    facts = [*STATE_FACTS, *(f for f in tracked if f not in STATE_FACTS)]
    out = states.rename(columns={"at": "recorded_at"})
    for fact in facts:
        if fact not in out:
            out[fact] = blank(fact, len(out))
    out["recorded_at"] = typed(out["recorded_at"], "time")
    out["seq"] = np.arange(len(out))
    return out[["deal", "seq", "recorded_at", "status", "closed_at", *facts]].reset_index(drop=True)
