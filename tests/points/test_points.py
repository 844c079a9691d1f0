"""The card evaluates itself, its exported forms give the same points to everybody, and learning keeps its laws."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreter import leads_of, points_by_csv, points_by_rules

from made_leads import made_leads
from pipeforecast.errors import DataError
from pipeforecast.leads import MISSING, LeadFeatures
from pipeforecast.points import CardRecipe, CardRow, Grades, PointsCard, out_of_fold
from pipeforecast.points.card import card_of, decayed_counts
from pipeforecast.points.choosing import chosen_conditions
from pipeforecast.points.exported import as_json, as_rules, rule_table
from pipeforecast.points.learn import half_life_of
from pipeforecast.points.rounding import line_of, rounded

NASTY = [
    '=cmd|"/c calc"!A1',
    "+1",
    "-5",
    "@x",
    "a, b",
    'say "hi"',
    "it's",
    "'quoted",
    "<b>x</b>",
    " THEN +99",
    "is",
    "",
]


def _worked() -> LeadFeatures:
    return LeadFeatures(
        pd.DataFrame({"pages": [3.0, 8.0, np.nan]}),
        pd.DataFrame({"level": ["VP", MISSING, "Staff"]}, dtype=object),
        pd.DataFrame({"demo": [1.0, 0.0, np.nan]}),
        ("pages", "demo"),
        pd.DataFrame({"row": [0, 0, 1], "kind": ["called"] * 3, "days_ago": [0.0, 14.0, 28.0]}),
    )


def test_a_worked_example() -> None:
    card = PointsCard((
        CardRow("fit", "level", "in", ("Director", "VP"), 10),
        CardRow("fit", "level", "missing", "", -3),
        CardRow("engagement", "pages", ">=", 5.0, 4),
        CardRow("engagement", "demo", "is", "true", 20),
        CardRow("engagement", "touches:called", ">=", 1.5, 7),
        CardRow("fit", "not there", "missing", "", 1),
    ), -3.0, 0.1, half_life=14.0)  # fmt: skip
    # Called today and 14 days ago: 1 + 0.5; 28 days ago alone: 0.25.
    assert decayed_counts(_worked(), ["called"], 14.0)[:, 0].tolist() == [1.5, 0.25, 0.0]
    assert card.points(_worked()).tolist() == [10 + 20 + 7 + 1, -3 + 4 + 1, 1]
    assert card.points(_worked(), "fit").tolist() == [11, -2, 1]
    assert card.range() == (-3, 42)
    assert card.chance(np.array([30])) == pytest.approx([0.5])


@pytest.mark.parametrize("missing", ["pages", "level", "demo"])
def test_a_missing_value_meets_missing_and_nothing_else(missing: str) -> None:
    rows = [CardRow("fit", missing, ">=", -1e9, 1), CardRow("fit", missing, "is", "true", 1)]
    rows += [CardRow("fit", missing, "is", MISSING, 1), CardRow("fit", missing, "in", (MISSING, "VP"), 1)]
    row = {"pages": 2, "level": 1, "demo": 2}[missing]
    assert PointsCard(tuple(rows), 0, 1).points(_worked())[row] == 0
    assert PointsCard((CardRow("fit", missing, "missing", "", 5),), 0, 1).points(_worked())[row] == 5


def _forms_agree(card: PointsCard, features: LeadFeatures) -> None:
    points = card.points(features)
    table, rules = rule_table(card).to_csv(index=False, float_format="%.10g"), as_rules(card, Grades((3, 2, 1)))
    again = card_of({k: v for k, v in json.loads(as_json(card, Grades((1,)), {})).items() if k in card.plain()})
    assert again == card
    for lead, own in zip(leads_of(features), points, strict=True):
        assert points_by_csv(table, lead) == own
        assert points_by_rules(rules, lead) == own


def test_the_exported_rules_reproduce_the_points_of_every_lead(card: PointsCard, scored) -> None:
    assert {r.operator for r in card.rows} >= {">=", "is"}
    assert any(r.feature.startswith("touches:") for r in card.rows)
    _forms_agree(card, scored.features)


texts = st.sampled_from(NASTY)


@st.composite
def odd_cards(draw) -> PointsCard:
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        operator = draw(st.sampled_from([">=", "is", "in", "missing"]))
        value: object = ""
        if operator == ">=":
            value = draw(st.floats(-1e6, 1e6))
        elif operator == "is":
            value = draw(texts)
        elif operator == "in":
            value = tuple(draw(st.lists(texts, min_size=1, max_size=4, unique=True)))
        feature = draw(st.sampled_from(["=n", "t", "touches:called", "nowhere"]))
        rows.append(
            CardRow(draw(st.sampled_from(["fit", "engagement"])), feature, operator, value, draw(st.integers(-20, 20)))
        )
    return PointsCard(tuple(rows), 0.0, 1.0, draw(st.sampled_from([None, 3.0, 14.0])))


@settings(max_examples=60, deadline=None)
@given(odd_cards(), st.lists(st.tuples(st.none() | st.floats(-1e6, 1e6), texts), min_size=1, max_size=8))
def test_no_text_breaks_the_forms_or_is_taken_for_a_rule(card: PointsCard, leads: list) -> None:
    n = len(leads)
    features = LeadFeatures(
        pd.DataFrame({"=n": [np.nan if v is None else v for v, _ in leads]}),
        pd.DataFrame({"t": [t or MISSING for _, t in leads]}, dtype=object), pd.DataFrame(index=range(n)),
        touches=pd.DataFrame({"row": [0, 0], "kind": ["called"] * 2, "days_ago": [1.0, 20.0]}),
    )  # fmt: skip
    _forms_agree(card, features)
    for line in rule_table(card).to_csv(index=False).splitlines()[1:]:
        assert not any(cell.startswith(("=", "@")) for cell in line.split(","))


def test_a_card_that_was_edited_wrongly_is_refused(card: PointsCard) -> None:
    plain = card.plain()
    for wrong in (
        {**plain, "rows": [{**plain["rows"][0], "points": 1.5}]},
        {**plain, "rows": [{**plain["rows"][0], "operator": "<"}]},
        {**plain, "more": 1},
        {k: v for k, v in plain.items() if k != "slope"},
    ):
        with pytest.raises(DataError, match="points card"):
            card_of(wrong)


def test_a_card_is_small_whole_and_tells_both_axes(card: PointsCard) -> None:
    assert 0 < len(card.rows) <= 15
    assert all(isinstance(r.points, int) and r.points for r in card.rows)
    assert set(card.axes) == {"fit", "engagement"}
    assert all(r.feature != "noise" for r in card.rows)


def test_fewer_rows_are_kept_to(scored, came) -> None:
    known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
    assert len(CardRecipe(rows=2).learn(scored.features.rows(known), came[known]).rows) <= 2


@pytest.mark.parametrize(("direction", "sign"), [("rising", 1), ("falling", -1)])
def test_points_go_one_way_where_asked(scored, came, direction: str, sign: int) -> None:
    known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
    card = CardRecipe(monotone={"pages": direction}).learn(scored.features.rows(known), came[known])
    assert all(r.points * sign > 0 for r in card.rows if r.feature == "pages" and r.operator == ">=")


def test_the_half_life_that_made_the_leads_is_found() -> None:
    for true in (7.0, 30.0):
        scored = made_leads(20_000, seed=3, half_life=true, left=0.0)
        known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
        y = scored.leads["converted_within"].fillna(False).to_numpy(dtype=float)[known]
        assert half_life_of(scored.features.rows(known), y) == true


def test_nothing_is_made_of_noise() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.3).astype(float)
    held = 0
    for seed in range(20):
        Z = np.random.default_rng(seed).random((600, 40)) < 0.4
        rows = [CardRow("fit", f"x{i}", "is", "true", 0) for i in range(40)]
        held += len(chosen_conditions(Z, y, rows, 15, {}))
    assert held <= 10  # of 20 × 15 places; a twentieth each would be 40 of the 800 conditions


@pytest.mark.parametrize("won", [0, 4, 300])
def test_too_few_of_either_kind_are_refused(won: int) -> None:
    features = made_leads(300).features
    with pytest.raises(DataError, match="expected at least 5"):
        CardRecipe().learn(features, (np.arange(300) < won).astype(float))


def test_rounding_loses_next_to_nothing(card: PointsCard, scored, came) -> None:
    """Against the same conditions with the coefficients of a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    from pipeforecast.points.card import meets

    known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
    features, y = scored.features.rows(known), came[known]
    X = np.column_stack([meets(r, features, card.half_life) for r in card.rows]).astype(float)
    p = LogisticRegression(C=1e6, max_iter=1000).fit(X, y).predict_proba(X)[:, 1]
    loss, own, base = (_log_loss(y, q) for q in (p, card.chance(card.points(features)), np.full(len(y), y.mean())))
    assert own - loss < 0.01 * (base - loss)


