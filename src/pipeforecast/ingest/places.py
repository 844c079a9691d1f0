"""Where the rows of a change log belong: their deal, their time, and their order within one second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.ingest.coded import positions
from pipeforecast.ingest.deals import DealRows, note
from pipeforecast.ingest.pasts import times
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.stages import kinds, without_unknown
from pipeforecast.ingest.states import Piece


@dataclass(frozen=True)
class Place:
    """Where rows of a log belong: which rows are used, their deal key and the time at which they were written."""

    rows: np.ndarray
    deal: np.ndarray
    at: np.ndarray


def placed(reading: Reading, rows: DealRows, deals: pd.DataFrame, ids: pd.Series, at: pd.Series, file: str) -> Place:
    """Find the deals of a log's rows; orphans and rows without a time are left out, with findings.

    The index of ``ids`` is each row's place in the file.
    """
    key = positions(ids, deals["deal_id"])
    orphan = key < 0
    if orphan.any():
        orphan[orphan] = ~ids[orphan].isin(rows.deals["deal_id"]).to_numpy(dtype=bool)
    if orphan.any():
        note(reading, "LOG-ROWS-WITHOUT-DEAL", "warning", ids[orphan], "left out",
             "export the deals too, deleted ones with their mark", file)  # fmt: skip
    undated = at.isna().to_numpy(dtype=bool)
    if undated.any():
        note(reading, "LOG-ROWS-WITHOUT-TIME", "warning", ids[undated], "left out", "fill the time of change", file)
    of_excluded = (key < 0) & ~orphan
    if of_excluded.any():
        note(reading, "LOG-ROWS-OF-EXCLUDED-DEAL", "info", ids[of_excluded], "left out with their deal",
             "nothing, if the deals are meant to be left out", file)  # fmt: skip
    leave = reading.ledger.leave
    leave("changes", file, ids[orphan], "LOG-ROWS-WITHOUT-DEAL")
    leave("changes", file, ids[of_excluded], "LOG-ROWS-OF-EXCLUDED-DEAL")
    leave("changes", file, ids[undated & (key >= 0)], "LOG-ROWS-WITHOUT-TIME")
    kept = np.flatnonzero((key >= 0) & ~undated)
    return _oldest_first(Place(kept, key[kept], times(at)[kept]))


def _oldest_first(place: Place) -> Place:
    """Turn a log round that is written newest first: its order decides among rows of one second."""
    order = np.argsort(place.deal, kind="stable")
    same = np.diff(place.deal[order]) == 0
    steps = np.diff(place.at[order].astype("int64"))[same]
    if (steps < 0).sum() <= (steps > 0).sum():
        return place
    return Place(place.rows[::-1], place.deal[::-1], place.at[::-1])


def say_same_second(
    place: Place, ids: pd.Series, file: str, reading: Reading, fields: np.ndarray | None = None
) -> None:
    """Say how many rows share their second with an earlier one of the same deal; only a field's last one counts.

    Parameters
    ----------
    ids : deal ids of the log's rows, in the order of ``place.rows``' positions
    fields : field of each placed row, for a log of single fields, whose earlier rows of one second are superseded
    """
    keys = pd.DataFrame({"deal": place.deal, "at": place.at} | ({} if fields is None else {"field": fields}))
    shared = keys[["deal", "at"]].duplicated().to_numpy()
    if not shared.any():
        return
    if fields is not None:
        superseded = keys.duplicated(keep="last").to_numpy()
        reading.ledger.leave("changes", file, ids.iloc[place.rows[superseded]], "SAME-SECOND")
    shown = ids.iloc[place.rows[shared]]
    note(reading, "SAME-SECOND", "info", shown, "the order of the source decides; of one field the last row counts",
         "export the log in the order in which it was written", file)  # fmt: skip


def known_stages(
    reading: Reading, rows: DealRows, deals: pd.DataFrame, deal: np.ndarray, stage: pd.Series, file: str
) -> pd.Series:
    """Refuse stages of a log's rows that are not in their pipeline's list, or tell of them and give the others.

    Parameters
    ----------
    deal : array of deal keys, one a row
    stage : Series of text
        The index is each row's place in the file.
    """
    pipeline = deals["pipeline"].take(deal).set_axis(stage.index) if "pipeline" in deals else None
    return without_unknown(reading, "changes", file, rows.stages, stage, kinds(rows.stages, stage, pipeline))


def tells_status(piece: Piece, rows: DealRows) -> bool:
    """Tell whether closing can be seen in a log: by its status, or by stages that are won or lost."""
    by_stage = "stage" in piece.facts and bool((rows.stages["kind"] != OPEN).any())
    return "status" in piece.facts or by_stage
