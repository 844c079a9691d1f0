"""Rules of pace: what is won so far, and how fast more comes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.rules.money import PAST, by_group, money_of, narrowed, won_by_day, won_in
from pipeforecast.rules.past import last_period, mean_of_four
from pipeforecast.rules.totals import TRAILING, Question, TotalRule


def _run_rate(asked: Question) -> pd.Series:
    """W ÷ days elapsed × days in the period; on day 0 the last period, never below W."""
    if asked.day <= 0:
        return asked.at_least_won(last_period(asked))
    return asked.won * (asked.period.days / min(asked.day, asked.period.days))


def _chain_ladder(asked: Question) -> pd.Series:
    """W ÷ (past W on day k ÷ past total), with one share for all groups: those of small ones are mostly luck.

    On day 0, and on early days by which nothing was ever written: the mean of four, never below W.
    """
    lessons, k = asked.lessons, asked.day
    past = lessons.past_periods(PAST)
    # As it was written by then: what was booked late was in nobody's W.
    by_then = money_of(won_by_day(lessons.snapshot, k, past)).sum() if past and k > 0 else 0.0
    if by_then <= 0:
        return asked.at_least_won(mean_of_four(asked))
    return asked.won * float(money_of(won_in(lessons, past)).sum() / by_then)


def sales_velocity(count: pd.Series, won_amount: pd.Series, win_rate: pd.Series, won_cycle: pd.Series) -> pd.Series:
    """Revenue a day: open deals × mean won amount × win rate ÷ mean won cycle in days; NaN unless that is above 0."""
    return count * won_amount * win_rate / won_cycle.where(won_cycle > 0)


def _velocity(asked: Question) -> pd.Series:
    """W + sales velocity × days of the period that are left; each group by its own rates."""
    left = asked.period.days - min(max(asked.day, 0), asked.period.days)
    now = narrowed(asked.snapshot.open, [asked.level])
    count = by_group(now, np.ones(len(now)), asked.level)
    rates = trailing_rates(asked).reindex(count.index)
    daily = sales_velocity(count, rates["won_amount"], rates["win_rate"], rates["won_cycle"])
    # Where nothing is open, or all that closed was lost, nothing comes, whatever the other rates are.
    daily = daily.mask((count == 0) | (rates["win_rate"] == 0), 0.0)
    groups = sorted({*asked.won.index, *count.index})
    return asked.won.reindex(groups, fill_value=0.0) + daily.reindex(groups, fill_value=0.0) * left


def trailing_rates(asked: Question) -> pd.DataFrame:
    """Win rate (won ÷ closed), mean won amount and mean days from creation to winning, over the trailing periods."""
    past = asked.lessons.past_periods(TRAILING)
    if not past:
        return pd.DataFrame(columns=["win_rate", "won_amount", "won_cycle"], dtype="float64")
    deals = narrowed(asked.lessons.deals, [asked.level], "created_at")
    day = deals["closed_at"]
    within = (day >= past[0].start) & (day < past[-1].end + pd.Timedelta(days=1))
    closed = deals[within.to_numpy(dtype=bool) & (deals["status"] != OPEN).to_numpy(dtype=bool)]
    won = (closed["status"] == WON).to_numpy(dtype=bool)
    cycle = (closed["closed_at"] - closed["created_at"]).dt.total_seconds() / 86400

    def mean(of: pd.Series) -> pd.Series:
        known = of.notna().to_numpy()
        count = by_group(closed[known], np.ones(int(known.sum())), asked.level)
        return by_group(closed[known], of[known], asked.level) / count.where(count > 0)

    return pd.DataFrame({
        "win_rate": mean(pd.Series(won, index=closed.index, dtype="float64")),
        "won_amount": mean(closed["amount"].where(won)),
        "won_cycle": mean(cycle.where(won)),
    })  # fmt: skip


VELOCITY = TotalRule("velocity", _velocity)
RUN_RATE = TotalRule("run_rate", _run_rate)
CHAIN_LADDER = TotalRule("chain_ladder", _chain_ladder)
