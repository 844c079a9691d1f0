"""The jobs of a sweep side by side, from the files that each wrote into its own folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeforecast.outbox import whole_folder
from pipeforecast.textcells import shown_frame

_OF_TRAINING = ("log_loss", "brier", "auc", "calibration_slope", "calibration_error", "money_ratio")
_OF_REPLAY = ("wape", "crps", "cover80", "skill")
FILE = "sweep.csv"


def compared(jobs: Iterable[tuple[int, str, Path, int]]) -> pd.DataFrame | None:
    """Give one row a job (number, its overrides, folder, exit status), the best first; None where none wrote scores.

    Jobs are judged on the same later data: the order says which did best there, and what was chosen by that order is
    tuned on it. ``gate`` says which are better than the champion beyond chance.
    """
    rows = [
        {"job": number, "overrides": choice, "status": status, **_training(folder), **_replay(folder)}
        for number, choice, folder, status in jobs
    ]
    table = pd.DataFrame(rows)
    by = next((c for c in ("log_loss", "crps") if c in table), None)
    return None if by is None else table.sort_values([by, "job"], ignore_index=True)


def written(table: pd.DataFrame, folder: Path) -> Path:
    """Write the table beside the jobs' folders."""
    with whole_folder(folder) as out:
        shown_frame(table).to_csv(out / FILE, index=False, float_format="%.10g")
    return folder / FILE


def _training(folder: Path) -> dict[str, Any]:
    """Scores in total of the model, which is the first that ``train`` writes, and the gate's verdict."""
    if not (folder / "evaluation.csv").exists():
        return {}
    table = pd.read_csv(folder / "evaluation.csv")
    own = table[((table["model"] == table["model"].iloc[0]) & (table["split"] == table["split"].iloc[0])).to_numpy()]
    scores = own.set_index("score")
    out: dict[str, Any] = {name: scores["value"].get(name) for name in _OF_TRAINING}
    for end in ("lower", "upper"):
        out[f"log_loss_{end}"] = scores[end].get("log_loss")
    if (folder / "gate.csv").exists():
        gate = pd.read_csv(folder / "gate.csv").iloc[0]
        out |= {"gate": gate["verdict"], "rival": gate["rival"], "difference": gate["difference"]}
    return out


def _replay(folder: Path) -> dict[str, Any]:
    """Scores of the model's total over all days of the period."""
    if not (folder / "backtest_scores.csv").exists():
        return {}
    table = pd.read_csv(folder / "backtest_scores.csv")
    own = table[
        ((table["level"] == "total") & (table["method"] == "model") & (table["day_of_period"] == -1)).to_numpy()
    ]
    return {name: own[name].iloc[0] for name in _OF_REPLAY} if len(own) else {}
