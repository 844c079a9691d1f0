"""Ranges and choices come from earlier origins only, scores are those of the formulas, bad news come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.backtest import DEAL_COLUMNS, Backtest
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import QUANTILES
from pipeforecast.proof import Proof, prove, table_of
from pipeforecast.settled import BEST_RULE, FEWEST_ERRORS, MODEL, is_rule

CALENDAR = FiscalCalendar()
PERIODS = CALENDAR.before(CALENDAR.named("2024Q1"), 14)


def replay(actual: Sequence[float], means: Mapping[str, Sequence[float]], draws: np.ndarray | None = None) -> Backtest:
    """One origin a period, on day 0; ``draws`` (periods, D) are the model's."""
    rows, kept = [], {}
    for i, (a, period) in enumerate(zip(actual, PERIODS, strict=False)):
        as_of = period.evening(0)
        for method, mean in means.items():
            row = {"recipe": method, "as_of": as_of, "day_of_period": 0, "period": period.name,
                   "period_end": period.end, "level": "total", "group": "total", "method": method, "won": 0.0,
                   "mean": float(mean[i]), "actual": float(a), "actual_as_first_known": float(a)}  # fmt: skip
            row |= dict.fromkeys(QUANTILES, np.nan)
            if method == MODEL and draws is not None:
                row |= dict(zip(QUANTILES, np.quantile(draws[i], list(QUANTILES.values())), strict=True))
                kept[as_of, period.name, method] = draws[i][None]
            rows.append(row)
    return Backtest(pd.DataFrame(rows), kept, pd.DataFrame(columns=list(DEAL_COLUMNS)))


def of(proof: Proof, method: str) -> pd.DataFrame:
    rows = proof.rows[(proof.rows["method"] == method).to_numpy()]
    return rows.sort_values("as_of", ignore_index=True)


def score(proof: Proof, method: str, day: int = -1) -> pd.Series:
    s = proof.scores
    return s[((s["method"] == method) & (s["day_of_period"] == day)).to_numpy()].iloc[0]


money = st.floats(1, 1e6)
worlds = st.integers(5, 10).flatmap(
    lambda n: st.tuples(*(st.lists(money, min_size=n, max_size=n) for _ in range(3)), st.integers(0, n - 1), money)
)


# What may be known


def test_the_range_of_a_rule_is_that_of_its_earlier_errors() -> None:
    proof = prove(replay([110, 80, 120, 90, 100], {"rule": [100, 100, 100, 100, 200]}))
    rows = of(proof, "rule")
    assert rows["p50"].isna().tolist() == [True] * FEWEST_ERRORS + [False] * 2
    assert rows["p50"].iloc[3] == pytest.approx(100 * 1.1)
    assert rows["p50"].iloc[4] == pytest.approx(200 * 1.0)  # of 1.1, 0.8, 1.2, 0.9
    assert rows["p10"].iloc[4] == pytest.approx(200 * np.quantile([1.1, 0.8, 1.2, 0.9], 0.1))


@given(worlds)
@settings(max_examples=8, deadline=None)
def test_a_later_actual_changes_no_earlier_range_and_no_earlier_choice(world: tuple) -> None:
    actual, a, b, at, other = world
    changed = [other if i == at else x for i, x in enumerate(actual)]
    before, after = (prove(replay(y, {"a": a, "b": b})) for y in (actual, changed))
    upto = PERIODS[at].evening(0)
    for method in ("a", "b", BEST_RULE):
        told = [of(p, method) for p in (before, after)]
        seen = [t.loc[(t["as_of"] <= upto).to_numpy(), ["as_of", "recipe", "mean", *QUANTILES]] for t in told]
        pd.testing.assert_frame_equal(*seen)


def test_actuals_as_first_known_teach_and_actuals_of_today_judge() -> None:
    """What was booked late was in no error at the time."""
    found = replay([100] * 5, {"rule": [100] * 5})
    found.rows.loc[0, "actual"] = 500.0
    proof = prove(found)
    assert of(proof, "rule")["p50"].iloc[3] == pytest.approx(100.0)
    assert score(proof, "rule")["wape"] == pytest.approx(400 / 900)


