"""Metrics of where revenue comes from, and how much it hangs on few sources."""

from __future__ import annotations

import numpy as np

from pipeforecast.forecast import group_names
from pipeforecast.metrics.deals import won_in
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.values import Values, amount, count, quotient
from pipeforecast.metrics.view import View


def _sources(view: View) -> tuple[np.ndarray, list[str]]:
    names = group_names(view.deals.rows, "lead_source")
    won = view.deals.rows["won"].to_numpy(dtype=bool)
    return names, sorted(set(names[won]))


def _won_by_source(view: View) -> dict[str, Values]:
    names, every = _sources(view)
    won = won_in(view)
    return {source: count(won.where(names == source).count()) for source in every}


def _won_amount_by_source(view: View) -> dict[str, Values]:
    names, every = _sources(view)
    won = won_in(view)
    parts = {source: won.where(names == source) for source in every}
    return {s: amount(mine.sum("amount"), mine.count(), mine.squares("amount")) for s, mine in parts.items()}


def _shares(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Largest amount, sum and sum of squares over sources (P, G)."""
    money = [v.value for v in _won_amount_by_source(view).values()] or [np.zeros(view.shape)]
    stacked = np.stack(money)
    return stacked.max(axis=0), stacked.sum(axis=0), (stacked**2).sum(axis=0)


def _largest_source_share(view: View) -> Values:
    largest, whole, _ = _shares(view)
    return quotient(largest, whole, won_in(view).count())


def _source_concentration(view: View) -> Values:
    _, whole, squares = _shares(view)
    return quotient(squares, whole**2, won_in(view).count())


_SOURCE = {"deals": ("lead_source",)}

METRICS = (
    Metric(
        "won_by_source", "Won deals by source", "deals won in the period, by lead source", "count", "deals won",
        "closed", "up", "deals", _won_by_source, _SOURCE, additive=True, parts="source", example="2 and 1",
    ),
    Metric(
        "won_amount_by_source", "Won amount by source", "Σ amount of deals won in the period, by lead source",
        "currency", "deals won", "closed", "up", "deals", _won_amount_by_source, _SOURCE, additive=True,
        parts="source", example="500 and 300",
    ),
    Metric(
        "largest_source_share", "Share of the largest source", "won amount of the largest lead source ÷ won amount",
        "share", "deals won", "closed", "down", "deals", _largest_source_share, _SOURCE, example="0.5, 0.3, 0.2 = 0.5",
    ),
    Metric(
        "source_concentration", "Concentration of sources",
        "Σ (share of a lead source in the won amount)² (Herfindahl)",
        "index", "deals won", "closed", "down", "deals", _source_concentration, _SOURCE,
        example="0.5, 0.3, 0.2 = 0.38",
    ),
)  # fmt: skip
