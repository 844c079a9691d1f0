"""Snapshots in plain pandas, as a competent analyst writes them: by each day, filter what was written, take the last.

Two forms give the rows that ``take_snapshots`` gives. ``day_by_day`` counts each day anew what had happened by then;
``counted_once`` lays running counts over the whole log first, so that a day only filters it and keeps last rows.
Both are handed the history as it is read, and both know how a reporting line and touches are joined.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeforecast.history import DealHistory

KEYS = ["deal", "recorded_at", "seq"]
COUNTS = {"n_moves": "moved", "n_back": "back", "n_pushes": "pushed", "push_days": "pushed_by",
          "n_amount_changes": "repriced"}  # fmt: skip
FIRSTS = {"first_recorded_at": "recorded_at", "first_amount": "amount", "first_expected_close": "expected_close"}
RECENT = pd.Timedelta(days=30)


def day_by_day(history: DealHistory, days: Iterable[pd.Timestamp]) -> pd.DataFrame:
    """Filter the log by each evening, sort it, group it by deal: sums of what happened, the last row for the rest."""
    log, touches, out = _marked(history), _touches(history), []
    for day in days:
        evening = day + pd.Timedelta(days=1)
        known = log[log["recorded_at"] < evening].sort_values(KEYS)
        by_deal = known.groupby("deal")
        running = by_deal.agg(
            **{name: (column, "sum") for name, column in COUNTS.items()}, stage_entered_at=("entered", "max")
        )
        first = by_deal.head(1).set_index("deal")
        running = running.assign(**{name: first[column] for name, column in FIRSTS.items()})
        last = by_deal.tail(1).set_index("deal").join(running)
        out.append(_opened(history, last, touches, day, evening))
    return pd.concat(out, ignore_index=True)


def counted_once(history: DealHistory, days: Iterable[pd.Timestamp]) -> pd.DataFrame:
    """Count along the whole log once; by each evening a deal's last row then says all."""
    log, touches, out = _marked(history), _touches(history), []
    by_deal = log.groupby("deal")
    log[list(COUNTS)] = by_deal[list(COUNTS.values())].cumsum()
    log["stage_entered_at"] = by_deal["entered"].ffill()
    first = by_deal.head(1).set_index("deal")
    for name, column in FIRSTS.items():
        log[name] = log["deal"].map(first[column])
    for day in days:
        evening = day + pd.Timedelta(days=1)
        last = log[log["recorded_at"] < evening].drop_duplicates("deal", keep="last").set_index("deal")
        out.append(_opened(history, last, touches, day, evening))
    return pd.concat(out, ignore_index=True)


def _marked(history: DealHistory) -> pd.DataFrame:
    """Mark in the log what each row changed: stage, close date, amount."""
    log = history.states.sort_values(KEYS).reset_index(drop=True)
    before = log.groupby("deal")[["stage", "expected_close", "amount"]].shift()
    new = ~log.duplicated("deal")
    place = history.stages.drop_duplicates("stage").set_index("stage")["position"]
    moved = (log["stage"] != before["stage"]).fillna(False).astype(bool)
    pushed_by = ((log["expected_close"] - before["expected_close"]).dt.total_seconds() / 86400).fillna(0)
    log["moved"] = moved.astype(int)
    log["back"] = (moved & (log["stage"].map(place) < before["stage"].map(place))).astype(int)
    log["pushed"], log["pushed_by"] = (pushed_by > 0).astype(int), pushed_by.clip(lower=0)
    log["repriced"] = (log["amount"].notna() & before["amount"].notna() & (log["amount"] != before["amount"])).astype(
        int
    )
    log["entered"] = log["recorded_at"].where(moved | (new & log["stage"].notna()))
    log["last_change_at"] = log["recorded_at"]
    return log


def _touches(history: DealHistory) -> pd.DataFrame:
    key = pd.Series(history.deals.index, index=history.deals["deal_id"])
    touches = history.tables["touches"]
    return pd.DataFrame({"deal": touches["deal_id"].map(key), "at": touches["at"]}).dropna().astype({"deal": "int64"})


def _opened(
    history: DealHistory, last: pd.DataFrame, touches: pd.DataFrame, day: pd.Timestamp, evening: pd.Timestamp
) -> pd.DataFrame:
    """Keep the open deals, with what was done with each and all that never changes."""
    opened = last[last["status"] == "open"].sort_index()
    done = touches[touches["at"] < evening]
    by_deal = done.groupby("deal")["at"].agg(["size", "max"])
    recent = done[done["at"] >= evening - RECENT].groupby("deal").size()
    birth = [c for c, role in history.roles.items() if role == "birth" and c in history.deals and c not in opened]
    opened = opened.join(history.deals[["created_at", *(c for c in birth if c != "created_at")]])
    opened = opened.assign(
        as_of=day, n_touches=by_deal["size"], n_touches_recent=recent, last_touch_at=by_deal["max"]
    ).reset_index()
    opened[["n_touches", "n_touches_recent"]] = opened[["n_touches", "n_touches_recent"]].fillna(0)
    line = history.tables.get("reporting_line")
    return opened if line is None else opened.assign(manager=_manager(opened["owner"], line, day))


def _manager(owner: pd.Series, line: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """To whom each owner reports on the day: the last row of the line that is valid by then."""
    valid = line[line["valid_from"].isna() | (line["valid_from"] <= day)]
    valid = valid.sort_values("valid_from", na_position="first")
    return owner.map(valid.drop_duplicates("owner", keep="last").set_index("owner")["manager"])


def differs(plain: pd.DataFrame, ours: pd.DataFrame) -> list[str]:
    """Name the columns of ``ours`` that ``plain`` does not give row for row; empty where all are the same."""
    plain = plain.sort_values(["as_of", "deal"], ignore_index=True)
    if len(plain) != len(ours) or not np.array_equal(plain["deal"].to_numpy(), ours["deal"].to_numpy()):
        return ["rows"]
    return [c for c in ours if not _same(plain[c], ours[c])]


def _same(one: pd.Series, other: pd.Series) -> bool:
    both = one.isna() & other.isna()
    return bool((both | (one == other).fillna(False)).all())
