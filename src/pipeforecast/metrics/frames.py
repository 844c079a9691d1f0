"""The tables that metrics count, as known on the evening: deals, what was open, stays in a stage, and the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.history import DealHistory
from pipeforecast.metrics.windows import DAY
from pipeforecast.reporting import credited, with_manager

#: Facts that a conversion writes into a lead's row: unknown before its day.
_BY_CONVERSION = ("converted_deal_id", "account_id")


def deal_rows(known: DealHistory, today: bool) -> pd.DataFrame:
    """One row for each deal known by the evening, as it stood then.

    Parameters
    ----------
    known : DealHistory
        Cut at the evening.
    today : bool
        Whether the evening is the last written day: then today's values (team, lost reason, …) are known too.

    Returns
    -------
    DataFrame, index deal key
        ``created_at``, ``first_recorded_at``, ``status``, ``closed_at`` (true day; NaT while open), ``amount``, the
        rest of its last state, ``owner`` and ``manager`` for whom it counts, its birth facts; ``won``, ``lost``,
        ``open``; ``cycle`` (days from creation to closing; missing while open, and where it closed before it was
        created).
    """
    latest = credited(known.states, known.tables.get("reporting_line"), known.written_until)
    first = known.states.groupby("deal")["recorded_at"].min().rename("first_recorded_at")
    told = [c for c in map(str, known.deals) if c not in latest and (today or known.roles.get(c) == "birth")]
    out = latest.join(known.deals[told]).join(first)
    status = out["status"].to_numpy(dtype=object)
    days = (out["closed_at"] - out["created_at"]).dt.total_seconds() / 86400
    return out.assign(
        won=status == WON,
        lost=(status != WON) & (status != OPEN),
        open=status == OPEN,
        cycle=days.where(days >= 0).to_numpy(dtype="float64"),
    )


def open_rows(known: DealHistory, evenings: np.ndarray, today: bool) -> pd.DataFrame:
    """One row for each evening and deal that was open then, as known on that evening.

    Returns
    -------
    DataFrame
        ``as_of``, ``deal``, ``recorded_at``, the state (``stage``, ``amount``, ``expected_close``, ``owner``, …),
        ``manager``, birth facts and, where ``today``, the deals' values of today: the rows of ``Snapshot.open``,
        without its running facts, which are what its query takes long for.
    """
    states, last = known.states, len(known.states) - 1
    deal, written = states["deal"].to_numpy(), states["recorded_at"].to_numpy().astype("datetime64[s]")
    ends = np.r_[deal[1:] != deal[:-1], True][: last + 1]
    until = np.where(ends, np.datetime64("9999-12-31", "s"), np.r_[written[1:], written[-1:]])
    days = np.unique(evenings)
    # A state holds on the evenings from the one on which it was written to the last before the next was.
    first, after = (np.searchsorted(days + DAY, moment, side="right") for moment in (written, until))
    size = np.where((states["status"] == OPEN).to_numpy(dtype=bool), after - first, 0)
    row = np.repeat(np.arange(len(states)), size)
    day = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + first[row]
    rows = states.drop(columns=["seq", "status", "closed_at"]).iloc[row].assign(as_of=days[day])
    told = [c for c in known.deals if c not in rows and known.roles.get(str(c)) == "birth"]
    told += [c for c in known.deals if c not in rows and today and known.roles.get(str(c)) == "today"]
    rows = rows.join(known.deals[told], on="deal").sort_values(["as_of", "deal"], ignore_index=True)
    return with_manager(rows, known.tables.get("reporting_line"), rows["as_of"])


def known_table(known: DealHistory, name: str) -> pd.DataFrame:
    """Give a table with what was known on the evening: a day that lies after it is not known yet (NaT).

    What a conversion writes into a lead (its deal and account) is not known before the conversion.
    """
    frame = known.tables[name]
    evening = known.written_until.normalize() + pd.Timedelta(days=1)
    days = [c for c in frame if pd.api.types.is_datetime64_any_dtype(frame[c])]
    out = frame.assign(**{str(c): frame[c].where(frame[c] < evening) for c in days})
    if name == "leads" and "converted_at" in out:
        later = (out["converted_at"].isna() & frame["converted_at"].notna()).to_numpy()
        out = out.assign(**{c: out[c].mask(later) for c in _BY_CONVERSION if c in out})
    return out.reset_index(drop=True)
