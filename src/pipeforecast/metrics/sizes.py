"""Deals by size: how many, how likely, how long, and how much work a won one takes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from pipeforecast.metrics.deals import won_in
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen
from pipeforecast.metrics.touches import touches_of
from pipeforecast.metrics.values import NotAvailable, Values, amount, count, mean, proportion, quotient
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

NO_AMOUNT = "without amount"


def bands(view: View) -> tuple[np.ndarray, list[str]]:
    """Size band of each deal (N,), and their names from small to large; the last: without an amount."""

    def make() -> tuple[np.ndarray, list[str]]:
        rows = view.deals.rows
        size = rows["amount"].to_numpy(dtype="float64")
        edges = np.array(view.choices.size_bands, dtype="float64")
        if not len(edges):
            won = size[rows["won"].to_numpy(dtype=bool) & ~np.isnan(size)]
            if not len(won):
                raise NotAvailable(pnoop("reason", "no won deal with an amount, so that there are no size bands"))
            edges = np.unique(np.quantile(won, [0.25, 0.5, 0.75]))
        names = [f"under {edges[0]:,.0f}"]
        names += [f"{low:,.0f} to {high:,.0f}" for low, high in pairwise(edges)]
        names += [f"{edges[-1]:,.0f} and over", NO_AMOUNT]
        code = np.where(np.isnan(size), len(names) - 1, np.searchsorted(edges, size, side="right"))
        return code, names

    return view.once("size bands", make)  # type: ignore[no-any-return]


def _by_band(view: View, chosen: Chosen, told: Callable[[Chosen], Values]) -> dict[str, Values]:
    code, names = bands(view)
    return {name: told(chosen.where(code == i)) for i, name in enumerate(names)}


def _closed(view: View) -> Chosen:
    return view.deals.within("closed_at")


def _size_count(view: View) -> dict[str, Values]:
    return _by_band(view, won_in(view), lambda won: count(won.count()))


def _size_amount(view: View) -> dict[str, Values]:
    return _by_band(view, won_in(view), lambda won: amount(won.sum("amount"), won.count(), won.squares("amount")))


def _size_win_rate(view: View) -> dict[str, Values]:
    is_won = view.deals.rows["won"]
    return _by_band(view, _closed(view), lambda c: proportion(c.where(is_won).count(), c.count()))


def _size_cycle(view: View) -> dict[str, Values]:
    won = won_in(view).known("cycle")
    return _by_band(view, won, lambda w: mean(w.sum("cycle"), w.squares("cycle"), w.count()))


def _touches_of_deals(view: View, kinds: tuple[str, ...]) -> np.ndarray:
    """Touches of each deal up to the day it closed, of some kinds or of all (N,)."""
    if "deal_id" not in view.frame("touches") or view.frame("touches")["deal_id"].isna().all():
        raise NotAvailable(pnoop("reason", "touches has no deal_id"))
    touches, rows = touches_of(view).rows, view.deals.rows
    own = touches[(touches["kind"].isin(kinds) if kinds else touches["deal"] >= 0).to_numpy(dtype=bool)]
    at = own["deal"].to_numpy()
    there = at >= 0
    place, when = at[there], own["at"].to_numpy().astype("datetime64[s]")[there]
    closed = rows["closed_at"].to_numpy().astype("datetime64[s]")[place]
    by_then = np.isnat(closed) | (when < closed + np.timedelta64(86400, "s"))
    return np.bincount(place[by_then], minlength=len(rows)).astype("float64")


def _effort(view: View, kinds: tuple[str, ...]) -> dict[str, Values]:
    done = _touches_of_deals(view, kinds)
    return _by_band(view, won_in(view), lambda won: quotient(won.sum(done), won.count(), won.count()))


def _touches_per_win(view: View) -> dict[str, Values]:
    return _effort(view, ())


def _meetings_per_win(view: View) -> dict[str, Values]:
    return _effort(view, ("meeting_held",))


_TOUCHED = {"deals": (), "touches": ("at", "kind")}

METRICS = (
    Metric(
        "deal_size_count", "Won deals by size", "deals won in the period, by band of amount", "count", "deals won",
        "closed", "up", "deals", _size_count, additive=True, parts="band", example="2 under 1,000, 1 over",
    ),
    Metric(
        "deal_size_amount", "Won amount by size", "Σ amount of deals won in the period, by band of amount", "currency",
        "deals won", "closed", "up", "deals", _size_amount, additive=True, parts="band", example="300 and 5,000",
    ),
    Metric(
        "deal_size_win_rate", "Win rate by size", "won ÷ closed, of deals closed in the period, by band of amount",
        "share", "deals closed", "closed", "up", "deals", _size_win_rate, parts="band", example="2 of 4 = 0.50",
    ),
    Metric(
        "deal_size_cycle", "Sales cycle by size", "mean days from creation to winning, by band of amount", "days",
        "deals won", "closed", "down", "deals", _size_cycle, parts="band", example="10 and 20 days = 15",
    ),
    Metric(
        "touches_per_win", "Touches per won deal",
        "touches of the deal until it closed ÷ won deals, by band of amount", "ratio", "deals won", "closed", "down",
        "deals", _touches_per_win, _TOUCHED, parts="band", example="6 touches of 2 deals = 3",
    ),
    Metric(
        "meetings_per_win", "Meetings per won deal",
        "meetings held with the deal until it closed ÷ won deals, by band of amount", "ratio", "deals won", "closed",
        "down", "deals", _meetings_per_win, _TOUCHED, parts="band", example="2 meetings of 2 deals = 1",
    ),
)  # fmt: skip
