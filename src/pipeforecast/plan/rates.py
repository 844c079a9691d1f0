"""The rates that a plan rests on, measured on past deals, leads and touches, with draws of what they may truly be.

Every counted unit (a closed deal, a lead, a touch) gets a weight drawn from Exp(1), and all rates of one draw are taken
with the same weights: a share of k of n units is then Beta(k, n − k), a mean amount is that of a Bayesian bootstrap
over deals, and what goes up together in the rates goes up together in the plan.

References
----------
Rubin, "The Bayesian bootstrap", Annals of Statistics 9, 1981.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeforecast.aims import AssumedRates
from pipeforecast.contract import LOST, WON
from pipeforecast.plan.past import Past

#: How many draws are weighted at once: memory, not result.
_CHUNK = 200
#: Wins below which the mean of one over a rate does not exist.
FEW = 2
STEPS = ("lead", "mql", "sql", "opportunity")


@dataclass(frozen=True)
class Rate:
    """One rate: what it is, what it may be, and what it rests on.

    Attributes
    ----------
    name, title : str
    value : float
        NaN: undefined.
    draws : float array (D,)
    n : int
        Units that it was measured on; 0 where it is assumed.
    assumed : bool
    reason : str
        Why it is undefined; empty if it is not.
    hits : int
        Of the ``n`` units those that count above the line.
    """

    name: str
    title: str
    value: float
    draws: np.ndarray
    n: int = 0
    assumed: bool = False
    reason: str = ""
    hits: int = 0

    @property
    def known(self) -> bool:
        """Whether it can be divided by: above 0."""
        return bool(np.isfinite(self.value) and self.value > 0)


TITLES: Mapping[str, str] = {
    "deal_size": "Mean amount of a won deal",
    "win_rate": "Won ÷ closed deals",
    "from_leads": "Share of opportunities that come from leads",
    "sql_to_opportunity": "SQL → opportunity",
    "mql_to_sql": "MQL → SQL",
    "mql_to_opportunity": "MQL → opportunity",
    "lead_to_mql": "Lead → MQL",
    "lead_to_sql": "Lead → SQL",
    "lead_to_opportunity": "Lead → opportunity",
    "meeting_to_win": "Won deals ÷ meetings",
    "contact_to_meeting": "Meetings ÷ contacts",
    "cycle_days": "Median days from creation to the win",
}


def rates_of(past: Past, assumed: AssumedRates, draws: int, seed: int) -> dict[str, Rate]:
    """Measure every rate that is not assumed.

    Parameters
    ----------
    past : Past
    assumed : AssumedRates
    draws : int
    seed : int
        Of the weights.

    Returns
    -------
    dict of name to Rate
        Of leads only the shares from each step to the next that is known: an export may know no MQL.
    """
    rng = np.random.default_rng(seed)
    stated = {k: float(v) for k, v in assumed.model_dump().items() if v is not None}
    deals, wins = _of_deals(past.closed, draws, rng)
    found = {**deals, **_of_leads(past, stated, draws, rng), **_of_touches(past, wins, draws, rng)}
    for name, value in stated.items():
        found[name] = Rate(name, TITLES[name], value, np.full(draws, value), assumed=True)
    return {name: found[name] for name in TITLES if name in found}


def steps_of(rates: Mapping[str, Rate]) -> list[tuple[str, str]]:
    """Give the steps from opportunities back to leads, each with the rate that leads from it to the one after."""
    return [(str(n.split("_to_")[0]), n) for n in TITLES if n in rates and n.split("_to_")[0] in ("lead", "mql", "sql")]


def _of_deals(closed: pd.DataFrame, draws: int, rng: np.random.Generator) -> tuple[dict[str, Rate], np.ndarray]:
    """Win rate over closed deals, mean amount and median cycle over won ones; and the sum of the won ones' weights."""
    status = closed["status"].to_numpy(dtype=object)
    won = closed[(status == WON)]
    n_lost = int((status == LOST).sum())
    amount = won["amount"].to_numpy(dtype="float64", na_value=np.nan)
    days = (won["closed_at"] - won["created_at"]).dt.days.to_numpy(dtype="float64", na_value=np.nan)
    priced, dated = np.isfinite(amount) & (amount > 0), days >= 0
    order = np.argsort(np.where(dated, days, np.inf), kind="stable")
    total, size, cycle = np.zeros(draws), np.full(draws, np.nan), np.full(draws, np.nan)
    for at in range(0, draws if len(won) else 0, _CHUNK):
        weight = rng.exponential(size=(min(_CHUNK, draws - at), len(won)))
        part = slice(at, at + len(weight))
        total[part] = weight.sum(axis=1)
        if priced.any():
            size[part] = weight[:, priced] @ amount[priced] / weight[:, priced].sum(axis=1)
        if dated.any():
            cycle[part] = _medians(days[order][: dated.sum()], weight[:, order][:, : dated.sum()])
    lost = rng.gamma(n_lost, size=draws) if n_lost else np.zeros(draws)
    n = len(won) + n_lost
    rate = total / (total + lost) if len(won) else np.zeros(draws)
    return {
        "deal_size": _rate("deal_size", float(amount[priced].mean()) if priced.any() else np.nan, size,
                           int(priced.sum()), "no deal with an amount was won", int(priced.sum())),
        "win_rate": _rate("win_rate", len(won) / n if n else np.nan, rate, n, "no deal was closed", len(won)),
        "cycle_days": _rate("cycle_days", float(np.median(days[dated])) if dated.any() else np.nan, cycle,
                            int(dated.sum()), "no won deal has the day of its creation", int(dated.sum())),
    }, total  # fmt: skip


