"""How far is the default from the same model taught by many companies, and from other futures of the same past?"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from parts import CALENDAR, PLAN, company_of, data_rich, forked, loss, options, past_days, shown, told_by

from pipeforecast.evaluate import chances
from pipeforecast.evidence import bootstrap_by_group
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.prior import WithPrior

MODEL = WithPrior(ChosenHazard())


def main() -> None:
    parser = options(__doc__, deals=[2000], seeds=[21, 22, 23], quarters=4)
    parser.add_argument("--replicas", type=int, default=50)
    parser.add_argument("--rich-rows", type=int, default=150_000)
    parser.add_argument("--forks", type=int, default=200)
    parser.add_argument("--name", default="limits")
    told = told_by(parser, {"replicas": 2, "rich_rows": 4000, "forks": 20})
    rows = []
    for deals in told.deals:
        for kind in told.kinds:
            for seed in told.seeds:
                rows += one(kind, deals, seed, told)
    shown(
        pd.DataFrame(rows), told.out / f"{told.name}.csv", index=["deals", "company"], values=list(rows[0])[3:],
        aggfunc="mean",
    )  # fmt: skip


def one(kind: str, deals: int, seed: int, told: object) -> list[dict[str, object]]:
    began = time.monotonic()
    company, history = company_of(kind, deals, seed)
    origins = past_days(history, told.quarters)
    table = chances(history, CALENDAR, [MODEL], origins, PLAN)
    table["data-rich"] = data_rich(company, history, origins, told.replicas, told.rich_rows)
    table["forks"] = forked(company, history, table, origins, told.forks) if told.forks else np.nan
    won = table["won"].to_numpy()
    ratio = bootstrap_by_group(
        lambda at: loss(won[at], table["hazard"].to_numpy()[at]) / loss(won[at], table["data-rich"].to_numpy()[at]) - 1,
        table["deal"],
        draws=200,
    )
    print(f"{kind} {deals} {seed}: {time.monotonic() - began:.0f} s, {ratio.value:+.2%} above the limit", flush=True)
    return [{
        "company": kind, "deals": deals, "seed": seed, "model": loss(won, table["hazard"]),
        "data-rich": loss(won, table["data-rich"]), "above": ratio.value, "lower": ratio.lower, "upper": ratio.upper,
        "forks": loss(won, table["forks"]) if told.forks else np.nan, "rows": len(table),
    }]  # fmt: skip


if __name__ == "__main__":
    main()
