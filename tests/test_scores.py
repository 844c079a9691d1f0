"""Scores agree with worked examples, obey their laws, and are lowest for the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from pipeforecast.errors import DataError
from pipeforecast.scores import (
    LEAST,
    auc,
    average_precision,
    bias,
    brier,
    coverage,
    crps_draws,
    interval_score,
    log_loss,
    money_ratio,
    pinball,
    row_log_loss,
    skill,
    wape,
)

amounts = st.floats(-1e6, 1e6)
levels = st.floats(0.01, 0.99)
samples = arrays(float, st.integers(1, 30), elements=amounts)
probabilities = st.floats(0, 1)


# Probabilities


def test_worked_examples_of_probabilities() -> None:
    assert log_loss([1, 0], [0.8, 0.4]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert log_loss([1, 0], [0.8, 0.4], weight=[3, 1]) == pytest.approx(-(3 * np.log(0.8) + np.log(0.6)) / 4)
    assert log_loss([1], [0.0]) == pytest.approx(-np.log(1e-12))
    assert brier([1, 0], [0.8, 0.4]) == pytest.approx((0.04 + 0.16) / 2)
    assert auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == pytest.approx(0.75)
    assert np.isnan(auc([1, 1], [0.1, 0.2]))


def test_losses_row_by_row_by_hand_and_nobody_is_ever_sure() -> None:
    found = row_log_loss([1, 0, 1], [0.5, 0.25, 0.0])
    assert found.tolist() == pytest.approx([np.log(2), -np.log(0.75), -np.log(LEAST)])
    beside = row_log_loss([[1], [0]], [[0.5, 0.25], [0.5, 0.25]])
    np.testing.assert_allclose(beside, -np.log([[0.5, 0.25], [0.5, 0.75]]))
    assert row_log_loss([0], [1.0], least=0.1).tolist() == pytest.approx([-np.log(0.1)])


@pytest.mark.parametrize("score", [log_loss, brier])
@given(truth=probabilities, said=probabilities)
def test_a_probability_scores_best_when_it_is_true(score, truth: float, said: float) -> None:
    outcomes, weight = [1, 0], [truth, 1 - truth]
    assert score(outcomes, [truth] * 2, weight) <= score(outcomes, [said] * 2, weight) + 1e-9


@given(st.lists(st.tuples(st.booleans(), probabilities), min_size=2, max_size=40))
def test_auc_sees_the_order_only_and_swaps_with_the_outcome(rows: list[tuple[bool, float]]) -> None:
    won, p = np.array([w for w, _ in rows], dtype=float), np.array([v for _, v in rows])
    assume(0 < won.sum() < len(won))
    ranks = np.unique(p, return_inverse=True)[1] / len(p)
    assert auc(won, p) == pytest.approx(auc(won, ranks))
    assert auc(won, p) + auc(1 - won, p) == pytest.approx(1)


def test_average_precision_is_the_mean_precision_at_the_wins() -> None:
    # From the top: lost, won (1 of 2), lost, won (2 of 4).
    assert average_precision([1, 0, 1, 0], [0.1, 0.2, 0.3, 0.4]) == pytest.approx(0.5)
    assert average_precision([1, 1, 0], [0.9, 0.8, 0.1]) == 1.0
    assert average_precision([1, 0, 0, 0], [0.3] * 4) == 0.25  # nothing is told apart: the share won
    assert np.isnan(average_precision([0, 0], [0.1, 0.2]))


def test_ranks_agree_with_another_implementation() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(0)
    p, w = rng.integers(0, 12, 300) / 12, rng.integers(0, 4, 300)
    won = rng.random(300) < p
    assert auc(won, p, w) == pytest.approx(roc_auc_score(won, p, sample_weight=w))
    assert average_precision(won, p, w) == pytest.approx(average_precision_score(won, p, sample_weight=w))


@pytest.mark.parametrize("score", [log_loss, brier, auc, average_precision])
def test_a_weight_of_two_is_the_row_twice_and_columns_are_separate(score) -> None:
    rng = np.random.default_rng(1)
    p, won = rng.uniform(0.05, 0.95, 40), rng.integers(0, 2, 40).astype(float)
    weight = rng.integers(0, 3, (40, 5))
    copies = [np.repeat(np.arange(40), weight[:, d]) for d in range(5)]
    assert score(won, p, weight) == pytest.approx([score(won[i], p[i]) for i in copies])


def test_money_worked_example() -> None:
    # Promised 0.5 × 100 + 0.2 × 50 = 60, brought 80.
    assert money_ratio([0.5, 0.2], [100, 50], [80, 0]) == pytest.approx(0.75)
    assert np.isnan(money_ratio([0.5], [100], [0]))


@pytest.mark.parametrize("score", [log_loss, brier, auc, average_precision])
def test_what_is_no_probability_is_named(score) -> None:
    with pytest.raises(DataError, match=r"came 1\.2"):
        score([1, 0], [0.5, 1.2])
    with pytest.raises(DataError, match="nan"):
        score([1, 0], [0.5, np.nan])
    with pytest.raises(DataError, match="one length"):
        score([1, 0], [0.5])


# Draws


def _crps_by_definition(draws: np.ndarray, y: float, fair: bool) -> float:
    n = len(draws)
    pairs = np.abs(draws[:, None] - draws[None, :]).sum()
    return float(np.abs(draws - y).mean() - pairs / (2 * n * (n - fair)))


@given(samples, amounts, st.booleans())
def test_crps_is_its_definition(draws: np.ndarray, y: float, fair: bool) -> None:
    assume(len(draws) > 1)
    expected = _crps_by_definition(draws, y, fair)
    assert crps_draws(draws, y, fair=fair) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(samples, amounts)
def test_crps_is_never_negative_and_at_most_the_mean_absolute_error(draws: np.ndarray, y: float) -> None:
    assert -1e-6 <= crps_draws(draws, y) <= np.abs(draws - y).mean() + 1e-6


@given(amounts, amounts, st.integers(1, 20))
def test_crps_of_a_point_is_the_absolute_error(point: float, y: float, n: int) -> None:
    assert crps_draws(np.full(n, point), y) == pytest.approx(abs(point - y), abs=1e-6)


@given(samples, amounts, st.floats(-1e3, 1e3), st.floats(-5, 5))
def test_crps_moves_with_its_unit(draws: np.ndarray, y: float, shift: float, scale: float) -> None:
    expected = abs(scale) * crps_draws(draws, y)
    assert crps_draws(scale * draws + shift, scale * y + shift) == pytest.approx(expected, abs=1e-4)


def test_crps_of_many_normal_draws_is_the_normal_formula() -> None:
    draws = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for y in (-1.0, 0.0, 2.5):
        exact = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
        assert crps_draws(draws, y) == pytest.approx(exact, abs=1e-3)


def test_crps_is_lowest_for_the_truth() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(10, 3, 4000)
    base = norm.ppf((np.arange(200) + 0.5) / 200)

    def mean_crps(mean: float, sd: float) -> float:
        return float(crps_draws(np.broadcast_to(mean + sd * base, (4000, 200)), y).mean())

    truth = mean_crps(10, 3)
    assert all(truth < mean_crps(m, s) for m, s in ((9, 3), (11, 3), (10, 2), (10, 4.5)))


def test_fair_crps_does_not_hang_on_the_number_of_draws() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=20_000)
    few, many = (crps_draws(rng.normal(size=(20_000, n)), y, fair=True).mean() for n in (3, 60))
    assert few == pytest.approx(many, abs=0.012)
    assert crps_draws(rng.normal(size=(20_000, 3)), y).mean() > many + 0.1


def test_crps_of_many_forecasts_is_that_of_each() -> None:
    rng = np.random.default_rng(4)
    draws, y = rng.normal(size=(2, 3, 7)), rng.normal(size=(2, 3))
    together = crps_draws(draws, y)
    assert together.shape == (2, 3)
    assert together[1, 2] == pytest.approx(crps_draws(draws[1, 2], y[1, 2]))


def test_crps_says_which_shapes_it_expected() -> None:
    with pytest.raises(DataError, match=r"expected draws of shape \(\*\(3,\), D\)"):
        crps_draws(np.zeros((2, 5)), np.zeros(3))
    with pytest.raises(DataError, match="at least 2"):
        crps_draws([1.0], 1.0, fair=True)


# Ranges, quantiles, amounts


def test_worked_examples_of_ranges() -> None:
    assert interval_score([10, 10, 10], [20, 20, 20], [15, 8, 21], 0.8).tolist() == pytest.approx([10, 30, 20])
    assert coverage([0, 0, 0], [1, 1, 1], [0, 1, 2]) == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="lower ends"):
        interval_score([2], [1], [1], 0.5)
    with pytest.raises(DataError, match="level between"):
        interval_score([1], [2], [1], 80)


@given(amounts, amounts, amounts, levels)
def test_an_interval_score_is_two_pinball_losses(a: float, b: float, y: float, level: float) -> None:
    low, high = min(a, b), max(a, b)
    tail = (1 - level) / 2
    losses = pinball(low, y, tail) + pinball(high, y, 1 - tail)
    assert interval_score(low, high, y, level) == pytest.approx(losses / tail, rel=1e-6, abs=1e-4)


@given(arrays(float, st.integers(1, 40), elements=amounts), levels, amounts)
def test_pinball_is_lowest_at_the_quantile(y: np.ndarray, level: float, said: float) -> None:
    quantile = np.quantile(y, level, method="inverted_cdf")
    best = pinball(np.full(len(y), quantile), y, level).mean()
    assert best <= pinball(np.full(len(y), said), y, level).mean() + 1e-6


def test_worked_examples_of_amounts() -> None:
    assert wape([100, 300], [150, 250]) == pytest.approx(0.25)
    assert bias([100, 300], [150, 250]) == 0
    assert bias([100, 300], [150, 350]) == pytest.approx(0.25)
    assert np.isnan(wape([0, 0], [1, 2]))
    assert skill(0.3, 0.4) == pytest.approx(0.25)
    assert np.isnan(skill(0.0, 0.0))


@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(1, 1e5)), min_size=1))
def test_bias_never_passes_wape_and_units_are_no_matter(rows: list[tuple[float, float]]) -> None:
    y, f = np.array(rows).T
    assert abs(bias(y, f)) <= wape(y, f) + 1e-12
    assert wape(1000 * y, 1000 * f) == pytest.approx(wape(y, f))
