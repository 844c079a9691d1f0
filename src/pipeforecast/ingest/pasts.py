"""From today's deals and the pieces of a log to the history of every deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.history import STATE_FACTS
from pipeforecast.ingest.deals import note
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.stages import kinds
from pipeforecast.ingest.states import (
    CREATION,
    TODAY,
    WHOLE,
    Piece,
    Setting,
    date_closings,
    fact_type,
    fill,
    kept,
    setting,
    split_close_date,
)

_NEVER = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Log:
    """What the change logs of an export say.

    Attributes
    ----------
    pieces : the logs' rows
    tracked : facts whose past they hold (a dual close date counts as ``close_date``)
    first : first known value of facts, by fact: (values by deal key, which deals have one)
    tells_status : whether closing is written in the logs
    unchanged : open deals that have no row in a log because nothing of them changed
    read_on : day of the export itself, where it is known
    """

    pieces: tuple[Piece, ...] = ()
    tracked: tuple[str, ...] = ()
    first: Mapping[str, Setting] = field(default_factory=dict)
    tells_status: bool = False
    unchanged: tuple[np.ndarray, ...] = ()
    read_on: np.datetime64 | None = None

    def covered(self, n: int) -> np.ndarray:
        """Tell which of ``n`` deals the logs that tell the status have rows of."""
        out = np.zeros(n, dtype=bool)
        for piece in self.pieces:
            if "stage" in piece.facts or "status" in piece.facts:
                out[piece.deal] = True
        for deal in self.unchanged:
            out[deal] = True
        return out


def times(values: pd.Series) -> np.ndarray:
    """Give a Series of dates as datetime64[s] array."""
    return values.to_numpy(dtype="datetime64[s]")


def last_written(deals: pd.DataFrame, log: Log) -> pd.Timestamp:
    """Find the last day on which anything was written: never an expected date.

    Closing days count only for deals of which nothing says when the closing was written: a closing day may lie
    after the day on which it was typed.
    """
    unlogged = deals["closed_recorded_at"].isna() & deals["modified_at"].isna()
    if log.tells_status:
        unlogged &= ~pd.Series(log.covered(len(deals)), index=deals.index)
    closed = deals["closed_at"].where(unlogged)
    written = [times(deals[c]) for c in ("created_at", "closed_recorded_at", "modified_at")]
    written += [times(closed), *(p.at for p in log.pieces)]
    written += [np.array([log.read_on])] if log.read_on is not None else []
    every = np.concatenate(written)
    every = every[~np.isnat(every)]
    return pd.Timestamp(every.max()).normalize().as_unit("s") if len(every) else pd.Timestamp(0).as_unit("s")


def date_creations(deals: pd.DataFrame, log: Log, until: pd.Timestamp, reading: Reading) -> pd.DataFrame:
    """Give deals without a day of creation the first day on which they are seen."""
    missing = deals["created_at"].isna().to_numpy()
    if not missing.any():
        return deals
    seen = np.full(len(deals), np.datetime64(until, "s"))
    for values in (times(deals["closed_at"]), *_first_times(deals, log)):
        earlier = ~np.isnat(values) & (values < seen)
        seen[earlier] = values[earlier]
    created = deals["created_at"].where(~missing, pd.Series(seen, index=deals.index))
    note(reading, "CREATED-DATE-MISSING", "warning", deals["deal_id"][missing],
         "taken as first seen on the first day anything else is known of it, for open deals the export's last day",
         "export the day of creation", column="created_at")  # fmt: skip
    ids = deals["deal_id"][missing]
    reading.ledger.mend("deals", "", "created_at", pd.Series("", index=ids.index), "CREATED-DATE-MISSING",
                        created[missing], ids, by_row=False)  # fmt: skip
    return deals.assign(created_at=created)


def _first_times(deals: pd.DataFrame, log: Log) -> list[np.ndarray]:
    out = []
    for piece in log.pieces:
        first = np.full(len(deals), _NEVER)
        order = np.argsort(piece.at)[::-1]  # the earliest is assigned last
        first[piece.deal[order]] = piece.at[order].astype("datetime64[s]")
        out.append(first)
    return out


def creation(deals: pd.DataFrame, log: Log, birth: tuple[str, ...]) -> Piece:
    """Make the row of each deal's creation: open, with the facts that are known of that day."""
    at = times(deals["created_at"]).copy()
    for first in _first_times(deals, log):
        earlier = ~np.isnat(first) & (first < at)
        at[earlier] = first[earlier]
    n = len(deals)
    facts = {"status": setting(pd.Series(OPEN, index=range(n), dtype="string"))}
    facts["closed_at"] = setting(pd.Series(pd.NaT, index=range(n), dtype="datetime64[s]"))
    facts |= {f: setting(deals[f]) for f in STATE_FACTS if f in birth and f in deals and f not in log.tracked}
    facts |= {f: (values.reset_index(drop=True), which) for f, (values, which) in log.first.items()}
    return Piece(np.arange(n), at, CREATION, facts)


