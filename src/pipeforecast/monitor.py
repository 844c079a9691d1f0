"""Is the model still right: what comes in, what came true, since when not, and would training anew help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from pipeforecast.backtest import Origin
from pipeforecast.champion import Chosen
from pipeforecast.drift import FEWEST_VALUES, Drift, change_of, drift_of, level_bins, number_bins
from pipeforecast.evaluate import chances
from pipeforecast.features import Features, describe
from pipeforecast.gate import paired
from pipeforecast.judgement import scored
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.models.deals import FittedDeals
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.run import Run, say
from pipeforecast.scores import row_log_loss
from pipeforecast.settings import MonitorSettings

#: Columns of ``monitor.csv``. Of drift, ``value`` is the stability index, ``lower`` what chance shows on average and
#: ``upper`` what it does not exceed.
MONITOR_COLUMNS = ("check", "name", "period", "value", "lower", "upper", "n", "verdict", "advice")
FINE = ("steady", "as said", "no change", "no gain", "cannot tell")
#: Without a registered model the reference is what was known this many periods ago.
_PERIODS_BACK = 4
_FEWEST_ROWS = 20
_LEVEL = 0.95
Row = dict[str, Any]


def checks(settings: MonitorSettings, use: Chosen, origins: Sequence[Origin]) -> pd.DataFrame:
    """Rows of ``monitor.csv``.

    Parameters
    ----------
    settings : MonitorSettings
    use : Chosen
        The registered model that is watched, or the recipe.
    origins : sequence of Origin
        Past days of complete periods, in the order of time.
    """
    run, recipe = use.run, use.run.model
    assert isinstance(recipe, PipelineForecaster)  # noqa: S101  asked by the verb; for the type checker
    say(f"replaying {recipe.deals.name} on {len(origins)} past days")
    table = chances(run.known, run.calendar, [recipe.deals], origins, run.plan, settings.origins.jobs)
    table = table.rename(columns={recipe.deals.name: "said"})
    shock = float(getattr(use.model, "shock_prior_sd", 0.0))
    rows = [*drift_rows(*_then_and_now(run, _cut_off(use, run, origins)))]
    rows += [*calibration_rows(table), *period_rows(table, shock), change_row(table, shock)]
    rows += [retraining_row(table, use, origins)]
    return pd.DataFrame(rows, columns=list(MONITOR_COLUMNS))


def _cut_off(use: Chosen, run: Run, origins: Sequence[Origin]) -> pd.Timestamp:
    """Day until which the watched model learned; without one, some periods back."""
    if use.saved is not None:
        return pd.Timestamp(use.saved.about["cut_off"])
    running = run.calendar.containing(run.as_of + pd.Timedelta(days=1))
    return max(run.calendar.shift(running, -_PERIODS_BACK).evening(0), origins[0].as_of)


def _then_and_now(run: Run, cut_off: pd.Timestamp) -> tuple[Features, Features]:
    """Describe the rows that taught the model, on the same day of their periods as today, and today's open deals."""
    day = run.calendar.containing(run.as_of + pd.Timedelta(days=1)).day_of(run.as_of)
    plan = run.plan.with_day(day)
    snapshot = prepare(run.known, run.calendar, plan, sorted({cut_off, run.as_of}))
    lessons = lessons_at(run.known, run.calendar, snapshot, cut_off, plan)
    same = [
        d for d in map(pd.Timestamp, lessons.snapshot.days)
        if run.calendar.containing(d + pd.Timedelta(days=1)).day_of(d) == day
    ]  # fmt: skip
    return describe(lessons.snapshot.only(same)), describe(snapshot.only([run.as_of]))


