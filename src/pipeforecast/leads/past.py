"""Leads rewound: what was known of each lead on the evening of a day, for many leads and days at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.leads.book import STEPS, LeadBook
from pipeforecast.leads.frames import no_touches

#: Evenings after creation on which lessons are taken, besides those of the days of the steps.
LESSON_DAYS = (0, 1, 3, 7, 14, 30)
RECENT_DAYS = 7
_DAY = 86_400
#: A lead's key and a second make one number that rises with both: seconds since 1970 lie far below this.
_SPAN = 1 << 36
_LONG_AGO = 1 << 35


@dataclass(frozen=True)
class LeadSnapshot:
    """What was known of leads on the evenings of ``as_of``, and nothing that was written later.

    Attributes
    ----------
    rows : DataFrame, one row a lead and evening, index 0 … n−1
        ``lead`` (key), ``as_of`` (datetime64[s] day; NaT where undated), ``age_days``, ``mql``, ``srl``, ``sql``,
        ``converted`` (bool: the step, or a later one, was reached), ``status`` as then written (NA: not written yet),
        ``days_in_status``, ``n_moves``, ``responded``, ``response_days``, ``n_<kind>`` (touches by then),
        ``n_recent`` (in the last week), ``days_since_touch``, and the facts.
    facts, engagement : tuple of str
        As of ``LeadBook``.
    touches : DataFrame
        ``row``, ``kind``, ``days_ago``, as of ``LeadFeatures``.
    kinds : tuple of str
        Kinds of touches that the export has.
    tracked : bool
        Whether the status of a past day is known.
    dated : bool
    """

    rows: pd.DataFrame
    facts: tuple[str, ...]
    engagement: tuple[str, ...]
    touches: pd.DataFrame
    kinds: tuple[str, ...]
    tracked: bool
    dated: bool

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.rows)


def open_leads(book: LeadBook, step: str, day: pd.Timestamp) -> pd.DataFrame:
    """List the leads that had neither reached ``step`` nor been disqualified by the evening of ``day``."""
    asked = pd.DataFrame({"lead": np.arange(len(book.leads)), "as_of": np.datetime64(day.normalize(), "s")})
    return _open(book, asked, step)


def decision_rows(book: LeadBook, step: str, after: int, until: pd.Timestamp | None) -> pd.DataFrame:
    """List each lead at the evening on which it is decided on: ``after`` days after its creation."""
    return lesson_rows(book, step, (after,), until, status_days=False)


def lesson_rows(
    book: LeadBook,
    step: str,
    days: Sequence[int] = LESSON_DAYS,
    until: pd.Timestamp | None = None,
    status_days: bool = True,
) -> pd.DataFrame:
    """List the evenings from which lessons are taken: some days after creation, and each day of a step.

    Parameters
    ----------
    book : LeadBook
    step : str
        Leads that had reached it, or were disqualified, give no lesson.
    days : sequence of int
        Days after creation.
    until : Timestamp, optional
        Last evening.
    status_days : bool
        Whether the days of the steps are lessons too.

    Returns
    -------
    DataFrame
        ``lead``, ``as_of``, by lead and evening. Undated leads have one row each and no evening.
    """
    n = len(book.leads)
    if not book.dated:
        return pd.DataFrame({"lead": np.arange(n), "as_of": np.full(n, "NaT", dtype="datetime64[s]")})
    created = book.leads["created_at"].to_numpy().astype("datetime64[s]")
    evenings = [created + np.timedelta64(int(d) * _DAY, "s") for d in days]
    if status_days:
        evenings += [book.leads[f"{s}_at"].to_numpy().astype("datetime64[s]") for s in STEPS[: STEPS.index(step)]]
    lead = np.tile(np.arange(n), len(evenings))
    rows = pd.DataFrame({"lead": lead, "as_of": np.concatenate(evenings)}).dropna()
    rows = rows[(rows["as_of"] >= book.leads["created_at"].to_numpy()[rows["lead"].to_numpy()]).to_numpy()]
    last = book.until if until is None else until
    rows = rows[(rows["as_of"] <= last).to_numpy()].drop_duplicates()
    rows = _open(book, rows, step)
    return rows.sort_values(["lead", "as_of"], ignore_index=True)


def _open(book: LeadBook, rows: pd.DataFrame, step: str) -> pd.DataFrame:
    lead, evening = rows["lead"].to_numpy(), _evening(rows["as_of"])
    keep = np.ones(len(rows), dtype=bool)
    for days in (book.reached(step), book.leads["disqualified_at"].to_numpy().astype("datetime64[s]")):
        day = days[lead]
        keep &= np.isnat(day) | (day >= evening)
    return rows[keep].reset_index(drop=True)


def _evening(as_of: pd.Series) -> np.ndarray:
    """First second after the evening of each day (datetime64[s])."""
    return np.asarray(as_of.to_numpy().astype("datetime64[s]") + np.timedelta64(_DAY, "s"))


def take_lead_snapshot(book: LeadBook, rows: pd.DataFrame, with_touches: bool = True) -> LeadSnapshot:
    """Rewind leads.

    Parameters
    ----------
    book : LeadBook
    rows : DataFrame
        ``lead``, ``as_of``.
    with_touches : bool
        Whether single touches are listed too, from which a half-life is learned; their counts always are.
    """
    lead = rows["lead"].to_numpy()
    facts = book.leads[list(book.facts)].iloc[lead].reset_index(drop=True)
    out = rows[["lead", "as_of"]].reset_index(drop=True)
    tracked = bool((book.log["field"] == "status").any())
    if not book.dated:
        return LeadSnapshot(
            pd.concat([out, facts], axis=1), book.facts, book.engagement, no_touches(), (), False, False
        )
    evening = _evening(rows["as_of"])
    known = {**_timing(book, lead, evening), **(_status(book, lead, evening) if tracked else {})}
    kinds = tuple(sorted(book.touches["kind"].dropna().unique()))
    if kinds:
        known |= _touch_counts(book, lead, evening, kinds)
    touches = _touches(book, lead, evening) if with_touches and kinds else no_touches()
    frame = pd.concat([out, pd.DataFrame(known), facts], axis=1)
    return LeadSnapshot(frame, book.facts, book.engagement, touches, kinds, tracked, True)


def _timing(book: LeadBook, lead: np.ndarray, evening: np.ndarray) -> dict[str, np.ndarray]:
    created = book.leads["created_at"].to_numpy().astype("datetime64[s]")[lead]
    response = book.leads["first_response_at"].to_numpy().astype("datetime64[s]")[lead]
    responded = response < evening
    waited = (response - created).astype("float64") / _DAY
    out: dict[str, np.ndarray] = {"age_days": (evening - created).astype("float64") / _DAY - 1}
    for step in STEPS[:-1]:
        out[step] = book.reached(step)[lead] < evening
    if not np.isnat(response).all() or book.leads["first_response_at"].notna().any():
        out |= {"responded": responded, "response_days": np.where(responded, np.maximum(waited, 0.0), np.nan)}
    return out


def _keys(frame: pd.DataFrame) -> np.ndarray:
    seconds = frame["at"].to_numpy().astype("datetime64[s]").astype("int64")
    return np.asarray(frame["lead"].to_numpy() * _SPAN + seconds + _LONG_AGO)


def _asked(lead: np.ndarray, evening: np.ndarray, back: int = 0) -> np.ndarray:
    return np.asarray(lead * _SPAN + evening.astype("int64") - back * _DAY + _LONG_AGO)


def _status(book: LeadBook, lead: np.ndarray, evening: np.ndarray) -> dict[str, np.ndarray]:
    """Give the status that stood in the CRM. Before the first written change it is not known, whatever came later."""
    log = book.log[(book.log["field"] == "status").to_numpy(dtype=bool, na_value=False)]
    keys = _keys(log)
    after = np.searchsorted(keys, _asked(lead, evening), side="left")
    first = np.searchsorted(keys, lead * _SPAN, side="left")
    moves = after - first
    at = np.maximum(after - 1, 0)
    value = log["value"].astype("object").to_numpy()
    since = log["at"].to_numpy().astype("datetime64[s]")
    there = moves > 0
    return {
        "status": pd.Series(value[at], dtype="object").where(there).to_numpy(),
        "days_in_status": np.where(there, (evening - since[at]).astype("float64") / _DAY, np.nan),
        "n_moves": moves.astype("float64"),
    }


def _touch_counts(
    book: LeadBook, lead: np.ndarray, evening: np.ndarray, kinds: tuple[str, ...]
) -> dict[str, np.ndarray]:
    out = {}
    for kind in kinds:
        keys = _keys(book.touches[(book.touches["kind"] == kind).to_numpy(dtype=bool, na_value=False)])
        out[f"n_{kind}"] = _between(keys, lead * _SPAN, _asked(lead, evening)).astype("float64")
    keys = _keys(book.touches)
    out["n_recent"] = _between(keys, _asked(lead, evening, RECENT_DAYS), _asked(lead, evening)).astype("float64")
    after = np.searchsorted(keys, _asked(lead, evening), side="left")
    there = after > np.searchsorted(keys, lead * _SPAN, side="left")
    at = book.touches["at"].to_numpy().astype("datetime64[s]")[np.maximum(after - 1, 0)]
    out["days_since_touch"] = np.where(there, (evening - at).astype("float64") / _DAY, np.nan)
    return out


def _between(keys: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.asarray(np.searchsorted(keys, high, side="left") - np.searchsorted(keys, low, side="left"))


def _touches(book: LeadBook, lead: np.ndarray, evening: np.ndarray) -> pd.DataFrame:
    """List each touch by then of each row."""
    keys = _keys(book.touches)
    first = np.searchsorted(keys, lead * _SPAN, side="left")
    count = np.searchsorted(keys, _asked(lead, evening), side="left") - first
    row = np.repeat(np.arange(len(lead)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    at = book.touches["at"].to_numpy().astype("datetime64[s]")[place]
    return pd.DataFrame({
        "row": row,
        "kind": book.touches["kind"].to_numpy(dtype="object")[place],
        "days_ago": (evening[row] - at).astype("float64") / _DAY,
    })  # fmt: skip
