"""Replay the past: from each origin every recipe is refitted on what was known then, and scored by what came true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from pipeforecast.actuals import actuals
from pipeforecast.errors import DataError
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import QUANTILES, TOTAL, Chooser, Forecast, Forecaster, decided
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan, first_day, lessons_at, prepare
from pipeforecast.outcome import Lessons, cause_in, observe
from pipeforecast.snapshot import Snapshot

KEYS = ["as_of", "day_of_period", "period", "period_end", "level", "group", "method"]
#: Which forecast a set of draws belongs to: evening, name of the period, method.
Key = tuple[pd.Timestamp, str, str]
DEAL_COLUMNS = ["as_of", "period", "method", "deal", "p_won", "p_lost", "cause"]


@dataclass(frozen=True)
class Origin:
    """One day of the past, and the period that is forecast from it."""

    as_of: pd.Timestamp
    day: int
    period: Period


@dataclass(frozen=True)
class Backtest:
    """What every method said at every origin, and what came true.

    Attributes
    ----------
    rows : DataFrame
        The columns of ``backtest.csv``; ``won`` is what had been won by the origin (missing: the method does not say).
    draws : mapping of (as_of, period, method) to float32 array (cells, D)
        Draws of the total and of each group, for the methods that give a distribution, in the order of ``rows``.
    deals : DataFrame
        One row per origin and deal open then, of the methods that look at deals: ``as_of``, ``period``, ``method``,
        ``deal``, ``p_won`` and ``p_lost`` in the period, and ``cause``: what became of it in the period (0 neither,
        1 won, 2 lost).
    """

    rows: pd.DataFrame
    draws: Mapping[Key, np.ndarray]
    deals: pd.DataFrame


def origins_of(
    history: DealHistory, calendar: FiscalCalendar, days: Sequence[int], periods: int, until: pd.Timestamp
) -> list[Origin]:
    """Days ``days`` of the last ``periods`` periods that were complete by ``until`` and have a past to learn from."""
    first = first_day(history, history.written_until)
    period = calendar.shift(calendar.containing(until + pd.Timedelta(days=1)), -1)
    out: list[Origin] = []
    for _ in range(periods):
        if period.evening(min(days)) <= first:
            break
        out += [Origin(period.evening(k), k, period) for k in sorted(days) if k < period.days]
        period = calendar.shift(period, -1)
    return sorted((o for o in out if o.as_of > first), key=lambda o: o.as_of)


def earlier_days(history: DealHistory, days: Sequence[int], period: Period, until: pd.Timestamp) -> list[Origin]:
    """Days ``days`` of one period that lie before the evening of ``until``, the period's first evening or later."""
    first = first_day(history, history.written_until)
    asked = sorted({k for k in days if 0 <= k < period.days})
    return [Origin(period.evening(k), k, period) for k in asked if first < period.evening(k) < until]


def backtest(
    history: DealHistory,
    calendar: FiscalCalendar,
    forecasters: Sequence[Forecaster],
    origins: Sequence[Origin],
    *,
    plan: Lessonplan | None = None,
    levels: Sequence[str] = (),
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Forecast from every origin with everything refitted there, and set what came true beside it.

    What a recipe chooses before it learns (``Chooser``) is chosen once a period, on the evening before it begins.

    Parameters
    ----------
    history : DealHistory
        Whole: each origin is given ``history.known_by(as_of)`` only.
    forecasters : sequence of Forecaster
        Rules and models alike.
    origins : sequence of Origin
    jobs : int
        Processes at once.
    progress : callable, optional
        Told (origins done, origins in all).

    Raises
    ------
    DataError
        If there is no origin to replay.
    """
    if not origins:
        raise DataError("backtest: no complete period with a past to learn from; expected at least one. "
                        "Export a longer history, or choose shorter periods (calendar=month)")  # fmt: skip
    plan = plan or Lessonplan()
    choosing = sorted({_choice_day(o) for o in origins})
    snapshot = prepare(history, calendar, plan, {o.as_of for o in origins}, choosing)

    def lessons(as_of: pd.Timestamp) -> Lessons:
        return lessons_at(history, calendar, snapshot, as_of, plan)

    recipes = _decided(forecasters, choosing, lessons, jobs)
    tasks = (
        delayed(_replay)(lessons(o.as_of), snapshot.only([o.as_of]), o, recipes[_choice_day(o)], levels)
        for o in origins
    )
    found = []
    for done in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        found.append(done)
        if progress:
            progress(len(found), len(origins))
    rows = pd.concat([f[0] for f in found], ignore_index=True)
    actual = actuals(history, [(o.as_of, o.period) for o in origins], levels)
    rows = _with_unforeseen(rows, actual)
    rows = rows.merge(actual, on=["as_of", "period", "level", "group"], how="left")
    rows[["actual", "actual_as_first_known"]] = rows[["actual", "actual_as_first_known"]].fillna(0.0)
    draws = {(o.as_of, o.period.name, name): d for o, f in zip(origins, found, strict=True) for name, d in f[1].items()}
    deals = [
        _with_cause(history, snapshot.only([o.as_of]), o, f[2])
        for o, f in zip(origins, found, strict=True) if len(f[2])
    ]  # fmt: skip
    return Backtest(rows, draws, pd.concat(deals, ignore_index=True) if deals else pd.DataFrame(columns=DEAL_COLUMNS))


def _choice_day(origin: Origin) -> pd.Timestamp:
    """Evening on which a recipe's choices are made for an origin: the one before its period, whoever else asks."""
    return min(origin.as_of, origin.period.evening(0))


def _decided(
    forecasters: Sequence[Forecaster],
    days: Sequence[pd.Timestamp],
    lessons: Callable[[pd.Timestamp], Lessons],
    jobs: int,
) -> dict[pd.Timestamp, Sequence[Forecaster]]:
    """Make the choices of each recipe on each of ``days``: once a period, because trying costs as much as a fit."""
    choosers = [f for f in forecasters if isinstance(f, Chooser)]
    if not choosers:
        return dict.fromkeys(days, tuple(forecasters))
    chosen = Parallel(n_jobs=jobs)(delayed(_choose)(choosers, lessons(d)) for d in days)
    return {d: [own.get(f.name, f) for f in forecasters] for d, own in zip(days, chosen, strict=True)}


def _choose(choosers: Sequence[Forecaster], lessons: Lessons) -> dict[str, Forecaster]:
    return {f.name: decided(f, lessons) for f in choosers}


def _replay(
    lessons: Lessons, now: Snapshot, origin: Origin, forecasters: Sequence[Forecaster], levels: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, np.ndarray], pd.DataFrame]:
    """Fit and forecast at one origin."""
    tables, draws, deals = [], {}, [pd.DataFrame(columns=DEAL_COLUMNS[:-1])]
    for forecaster in forecasters:
        forecast = forecaster.fit(lessons).forecast(now, origin.period, levels)
        tables.append(_rows(forecast, origin))
        if forecast.draws is not None:
            whole = (forecast.cells["part"] == TOTAL).to_numpy()
            draws[forecast.method] = forecast.draws[whole].astype("float32")
        if forecast.deals is not None and len(forecast.deals.deal):
            deals.append(_chances(forecast, origin))
    return pd.concat(tables, ignore_index=True), draws, pd.concat(deals[1:] or deals, ignore_index=True)


