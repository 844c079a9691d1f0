"""Kinds of classifiers: scikit-learn pipelines that are additive, and their terms read off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from threadpoolctl import threadpool_limits

from pipeforecast.leadmodels.columns import Bins, Ramps, flat, usable, varies
from pipeforecast.leadmodels.rows import LeadRows
from pipeforecast.leadmodels.terms import LeadModel, Term
from pipeforecast.leads import MISSING

#: A level of fewer leads than this is one of the others.
FEWEST = 20
_MOST_LEVELS = 60


@dataclass(frozen=True)
class Candidate:
    """What a fit is told.

    Attributes
    ----------
    kind : 'logistic', 'boosting' or 'naive_bayes'
    strength : float
        scikit-learn's C for the logistic regression, the number of rounds for boosting; naive Bayes has none.
    half_life : float
        Units of time after which a row counts half.
    """

    kind: str
    strength: float
    half_life: float = float("inf")


def fit_plain(rows: LeadRows, candidate: Candidate, seed: int = 0) -> LeadModel:
    """Fit one candidate, without recalibration."""
    return fit_all(rows, [candidate], seed)[0]


def fit_all(rows: LeadRows, candidates: Sequence[Candidate], seed: int = 0) -> list[LeadModel]:
    """Fit candidates on the same rows, whose columns are worked out once a kind.

    Fits are small: several threads would wait for each other longer than they work, the more so on a busy machine.
    """
    ready = {kind: _columns(rows, kind) for kind in {c.kind for c in candidates} - {"naive_bayes"}}
    with threadpool_limits(1):
        return [with_means(LEARNERS[c.kind](rows, c, ready.get(c.kind), seed), rows) for c in candidates]


def with_means(model: LeadModel, rows: LeadRows) -> LeadModel:
    """Let each term know its mean over the leads that taught it."""
    frame, weight = flat(rows.features), rows.weights()
    terms = [
        Term(t.name, t.kind, t.at, t.values, t.missing, float(np.average(t.of(frame[t.name]), weights=weight)))
        for t in model.terms
    ]
    return LeadModel(model.kind, model.intercept, terms, step=model.step, days=model.days)


@dataclass(frozen=True)
class _Ready:
    """Columns of one kind, fitted, and what they made of the rows."""

    columns: ColumnTransformer
    X: np.ndarray
    numbers: list[str]
    categories: list[str]

    def cuts(self, attribute: str) -> dict[str, np.ndarray]:
        """Give what each number was cut at; scikit-learn leaves a part without columns unfitted."""
        return dict(zip(self.numbers, getattr(self.columns.named_transformers_["numbers"], attribute, []), strict=True))

    def pipeline(self, model: Any) -> Pipeline:
        """Put a fitted model behind the columns."""
        return Pipeline([("columns", self.columns), ("model", model)])


def _columns(rows: LeadRows, kind: str) -> _Ready:
    numbers, categories, flags = usable(rows.features)
    if kind == "logistic":
        one_hot = _levels(OneHotEncoder, handle_unknown="infrequent_if_exist", sparse_output=False)
        parts: list[Any] = [Ramps(), one_hot, OneHotEncoder(handle_unknown="ignore", sparse_output=False)]
    else:
        codes = _levels(OrdinalEncoder, handle_unknown="use_encoded_value", unknown_value=-1)
        parts = [Bins(), codes, "passthrough"]
    names = (("numbers", numbers), ("categories", categories), ("flags", flags))
    made = ColumnTransformer([(name, part, which) for (name, which), part in zip(names, parts, strict=True)])
    return _Ready(made, made.fit_transform(flat(rows.features)), numbers, categories)


def _logistic(rows: LeadRows, candidate: Candidate, ready: _Ready | None, seed: int) -> LeadModel:
    assert ready is not None  # noqa: S101  for the type checker
    found = LogisticRegression(C=candidate.strength, max_iter=300)
    found.fit(ready.X, rows.y, sample_weight=rows.weights(candidate.half_life))
    return _read_off(ready.pipeline(found), rows, "logistic", ready.cuts("knots_"), "line")


def _boosting(rows: LeadRows, candidate: Candidate, ready: _Ready | None, seed: int) -> LeadModel:
    assert ready is not None  # noqa: S101  for the type checker
    first = len(ready.numbers)
    found = HistGradientBoostingClassifier(
        max_iter=int(candidate.strength), learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=30,
        l2_regularization=1.0, early_stopping=False, random_state=seed, interaction_cst="no_interactions",
        categorical_features=[first + i for i in range(len(ready.categories))] or None,
    )  # fmt: skip
    found.fit(ready.X, rows.y, sample_weight=rows.weights(candidate.half_life))
    return _read_off(ready.pipeline(found), rows, "boosting", ready.cuts("edges_"), "step")


def _levels(encoder: Any, **told: Any) -> Any:
    return encoder(min_frequency=FEWEST, max_categories=_MOST_LEVELS, **told)


def _read_off(pipe: Pipeline, rows: LeadRows, kind: str, cuts: dict[str, np.ndarray], shape: str) -> LeadModel:
    """Read the terms off an additive pipeline: from one row, change one column at a time and see what it adds."""
    frame = flat(rows.features)
    names = [str(n) for n in frame if varies(frame[n])]
    asked = {name: _asked(frame[name], cuts.get(name), shape) for name in names}
    size = 1 + sum(len(values) for _, _, values in asked.values())
    at = 1
    table: dict[str, np.ndarray] = {str(n): np.full(size, frame[n].iloc[0], dtype=_plain(frame[n])) for n in frame}
    for name, (_, _, values) in asked.items():
        table[name][at : at + len(values)] = values
        at += len(values)
    heights = pipe.decision_function(pd.DataFrame(table).astype({str(n): frame[n].dtype for n in frame}))
    terms, at = [], 1
    for name, (form, edges, values) in asked.items():
        added = heights[at : at + len(values)] - heights[0]
        terms.append(Term(name, form, edges, added[:-1] if form != "level" else added, float(added[-1])))
        at += len(values)
    return LeadModel(kind, float(heights[0]), terms)


def _plain(column: pd.Series) -> type:
    return float if pd.api.types.is_numeric_dtype(column.dtype) else object


#: A text that no CRM writes: what a model says of a level that it has never met.
_UNMET = "\x00unmet"


def _asked(column: pd.Series, cuts: np.ndarray | None, shape: str) -> tuple[str, Any, list[Any]]:
    """Values at which a term is read: its knots, one inside each step, or its levels; the last is missing (unmet)."""
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        count = column.value_counts()
        levels = [str(v) for v in count.index[(count >= FEWEST).to_numpy()][:_MOST_LEVELS]]
        return "level", levels, [*levels, _UNMET]
    if cuts is None:  # a flag
        return "step", np.array([0.5]), [0.0, 1.0, np.nan]
    if shape == "line":
        return "line", cuts, [*cuts.tolist(), np.nan]
    inside = [*cuts.tolist(), *([cuts[-1] + 1.0] if len(cuts) else [0.0])]
    return "step", cuts, [*inside, np.nan]


def _naive_bayes(rows: LeadRows, candidate: Candidate, ready: _Ready | None, seed: int) -> LeadModel:
    """Do as open-source CRMs do: shares of each level among those who converted and the others, as if independent.

    Numbers are cut into fifths. Each count starts at 0.1, as Odoo's does, and nothing is recalibrated.
    """
    frame, y, weight = flat(rows.features), rows.y, rows.weights(candidate.half_life)
    edges = {name: _fifths(rows.features.numbers[name]) for name in usable(rows.features)[0]}
    total = np.array([weight[y == 0].sum(), weight[y == 1].sum()])
    terms = []
    for name in (n for part in usable(rows.features) for n in part):
        form, at, values = _asked(frame[name], edges.get(name), "step")
        code = _code(frame[name], form, at)
        count = np.stack([np.bincount(code[y == k], weight[y == k], len(values)) for k in (0, 1)]) + 0.1
        share = count / (total[:, None] + 0.1 * len(values))
        added = np.log(share[1] / share[0])
        terms.append(Term(name, form, at, added[:-1] if form != "level" else added, float(added[-1])))
    return LeadModel("naive_bayes", float(np.log((total[1] + 0.1) / (total[0] + 0.1))), terms)


def _fifths(column: pd.Series) -> np.ndarray:
    x = column.dropna().to_numpy(dtype="float64")
    edges = np.unique(np.quantile(x, [0.2, 0.4, 0.6, 0.8], method="lower")) if len(x) else np.zeros(0)
    return np.asarray(edges[edges < x.max()]) if len(x) else edges


def _code(column: pd.Series, form: str, at: Any) -> np.ndarray:
    """Place of each row among the values of ``_asked``; the last is missing, or a level that is one of the others."""
    if form == "level":
        code = pd.Index(at, dtype=object).get_indexer(column.fillna(MISSING).astype(object))
        return np.where(code < 0, len(at), code)
    x = column.to_numpy(dtype="float64")
    return np.where(np.isnan(x), len(at) + 1, np.searchsorted(np.asarray(at), x, side="left"))


LEARNERS: dict[str, Callable[[LeadRows, Candidate, _Ready | None, int], LeadModel]] = {
    "logistic": _logistic,
    "boosting": _boosting,
    "naive_bayes": _naive_bayes,
}
