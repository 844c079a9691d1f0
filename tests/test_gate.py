"""The gate opens for a candidate that is better beyond chance, and for no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.gate import GATE_COLUMNS, judged, refreshed

NAMES = ("candidate", "version 1")


def table(n: int = 600, periods: int = 6, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.beta(1, 3, n)
    made = pd.DataFrame({
        "period": [f"Q{i % periods}" for i in range(n)], "deal": np.arange(n) // 2,
        "won": (rng.random(n) < truth).astype("float64"),
    })  # fmt: skip
    return made, truth


def test_a_clearly_better_candidate_moves_the_alias() -> None:
    rows, truth = table()
    found = judged(rows, truth, np.full(len(rows), rows["won"].mean()), NAMES)
    assert (found.verdict, found.moved) == ("better", True)
    assert found.lower <= found.difference <= found.upper < 0
    assert found.difference == pytest.approx(found.candidate_log_loss - found.rival_log_loss)
    assert (found.n, found.n_periods) == (600, 6)
    back = judged(rows, np.full(len(rows), rows["won"].mean()), truth, NAMES)
    assert (back.verdict, back.moved) == ("worse", False)
    assert back.difference == pytest.approx(-found.difference)


def test_an_equal_candidate_does_not() -> None:
    """The same chances with noise of their own: of 20 such candidates at most two pass, as the level promises."""
    moved = 0
    for seed in range(20):
        rows, truth = table(seed=seed)
        rng = np.random.default_rng([seed, 1])
        first, second = (np.clip(truth + rng.normal(0, 0.02, len(truth)), 0, 1) for _ in range(2))
        moved += judged(rows, first, second, NAMES).moved
    assert moved <= 2
    rows, truth = table()
    same = judged(rows, truth, truth, NAMES)
    assert (same.difference, same.verdict, same.moved) == (0.0, "cannot tell", False)


def test_the_luckiest_of_many_needs_more() -> None:
    rows, truth = table()
    flat = np.full(len(rows), rows["won"].mean())
    one, many = (judged(rows, truth, flat, NAMES, n) for n in (1, 40))
    assert many.lower < one.lower < one.upper < many.upper
    assert "over 40 candidates" in many.in_words()
    assert "over" not in one.in_words()


def test_one_period_proves_nothing() -> None:
    rows, truth = table(periods=1)
    found = judged(rows, truth, np.full(len(rows), 0.9), NAMES)
    assert (found.verdict, found.moved) == ("cannot tell", False)
    assert np.isnan(found.upper)


@pytest.mark.parametrize("newer", [True, False])
def test_the_same_recipe_is_refreshed_by_newer_data_only(newer: bool) -> None:
    rows, truth = table()
    found = refreshed(rows, truth, NAMES, newer)
    assert found.moved is newer
    assert found.verdict == ("refresh" if newer else "older")
    assert list(found.rows()) == list(GATE_COLUMNS)
