"""The shared shock is small where none was planted, and found where one was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.shock import shock_sd
from pipeforecast.outcome import Lessons, Outcome
from pipeforecast.snapshot import Snapshot

CALENDAR = FiscalCalendar()
CUTOFF = pd.Timestamp("2024-03-31")
P = 0.3
PRIOR = 0.15


class Always:
    """A deal model that gives every deal the same chance, and is right in the mean."""

    def won_between(
        self, snapshot: Snapshot, start: pd.Timestamp, end: pd.Timestamp, n: int, rng: np.random.Generator
    ) -> np.ndarray:
        return np.full((1, len(snapshot.open)), P)


def lessons(sd: float, seed: int, periods: int = 12, deals: int = 300) -> Lessons:
    rng = np.random.default_rng(seed)
    rows, outcomes = [], []
    for period in CALENDAR.before(CALENDAR.containing(CUTOFF + pd.Timedelta(days=1)), periods):
        p = 1 / (1 + np.exp(-(np.log(P / (1 - P)) + sd * rng.standard_normal())))
        won = rng.random(deals) < p
        rows.append(pd.DataFrame({"as_of": period.evening(0), "deal": np.arange(deals)}))
        closed = period.start + pd.Timedelta(days=20)
        outcomes.append(pd.DataFrame({"status": np.where(won, "won", "open"), "closed_at": closed}))
    opened, outcome = pd.concat(rows, ignore_index=True), pd.concat(outcomes, ignore_index=True)
    days = np.unique(opened["as_of"].to_numpy().astype("datetime64[s]"))
    empty = pd.DataFrame()
    snapshot = Snapshot(days, opened, empty, empty, {}, empty)
    known = pd.DataFrame({"status": ["won"], "closed_at": [pd.Timestamp("2015-01-01")]})
    return Lessons(CUTOFF, CALENDAR, snapshot, Outcome(CUTOFF, outcome), known, empty)


def mean_sd(planted: float) -> float:
    return float(np.mean([shock_sd(Always(), lessons(planted, seed), PRIOR) for seed in range(10)]))


def test_none_planted_is_less_than_the_prior() -> None:
    """12 periods that moved by luck alone, against a prior worth 6, leave √(1/3) of the prior's sd and a little."""
    assert mean_sd(0.0) == pytest.approx(PRIOR * np.sqrt(1 / 3), rel=0.3)


def test_a_planted_shock_is_found_in_proportion() -> None:
    found = [mean_sd(sd) for sd in (0.0, 0.2, 0.4)]
    assert found[0] < found[1] < found[2]
    assert found[2] == pytest.approx(0.4 * np.sqrt(2 / 3), rel=0.3)  # 12 periods against a prior worth 6


def test_few_periods_say_little() -> None:
    assert shock_sd(Always(), lessons(0.5, 1, periods=1), PRIOR) == pytest.approx(PRIOR)
    assert shock_sd(Always(), lessons(0.5, 1, deals=4), PRIOR) == pytest.approx(PRIOR)


def test_a_shock_has_a_bound() -> None:
    assert shock_sd(Always(), lessons(5.0, 1), PRIOR) <= 0.6
