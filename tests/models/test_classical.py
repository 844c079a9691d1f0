"""Classical estimators by examples worked by hand, and beside each other."""

from __future__ import annotations

import numpy as np
import pytest

from pipeforecast.models.classical import Curve, _breslow, _components, _incidences, _proportional

TIME = np.array([1.0, 2.0, 2.0, 3.0, 5.0])
CAUSE = np.array([1, 2, 0, 1, 0])


def test_incidences_by_hand() -> None:
    """Five at risk: 1/5 won at 1; of four 1/4 lost at 2; of the two that are left 1/2 won at 3."""
    won, lost = _incidences(TIME, CAUSE, np.ones(5))
    assert won.at(np.array([0.5, 1, 2, 3, 9])).tolist() == pytest.approx([0, 0.2, 0.2, 0.5, 0.5])
    assert lost.at(np.array([0.5, 1, 2, 3, 9])).tolist() == pytest.approx([0, 0, 0.2, 0.2, 0.2])


def test_a_row_that_counts_twice_is_two_rows() -> None:
    twice = np.array([0, 1, 1, 2, 3, 4])
    counted = _incidences(TIME, CAUSE, np.array([1.0, 2, 1, 1, 1]))
    repeated = _incidences(TIME[twice], CAUSE[twice], np.ones(6))
    for one, other in zip(counted, repeated, strict=True):
        np.testing.assert_allclose(one.at(TIME), other.at(TIME))


def test_the_baseline_by_hand() -> None:
    """Ratios 2, 1, 1, 1, 1: at time 1 one closes of 6, at time 3 one of 2."""
    curve = _breslow(np.log([2.0, 1, 1, 1, 1]), TIME, CAUSE == 1)
    assert curve.at(np.array([0.9, 1, 2.9, 3, 9])).tolist() == pytest.approx([0, 1 / 6, 1 / 6, 2 / 3, 2 / 3])
    assert Curve().at(np.array([0.0, 4.0])).tolist() == [0.0, 0.0]


def test_cox_finds_the_ratio_of_hazards() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 2, 4000).astype(float), rng.standard_normal(4000)])
    time = rng.exponential(1 / (0.02 * np.exp(0.8 * x[:, 0] - 0.5 * x[:, 1])))
    event, seen = time < 60, np.minimum(time, 60)
    found = _proportional(x, seen, event, np.arange(4000))
    np.testing.assert_allclose(found.coefficients, [0.8, -0.5], atol=0.1)
    se = np.sqrt((found.factor**2).sum(axis=1))
    assert ((se > 0.01) & (se < 0.06)).all()
    hazards = found.hazards(np.array([[0.0, 0.0]]), np.array([10.0, 30.0]), None)
    np.testing.assert_allclose(hazards, [[0.2, 0.4]], rtol=0.15)


def test_few_closings_tell_few_coefficients() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 8))
    assert [_components(x - x.mean(axis=0), k).shape[1] for k in (0, 3, 50)] == [0, 3, 8]
    assert _components(np.column_stack([x[:, 0], x[:, 0]]), 5).shape[1] == 1  # the same twice
    event = np.zeros(200, dtype=bool)
    event[:9] = True
    assert (_proportional(x, rng.exponential(1, 200), event, np.arange(200)).coefficients == 0).all()
