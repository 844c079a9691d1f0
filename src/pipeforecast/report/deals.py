"""The deals that make the period, and those that may not close when the CRM says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import Names
from pipeforecast.report.words import clean, iso, number
from pipeforecast.wording import nt, t

MOST_AT_RISK = 50
#: A deal dated within the period is called likely to slip from this probability on.
LIKELY = 0.5

_NUMBERS = ("amount", "p_win", "p_win_in_period", "p_slip", "expected_amount_in_period")
_DAYS = ("expected_close", "close_p10", "close_p50", "close_p90")
_TEXTS = ("account_name", "stage", "forecast_category", "pipeline")
_REASONS = ("reason_1", "reason_2", "reason_3")


def _floats(deals: pd.DataFrame, column: str) -> pd.Series:
    if column not in deals:
        return pd.Series(np.nan, index=deals.index, dtype="float64")
    return pd.to_numeric(deals[column], errors="coerce").astype("float64")


def due_days(deals: pd.DataFrame) -> pd.Series:
    """Dates at which the CRM expects the deals to close."""
    return pd.to_datetime(deals["expected_close"], errors="coerce")


def _shown(deals: pd.DataFrame, names: Names) -> list[dict[str, Any]]:
    out = []
    for row in deals.to_dict("records"):
        deal: dict[str, Any] = {
            "deal_id": clean(row["deal_id"]),
            "name": names.deal(row["name"], row["deal_id"]),
            "owner": names.owner(row["owner"]),
        }
        deal |= {c: number(row.get(c)) for c in _NUMBERS}
        deal |= {c: iso(row.get(c)) for c in _DAYS}
        deal |= {c: clean(row.get(c)) for c in _TEXTS}
        deal["reasons"] = [text for text in (clean(row.get(c)) for c in _REASONS) if text]
        out.append(deal)
    return out


def _sum(values: pd.Series) -> float:
    return float(values.fillna(0.0).sum())


def deal_facts(given: ReportInput, names: Names) -> dict[str, Any]:
    """Deals by expected amount in the period, and what the CRM's dates promise against what is expected."""
    deals = given.deals
    expected = _floats(deals, "expected_amount_in_period")
    amount = _floats(deals, "amount")
    order = expected.fillna(-np.inf).argsort(kind="stable")[::-1]
    due = due_days(deals).le(given.period_end)
    top = expected.max() if len(deals) else np.nan
    shown = _shown(deals.iloc[order.to_numpy()[: max(given.top_deals, 0)]], names)
    return {
        "count": len(deals),
        "amount": _sum(amount),
        "without_amount": int(amount.isna().sum()),
        "expected": _sum(expected),
        "due_count": int(due.sum()),
        "due_amount": _sum(amount[due]),
        "due_expected": _sum(expected[due]),
        "with_reasons": any(shown_deal["reasons"] for shown_deal in shown),
        "biggest_share": number(top / _sum(expected)) if _sum(expected) > 0 else None,
        "shown": shown,
    }


def _why(past: bool, days: float, dated: bool) -> str:
    if past:
        return nt("CRM date passed {n} day ago", "CRM date passed {n} days ago", days)
    return t("likely to slip past its CRM date") if dated else ""


def risk_facts(given: ReportInput, names: Names) -> dict[str, Any]:
    """Deals that the CRM dates by the end of the period and that will more likely not be won by that date.

    A deal whose date has passed is at risk whatever its probability; others from ``LIKELY`` on. Sorted by the
    amount that may slip.
    """
    deals = given.deals
    amount, slip, due = _floats(deals, "amount"), _floats(deals, "p_slip"), due_days(deals)
    past = due.lt(given.as_of.normalize())
    slipping = ~past & due.between(given.period_start, given.period_end) & slip.ge(LIKELY)
    # What may slip is weighed by the chance not to be won within the period: a passed date slips for certain.
    at_stake = amount.fillna(0.0) * (1 - _floats(deals, "p_win_in_period").fillna(0.0))
    # Assigned before rows are chosen: a frame without rows would take over all the rows of what it is given.
    risky = deals.assign(stake=at_stake)[past | slipping].sort_values("stake", ascending=False, kind="stable")
    shown = _shown(risky.head(MOST_AT_RISK), names)
    for deal in shown:
        days = (given.as_of.normalize() - pd.Timestamp(deal["expected_close"])).days
        deal["past_due"] = days > 0
        deal["why"] = _why(days > 0, days, True)
    return {
        "past_due": {"count": int(past.sum()), "amount": _sum(amount[past])},
        "slipping": {"count": int(slipping.sum()), "amount": _sum(amount[slipping])},
        "count": len(risky),
        "amount": _sum(_floats(risky, "amount")),
        "shown": shown,
    }