def _log_loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def test_the_line_of_points_is_the_logistic_regression_of_statsmodels() -> None:
    import statsmodels.api as sm

    points, n = np.array([-3.0, 0.0, 4.0, 10.0]), np.array([4000.0, 3000.0, 2000.0, 1000.0])
    came = np.array([200.0, 300.0, 500.0, 600.0])
    fit = sm.GLM(np.column_stack([came, n - came]), sm.add_constant(points), family=sm.families.Binomial()).fit()
    assert line_of(points, came, n)[:2] == pytest.approx(fit.params, rel=2e-3)


def test_rows_that_tell_all_apart_stay_finite() -> None:
    y = np.repeat([0.0, 1.0], 50)
    made = rounded(y[:, None] > 0, y, np.array([9.0]))
    assert np.isfinite([made.intercept, made.slope, made.loss]).all()
    assert made.points[0] > 0


def test_later_outcomes_and_own_persons_teach_no_refit(scored) -> None:
    """Flip whatever is decided last: refits of earlier leads do not move."""
    first = out_of_fold(scored, CardRecipe())
    leads = scored.leads.copy()
    late = (leads["as_of"] >= leads["as_of"].quantile(0.8)).to_numpy()
    leads.loc[late, "converted_within"] = ~leads.loc[late, "converted_within"].astype("boolean")
    changed = out_of_fold(type(scored)(leads, scored.features, days=scored.days), CardRecipe())
    early = ~late
    np.testing.assert_array_equal(first.chance[early], changed.chance[early])
    assert np.isnan(first.chance[scored.leads["p"].isna()]).all()


