"""Is the model useful with few closed deals? Taught by 0 to 60 of them, asked about a whole company's open deals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from parts import Case, cases, company_of, loss, options, past_days, told_by

from pipeforecast.evaluate import base_rate, same_stage_same_time
from pipeforecast.learning import part_of
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import WithPrior

BY_HAND = {"stage's base rate": same_stage_same_time, "base rate": base_rate}
MODELS = {"default": WithPrior(ChosenHazard()), "no prior": HazardModel(), "no prior, C 0.1": HazardModel(C=0.1)}


def main() -> None:
    parser = options(__doc__, deals=[2000], seeds=list(range(20)), quarters=1)
    parser.add_argument("--closed", type=int, nargs="+", default=[0, 1, 5, 20, 60])
    told = told_by(parser, {"seeds": [0, 1], "closed": [0, 5, 60]})
    rows = []
    for kind in told.kinds:
        _, history = company_of(kind, told.deals[0], 41)
        whole = list(cases(history, past_days(history, told.quarters)))
        won = np.concatenate([c.won for c in whole])
        for closed in told.closed:
            for seed in told.seeds:
                parts = [part(c, closed, seed) for c in whole]
                found = {n: [f(c.lessons, c.now, c.origin.period) for c in parts] for n, f in BY_HAND.items()}
                found |= {n: [_asked(m, c) for c in parts] for n, m in MODELS.items()}
                rows += [
                    {
                        "company": kind,
                        "closed": closed,
                        "seed": seed,
                        "method": n,
                        "log_loss": loss(won, np.concatenate(p)),
                    }
                    for n, p in found.items()
                ]
    table = pd.DataFrame(rows)
    table["less_stage"] = table["log_loss"] - table.groupby(["company", "closed", "seed"])["log_loss"].transform(
        "first"
    )
    table.to_csv(told.out / "few_deals.csv", index=False, float_format="%.5g")
    print("log loss less that of the stage's base rate: mean over seeds, then its standard error, then the log loss")
    for values, how in (("less_stage", "mean"), ("less_stage", "sem"), ("log_loss", "mean")):
        wide = table.pivot_table(index=["company", "method"], columns="closed", values=values, aggfunc=how)
        print(wide.round(4).to_string(), flush=True)


def part(case: Case, closed: int, seed: int) -> Case:
    """Forget all but ``closed`` closed deals, and as large a share of the open ones; ask about the same deals."""
    lessons, rng = case.lessons, np.random.default_rng(seed)
    is_open = (lessons.deals["status"] == "open").to_numpy()
    shut, still = lessons.deals.index[~is_open], lessons.deals.index[is_open]
    kept = {*rng.choice(shut, closed, replace=False), *still[rng.random(len(still)) < closed / len(shut)]}
    taught, now = part_of(lessons, case.now, lessons.deals.index[lessons.deals.index.isin(kept)])
    return dataclasses.replace(case, lessons=taught, now=now)


def _asked(model: object, case: Case) -> np.ndarray:
    period = case.origin.period
    return model.fit(case.lessons).won_between(case.now, period.start, period.end, 0, np.random.default_rng(0))[0]


if __name__ == "__main__":
    main()
