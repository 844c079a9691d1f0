"""All open deals as columns of plain data: what the page's tables sort, search, filter and turn over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.report.deals import LIKELY, due_days
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import Names
from pipeforecast.report.words import clean

#: Reasons are the longest texts of a page: beyond so many deals only the largest expected amounts have theirs.
MOST_REASONED = 5000
_REASONS = ("reason_1", "reason_2", "reason_3")
NONE, PAST, SLIPPING = range(3)
_EPOCH = pd.Timestamp(0)


def book_facts(given: ReportInput, names: Names) -> dict[str, Any] | None:
    """Give every open deal, the largest expected amount in the period first; None where no deal shall be named.

    Returns
    -------
    dict or None
        ``n`` and columns of ``n`` values, None where unknown: ``name``; ``account``, ``owner``, ``stage`` (``words``
        and, of each deal, the place of its own among them); ``amount``, ``expected`` (to the cent); ``chance``,
        ``slip`` (shares); ``due``, ``likely`` (days since 1970); ``risk`` (0 none, 1 its date has passed, 2 likely
        to slip); ``cell`` (-1: none); ``reasons`` (texts, of the first ``MOST_REASONED``).
    """
    if given.top_deals <= 0 or given.deals.empty:
        return None
    deals = given.deals
    order = pd.to_numeric(deals["expected_amount_in_period"], errors="coerce").fillna(-np.inf).argsort(kind="stable")
    deals = deals.iloc[order.to_numpy()[::-1]]
    amount, chance = _floats(deals, "amount"), _floats(deals, "p_win_in_period")
    return {
        "n": len(deals),
        "name": [names.deal(n, i) for n, i in zip(deals["name"], deals["deal_id"], strict=True)],
        "account": _coded(deals, "account_name", clean), "owner": _coded(deals, "owner", names.owner),
        "stage": _coded(deals, "stage", clean),
        "amount": _told(amount, 2), "expected": _told(_floats(deals, "expected_amount_in_period"), 2),
        "chance": _told(chance, 6), "slip": _told(_floats(deals, "p_slip"), 6),
        "due": _days(due_days(deals)), "likely": _days(deals.get("close_p50")),
        "risk": _risk(given, deals).tolist(),
        "cell": deals["cell"].fillna(-1).astype(int).tolist() if "cell" in deals else [-1] * len(deals),
        "reasons": _reasons(deals.head(MOST_REASONED)),
    }  # fmt: skip


def _floats(deals: pd.DataFrame, column: str) -> np.ndarray:
    if column not in deals:
        return np.full(len(deals), np.nan)
    return pd.to_numeric(deals[column], errors="coerce").to_numpy(dtype="float64")


def _told(values: np.ndarray, digits: int) -> list[float | None]:
    out = np.round(values, digits).astype(object)
    out[~np.isfinite(values)] = None
    return list(out.tolist())


def _days(values: Any) -> list[int | None]:
    if values is None:
        return []
    days = (pd.Series(pd.to_datetime(values, errors="coerce")).dt.normalize() - _EPOCH).dt.days
    return days.astype("Int64").astype("object").where(days.notna(), None).tolist()


def _coded(deals: pd.DataFrame, column: str, told: Callable[[object], str]) -> dict[str, Any]:
    """Different texts of a column, and the place of each deal's own among them; each is worded once."""
    values = deals[column] if column in deals else pd.Series(None, index=deals.index, dtype="object")
    code, kinds = pd.factorize(values, use_na_sentinel=False)
    place, texts = pd.factorize(np.array([told(x) for x in kinds], dtype=object))
    return {"words": texts.tolist(), "at": place[code].tolist()}


def _risk(given: ReportInput, deals: pd.DataFrame) -> np.ndarray:
    """Which deals are at risk, as ``risk_facts`` counts them."""
    due, slip = due_days(deals), pd.Series(_floats(deals, "p_slip"), index=deals.index)
    past = due.lt(given.as_of.normalize())
    slipping = ~past & due.between(given.period_start, given.period_end) & slip.ge(LIKELY)
    return np.select([past.to_numpy(), slipping.to_numpy()], [PAST, SLIPPING], NONE)


def _reasons(deals: pd.DataFrame) -> list[list[str]]:
    there = [c for c in _REASONS if c in deals]
    if not there or not len(deals):
        return []
    rows = [[text for text in map(clean, row) if text] for row in deals[there].to_numpy(dtype=object).tolist()]
    return rows if any(rows) else []
