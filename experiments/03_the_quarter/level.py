"""Does it help to move the level by what the last quarters left over?

Two readings of it beside the forecast as it is, on the last quarters of made-up companies; the first four only teach.
``shift``: residuals of past quarters on the log-odds of winning follow a slow wave and a shock of each quarter's own;
sizes are weighed by how well they explain them (as ``models/shock.py`` does for the shock alone), and what is expected
of the next quarter moves all chances. ``ratio``: what came ÷ what was forecast over earlier origins of the same day,
pulled towards 1 by four quarters' worth, moves all that is still to come.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
from parts import CALENDAR, PLAN, company_of, default, options, past_days, revenue, shown, told_by

from pipeforecast.contract import WON
from pipeforecast.forecast import TOTAL, decided
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.models.deals import FittedDeals
from pipeforecast.outcome import Lessons
from pipeforecast.rollup import Outlook, roll_up
from pipeforecast.scores import crps_draws

SIZES, FADES, PRIOR = np.linspace(0.0, 0.5, 11), (0.3, 0.6, 0.85), 0.15
PULL = 4.0


def main() -> None:
    parser = options(__doc__, deals=[1200], seeds=(301, 304), quarters=12)
    told = told_by(parser, {"quarters": 6})
    rows = pd.concat(
        one(kind, deals, seed, told.quarters)
        for deals, seed, kind in itertools.product(told.deals, range(*told.seeds), told.kinds)
    )
    rows.to_csv(told.out / "level_origins.csv", index=False, float_format="%.6g")
    shown(summed(rows), told.out / "level.csv")


def one(kind: str, deals: int, seed: int, quarters: int) -> pd.DataFrame:
    """CRPS and error of each reading at each origin after the first four quarters, as a share of revenue."""
    _, history = company_of(kind, deals, seed)
    origins = past_days(history, quarters)
    snapshot, recipe, rows = prepare(history, CALENDAR, PLAN, [o.as_of for o in origins]), default(), []
    came: dict[int, list[tuple[float, float]]] = {}
    for o in origins:
        lessons, now = lessons_at(history, CALENDAR, snapshot, o.as_of, PLAN), snapshot.only([o.as_of])
        recipe = decided(default(), lessons) if o.day == 0 else recipe
        fitted = recipe.fit(lessons)
        outlook, actual = fitted.outlook(now, o.period), revenue(history, o)
        plain, base = _draws(outlook)
        shifted, moved = _draws(_shifted(outlook, *expected_shift(*_residuals(fitted.deals, lessons))))
        won, earlier = float(outlook.won["amount"].sum()), came.setdefault(o.day, [])
        factor = _ratio(earlier)
        told = {"none": (plain, base), "shift": (shifted, moved),
                "ratio": (won + factor * (plain - won), won + factor * (base - won))}  # fmt: skip
        for name, (mean, draws) in told.items():
            rows.append({
                "company": kind, "deals": deals, "seed": seed, "period": o.period.name, "day": o.day, "level": name,
                "actual": actual, "crps": crps_draws(draws, actual), "error": mean - actual,
                "held80": float(0.1 <= (draws <= actual).mean() <= 0.9),
            })  # fmt: skip
        earlier.append((actual - won, plain - won))
    print(f"{kind} {deals} {seed}", flush=True)
    table = pd.DataFrame(rows)
    table[["crps", "error"]] /= table["actual"].mean()
    taught = sorted(table["period"].unique())[: min(4, quarters - 1)]
    return table[~table["period"].isin(taught)]


def _draws(outlook: Outlook) -> tuple[float, np.ndarray]:
    found = roll_up(outlook, (), 1000, 7, "model")
    whole = (found.cells["part"] == TOTAL).to_numpy()
    return float(found.mean[whole][0]), found.draw()


def _residuals(deals: FittedDeals, lessons: Lessons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quarters ago, wins beyond those expected on the log-odds, and their variance by luck."""
    out, rng, past = [], np.random.default_rng(0), lessons.past_periods(12)
    for ago, period in zip(range(len(past), 0, -1), past, strict=True):
        at = (lessons.snapshot.open["as_of"] == period.evening(0)).to_numpy()
        if at.sum() >= 5:
            p = deals.won_between(lessons.snapshot.only([period.evening(0)]), period.start, period.end, 0, rng)[0]
            outcome, information = lessons.outcome.rows[at], float((p * (1 - p)).sum())
            won = (outcome["status"] == WON) & (outcome["closed_at"] <= period.end)
            if information > 1:
                out.append((ago, (won.sum() - p.sum()) / information, 1 / information))
    ago, residual, variance = np.array(out).T if out else np.zeros((3, 0))
    return ago, residual, variance


def expected_shift(ago: np.ndarray, residual: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Mean and sd of the coming quarter's shift, over all sizes of wave and shock as they are likely."""
    apart = np.abs(ago[:, None] - ago)
    found = []
    for shock, wave, fade in itertools.product(SIZES, SIZES, FADES):
        k = np.eye(len(ago)) * shock**2 + wave**2 * fade**apart + np.diag(variance)
        ahead = wave**2 * fade**ago
        root = np.linalg.cholesky(k)
        r, a = np.linalg.solve(k, np.column_stack([residual, ahead])).T
        log = -np.log(np.diag(root)).sum() - 0.5 * residual @ r - 0.5 * (shock**2 + wave**2) / PRIOR**2
        found.append((log, ahead @ r, shock**2 + wave**2 - ahead @ a))
    log, mean, var = np.array(found).T
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    centre = float(weight @ mean)
    return centre, float(np.sqrt(weight @ (var + (mean - centre) ** 2)))


def _shifted(outlook: Outlook, shift: float, sd: float) -> Outlook:
    def moved(p: np.ndarray) -> np.ndarray:
        inside = np.clip(p, 1e-300, 1 - 1e-9)
        return np.asarray(1 / (1 + np.exp(-(np.log(inside) - np.log1p(-inside) + shift))))

    new = dataclasses.replace(outlook.new, mean=outlook.new.mean * float(np.exp(shift)))
    return dataclasses.replace(outlook, chances=moved(outlook.chances), unsure=moved(outlook.unsure), new=new, shock=sd)


def _ratio(earlier: list[tuple[float, float]]) -> float:
    if not earlier:
        return 1.0
    came, said = np.array(earlier).sum(axis=0)
    pull = PULL * said / len(earlier)
    return float((came + pull) / (said + pull)) if said + pull > 0 else 1.0


def summed(rows: pd.DataFrame, draws: int = 2000) -> pd.DataFrame:
    """By size, day and reading: CRPS, its difference to none (90 %, seed-quarters drawn again), bias and coverage."""
    out = []
    for (deals, day), own in rows.groupby(["deals", "day"]):
        wide = own.pivot_table(index=["company", "seed", "period"], columns="level", values="crps")
        pick = np.random.default_rng(0).integers(len(wide), size=(draws, len(wide)))
        for name, part in own.groupby("level"):
            apart = (wide[name] - wide["none"]).to_numpy()
            low, high = np.quantile(apart[pick].mean(axis=1), [0.05, 0.95])
            out.append({
                "deals": deals, "day": day, "level": name, "quarters": len(wide), "crps": part["crps"].mean(),
                "difference": apart.mean(), "lower": low, "upper": high, "bias": part["error"].mean(),
                "held80": part["held80"].mean(),
            })  # fmt: skip
    return pd.DataFrame(out)


if __name__ == "__main__":
    main()