def _chances(forecast: Forecast, origin: Origin) -> pd.DataFrame:
    deals, period = forecast.deals, origin.period
    assert deals is not None  # noqa: S101  asked by the caller; for the type checker
    before = period.start - pd.Timedelta(days=1)
    return pd.DataFrame({
        "as_of": origin.as_of, "period": period.name, "method": forecast.method, "deal": deals.deal,
        "p_won": deals.won_between(period.start, period.end),
        "p_lost": deals.lost_by(period.end) - deals.lost_by(before),
    })  # fmt: skip


def _with_cause(history: DealHistory, now: Snapshot, origin: Origin, deals: pd.DataFrame) -> pd.DataFrame:
    cause = cause_in(observe(history, now, history.written_until).rows, origin.period)
    of_deal = pd.Series(cause, index=now.open["deal"].to_numpy())
    return deals.assign(cause=of_deal.reindex(deals["deal"]).to_numpy())


def _rows(forecast: Forecast, origin: Origin) -> pd.DataFrame:
    """Rows of ``backtest.csv``: the total and each group, and what each had won (missing: the method does not say)."""
    cells = [forecast.cells[c].to_numpy(dtype=object) for c in ("level", "group", "part")]
    part, mean = cells[2], forecast.mean
    won = {key: mean[i] for i in np.flatnonzero(part == "won") for key in [(cells[0][i], cells[1][i])]}
    at = np.flatnonzero(part == TOTAL)
    level, group = (c[at] for c in cells[:2])
    return pd.DataFrame({
        "recipe": forecast.method, "as_of": forecast.as_of, "day_of_period": origin.day,
        "period": forecast.period.name, "period_end": forecast.period.end, "level": level, "group": group,
        "method": forecast.method, "won": [won.get(key, np.nan) for key in zip(level, group, strict=True)],
        "mean": mean[at], **_quantiles(forecast, at),
    })  # fmt: skip


def _quantiles(forecast: Forecast, at: np.ndarray) -> dict[str, np.ndarray]:
    """Quantiles of the cells at some positions; missing where the method gives one number."""
    if forecast.draws is None:
        return {name: np.full(len(at), np.nan) for name in QUANTILES}
    found = np.quantile(forecast.draws[at], list(QUANTILES.values()), axis=1)
    return dict(zip(QUANTILES, found, strict=True))


def _with_unforeseen(rows: pd.DataFrame, actual: pd.DataFrame) -> pd.DataFrame:
    """Add the groups that brought revenue and were unknown at the origin, forecast at nothing: else no level adds up.

    A method that could not tell the total cannot tell that a group brings nothing.
    """
    keys = ["as_of", "period", "method", "level"]
    told = rows.loc[(rows["level"] != TOTAL).to_numpy(), keys].drop_duplicates()
    lost = told.merge(actual[["as_of", "period", "level", "group"]], on=["as_of", "period", "level"])
    at, known = pd.MultiIndex.from_frame(lost[[*keys, "group"]]), pd.MultiIndex.from_frame(rows[[*keys, "group"]])
    lost = lost[~at.isin(known)]
    total = rows[(rows["level"] == TOTAL).to_numpy()].drop(columns=["level", "group"])
    more = lost.merge(total, on=["as_of", "period", "method"])[list(rows.columns)]
    more[["won", "mean", *QUANTILES]] *= 0.0
    return pd.concat([rows, more], ignore_index=True)