def test_the_chosen_rule_is_the_one_that_was_best_by_then() -> None:
    actual = [100.0] * 8
    proof = prove(replay(actual, {"a": [100] * 3 + [300] * 5, "b": [150] * 3 + [100] * 5}))
    chosen = of(proof, BEST_RULE)
    # a leads by 150 until it has missed by 200: chosen on the fourth and never after.
    assert chosen["recipe"].tolist() == ["a", "b", "b", "b", "b"]
    assert chosen["mean"].tolist() == [300, 100, 100, 100, 100]


def test_a_rule_of_all_dates_never_serves_alone() -> None:
    perfect = dict.fromkeys(("stage_rate_all_dates", "stage_rate_all_dates+new"), [100] * 6)
    proof = prove(replay([100] * 6, {**perfect, "b": [150, 140] * 3}))
    assert set(of(proof, BEST_RULE)["recipe"]) == {"b"}
    assert score(proof, "b")["skill_hindsight"] == 0.0


NAN = float("nan")


def test_where_a_rule_has_no_answer_it_is_not_scored() -> None:
    proof = prove(replay([100] * 8, {"calls": [NAN, NAN, 90, 120, NAN, 100, 100, NAN], "other": [80] * 8}))
    rows = of(proof, "calls")
    assert rows["mean"].isna().sum() == 4
    assert rows.loc[rows["mean"].isna(), list(QUANTILES)].isna().all(axis=None)
    assert score(proof, "calls")["n_origins"] == score(proof, "calls")["n_periods"] == 4
    assert score(proof, "calls")["wape"] == pytest.approx(30 / 400)
    assert score(proof, "calls")["bias"] == pytest.approx(10 / 400)
    assert score(proof, "other")["n_origins"] == 8


def test_a_rule_that_never_answers_has_no_score() -> None:
    proof = prove(replay([100] * 6, {"calls": [NAN] * 6, "other": [80] * 6}))
    assert score(proof, "calls")["n_origins"] == 0
    assert np.isnan(score(proof, "calls")[["wape", "crps", "skill", "cover80"]].astype(float)).all()
    assert set(of(proof, BEST_RULE)["recipe"]) == {"other"}


def test_a_missing_answer_is_no_small_error() -> None:
    """Silent twice and wrong by a half since, against wrong by two fifths always; chosen only where it answers."""
    proof = prove(replay([100] * 8, {"shy": [NAN, NAN, 150, 150, 150, 150, 150, NAN], "b": [140] * 8}))
    assert of(proof, BEST_RULE)["recipe"].tolist() == ["b"] * 5
    # Once it is the better one over what it said, it is chosen, and not where it says nothing.
    proof = prove(replay([100] * 8, {"shy": [NAN, NAN, 110, 110, 110, 100, 110, NAN], "b": [140] * 8}))
    assert of(proof, BEST_RULE)["recipe"].tolist() == ["b", "b", "shy", "shy", "b"]


def test_in_hindsight_the_best_rule_answered_as_often_as_any() -> None:
    actual = [100.0, 100, 100, 100, 200, 200, 200, 200]
    told = {"shy": [90, 110, 90, 110, 190, NAN, NAN, NAN], "b": [90, 110, 90, 110, 160, 160, 160, 160.0]}
    proof = prove(replay(actual, told))
    assert score(proof, "shy")["crps"] < score(proof, "b")["crps"]
    assert score(proof, "b")["skill_hindsight"] == 0.0


def test_origins_before_since_only_warm_up() -> None:
    since = PERIODS[4].evening(0)
    proof = prove(replay([100] * 6, {"rule": [90] * 6}), since=since)
    assert (proof.rows["as_of"] >= since).all()
    assert score(proof, "rule")["n_origins"] == score(proof, "rule")["n_periods"] == 2
    assert of(proof, "rule")["p50"].notna().all()


# Scores