def build_states(
    deals: pd.DataFrame, log: Log, birth: tuple[str, ...], until: pd.Timestamp, stages: pd.DataFrame, reading: Reading
) -> pd.DataFrame:
    """Make the complete states of all deals from creation, logs and today's row.

    Parameters
    ----------
    deals : today's deals in use, index 0 … n−1
    birth : facts fixed at creation
    until : the last written day
    """
    pieces = [creation(deals, log, birth), *log.pieces]
    states = _told(fill(pieces), deals, log, stages, reading)
    today = _today(states, deals, log, birth, until, reading)
    if len(today):
        states = _told(fill([*pieces, today]), deals, log, stages, reading)
    return _without_empty_beginnings(states)


def _told(states: pd.DataFrame, deals: pd.DataFrame, log: Log, stages: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Tell status and closing days of filled states."""
    if log.tells_status and "stage" in log.tracked and "status" not in log.tracked:
        pipeline = states.get("pipeline")
        if pipeline is None and "pipeline" in deals:
            pipeline = deals["pipeline"].take(states["deal"].to_numpy()).reset_index(drop=True)
        by_stage = kinds(stages, states["stage"], pipeline)
        theirs = (states["rank"] == TODAY).to_numpy() | by_stage.isna().to_numpy(dtype=bool)
        states["status"] = states["status"].where(theirs, by_stage)
    if reading.mapping.close_date == "dual" and "close_date" in states:
        states = split_close_date(states)
    return date_closings(states, deals)


def _without_empty_beginnings(states: pd.DataFrame) -> pd.DataFrame:
    """Drop the row of creation where a whole row follows on the same day: the CRM wrote it in one go."""
    deal, day = states["deal"].to_numpy(), states["at"].dt.normalize().to_numpy()
    followed = (deal[1:] == deal[:-1]) & (day[1:] == day[:-1]) & (states["rank"].to_numpy()[1:] == WHOLE)
    empty = (states["rank"].to_numpy() == CREATION) & np.r_[followed, False][: len(states)]
    return kept(states, ~empty)


def _today(
    states: pd.DataFrame, deals: pd.DataFrame, log: Log, birth: tuple[str, ...], until: pd.Timestamp, reading: Reading
) -> Piece:
    """Make the rows that bring a deal's last state to what the deals' table says today."""
    last = states[~states["deal"].duplicated(keep="last").to_numpy()].reset_index(drop=True)
    n = len(deals)
    now_open = (deals["status"] == OPEN).to_numpy(dtype=bool)
    covered = log.covered(n) if log.tells_status else np.zeros(n, dtype=bool)
    facts = [f for f in dict.fromkeys([*STATE_FACTS, *log.tracked]) if f in deals and f != "close_date"]
    today = {f: fact_type(f, deals[f]) for f in facts}

    status_differs = (deals["status"] != last["status"]).to_numpy(dtype=bool)
    tracked_differs = np.zeros(n, dtype=bool)
    for f in (f for f in facts if f in _tracked(log) and f in last):
        tracked_differs |= _differ(today[f], last[f]) & (now_open | (f != "expected_close"))
    closing_differs = ~now_open & _differ(deals["closed_at"].dt.normalize(), last["closed_at"])
    wrong = covered & (status_differs | tracked_differs | closing_differs)
    untold = np.zeros(n, dtype=bool)
    for f in (f for f in facts if f not in _tracked(log) and f not in birth):
        untold |= today[f].notna().to_numpy(dtype=bool)
    rows = wrong | (~covered & (status_differs | tracked_differs | closing_differs)) | untold
    _say_today(deals, log, covered, wrong, reading)
    _mend_today(deals, last, today, wrong, facts, log, reading)

    written = times(last["at"])
    end = np.full(n, np.datetime64(until, "s"))
    modified = times(deals["modified_at"])
    at = np.where(wrong, np.where(np.isnat(modified), end, modified), end)
    closing = times(deals["closed_recorded_at"].where(deals["closed_recorded_at"].notna(), deals["closed_at"]))
    at = np.where(~now_open & ~covered, closing, at)
    at = np.where(~now_open & covered & ~wrong, written, at)
    at = np.maximum(at, written)
    values = {f: setting(today[f][rows]) for f in facts}
    if reading.mapping.close_date == "dual":
        values.pop("expected_close", None)
        values["close_date"] = setting(deals["close_date"].dt.normalize()[rows])
    values |= {"status": setting(deals["status"][rows]), "closed_at": setting(deals["closed_at"].dt.normalize()[rows])}
    return Piece(np.flatnonzero(rows), at[rows], TODAY, values)


def _mend_today(
    deals: pd.DataFrame, last: pd.DataFrame, today: Mapping[str, pd.Series], wrong: np.ndarray,
    facts: list[str], log: Log, reading: Reading,
) -> None:  # fmt: skip
    """Enter what the log ends with, and what is taken instead, for every fact that differs."""
    said = {f: today[f] for f in facts if f in _tracked(log) and f in last} | {"status": deals["status"]}
    for fact, now in said.items():
        differs = wrong & _differ(now, last[fact])
        mended = {"ids": deals["deal_id"][differs], "after": now[differs], "by_row": False}
        reading.ledger.mend("changes", "", fact, last[fact][differs], "LOG-DISAGREES-WITH-TODAY", **mended)


def _tracked(log: Log) -> set[str]:
    dual = {"expected_close"} if "close_date" in log.tracked else set()
    return {*log.tracked, *dual}


def _differ(a: pd.Series, b: pd.Series) -> np.ndarray:
    """Tell where two columns differ; missing equals missing. Amounts may differ by less than half a cent."""
    a, b = a.reset_index(drop=True), b.reset_index(drop=True)
    missing = a.isna().to_numpy(dtype=bool), b.isna().to_numpy(dtype=bool)
    if a.dtype.kind == "f":
        other = ((a - b).abs() > 0.005).to_numpy(dtype=bool)
    else:
        other = (a != b).fillna(False).to_numpy(dtype=bool)
    return np.asarray((missing[0] != missing[1]) | (~missing[0] & ~missing[1] & other))


def _say_today(deals: pd.DataFrame, log: Log, covered: np.ndarray, wrong: np.ndarray, reading: Reading) -> None:
    if wrong.any():
        note(reading, "LOG-DISAGREES-WITH-TODAY", "warning", deals["deal_id"][wrong],
             "today's values added as a last change, on the day the deal was last modified",
             "export deals and change log at the same time, with every tracked field", "changes")  # fmt: skip
    if log.tells_status and not covered.all():
        note(reading, "NO-LOG-ROWS", "warning", deals["deal_id"][~covered],
             "their past is taken as unknown between creation and closing or today",
             "export the change log of every deal", "changes")  # fmt: skip
