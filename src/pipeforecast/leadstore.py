"""A lead model on disk and as a function of a flat table: numbers and texts in JSON, no code, no lead.

This is the module that MLflow names as the loader of a lead model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.leadmodels import LeadModel, Term
from pipeforecast.leads import MISSING, LeadFeatures

MODEL_FILE, ABOUT_FILE = "lead_model.json", "about.json"
OUTPUTS = ("p_convert",)
_FORMAT = 1


def save_lead_model(folder: Path, model: LeadModel, about: Mapping[str, Any]) -> None:
    """Write a lead model into ``folder``, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    terms = [
        {
            "name": t.name, "kind": t.kind, "at": [str(v) if t.kind == "level" else float(v) for v in t.at],
            "values": [float(v) for v in t.values], "missing": float(t.missing), "mean": float(t.mean),
        }
        for t in model.terms
    ]  # fmt: skip
    plain = {
        "format": _FORMAT, "kind": model.kind, "intercept": model.intercept, "offset": model.offset,
        "slope": model.slope, "step": model.step, "days": model.days, "facts": dict(model.facts), "terms": terms,
    }  # fmt: skip
    (folder / MODEL_FILE).write_text(json.dumps(plain, indent=1), encoding="utf-8")
    (folder / ABOUT_FILE).write_text(json.dumps(dict(about), indent=1, sort_keys=True), encoding="utf-8")


def load_lead_model(folder: Path) -> tuple[LeadModel, dict[str, Any]]:
    """Read a model that ``save_lead_model`` wrote, and what was said of it; chances are the same to the last digit.

    Raises
    ------
    DataError
        If a file is missing or is not such a model.
    """
    try:
        plain = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
        if plain["format"] != _FORMAT:
            raise ValueError(f"format {plain['format']}")
        terms = [_term(t) for t in plain["terms"]]
        model = LeadModel(
            str(plain["kind"]), float(plain["intercept"]), terms, float(plain["offset"]), float(plain["slope"]),
            str(plain["step"]), int(plain["days"]), plain["facts"],
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: expected a lead model of pipeforecast, came what cannot be read "
            f"({type(error).__name__}: {error}); train it anew"
        ) from None
    return model, about


def _term(plain: Mapping[str, Any]) -> Term:
    level = plain["kind"] == "level"
    at = [str(v) for v in plain["at"]] if level else np.array(plain["at"], dtype="float64")
    values = np.array(plain["values"], dtype="float64")
    expected = len(at) + (plain["kind"] != "line")
    if plain["kind"] not in ("line", "step", "level") or len(values) != expected:
        raise ValueError(f"term {plain['name']!r} of kind {plain['kind']!r} with {len(values)} values")
    return Term(str(plain["name"]), plain["kind"], at, values, float(plain["missing"]), float(plain["mean"]))


def columns_of(model: LeadModel) -> dict[str, tuple[str, bool]]:
    """Type of each column of the flat table; none must be there, and one that is not counts as missing."""
    return {t.name: ("string" if t.kind == "level" else "double", False) for t in model.terms}


def example_of(model: LeadModel) -> pd.DataFrame:
    """Make two leads up that show what a row looks like; no value comes from data."""
    return pd.DataFrame({t.name: [MISSING, MISSING] if t.kind == "level" else [0.0, 1.0] for t in model.terms})


@dataclass(frozen=True)
class LeadScorer:
    """A saved lead model that scores flat tables."""

    model: LeadModel

    def predict(self, table: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Give ``p_convert`` of each row, in their order.

        Parameters
        ----------
        table : DataFrame
            The columns of ``columns_of``; one that is not there counts as missing in every row.
        params : mapping, optional
            Not used; MLflow hands it over.

        Raises
        ------
        DataError
            If none of the columns is there.
        """
        names = [t.name for t in self.model.terms]
        if names and not set(names) & set(table.columns):
            raise DataError(f"scoring: expected some of the columns {some(names, 40)}, came {some(table.columns, 12)}")
        return pd.DataFrame({"p_convert": self.model.chance(self._features(table))}, index=table.index)

    def _features(self, table: pd.DataFrame) -> LeadFeatures:
        rows = table.reset_index(drop=True)
        level = {t.name: t.kind == "level" for t in self.model.terms if t.name in rows}
        texts = {n: rows[n].astype("object").where(rows[n].notna(), MISSING) for n, is_text in level.items() if is_text}
        numbers = {n: rows[n].astype("float64") for n, is_text in level.items() if not is_text}
        none = pd.DataFrame(index=rows.index)
        return LeadFeatures(pd.DataFrame(numbers, index=rows.index), pd.DataFrame(texts, index=rows.index), none)


def _load_pyfunc(path: str) -> LeadScorer:
    """Load a model's folder; MLflow calls it by this name."""
    return LeadScorer(load_lead_model(Path(path))[0])
