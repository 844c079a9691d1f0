"""Metrics of deals that were created, won and closed in a period: counts, money, size, time."""

from __future__ import annotations

import numpy as np

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen
from pipeforecast.metrics.leads import created
from pipeforecast.metrics.touches import touches_of
from pipeforecast.metrics.values import NotAvailable, Values, amount, count, mean, quotient
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop


def won_in(view: View, window: str = "period") -> Chosen:
    """Deals won with a close date in the window."""
    return view.deals.within("closed_at", view.deals.rows["won"], window)


def _new_opportunities(view: View) -> Values:
    return count(view.deals.within("created_at").count())


def _new_amount(view: View) -> Values:
    new = view.deals.within("created_at")
    return amount(new.sum("amount"), new.count(), new.squares("amount"))


def _of_marketing(view: View, wanted: bool) -> Values:
    sources = view.choices.marketing_sources
    if not sources:
        raise NotAvailable(pnoop("reason", "marketing_sources does not say which lead sources marketing brings"))
    theirs = view.deals.rows["lead_source"].isin(sources).to_numpy(dtype=bool)
    return count(view.deals.within("created_at", theirs == wanted).count())


def _marketing_sourced(view: View) -> Values:
    return _of_marketing(view, True)


def _sales_sourced(view: View) -> Values:
    return _of_marketing(view, False)


def _won_deals(view: View) -> Values:
    return count(won_in(view).count())


def _lost_deals(view: View) -> Values:
    return count(view.deals.within("closed_at", view.deals.rows["lost"]).count())


def _won_amount(view: View) -> Values:
    won = won_in(view)
    return amount(won.sum("amount"), won.count(), won.squares("amount"))


def _lost_amount(view: View) -> Values:
    lost = view.deals.within("closed_at", view.deals.rows["lost"])
    return amount(lost.sum("amount"), lost.count(), lost.squares("amount"))


def average_deal_size(view: View, window: str = "period") -> Values:
    """Mean amount of the deals won in the window."""
    won = won_in(view, window).known("amount")
    return mean(won.sum("amount"), won.squares("amount"), won.count())


def _median_deal_size(view: View) -> Values:
    won = won_in(view).known("amount")
    return Values(won.quantile("amount"), won.count())


def _average_order_value(view: View) -> Values:
    orders = view.table("orders").within("day")
    return mean(orders.sum("amount"), orders.squares("amount"), orders.count())


def _median_order_value(view: View) -> Values:
    orders = view.table("orders").within("day")
    return Values(orders.quantile("amount"), orders.count())


def _average_contract_value(view: View) -> Values:
    won = won_in(view).known("account_id")
    customers = won.distinct("account_id")
    return quotient(won.sum("amount"), customers, customers)


def _annual_contract_value(view: View) -> Values:
    rows = view.deals.rows
    months = rows["term_months"].to_numpy(dtype="float64")
    yearly = rows["amount"].to_numpy(dtype="float64") * 12 / np.where(months > 0, months, np.nan)
    won = won_in(view).known("account_id").known(yearly)
    customers = won.distinct("account_id")
    return quotient(won.sum(yearly), customers, customers)


def cycle(view: View, window: str = "period") -> Values:
    """Mean days from creation to winning, of the deals won in the window."""
    won = won_in(view, window).known("cycle")
    return mean(won.sum("cycle"), won.squares("cycle"), won.count())


def _median_cycle(view: View) -> Values:
    won = won_in(view).known("cycle")
    return Values(won.quantile("cycle"), won.count())


def first_contacts(view: View) -> np.ndarray:
    """Day of the first touch of each deal or of its lead, or of its creation where that is earlier (N,)."""

    def make() -> np.ndarray:
        rows, touches = view.deals.rows, touches_of(view).rows
        first = rows["created_at"].to_numpy().astype("datetime64[s]").copy()
        deal, at = touches["deal"].to_numpy(), touches["at"].to_numpy().astype("datetime64[s]")
        np.fmin.at(first, deal[deal >= 0], at[deal >= 0])
        if "lead_id" in rows and "lead_id" in touches:  # several deals may name one lead
            earliest = touches.dropna(subset="lead_id").groupby("lead_id")["at"].min()
            first = np.fmin(first, earliest.reindex(rows["lead_id"]).to_numpy().astype("datetime64[s]"))
        return first

    return view.once("first contacts", make)  # type: ignore[no-any-return]


def _cycle_from_contact(view: View) -> Values:
    rows = view.deals.rows
    closed = rows["closed_at"].to_numpy().astype("datetime64[s]")
    days = (closed - first_contacts(view).astype("datetime64[D]")).astype("float64") / 86400
    days = np.where(np.isnat(closed) | (days < 0) | rows["cycle"].isna().to_numpy(), np.nan, days)
    won = won_in(view).known(days)
    return mean(won.sum(days), won.squares(days), won.count())


def _closed_cycle(view: View) -> Values:
    closed = view.deals.within("closed_at").known("cycle")
    return mean(closed.sum("cycle"), closed.squares("cycle"), closed.count())


def _median_closed_cycle(view: View) -> Values:
    closed = view.deals.within("closed_at").known("cycle")
    return Values(closed.quantile("cycle"), closed.count())


def _revenue_per_opportunity(view: View) -> Values:
    new = view.deals.within("created_at").count()
    return quotient(won_in(view).sum("amount"), new, new)


