"""Incidences are chained hazards, and hazards are found in them again; moved odds are odds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from every_kind import assert_chances
from pipeforecast.models.incidence import chained, chained_causes, hazards, moved

steps = st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=8)


def test_incidences_worked_example() -> None:
    # Open after each interval: 0.5, 0.25; won 0.3 + 0.5 × 0.4, lost 0.2 + 0.5 × 0.1.
    won, lost = chained(np.array([[[0.5, 0.3, 0.2], [0.5, 0.4, 0.1]]]))
    np.testing.assert_allclose(won, [[0.3, 0.5]])
    np.testing.assert_allclose(lost, [[0.2, 0.25]])


@given(steps)
def test_hazards_of_incidences_are_those_they_were_made_of(steps: list[tuple[float, float]]) -> None:
    h = np.array(steps) * 0.98
    before = np.cumprod(np.concatenate([[1.0], 1 - h.sum(axis=1)[:-1]]))
    found = hazards(np.cumsum(before * h[:, 0])[None], np.cumsum(before * h[:, 1])[None])
    assert np.allclose(found[0], h[:, 0], atol=1e-5)
    assert np.allclose(found[1], h[:, 1], atol=1e-5)


@given(steps)
def test_chained_hazards_are_chances_and_what_they_were_before(steps: list[tuple[float, float]]) -> None:
    h = np.array(steps)[None]
    won, lost = chained_causes(h[:, :, 0], h[:, :, 1])
    assert_chances(won, lost)
    again = chained_causes(*hazards(won, lost))
    np.testing.assert_allclose(again[0], won, atol=1e-9)
    np.testing.assert_allclose(again[1], lost, atol=1e-9)


@given(steps, st.floats(-2, 2), st.floats(-2, 2))
def test_a_shift_of_one_deal_multiplies_its_odds_and_leaves_the_others(
    steps: list[tuple[float, float]], up: float, down: float
) -> None:
    h = np.tile(np.array(steps) * 0.98, (2, 1, 1))
    won, lost = moved(h[:, :, 0], h[:, :, 1], (np.array([[up], [0.0]]), np.array([[down], [0.0]])))
    before, after = 1 - h.sum(axis=2), 1 - won - lost
    np.testing.assert_allclose(won[0] * before[0], np.exp(up) * h[0, :, 0] * after[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(lost[0] * before[0], np.exp(down) * h[0, :, 1] * after[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(won[1], h[1, :, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(lost[1], h[1, :, 1], rtol=1e-9, atol=1e-12)


def test_what_cannot_happen_stays_impossible() -> None:
    won, lost = moved(np.array([0.0, 0.2]), np.array([0.3, 0.0]), (1.0, 1.0), (0.5, 0.5))
    assert (won[0], lost[1]) == (0.0, 0.0)
    assert won[1] == pytest.approx(np.e * 0.5 / (1 + np.e * 0.5))  # odds 0.2 / 0.8, their root 0.5
