"""The command as a user calls it, and what all verbs wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

#: The smallest replay that is still one: two periods, two days of each.
SMALL = ("origins.periods=2", "origins.days=[0,45]", "draws=200", "model.coefficient_draws=6")
#: A forecast whose whole record is replayed, however busy the machine is.
PROVEN = (*SMALL, "proof.budget_s=900")
#: Every verb that reads an export, in the order in which they run on one company.
VERBS = ("check", "train", "forecast", "score", "backtest", "compare", "metrics", "audit", "plan", "thresholds")
#: Planted instead of every name, e-mail address and account name: none of them may leave the export's own copies.
MARKER = "Zyxomark"


def call(*words: str, at: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command as a process in the folder ``at``."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeforecast", *words], cwd=at, capture_output=True, text=True, check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, timeout=600,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


@dataclass(frozen=True)
class Ran:
    """A folder in which every verb has run on the same company, and what each said."""

    root: Path
    said: dict[str, str]
    told: dict[str, str]

    def table(self, verb: str, name: str) -> pd.DataFrame:
        return pd.read_csv(self.root / verb / name)


Refused = Callable[..., str]
