"""Do the ranges hold as often as they say, and is the model ever behind the rule that one would have chosen?

Many small companies, replayed over their last quarters; the first four of them only teach the rules their errors and
the model its spread.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from parts import CALENDAR, company_of, default, options, past_days, shown, told_by
from scipy.stats import binomtest

from pipeforecast.backtest import backtest
from pipeforecast.forecast import TOTAL
from pipeforecast.rules import RULES
from pipeforecast.scores import crps_draws, interval_score
from pipeforecast.settled import AUTO, BEST_RULE, MODEL, quantiles_of, settled

RANGES = {"50": ("p25", "p75"), "80": ("p10", "p90"), "95": ("p025", "p975")}
METHODS = (MODEL, BEST_RULE, AUTO)


def main() -> None:
    parser = options(__doc__, deals=[1200], seeds=(100, 125), quarters=8)
    parser.add_argument("--teach", type=int, default=4, help="quarters before, that only teach")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=None, help="folder in which each company's rows are kept")
    told = told_by(parser, {"seeds": (1, 2), "quarters": 1, "teach": 3})
    calls = [(d, s, k) for d in told.deals for s in range(*told.seeds) for k in told.kinds]
    tasks = (delayed(one)(k, d, s, told.quarters, told.teach, told.kept) for d, s, k in calls)
    found = pd.concat(Parallel(n_jobs=told.jobs)(tasks), ignore_index=True)
    shown(covered(found), told.out / "coverage.csv")
    shown(behind(found), told.out / "versus_rule.csv")


def one(kind: str, deals: int, seed: int, quarters: int, teach: int, kept: Path | None) -> pd.DataFrame:
    """Rows of the model, of the rule then and of ``auto`` at each scored origin, with their CRPS."""
    path = None if kept is None else kept / f"{kind}_{deals}_{seed}.csv"
    if path is not None and path.exists():
        return pd.read_csv(path)
    _, history = company_of(kind, deals, seed)
    origins = past_days(history, quarters + teach)
    scored = {o.period.name for o in origins[-3 * quarters :]}
    found = settled(backtest(history, CALENDAR, [default(), *RULES.values()], origins))
    rows = found.rows[((found.rows["level"] == TOTAL) & found.rows["method"].isin(METHODS)).to_numpy()]
    rows = rows[rows["period"].isin(scored).to_numpy()].assign(company=kind, deals=deals, seed=seed)
    rows["crps"] = [
        crps_draws(found.draws.get((r.as_of, r.period, r.method), quantiles_of(rows.loc[r.Index])), r.actual)
        for r in rows.itertuples()
    ]
    rows = rows.drop(columns=["as_of", "period_end", "level", "group"])
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(path, index=False)
    print(f"{kind} {deals} {seed}: {len(rows)} rows", flush=True)
    return rows


def covered(rows: pd.DataFrame) -> pd.DataFrame:
    """How often each range held, by day; days of a quarter hang together, so each day is counted for itself."""
    out = []
    scale = rows.groupby(["company", "deals", "seed"])["actual"].transform("mean")
    for (deals, method, day), own in rows.groupby(["deals", "method", "day_of_period"]):
        own = own.dropna(subset=["p10"])
        row: dict[str, object] = {"deals": deals, "method": method, "day": day, "quarters": len(own)}
        for name, (low, high) in RANGES.items():
            held = int(((own[low] <= own["actual"]) & (own["actual"] <= own[high])).sum())
            row[f"cover{name}"] = held / max(len(own), 1)
            if name == "80" and len(own):
                ends = binomtest(held, len(own)).proportion_ci(0.9, "exact")
                row |= {"cover80_low": ends.low, "cover80_high": ends.high}
        of = scale.loc[own.index]
        row["interval_score"] = float((interval_score(own["p10"], own["p90"], own["actual"], 0.8) / of).mean())
        row["crps"], row["bias"] = float((own["crps"] / of).mean()), own["mean"].sum() / own["actual"].sum() - 1
        out.append(row)
    return pd.DataFrame(out)


def behind(rows: pd.DataFrame, draws: int = 2000) -> pd.DataFrame:
    """CRPS of the model less that of the rule then, as a share of revenue; seed-quarters are drawn again."""
    out = []
    rows = rows.assign(loss=rows["crps"] / rows.groupby(["company", "deals", "seed"])["actual"].transform("mean"))
    key = ["deals", "day_of_period", "company", "seed", "period"]
    wide = rows.pivot_table(index=key, columns="method", values="loss").dropna(subset=[MODEL, BEST_RULE])
    for (deals, day), own in wide.groupby(level=["deals", "day_of_period"]):
        apart = (own[MODEL] - own[BEST_RULE]).to_numpy()
        pick = np.random.default_rng(0).integers(len(apart), size=(draws, len(apart)))
        low, high = np.quantile(apart[pick].mean(axis=1), [0.05, 0.95])
        out.append({
            "deals": deals, "day": day, "quarters": len(own), "model": own[MODEL].mean(), "rule": own[BEST_RULE].mean(),
            "auto": own[AUTO].mean(), "difference": apart.mean(), "lower": low, "upper": high,
        })  # fmt: skip
    return pd.DataFrame(out)


if __name__ == "__main__":
    main()
