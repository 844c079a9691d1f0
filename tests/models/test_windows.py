"""A reading that foretells counts, one that does not is left aside; luck is told apart from spread."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.models.windows import READINGS, luck_of_one, read_windows

DAY = pd.Timestamp("2024-01-01")
N = 12


def table(new: np.ndarray, **readings: np.ndarray) -> pd.DataFrame:
    day = pd.DatetimeIndex([DAY - pd.Timedelta(days=91 * (N - i)) for i in range(N)])
    columns = {name: readings.get(name, np.zeros(N)) for name in READINGS}
    return pd.DataFrame({
        "day": day, "end": day + pd.Timedelta(days=90), "aligned": True, "new": new, "wins": 50.0, **columns,
    })  # fmt: skip


def now(**values: float) -> dict[str, float]:
    return dict.fromkeys(READINGS, 0.0) | values


def test_the_same_every_time_is_foretold_as_that() -> None:
    mean, sd = read_windows(table(np.full(N, 700.0), always=np.ones(N)), now(always=1.0), DAY, 1.0)
    assert mean == pytest.approx(700.0)
    assert 0 < sd < 0.1


def test_the_reading_that_foretells_rules() -> None:
    """What comes doubles every second window as one reading says; another says the same always."""
    size = np.tile([1.0, 2.0], N // 2)
    windows = table(500.0 * size, cohorts=size, always=np.ones(N))
    assert read_windows(windows, now(cohorts=2.0, always=1.0), DAY, 1.0)[0] == pytest.approx(1000.0, rel=0.05)


def test_luck_is_not_spread() -> None:
    """Fifty deals of one size a window: what they vary by chance leaves no more spread than the prior's."""
    rng = np.random.default_rng(1)
    lucky = table(rng.poisson(50, N) * 10.0, always=np.ones(N))
    wild = table(500.0 * np.exp(0.8 * rng.standard_normal(N)), always=np.ones(N))
    calm, loud = (read_windows(w, now(always=1.0), DAY, 1.0)[1] for w in (lucky, wild))
    assert calm < 0.12
    assert loud > 0.4


def test_the_luck_of_one_deal() -> None:
    assert luck_of_one(np.full(5, 3.0)) == 1.0
    assert luck_of_one(np.array([0.0, 2.0])) == 2.0
    assert luck_of_one(np.zeros(0)) == 1.0
