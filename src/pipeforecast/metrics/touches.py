"""Touches of leads, deals and accounts: answers to outreach, meetings, e-mails, campaigns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen, Facts
from pipeforecast.metrics.keys import place_of
from pipeforecast.metrics.leads import created
from pipeforecast.metrics.once import touches_once
from pipeforecast.metrics.parts import in_all
from pipeforecast.metrics.statuses import leads_of
from pipeforecast.metrics.values import NotAvailable, Values, proportion, quotient
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

REPLIES = ("replied", "replied_positive")
CONTACTS = ("sent", "called", "answered")


def touches_of(view: View) -> Facts:
    """Give touches as known on the evening, each once, with the groups of whom they touched; made once.

    Returns
    -------
    Facts
        Rows of ``touches``, and ``deal`` and ``lead`` (places in ``view.deal_frame`` and in the leads; −1: none). A
        grouping that touches do not have is that of the lead, else of the deal.
    """
    made: Facts = view.once("touches, each once", lambda: _touches(view))
    return made


def _touches(view: View) -> Facts:
    rows, repeated = touches_once(view.frame("touches"))
    for finding in repeated:
        view.note(finding)
    none = np.full(len(rows), -1)
    lead = deal = none
    others = []
    if "lead_id" in rows and "leads" in view.known.tables:
        leads = leads_of(view).facts
        lead = place_of(leads.rows["lead_id"], rows["lead_id"])
        others.append((leads.codes, lead))
    if "deal_id" in rows and "deal_id" in view.deal_frame:
        deal = place_of(view.deal_frame["deal_id"], rows["deal_id"])
    if others:
        deal = np.where(deal < 0, np.append(leads.rows["deal"].to_numpy(), -1)[lead], deal)
    others.append((view.deals.codes, deal))
    return view.facts(rows.assign(deal=deal, lead=lead), view.groups.borrowed(rows, others))


def of_kind(view: View, *kinds: str) -> np.ndarray:
    """Whether each touch is of one of these kinds (N,).

    Raises
    ------
    NotAvailable
        If none is: then the export does not record them.
    """
    mine: np.ndarray = touches_of(view).rows["kind"].isin(kinds).to_numpy(dtype=bool)
    if not mine.any():
        raise NotAvailable(pnoop("reason", "touches has no row of the kind {kinds}").format(kinds=" or ".join(kinds)))
    return mine


def touched(view: View) -> Chosen:
    """Touches by period; made once."""
    made: Chosen = view.once("touches by period", lambda: touches_of(view).within("at"))
    return made


def share_of(hits: np.ndarray, n: np.ndarray) -> Values:
    """Give hits ÷ n; where one of ``n`` can bring several hits and did, there is no interval."""
    told = proportion(np.minimum(hits, n), n)
    beyond = hits > n
    value = np.divide(hits, n, out=np.full(n.shape, np.nan), where=n > 0)
    if told.lower is None or told.upper is None:  # pragma: no cover - a proportion has an interval
        return replace(told, value=value)
    return replace(
        told, value=value, lower=np.where(beyond, np.nan, told.lower), upper=np.where(beyond, np.nan, told.upper)
    )


def _rate(above: tuple[str, ...], below: tuple[str, ...]) -> Callable[[View], Values]:
    def compute(view: View) -> Values:
        hits, n = of_kind(view, *above).astype("float64"), of_kind(view, *below).astype("float64")
        return share_of(touched(view).sum(hits), touched(view).sum(n))

    return compute


def _meeting_booking_rate(view: View) -> Values:
    rows = touches_of(view).rows
    booked = touched(view).sum(of_kind(view, "meeting_booked").astype("float64"))
    contacted = touched(view).where(of_kind(view, *CONTACTS))
    return share_of(booked, contacted.distinct(_prospect(rows)))


def _prospect(rows: pd.DataFrame) -> np.ndarray:
    """Number of whom each touch reached: the lead, else the deal, else the account; NaN where it names none."""
    out = np.full(len(rows), np.nan)
    names = ("account_id", "deal_id", "lead_id")
    for i, name in enumerate(names):
        if name in rows:
            code = pd.factorize(rows[name])[0]
            out = np.where(code >= 0, code * len(names) + i, out)
    return out


def _campaign_to_lead(view: View) -> Values:
    leads = created(view)
    own = leads_of(view).facts.rows["campaign"].notna().to_numpy()
    n = touched(view).sum(of_kind(view, "campaign").astype("float64"))
    told = in_all(view, leads_of(view).facts, touches_of(view))
    return quotient(leads.sum(own.astype("float64")), n, np.where(told, n, 0.0))


_TOUCHES = {"touches": ("at", "kind")}

METRICS = (
    Metric(
        "response_rate", "Response rate", "replies (replied, replied_positive) ÷ outreach sent, in the period", "share",
        "messages sent", "day", "up", "marketing", _rate(REPLIES, ("sent",)), _TOUCHES, example="15 of 100 = 0.15",
    ),
    Metric(
        "positive_response_share", "Positive responses", "positive replies ÷ replies, in the period", "share",
        "replies", "day", "up", "marketing", _rate(("replied_positive",), REPLIES), _TOUCHES, example="9 of 15 = 0.60",
    ),
    Metric(
        "meeting_booking_rate", "Meeting booking rate",
        "meetings booked ÷ distinct prospects contacted (sent, called, answered), in the period", "share", "prospects",
        "day", "up", "marketing", _meeting_booking_rate, _TOUCHES, example="5 of 100 = 0.05",
    ),
    Metric(
        "email_open_rate", "E-mail open rate", "e-mails opened ÷ delivered, in the period", "share", "e-mails", "day",
        "up", "marketing", _rate(("opened",), ("delivered",)), _TOUCHES, example="30 of 120 = 0.25",
    ),
    Metric(
        "email_click_rate", "E-mail click rate", "clicks ÷ e-mails delivered, in the period", "share", "e-mails", "day",
        "up", "marketing", _rate(("clicked",), ("delivered",)), _TOUCHES, example="6 of 120 = 0.05",
    ),
    Metric(
        "campaign_to_lead", "Campaign touches to leads",
        "leads with a campaign created in the period ÷ campaign touches in it", "ratio", "campaign touches", "day",
        "up", "marketing", _campaign_to_lead, {"touches": ("at", "kind"), "leads": ("created_at", "campaign")},
        example="8 ÷ 200 = 0.04",
    ),
)  # fmt: skip
