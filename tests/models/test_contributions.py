"""Contributions add up to the log-odds, are the planted factor's, point the right way, and come from the past alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from every_kind import KINDS, Taught
from pipeforecast.features import Features
from pipeforecast.fiscal import Period
from pipeforecast.models.blend import Pool
from pipeforecast.models.boosted import BoostedHazards
from pipeforecast.models.contributions import Contributions, contributions
from pipeforecast.models.deals import Chances, FittedDeals
from pipeforecast.models.gradients import _Asked, _chance
from pipeforecast.models.grid import Grid
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import PriorChances, prior_of
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from worlds import CALENDAR, constant_hazards

LEAST = 1e-6
EXACT = {"hazard", "chosen", "prior"}


def log_odds(p: Any) -> Any:
    inside = np.clip(p, LEAST, 1 - LEAST)
    return np.log(inside) - np.log1p(-inside)


def found(fitted: FittedDeals, now: Snapshot, period: Period, **told: Any) -> Contributions:
    made = contributions(fitted, now, period, np.ones(len(now.open)), **told)
    assert made is not None
    return made


def off(made: Contributions, fitted: FittedDeals, now: Snapshot, period: Period) -> float:
    """How far contributions are from adding up to the chances that the forecast gives."""
    p = fitted.forecast(now, np.ones(len(now.open))).won_between(period.start, period.end)[made.rows]
    np.testing.assert_allclose(made.p, p, rtol=1e-5)
    return float(np.abs(made.log_odds.sum(axis=1) + log_odds(made.reference) - log_odds(p)).max())


def mixed_with_a_prior(fitted: FittedDeals, lessons: Lessons, share: float, tilted: bool) -> FittedDeals:
    return replace(fitted, chances=PriorChances(fitted.chances, prior_of(lessons), share, 10, tilted))


@pytest.fixture(scope="module")
def hazard(lessons: Lessons) -> FittedDeals:
    return HazardModel(max_rows=1500).fit(lessons)


@pytest.fixture(scope="module")
def planted() -> Taught:
    """Deals of two segments; nothing else matters."""
    return constant_hazards(1500, 1)


@pytest.mark.parametrize("by", ["", "stage"])
@pytest.mark.parametrize("ahead", [0, 1])
def test_exact_contributions_add_up(lessons: Lessons, now: Snapshot, period: Period, by: str, ahead: int) -> None:
    fitted, asked = HazardModel(max_rows=1500, by=by).fit(lessons), lessons.calendar.shift(period, ahead)
    made = found(fitted, now, asked)
    assert off(made, fitted, now, asked) < 1e-6
    assert made.rows.tolist() == list(range(len(now.open)))
    assert made.sure.all()
    assert made.stable.all()
    assert (np.abs(made.log_odds).max(axis=1) > 0.1).mean() > 0.9


@pytest.mark.parametrize(("share", "tilted"), [(0.3, False), (0.0, True), (0.3, True)])
def test_so_they_do_where_a_prior_is_mixed_in(
    hazard: FittedDeals, lessons: Lessons, now: Snapshot, period: Period, share: float, tilted: bool
) -> None:
    mixed = mixed_with_a_prior(hazard, lessons, share, tilted)
    made = found(mixed, now, period)
    assert off(made, mixed, now, period) < 1e-6
    assert made.sure.all()
    plain = found(hazard, now, period)
    place = made.factors.index("crm_probability")
    assert not np.allclose(made.log_odds[:, place], plain.log_odds[:, place], atol=0.05)


@pytest.mark.parametrize("kind", sorted({*KINDS} - EXACT))
def test_sampled_contributions_add_up(small: Taught, period: Period, kind: str) -> None:
    lessons, now = small
    fitted = KINDS[kind].fit(lessons)
    made = found(fitted, now, period, others=2, most=15)
    assert len(made.rows) == min(15, len(now.open))
    assert off(made, fitted, now, period) < 1e-6


def test_the_gradient_is_that_of_the_chance() -> None:
    rng = np.random.default_rng(4)
    eta, listed = rng.normal(-1.5, 1.0, (3, 5, 2)), rng.normal(0, 1, 3)
    asked = _Asked(np.array([False, True, False, True, True]), 0.2, np.array([0.1, 0.2, 0.05, 0.4, 0.2]))
    _, slope, slope_listed = _chance(eta, listed, asked)
    step = 1e-6
    for j in range(5):
        for c in range(2):
            moved = np.zeros_like(eta)
            moved[:, j, c] = step
            by_hand = (_chance(eta + moved, listed, asked)[0] - _chance(eta - moved, listed, asked)[0]) / (2 * step)
            np.testing.assert_allclose(slope[:, j, c], by_hand, atol=1e-8)
    by_hand = (_chance(eta, listed + step, asked)[0] - _chance(eta, listed - step, asked)[0]) / (2 * step)
    np.testing.assert_allclose(slope_listed, by_hand, atol=1e-8)


@pytest.mark.parametrize("recipe", [HazardModel(), BoostedHazards()], ids=lambda r: r.name)
def test_the_planted_factor_is_found_with_its_sign(planted: Taught, recipe: Any) -> None:
    lessons, now = planted
    made = found(recipe.fit(lessons), now, CALENDAR.named("2024Q1"))
    biggest = np.array(made.factors)[np.abs(made.log_odds).argmax(axis=1)]
    assert (biggest == "segment").mean() > 0.85
    fast = (now.open["segment"] == "fast").to_numpy()[made.rows]
    of_segment = made.log_odds[:, made.factors.index("segment")]
    assert (of_segment[fast] > 0.1).all()
    assert (of_segment[~fast] < -0.1).all()


def test_what_helps_this_period_costs_the_next(planted: Taught) -> None:
    """Fast deals have closed by then, and the reasons say so."""
    lessons, now = planted
    made = found(HazardModel().fit(lessons), now, CALENDAR.named("2024Q2"))
    fast = (now.open["segment"] == "fast").to_numpy()
    assert (made.log_odds[fast, made.factors.index("segment")] < 0).all()


@pytest.mark.parametrize(("column", "factor", "values"), [
    ("probability", "crm_probability", (0.05, 0.95)),
    ("n_pushes", "pushes", (0.0, 9.0)),
    ("amount", "amount", (1e3, 1e6)),
])  # fmt: skip
def test_a_factor_moves_as_the_chance_does(
    hazard: FittedDeals, now: Snapshot, period: Period, column: str, factor: str, values: tuple[float, float]
) -> None:
    """One deal's fact is changed and nothing else: chance and contribution go the same way."""
    chance, share = [], []
    for value in values:
        rows = now.open.copy()
        rows.loc[3, column] = value
        made = found(hazard, replace(now, open=rows), period)
        chance.append(log_odds(made.p[3]))
        share.append(made.log_odds[3, made.factors.index(factor)])
    assert abs(chance[1] - chance[0]) > 0.01
    assert share[1] - share[0] == pytest.approx(chance[1] - chance[0], rel=0.3)


