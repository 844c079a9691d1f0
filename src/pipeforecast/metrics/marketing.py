"""What marketing brings and costs: revenue from its sources, return on spend, cost of a lead and of a customer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding, first_examples
from pipeforecast.metrics.deals import won_in
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen
from pipeforecast.metrics.leads import created
from pipeforecast.metrics.parts import in_all, part_names
from pipeforecast.metrics.statuses import leads_of
from pipeforecast.metrics.values import NotAvailable, Values, amount, quotient
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop


def _marketing(view: View) -> Chosen:
    sources = view.choices.marketing_sources
    if not sources:
        raise NotAvailable(pnoop("reason", "marketing_sources does not say which lead sources marketing brings"))
    return won_in(view).where(view.deals.rows["lead_source"].isin(sources))


def _marketing_sourced_revenue(view: View) -> Values:
    won = _marketing(view)
    return amount(won.sum("amount"), won.count(), won.squares("amount"))


def _marketing_sourced_share(view: View) -> Values:
    return quotient(_marketing(view).sum("amount"), won_in(view).sum("amount"), won_in(view).count())


def spent(view: View) -> Chosen:
    """Spend by the period of its day; negative amounts are left out, with a finding; made once."""
    made: Chosen = view.once("spend", lambda: _spent(view))
    return made


def _spent(view: View) -> Chosen:
    facts = view.table("spend")
    negative = (facts.rows["amount"] < 0).to_numpy(dtype=bool)
    if negative.any():
        view.note(Finding("NEGATIVE-SPEND", "warning", "spend", "amount", int(negative.sum()),
                          first_examples(facts.rows["day"][negative].dt.date), "left out of every figure of spend",
                          "book refunds into the amount that they correct"))  # fmt: skip
    return facts.within("day", ~negative)


def _return(won: Chosen, spend: Chosen, told: np.ndarray) -> Values:
    money = spend.sum("amount")
    return quotient(won.sum("amount") - money, money, np.where(told, won.count() + spend.count(), 0.0))


def _roi(view: View) -> Values:
    return _return(won_in(view), spent(view), in_all(view, view.deals, spent(view).facts))


def _lead_source_roi(view: View) -> Mapping[str, Values]:
    spend, deals = spent(view), view.deals.rows
    told = in_all(view, view.deals, spend.facts)
    theirs, ours = (part_names(rows, "lead_source") for rows in (spend.facts.rows, deals))
    return {
        str(source): _return(won_in(view).where(ours == source), spend.where(theirs == source), told)
        for source in sorted(set(theirs))
    }


def _cost_per_lead(view: View) -> Values:
    leads, spend = created(view).count(), spent(view)
    told = in_all(view, leads_of(view).facts, spend.facts)
    return quotient(spend.sum("amount"), leads, np.where(told, leads, 0.0))


def first_wins(view: View) -> pd.DataFrame:
    """Give the won deal that made each account a customer: the earliest to close (of one day, the first key).

    Raises
    ------
    NotAvailable
        If deals do not say whose they are.
    """
    made: pd.DataFrame = view.once("first wins", lambda: _first_wins(view.deal_frame))
    return made


def _first_wins(deals: pd.DataFrame) -> pd.DataFrame:
    if "account_id" not in deals or deals["account_id"].isna().all():
        raise NotAvailable(pnoop("reason", "deals has no account_id, so a new customer cannot be told from an old one"))
    won = deals[deals["won"].to_numpy(dtype=bool) & deals["account_id"].notna().to_numpy()]
    return won.sort_values("closed_at", kind="stable").drop_duplicates("account_id")


def _customer_acquisition_cost(view: View) -> Values:
    new, spend = view.facts(first_wins(view)).within("closed_at"), spent(view)
    told = in_all(view, new.facts, spend.facts)
    n = new.count()
    return quotient(spend.sum("amount"), n, np.where(told, n, 0.0))


_SPEND = {"spend": ("day", "amount")}

METRICS = (
    Metric(
        "marketing_sourced_revenue", "Revenue from marketing",
        "Σ amount of deals won in the period whose lead source is one of marketing's (marketing_sources)", "currency",
        "deals won", "closed", "up", "marketing", _marketing_sourced_revenue, {"deals": ("lead_source",)},
        additive=True, example="100 + 300 = 400",
    ),
    Metric(
        "marketing_sourced_share", "Share of revenue from marketing", "revenue from marketing ÷ won amount", "share",
        "deals won", "closed", "up", "marketing", _marketing_sourced_share, {"deals": ("lead_source",)},
        example="400 ÷ 1,000 = 0.4",
    ),
    Metric(
        "roi", "Return on spend", "(won amount − spend) ÷ spend, in the period; in total all that was won is set "
        "against all spend: by lead source or campaign it says more", "ratio", "deals won and bookings of spend",
        "closed", "up", "marketing", _roi, {"deals": (), **_SPEND}, example="(150,000 − 50,000) ÷ 50,000 = 2.0",
    ),
    Metric(
        "lead_source_roi", "Return on spend by lead source",
        "(won amount − spend) ÷ spend of each lead source with spend", "ratio",
        "deals won and bookings of spend", "closed", "up", "marketing", _lead_source_roi,
        {"deals": ("lead_source",), "spend": ("day", "amount", "lead_source")}, parts="source",
        example="web (300 − 100) ÷ 100 = 2, event (0 − 50) ÷ 50 = −1",
    ),
    Metric(
        "cost_per_lead", "Cost per lead", "spend ÷ leads created, in the period", "currency",
        "leads", "created", "down", "marketing", _cost_per_lead,
        {"leads": ("created_at",), **_SPEND}, example="50,000 ÷ 1,000 = 50",
    ),
    Metric(
        "customer_acquisition_cost", "Customer acquisition cost",
        "spend ÷ new customers: accounts whose first won deal closed in the period", "currency",
        "new customers", "closed", "down", "marketing", _customer_acquisition_cost,
        {"deals": ("account_id",), **_SPEND}, example="50,000 ÷ 25 = 2,000",
    ),
)  # fmt: skip