def drift_rows(then: Features, now: Features) -> Iterator[Row]:
    """Give one row a feature, and one for each category with levels that were never learned."""
    rng = np.random.default_rng(0)
    n, enough = len(now.as_of), min(len(now.as_of), len(then.as_of)) >= _FEWEST_ROWS
    names = [*then.numbers.columns, *then.categories.columns]
    for name in names:
        number = name in then.numbers
        before, today = ((f.numbers if number else f.categories)[name].to_numpy() for f in (then, now))
        if number and _of_the_day(before, then.as_of) and _of_the_day(today, now.as_of):
            advice = "one value for all deals of a day: no spread to compare"
            yield _row("drift", name, "", (np.nan,) * 3, n, "cannot tell", advice)
            continue
        binned = number_bins(before, today) if number else level_bins(before, today)
        found = drift_of(*binned, then.as_of, len(names), rng) if enough else Drift(np.nan, np.nan, np.nan, False)
        verdict = "cannot tell" if np.isnan(found.threshold) else "drifted" if found.moved else "steady"
        advice = "look at where it comes from; train anew once its outcomes are known" if found.moved else ""
        yield _row("drift", name, "", (found.value, found.by_chance, found.threshold), n, verdict, advice)
        if not number:
            fresh = sorted(set(today.astype(str)) - set(before.astype(str)))
            if fresh and enough:
                share = float(np.isin(today.astype(str), fresh).mean())
                told = f"never learned: {', '.join(fresh[:5])}" + (" …" if len(fresh) > 5 else "")
                yield _row("new_levels", name, "", (share, np.nan, np.nan), n, "new", told)


def _of_the_day(values: np.ndarray, day: np.ndarray) -> bool:
    """Whether a number says something of the day and nothing of single deals, such as the recent rate of wins."""
    by_day = pd.Series(values).groupby(day)
    known = bool(len(values)) and bool(np.isfinite(values).any())
    return known and len(np.unique(values)) >= len(by_day) and bool((by_day.max() == by_day.min()).all())


def calibration_rows(table: pd.DataFrame) -> Iterator[Row]:
    """Give slope and intercept over all replayed periods: chances that come true have 1 and 0."""
    wanted = {"calibration_slope": 1.0, "calibration_intercept": 0.0}
    found = scored(table, ["said"], scores=list(wanted))
    for score, value, lower, upper, n in found[["score", "value", "lower", "upper", "n"]].itertuples(index=False):
        off = lower > wanted[score] or upper < wanted[score]
        verdict = "cannot tell" if np.isnan(lower) else "off" if off else "as said"
        advice = "see evaluation.csv of train, by stage and segment" if off else ""
        yield _row("calibration", score, "all", (value, lower, upper), n, verdict, advice)


def by_period(table: pd.DataFrame, shock: float) -> pd.DataFrame:
    """Wins that were said and that came, period by period.

    Parameters
    ----------
    table : DataFrame
        ``period``, ``deal``, ``said``, ``won``.
    shock : float
        Sd, on the log-odds, of what moves all deals of a period together: part of what a forecast allows for.

    Returns
    -------
    DataFrame, index period in the order of the rows
        ``won``, ``said``, ``sd`` (of the difference, if chances are right; rows of one deal move together), ``n``.
    """
    p = table["said"].to_numpy(dtype="float64")
    spread = pd.DataFrame({
        "period": table["period"], "deal": table["deal"], "sd": np.sqrt(p * (1 - p)), "moves": p * (1 - p),
    })  # fmt: skip
    of_deal = spread.groupby(["period", "deal"], sort=False)[["sd", "moves"]].sum()
    own = (of_deal["sd"] ** 2).groupby(level="period", sort=False).sum()
    common = (of_deal["moves"].groupby(level="period", sort=False).sum() * shock) ** 2
    out = table.groupby("period", sort=False).agg(won=("won", "sum"), said=("said", "sum"), n=("won", "size"))
    return out.assign(sd=np.sqrt(own + common))


def period_rows(table: pd.DataFrame, shock: float) -> Iterator[Row]:
    """Give observed ÷ expected wins of each period; the ranges allow for looking at several periods."""
    found = by_period(table, shock)
    z = float(norm.ppf(1 - (1 - _LEVEL) / 2 / max(len(found), 1)))
    for period, row in found.iterrows():
        ratio, half = row["won"] / max(row["said"], 1e-9), z * row["sd"] / max(row["said"], 1e-9)
        verdict = "too few won" if ratio + half < 1 else "too many won" if ratio - half > 1 else "as said"
        advice = "" if verdict == "as said" else "beyond luck and a usual common shock: what was different then?"
        yield _row(
            "calibration", "wins ÷ said", str(period), (ratio, max(ratio - half, 0.0), ratio + half), int(row["n"]),
            verdict, advice,
        )  # fmt: skip


