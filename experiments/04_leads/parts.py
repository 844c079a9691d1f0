"""Leads made up in any number, the bank's leads, and the rivals that stand beside the tool."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from pipeforecast.calibration import calibration_error
from pipeforecast.leadmodels.columns import flat, usable
from pipeforecast.leadmodels.rows import LeadRows
from pipeforecast.scores import auc, log_loss

N_NUMBERS = N_TEXTS = N_FLAGS = 10


def mapping(name: str) -> dict[str, Any]:
    """One of the mappings that ship."""
    return dict(yaml.safe_load((files("pipeforecast.configs") / f"crm/{name}.yaml").read_text()))


def real(folder: str) -> Path | None:
    """A folder of real data, or None where there is none."""
    base = os.environ.get("PIPEFORECAST_REAL_DATA")
    return Path(base) / folder if base and (Path(base) / folder).is_dir() else None


def rivals(rows: LeadRows, teach: np.ndarray, here: np.ndarray) -> dict[str, np.ndarray]:
    """Plain logistic regression and plain boosting, as scikit-learn gives them, taught by the same rows."""
    x, y = flat(rows.features), rows.y
    numbers, categories, flags = usable(rows.features)
    x[[*numbers, *flags]] = x[[*numbers, *flags]].fillna(-1.0)
    straight = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), categories), remainder="passthrough"
    )
    codes = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), categories), remainder="passthrough"
    )
    logistic = make_pipeline(straight, LogisticRegression(max_iter=2000))
    boosting = make_pipeline(codes, HistGradientBoostingClassifier(random_state=0))
    with threadpool_limits(1):
        return {
            name: model.fit(x[teach], y[teach]).predict_proba(x.iloc[here])[:, 1]
            for name, model in (("plain logistic", logistic), ("plain boosting", boosting))
        }


def scores(y: np.ndarray, p: np.ndarray, block: np.ndarray | None = None) -> dict[str, float]:
    """AUC (of all, and the mean within blocks), log loss and calibration error."""
    out = {"auc": auc(y, p), "log_loss": log_loss(y, p), "calibration_error": float(calibration_error(y, p))}
    if block is not None:
        out["auc_within_blocks"] = float(np.mean([auc(y[block == b], p[block == b]) for b in np.unique(block)]))
    return out


def wide_mapping() -> dict[str, Any]:
    """Leads alone, with thirty columns that are fixed at creation."""
    numbers, texts = [f"number_{i}" for i in range(N_NUMBERS)], [f"text_{i}" for i in range(N_TEXTS)]
    flags = [f"flag_{i}" for i in range(N_FLAGS)]
    return {
        "name": "wide",
        "roles": {"leads": {"birth": [*numbers, *texts, *flags]}},
        "tables": {"leads": {
            "files": ["leads"], "columns": {"lead_id": "lead_id", "created_at": "created_at"},
            "optional": {"converted_at": "converted_at"}, "keep": {"number": numbers, "text": texts, "flag": flags},
        }},
    }  # fmt: skip


def wide_leads(n: int, seed: int, first: int = 0, open_only: bool = False) -> pd.DataFrame:
    """Make ``n`` leads of thirty columns over three years; a third of the columns matter."""
    rng = np.random.default_rng(seed)
    numbers = {f"number_{i}": np.round(np.exp(rng.standard_normal(n) + 2) + 0.1, 1) for i in range(N_NUMBERS)}
    levels = np.array([f"level {k}" for k in range(12)])
    code = {f"text_{i}": rng.integers(0, 12, n) for i in range(N_TEXTS)}
    flags = {f"flag_{i}": rng.random(n) < 0.3 for i in range(N_FLAGS)}
    log_odds = -2.0 + 0.5 * (np.log(numbers["number_0"]) - 2) + 0.3 * (np.log(numbers["number_1"]) - 2)
    log_odds += 0.1 * (code["text_0"] - 5) + 0.5 * (code["text_1"] == 3) + 0.8 * flags["flag_0"] - 0.4 * flags["flag_1"]
    created = np.sort(rng.integers(0, 1096, n))
    came = (rng.random(n) < 1 / (1 + np.exp(-log_odds))) & (not open_only)
    start = np.datetime64("2022-01-01")
    converted = start + created + np.ceil(rng.exponential(20, n)).astype(int)
    converted[~came | (converted > np.datetime64("2024-12-31"))] = np.datetime64("NaT")
    ids = pd.Series(np.arange(first, first + n)).astype(str).radd("L")
    texts = {name: levels[c] for name, c in code.items()}
    dates = {"created_at": (start + created).astype(str), "converted_at": pd.Series(converted).dt.strftime("%Y-%m-%d")}
    return pd.DataFrame({"lead_id": ids, **dates, **numbers, **texts, **{k: v.astype(int) for k, v in flags.items()}})
