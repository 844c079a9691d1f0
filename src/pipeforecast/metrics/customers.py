"""Customers and subscriptions: who stays, who goes, what they are worth, and how trials and sign-ups go on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.leads import immature
from pipeforecast.metrics.parts import in_all
from pipeforecast.metrics.spells import (
    at_start,
    customers_on,
    months_over,
    of_accounts,
    picked,
    spells_of,
    subscription_rows,
)
from pipeforecast.metrics.statuses import share_due
from pipeforecast.metrics.values import NotAvailable, Values, proportion, quotient, ratio
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

_DAY = np.timedelta64(86400, "s")


def _retention(view: View) -> Values:
    """Who was there at the start and still is: (at the end − new) ÷ at the start."""
    n, lost = _churn_counts(view)
    return proportion(n - lost, n)


def _churn(view: View) -> Values:
    n, lost = _churn_counts(view)
    return proportion(lost, n)


def _churn_counts(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Customers at the start of each window, and those of them that were lost by its evening (P, G)."""
    start = at_start(view, spells_of(view).facts)
    lost = start.of("lost").astype("datetime64[s]")
    left = ~np.isnat(lost) & (lost <= view.windows.evenings[start.window])
    return start.count(), picked(start, left).count()


def _recurring_at_start(view: View) -> np.ndarray:
    """Recurring amounts of those paying on the evening before each window, as the export has them (P, G)."""
    paying = spells_of(view).recurring
    if "recurring_amount" not in paying.rows or paying.rows["recurring_amount"].isna().all():
        raise NotAvailable(pnoop("reason", "neither subscriptions nor customers has a recurring_amount"))
    return at_start(view, paying).sum("recurring_amount")


def _lifetime_value(view: View) -> Values:
    n, lost = _churn_counts(view)
    months = months_over(view) / view.choices.lifecycle.customers.recurring_months
    revenue = ratio(_recurring_at_start(view) * months, n)
    return quotient(revenue, ratio(lost, n), n)


def _lifetime_margin(view: View) -> Values:
    margin = view.choices.lifecycle.customers.gross_margin
    if margin is None:
        raise NotAvailable(pnoop("reason", "lifecycle.customers.gross_margin is not set"))
    value = _lifetime_value(view)
    return Values(value.value * margin, value.n)


def _observed_value(view: View) -> Values:
    """Sum won from each account up to the evening, mean over accounts that ever bought by then."""
    deals = view.deal_frame
    won = deals[deals["won"].to_numpy(dtype=bool) & deals["account_id"].notna().to_numpy()]
    ever = view.facts(won.rename(columns={"closed_at": "from"}).assign(lost=np.datetime64("NaT", "s")))
    so_far = customers_on(ever, view.windows.evenings)
    n = so_far.distinct("account_id")
    return quotient(so_far.sum("amount"), n, n)


def _renewal(view: View) -> Values:
    """Of subscriptions due in the window: those that were renewed by the evening."""
    rows = subscription_rows(view)
    renewed = _renewed(view, rows)
    due = rows["renewal_due"].to_numpy().astype("datetime64[s]")
    waiting = ~renewed & (due + _grace(view) >= np.datetime64(view.as_of, "s"))
    chosen = of_accounts(view, rows).within("renewal_due")
    told = proportion(chosen.sum(renewed.astype("float64")), chosen.count())
    return Values(told.value, told.n, told.lower, told.upper, immature=chosen.sum(waiting.astype("float64")) > 0)


def _grace(view: View) -> np.timedelta64:
    return np.timedelta64(view.choices.lifecycle.customers.renewal_days * 86400, "s")


def _renewed(view: View, rows: pd.DataFrame) -> np.ndarray:
    """Whether each subscription went on beyond its due day and the grace, or another of its account followed (n,)."""
    begin, due, end = (rows[c].to_numpy().astype("datetime64[s]") for c in ("from", "renewal_due", "to"))
    longer = np.where(np.isnat(end), np.datetime64(view.as_of, "s"), end) > due + _grace(view)
    limit = np.fmax(np.where(np.isnat(due), begin, due), end) + _grace(view) + _DAY
    account = pd.factorize(rows["account_id"])[0].astype("int64") * 10**11
    starts = np.sort(account + begin.astype("int64"))
    after = np.searchsorted(starts, account + begin.astype("int64"), side="right")
    by = np.searchsorted(starts, account + limit.astype("int64"), side="right")
    return np.asarray(longer | (~np.isnat(due) & (by > after)))