def _revenue_per_lead(view: View) -> Values:
    leads = created(view).count()
    return quotient(won_in(view).sum("amount"), leads, leads)


_LEADS = {"deals": (), "leads": ("created_at",)}

METRICS = (
    Metric(
        "new_opportunities", "New opportunities", "deals created in the period", "count", "deals", "created", "up",
        "deals", _new_opportunities, additive=True, example="3 created in the quarter = 3",
    ),
    Metric(
        "new_pipeline", "New pipeline", "Σ amount (as known today) of deals created in the period", "currency", "deals",
        "created", "up", "deals", _new_amount, additive=True, example="100 + 200 = 300",
    ),
    Metric(
        "marketing_sourced_opportunities", "New opportunities from marketing",
        "deals created in the period whose lead source is one of marketing's", "count", "deals", "created", "up",
        "deals", _marketing_sourced, {"deals": ("lead_source",)}, additive=True, example="2 of 3",
    ),
    Metric(
        "sales_sourced_opportunities", "New opportunities from sales",
        "deals created in the period whose lead source is none of marketing's", "count", "deals", "created", "up",
        "deals", _sales_sourced, {"deals": ("lead_source",)}, additive=True, example="1 of 3",
    ),
    Metric(
        "won_deals", "Won deals", "deals won with a close date in the period", "count", "deals", "closed", "up",
        "deals", _won_deals, additive=True, example="10",
    ),
    Metric(
        "won_amount", "Won amount", "Σ amount of deals won with a close date in the period", "currency", "deals",
        "closed", "up", "deals", _won_amount, additive=True, example="10 × 150,000 = 1,500,000",
    ),
    Metric(
        "lost_deals", "Lost deals", "deals lost with a close date in the period", "count", "deals", "closed", "down",
        "deals", _lost_deals, additive=True, example="1",
    ),
    Metric(
        "lost_amount", "Lost amount", "Σ amount of deals lost with a close date in the period", "currency", "deals",
        "closed", "down", "deals", _lost_amount, additive=True, example="40",
    ),
    Metric(
        "average_deal_size", "Average deal size", "won amount ÷ won deals (of those with an amount)", "currency",
        "deals", "closed", "up", "deals", average_deal_size, example="(100 + 200 + 600) ÷ 3 = 300",
    ),
    Metric(
        "median_deal_size", "Median deal size", "median amount of won deals", "currency", "deals", "closed", "up",
        "deals", _median_deal_size, example="100, 200, 600 = 200",
    ),
    Metric(
        "average_order_value", "Average order value", "Σ amount of orders in the period ÷ orders", "currency",
        "orders", "day", "up", "deals", _average_order_value, {"orders": ("day", "amount")},
        example="(10 + 20 + 60) ÷ 3 = 30",
    ),
    Metric(
        "median_order_value", "Median order value", "median amount of orders in the period", "currency", "orders",
        "day", "up", "deals", _median_order_value, {"orders": ("day", "amount")}, example="10, 20, 60 = 20",
    ),
    Metric(
        "average_contract_value", "Average contract value", "won amount ÷ distinct accounts that won it", "currency",
        "customers", "closed", "up", "deals", _average_contract_value, {"deals": ("account_id",)},
        example="900 of 2 accounts = 450",
    ),
    Metric(
        "annual_contract_value", "Annual contract value", "won amount × 12 ÷ months of its term, ÷ distinct accounts",
        "currency", "customers", "closed", "up", "deals", _annual_contract_value,
        {"deals": ("account_id", "term_months")}, example="2,400 over 24 months, one account = 1,200",
    ),
    Metric(
        "sales_cycle_length", "Sales cycle", "mean days from creation to winning, deals won in the period", "days",
        "deals", "closed", "down", "deals", cycle, example="30, 60, 90 = 60",
    ),
    Metric(
        "sales_cycle_median", "Sales cycle (median)", "median days from creation to winning, deals won in the period",
        "days", "deals", "closed", "down", "deals", _median_cycle, example="30, 60, 90 = 60",
    ),
    Metric(
        "sales_cycle_from_contact", "Sales cycle from first contact",
        "mean days from the first touch of the deal or its lead (or its creation, if earlier) to winning", "days",
        "deals", "closed", "down", "deals", _cycle_from_contact, {"deals": (), "touches": ("at",)},
        example="first written to 10 days before it was created, won 30 days after = 40",
    ),
    Metric(
        "closing_cycle_length", "Time to close", "mean days from creation to closing, deals won or lost in the period",
        "days", "deals", "closed", "down", "deals", _closed_cycle, example="30, 60, 90, and a lost one after 20 = 50",
    ),
    Metric(
        "closing_cycle_median", "Time to close (median)",
        "median days from creation to closing, deals won or lost in the period",
        "days", "deals", "closed", "down", "deals", _median_closed_cycle, example="20, 30, 60, 90 = 45",
    ),
    Metric(
        "revenue_per_opportunity", "Revenue per opportunity", "won amount ÷ deals created in the period", "currency",
        "deals created", "created", "up", "deals", _revenue_per_opportunity, example="900 ÷ 3 = 300",
    ),
    Metric(
        "revenue_per_lead", "Revenue per lead", "won amount ÷ leads created in the period", "currency",
        "leads created", "created", "up", "deals", _revenue_per_lead, _LEADS, example="900 ÷ 9 = 100",
    ),
)  # fmt: skip
