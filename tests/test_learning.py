"""A learning curve: a known law is found again, more deals never hurt, and only past deals teach."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from pipeforecast.backtest import Origin, origins_of
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.learning import LEARNING_COLUMNS, LearningCurve, learning_curve, power_law
from pipeforecast.lessonplan import Lessonplan
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

SIZES = np.array([50.0, 100.0, 200.0, 400.0, 800.0])
PLAN = Lessonplan((0, 30, 60), 8)


@dataclass(frozen=True)
class Learner:
    """A model whose chances approach the base rate as deals teach it; it keeps what it was taught by."""

    name: str = "learner"
    taught: list[Lessons] = field(default_factory=list)
    asked: list[Snapshot] = field(default_factory=list)

    def fit(self, lessons: Lessons) -> FittedLearner:
        self.taught.append(lessons)
        closed = lessons.deals["status"] != "open"
        return FittedLearner(0.1 + 0.8 / np.sqrt(1 + closed.sum() / 20), self.asked)


@dataclass(frozen=True)
class FittedLearner:
    p: float
    asked: list[Snapshot]

    def won_between(self, now: Snapshot, *_: object) -> np.ndarray:
        self.asked.append(now)
        return np.full((1, len(now.open)), self.p)


@pytest.fixture(scope="module")
def origins(company_history: DealHistory, calendar: FiscalCalendar) -> list[Origin]:
    return origins_of(company_history, calendar, (0, 30, 60), 4, company_history.written_until)


@pytest.fixture(scope="module")
def learner() -> Learner:
    return Learner()


@pytest.fixture(scope="module")
def curve(
    company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin], learner: Learner
) -> LearningCurve:
    shares = ((1 / 8, 2), (1 / 4, 2), (1 / 2, 2), (1.0, 1))
    return learning_curve(company_history, calendar, learner, origins, PLAN, shares)  # type: ignore[arg-type]


@pytest.mark.parametrize("power", [0.7, 0.9, 1.1])
def test_a_power_law_is_found_again(power: float) -> None:
    losses = 0.22 + 3.0 * SIZES**-power
    ahead = np.array([1600.0, 3200.0])
    found = power_law(SIZES, losses[:, None], np.ones(5), ahead)[:, 0]
    assert found == pytest.approx(0.22 + 3.0 * ahead**-power, rel=1e-3)


def test_more_deals_are_never_expected_to_hurt() -> None:
    found = power_law(SIZES, np.linspace(0.2, 0.3, 5)[:, None], np.ones(5), np.array([800.0, 1600.0]))[:, 0]
    assert found == pytest.approx(0.25)


def test_the_curve_falls_and_is_carried_on(curve: LearningCurve) -> None:
    rows = curve.rows
    assert list(rows.columns) == list(LEARNING_COLUMNS)
    assert rows["kind"].tolist() == ["observed"] * 4 + ["extrapolated"] * 2
    assert rows["closed_deals"].is_monotonic_increasing
    assert (np.diff(rows["log_loss"]) < 0).all()
    assert (rows["lower"] <= rows["log_loss"] + 1e-9).all()
    assert (rows["log_loss"] <= rows["upper"] + 1e-9).all()
    deals = rows["closed_deals"].to_numpy()
    assert deals[4:] == pytest.approx(deals[3] * np.array([2, 4]), abs=2)
    value, lower, upper = curve.saved
    assert 0 < lower <= value <= upper < 1
    assert f"{deals[3]:,}" in curve.sentence
    assert f"{value:.1%}" in curve.sentence


def test_all_that_is_observed_has_no_distance_to_itself(curve: LearningCurve) -> None:
    last = curve.rows.iloc[3]
    assert last["lower"] == pytest.approx(last["log_loss"])
    assert last["upper"] == pytest.approx(last["log_loss"])


def test_whole_deals_are_left_out_and_days_stay(curve: LearningCurve, learner: Learner) -> None:
    most = {x.cutoff: x for x in sorted(learner.taught, key=lambda lessons: len(lessons.deals))}
    for lessons, now in zip(learner.taught, learner.asked, strict=True):
        deals = set(lessons.deals.index)
        assert set(lessons.snapshot.open["deal"]) <= deals
        assert set(lessons.snapshot.closings["deal"]) <= deals
        assert set(now.closings["deal"]) <= deals
        assert len(lessons.outcome.rows) == len(lessons.snapshot.open)
        assert set(lessons.snapshot.days) <= set(most[lessons.cutoff].snapshot.days)
    shares = sorted({round(len(x.deals) / len(most[x.cutoff].deals), 1) for x in learner.taught})
    assert shares[0] <= 0.2
    assert shares[-1] == 1.0


def test_only_the_latest_two_periods_are_asked_and_every_size_is_asked_the_same(
    curve: LearningCurve, learner: Learner, origins: list[Origin]
) -> None:
    days = {now.as_of for now in learner.asked}
    latest = sorted({o.period.start for o in origins})[-2:]
    assert days == {o.as_of for o in origins if o.day == 30 and o.period.start in latest}
    for day in days:
        asked = [now.open["deal"].tolist() for now in learner.asked if now.as_of == day]
        assert all(deals == asked[0] for deals in asked)


def test_no_curve_is_drawn_through_a_handful_of_deals(
    company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]
) -> None:
    few = ((0.001, 1), (0.01, 1), (0.5, 1), (1.0, 1))
    found = learning_curve(company_history, calendar, Learner(), origins, PLAN, few)  # type: ignore[arg-type]
    assert found.rows.empty
    assert list(found.rows.columns) == list(LEARNING_COLUMNS)
    assert "Too few" in found.sentence


def test_its_rows_name_nobody(curve: LearningCurve) -> None:
    assert all(pd.api.types.is_numeric_dtype(curve.rows[c]) for c in LEARNING_COLUMNS[:-1])
