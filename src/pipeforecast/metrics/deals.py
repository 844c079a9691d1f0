"""Metrics of deals that were created and closed in a period: counts, money, size."""

from __future__ import annotations

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.values import Values, amount, count, mean
from pipeforecast.metrics.view import View


def _new_opportunities(view: View) -> Values:
    return count(view.deals.within("created_at").count())


def _won_deals(view: View) -> Values:
    return count(view.deals.within("closed_at", view.deals.rows["won"]).count())


def _won_amount(view: View) -> Values:
    won = view.deals.within("closed_at", view.deals.rows["won"])
    return amount(won.sum("amount"), won.count(), won.squares("amount"))


def _average_deal_size(view: View) -> Values:
    won = view.deals.within("closed_at", view.deals.rows["won"]).known("amount")
    return mean(won.sum("amount"), won.squares("amount"), won.count())


METRICS = (
    Metric(
        "new_opportunities", "New opportunities", "deals created in the period", "count", "deals", "created", "up",
        "deals", _new_opportunities, additive=True,
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
        "average_deal_size", "Average deal size", "won amount ÷ won deals (of those with an amount)", "currency",
        "deals", "closed", "up", "deals", _average_deal_size,
    ),
)  # fmt: skip
