"""Smoothing finds trend and season, keeps the scale, and has an answer for every short or odd series."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeforecast.rules.smoothing import smoothed

money = st.one_of(st.just(0.0), st.floats(1.0, 1e7))


def noise(n: int, sd: float) -> np.ndarray:
    return sd * np.random.default_rng(0).standard_normal(n)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_trend_goes_on(steps: int) -> None:
    values = 1e6 * (1 + 0.1 * np.arange(24) + noise(24, 0.01))
    assert smoothed(values, 4, steps) == pytest.approx(1e6 * (1 + 0.1 * (23 + steps)), rel=0.02)


def test_a_level_stays() -> None:
    values = 1e6 * (1 + noise(24, 0.1))
    assert smoothed(values, 4, 1) == pytest.approx(1e6, rel=0.1)
    assert smoothed(values, 4, 5) == pytest.approx(smoothed(values, 4, 1), rel=0.15)


@pytest.mark.parametrize("growth", [0.0, 0.05])
def test_a_season_comes_back(growth: float) -> None:
    """Three times as much in the fourth quarter as in the first."""
    season = np.array([0.5, 1.0, 1.0, 1.5])
    values = 1e5 * (1 + growth * np.arange(24)) * np.tile(season, 6) * (1 + noise(24, 0.01))
    for steps in (1, 4):
        expected = 1e5 * (1 + growth * (23 + steps)) * season[(steps - 1) % 4]
        assert smoothed(values, 4, steps) == pytest.approx(expected, rel=0.08)


@given(st.lists(money, min_size=1, max_size=14), st.sampled_from([1, 4, 12]), st.integers(1, 6), st.floats(0.01, 100.0))
@example([0.0] * 9, 4, 1, 1.0)
@example([5.0] * 9, 4, 2, 3.0)
@example([0.0] * 8 + [1e7], 4, 1, 2.0)
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("error")
def test_every_series_has_an_answer_in_its_own_unit(values: list[float], season: int, steps: int, unit: float) -> None:
    found = smoothed(np.array(values), season, steps)
    assert np.isfinite(found)
    assert smoothed(unit * np.array(values), season, steps) == pytest.approx(unit * found, rel=0.02, abs=1e-3 * unit)


def test_two_values_are_no_series() -> None:
    assert smoothed(np.array([1.0, 4.0]), 4, 3) == 2.5
    assert smoothed(np.array([7.0]), 4, 1) == 7.0


def test_few_values_take_the_simplest_form() -> None:
    """Three values rising steeply are no trend yet: no more than the last of them is foretold, however far ahead."""
    values = np.array([1.0, 2.0, 30.0])
    assert values.min() <= smoothed(values, 4, 1) <= values.max() + 1e-6
    assert smoothed(values, 4, 9) == smoothed(values, 4, 1)


def test_rules_are_there_without_statsmodels() -> None:
    """It takes a second to import: only who smooths waits for it."""
    code = "import sys, pipeforecast.rules; print('statsmodels' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