def _expansion(view: View) -> Values:
    """Recurring (else whole) amount of upsell and cross-sell won in the window ÷ recurring amount at its start."""
    deals, types = view.deals.rows, view.choices.lifecycle.customers.expansion
    mine = deals["deal_type"].str.casefold().isin([t.casefold() for t in types]).to_numpy(dtype=bool)
    won = view.deals.within("closed_at", deals["won"].to_numpy(dtype=bool) & mine)
    own = "recurring_amount" if "recurring_amount" in deals and deals["recurring_amount"].notna().any() else "amount"
    n = at_start(view, spells_of(view).facts).count()
    told = in_all(view, view.deals, spells_of(view).recurring)
    return quotient(won.sum(own), _recurring_at_start(view), np.where(told, n, 0.0))


def _cohort(start: str, end: str) -> Callable[[View], Values]:
    """Share of the customers that began a step in the window and reached the next by the evening."""

    def compute(view: View) -> Values:
        rows = view.frame("customers")
        began, ended = (rows[c].to_numpy().astype("datetime64[D]") for c in (start, end))
        over = ~np.isnat(ended) & ~np.isnat(began)
        lag = np.maximum((ended - began).astype("int64"), 0)
        age = (np.datetime64(view.as_of, "D") - began).astype("int64")
        due = share_due(lag[over], np.maximum(age, lag)[over])
        share = due[np.clip(age, 0, len(due) - 1)] if len(due) else np.full(len(rows), np.nan)
        chosen = of_accounts(view, rows).within(start)
        n = chosen.count()
        told = proportion(chosen.sum(over.astype("float64")), n)
        young = immature(view, ratio(chosen.sum(np.where(np.isnat(began), 0.0, share)), n))
        return Values(told.value, told.n, told.lower, told.upper, immature=young)

    return compute


_NEEDS: dict[str, tuple[str, ...]] = {}

METRICS = (
    Metric(
        "retention_rate", "Retention rate",
        "(customers at the end − new ones) ÷ customers at the start of the period", "share", "customers", "day", "up",
        "customers", _retention, _NEEDS, grows=True, example="(110 − 20) ÷ 100 = 0.90",
    ),
    Metric(
        "churn_rate", "Churn rate", "customers lost in the period ÷ customers at its start", "share", "customers",
        "day", "down", "customers", _churn, _NEEDS, grows=True, example="10 ÷ 100 = 0.10",
    ),
    Metric(
        "customer_lifetime_value", "Customer lifetime value",
        "revenue per account ÷ churn rate, both of the period (recurring amounts at its start)", "currency",
        "customers", "as of", "up", "customers", _lifetime_value, _NEEDS, example="1,000 a month ÷ 0.02 = 50,000",
    ),
    Metric(
        "customer_lifetime_margin", "Customer lifetime value at gross margin",
        "customer lifetime value × gross margin (lifecycle.customers.gross_margin)", "currency", "customers", "as of",
        "up", "customers", _lifetime_margin, _NEEDS, example="50,000 × 0.8 = 40,000",
    ),
    Metric(
        "customer_value_observed", "Observed customer value",
        "Σ amount won by the evening ÷ accounts that it was won from", "currency", "customers", "as of", "up",
        "customers", _observed_value, {"deals": ("account_id",)}, example="(100 + 200 + 300) ÷ 2 = 300",
    ),
    Metric(
        "renewal_rate", "Renewal rate", "subscriptions renewed ÷ subscriptions due in the period", "share",
        "subscriptions due", "day", "up", "customers", _renewal, {"subscriptions": ("renewal_due",)},
        example="9 of 12 = 0.75",
    ),
    Metric(
        "expansion_rate", "Expansion rate",
        "upsell and cross-sell (lifecycle.customers.expansion) won in the period ÷ recurring amount at its start",
        "ratio", "customers", "closed", "up",
        "customers", _expansion, {"deals": ("deal_type",)}, grows=True, example="150 ÷ 1,000 = 0.15",
    ),
    Metric(
        "trial_to_paid", "Trial to paid", "paid ÷ trials begun in the period, by as_of", "share", "trials", "created",
        "up", "customers", _cohort("trial_started_at", "started_at"),
        {"customers": ("trial_started_at", "started_at")}, example="12 of 40 = 0.30",
    ),
    Metric(
        "onboarding_rate", "Onboarding rate", "onboarded ÷ signed up in the period, by as_of", "share", "sign-ups",
        "created", "up", "customers", _cohort("signed_up_at", "onboarded_at"),
        {"customers": ("signed_up_at", "onboarded_at")}, example="45 of 60 = 0.75",
    ),
    Metric(
        "activation_rate", "Activation rate", "activated ÷ signed up in the period, by as_of", "share", "sign-ups",
        "created", "up", "customers", _cohort("signed_up_at", "activated_at"),
        {"customers": ("signed_up_at", "activated_at")}, example="30 of 60 = 0.50",
    ),
)  # fmt: skip
