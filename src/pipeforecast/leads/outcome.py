"""What became of leads: the time to a step, seen up to a day. Young leads are immature, never negative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.leads.book import STEPS, LeadBook

_DAY = np.timedelta64(86_400, "s")
#: Kinds of touches by which somebody turned to the lead.
OUTBOUND = ("sent", "called", "answered", "meeting_booked", "meeting_held", "proposal_sent")


def observe_leads(
    book: LeadBook, rows: pd.DataFrame, step: str, days: int, until: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Say what became of leads after the evening from which they are seen.

    Parameters
    ----------
    book : LeadBook
    rows : DataFrame
        ``lead``, ``as_of``.
    step : str
        One of ``STEPS``.
    days : int
        Days after ``as_of`` within which the step counts.
    until : Timestamp, optional
        How far is looked (default: the book's last day). Nothing after it is known.

    Returns
    -------
    DataFrame, aligned with ``rows``
        ``converted_within`` (boolean; NA: ``days`` have not passed by ``until``; whoever converted early is immature
        too, because leads of the same age that did not are), ``days_to_step`` (float; NaN: not by ``until``),
        ``observed_days`` (float: from ``as_of`` to ``until``), ``contacted`` (boolean: somebody turned to the lead by
        the end of the days; NA: the export cannot tell), ``segment``, ``value``.

    Raises
    ------
    SettingsError
        If the export does not say who reached the step.
    """
    lead = rows["lead"].to_numpy()
    facts = {"segment": _text(book, "segment", lead), "value": book.leads["value"].to_numpy(dtype="float64")[lead]}
    if not book.dated:
        return pd.DataFrame({
            "converted_within": _flag(book, step).iloc[lead].reset_index(drop=True), "days_to_step": np.nan,
            "observed_days": np.nan, "contacted": pd.array([pd.NA] * len(lead), dtype="boolean"), **facts,
        })  # fmt: skip
    check_step(book, step)
    last = np.datetime64((book.until if until is None else until), "s")
    as_of = rows["as_of"].to_numpy().astype("datetime64[s]")
    day = book.reached(step)[lead]
    day = np.where(day <= last, day, np.datetime64("NaT", "s"))
    ahead = (day - as_of).astype("float64") / 86_400
    ahead[np.isnat(day)] = np.nan
    observed = (last - as_of).astype("float64") / 86_400
    within = pd.array(np.where(np.isnan(ahead), False, ahead <= days), dtype="boolean")
    within[observed < days] = pd.NA
    return pd.DataFrame({
        "converted_within": within, "days_to_step": ahead, "observed_days": observed,
        "contacted": _contacted(book, lead, np.minimum(as_of + days * _DAY, last)), **facts,
    })  # fmt: skip


def check_step(book: LeadBook, step: str) -> None:
    """Refuse a step that no lead ever reached because the export does not write it.

    Raises
    ------
    SettingsError
    """
    if not book.dated or bool((~np.isnat(book.reached(step))).any()):
        return
    there = [s for s in STEPS if book.leads[f"{s}_at"].notna().any()]
    if there:
        raise SettingsError(f"lead.step: no lead reached {step!r}; expected one of those that some did: {there}")


def _flag(book: LeadBook, step: str) -> pd.Series:
    if "converted" not in book.leads or step != "converted":
        raise DataError(
            f"leads without dates: expected a column 'converted' (yes, no) and lead.step=converted, came step={step}; "
            "map it under tables.leads.columns"
        )
    return book.leads["converted"]


def _text(book: LeadBook, name: str, lead: np.ndarray) -> pd.Series:
    """Give a fact of the lead as text; today's value, because it groups results and teaches nothing."""
    if name not in book.leads:
        return pd.Series(pd.NA, index=np.arange(len(lead)), dtype="string")
    return book.leads[name].iloc[lead].reset_index(drop=True).astype("string")


def _contacted(book: LeadBook, lead: np.ndarray, by: np.ndarray) -> Any:
    """Whether somebody turned to the lead by a day: the first response, or an outbound touch."""
    response = book.leads["first_response_at"].to_numpy().astype("datetime64[s]")
    outbound = book.touches[book.touches["kind"].isin(OUTBOUND).to_numpy()].groupby("lead")["at"].min()
    touched = outbound.reindex(np.arange(len(book.leads))).to_numpy().astype("datetime64[s]")
    if np.isnat(response).all() and np.isnat(touched).all():
        return pd.array([pd.NA] * len(lead), dtype="boolean")
    evening = by + _DAY
    return pd.array((response[lead] < evening) | (touched[lead] < evening), dtype="boolean")
