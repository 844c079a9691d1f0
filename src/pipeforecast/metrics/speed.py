"""Speed to lead: hours from a lead's creation to the first response, and what quick answers bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding, first_examples
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.keys import place_of
from pipeforecast.metrics.leads import cohorts_of, created, immature
from pipeforecast.metrics.statuses import leads_of
from pipeforecast.metrics.values import NotAvailable, Values, proportion
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

#: Kinds of touches that are a response to a lead, where the export has no response of its own.
RESPONSES = ("sent", "called", "answered", "meeting_booked", "meeting_held")
#: Upper ends of the bands, in hours.
BANDS = {"up to 1 h": 1.0, "1 to 24 h": 24.0, "1 to 7 days": 168.0, "over 7 days": np.inf}
UNANSWERED = "no response"


@dataclass(frozen=True)
class Speed:
    """Hours of each lead (N,).

    Attributes
    ----------
    hours : float array
        From creation to the first response; NaN: none by the evening.
    waited : float array
        From creation to the evening.
    """

    hours: np.ndarray
    waited: np.ndarray


def speed_of(view: View) -> Speed:
    """Give the hours of every lead; made once.

    Raises
    ------
    NotAvailable
        If either time has no time of day, or no response is recorded.
    """
    made: Speed = view.once("speed to lead", lambda: _speed(view))
    return made


def _speed(view: View) -> Speed:
    rows = leads_of(view).facts.rows
    start = _times(rows, "created")
    if not _has_hours(start):
        raise NotAvailable(pnoop("reason", "leads: created_time has no time of day, so hours cannot be told"))
    first = _times(rows, "first_response")
    if np.isnat(first).all():
        first = _first_touch(view, start)
    if not _has_hours(first):
        raise NotAvailable(pnoop("reason", "leads: first_response_time has no time of day, so hours cannot be told"))
    hours = (first - start).astype("float64") / 3600
    hours = np.where(np.isnat(first), np.nan, hours)
    early = hours < 0
    if early.any():
        view.note(Finding("RESPONSE-BEFORE-CREATED", "warning", "leads", "first_response_time", int(early.sum()),
                          first_examples(rows["lead_id"][early]), "left out of the speed to lead",
                          "check both times and their time zones"))  # fmt: skip
    evening = np.datetime64(view.as_of.normalize() + pd.Timedelta(days=1), "s")
    waited = (evening - start).astype("float64") / 3600
    return Speed(np.where(early, np.nan, hours), np.where(early, np.nan, waited))


def _times(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Give the times of a column that may carry hours, else its days."""
    for column in (f"{name}_time", f"{name}_at"):
        if column in rows and rows[column].notna().any():
            return np.asarray(rows[column].to_numpy().astype("datetime64[s]"))
    return np.full(len(rows), np.datetime64("NaT", "s"))


def _has_hours(times: np.ndarray) -> bool:
    known = times[~np.isnat(times)]
    return bool((known != known.astype("datetime64[D]")).any())


def _first_touch(view: View, start: np.ndarray) -> np.ndarray:
    """Time of the first response among the touches of each lead, from its creation on."""
    if "touches" not in view.known.tables or "lead_id" not in view.frame("touches"):
        raise NotAvailable(pnoop("reason", "neither leads.first_response_time nor touches of leads are there"))
    touches = view.frame("touches")
    touches = touches[touches["kind"].isin(RESPONSES).to_numpy(dtype=bool) & touches["at"].notna().to_numpy()]
    lead = place_of(leads_of(view).facts.rows["lead_id"], touches["lead_id"])
    at = touches["at"].to_numpy().astype("datetime64[s]")
    mine = (lead >= 0) & (at >= np.append(start, np.datetime64("NaT"))[lead])
    never = np.datetime64("9999-01-01", "s")
    first = np.full(len(start), never)
    np.minimum.at(first, lead[mine], at[mine])
    return np.where(first == never, np.datetime64("NaT", "s"), first)


def _speed_to_lead(view: View) -> Mapping[str, Values]:
    hours = speed_of(view).hours
    answered = created(view).known(hours)
    n = answered.count()
    median, ninetieth = answered.quantiles(hours, (0.5, 0.9))
    return {"median": Values(median, n), "90th percentile": Values(ninetieth, n)}


def _within(view: View) -> Mapping[str, Values]:
    speed = speed_of(view)
    out = {}
    for most in (1, 24):
        known = (speed.waited >= most) | (speed.hours <= most)
        hits = created(view).sum((speed.hours <= most).astype("float64"))
        out[f"within {most} h"] = proportion(hits, created(view).sum(known.astype("float64")))
    return out


def _conversion(view: View) -> Mapping[str, Values]:
    step = leads_of(view).deal_step
    speed, cohorts = speed_of(view), cohorts_of(view, "lead", step)
    converted = leads_of(view).facts.rows[step].notna().to_numpy()
    young = immature(view, cohorts.due)
    band = np.where(np.isnan(speed.hours), len(BANDS), np.searchsorted(list(BANDS.values()), speed.hours))
    band = np.where(np.isnan(speed.waited), -1, band)  # answered before it was created
    out = {}
    for i, name in enumerate((*BANDS, UNANSWERED)):
        mine = created(view).where(band == i)
        told = proportion(mine.sum(converted.astype("float64")), mine.count())
        out[name] = Values(told.value, told.n, told.lower, told.upper, immature=young)
    return out


_NEEDS = {"leads": ("lead_id", "created_at")}

METRICS = (
    Metric(
        "speed_to_lead", "Speed to lead",
        "hours from creation to the first response (without one recorded: the first outreach to the lead), of answered "
        "leads created in the period", "hours", "leads answered", "created", "down", "marketing", _speed_to_lead,
        _NEEDS, parts="quantile", example="0.5, 2, 30 → median 2",
    ),
    Metric(
        "speed_to_lead_share", "Leads answered in time",
        "leads answered within 1 h and 24 h ÷ leads created in the period that are that old (or answered)", "share",
        "leads", "created", "up", "marketing", _within, _NEEDS, parts="limit",
        example="of 4, one after half an hour, one after 2 h, one after 30 h, one never: 0.25 and 0.50",
    ),
    Metric(
        "speed_to_lead_conversion", "Conversion by speed to lead",
        "share that became an opportunity by as_of, by hours to the first response, of leads created in the period",
        "share", "leads", "created", "up", "marketing", _conversion, _NEEDS, parts="band",
        example="up to 1 h: 3 of 4 = 0.75",
    ),
)  # fmt: skip
