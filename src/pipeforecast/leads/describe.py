"""Describe: what a lead snapshot says about each lead. Sees the snapshot and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.leads.book import STEPS
from pipeforecast.leads.frames import MISSING, LeadFeatures
from pipeforecast.leads.past import LeadSnapshot

#: Text facts with more levels than this, in more than half of their rows another one, are names or free text.
_MOST_LEVELS = 50
_NUMBERS = ("age_days", "response_days", "days_in_status", "n_moves", "n_recent", "days_since_touch")
LABELS = {
    "age_days": "days since creation", "response_days": "days to the first response",
    "days_in_status": "days in status", "n_moves": "changes of status", "n_recent": "touches in the last 7 days",
    "days_since_touch": "days since the last touch", "responded": "answered by us", "mql": "marketing qualified",
    "srl": "sales ready", "sql": "sales qualified", "converted": "converted",
}  # fmt: skip


def describe_leads(snapshot: LeadSnapshot, step: str) -> LeadFeatures:
    """Describe each lead by what was known of it on the evening of its ``as_of``.

    Parameters
    ----------
    snapshot : LeadSnapshot
    step : str
        The step that is to be foretold: it and later ones are no features.
    """
    rows = snapshot.rows
    facts = [n for n in snapshot.facts if not pd.api.types.is_datetime64_any_dtype(rows[n].dtype)]
    flags = [n for n in facts if pd.api.types.is_bool_dtype(rows[n].dtype)]
    numbers = [n for n in facts if n not in flags and pd.api.types.is_numeric_dtype(rows[n].dtype)]
    texts = [n for n in facts if n not in flags and n not in numbers and not _free(rows[n])]
    done = list(STEPS[: STEPS.index(step)]) if snapshot.dated else []
    did = [f"n_{k}" for k in snapshot.kinds] + [n for n in _NUMBERS if n in rows]
    doing = [*done, *(["responded"] if "responded" in rows else [])]
    state = ["status"] if "status" in rows else []
    engagement = (*did, *doing, *state, *(n for n in snapshot.engagement if n in [*numbers, *flags, *texts]))
    return LeadFeatures(
        _floats(rows, [*did, *numbers]),
        pd.DataFrame({n: _levels(rows[n]) for n in [*state, *texts]}, index=rows.index),
        _floats(rows, [*doing, *flags]),
        engagement,
        snapshot.touches,
        {**LABELS, **{f"n_{k}": f"touches: {k.replace('_', ' ')}" for k in snapshot.kinds}},
    )


def _floats(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({n: rows[n].to_numpy(dtype="float64", na_value=np.nan) for n in names}, index=rows.index)


def _levels(values: pd.Series) -> np.ndarray:
    return np.asarray(values.astype("string").fillna(MISSING).astype("object"))


def _free(values: pd.Series) -> bool:
    """Whether texts are addresses, names or free text: they are no feature, whoever mapped them."""
    text = values.astype("string").dropna()
    levels = text.nunique()
    return bool(text.str.contains("@", regex=False).any()) or (levels > _MOST_LEVELS and levels > 0.5 * len(text))