def test_sampling_agrees_with_what_is_exact(hazard: FittedDeals, now: Snapshot, period: Period) -> None:
    """The same model twice, averaged, is no kind that is known to be linear."""
    twice = replace(hazard, chances=Pool((hazard.chances, hazard.chances), ("a", "b"), np.array([0.5, 0.5])))
    exact, sampled = found(hazard, now, period), found(twice, now, period)
    at = [exact.factors.index(f) for f in sampled.factors]
    one, other = exact.log_odds[sampled.rows][:, at], sampled.log_odds
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.97
    assert (np.abs(one).argmax(axis=1) == np.abs(other).argmax(axis=1)).mean() > 0.8
    assert sampled.stable.mean() > 0.7
    again = [found(twice, now, period, most=10, others=2).log_odds for _ in range(2)]
    np.testing.assert_array_equal(*again)


@dataclass(frozen=True)
class Chaos:
    """A kind whose chances hang on everything at once: no factor has a share of its own."""

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[None]:
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        x = features.numbers.fillna(-1.0).to_numpy()
        p = np.abs(np.sin(1e4 * (x @ np.arange(1, x.shape[1] + 1))))[:, None] * np.linspace(0, 0.9, len(grid.ends))
        yield from ((p, p * 0.1) for _ in draws)


def test_noise_is_told_from_reasons(hazard: FittedDeals, now: Snapshot, period: Period) -> None:
    made = found(replace(hazard, chances=Chaos()), now, period)
    assert made.stable.mean() < 0.5
    assert made.sure[(np.abs(made.log_odds) > 0.05) & ~made.stable[:, None]].mean() < 0.5


def test_where_nothing_was_learned_there_is_nothing_to_say(hazard: FittedDeals, now: Snapshot, period: Period) -> None:
    nothing = replace(hazard.chances, model=None)
    assert contributions(replace(hazard, chances=nothing), now, period, np.ones(len(now.open))) is None
    none = now.take(np.zeros(0, dtype=int))
    for chances in (hazard.chances, Chaos()):
        assert contributions(replace(hazard, chances=chances), none, period, np.zeros(0)) is None


@pytest.mark.parametrize("twice", [False, True])
def test_a_single_deal_is_the_average_one(hazard: FittedDeals, now: Snapshot, period: Period, twice: bool) -> None:
    chances: Chances = hazard.chances
    if twice:
        chances = Pool((chances, chances), ("a", "b"), np.array([0.5, 0.5]))
    made = found(replace(hazard, chances=chances), now.take(np.array([2])), period)
    np.testing.assert_allclose(made.log_odds, 0.0, atol=1e-9)
    assert made.reference == pytest.approx(made.p[0])


@pytest.mark.parametrize("name", ["flips", "back_dates", "rewrites_facts", "reopens"])
def test_a_later_day_changes_no_contribution(
    hazard: FittedDeals, now: Snapshot, period: Period, rewritten: Callable[[str], Taught], name: str
) -> None:
    lessons, then = rewritten(name)
    one, other = found(hazard, now, period), found(HazardModel(max_rows=1500).fit(lessons), then, period)
    np.testing.assert_array_equal(one.log_odds, other.log_odds)


def test_thousands_of_deals_are_explained_at_once(hazard: FittedDeals, now: Snapshot, period: Period) -> None:
    """Chunks of rows do not show: a deal among many copies has the contributions that it has among few."""
    many = now.take(np.tile(np.arange(len(now.open)), 60))
    few, made = found(hazard, now, period), found(hazard, many, period)
    np.testing.assert_allclose(made.log_odds[: len(few.log_odds)], few.log_odds, atol=1e-6)
    assert isinstance(many.open, pd.DataFrame)
    assert len(made.rows) > 3000
