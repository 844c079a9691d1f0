"""What the rules reckon with, as plain tables, so that their sums can be done again elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL, group_names
from pipeforecast.outcome import Lessons
from pipeforecast.rules.deals import COMMIT, COVERAGE, STAGES, UPSIDE, Rule
from pipeforecast.rules.money import PAST, listed_amounts, money_of, past_new_business, won_by_day, won_in
from pipeforecast.rules.pace import trailing_rates
from pipeforecast.rules.past import same_period_last_year
from pipeforecast.rules.totals import TRAILING, Question
from pipeforecast.snapshot import Snapshot

_BY_STAGE = {r.name: r for r in STAGES if r.name in ("stage_rate_all_dates", "same_stage_same_time")}


@dataclass(frozen=True)
class Terms:
    """The terms of the rules' sums, on one day and for one period.

    Attributes
    ----------
    amounts : float array (n,)
        x of each open deal, in the order of the snapshot.
    stages : DataFrame, one row per stage that an open deal is in
        ``stage``, its ``rate`` (won ÷ closed) and its ``yield`` (won by the end ÷ listed, of past deals on that day).
    numbers : mapping
        ``won`` W, ``new`` N(k), ``day`` k, ``days`` of the period, ``coverage`` (the yield of what is due),
        ``past_by_day`` and ``past_total`` (won by day k, and in all, over the past periods), ``win_rate``,
        ``won_amount`` and ``won_cycle`` of the trailing periods, ``last_year``. NaN: the past cannot tell.
    past : DataFrame
        The last complete periods, at most four, oldest first: ``period`` and what was ``won`` in it.
    categories : mapping of ``commit`` and ``upside`` to names
        Forecast categories in lower case.
    """

    amounts: np.ndarray
    stages: pd.DataFrame
    numbers: Mapping[str, float]
    past: pd.DataFrame
    categories: Mapping[str, Sequence[str]]


def terms_of(lessons: Lessons, snapshot: Snapshot, period: Period) -> Terms:
    """Work out the terms of the rules' sums; nothing is fitted."""
    asked = Question(lessons, snapshot, period, TOTAL)
    past = lessons.past_periods(TRAILING)
    totals = [float(money_of(won_in(lessons, [p])).sum()) for p in past]
    return Terms(
        amounts=listed_amounts(lessons, snapshot),
        stages=_stages(lessons, snapshot, period),
        numbers=_numbers(asked),
        past=pd.DataFrame({"period": [p.name for p in past], "won": np.array(totals, dtype="float64")}),
        categories={"commit": COMMIT, "upside": UPSIDE},
    )


def _stages(lessons: Lessons, snapshot: Snapshot, period: Period) -> pd.DataFrame:
    share = {name: r.weights(lessons, snapshot, period) for name, r in _BY_STAGE.items()}
    table = pd.DataFrame({
        "stage": group_names(snapshot.open, "stage"),
        "rate": share["stage_rate_all_dates"],
        "yield": share["same_stage_same_time"],
    })  # fmt: skip
    return table.drop_duplicates("stage").sort_values("stage", ignore_index=True)


def _numbers(asked: Question) -> dict[str, float]:
    lessons, period, k = asked.lessons, asked.period, asked.day
    new, periods = past_new_business(lessons, asked.snapshot.as_of, period)
    past = lessons.past_periods(PAST)
    by_then = money_of(won_by_day(lessons.snapshot, k, past)).sum() if past and k > 0 else 0.0
    rates = trailing_rates(asked).reindex([TOTAL]).iloc[0]
    return {
        "won": float(asked.won.sum()),
        "new": float(money_of(new).sum() / periods) if periods else float("nan"),
        "day": float(k),
        "days": float(period.days),
        "coverage": _coverage(COVERAGE[0], asked),
        "past_by_day": float(by_then),
        "past_total": float(money_of(won_in(lessons, past)).sum()) if past else float("nan"),
        **{str(name): float(value) for name, value in rates.items()},
        "last_year": float(same_period_last_year(asked).reindex([TOTAL]).iloc[0]),
    }


def _coverage(rule: Rule, asked: Question) -> float:
    """The one share with which all deals count that are due; NaN where none is, or the past cannot tell."""
    share = rule.weights(asked.lessons, asked.snapshot, asked.period)
    counting = share[share != 0]
    return float(counting[0]) if len(counting) else float("nan")
