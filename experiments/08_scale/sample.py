"""What does it cost to teach by a share of the deals, and what does it save?

On the last quarters of a made-up company each forecast is made twice: taught by all deals, and by about ``--most`` of
them. The same open deals and the same revenue judge both: log loss of P(won in the period), CRPS of the period's total
as a share of what came. Differences are paired quarter by quarter; their standard error is over quarters.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from companies import CALENDAR, PLAN, history_of  # noqa: E402

from pipeforecast.backtest import Origin, origins_of  # noqa: E402
from pipeforecast.build import build_recipe  # noqa: E402
from pipeforecast.demo import make_company  # noqa: E402
from pipeforecast.forecast import decided  # noqa: E402
from pipeforecast.history import DealHistory  # noqa: E402
from pipeforecast.kinds import HazardSettings  # noqa: E402
from pipeforecast.lessonplan import lessons_at, prepare  # noqa: E402
from pipeforecast.outcome import cause_in, observe, won_between  # noqa: E402
from pipeforecast.pipeline import PipelineForecaster  # noqa: E402
from pipeforecast.scores import crps_draws, log_loss  # noqa: E402

ALL = 10**9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--most", type=int, nargs="+", default=[5_000, 10_000, 20_000, 50_000])
    parser.add_argument("--quarters", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.most, told.quarters, told.out = [600], [150], 2, Path(tempfile.mkdtemp())
    found = []
    for deals in told.deals:
        history = history_of(make_company("standard", n_deals=deals, seed=told.seed))
        origins = origins_of(history, CALENDAR, (30,), told.quarters, history.written_until)
        rows = [one(history, o, most).assign(deals=deals) for o in origins for most in (ALL, *told.most)]
        found.append(pd.concat(rows, ignore_index=True))
    table = compared(pd.concat(found))
    told.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(told.out / "sample.csv", index=False, float_format="%.4g")
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4g}"))


def one(history: DealHistory, origin: Origin, most: int) -> pd.DataFrame:
    """Scores of one forecast, and what it took."""
    plan = dataclasses.replace(PLAN, most_deals=most)
    began = time.process_time()
    snapshot = prepare(history, CALENDAR, plan, [origin.as_of])
    lessons, now = lessons_at(history, CALENDAR, snapshot, origin.as_of, plan), snapshot.only([origin.as_of])
    recipe = PipelineForecaster(build_recipe(HazardSettings(), 7))
    made = decided(recipe, lessons).fit(lessons).forecast(now, origin.period)
    seconds = time.process_time() - began
    assert made.deals is not None
    p = made.deals.won_between(origin.period.start, origin.period.end)
    won = cause_in(observe(history, now, history.written_until).rows, origin.period) == 1
    came = float(won_between(history.latest(), origin.period.start, origin.period.end)["amount"].sum())
    return pd.DataFrame([{
        "most": most, "quarter": origin.period.name, "taught": lessons.snapshot.open["deal"].nunique(),
        "rows": len(lessons.snapshot.open), "log_loss": log_loss(won.astype("float64"), np.clip(p, 1e-6, 1 - 1e-6)),
        "crps": float(crps_draws(made.draw(), came)) / came, "seconds": seconds,
    }])  # fmt: skip


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of each share, and the paired difference from all deals with its standard error."""
    keys = ["deals", "quarter"]
    whole = rows[(rows["most"] == ALL).to_numpy()].set_index(keys)
    out = []
    for (deals, most), part in rows.groupby(["deals", "most"], sort=True):
        apart = part.set_index(keys)[["log_loss", "crps"]] - whole.loc[[deals], ["log_loss", "crps"]]
        error = apart.std(ddof=1) / np.sqrt(len(apart))
        mean = part[["taught", "rows", "log_loss", "crps", "seconds"]].mean()
        out.append({
            "deals": deals, "most": "all" if most == ALL else most, "quarters": len(part), **mean,
            **{f"{name}_more": apart[name].mean() for name in apart}, **{f"{n}_se": error[n] for n in apart},
        })  # fmt: skip
    return pd.DataFrame(out)


if __name__ == "__main__":
    main()
