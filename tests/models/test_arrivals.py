"""A constant stream of new business is foretold at its rate, whatever the day of the period."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.arrivals import ArrivalModel, NewBusiness
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import day, deal, lessons_of, tell

CALENDAR = FiscalCalendar()
PERIOD = CALENDAR.named("2024Q1")
#: One deal a day, two of five won, for 100, after 25 days in the mean.
RATE, WON, AMOUNT, MEAN_DAYS = 1.0, 0.4, 100.0, 25.0


def world(seed: int, as_of: pd.Timestamp) -> tuple[Lessons, Snapshot]:
    rng = np.random.default_rng(seed)
    deals = []
    begun = pd.Timestamp("2021-10-01")
    for i in range(int(RATE * 950)):
        first = begun + pd.Timedelta(days=int(rng.integers(0, 950)))
        closing = first + pd.Timedelta(days=round(rng.exponential(MEAN_DAYS)))
        due = first + pd.Timedelta(days=30)
        states = [(str(first.date()), {"stage": "Talk", "amount": AMOUNT, "expected_close": str(due.date())})]
        states.append((str(closing.date()), {"status": "won" if rng.random() < WON else "lost"}))
        deals.append(deal(f"d{i}", *states))
    deals.append(deal("first win", ("2021-10-01", {"amount": AMOUNT}), ("2021-10-02", {"status": "won"})))
    return lessons_of(tell(deals), CALENDAR, as_of, back=8)


def truth(days: int) -> float:
    """What deals that come on the next ``days`` days bring by the end of the last."""
    left = np.arange(days) + 0.5
    return float((RATE * WON * AMOUNT * (1 - np.exp(-left / MEAN_DAYS))).sum())


@pytest.mark.parametrize("k", [0, 30, 60])
def test_a_constant_rate_is_recovered(k: int) -> None:
    as_of = PERIOD.evening(k)
    found = []
    for seed in range(3):
        lessons, now = world(seed, as_of)
        found.append(ArrivalModel().fit(lessons).expected(now, PERIOD))
    assert np.mean([f.mean for f in found]) == pytest.approx(truth((PERIOD.end - as_of).days), rel=0.2)
    for one in found:
        assert 0.0 < one.sd < 0.5
        assert (one.pool["amount"] == AMOUNT).all()


def test_windows_that_are_not_over_teach_nothing() -> None:
    lessons, now = world(1, PERIOD.evening(30))
    windows, _, _ = ArrivalModel().fit(lessons).windows(now, PERIOD)
    assert len(windows) > 5
    assert (windows["end"] <= lessons.cutoff).all()
    assert max(pd.Timestamp(d) for d in lessons.snapshot.days) > windows["day"].max()


def test_the_less_time_is_left_the_less_comes() -> None:
    means = []
    for k in (0, 30, 60, 85):
        lessons, now = world(5, PERIOD.evening(k))
        means.append(ArrivalModel().fit(lessons).expected(now, PERIOD).mean)
    assert means == sorted(means, reverse=True)


def test_nothing_new_comes_after_the_end() -> None:
    lessons, now = world(1, PERIOD.end)
    found = ArrivalModel().fit(lessons).expected(now, PERIOD)
    assert (found.mean, len(found.pool)) == (0.0, 0)


def test_without_wins_nothing_is_expected() -> None:
    history = tell([deal("a", ("2023-01-01", {"amount": 1.0}), ("2023-02-01", {"status": "lost"})),
                    deal("b", ("2024-01-05", {"amount": 1.0}))])  # fmt: skip
    lessons, now = lessons_of(history, CALENDAR, day("2024-01-30"))
    found = ArrivalModel().fit(lessons).expected(now, PERIOD)
    assert isinstance(found, NewBusiness)
    assert (found.mean, len(found.pool)) == (0.0, 0)


def test_a_window_longer_than_the_past_is_still_foretold() -> None:
    """Two years of records have no window of two years that is over: cohorts and pace answer, with a wide range."""
    as_of = PERIOD.evening(30)
    lessons, now = world(1, as_of)
    far = FiscalCalendar("year").named("2026")
    found = ArrivalModel().fit(lessons).expected(now, far)
    assert found.mean == pytest.approx(365 * RATE * WON * AMOUNT, rel=0.3)
    assert found.sd == 0.5
