"""Which kind of deal model, and which baseline, gives the best chances on later quarters?"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
from parts import Case, cases, company_of, integrated_brier, loss, options, past_days, shown, told_by

from pipeforecast.evaluate import BASELINES
from pipeforecast.models.blend import Blend
from pipeforecast.models.boosted import BoostedHazards
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.classical import AalenJohansen, Cox
from pipeforecast.models.deals import Recipe
from pipeforecast.models.direct import DirectIncidence
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import WithPrior
from pipeforecast.models.stages import StageTransitions

#: Days ahead at which P(won by) is scored, once every deal has been followed that far.
AHEAD = np.array([15, 30, 60, 91, 122, 182, 274, 365])
KINDS: Mapping[str, Recipe] = {
    "default: hazard, form chosen": WithPrior(ChosenHazard()),
    "hazard, pooled": HazardModel(),
    "hazard, by stage": HazardModel(by="stage"),
    "hazard, by segment": HazardModel(by="segment"),
    "hazard, straight lines": HazardModel(bends=0),
    "hazard, less shrunk (C 0.1)": HazardModel(C=0.1),
    "boosted hazards": BoostedHazards(),
    "direct incidence": DirectIncidence(),
    "blend of hazard and incidence": Blend((HazardModel(), DirectIncidence())),
    "stage transitions": StageTransitions(),
    "Cox": Cox(),
    "Aalen-Johansen by stage": AalenJohansen(),
}


def main() -> None:
    parser = options(__doc__, deals=[2000, 5000], seeds=[31, 32], quarters=4)
    parser.add_argument("--only", nargs="*", default=list(KINDS))
    told = told_by(parser, {})
    rows = []
    for deals in told.deals:
        for kind in told.kinds:
            for seed in told.seeds:
                began = time.monotonic()
                rows += one(kind, deals, seed, told.quarters, told.only)
                print(f"{kind} {deals} {seed}: {time.monotonic() - began:.0f} s", flush=True)
    table = pd.DataFrame(rows)
    for score in ("log_loss", "brier_over_time"):
        part = table[["company", "deals", "seed", "method", "fit_s", score]]
        shown(part, told.out / f"candidates_{score}.csv", index="method", columns=["deals", "company"], values=score)
    shown(table, told.out / "candidates.csv", index="method", values=["log_loss", "brier_over_time", "fit_s"])


def one(kind: str, deals: int, seed: int, quarters: int, only: list[str]) -> list[dict[str, object]]:
    """Score every method on the last quarters, and over a year ahead on quarters a year before the end."""
    _, history = company_of(kind, deals, seed)
    last = list(cases(history, past_days(history, quarters)))
    followed = list(cases(history, past_days(history, 1, before=int(AHEAD[-1]))))
    won = np.concatenate([c.won for c in last])
    rows = []
    for name in only:
        began = time.monotonic()
        p = np.concatenate([_in_period(KINDS[name], c) for c in last])
        seconds = (time.monotonic() - began) / len(last)
        brier = [_over_time(KINDS[name], c) for c in followed]
        rows.append(_row(kind, deals, seed, name, loss(won, p), float(np.mean(brier)), seconds))
    for name, baseline in BASELINES.items():
        p = np.concatenate([baseline(c.lessons, c.now, c.origin.period) for c in last])
        rows.append(_row(kind, deals, seed, name, loss(won, p), np.nan, np.nan))
    return rows


def _row(kind: str, deals: int, seed: int, name: str, log_loss: float, brier: float, s: float) -> dict[str, object]:
    return {
        "company": kind, "deals": deals, "seed": seed, "method": name, "log_loss": log_loss,
        "brier_over_time": brier, "fit_s": s,
    }  # fmt: skip


def _in_period(recipe: Recipe, case: Case) -> np.ndarray:
    period = case.origin.period
    fitted = recipe.fit(case.lessons)
    return fitted.won_between(case.now, period.start, period.end, 0, np.random.default_rng(0))[0]


def _over_time(recipe: Recipe, case: Case) -> float:
    made = recipe.fit(case.lessons).forecast(case.now, np.ones(len(case.now.open)))
    by = np.stack([made.won_by(case.origin.as_of + pd.Timedelta(days=int(d))) for d in AHEAD], axis=1)
    return integrated_brier(case, by, AHEAD)


if __name__ == "__main__":
    main()
