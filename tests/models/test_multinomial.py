"""The fast fit finds what a general solver finds, and its covariance is what resampling finds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pipeforecast.models.multinomial import Multinomial, fit_multinomial

N, P = 3000, 4
TRUTH = np.array([[0.8, -0.5, 0.0, 0.3, -1.0], [-0.6, 0.4, 0.7, 0.0, -0.3]])


def simulate(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, P))
    eta = np.column_stack([np.zeros(n), x @ TRUTH[:, :-1].T + TRUTH[:, -1]])
    p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    return x, (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    return simulate(N, 1)


@pytest.fixture(scope="module")
def fitted(data: tuple[np.ndarray, np.ndarray]) -> Multinomial:
    x, y = data
    return fit_multinomial(x, y, 3, C=100.0, groups=np.arange(N))


def test_probabilities_are_those_of_a_general_solver(data: tuple[np.ndarray, np.ndarray], fitted: Multinomial) -> None:
    x, y = data
    other = LogisticRegression(C=100.0, tol=1e-8, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(fitted.probabilities(x), other.predict_proba(x), atol=2e-3)


def test_the_truth_is_recovered(fitted: Multinomial) -> None:
    sd = np.sqrt((fitted.factor**2).sum(axis=1)).reshape(TRUTH.shape)
    assert (np.abs(fitted.coefficients - TRUTH) < 4 * sd).all()
    assert (sd < 0.12).all()


def test_probabilities_are_probabilities(data: tuple[np.ndarray, np.ndarray], fitted: Multinomial) -> None:
    p = fitted.probabilities(100 * data[0])
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-6)


def test_two_classes_are_logistic_regression() -> None:
    x, y = simulate(2000, 2)
    y = (y == 1).astype(int)
    mine = fit_multinomial(x, y, 2, C=1.0, groups=np.arange(2000)).probabilities(x)[:, 1]
    other = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(x, y).predict_proba(x)[:, 1]
    np.testing.assert_allclose(mine, other, atol=2e-3)


def test_a_weight_stands_for_repeated_rows() -> None:
    x, y = simulate(600, 3)
    times = np.random.default_rng(0).integers(1, 5, 600)
    groups = np.arange(600)
    weighted = fit_multinomial(x, y, 3, 1.0, groups, times.astype("float64"))
    repeated = fit_multinomial(np.repeat(x, times, axis=0), np.repeat(y, times), 3, 1.0, np.repeat(groups, times))
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, atol=2e-3)
    covariance = [m.factor @ m.factor.T for m in (weighted, repeated)]
    np.testing.assert_allclose(covariance[0], covariance[1], rtol=0.02, atol=1e-5)


def test_a_sketch_of_many_rows_leads_to_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = simulate(30_000, 3)
    groups = np.arange(len(y)) // 3
    sketched = fit_multinomial(x, y, 3, 1.0, groups)
    monkeypatch.setattr("pipeforecast.models.multinomial._ROWS_FOR_A_SKETCH", len(y))
    whole = fit_multinomial(x, y, 3, 1.0, groups)
    se = np.sqrt((whole.factor**2).sum(axis=1)).reshape(whole.coefficients.shape)
    assert (np.abs(sketched.coefficients - whole.coefficients) < 0.02 * se).all()
    np.testing.assert_allclose(sketched.factor, whole.factor, rtol=0.02, atol=0.02 * np.abs(whole.factor).max())


def test_a_stronger_penalty_shrinks() -> None:
    x, y = simulate(500, 4)
    sizes = [np.abs(fit_multinomial(x, y, 3, C, np.arange(500)).coefficients[:, :-1]).sum() for C in (0.001, 0.1, 10.0)]
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_covariance_is_that_of_resampled_deals() -> None:
    """Rows of a deal are copies of each other: ten rows of a deal know no more than one."""
    x, y = simulate(400, 5)
    groups = np.repeat(np.arange(400), 10)
    rows = np.repeat(np.arange(400), 10)
    said = fit_multinomial(x[rows], y[rows], 3, 100.0, groups).factor
    said = np.sqrt((said**2).sum(axis=1))
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        pick = np.repeat(rng.integers(0, 400, 400), 10)
        found.append(fit_multinomial(x[pick], y[pick], 3, 100.0, groups).coefficients.ravel())
    ratio = said / np.std(found, axis=0)
    assert ((ratio > 0.65) & (ratio < 1.5)).all(), ratio


def test_draws_spread_as_the_covariance_says(fitted: Multinomial) -> None:
    draws = np.array([d.ravel() for d in fitted.draws(4000, np.random.default_rng(0))])
    np.testing.assert_allclose(draws.mean(axis=0), fitted.coefficients.ravel(), atol=0.01)
    np.testing.assert_allclose(np.cov(draws.T), fitted.factor @ fitted.factor.T, rtol=0.15, atol=4e-4)


def test_a_class_that_never_came_stays_all_but_impossible() -> None:
    x, y = simulate(500, 6)
    found = fit_multinomial(x, np.where(y == 1, 0, y), 3, 1.0, np.arange(500))
    p = found.probabilities(x)
    assert p[:, 1].max() < 0.01
    assert np.isfinite(found.factor).all()
    # … and the other classes are as if it were not there.
    two = fit_multinomial(x, (y == 2).astype(int), 2, 1.0, np.arange(500)).probabilities(x)
    np.testing.assert_allclose(p[:, 2], two[:, 1], atol=0.01)


def test_one_class_alone_and_separated_classes_are_finite() -> None:
    x = np.random.default_rng(7).normal(size=(200, 2))
    for y in (np.ones(200, dtype=int), (x[:, 0] > 0).astype(int) * 2):
        found = fit_multinomial(x, y, 3, 1.0, np.arange(200))
        assert np.isfinite(found.coefficients).all()
        right = found.probabilities(x)[np.arange(200), y]
        assert right.mean() > 0.85
