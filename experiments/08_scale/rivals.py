"""Against others: score beside time on equal rows and equal test deals, and snapshots beside plain pandas.

python -m venv rivals && rivals/bin/pip install hazardous==0.2.0 lifelines==0.30.3 scikit-survival==0.28.0
python experiments/08_scale/rivals.py --python rivals/bin/python

The rivals are installed in an environment of their own. They are handed a finished matrix, whose making is part of the
time of the hazards. One thread each; processor seconds stand beside seconds, and ratios are of processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "02_whether_and_when"))

from candidates import AHEAD
from parts import CALENDAR, PLAN, Case, cases, company_of, integrated_brier, loss, past_days
from plain_pandas import counted_once, day_by_day, differs
from rival_fits import RIVALS

from pipeforecast.features import Features, describe
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import prepare
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.deals import Recipe
from pipeforecast.models.design import DealDesign
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.lived import taught
from pipeforecast.models.prior import WithPrior

HERE = Path(__file__).parent
ALL = replace(PLAN, most_deals=10**9)  # no sample of deals: pandas takes all of them too
ALONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    told = told_by()
    rows, snapshots = [], []
    for kind, seed in product(told.kinds, told.seeds):
        _, history = company_of(kind, told.deals, seed)
        snapshots += [{"company": kind, "seed": seed, **row} for row in rewound(history, told.repeats)]
        followed = past_days(history, told.quarters, (0,), before=int(AHEAD[-1]))
        for case in cases(history, followed):
            rows += [{"company": kind, "seed": seed, **row} for row in compared(case, told)]
    if told.python is None:
        print("no --python of an environment with the rivals: the hazards alone")
    shown(against(rows), told.out / "rivals.csv")
    shown(pd.DataFrame(snapshots), told.out / "snapshots.csv")


def told_by() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, help="Python of the environment that has the rivals")
    parser.add_argument("--deals", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32])
    parser.add_argument("--kinds", nargs="+", default=["standard", "other"])
    parser.add_argument("--quarters", type=int, default=1)
    parser.add_argument("--rows", type=int, default=5000, help="snapshot rows to learn from")
    parser.add_argument("--rivals", nargs="+", default=list(RIVALS), choices=list(RIVALS))
    parser.add_argument("--repeats", type=int, default=3, help="times that snapshots are taken; the best counts")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.kinds, told.seeds, told.rows, told.repeats = 600, ["standard"], [31], 300, 1
        told.out = Path(tempfile.mkdtemp())
    return told


def rewound(history: DealHistory, repeats: int) -> list[dict[str, Any]]:
    """Take the snapshots that a forecast needs, by one query and in plain pandas; all give the same rows."""
    found, best = {}, dict.fromkeys(("one query", "pandas, counted once", "pandas, day by day"), np.inf)
    for _ in range(repeats):
        ours, spent = clocked(lambda: prepare(history, CALENDAR, ALL, [history.written_until]))
        best["one query"] = min(best["one query"], spent)
        days = [pd.Timestamp(d) for d in ours.days]
        for name, how in (("pandas, counted once", counted_once), ("pandas, day by day", day_by_day)):
            found[name], spent = clocked(lambda how=how, days=days: how(history, days))
            best[name] = min(best[name], spent)
    for name, plain in found.items():
        if wrong := differs(plain, ours.open):
            raise SystemExit(f"{name}: other rows than take_snapshots: {wrong}")
    return [
        {"how": name, "days": len(ours.days), "states": len(history.states), "rows": len(ours.open), "cpu_s": spent,
         "ratio": spent / best["one query"]} for name, spent in best.items()
    ]  # fmt: skip


def compared(case: Case, told: argparse.Namespace) -> list[dict[str, Any]]:
    """Score each method on one day's deals, all of them followed for a year."""
    own = HazardModel(max_rows=told.rows)
    ours: dict[str, Recipe] = {
        "hazards": own, "hazards, form chosen": WithPrior(ChosenHazard(own))
    }  # fmt: skip
    found = {name: hazards(recipe, case) for name, recipe in ours.items()}
    if told.python is not None:
        found |= {name: rival(case, told, name) for name in told.rivals}
    about = {"as_of": case.origin.as_of.date(), "rows": told.rows, "asked": len(case.won)}
    return [
        {**about, "method": name, "log_loss": loss(case.won, by[:, -1]),
         "brier": float(((by[:, -1] - case.won) ** 2).mean()),
         "brier_over_time": integrated_brier(case, by[:, :-1], AHEAD), **clock} for name, (by, clock) in found.items()
    ]  # fmt: skip


def hazards(recipe: Recipe, case: Case) -> tuple[np.ndarray, dict[str, float]]:
    """Chances by ours of being won by the days ahead and, last, in the period (m, t + 1)."""
    period, as_of = case.origin.period, case.origin.as_of
    began, spent = time.perf_counter(), time.process_time()
    fitted = recipe.fit(case.lessons)
    made = fitted.forecast(case.now, np.ones(len(case.now.open)))
    by = [made.won_by(as_of + pd.Timedelta(days=int(d))) for d in AHEAD]
    inside = fitted.won_between(case.now, period.start, period.end, 0, np.random.default_rng(0))[0]
    return np.stack([*by, inside], 1), {"seconds": time.perf_counter() - began, "cpu": time.process_time() - spent}


def rival(case: Case, told: argparse.Namespace, name: str) -> tuple[np.ndarray, dict[str, float]]:
    """Hand over the same rows (described alike, with the days to the expected close), and read the chances."""
    learned = taught(case.lessons, np.inf, told.rows, HazardModel().seed)
    features, now = describe(learned.snapshot), describe(case.now)
    design, end = DealDesign().fit(features), (case.origin.period.end - case.origin.as_of).days
    cause = learned.outcome["status"].map({"won": 1, "lost": 2}).fillna(0).to_numpy(dtype=int)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder) / "rows.npz", x=with_due(design, features), days=np.maximum(learned.outcome["days"], 0.5),
            cause=cause, now=with_due(design, now), ahead=np.append(AHEAD, end).astype("float64"),
        )  # fmt: skip
        command = [str(told.python), str(HERE / "rival_fits.py"), folder, name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **ALONE})
        won = np.load(Path(folder) / "won.npy")
    return won, json.loads(done.stdout.strip().splitlines()[-1])


def with_due(design: DealDesign, features: Features) -> np.ndarray:
    due = (features.due - features.as_of).astype("float64") / 86400
    due[np.isnat(features.due)] = np.nan
    return np.column_stack([design.transform(features), due])


def against(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Say how many times the processor time of the hazards each method took on the same rows."""
    table = pd.DataFrame(rows)
    first = table[table["method"] == "hazards"].set_index(["company", "seed", "as_of"])["cpu"]
    of = pd.MultiIndex.from_frame(table[["company", "seed", "as_of"]])
    return table.assign(ratio=table["cpu"].to_numpy() / first.reindex(of).to_numpy())


def clocked(run: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return run(), time.process_time() - began


def shown(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.5g")
    print(f"\n{path.stem}\n{table.round(4).to_string(index=False)}", flush=True)


if __name__ == "__main__":
    main()
