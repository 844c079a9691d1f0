"""How hard a made-up company is: the figures that keep it neither trivial nor hopeless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from pipeforecast.demo.columns import Array
from pipeforecast.demo.company import Company
from pipeforecast.demo.forks import fork
from pipeforecast.demo.rules import WON


@dataclass(frozen=True)
class Difficulty:
    """Figures of one company.

    Attributes
    ----------
    win_rate : float
        Won among closed deals.
    amount_cv : float
        Coefficient of variation of won amounts.
    pushed : float
        Share of deals whose expected close date was moved later at least once while open.
    zombies : float
        Share of deals that fell silent.
    booked_late : float
        Share of ends that were written after the day on which they were true.
    """

    win_rate: float
    amount_cv: float
    pushed: float
    zombies: float
    booked_late: float


def measure(company: Company) -> Difficulty:
    """Measure what needs no futures."""
    deals, tables = company.truth.deals, company.tables
    opportunity = tables["Opportunity"]
    closed, won = opportunity["IsClosed"] == "true", opportunity["IsWon"] == "true"
    amounts = opportunity.loc[won, "Amount"].to_numpy()
    ended = deals[deals["ended"] >= 0]
    return Difficulty(
        win_rate=float(won.sum() / closed.sum()),
        amount_cv=float(amounts.std() / amounts.mean()),
        pushed=float(_pushed(tables["OpportunityHistory"], company).mean()),
        zombies=float((deals["silent"] >= 0).mean()),
        booked_late=float((ended["booked"] > ended["ended"]).mean()),
    )


def _pushed(history: pd.DataFrame, company: Company) -> Array:
    """Whether each deal's date was moved later while it was open."""
    number = pd.Series(np.arange(company.n_deals), index=pd.Index(company.truth.deal_ids))
    deal = number.loc[history["OpportunityId"]].to_numpy()
    order = np.argsort(deal, kind="stable")
    due = pd.to_datetime(history["CloseDate"]).to_numpy()[order]
    stages = company.tables["OpportunityStage"]
    ends = set(stages.loc[stages["IsClosed"] == "true", "MasterLabel"])
    ending = history["StageName"].isin(ends).to_numpy()[order]
    deal = deal[order]
    later = (deal[1:] == deal[:-1]) & (due[1:] > due[:-1]) & ~ending[1:] & ~ending[:-1]
    pushed = np.zeros(company.n_deals, dtype=bool)
    pushed[deal[1:][later]] = True
    return pushed


def quarter_eves(company: Company, first: int, last: int) -> list[int]:
    """Day numbers of the evenings before the quarters `first` to `last` - 1."""
    clock = company.life.world.clock
    return [clock.quarter_start(quarter) - 1 for quarter in range(first, last)]


def fork_wins(company: Company, eves: list[int], *, n: int, seed: int) -> pd.DataFrame:
    """What forks say about open deals on quarter eves, beside what came true.

    Returns
    -------
    DataFrame
        One row an open deal and eve: day, Id, p_win within the coming quarter, won (what came true).
    """
    clock, truth = company.life.world.clock, company.truth.deals.set_index("Id")
    parts = []
    for day in eves:
        end = clock.quarter_start(int(clock.quarter[day + 1]) + 1) - 1
        start, until = company.start + timedelta(days=day), company.start + timedelta(days=end)
        forks = fork(company, start, n=n, seed=seed, until=until)
        mine = truth.loc[forks.deal_ids]
        won = ((mine["cause"] == WON) & (mine["ended"] <= end)).to_numpy()
        parts.append(pd.DataFrame({"day": day, "Id": forks.deal_ids, "p_win": forks.p_win, "won": won}))
    return pd.concat(parts, ignore_index=True)


def auc(score: Array, won: Array) -> float:
    """Chance that a won deal has a higher score than another; ties count one half."""
    ranks = pd.Series(score).rank().to_numpy()
    n_won = int(won.sum())
    return float((ranks[won].sum() - n_won * (n_won + 1) / 2) / (n_won * (len(won) - n_won)))


def shock_size(company: Company, eves: list[int], *, n: int, seed: int) -> float:
    """Standard deviation of the shared quarter shock on the log-odds of winning in the quarter.

    Futures are lived with all shocks forced to +1 and to -1 standard deviation. To first order a shift b of
    the log-odds moves p by b p (1 - p), so b is half the sum of differences over the sum of p (1 - p).
    """
    clock, change, weight = company.life.world.clock, 0.0, 0.0
    for day in eves:
        end = clock.quarter_start(int(clock.quarter[day + 1]) + 1) - 1
        start, until = company.start + timedelta(days=day), company.start + timedelta(days=end)
        high, low = (fork(company, start, n=n, seed=seed, until=until, shock=sign).p_win for sign in (1.0, -1.0))
        middle = (high + low) / 2
        change += float((high - low).sum() / 2)
        weight += float((middle * (1 - middle)).sum()) * n / (n - 0.5)
    return change / weight
