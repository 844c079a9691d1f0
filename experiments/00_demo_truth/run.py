"""How far are the chances to win from what could be known? Both demo companies, both limits. See README.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from companies import CALENDAR, PLAN, data_rich, forked, history_of

from pipeforecast.backtest import origins_of
from pipeforecast.demo import make_company
from pipeforecast.evaluate import BASELINES, chances
from pipeforecast.models.hazard import HazardModel
from pipeforecast.scores import LEAST, auc, log_loss


def one(kind: str, seed: int, told: argparse.Namespace, models: Sequence[HazardModel]) -> pd.DataFrame:
    """Score one company: a row per method and day of the quarter (−1: all days)."""
    company = make_company(kind, n_deals=told.deals, seed=seed)
    history = history_of(company)
    origins = origins_of(history, CALENDAR, (0, 30, 60), told.quarters, history.written_until)
    table = chances(history, CALENDAR, models, origins, PLAN)
    methods = [*(m.name for m in models), *BASELINES]
    if told.replicas:
        table["data-rich limit"] = data_rich(company, history, origins, told.replicas, told.rich_rows)
        methods.append("data-rich limit")
    if told.forks:
        table["forks"] = forked(company, history, table, origins, told.forks)
        methods.append("forks")
    rows = []
    known = table.dropna(subset=methods)
    for day in (-1, 0, 30, 60):
        part = known if day < 0 else known[(known["day_of_period"] == day).to_numpy()]
        for method in methods:
            p = np.clip(part[method].to_numpy(), LEAST, 1 - LEAST)
            rows.append({
                "company": kind, "seed": seed, "day": day, "method": method, "n": len(part),
                "log_loss": log_loss(part["won"], p), "auc": auc(part["won"], p),
            })  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    """Run the experiment and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kinds", nargs="+", default=["standard", "other"])
    parser.add_argument("--quarters", type=int, default=6)
    parser.add_argument("--replicas", type=int, default=50)
    parser.add_argument("--rich-rows", type=int, default=150_000)
    parser.add_argument("--forks", type=int, default=200)
    parser.add_argument("--penalties", type=float, nargs="*", default=[], help="further models of these penalties")
    parser.add_argument("--half-lives", type=float, nargs="*", default=[], help="further models whose lessons age")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.seeds, told.quarters, told.replicas, told.forks = 800, [1], 1, 2, 20
        told.out = Path(tempfile.mkdtemp())
    models = [HazardModel()]
    models += [HazardModel(C=c, name=f"penalty {c:g}") for c in told.penalties]
    models += [HazardModel(half_life=days, name=f"half-life {days:g}") for days in told.half_lives]
    found = []
    for kind in told.kinds:
        for seed in told.seeds:
            began = time.monotonic()
            found.append(one(kind, seed, told, models))
            print(f"{kind} {seed}: {time.monotonic() - began:.0f} s", flush=True)
    rows = pd.concat(found, ignore_index=True)
    rows.to_csv(told.out / "scores.csv", index=False, float_format="%.5f")
    for score in ("log_loss", "auc"):
        print(f"\n{score} of P(won in the quarter), mean over seeds; day -1: all days together")
        wide = rows.pivot_table(index=["company", "method"], columns="day", values=score)
        print(wide.sort_values(["company", -1]).round(4).to_string())


if __name__ == "__main__":
    main()
