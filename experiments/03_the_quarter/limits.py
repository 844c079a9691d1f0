"""How far is the quarter's distribution from the same method taught by many companies, and from other futures?"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from parts import (
    CALENDAR,
    PLAN,
    company_of,
    default,
    options,
    past_days,
    pooled,
    ratio_with_range,
    revenue,
    shown,
    thinned_lessons,
    told_by,
)

from pipeforecast.backtest import Origin
from pipeforecast.demo import Company, fork, replicate
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.models.arrivals import FittedArrivals, NewBusiness
from pipeforecast.models.windows import luck_of_one, read_windows
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.rollup import roll_up
from pipeforecast.scores import crps_draws
from pipeforecast.snapshot import Snapshot


def main() -> None:
    parser = options(__doc__, deals=[1200], seeds=(21, 24), quarters=4)
    parser.add_argument("--replicas", type=int, default=50)
    parser.add_argument("--rich-rows", type=int, default=60_000)
    parser.add_argument("--forks", type=int, default=200)
    parser.add_argument("--name", default="limits")
    told = told_by(parser, {"replicas": 2, "rich_rows": 2000, "forks": 20})
    told.out.mkdir(parents=True, exist_ok=True)
    found = []
    for deals in told.deals:
        for seed in range(*told.seeds):
            for kind in told.kinds:
                found.append(one(kind, deals, seed, told))
                whole = pd.concat(found, ignore_index=True)
                whole.to_csv(told.out / f"{told.name}_origins.csv", index=False, float_format="%.8g")
    shown(pd.DataFrame(summed(pd.concat(found))), told.out / f"{told.name}.csv")


def summed(origins: pd.DataFrame) -> list[dict[str, object]]:
    """CRPS of the model ÷ that of the data-rich limit, in all and by day; revenue weighs companies alike."""
    rows = []
    for deals, of_size in origins.groupby("deals"):
        for day in ("all", *sorted(of_size["day"].unique())):
            own = of_size if day == "all" else of_size[(of_size["day"] == day).to_numpy()]
            scale = own.groupby(["company", "seed"])["actual"].transform("mean")
            group = (own["company"] + own["seed"].astype(str) + own["period"]).to_numpy()
            model, rich, forks = ((own[c] / scale).to_numpy() for c in ("model", "rich", "forks"))
            ratio, low, high = ratio_with_range(model, rich, group)
            rows.append({
                "deals": deals, "day": day, "quarters": len(np.unique(group)), "model": model.mean(),
                "data_rich": rich.mean(), "forks": forks.mean(), "ratio": ratio, "lower": low, "upper": high,
            })  # fmt: skip
    return rows


def one(kind: str, deals: int, seed: int, told: argparse.Namespace) -> pd.DataFrame:
    began = time.monotonic()
    company, history = company_of(kind, deals, seed)
    origins = past_days(history, told.quarters)
    rows = told.rich_rows // told.replicas
    taught = [thinned_lessons(replicate(company, seed=10_000 + i), origins, rows) for i in range(told.replicas)]
    snapshot, recipe = prepare(history, CALENDAR, PLAN, [o.as_of for o in origins]), default()
    found = []
    for at, o in enumerate(origins):
        lessons, now = lessons_at(history, CALENDAR, snapshot, o.as_of, PLAN), snapshot.only([o.as_of])
        actual = revenue(history, o)
        made = recipe.fit(lessons).forecast(now, o.period)
        rich = data_rich([each[at] for each in taught], lessons, now, o)
        found.append({
            "company": kind, "deals": deals, "seed": seed, "period": o.period.name, "day": o.day, "actual": actual,
            "model": crps_draws(made.draw(), actual, fair=True), "rich": crps_draws(rich, actual, fair=True),
            "forks": crps_draws(forked(company, now, o, told.forks), actual, fair=True),
            "model_mean": made.value(), "rich_mean": rich.mean(),
        })  # fmt: skip
    table = pd.DataFrame(found)
    sums = table[["model", "rich", "forks"]].sum()
    print(f"{kind} {deals} {seed}: {time.monotonic() - began:.0f} s, {sums['model'] / sums['rich']:.3f} of the limit, "
          f"{sums['model'] / sums['forks']:.3f} of the forks", flush=True)  # fmt: skip
    return table


def data_rich(taught: Sequence[Lessons], own: Lessons, now: Snapshot, o: Origin) -> np.ndarray:
    """Draws of the period by the recipe taught by replicas, asked about the company's own deals."""
    pool, rich_now = pooled(taught, now)
    fitted = default().fit(pool)
    of_deals = fitted.outlook(rich_now, o.period)  # chances see the past of all companies
    outlook = dataclasses.replace(
        of_deals,
        snapshot=now,
        won=won_between(now.closed_by(o.as_of), o.period.start, o.period.end),
        new=_rich_new(pool, own, now, o, len(taught)),
    )
    return roll_up(outlook, (), 1000, 7, "data-rich").draw()


def _rich_new(pool: Lessons, own: Lessons, now: Snapshot, o: Origin, n: int) -> NewBusiness:
    """New business as ``n`` companies of one kind teach it: their windows, one company's size."""
    windows, ahead, brought = FittedArrivals(pool).windows(now, o.period)
    windows[["new", "money", "cohorts", "lately"]] /= n
    windows["pace"] = 0.0  # lessons are thinned: what was seen on a day is not whole
    _, seen, _ = FittedArrivals(own).windows(now, o.period)
    ahead = {**ahead, "cohorts": ahead["cohorts"] / n, "lately": seen["lately"], "pace": 0.0}
    if windows.empty or windows["new"].sum() <= 0:
        return NewBusiness(0.0, 0.0, brought)
    luck = luck_of_one(brought["amount"].to_numpy(dtype="float64"))
    return NewBusiness(*read_windows(windows, ahead, o.as_of, luck), brought)


def forked(company: Company, now: Snapshot, o: Origin, n: int) -> np.ndarray:
    """What the period brings in other futures of the same past, with what was already written as won."""
    futures = fork(company, o.as_of.date(), n=n, seed=1, until=o.period.end.date())
    known = won_between(now.closed_by(o.as_of), o.period.start, o.period.end)["amount"].sum()
    return futures.revenue(o.period.start.date(), o.period.end.date()) + float(known)


if __name__ == "__main__":
    main()
