"""A folder of dated exports: what changed between two of them was written by the later one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, TRACKABLE
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.deals import DealRows, note, read_deals
from pipeforecast.ingest.files import Source
from pipeforecast.ingest.pasts import Log, times
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.stages import read_stages
from pipeforecast.ingest.states import WHOLE, Piece, fact_type, setting
from pipeforecast.mapping import CrmMapping


@dataclass(frozen=True)
class Dated:
    """One export of a series."""

    day: np.datetime64
    source: Source


def dated_exports(mapping: CrmMapping, source: Source) -> list[Dated]:
    """Find the exports of a folder of dated folders or files, the oldest first.

    None if the folder holds a deals' file itself: then it is one export. Files without a date (a list of
    stages, say) belong to every export.
    """
    if source.folder is None or source.find(mapping.deals.files):
        return []
    pattern = re.compile(r"[-_ .]*" + mapping.history.exports + r"[-_ .]*")
    days: dict[np.datetime64, dict[Path, str]] = {}
    common: dict[Path, str] = {}
    for entry in sorted(p for p in source.folder.iterdir() if not p.name.startswith(".")):
        day, rest = _day(pattern, entry.name)
        if day is None:
            common |= {entry: entry.name} if entry.is_file() else {}
        elif entry.is_dir():
            days.setdefault(day, {}).update(
                {p: p.name for p in sorted(entry.iterdir()) if p.is_file() and not p.name.startswith(".")}
            )
        else:
            days.setdefault(day, {})[entry] = rest
    found = []
    for day in sorted(days):
        names = common | days[day]
        part = Source(tuple(names), f"{source.where} ({day})", source.findings, names=names)
        if part.find(mapping.deals.files):
            found.append(Dated(day, part))
    return found


def _day(pattern: re.Pattern[str], name: str) -> tuple[np.datetime64 | None, str]:
    """Find the day in a name; give the name without it too."""
    match = pattern.search(name)
    if match is None:
        return None, name
    try:
        day = np.datetime64("-".join(match.groups()), "s")
    except ValueError:
        return None, name
    rest = name[: match.start()] + ("." if match.group().endswith(".") else "") + name[match.end() :]
    return day, rest


def has_log(mapping: CrmMapping, source: Source) -> bool:
    """Tell whether an export brings a change log, which says more than differences do."""
    return any(source.find(files) for files in mapping.history.files)


def read_series(reading: Reading, series: Sequence[Dated]) -> tuple[DealRows, pd.DataFrame, Log]:
    """Read a series of exports.

    Returns
    -------
    DealRows
        The rows of the last export, for the tie.
    DataFrame
        Every deal as it was last seen, index 0 … n−1.
    Log
        The differences as rows that were written on the day of the export that first shows them.
    """
    parts: list[pd.DataFrame] = []
    for dated in series:
        findings = reading.findings if dated is series[-1] else []
        ledger = reading.ledger.within(f"{dated.day.astype('datetime64[D]')}/")
        part = replace(reading, source=replace(dated.source, findings=findings), findings=findings, ledger=ledger)
        rows = read_deals(part, read_stages(part))
        parts.append(rows.used().assign(_day=dated.day))
        part.source.forget(reading.mapping.deals.files)
    every = pd.concat(parts, ignore_index=True)
    key, _ = pd.factorize(every["deal_id"].astype("object"))  # deals in the order of their first appearance
    last = every.loc[~pd.Series(key).duplicated(keep="last").to_numpy()]
    last = last.set_axis(key[last.index]).sort_index()
    deals, vanished = _vanished(reading, last.drop(columns="_day"), last["_day"].to_numpy(), series)
    _say_changed_birth(reading, every, key)
    log = Log((_differences(reading, every, key), *vanished), read_on=series[-1].day)
    tracked = tuple(dict.fromkeys(f for p in log.pieces for f in p.facts if f != "closed_at"))
    return rows, deals, replace(log, tracked=tracked, tells_status=True)


def _differences(reading: Reading, every: pd.DataFrame, key: np.ndarray) -> Piece:
    """Keep the rows in which a deal first appears or differs from the export before."""
    order = np.lexsort((np.arange(len(every)), key))
    every, key = every.iloc[order].reset_index(drop=True), key[order]
    dual = reading.mapping.close_date == "dual"
    birth = reading.mapping.roles.birth
    facts = [f for f in TRACKABLE if f in every and f not in birth and not (dual and f == "expected_close")]
    facts += ["status", "close_date" if dual else "closed_at"]
    first = np.r_[True, key[1:] != key[:-1]][: len(key)]
    changed = first.copy()
    values = {f: fact_type(f, every[f]) for f in facts}
    for column in values.values():
        before = column.shift()
        same = (column == before).fillna(False).to_numpy(dtype=bool) | (column.isna() & before.isna()).to_numpy()
        changed |= ~same
    at = times(every["_day"]).copy()
    closed = first & (every["status"] != OPEN).to_numpy(dtype=bool)  # it closed before anyone looked
    closing = times(every["closed_recorded_at"].where(every["closed_recorded_at"].notna(), every["closed_at"]))
    at = np.where(closed & (closing < at), closing, at)
    return Piece(key[changed], at[changed], WHOLE, {f: setting(v[changed]) for f, v in values.items()})


def _say_changed_birth(reading: Reading, every: pd.DataFrame, key: np.ndarray) -> None:
    """Say which facts that the mapping calls fixed at creation differ between exports: today's value is no past one."""
    for name in (n for n in reading.mapping.roles.birth if n in every and n not in reading.mapping.roles.today):
        told = every[name].notna().to_numpy()
        levels = every.loc[told, name].groupby(key[told]).nunique()
        moved = levels.index[(levels > 1).to_numpy()].to_numpy()
        if len(moved):
            ids = every["deal_id"][~pd.Series(key).duplicated().to_numpy()].reset_index(drop=True)
            note(reading, "BIRTH-FACT-CHANGED", "warning", ids.iloc[moved], "the newest value is used for all days",
                 f"{name} is not fixed at creation: take it out of crm.roles.birth", column=name)  # fmt: skip