def _medians(days: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted medians of sorted ``days`` (n,) under the weights (D, n)."""
    upto = np.cumsum(weight, axis=1)
    return np.asarray(days[(upto >= upto[:, -1:] / 2).argmax(axis=1)])


def _of_leads(past: Past, stated: Collection[str], draws: int, rng: np.random.Generator) -> dict[str, Rate]:
    """Shares of leads that go on, of leads old enough; and of opportunities that come from leads."""
    reached = past.reached or {}
    chain = _chain({"lead", "opportunity", *reached}, [tuple(n.split("_to_")) for n in stated if "_to_" in n])
    out = {}
    for before, after in pairwise(chain):
        name = f"{before}_to_{after}"
        if before in reached and after in reached:
            hits = int((reached[before] & reached[after]).sum())
            out[name] = _share(name, hits, int(reached[before].sum()), draws, rng, f"no {before} to count")
        else:
            missing = next(s for s in (before, after) if s not in reached)
            reason = past.no_leads or f"leads have no day on which they became {missing}"
            out[name] = _rate(name, np.nan, np.full(draws, np.nan), 0, reason)
    created, led = past.created if past.created is not None else (0, 0)
    reason = past.no_leads or ("no deal names its lead" if past.created is None else "no deal was created")
    out["from_leads"] = _share("from_leads", led, created, draws, rng, reason)
    return out


def _chain(known: set[str], stated: Sequence[tuple[str, ...]]) -> list[str]:
    """Steps that are known or named, in order; a stated share over several steps leaves out those between."""
    steps = known | {s for pair in stated for s in pair}
    for pair in stated:
        if set(pair) <= set(STEPS):
            first, last = (STEPS.index(s) for s in pair)
            steps -= set(STEPS[first + 1 : last])
    return [s for s in STEPS if s in steps]


def _of_touches(past: Past, wins: np.ndarray, draws: int, rng: np.random.Generator) -> dict[str, Rate]:
    """How many wins came of the meetings of the same days, and meetings of the contacts: counts set side by side."""
    met, sent = (rng.gamma(n, size=draws) if n else np.zeros(draws) for n in (past.meetings, past.contacts))
    n_won = int((past.closed["status"] == WON).sum())
    return {
        "meeting_to_win": _flow("meeting_to_win", n_won, past.meetings, wins, met,
                                past.no_touches or "no meeting of those days is known"),
        "contact_to_meeting": _flow("contact_to_meeting", past.meetings, past.contacts, met, sent,
                                    past.no_touches or "no contact of those days is known"),
    }  # fmt: skip


def _flow(name: str, above: int, below: int, drawn: np.ndarray, by: np.ndarray, reason: str) -> Rate:
    if not below:
        return _rate(name, np.nan, np.full(len(drawn), np.nan), 0, reason)
    return _rate(name, above / below, drawn / by, below, "", above)


def _share(name: str, hits: int, n: int, draws: int, rng: np.random.Generator, reason: str) -> Rate:
    if n == 0:
        return _rate(name, np.nan, np.full(draws, np.nan), 0, reason)
    drawn = np.full(draws, float(hits > 0)) if hits in (0, n) else rng.beta(hits, n - hits, size=draws)
    return _rate(name, hits / n, drawn, n, "", hits)


def _rate(name: str, value: float, draws: np.ndarray, n: int, reason: str, hits: int = 0) -> Rate:
    if np.isfinite(value):
        reason = "" if value > 0 or name == "cycle_days" else f"none of {n:,} did, so no number of them is enough"
    return Rate(name, TITLES[name], value, draws, n, False, reason, hits)
