"""Ranges cover as often as they claim, and a test of few periods says that it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_1samp

from pipeforecast.errors import DataError
from pipeforecast.evidence import bootstrap_by_group, bootstrap_periods_and_deals, diebold_mariano, resampled


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


# Periods, then deals


def test_a_deal_stays_whole_and_a_period_brings_as_many_deals_as_it_has() -> None:
    period = np.array(["Q1"] * 4 + ["Q2"] * 3)
    deal = np.array([7, 7, 8, 9, 7, 8, 8])  # 3 deals in Q1, 2 in Q2
    drawn = np.concatenate(list(resampled(period, deal, draws=300)), axis=1)
    assert drawn.shape == (7, 300)
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[5] == drawn[6]).all()
    first, second = drawn[[0, 2, 3]].sum(axis=0), drawn[[4, 5]].sum(axis=0)
    assert set(first) == {0.0, 3.0, 6.0}  # a period is drawn never, once or twice
    assert (first / 3 + second / 2 == 2).all()
    assert not (drawn[0] == drawn[4]).all()  # a deal of two periods is drawn anew in each
    assert drawn.mean() == pytest.approx(1, abs=0.15)


def test_rows_of_one_deal_are_not_counted_as_many() -> None:
    rng = np.random.default_rng(1)
    values, period, deal = rng.normal(size=60), np.repeat(np.arange(6), 10), np.arange(60)

    def ends(times: int) -> tuple[float, float]:
        v = np.tile(values, times)
        found = bootstrap_periods_and_deals(
            {"mean": lambda w: v @ w / w.sum(axis=0)}, np.tile(period, times), np.tile(deal, times)
        )["mean"]
        return found.lower, found.upper

    assert ends(20) == pytest.approx(ends(1))


def test_ranges_cover_where_periods_share_a_shock_and_deals_repeat() -> None:
    """24 periods with a shock, 15 deals in each, seen 3 times: the truth 0 is inside about as often as claimed."""
    rng, hits = np.random.default_rng(5), 0
    period, deal = np.repeat(np.arange(24), 45), np.tile(np.repeat(np.arange(15), 3), 24)
    for trial in range(120):
        deals = 0.5 * rng.normal(size=24).repeat(15) + rng.normal(size=24 * 15)
        values = deals.repeat(3)
        found = bootstrap_periods_and_deals(
            {0: lambda w, v=values: v @ w / w.sum(axis=0)}, period, deal, level=0.9, draws=200, seed=trial
        )[0]
        hits += found.lower <= 0 <= found.upper
    assert 0.84 <= hits / 120 <= 0.99


def test_what_noise_only_raises_is_centred() -> None:
    rng = np.random.default_rng(6)
    values, period, deal = rng.normal(size=400), np.repeat(np.arange(8), 50), np.arange(400)

    def distance(w: np.ndarray) -> np.ndarray:
        return np.abs((values[:, None] * w).reshape(40, 10, -1).sum(axis=1)).sum(axis=0) / w.sum(axis=0)

    plain = bootstrap_periods_and_deals({"d": distance}, period, deal)["d"]
    centred = bootstrap_periods_and_deals({"d": distance}, period, deal, centred=["d"])["d"]
    assert (plain.lower + plain.upper) / 2 > 1.15 * plain.value  # noise upon noise
    assert centred.lower < centred.value < centred.upper < plain.upper
    assert centred.upper - centred.lower == pytest.approx(plain.upper - plain.lower)


def test_one_period_says_nothing_of_others() -> None:
    found = bootstrap_periods_and_deals({"n": lambda w: w.sum(axis=0)}, ["Q1"] * 5, [1, 2, 3, 4, 5])["n"]
    assert (found.value, found.n_groups) == (5, 1)
    assert np.isnan([found.lower, found.upper]).all()
    with pytest.raises(DataError, match="level"):
        bootstrap_periods_and_deals({}, [1, 2], [1, 2], level=95)


# Two methods


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
