"""One factor on what is to come: sums stay sums, what is won never moves, right ranges are left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.fiscal import Period
from pipeforecast.forecast import ADDENDS, TOTAL, Forecast
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.snapshot import Snapshot
from pipeforecast.spread import multiplied, multipliers, normal_score, spread_factor, widened, with_total


def record(z: list[float], day: int = 0, days: int = 1) -> pd.DataFrame:
    rows = [(f"p{i}", day + d, x) for i, x in enumerate(z) for d in range(days)]
    return pd.DataFrame(rows, columns=["period", "day_of_period", "z"])


def test_by_hand() -> None:
    """Eight periods' worth of 1 and two periods of z = 2: √((8 + 2 · 4) ÷ 10)."""
    assert spread_factor(record([2.0, -2.0]), 0) == pytest.approx(np.sqrt(16 / 10))
    assert spread_factor(record([]), 0) == 1.0


def test_days_of_one_period_are_one_vote() -> None:
    assert spread_factor(record([2.0, -2.0], days=5), 2) == pytest.approx(
        spread_factor(record([2.0, -2.0]), 0), rel=0.01
    )


def test_a_far_day_tells_little() -> None:
    near, far = (spread_factor(record([2.5] * 6, day=d), 0) for d in (0, 80))
    assert near > 1.4
    assert far == pytest.approx(1.0, abs=0.01)


def test_one_disaster_is_no_rule() -> None:
    assert spread_factor(record([50.0]), 0) == spread_factor(record([3.0]), 0)


def test_right_ranges_are_left_alone_and_a_planted_factor_comes_back() -> None:
    rng = np.random.default_rng(0)
    for planted in (1.0, 1.5):
        found = [spread_factor(record(list(planted * rng.standard_normal(20))), 0) for _ in range(300)]
        expected = np.sqrt((8 + 20 * np.mean(np.clip(planted * rng.standard_normal(10**5), -2.5, 2.5) ** 2)) / 28)
        assert np.mean(found) == pytest.approx(expected, rel=0.03)


@given(st.floats(0.5, 3.0), st.floats(0.0, 50.0))
def test_widening_keeps_the_won_and_moves_the_spread(factor: float, won: float) -> None:
    total = won + np.random.default_rng(1).gamma(4.0, 25.0, 500)
    out = widened(total, won, factor)
    assert (out >= won - 1e-9).all()
    if factor <= 1.0:
        assert out.mean() == pytest.approx(total.mean())
        assert out.std() == pytest.approx(factor * total.std())
    assert (np.diff(out[np.argsort(total)]) >= -1e-9).all()


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3), st.floats(0.1, 3.0))
def test_whatever_added_up_adds_up_after(won: list[float], factor: float) -> None:
    rng = np.random.default_rng(2)
    groups = np.array(won)[:, None] + rng.gamma(1.0, 30.0, (3, 200)) * (rng.random((3, 200)) < 0.7)
    cells, fixed = np.vstack([groups.sum(axis=0), groups]), np.append(sum(won), won)
    wanted = widened(cells[0], fixed[0], factor)
    out = multiplied(cells, fixed, multipliers(cells[0], fixed[0], wanted))
    np.testing.assert_allclose(out[0], out[1:].sum(axis=0))
    assert (out[1:] >= np.array(won)[:, None] - 1e-6).all()
    some = cells[0] - fixed[0] > 1e-6
    np.testing.assert_allclose(out[0][some], wanted[some])


def test_a_forecast_follows_its_total(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    made = fitted.forecast(now, period, ("owner", "segment"))
    wanted = widened(made.draw(), made.value("won"), 1.4)
    moved = with_total(made, wanted, 1.1 * made.value(), "auto")
    np.testing.assert_allclose(moved.draw(), wanted)
    assert moved.value() == pytest.approx(1.1 * made.value())
    np.testing.assert_array_equal(moved.draw("won"), made.draw("won"))
    assert moved.value("won") == made.value("won")
    assert moved.draws is not None
    for values in (moved.draws, moved.mean[:, None]):
        wide = pd.DataFrame(values, index=pd.MultiIndex.from_frame(moved.cells))
        parts = {p: wide.xs(p, level="part") for p in (*ADDENDS, "open", TOTAL)}
        np.testing.assert_allclose(parts[TOTAL], sum(parts[p] for p in ADDENDS), atol=1e-6)
        for level in ("owner", "segment"):
            np.testing.assert_allclose(parts["open"].loc[level].sum(), parts["open"].loc[TOTAL].sum())
    assert moved.open_draws is not None
    np.testing.assert_allclose(np.asarray(moved.open_draws.sum(axis=0)).ravel(), moved.draw("open"))


def test_what_is_right_is_left_as_it_is(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    made: Forecast = fitted.forecast(now, period, ("owner",))
    same = with_total(made, made.draw(), made.value(), made.method)
    np.testing.assert_allclose(same.draws, made.draws)
    np.testing.assert_allclose(same.mean, made.mean)


def test_normal_scores_of_right_ranges_have_variance_one_however_skewed() -> None:
    rng = np.random.default_rng(3)
    draws = np.exp(1.2 * rng.standard_normal((2000, 400)))
    z = np.array([normal_score(d[1:], d[0]) for d in draws])
    assert z.mean() == pytest.approx(0.0, abs=0.06)
    assert z.std() == pytest.approx(1.0, abs=0.05)


def test_the_normal_score_of_the_middle_is_nought() -> None:
    draws = np.arange(101.0)
    assert normal_score(draws, 50.0) == pytest.approx(0.0)
    assert normal_score(draws, -5.0) == pytest.approx(-normal_score(draws, 500.0))
    assert np.isnan(normal_score(np.full(9, 4.0), 4.0))
