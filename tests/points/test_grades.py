from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from pipeforecast.points import Grades, PointsCard
from pipeforecast.points.grades import calibration_table, cuts_of, grade_table


def test_grades_begin_at_their_points() -> None:
    grades = Grades((30, 20, 10))
    assert grades.named(np.array([31, 30, 29, 10, 9, -5])).tolist() == ["A", "A", "B", "C", "D", "D"]
    assert grades.names == ["A", "B", "C", "D"]


def test_two_axes_make_a_grid() -> None:
    grades = Grades((5,), (9, 3))
    assert grades.named(np.array([5, 4]), np.array([9, 0])).tolist() == ["A1", "D4"]
    assert grades.names == ["A1", "A2", "A4", "D1", "D2", "D4"]


@given(st.integers(0, 2**32 - 1), st.integers(50, 600))
def test_conversion_falls_from_grade_to_grade_and_no_grade_is_tiny(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(-5, 30, n)
    y = (rng.random(n) < 1 / (1 + np.exp(2 - points / 8))).astype(float)
    cuts = cuts_of(points, y)
    assert list(cuts) == sorted(cuts, reverse=True)
    grades = Grades(cuts)
    table = grade_table(grades.named(points), np.full(n, 0.1), y, grades.names)
    assert table["leads"].sum() == n
    assert table["converted"].sum() == y.sum()
    if len(cuts):
        assert table["conversion"].is_monotonic_decreasing
        assert table["leads"].min() >= max(20, 0.05 * n)


def test_cuts_lie_where_conversion_jumps() -> None:
    points = np.repeat(np.arange(40), 100)
    rng = np.random.default_rng(1)
    rate = np.select([points >= 35, points >= 22, points >= 10], [0.8, 0.4, 0.15], 0.02)
    assert cuts_of(points, (rng.random(len(points)) < rate).astype(float)) == (35, 22, 10)


def test_the_interval_is_wilsons() -> None:
    table = grade_table(np.array(["A"] * 40), np.full(40, 0.3), np.repeat([1.0, 0.0], 20), ["A", "D"])
    lower, upper = proportion_confint(20, 40, method="wilson")
    assert table.loc[0, ["lower", "upper"]].tolist() == pytest.approx([lower, upper])
    assert table.loc[1, "leads"] == 0
    assert np.isnan(table.loc[1, "conversion"])


def test_points_without_leads_or_of_one_value_have_no_cuts() -> None:
    assert cuts_of(np.zeros(0), np.zeros(0)) == ()
    assert cuts_of(np.zeros(100), np.repeat([0.0, 1.0], 50)) == ()


def test_the_calibration_holds_every_lead_once_from_high_to_low() -> None:
    rng = np.random.default_rng(0)
    points, y = rng.integers(0, 50, 1000), (rng.random(1000) < 0.3).astype(float)
    table = calibration_table(PointsCard((), -1.0, 0.05), points, y)
    assert table["leads"].sum() == 1000
    assert (table["conversion"] * table["leads"]).sum() == pytest.approx(y.sum())
    assert (table["points_from"] > table["points_to"].shift(-1).fillna(-1)).all()
    assert table["chance"].is_monotonic_decreasing
