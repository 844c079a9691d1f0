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
    return float(np.mean([shock_sd(Always(), lessons(planted, seed), PRIOR) for seed in range(30)]))


def test_none_planted_is_less_than_the_prior() -> None:
    """12 periods of 300 deals that moved by luck alone leave about half of the prior."""
    assert mean_sd(0.0) < 0.6 * PRIOR


def test_a_planted_shock_is_found() -> None:
    for planted in (0.1, 0.25, 0.4):
        assert mean_sd(planted) == pytest.approx(planted, rel=0.2)


def test_the_more_deals_the_surer() -> None:
    """Where nothing is shared, a large company is told so, and a small one keeps the prior."""
    large, small = (
        np.mean([shock_sd(Always(), lessons(0.0, s, deals=n), PRIOR) for s in range(10)]) for n in (9000, 8)
    )
    assert large < 0.03
    assert small == pytest.approx(PRIOR, rel=0.2)


def test_few_periods_say_little() -> None:
    assert shock_sd(Always(), lessons(0.5, 1, periods=1), PRIOR) == pytest.approx(PRIOR, rel=0.01)
    assert shock_sd(Always(), lessons(0.5, 1, deals=4), PRIOR) == pytest.approx(PRIOR, rel=0.01)


def test_a_shock_has_a_bound() -> None:
    assert shock_sd(Always(), lessons(5.0, 1), PRIOR) <= 0.6