def change_row(table: pd.DataFrame, shock: float) -> Row:
    """Say since which period wins lie on another level against what was said."""
    found = by_period(table, shock)
    residuals: np.ndarray = ((found["won"] - found["said"]) / np.maximum(found["sd"], 1e-9)).to_numpy()
    change = change_of(residuals)
    if change is None:
        advice = f"{FEWEST_VALUES} periods or more tell: origins.periods={max(12, FEWEST_VALUES)}"
        return _row("change", "wins − said, in sd", "", (np.nan,) * 3, len(found), "cannot tell", advice)
    changed = change.p_value < 1 - _LEVEL
    direction = "fewer" if change.shift < 0 else "more"
    advice = f"since then {direction} wins than said (p = {change.p_value:.3f})" if changed else ""
    period = str(found.index[change.at]) if changed else ""
    verdict = "changed" if changed else "no change"
    return _row("change", "wins − said, in sd", period, (change.shift, np.nan, np.nan), len(found), verdict, advice)


def retraining_row(table: pd.DataFrame, use: Chosen, origins: Sequence[Origin]) -> Row:
    """Compare the model as it was at its cut-off with the recipe refitted at each later origin."""
    run, recipe = use.run, use.run.model
    assert isinstance(recipe, PipelineForecaster)  # noqa: S101
    cut_off = None if use.saved is None else pd.Timestamp(use.saved.about["cut_off"])
    later = [o for o in origins if cut_off is not None and o.as_of > cut_off]
    name, frozen = use.version, None if use.saved is None else use.saved.deals
    if len({o.period for o in later}) < 2:
        cut_off = origins[0].as_of
        later = [o for o in origins if o.as_of > cut_off]
        name, frozen = f"the recipe as of {cut_off.date()}", None
    if not later or cut_off is None:
        return _row("retraining", name, "", (np.nan,) * 3, 0, "cannot tell", "too few later periods")
    snapshot = prepare(run.known, run.calendar, run.plan, [cut_off, *(o.as_of for o in later)])
    if frozen is None:
        frozen = recipe.deals.fit(lessons_at(run.known, run.calendar, snapshot, cut_off, run.plan))
    assert frozen is not None  # noqa: S101
    rows = table[table["as_of"].isin([o.as_of for o in later]).to_numpy()]
    old = np.concatenate([_said(frozen, snapshot, o) for o in later])
    difference = row_log_loss(rows["won"], old) - row_log_loss(rows["won"], rows["said"])
    found = paired(difference, rows["period"], rows["deal"])
    helps = found.lower > 0
    verdict = "retrain" if helps else "cannot tell" if np.isnan(found.lower) else "no gain"
    advice = "run train: the gate decides" if helps else ""
    return _row(
        "retraining", f"log loss of {name} − refitted", "", (found.value, found.lower, found.upper), len(rows),
        verdict, advice,
    )  # fmt: skip


def _said(deals: FittedDeals, snapshot: Any, origin: Origin) -> np.ndarray:
    now = snapshot.only([origin.as_of])
    rng = np.random.default_rng(0)
    return np.asarray(deals.won_between(now, origin.period.start, origin.period.end, 0, rng)[0])


def in_words(found: pd.DataFrame, model: str) -> str:
    """Say in a few lines what was found; what is fine is counted, not listed."""
    odd = found[~found["verdict"].isin(FINE).to_numpy()]
    counts = found["check"].value_counts()
    lines = [f"watched {model}: {len(odd)} of {len(found)} checks ask for a look"]
    for check in ("drift", "new_levels", "calibration", "change", "retraining"):
        own = odd[(odd["check"] == check).to_numpy()]
        if own.empty:
            lines += [f"  {check}: nothing in {counts.get(check, 0)}"] if check in counts else []
        for row in own.head(8).to_dict("records"):
            where = f" {row['period']}" if row["period"] else ""
            low, high = row["lower"], row["upper"]
            ends = "" if pd.isna(low) or pd.isna(high) else f" ({low:.3g} to {high:.3g})"
            ends = f" (by chance up to {high:.3g})" if check == "drift" else ends
            lines.append(f"  {check}: {row['name']}{where} {row['value']:.3g}{ends}: {row['verdict']}. {row['advice']}")
    return "\n".join(lines)


def _row(
    check: str, name: str, period: str, values: tuple[float, ...], n: int, verdict: str, advice: str
) -> Row:  # fmt: skip
    return dict(zip(MONITOR_COLUMNS, (check, name, period, *values, n, verdict, advice), strict=True))
