"""The running period day by day: what was won by when, and what would have been said on its earlier days.

Earlier forecasts are made anew from what was known on those evenings, as the proof makes those of past periods. Nothing
of them is scored: what comes true is not known before the period is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pipeforecast.backtest import Backtest, earlier_days
from pipeforecast.fiscal import Period
from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.history import DealHistory
from pipeforecast.outcome import won_between
from pipeforecast.replay import evening_of, replay_within, store_of
from pipeforecast.reporting import credited
from pipeforecast.run import Run, say
from pipeforecast.settings import ForecastSettings
from pipeforecast.settled import settled

#: Columns of ``course.csv``.
COURSE_COLUMNS = ("as_of", "day_of_period", "period", "method", "won", "mean", *QUANTILES)
WON_COLUMNS = ("period", "day_of_period", "won")


@dataclass(frozen=True)
class Course:
    """How the running period went.

    Attributes
    ----------
    told : DataFrame
        ``course.csv``: the total as the method that leads would have told it on earlier days of the period, the oldest
        first; ``won`` is what had been won by then, as it was known then.
    missing : tuple of int
        Days of the period whose forecasts have not been made anew yet.
    evenings : tuple of str
        Names of the origins that it rests on.
    """

    told: pd.DataFrame
    missing: tuple[int, ...] = ()
    evenings: tuple[str, ...] = ()


def no_course() -> Course:
    """Give a course of which nothing is known."""
    return Course(pd.DataFrame(columns=list(COURSE_COLUMNS)))


def course_of(
    settings: ForecastSettings, run: Run, period: Period, method: str, budget_s: float, before: Backtest | None
) -> Course:
    """Make the forecasts of the period's earlier days anew, newest first, and settle each by what was known then.

    Parameters
    ----------
    period : Period
        The one that is forecast. One that has not begun has no earlier days.
    method : str
        Whose forecasts are told.
    budget_s : float
        Seconds that days which are not stored may take; in the proof's mode ``full`` all are made.
    before : Backtest or None
        The replay of past periods: what the ranges, and the choice of the method, rest on.
    """
    # Days on which lessons are taken anyway cost no further snapshots.
    wanted = earlier_days(run.known, run.plan.days + settings.origins.days, period, run.as_of)
    asked = settings.proof.evenings
    mine = wanted if asked is None else [o for o in wanted if evening_of(o) in asked]
    store = store_of(settings, run)
    missing = store.missing(mine)
    if missing and (settings.proof.mode == "full" or budget_s > 0):
        say(f"looking back at {len(missing)} earlier days of {period.name}")
    missing = replay_within(budget_s, settings, run, store, missing, 2)
    had = [o for o in mine if o not in missing]
    lacking = tuple(o.day for o in wanted if o not in had)
    here = store.load(had)
    if here is None:
        return Course(no_course().told, lacking)
    told = _told(here, before, period, method)
    return Course(told, lacking, tuple(evening_of(o) for o in had))


def _told(here: Backtest, before: Backtest | None, period: Period, method: str) -> pd.DataFrame:
    """What would have been said on each day, with the ranges and the choice that earlier periods spoke for by then."""
    parts = [here] if before is None else [before, here]
    whole = Backtest(
        pd.concat([p.rows for p in parts], ignore_index=True),
        {key: d for p in parts for key, d in p.draws.items()},
        here.deals,
    )
    rows = settled(whole).rows
    mine = (rows["period"] == period.name) & (rows["method"] == method) & (rows["level"] == TOTAL)
    return rows.loc[mine.to_numpy(dtype=bool), list(COURSE_COLUMNS)].sort_values("as_of", ignore_index=True)


def won_by_day(known: DealHistory, periods: Sequence[Period], as_of: pd.Timestamp) -> pd.DataFrame:
    """Add up what was won in each period by each of its days, by the true day, as it is known on ``as_of``.

    Returns
    -------
    DataFrame
        ``period``, ``day_of_period``, ``won`` (cumulative): a row for each day with a win, one of nought on day 0, and
        one on the period's last day or that of ``as_of``. Deals that are dated ahead count on ``as_of``.
    """
    latest = credited(known.states, known.tables.get("reporting_line"), as_of)
    found = []
    for period in periods:
        last = min(period.end, as_of)
        if last < period.start:
            continue
        won = won_between(latest, period.start, period.end)
        day = ((won["closed_at"] - period.start).dt.days + 1).clip(upper=period.day_of(last))
        sums = won["amount"].fillna(0.0).groupby(day.to_numpy()).sum()
        ends = sums.reindex(sorted({0, *sums.index, period.day_of(last)}), fill_value=0.0).cumsum()
        found.append(pd.DataFrame({"period": period.name, "day_of_period": ends.index, "won": ends.to_numpy()}))
    if not found:
        return pd.DataFrame(columns=list(WON_COLUMNS))
    return pd.concat(found, ignore_index=True).astype({"day_of_period": "int64", "won": "float64"})


__all__ = ["COURSE_COLUMNS", "Course", "course_of", "no_course", "won_by_day"]
