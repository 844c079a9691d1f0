"""Counts of created deals teach level, trend and season; a known truth comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.models.pace import Pace, days_since_1970, fit_pace

TODAY = int(days_since_1970(np.array(["2024-06-30"], dtype="datetime64[D]"))[0])
SEASON = 0.3 * np.sin(np.arange(12) / 12 * 2 * np.pi)


def created(years: float, level: float, trend: float, season: np.ndarray, seed: int = 0) -> np.ndarray:
    days = np.arange(TODAY - int(365.25 * years), TODAY + 1)
    rate = Pace(TODAY, np.log(level), trend, season).per_day(days)
    return np.repeat(days, np.random.default_rng(seed).poisson(rate))


def test_level_trend_and_season_come_back() -> None:
    found = fit_pace(created(6, 20.0, 0.15, SEASON), TODAY)
    assert found is not None
    assert found.trend == pytest.approx(0.15, abs=0.04)
    ahead = np.arange(TODAY + 1, TODAY + 366)
    truth = Pace(TODAY, np.log(20.0), 0.15, SEASON).per_day(ahead)
    for part in np.array_split(np.arange(len(ahead)), 4):
        assert found.per_day(ahead[part]).sum() == pytest.approx(truth[part].sum(), rel=0.08)


def test_few_deals_move_neither_trend_nor_season_far() -> None:
    """Chance makes months differ; of ten deals a year no season is learned."""
    for seed in range(5):
        found = fit_pace(created(2, 10 / 365, 0.0, np.zeros(12), seed), TODAY)
        assert found is not None
        assert abs(found.trend) < 0.2
        assert np.abs(found.months).max() < 0.1


def test_a_trend_is_not_carried_on_for_ever() -> None:
    pace = Pace(TODAY, 0.0, 1.0)
    assert pace.per_day(np.array([TODAY + 2000])) == pytest.approx(np.e)


@given(st.integers(0, 3), st.integers(0, 120))
def test_too_few_months_give_no_pace(deals: int, back: int) -> None:
    few = np.full(deals, TODAY - back)
    found = fit_pace(few, TODAY)
    assert found is None or (back > 90 and found.per_day(np.arange(TODAY, TODAY + 9)).sum() < 5)


def test_what_is_created_later_changes_nothing() -> None:
    known = created(3, 5.0, 0.1, SEASON)
    one, two = (fit_pace(known[known <= TODAY], TODAY), fit_pace(np.append(known, TODAY + np.arange(1, 400)), TODAY))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.months, two.months)
    assert (one.level, one.trend) == (two.level, two.trend)
