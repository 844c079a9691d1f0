"""Against hazardous' SurvivalBoost on equal rows and equal test deals; it runs in an environment of its own.

python -m venv rivals && rivals/bin/pip install hazardous==0.2.0
python experiments/02_whether_and_when/rivals.py --python rivals/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from candidates import AHEAD
from parts import HERE, Case, cases, company_of, integrated_brier, loss, options, past_days, shown, told_by

from pipeforecast.features import describe
from pipeforecast.models.design import DealDesign
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.lived import taught


def main() -> None:
    parser = options(__doc__, deals=[2000], seeds=[31], quarters=1)
    parser.add_argument("--python", type=Path, help="Python of the environment that has hazardous")
    parser.add_argument("--rows", type=int, default=800, help="snapshot rows to learn from")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of SurvivalBoost (its default is 100)")
    told = told_by(parser, {"rows": 300})
    rows = []
    for kind in told.kinds:
        for seed in told.seeds:
            _, history = company_of(kind, told.deals[0], seed)
            followed = past_days(history, told.quarters, (0,), before=int(AHEAD[-1]))
            for case in cases(history, followed):
                rows += _compared(case, told, kind)
    if told.python is None:
        print("no --python of an environment with hazardous: the hazards alone")
    shown(
        pd.DataFrame(rows), told.out / "rivals.csv", index=["company", "method"],
        values=["log_loss", "brier_over_time", "seconds"],
    )  # fmt: skip


def _compared(case: Case, told: argparse.Namespace, kind: str) -> list[dict[str, object]]:
    period, as_of = case.origin.period, case.origin.as_of
    end = (period.end - as_of).days
    began = time.monotonic()
    fitted = HazardModel(max_rows=told.rows).fit(case.lessons)
    made = fitted.forecast(case.now, np.ones(len(case.now.open)))
    p = fitted.won_between(case.now, period.start, period.end, 0, np.random.default_rng(0))[0]
    found = {"hazard": (p, np.stack([made.won_by(as_of + pd.Timedelta(days=int(d))) for d in AHEAD], 1), _since(began))}
    if told.python is not None:
        found["SurvivalBoost"] = _survival_boost(case, told, end)
    return [
        {
            "company": kind, "as_of": as_of.date(), "method": name, "log_loss": loss(case.won, at_end),
            "brier_over_time": integrated_brier(case, by, AHEAD), "seconds": seconds,
        }
        for name, (at_end, by, seconds) in found.items()
    ]  # fmt: skip


def _survival_boost(case: Case, told: argparse.Namespace, end: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Hand over the same rows (described alike, with the days to the expected close), and read its chances."""
    learned = taught(case.lessons, np.inf, told.rows, HazardModel().seed)
    features, now = describe(learned.snapshot), describe(case.now)
    design, outcome = DealDesign().fit(features), learned.outcome
    cause = outcome["status"].map({"won": 1, "lost": 2}).fillna(0).to_numpy(dtype=int)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder) / "rows.npz", x=_with_due(design, features), days=np.maximum(outcome["days"], 0.5),
            cause=cause, now=_with_due(design, now), ahead=np.append(AHEAD, end).astype("float64"),
        )  # fmt: skip
        done = subprocess.run(
            [str(told.python), str(HERE / "survival_boost.py"), folder, str(told.rounds)],
            capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # many small trees: threads that wait cost more than they give
        )  # fmt: skip
        won = np.load(Path(folder) / "won.npy")
    return won[:, -1], won[:, :-1], float(json.loads(done.stdout)["seconds"])


def _with_due(design: DealDesign, features: object) -> np.ndarray:
    due = (features.due - features.as_of).astype("float64") / 86400
    due[np.isnat(features.due)] = np.nan
    return np.column_stack([design.transform(features), due])


def _since(began: float) -> float:
    return time.monotonic() - began


if __name__ == "__main__":
    main()
