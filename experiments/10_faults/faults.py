"""What is done to the program: calls of every verb on a tiny company, and a look at every file and store afterwards."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEARCH = ("+experiment=search_deal_model", "search.trials=3", "search.held_out=1", "origins.periods=2")
SMALL = ("origins.periods=1", "origins.days=[45]", "draws=100", "model.coefficient_draws=2")
LEADS = ("lead.random_split=false", "lead.blocks=4", "lead.tested=2")
#: Every verb that writes, by the folder that it writes into.
CALLS: dict[str, tuple[str, ...]] = {
    "check": ("check",),
    "keep": ("keep", "kept=kept"),
    "train": ("train", *SMALL, "learning_curve=false"),
    "search": ("train", *SMALL, *SEARCH),
    "train_leads": ("train", "target=lead", *LEADS),
    "forecast": ("forecast", *SMALL, "version=fit"),
    "score": ("score", "version=fit"),
    "score_leads": ("score", "target=lead", "version=fit", *LEADS),
    "backtest": ("backtest", *SMALL),
    "compare": ("compare", *SMALL, "version=fit"),
    "metrics": ("metrics", "metrics=[won_amount,win_rate]", "by=[owner]", "periods=2"),
    "audit": ("audit",),
    "plan": ("plan", "target=500000"),
    "thresholds": ("thresholds", *LEADS, "save=tried", "force=true"),
    "monitor": ("monitor", *SMALL, "version=fit"),
    "demo": ("demo", "demo.n_deals=300", "demo.folder=demo_made", *SMALL),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A working directory with one company in it, and every verb's folder of results."""

    root: Path

    def make(self, deals: int, seed: int = 5) -> None:
        from pipeforecast.demo import make_company

        make_company(n_deals=deals, seed=seed).write(self.root / "company")

    def start(self, name: str, *more: str) -> subprocess.Popen[str]:
        verb, *words = CALLS[name]
        source = () if verb == "demo" else ("crm=salesforce", "source=company")
        call = [sys.executable, "-m", "pipeforecast", verb, *source, f"out={name}", *words, *more]
        return subprocess.Popen(
            call, cwd=self.root, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def run(self, name: str, *more: str) -> str:
        """Run to the end; gives what was wrong, empty if nothing."""
        process = self.start(name, *more)
        said = process.communicate()[1]
        return "" if process.returncode == 0 and "Traceback" not in said else f"{name}: {said[-600:]}"

    def broken(self) -> tuple[list[str], list[str]]:
        """Name the files that are not whole, and the stores that cannot be read."""
        files = [str(p) for p in self.results() if not _whole(p)]
        return files, [why for store in self._stores() if (why := _unreadable(store))]

    def results(self) -> list[Path]:
        """Every file that a reader may open: results, and settings that thresholds saved."""
        folders = [self.root / name for name in (*CALLS, "configs", "kept", "demo_made")]
        found = [p for folder in folders if folder.is_dir() for p in folder.rglob("*") if p.is_file()]
        return sorted(p for p in found if not _hidden(p.relative_to(self.root)))

    def _stores(self) -> list[Path]:
        own = self.root / ".pipeforecast"
        kept = [p for p in own.rglob("*") if p.is_file() and not _hidden(p.relative_to(own))] if own.is_dir() else []
        return [*self.root.glob("mlflow.db"), *kept]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _whole(path: Path) -> bool:
    """Whether a file ends as such a file does."""
    data = path.read_bytes()
    match path.suffix:
        case ".csv":
            rows = data.decode("utf-8").splitlines()
            return data.endswith(b"\n") and bool(rows)
        case ".html":
            return data.rstrip().endswith(b"</html>")
        case ".xlsx":
            return zipfile.ZipFile(path).testzip() is None
        case ".json":
            return json.loads(data) is not None
        case _:
            return bool(data)


def _unreadable(store: Path) -> str:
    """Say why a store cannot be read; empty where it can."""
    try:
        if store.suffix == ".db":
            with sqlite3.connect(store) as connection:
                found = connection.execute("PRAGMA integrity_check").fetchone()[0]
                tables = connection.execute("SELECT count(*) FROM alembic_version").fetchone()[0]
            return "" if (found, tables) == ("ok", 1) else f"{store.name}: {found}, {tables} versions of its tables"
        if store.suffix == ".npz":
            with np.load(store, allow_pickle=False) as kept:
                for name in kept.files:
                    kept[name]
        elif store.suffix == ".json":
            json.loads(store.read_text(encoding="utf-8"))
    except Exception as error:
        return f"{store.name}: {type(error).__name__}: {error}"
    return ""
