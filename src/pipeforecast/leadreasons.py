"""Why a lead's chance is what it is: each column's part of the log-odds, in words, for millions of leads at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeforecast.leadmodels import LeadModel, Term
from pipeforecast.leadmodels.terms import column_of
from pipeforecast.leads import MISSING, LeadFeatures

#: Parts of the log-odds smaller than this are no reason.
_LEAST = 0.05
_UP, _DOWN = "more likely: ", "less likely: "
REASONS = 3
#: So many of the likeliest leads have every part told.
MOST = 500


def words_of(term: Term, labels: Mapping[str, str]) -> list[str]:
    """Word each value that a column may take: its levels, or between its cuts; others and missing come last."""
    name = labels.get(term.name, term.name.replace("_", " "))
    if term.kind == "level":
        levels = [f"{name} unknown" if level == MISSING else f"{name} {level}" for level in term.at]
        return [*levels, f"{name} other"]
    at = np.asarray(term.at, dtype="float64")
    if term.kind == "step" and len(at) == 1 and at[0] == 0.5:
        return [f"not {name}", name, f"{name} unknown"]
    inside = [f"{name} {low:g} to {high:g}" for low, high in pairwise(at)]
    return [
        *([f"{name} up to {at[0]:g}", *inside, f"{name} over {at[-1]:g}"] if len(at) else [name]),
        f"{name} unknown",
    ]


def codes_of(term: Term, column: pd.Series) -> np.ndarray:
    """Place of each row (n,) in the words of its column."""
    if term.kind == "level":
        place = {level: i for i, level in enumerate(term.at)}
        codes, levels = pd.factorize(column, use_na_sentinel=False)
        named = [MISSING if pd.isna(level) else str(level) for level in levels]
        return np.array([place.get(level, len(place)) for level in named] or [0], dtype="int64")[codes]
    x = column.to_numpy(dtype="float64", na_value=np.nan)
    at = np.asarray(term.at, dtype="float64")
    return np.where(np.isnan(x), len(at) + 1, np.searchsorted(at, x, side="left"))


def reasons_of(model: LeadModel, features: LeadFeatures) -> tuple[np.ndarray, list[pa.Array]]:
    """Chances of leads, and the three largest parts of each in words.

    Parameters
    ----------
    model : LeadModel
    features : LeadFeatures of n rows

    Returns
    -------
    p : float (n,)
    reasons : list of three arrays of text (n,)
        The largest first; null where nothing else matters.
    """
    parts = model.parts(features)
    log_odds = model.base + parts.sum(axis=1)
    p = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -35, 35)))
    words: list[str] = []
    code = np.zeros(parts.shape, dtype="int64")
    for i, term in enumerate(model.terms):
        said = words_of(term, features.labels)
        code[:, i] = len(words) + codes_of(term, column_of(features, term.name))
        words += said
    both = pa.array([_UP + w for w in words] + [_DOWN + w for w in words] or [""], type=pa.string())
    size = np.abs(parts)
    out, rows = [], np.arange(len(parts))
    for _ in range(REASONS):
        if not parts.shape[1]:
            out.append(pa.nulls(len(parts), pa.string()))
            continue
        best = size.argmax(axis=1)
        least = size[rows, best] < _LEAST
        index = code[rows, best] + np.where(parts[rows, best] < 0, len(words), 0)
        chosen = pa.array(index, mask=least)
        out.append(pa.DictionaryArray.from_arrays(chosen, both).cast(pa.string()))
        size[rows, best] = -1.0
    return p, out


def parts_table(model: LeadModel, features: LeadFeatures, lead_id: pd.Series, most: int = MOST) -> pd.DataFrame:
    """Every column's part of the likeliest leads: with the average lead's, they add up to the log-odds.

    Returns
    -------
    DataFrame
        ``lead_id``, ``column``, ``value`` (in words), ``log_odds``; the column of a lead's first row is
        ``(average lead)``.
    """
    best = np.argsort(-model.log_odds(features), kind="stable")[:most]
    part = features.rows(best)
    parts = model.parts(part)
    names = ["(average lead)", *(t.name for t in model.terms)]
    said = [np.full(len(best), "")]
    for term in model.terms:
        words = np.array(words_of(term, features.labels), dtype=object)
        said.append(words[codes_of(term, column_of(part, term.name))])
    return pd.DataFrame({
        "lead_id": np.repeat(lead_id.to_numpy()[best], len(names)),
        "column": names * len(best),
        "value": np.stack(said, axis=1).ravel() if len(best) else [],
        "log_odds": np.column_stack([np.full(len(best), model.base), parts]).ravel(),
    })  # fmt: skip