def test_points_of_refits_lie_on_the_scale_of_the_card(card: PointsCard, scored) -> None:
    found = out_of_fold(scored, CardRecipe())
    points = found.points(card)
    low, high = card.range()
    there = ~np.isnan(points)
    assert points[there].min() >= low
    assert points[there].max() <= high
    own = card.points(scored.features)
    assert np.corrcoef(points[there], own[there])[0, 1] > 0.9
    order = np.argsort(found.chance[there])
    assert (np.diff(points[there][order]) >= 0).all()


def test_cuts_can_be_typed_and_a_rare_count_is_told_from_none() -> None:
    from pipeforecast.points.conditions import conditions

    rng = np.random.default_rng(0)
    values = np.where(rng.random(2000) < 0.04, rng.integers(1, 4, 2000), 0).astype(float)
    years = rng.integers(2015, 2024, 2000).astype(float)
    features = LeadFeatures(
        pd.DataFrame({"calls": values, "year": years}), pd.DataFrame(index=range(2000)), pd.DataFrame(index=range(2000))
    )
    found = conditions(features, rng.random(2000) < 0.2, None).rows
    assert 1.0 in {r.value for r in found if r.feature == "calls"}
    assert {r.value for r in found if r.feature == "year"} <= set(range(2015, 2024))


def test_the_level_follows_the_newest_leads_and_the_points_all_of_them() -> None:
    rng = np.random.default_rng(0)
    n = 12_000
    flag, late = (rng.random(n) < 0.4).astype(float), np.arange(n) >= 9_000
    features = LeadFeatures(pd.DataFrame(index=range(n)), pd.DataFrame(index=range(n)), pd.DataFrame({"demo": flag}))
    chance = 1 / (1 + np.exp(2.5 - 1.5 * flag - 1.5 * late))
    y = (rng.random(n) < chance).astype(float)
    card = CardRecipe().learn(features, y)
    said = card.chance(card.points(features.rows(late)))
    assert said.mean() == pytest.approx(chance[late].mean(), abs=0.02)
    steady = CardRecipe().learn(features, (rng.random(n) < 1 / (1 + np.exp(2.5 - 1.5 * flag))).astype(float))
    assert steady.chance(steady.points(features)).mean() == pytest.approx(
        (1 / (1 + np.exp(2.5 - 1.5 * flag))).mean(), abs=0.01
    )
