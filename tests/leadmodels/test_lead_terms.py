"""A lead model is the sum of its terms: read off rightly, saved exactly, and its reasons add up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from pipeforecast.errors import DataError
from pipeforecast.leadmodels import Candidate, LeadModel, LeadRows, Term, fit_plain
from pipeforecast.leadmodels.columns import flat, usable
from pipeforecast.leadmodels.learners import LEARNERS, _columns
from pipeforecast.leadreasons import codes_of, parts_table, reasons_of, words_of
from pipeforecast.leads import MISSING, LeadFeatures
from pipeforecast.leadstore import LeadScorer, columns_of, example_of, load_lead_model, save_lead_model

KINDS = {"logistic": 0.3, "boosting": 30.0, "naive_bayes": 0.0}


def features_of(n: int, seed: int) -> LeadFeatures:
    rng = np.random.default_rng(seed)
    size = np.round(np.exp(rng.normal(3, 1, n)))
    size[rng.random(n) < 0.1] = np.nan
    numbers = pd.DataFrame({"size": size, "count": rng.poisson(1, n).astype(float), "none": np.full(n, np.nan)})
    texts = pd.DataFrame({"source": rng.choice(["Web", "=1+1", "<b>x</b>", MISSING], n), "same": ["x"] * n})
    asked = np.where(rng.random(n) < 0.2, np.nan, (rng.random(n) < 0.3).astype(float))
    return LeadFeatures(numbers, texts, pd.DataFrame({"asked": asked}), ("count", "asked"))


def rows_of(n: int = 900, seed: int = 0) -> LeadRows:
    x, rng = features_of(n, seed), np.random.default_rng(seed + 1)
    log_odds = -1 + 1.5 * (x.flags["asked"] == 1) + 0.4 * x.numbers["count"] + (x.categories["source"] == "Web")
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return LeadRows(x, y, np.arange(n), np.arange(n), np.arange(n, dtype=float))


ROWS = rows_of()
MODELS = {kind: fit_plain(ROWS, Candidate(kind, strength)) for kind, strength in KINDS.items()}
OTHERS = features_of(300, 9)


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_the_terms_are_those_of_the_pipeline(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read off one row and one column at a time, they give every other row what scikit-learn gives it."""
    from pipeforecast.leadmodels import learners

    made: list[Pipeline] = []
    own = learners._read_off
    monkeypatch.setattr(learners, "_read_off", lambda pipe, *told: (made.append(pipe), own(pipe, *told))[1])
    model = LEARNERS[kind](ROWS, Candidate(kind, KINDS[kind]), _columns(ROWS, kind), 0)
    np.testing.assert_allclose(model.log_odds(OTHERS), made[0].decision_function(flat(OTHERS)), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_and_the_average_lead_add_up_to_the_log_odds(kind: str) -> None:
    model = MODELS[kind]
    np.testing.assert_allclose(model.base + model.parts(OTHERS).sum(axis=1), model.log_odds(OTHERS), atol=1e-9)
    np.testing.assert_allclose(model.parts(ROWS.features).mean(axis=0), 0, atol=1e-9)
    table = parts_table(model, OTHERS, pd.Series([f"L{i}" for i in range(300)]), most=20)
    p = pd.Series(model.chance(OTHERS), index=[f"L{i}" for i in range(300)])
    total = table.groupby("lead_id")["log_odds"].sum()
    np.testing.assert_allclose(1 / (1 + np.exp(-total)), p[total.index], atol=1e-9)
    assert set(total.index) == set(p.nlargest(20).index)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_finds_what_matters_and_ignores_what_never_changes(kind: str) -> None:
    model = MODELS[kind]
    assert {t.name for t in model.terms} == {"size", "count", "source", "asked"}
    size = {t.name: np.ptp(np.append(t.values, t.missing)) for t in model.terms}
    assert size["asked"] > 0.7
    assert usable(ROWS.features) == (["size", "count"], ["source"], ["asked"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_says_the_same_to_the_last_digit(kind: str, tmp_path: Path) -> None:
    save_lead_model(tmp_path, MODELS[kind], {"cut_off": "2024-01-01"})
    model, about = load_lead_model(tmp_path)
    np.testing.assert_array_equal(model.log_odds(OTHERS), MODELS[kind].log_odds(OTHERS))
    assert about == {"cut_off": "2024-01-01"}
    table = flat(OTHERS)
    np.testing.assert_array_equal(LeadScorer(model).predict(table)["p_convert"], MODELS[kind].chance(OTHERS))
    assert set(columns_of(model)) == set(example_of(model)) == {t.name for t in model.terms}


def test_a_broken_model_is_refused(tmp_path: Path) -> None:
    save_lead_model(tmp_path, MODELS["boosting"], {})
    path = tmp_path / "lead_model.json"
    plain = json.loads(path.read_text())
    plain["terms"][0]["values"].pop()
    path.write_text(json.dumps(plain))
    with pytest.raises(DataError, match="train it anew"):
        load_lead_model(tmp_path)


def test_a_column_that_is_not_there_counts_as_missing() -> None:
    model, table = MODELS["logistic"], flat(OTHERS)
    blank = table.assign(size=np.nan)
    found = LeadScorer(model).predict(table.drop(columns="size"))
    np.testing.assert_array_equal(found, LeadScorer(model).predict(blank))
    with pytest.raises(DataError, match="source"):
        LeadScorer(model).predict(pd.DataFrame({"other": [1]}))


def test_an_unmet_level_is_one_of_the_others() -> None:
    term = Term("source", "level", ["Web"], np.array([1.0, -0.5]), 0.0)
    assert term.of(pd.Series(["Web", "new", None, MISSING])).tolist() == [1.0, -0.5, -0.5, -0.5]


def test_steps_and_lines_by_hand() -> None:
    step = Term("x", "step", np.array([1.0, 3.0]), np.array([0.0, 1.0, 2.0]), -9.0)
    assert step.of(pd.Series([0, 1, 1.5, 3, 4, np.nan])).tolist() == [0, 0, 1, 1, 2, -9]
    line = Term("x", "line", np.array([0.0, 2.0]), np.array([1.0, 3.0]), -9.0)
    assert line.of(pd.Series([-5, 0, 1, 2, 99, np.nan])).tolist() == [1, 1, 2, 3, 3, -9]


@given(st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(float("nan"))), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_every_value_has_its_words(values: list[float]) -> None:
    column = pd.Series(values, dtype="float64")
    for term in MODELS["boosting"].terms:
        if term.kind == "step":
            words = words_of(term, {})
            code = codes_of(term, column)
            assert code.max() < len(words)
            assert all(("unknown" in words[c]) == np.isnan(v) for c, v in zip(code, values, strict=True))


def test_reasons_name_the_largest_parts_first_with_their_direction() -> None:
    model = LeadModel("logistic", 0.0, [
        Term("asked", "step", np.array([0.5]), np.array([-0.1, 2.0]), 0.0),
        Term("source", "level", ["Web"], np.array([-3.0, 0.0]), 0.0),
        Term("count", "line", np.array([0.0, 1.0]), np.array([0.0, 0.01]), 0.0),
    ])  # fmt: skip
    one = LeadFeatures(
        pd.DataFrame({"count": [1.0]}), pd.DataFrame({"source": ["Web"]}), pd.DataFrame({"asked": [1.0]}), ()
    )
    p, reasons = reasons_of(model, one)
    assert [r[0].as_py() for r in reasons] == ["less likely: source Web", "more likely: asked", None]
    assert p[0] == pytest.approx(1 / (1 + np.exp(0.99)))


def test_naive_bayes_multiplies_shares_as_crms_do() -> None:
    """Three of four that converted asked, one of six others did: log of (3.1 / 4.3) over (1.1 / 6.3)."""
    y = np.array([1.0] * 4 + [0.0] * 6)
    asked = np.array([1.0] * 3 + [0.0] + [1.0] + [0.0] * 5)
    none = pd.DataFrame(index=range(10))
    features = LeadFeatures(none, none, pd.DataFrame({"asked": asked}))
    rows = LeadRows(features, y, np.arange(10), np.arange(10), np.arange(10.0))
    model = fit_plain(rows, Candidate("naive_bayes", 0))
    (term,) = model.terms
    assert term.values[1] == pytest.approx(np.log((3.1 / 4.3) / (1.1 / 6.3)))
    assert model.intercept == pytest.approx(np.log(4.1 / 6.1))
