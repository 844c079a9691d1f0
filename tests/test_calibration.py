"""Calibration: worked examples, laws, and a known truth that is found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.calibration import (
    brier_parts,
    calibration_error,
    equal_count_bins,
    error_by_chance,
    recalibration,
    reliability,
    wilson,
)
from pipeforecast.errors import DataError
from pipeforecast.scores import brier

ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.9])), min_size=1, max_size=40)


def drawn(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that come true as often as they say."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.0, 3.0, n)
    return (rng.random(n) < p).astype(float), p


def shifted(p: np.ndarray, intercept: float, slope: float = 1.0) -> np.ndarray:
    return 1 / (1 + np.exp(-(intercept + slope * np.log(p / (1 - p)))))


# Bins


def test_bins_hold_equal_counts_and_equal_probabilities_share_one() -> None:
    assert equal_count_bins([0.4, 0.1, 0.3, 0.2], 2).tolist() == [1, 0, 1, 0]
    assert equal_count_bins([0.1, 0.1, 0.1, 0.9], 2).tolist() == [0, 0, 0, 1]
    assert equal_count_bins([], 10).tolist() == []


def test_reliability_worked_example() -> None:
    found = reliability([0, 1, 1, 1], [0.2, 0.4, 0.6, 0.8], bins=2)
    assert found["bin"].tolist() == [1, 2]
    assert found["forecast"].tolist() == pytest.approx([0.3, 0.7])
    assert found["observed"].tolist() == [0.5, 1.0]
    assert found["n"].tolist() == [2, 2]
    # Wilson's interval of 1 in 2 at 95 %, from the formula with z = 1.96.
    assert (found["lower"][0], found["upper"][0]) == pytest.approx((0.0945, 0.9055), abs=1e-4)


@given(ROWS)
def test_bins_add_up_to_the_whole(rows: list[tuple[bool, float]]) -> None:
    won, p = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    found = reliability(won, p, bins=4)
    assert found["n"].sum() == len(won)
    assert (found["forecast"] * found["n"]).sum() == pytest.approx(p.sum())
    assert (found["observed"] * found["n"]).sum() == pytest.approx(won.sum())
    # A mean of equal numbers may be off by the last digit.
    assert (found["lower"] - 1e-9 <= found["observed"]).all()
    assert (found["observed"] <= found["upper"] + 1e-9).all()


def test_rows_of_one_deal_count_once_in_the_interval() -> None:
    won, p = drawn(300)
    deal = np.arange(300)
    once = reliability(won, p, group=deal)
    thrice = reliability(np.tile(won, 3), np.tile(p, 3), group=np.tile(deal, 3))
    assert thrice[["lower", "upper"]].to_numpy() == pytest.approx(once[["lower", "upper"]].to_numpy())
    assert (thrice["n"] == 3 * once["n"]).all()


def test_the_interval_of_a_share_covers_as_often_as_it_claims() -> None:
    k = np.random.default_rng(0).binomial(60, 0.1, 4000)
    lower, upper = wilson(k / 60, 60, level=0.9)
    assert 0.86 <= np.mean((lower <= 0.1) & (upper >= 0.1)) <= 0.95


# Slope and intercept


def test_a_perfect_forecast_has_slope_one_and_intercept_zero() -> None:
    found = recalibration(*drawn(60_000))
    assert (found.slope, found.intercept, found.in_the_large) == pytest.approx((1, 0, 0), abs=0.03)


def test_log_odds_that_are_too_high_give_the_intercept_that_takes_it_back() -> None:
    won, p = drawn(60_000)
    found, high = recalibration(won, p), recalibration(won, shifted(p, 0.3))
    assert high.in_the_large - found.in_the_large == pytest.approx(-0.3, abs=1e-3)
    assert high.slope == pytest.approx(found.slope, abs=1e-3)
    assert high.intercept == pytest.approx(found.intercept - 0.3 * found.slope, abs=1e-3)


def test_a_forecast_that_is_twice_too_sure_has_half_the_slope() -> None:
    won, p = drawn(60_000)
    sure = recalibration(won, shifted(p, 0.0, 2.0), least=1e-9)
    assert sure.slope == pytest.approx(0.5, abs=0.02)


def test_in_the_large_makes_the_probabilities_add_up_to_the_wins() -> None:
    won, p = drawn(500)
    p = shifted(p, -0.7)
    assert shifted(p, recalibration(won, p).in_the_large).sum() == pytest.approx(won.sum(), rel=1e-3)


def test_one_step_a_draw_comes_close_to_a_fit_a_draw() -> None:
    won, p = drawn(3000)
    p = shifted(p, 0.4, 1.3)
    weight = np.random.default_rng(2).poisson(1.0, (3000, 30)).astype(float)
    quick = recalibration(won, p, weight)
    full = [recalibration(won, p, weight[:, d]) for d in range(30)]
    for name in ("slope", "intercept", "in_the_large"):
        exact = np.array([getattr(f, name) for f in full])
        assert np.std(getattr(quick, name) - exact) < 0.1 * exact.std()


def test_weights_are_rows_that_come_several_times() -> None:
    won, p = drawn(200)
    weight = np.random.default_rng(3).integers(0, 3, 200)
    copies = np.repeat(np.arange(200), weight)
    found, told = recalibration(won, p, weight), recalibration(won[copies], p[copies])
    assert (found.slope, found.in_the_large) == pytest.approx((told.slope, told.in_the_large), abs=1e-6)
    assert calibration_error(won, p, 1, weight) == pytest.approx(calibration_error(won[copies], p[copies], 1))


def test_what_cannot_be_fitted_is_not_a_number() -> None:
    alike = recalibration([1, 1, 1], [0.2, 0.5, 0.9])
    assert np.isnan([alike.slope, alike.intercept, alike.in_the_large]).all()
    level = recalibration([1, 0, 0, 0], [0.5] * 4)
    assert np.isnan(level.slope)
    assert level.in_the_large == pytest.approx(np.log(0.25 / 0.75))
    assert np.isnan(recalibration([], []).slope)


# Calibration error


def test_calibration_worked_example() -> None:
    # Two bins: (0.1, 0.2 | 0, 0) is off by 0.15, (0.6, 0.8 | 1, 1) by 0.3; the mean over four rows is 0.225.
    assert calibration_error([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.8], bins=2) == pytest.approx(0.225)
    assert np.isnan(calibration_error([], []))


@given(ROWS, st.randoms())
def test_calibration_does_not_hang_on_the_order_of_rows(rows: list[tuple[bool, float]], random) -> None:
    shuffled = random.sample(rows, len(rows))
    first, second = ([np.array(c, dtype=float) for c in zip(*r, strict=True)] for r in (rows, shuffled))
    assert calibration_error(*first, bins=5) == pytest.approx(calibration_error(*second, bins=5))
    assert 0 <= calibration_error(*first, bins=5) <= 1


def test_less_what_chance_shows_a_perfect_forecast_has_no_error_and_a_shifted_one_its_shift() -> None:
    beyond = []
    for seed in range(40):
        won, p = drawn(800, seed)
        beyond.append(calibration_error(won, p) - error_by_chance(p, draws=50, seed=seed))
    assert abs(np.mean(beyond)) < 0.002
    won, p = drawn(40_000)
    p = 0.1 + 0.7 * p
    won = (np.random.default_rng(5).random(40_000) < p - 0.1).astype(float)
    assert calibration_error(won, p) - error_by_chance(p) == pytest.approx(0.1, abs=0.01)


def test_rows_that_end_alike_show_more_error_by_chance() -> None:
    _, p = drawn(500)
    deal = np.arange(500)
    once, copies = error_by_chance(p, group=deal), error_by_chance(np.tile(p, 4), group=np.tile(deal, 4))
    assert copies == pytest.approx(once, rel=0.1)
    assert error_by_chance(np.tile(p, 4)) == pytest.approx(once / 2, rel=0.1)  # 4 times as many separate rows


# Brier score


@given(ROWS)
def test_parts_of_the_brier_score_add_up(rows: list[tuple[bool, float]]) -> None:
    won, p = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    parts = brier_parts(won, p, bins=4)
    assert parts.reliability - parts.resolution + parts.uncertainty + parts.within == pytest.approx(brier(won, p))
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0


def test_parts_of_the_brier_score_by_hand() -> None:
    # Bins 0.2 (1 of 2 won) and 0.8 (2 of 2 won); 3 of 4 won in all.
    parts = brier_parts([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8], bins=2)
    assert parts.reliability == pytest.approx((0.3**2 + 0.2**2) / 2)
    assert parts.resolution == pytest.approx(0.25**2)
    assert parts.uncertainty == pytest.approx(0.75 * 0.25)
    assert parts.within == pytest.approx(0)


@pytest.mark.parametrize("judge", [reliability, recalibration, calibration_error, brier_parts])
def test_what_is_no_probability_is_named(judge) -> None:
    with pytest.raises(DataError, match=r"came 1\.2"):
        judge([1, 0], [0.5, 1.2])
    with pytest.raises(DataError, match="one length"):
        judge([1, 0], [0.5])
