"""What young deals bring by their age: immature ones are not lost ones, and windows add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.models.cohorts import Cohorts, fit_cohorts
from pipeforecast.models.pace import Pace


def test_by_hand() -> None:
    """Four deals on day 100: of age 0, 5, 10, 20; won are the one of age 10 at age 10, and that of age 20 on day one.

    Age 0: one of the four. Ages 1 to 5: none of three. Age 10: one of the two that are ten days old.
    """
    first, closed = np.array([100, 95, 90, 80]), np.array([0, 0, 100, 80])
    found = fit_cohorts(first, closed, np.array([False, False, True, True]), 100)
    assert found.won_by[[0, 5, 9, 10, 20]] == pytest.approx([0.25, 0.25, 0.25, 0.75, 0.75])
    assert found.wins(Pace(100, 0.0), 100, 101, 102) == pytest.approx(0.25 + 0.25)


def test_a_known_truth_is_recovered_though_the_young_are_not_told() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 700, 20_000)
    closed = first + np.round(rng.exponential(60, 20_000)).astype(int)
    won = rng.random(20_000) < 0.3
    found = fit_cohorts(first, closed, won & (closed <= 700), 700)
    for age in (10, 60, 200):
        assert found.won_by[age] == pytest.approx(0.3 * (1 - np.exp(-(age + 0.5) / 60)), abs=0.015)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300), st.booleans()), max_size=60))
def test_shares_never_fall_and_never_exceed_one(deals: list[tuple[int, int, bool]]) -> None:
    table = np.array(deals, dtype=int).reshape(-1, 3)
    first, won = table[:, 0], table[:, 2].astype(bool)
    found = fit_cohorts(first, first + table[:, 1], won & (first + table[:, 1] <= 400), 400)
    assert (np.diff(found.won_by) >= -1e-12).all()
    assert ((found.won_by >= 0) & (found.won_by <= 1)).all()


def test_windows_one_after_the_other_add_up() -> None:
    cohorts = Cohorts(np.linspace(0, 0.5, 1501))
    pace = Pace(0, 0.3, 0.1)
    whole = cohorts.wins(pace, 0, 1, 90)
    assert cohorts.wins(pace, 0, 1, 30) + cohorts.wins(pace, 0, 31, 90) == pytest.approx(whole)
