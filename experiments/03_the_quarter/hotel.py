"""Real hotel bookings: revenue by quarter, by hotel and by month, forecast from past days. No pass mark.

The data and how to read them stand in ``../01_first_real_quarters``; this only asks for other cuts of the same replay.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from parts import options, shown, told_by
from scipy.stats import binomtest

from pipeforecast.cli import main as pipeforecast

SAME = ["crm=hotel_bookings", "model.half_life=90", "levels=[region]", "tracking=off"]
RULES = "rules=[mean_of_four,same_stage_same_time,coverage_yield,same_period_last_year]"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    told = told_by(parser, {})
    where = os.environ.get("PIPEFORECAST_REAL_DATA")
    if not where:
        print("skipped: PIPEFORECAST_REAL_DATA names no folder with the data")
        return
    source, rows = f"source={Path(where) / 'hotel'}", []
    cuts = [("month", ["calendar=month", "origins.days=[0,10,20]", f"origins.periods={2 if told.small else 12}"])]
    if not told.small:
        cuts.insert(0, ("quarter", ["calendar=quarter", "origins.days=[0,30,60]", "origins.periods=5"]))
    for name, words in cuts:
        folder = told.out / f"hotel_{name}"
        status = pipeforecast(["backtest", *SAME, RULES, *words, source, f"origins.jobs={told.jobs}", f"out={folder}"])
        if status:
            raise SystemExit(status)
        rows += cut(name, pd.read_csv(folder / "backtest.csv"))
    shown(pd.DataFrame(rows), told.out / "hotel.csv")


def cut(name: str, table: pd.DataFrame) -> list[dict[str, object]]:
    """Error and coverage of the model, in total and by hotel, by day."""
    own, out = table[(table["method"] == "model").to_numpy()], []
    for (level, group, day), part in own.groupby(["level", "group", "day_of_period"]):
        held = int(((part["p10"] <= part["actual"]) & (part["actual"] <= part["p90"])).sum())
        ends = binomtest(held, len(part)).proportion_ci(0.9, "exact")
        out.append({
            "by": name, "level": level, "group": group, "day": day, "periods": len(part),
            "wape": (part["mean"] - part["actual"]).abs().sum() / part["actual"].sum(), "held80": held,
            "cover80": held / len(part), "lower": ends.low, "upper": ends.high,
        })  # fmt: skip
    return out


if __name__ == "__main__":
    main()
