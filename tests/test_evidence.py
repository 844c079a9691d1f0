"""Ranges cover as often as they claim, and a test of few periods says that it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_1samp

from pipeforecast.errors import DataError
from pipeforecast.evidence import bootstrap_by_group, diebold_mariano


def test_rows_of_one_period_are_not_counted_as_many() -> None:
    """Copying every row tells nothing new, so the range stays as it is."""
    rng = np.random.default_rng(1)
    values, periods = rng.normal(size=20), np.arange(20)
    copies, of = np.tile(values, 50), np.tile(periods, 50)
    once = bootstrap_by_group(lambda rows: float(values[rows].mean()), periods)
    often = bootstrap_by_group(lambda rows: float(copies[rows].mean()), of)
    assert (often.lower, often.upper) == pytest.approx((once.lower, once.upper))
    assert once.lower < once.value < once.upper


def test_the_range_covers_as_often_as_it_claims() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for trial in range(200):
        shared = rng.normal(size=40).repeat(5)
        values = shared + 0.3 * rng.normal(size=200)
        found = bootstrap_by_group(
            lambda rows, v=values: float(v[rows].mean()), np.arange(40).repeat(5), level=0.9, draws=300, seed=trial
        )
        hits += found.lower <= 0 <= found.upper
    assert 0.82 <= hits / 200 <= 0.96


def test_one_period_gives_no_range() -> None:
    found = bootstrap_by_group(lambda rows: float(len(rows)), ["2024Q1"] * 9)
    assert (found.value, found.n_groups) == (9, 1)
    assert np.isnan([found.lower, found.upper]).all()
    with pytest.raises(DataError, match="level"):
        bootstrap_by_group(lambda rows: 0.0, [1, 2], level=95)


def test_horizon_one_is_the_t_test_with_its_correction() -> None:
    """With n − 1 in the variance, n in the autocovariance and the factor (n − 1) / n, both are the same number."""
    rng = np.random.default_rng(3)
    first, second = rng.normal(1, 1, 30), rng.normal(1.4, 1, 30)
    found = diebold_mariano(first, second)
    expected = ttest_1samp(first - second, 0)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_under_twelve_periods_it_cannot_tell() -> None:
    found = diebold_mariano(np.zeros(11), np.ones(11) * 100)
    assert found.verdict == "cannot tell"
    assert found.difference == -100
    assert np.isnan(found.p_value)
    assert diebold_mariano(np.zeros(12), np.ones(12) * 100).verdict == "first"
    assert diebold_mariano(np.zeros(15), np.ones(15), horizon=8).verdict == "cannot tell"
    assert diebold_mariano([], []).verdict == "cannot tell"


def test_clear_differences_are_seen_and_equal_methods_rarely_differ() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(2, 400, 24))
    assert diebold_mariano(noise[0, 0], noise[1, 0] + 3).verdict == "first"
    assert diebold_mariano(noise[0, 0] + 3, noise[1, 0]).verdict == "second"
    verdicts = [diebold_mariano(a, b).verdict for a, b in zip(*noise, strict=True)]
    assert 0.01 <= np.mean([v != "no difference" for v in verdicts]) <= 0.09
    assert diebold_mariano(np.ones(20), np.ones(20)).verdict == "no difference"


@given(arrays(float, (2, 16), elements=st.floats(-100, 100)), st.integers(1, 3))
def test_swapping_the_methods_swaps_the_verdict(losses: np.ndarray, horizon: int) -> None:
    one, other = diebold_mariano(*losses, horizon=horizon), diebold_mariano(*losses[::-1], horizon=horizon)
    assert one.difference == pytest.approx(-other.difference)
    swapped = {"first": "second", "second": "first"}
    assert swapped.get(one.verdict, one.verdict) == other.verdict


def test_losses_that_do_not_pair_are_refused() -> None:
    with pytest.raises(DataError, match="one length"):
        diebold_mariano([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="horizon"):
        diebold_mariano([1, 2], [1, 2], horizon=0)
