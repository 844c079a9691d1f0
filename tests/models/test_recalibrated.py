"""Recalibration: chances stay chances; what is wrong is put right, what is right is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from every_kind import Taught, assert_chances
from pipeforecast.features import Features
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.grid import Grid
from pipeforecast.models.recalibrated import Odds, Recalibrated, decide, foretold, learned
from pipeforecast.outcome import Lessons
from worlds import AS_OF, CALENDAR, constant_hazards

#: Mean daily hazards of the world, of winning and of losing.
WON, LOST = 0.008, 0.012


@dataclass(frozen=True)
class Constant:
    """A model that thinks it knows: the same hazards for every deal, whatever it is taught."""

    won: float = WON
    lost: float = LOST
    name: str = "constant"

    def fit(self, lessons: Lessons) -> FittedDeals:
        return FittedDeals(self.name, lessons.calendar, 365, ConstantChances(self.won, self.lost))


@dataclass(frozen=True)
class ConstantChances:
    won: float
    lost: float

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[Any]:
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        days = (grid.ends - grid.ends[0]).astype("float64") / 86400
        closed = 1 - np.exp(-(self.won + self.lost) * days)
        both = (np.tile(h / (self.won + self.lost) * closed, (len(features.due), 1)) for h in (self.won, self.lost))
        won, lost = both
        yield from ((won, lost) for _ in draws)


@pytest.fixture(scope="module")
def world() -> Taught:
    return constant_hazards(1500, 2)


# Laws

numbers = st.floats(-2, 2)
powers = st.floats(0.3, 2.5)
steps = st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=8)


@given(steps, numbers, numbers, powers, powers)
def test_chances_stay_chances(steps: list[tuple[float, float]], a: float, b: float, c: float, d: float) -> None:
    h = np.array(steps)
    before = np.cumprod(np.concatenate([[1.0], 1 - h.sum(axis=1)[:-1]]))
    won, lost = np.cumsum(before * h[:, 0])[None], np.cumsum(before * h[:, 1])[None]
    assert_chances(*Odds(a, b, c, d).applied(won, lost))


def test_odds_worked_example() -> None:
    # Odds against staying open: 0.2 / 0.5 and 0.3 / 0.5; those of winning doubled are 0.8, 1 + 0.8 + 0.6 = 2.4.
    won, lost = Odds(won=np.log(2)).moved(np.array([0.2]), np.array([0.3]))
    assert (won[0], lost[0]) == pytest.approx((0.8 / 2.4, 0.6 / 2.4))
    won, lost = Odds(won_power=2.0).moved(np.array([0.2]), np.array([0.3]))
    assert won[0] == pytest.approx(0.16 / (1 + 0.16 + 0.6))


def test_what_cannot_happen_stays_impossible_and_nothing_done_changes_nothing() -> None:
    won, lost = np.array([[0.0, 0.0, 0.2]]), np.array([[0.1, 0.1, 0.5]])
    moved = Odds(1.0, 1.0, 0.5, 0.5).applied(won, lost)
    assert moved[0][0, :2].tolist() == [0, 0]
    assert moved[1][0, 1] == moved[1][0, 0]
    same = Odds().applied(won, lost)
    assert same[0] is won


# What is learned


def test_a_factor_on_the_hazards_is_found_and_taken_back(world: Taught) -> None:
    lessons = world[0]
    right = learned(foretold(Constant(), lessons, 4), (0, 1))
    wrong = learned(foretold(Constant(won=2 * WON), lessons, 4), (0, 1))
    assert wrong.won - right.won == pytest.approx(-np.log(2), abs=0.12)
    assert wrong.lost - right.lost == pytest.approx(0, abs=0.1)


def test_what_is_wrong_is_put_right(world: Taught) -> None:
    lessons, now = world
    model = Recalibrated(Constant(won=3 * WON))
    fitted = model.fit(lessons)
    decision = fitted.chances.decision  # type: ignore[attr-defined]
    assert decision.kept != "none"
    assert decision.upper < 0
    assert decision.n_periods == 3
    assert fitted.name == model.name == "constant_recalibrated"
    end, rng = AS_OF + pd.Timedelta(days=61), np.random.default_rng(0)
    end = CALENDAR.containing(end).end
    asked = [m.fit(lessons).won_between(now, AS_OF, end, 0, rng).mean() for m in (Constant(), model, model.model)]
    assert abs(asked[1] - asked[0]) < 0.3 * abs(asked[2] - asked[0])


def test_what_is_right_is_left_alone(world: Taught) -> None:
    lessons, now = world
    good = learned(foretold(Constant(), lessons, 4), (0, 1))
    model = Constant(WON * np.exp(good.won), LOST * np.exp(good.lost))
    fitted, plain = Recalibrated(model).fit(lessons), model.fit(lessons)
    assert fitted.chances.decision.kept == "none"  # type: ignore[attr-defined]
    first, second = (f.forecast(now, np.ones(len(now.open))) for f in (fitted, plain))
    assert np.array_equal(first.p_won, second.p_won)
    assert np.array_equal(first.p_lost, second.p_lost)


def test_with_hardly_any_past_nothing_is_tried(world: Taught) -> None:
    lessons = world[0]
    days = foretold(Constant(won=3 * WON), lessons, 2)
    found = decide(days)
    assert (found.kept, found.odds, found.n_periods) == ("none", Odds(), 1)
    assert decide([]).kept == "none"


def test_each_period_is_foretold_by_what_was_known_before_it(world: Taught) -> None:
    cutoffs = []

    @dataclass(frozen=True)
    class Watched(Constant):
        def fit(self, lessons: Lessons) -> FittedDeals:
            cutoffs.append(lessons.cutoff)
            return super().fit(lessons)

    lessons = world[0]
    days = foretold(Watched(), lessons, 3)
    periods = lessons.past_periods(3)
    assert cutoffs == [p.evening(0) for p in periods]
    assert {d.period.name for d in days} == {p.name for p in periods}
    assert all(d.period.evening(0) <= pd.Timestamp(d.grid.as_of) < d.period.end for d in days)


def test_the_decision_hangs_on_the_lessons_alone(world: Taught) -> None:
    """Other open deals to forecast, the same decision."""
    lessons, now = world
    fitted = Recalibrated(Constant(won=3 * WON)).fit(lessons)
    some = replace(now, open=now.open.iloc[:5].reset_index(drop=True))
    whole = fitted.forecast(now, np.ones(len(now.open)))
    part = fitted.forecast(some, np.ones(5))
    assert np.allclose(part.p_won, whole.p_won[:5])
