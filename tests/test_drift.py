"""Planted shifts are found and dated, and where nothing is planted nothing is found."""

from __future__ import annotations

import numpy as np
import pytest

from pipeforecast.drift import FEWEST_VALUES, change_of, drift_of, level_bins, number_bins, stability_index


def test_the_index_by_hand() -> None:
    p, q = np.array([3.5, 1.5]) / 5, np.array([1.5, 3.5]) / 5
    expected = ((q - p) * np.log(q / p)).sum()
    assert stability_index(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), 2) == pytest.approx(expected)
    assert stability_index(np.array([0, 1]), np.array([1, 0]), 2) == 0.0


def test_missing_numbers_and_rare_levels_are_bins_of_their_own() -> None:
    a, b, bins = number_bins(np.array([1.0, 2.0, 3.0, np.nan]), np.array([np.nan, 9.0]))
    assert a[3] == b[0] == bins - 1
    assert b[1] == bins - 2
    a, b, bins = level_bins(np.array(["x", "x", "y"], dtype=object), np.array(["z", "x"], dtype=object))
    assert (a.tolist(), b.tolist(), bins) == ([0, 0, 1], [2, 0], 3)
    empty, _, bins = number_bins(np.full(3, np.nan), np.full(2, np.nan))
    assert set(empty) == {bins - 1}


def reference(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Eight past days of a hundred deals each."""
    return rng.normal(size=800), np.repeat(np.arange(8), 100)


@pytest.mark.parametrize("missing", [False, True])
def test_a_planted_drift_is_found(missing: bool) -> None:
    rng = np.random.default_rng(5)
    past, day = reference(rng)
    today = rng.normal(size=90) + (0.0 if missing else 0.8)
    if missing:
        today[:40] = np.nan
    found = drift_of(*number_bins(past, today), day, 20, rng)
    assert found.moved
    assert found.value > found.threshold > found.by_chance > 0


def test_without_a_drift_none_is_found() -> None:
    """Forty features of small companies: chance alone gives large indices, and none may be called a drift."""
    rng = np.random.default_rng(6)
    flagged = []
    for _ in range(40):
        past, day = reference(rng)
        flagged.append(drift_of(*number_bins(past, rng.normal(size=40)), day, 40, rng).moved)
    assert sum(flagged) <= 1


def test_days_that_differ_among_themselves_are_no_drift() -> None:
    rng = np.random.default_rng(7)
    day = np.repeat(np.arange(8), 100)
    past = rng.normal(size=800) + rng.normal(0, 0.6, 8)[day]
    assert not drift_of(*number_bins(past, rng.normal(size=100) + 0.5), day, 1, rng).moved


def test_a_known_change_is_dated() -> None:
    rng = np.random.default_rng(8)
    for at in (4, 7, 9):
        x = rng.normal(0, 0.5, 13)
        x[at:] -= 3
        found = change_of(x)
        assert found is not None
        assert (found.at, found.p_value < 0.05) == (at, True)
        assert found.shift == pytest.approx(-3, abs=1)
        assert found.statistic > found.threshold


def test_no_change_is_rarely_called_one() -> None:
    rng = np.random.default_rng(9)
    called = [change_of(rng.normal(size=12), draws=400).p_value < 0.05 for _ in range(100)]  # type: ignore[union-attr]
    assert sum(called) <= 11


def test_few_values_cannot_tell() -> None:
    assert change_of(np.arange(FEWEST_VALUES - 1.0)) is None
    flat = change_of(np.zeros(10))
    assert flat is not None
    assert flat.p_value == 1.0
