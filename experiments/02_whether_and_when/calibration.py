"""Do chances, and the money that they promise, come true? All days of the last quarters of large companies."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from parts import CALENDAR, PLAN, company_of, options, past_days, told_by

from pipeforecast.evaluate import chances, evaluated
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.prior import WithPrior

SCORES = ("log_loss", "calibration_slope", "calibration_intercept", "calibration_error", "money_ratio")


def main() -> None:
    parser = options(__doc__, deals=[20_000], seeds=[51], quarters=8)
    told = told_by(parser, {})
    tables = []
    for deals in told.deals:
        for kind in told.kinds:
            for seed in told.seeds:
                began = time.monotonic()
                _, history = company_of(kind, deals, seed)
                table = chances(history, CALENDAR, [WithPrior(ChosenHazard())], past_days(history, told.quarters), PLAN)
                print(f"{kind} {deals} {seed}: {len(table):,} rows, {time.monotonic() - began:.0f} s", flush=True)
                tables.append(table.assign(company=kind))
    rows = [
        evaluated(part, ["hazard", "reps_own"], by_hand=["reps_own"]).assign(company=name)
        for name, part in [(t["company"].iloc[0], t) for t in tables] + [("both", _apart(tables))]
    ]
    found = pd.concat(rows, ignore_index=True)
    found.to_csv(told.out / "calibration.csv", index=False, float_format="%.5g")
    total = found[((found["split"] == "later periods") & found["score"].isin(SCORES)).to_numpy()]
    print(total[["company", "model", "score", "value", "lower", "upper", "n"]].round(4).to_string(index=False))
    by = found[
        (found["score"].isin(["calibration_intercept", "money_ratio"]) & (found["model"] == "hazard")).to_numpy()
    ]
    print(by.pivot_table(index="split", columns=["score", "company"], values="value").round(3).to_string())


def _apart(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Pool the companies: their periods and deals are not the same ones."""
    moved = [t.assign(deal=t["deal"] + i * 10**9, period=t["company"] + t["period"]) for i, t in enumerate(tables)]
    pool = pd.concat(moved, ignore_index=True)
    return pool.assign(owner=pool["company"] + pool["owner"].astype(str), won=pool["won"].astype(np.float64))


if __name__ == "__main__":
    main()
