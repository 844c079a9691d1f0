"""How good a chance to win is: deal by deal, on later data, beside what the company uses today."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from pipeforecast.backtest import Origin
from pipeforecast.contract import WON
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import group_names
from pipeforecast.history import DealHistory
from pipeforecast.judgement import calibrated, evaluated, scored
from pipeforecast.lessonplan import Lessonplan, lessons_at, prepare
from pipeforecast.models.amount import AmountModel
from pipeforecast.models.naive_bayes import naive_bayes
from pipeforecast.outcome import Lessons, cause_in, observe, won_in_time
from pipeforecast.pipeline import DealModel
from pipeforecast.snapshot import Snapshot, due_by

#: Rates of few deals are pulled towards the rate of all with the weight of so many.
_SHRINK = 10.0


def stage_rate(lessons: Lessons, now: Snapshot, period: Period) -> np.ndarray:
    """Share of closed deals that were won, of those that ever entered the stage; 0 where not due in the period."""
    won = (lessons.deals["status"] == WON).astype("float64")[(lessons.deals["status"] != "open").to_numpy()]
    passed = lessons.entered[lessons.entered["deal"].isin(won.index).to_numpy()]
    values = won.reindex(passed["deal"]).to_numpy()
    rate = _rate(passed["stage"].to_numpy(dtype=object), values, now.open["stage"])
    return np.asarray(rate * due_by(now.open, period.end))


def same_stage_same_time(lessons: Lessons, now: Snapshot, period: Period) -> np.ndarray:
    """Share of past deals in the same stage on the same day of the period that were won by its end."""
    rows, won = won_in_time(lessons, period.day_of(now.as_of))
    stages = lessons.snapshot.open["stage"].to_numpy(dtype=object)[rows]
    return _rate(stages, won.astype("float64"), now.open["stage"])


def reps_own(lessons: Lessons, now: Snapshot, period: Period) -> np.ndarray:
    """The probability that stands in the CRM; 0 where the deal is not due in the period."""
    p = now.open["probability"].fillna(0.0).to_numpy(dtype="float64")
    return np.asarray(p * due_by(now.open, period.end))


def base_rate(lessons: Lessons, now: Snapshot, period: Period) -> np.ndarray:
    """Share of all past open deals that were won in the period, whatever is known of them."""
    _, won = won_in_time(lessons, period.day_of(now.as_of))
    return np.full(len(now.open), won.mean() if len(won) else 0.0)


BASELINES = {
    "stage_rate": stage_rate,
    "same_stage_same_time": same_stage_same_time,
    "reps_own": reps_own,
    "base_rate": base_rate,
    "naive_bayes": naive_bayes,
}


def _rate(stages: np.ndarray, won: np.ndarray, of: pd.Series) -> np.ndarray:
    overall = float(won.mean()) if len(won) else 0.0
    sums = pd.Series(won).groupby(stages, dropna=True).agg(["sum", "count"])
    rate = (sums["sum"] + _SHRINK * overall) / (sums["count"] + _SHRINK)
    return of.astype("object").map(rate.to_dict()).astype("float64").fillna(overall).to_numpy()


def chances(
    history: DealHistory,
    calendar: FiscalCalendar,
    models: Sequence[DealModel],
    origins: Sequence[Origin],
    plan: Lessonplan,
    jobs: int = 1,
    amounts: AmountModel | None = None,
) -> pd.DataFrame:
    """P(won in the period) of every deal open at each origin, by every model and baseline, and what came true.

    Returns
    -------
    DataFrame
        ``as_of``, ``period``, ``day_of_period``, ``deal``; what to group by: ``stage``, ``segment``, ``owner``,
        ``listed_amount``; ``expected_amount`` (given won, as learned at the origin); one column a method; and what came
        true: ``won`` (0, 1) and ``won_amount`` (0 where not won in the period).
    """
    snapshot = prepare(history, calendar, plan, [o.as_of for o in origins])
    recipe = amounts or AmountModel()
    tasks = (
        delayed(_at_origin)(
            lessons_at(history, calendar, snapshot, o.as_of, plan), snapshot.only([o.as_of]), o, models, recipe
        )
        for o in origins
    )
    found: list[pd.DataFrame] = list(Parallel(n_jobs=jobs)(tasks))
    for frame, origin in zip(found, origins, strict=True):
        outcome = observe(history, snapshot.only([origin.as_of]), history.written_until).rows
        frame["won"] = (cause_in(outcome, origin.period) == 1).astype("float64")
        frame["won_amount"] = frame["won"] * outcome["amount"].fillna(0.0).to_numpy(dtype="float64")
    return pd.concat(found, ignore_index=True)


def _at_origin(
    lessons: Lessons, now: Snapshot, origin: Origin, models: Sequence[DealModel], amounts: AmountModel
) -> pd.DataFrame:
    period, rng = origin.period, np.random.default_rng(0)
    out = pd.DataFrame({
        "as_of": origin.as_of, "period": period.name, "day_of_period": origin.day, "deal": now.open["deal"].to_numpy(),
        **{level: group_names(now.open, level) for level in ("stage", "segment", "owner")},
        "listed_amount": now.open["amount"].to_numpy(dtype="float64"),
        "expected_amount": amounts.fit(lessons).expected(now),
    })  # fmt: skip
    for model in models:
        out[model.name] = model.fit(lessons).won_between(now, period.start, period.end, 0, rng)[0]
    for name, baseline in BASELINES.items():
        out[name] = baseline(lessons, now, period)
    return out


__all__ = ["BASELINES", "calibrated", "chances", "evaluated", "scored"]
