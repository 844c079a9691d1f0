"""What every threshold would hand over, bring, miss and cost, and which is best."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from pipeforecast.calibration import wilson
from pipeforecast.thresholds.judged import Judged
from pipeforecast.thresholds.terms import Terms

Scale = Literal["p", "points"]
_STEPS = 100
_DIGITS = 4
#: A chance is never 1: this threshold hands nobody over.
NOBODY = 1.0


def cuts_of(score: np.ndarray, scale: Scale) -> np.ndarray:
    """Thresholds worth looking at, rising; the last one hands nobody over.

    Every sum of points that occurs; of chances the percentiles, cut to four digits.
    """
    if scale == "points":
        values = np.unique(score)
        return np.append(values, (values[-1] if len(values) else 0.0) + 1.0)
    found = np.quantile(score, np.linspace(0, 1, _STEPS + 1), method="inverted_cdf") if len(score) else np.zeros(1)
    size = 10**_DIGITS
    return np.append(np.unique(np.floor(np.minimum(found, NOBODY - 1 / size) * size) / size), NOBODY)


def curve(leads: Judged, cuts: np.ndarray) -> pd.DataFrame:
    """Judge thresholds: all leads at or above one are handed over, those at the cut included.

    Parameters
    ----------
    leads : Judged of n leads
    cuts : float (k,)

    Returns
    -------
    DataFrame of k rows
        ``threshold``, ``leads``, ``leads_per_week`` (of the time that these leads came in), ``uncontacted`` (of them),
        ``precision`` with Wilson's interval (of those turned to), ``recall``, ``conversions`` (those left like
        contacted ones of their score) and ``conversions_lower`` (those left bring no more than they did), ``missed``
        and ``missed_upper`` below (the same range).
    """
    order = np.argsort(leads.score, kind="stable")
    at = np.searchsorted(leads.score[order], cuts, side="left")

    def above(value: np.ndarray) -> np.ndarray:
        total = np.append(0.0, np.cumsum(value[order][::-1]))
        return np.asarray(total[len(order) - at])

    weight, known = np.where(leads.left, 0.0, leads.weight), leads.known
    n, won = above(weight * known), above(weight * known * leads.came)
    square = above(weight**2 * known)
    share = np.divide(won, n, out=np.full(len(cuts), np.nan), where=n > 0)
    worth = np.divide(n**2, square, out=np.full(len(cuts), np.nan), where=square > 0)
    lower, upper = wilson(np.nan_to_num(share), np.where(n > 0, worth, 1.0))
    # A lead that is left stands for itself, unless explored ones speak for it.
    stands = np.where(leads.left, np.where(leads.weight > 0, 1.0, 0.0), leads.weight)
    observed, likely = stands * leads.came, stands * leads.as_contacted
    there, there_likely = above(observed), above(likely)
    whole = float(observed.sum())
    handed = len(order) - at
    return pd.DataFrame({
        "threshold": cuts, "leads": handed, "leads_per_week": handed / leads.weeks,
        "uncontacted": above(leads.left.astype(float)).astype(int), "precision": share,
        "precision_lower": np.where(n > 0, lower, np.nan), "precision_upper": np.where(n > 0, upper, np.nan),
        "recall": there / whole if whole else np.full(len(cuts), np.nan),
        "conversions": there_likely, "conversions_lower": there,
        "missed": np.maximum(whole - there, 0.0), "missed_upper": np.maximum(likely.sum() - there_likely, 0.0),
    })  # fmt: skip


def priced(table: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Add ``cost``, ``value``, ``net``, their lower ends, and which threshold is ``best``.

    The best has the highest net within the capacity (all leads at the cut count); of equal ones the highest threshold.
    Where leads have no dates, the capacity of a week cannot be applied.
    """
    cost, value = table["leads"] * terms.cost, table["conversions"] * terms.value
    low = table["conversions_lower"] * terms.value
    out = table.assign(cost=cost, value=value, net=value - cost, value_lower=low, net_lower=low - cost)
    return out.assign(best=np.arange(len(out)) == best_at(out, terms))


def best_at(table: pd.DataFrame, terms: Terms) -> int:
    """Give the place of the best threshold in a priced table, whose last row hands nobody over."""
    net = table["net"].to_numpy(dtype=float)
    per_week = table["leads_per_week"].to_numpy(dtype=float)
    fits = np.isnan(per_week) | (terms.capacity is None)
    if terms.capacity is not None:
        fits |= np.nan_to_num(per_week) <= terms.capacity + 1e-9
    inside = np.where(fits, net, -np.inf)
    return int(len(net) - 1 - np.argmax(inside[::-1]))