def _vanished(
    reading: Reading, deals: pd.DataFrame, seen: np.ndarray, series: Sequence[Dated]
) -> tuple[pd.DataFrame, list[Piece]]:
    """Take open deals that are in no later export as lost on the day of the first export without them."""
    days = np.array([d.day for d in series])
    gone = seen.astype("datetime64[s]") < days[-1]
    if not gone.any():
        return deals, []
    many = bool(gone.mean() > 0.5)
    reading.findings.append(
        Finding(
            "DEALS-VANISHED", "error" if many else "warning", "deals", "deal_id", int(gone.sum()),
            first_examples(deals["deal_id"][gone].head(5)),
            "open ones are taken as lost on the day of the first export without them; closed ones stay closed",
            "export all deals every time, closed and deleted ones too",
        )
    )  # fmt: skip
    lost = gone & (deals["status"] == OPEN).to_numpy(dtype=bool)
    if not lost.any():
        return deals, []
    at = days[np.searchsorted(days, seen.astype("datetime64[s]"), side="right").clip(max=len(days) - 1)]
    day = pd.Series(at, index=deals.index)
    vanished = deals["status"][lost]
    reading.ledger.mend("deals", "", "status", vanished, "DEALS-VANISHED", vanished.mask(vanished.notna(), "lost"),
                        deals["deal_id"][lost], by_row=False)  # fmt: skip
    close = "close_date" if reading.mapping.close_date == "dual" else "closed_at"
    deals = deals.assign(status=deals["status"].mask(lost, "lost"), closed_at=deals["closed_at"].mask(lost, day))
    if "close_date" in deals:
        deals["close_date"] = deals["close_date"].mask(lost, day)
    facts = {"status": setting(deals["status"][lost]), close: setting(day[lost])}
    return deals, [Piece(np.flatnonzero(lost), at[lost], WHOLE, facts)]