def test_worked_example_of_the_scores() -> None:
    draws = np.array([[0.0, 2.0], [3.0, 3.0]])
    proof = prove(replay([1, 5], {MODEL: [1, 3], "rule": [2, 2]}, draws))
    own, rule = score(proof, MODEL), score(proof, "rule")
    assert own["crps"] == pytest.approx((0.5 + 2.0) / 2)
    assert own["wape"] == pytest.approx(2 / 6)
    assert own["bias"] == pytest.approx(-2 / 6)
    assert (own["cover80"], own["cover95"]) == (0.5, 0.5)
    assert rule["wape"] == pytest.approx((1 + 3) / 6)
    assert np.isnan(rule["crps"])
    assert np.isnan(own["skill"])  # no rule could be chosen yet


def world(n: int, own_error: float, draws: float = 1.0) -> Backtest:
    rng = np.random.default_rng(0)
    actual = rng.uniform(80, 120, n)
    rule = actual * rng.choice([0.8, 1.25], n)
    mean = actual + own_error * rng.choice([-1, 1], n)
    return replay(actual, {MODEL: mean, "rule": rule}, mean[:, None] + draws * np.linspace(-1, 1, 41))


def test_a_perfect_model_has_skill_1() -> None:
    proof = prove(world(12, 0.0, draws=0.0))
    own = score(proof, MODEL)
    assert own["skill"] == own["skill_hindsight"] == own["lower"] == own["upper"] == 1.0
    assert own["wape"] == 0.0
    assert proof.beaten is True
    assert proof.sentence.startswith("The model beats the rule")


def test_a_worse_model_is_said_to_be_worse_before_anything_else() -> None:
    proof = prove(world(12, 70.0))
    assert score(proof, MODEL)["skill"] < 0
    assert proof.beaten is False
    assert proof.sentence.startswith("The model does NOT beat the rule")


def test_a_loss_is_not_worded_as_a_gain() -> None:
    assert "better" not in prove(world(12, 70.0)).sentence


def test_a_model_as_good_as_the_rule_beats_nothing() -> None:
    rng = np.random.default_rng(1)
    actual = rng.uniform(80, 120, 12)
    rule = actual * rng.uniform(0.8, 1.25, 12)
    proof = prove(replay(actual, {MODEL: rule, "rule": rule}, rule[:, None] * np.linspace(0.85, 1.18, 41)))
    assert proof.beaten is None
    assert proof.sentence.startswith("It cannot be told yet")


@pytest.mark.parametrize("n", [1, FEWEST_ERRORS, FEWEST_ERRORS + 1])
def test_few_periods_prove_nothing(n: int) -> None:
    proof = prove(world(n, 0.0))
    assert proof.beaten is None
    assert proof.sentence.startswith("Not yet proven")


def test_a_period_without_revenue_has_no_error_share() -> None:
    proof = prove(replay([0] * 5, {MODEL: [1] * 5, "rule": [0] * 5}, np.ones((5, 3))))
    assert np.isnan(score(proof, MODEL)["wape"])
    assert np.isfinite(score(proof, MODEL)["crps"])


def test_the_model_and_the_choice_are_no_rules() -> None:
    assert is_rule(pd.Series([MODEL, BEST_RULE, "stage_rate"])).tolist() == [False, False, True]


def test_a_table_for_people_has_the_best_first() -> None:
    table = table_of(prove(world(8, 1.0)).scores, [MODEL, "rule"])
    assert table.index.tolist() == [MODEL, "rule"]
    assert table.columns.tolist() == [0]


# The order of deals


def deals(p_won: Sequence[float], cause: Sequence[int]) -> pd.DataFrame:
    n = len(p_won)
    return pd.DataFrame({
        "as_of": PERIODS[0].evening(0), "period": PERIODS[0].name, "method": MODEL, "deal": np.arange(n),
        "p_won": p_won, "p_lost": 1 - np.asarray(p_won), "cause": cause,
    })  # fmt: skip


@pytest.mark.parametrize(("informative", "found"), [(True, 0), (False, 1)])
def test_chances_that_tell_nothing_apart_are_a_finding(informative: bool, found: int) -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.1, 0.9, 300)
    cause = np.where(rng.random(300) < (p if informative else 0.5), 1, 2)
    told = world(5, 1.0)
    proof = prove(Backtest(told.rows, told.draws, deals(p, cause)))
    assert [f.code for f in proof.findings] == ["RANKING-NO-BETTER-THAN-BASE-RATE"] * found
