"""A card with its grades and thresholds as a settings file: written once, read by whatever scores leads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml

from pipeforecast.errors import DataError, MissingFileError, SettingsError
from pipeforecast.leads import LeadFeatures
from pipeforecast.outbox import settings_file
from pipeforecast.points.card import TOUCHES, PointsCard, card_of
from pipeforecast.points.grades import Grades

KIND = "lead_threshold"
FOLDER = Path("configs") / KIND
Scale = Literal["p", "points"]


@dataclass(frozen=True)
class SavedThreshold:
    """What marks leads: card, grades, and from where on a lead is handed to sales.

    Attributes
    ----------
    card : PointsCard
    grades : Grades
    scale : 'p' or 'points'
        What the thresholds are of.
    threshold : float
        A lead at or above it is handed over, all leads at the cut included.
    segments : mapping of str to float
        Thresholds of segments that have one of their own.
    step, days : str, int
        What is foretold: the step, and within how many days.
    told : mapping
        What it was made from, for people: never read by the program.
    """

    card: PointsCard
    grades: Grades
    scale: Scale
    threshold: float
    segments: Mapping[str, float] = field(default_factory=dict)
    step: str = "converted"
    days: int = 90
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        """Columns of leads that the card looks at."""
        return frozenset(r.feature for r in self.card.rows if not r.feature.startswith(TOUCHES))

    def mark(self, features: LeadFeatures, p: np.ndarray, segment: np.ndarray) -> pd.DataFrame:
        """Mark leads with points, grade and whether they are handed over, as ``leads.Marks`` says."""
        points = self.card.points(features)
        score = np.asarray(p, dtype=float) if self.scale == "p" else points.astype(float)
        named = pd.Series(segment, dtype="object").map(dict(self.segments)).astype("float64")
        cut = named.fillna(self.threshold).to_numpy()
        hand = pd.Series(score >= cut, dtype="boolean").mask(np.isnan(score))
        return pd.DataFrame({
            "points": pd.Series(points, dtype="Int64"),
            "grade": pd.Series(self.grades.of(self.card, features), dtype="string"), "hand_over": hand,
        })  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """Give everything as dicts, lists, numbers and text."""
        return {
            "kind": KIND, "step": self.step, "days": self.days, "scale": self.scale, "threshold": self.threshold,
            "segments": dict(self.segments),
            "grades": {
                "first": list(self.grades.first),
                "second": None if self.grades.second is None else list(self.grades.second),
            },
            "card": self.card.plain(), "told": dict(self.told),
        }  # fmt: skip


def path_of(name: str, folder: Path | None = None) -> Path:
    """Give the file of a name: ``configs/lead_threshold/NAME.yaml`` in the working directory.

    Raises
    ------
    SettingsError
        If the name would lead elsewhere.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise SettingsError(f"save: expected a name of letters, digits, _ and -, came {name!r}")
    return (Path.cwd() if folder is None else folder) / FOLDER / f"{name}.yaml"


def write_threshold(saved: SavedThreshold, path: Path, force: bool = False) -> None:
    """Write the file whole; never over an existing one without ``force``.

    Raises
    ------
    SettingsError
        If the file is there and ``force`` is false.
    """
    with settings_file(path, "save", force) as draft, draft.open("w", encoding="utf-8") as file:
        file.write("# Made by `pipeforecast thresholds`; read by `pipeforecast score target=lead`.\n")
        yaml.safe_dump(saved.plain(), file, sort_keys=False, allow_unicode=True, width=110)


def read_threshold(path: Path) -> SavedThreshold:
    """Read what ``write_threshold`` wrote, judged anew.

    Raises
    ------
    DataError
        If it is not there, or not such a file.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; `pipeforecast thresholds save={path.stem}` makes it")
    try:
        found = dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        if found.pop("kind") != KIND:
            raise ValueError(f"kind: expected {KIND}")
        cuts = found.pop("grades")
        second = cuts["second"]
        grades = Grades(
            tuple(int(c) for c in cuts["first"]), None if second is None else tuple(int(c) for c in second)
        )  # fmt: skip
        saved = SavedThreshold(
            card=card_of(found.pop("card")), grades=grades, scale=found.pop("scale"),
            threshold=float(found.pop("threshold")),
            segments={str(k): float(v) for k, v in found.pop("segments").items()},
            step=str(found.pop("step")), days=int(found.pop("days")), told=found.pop("told", {}),
        )  # fmt: skip
        if found or saved.scale not in ("p", "points"):
            raise ValueError(f"unknown keys {sorted(found)}" if found else f"scale {saved.scale!r}")
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise DataError(
            f"{path.name}: expected the settings that `pipeforecast thresholds save=NAME` writes; came "
            f"{type(error).__name__}: {error}. Make it anew with force=true"
        ) from None
    return saved
