"""In a world of constant hazards the model finds them, in spite of censoring; and it only looks at what it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.features import describe
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.design import together
from pipeforecast.models.grid import make_grid
from pipeforecast.models.hazard import HazardChances, HazardModel, _intervals
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from worlds import AS_OF, CALENDAR, HAZARDS, constant_hazards, won_and_lost_by


@pytest.fixture(scope="module")
def taught() -> tuple[Lessons, Snapshot]:
    return constant_hazards(3000, 1)


@pytest.fixture(scope="module")
def fitted(taught: tuple[Lessons, Snapshot]) -> FittedDeals:
    return HazardModel().fit(taught[0])


@pytest.mark.parametrize("segment", HAZARDS)
@pytest.mark.parametrize("ahead", [31, 61, 152, 335])
def test_constant_hazards_are_recovered(
    taught: tuple[Lessons, Snapshot], fitted: FittedDeals, segment: str, ahead: int
) -> None:
    now = taught[1]
    found = fitted.forecast(now, np.ones(len(now.open)))
    at = (now.open["segment"] == segment).to_numpy()
    won, lost = won_and_lost_by(segment, ahead)
    until = AS_OF + pd.Timedelta(days=ahead)
    assert found.won_by(until)[at].mean() == pytest.approx(won, rel=0.2, abs=0.01)
    assert found.lost_by(until)[at].mean() == pytest.approx(lost, rel=0.2, abs=0.01)


def test_censored_deals_are_no_losses(taught: tuple[Lessons, Snapshot], fitted: FittedDeals) -> None:
    """Taught that whatever is open has been lost, the model would foretell fewer wins."""
    lessons, now = taught
    rows = lessons.outcome.rows
    wrong = rows.assign(status=rows["status"].where(rows["status"] != "open", "lost"))
    misled = HazardModel().fit(replace(lessons, outcome=replace(lessons.outcome, rows=wrong)))
    until, amounts = AS_OF + pd.Timedelta(days=152), np.ones(len(now.open))
    lost = [m.forecast(now, amounts).lost_by(until).mean() for m in (fitted, misled)]
    assert lost[1] > 1.03 * lost[0]


def test_chances_of_a_period_are_those_of_its_days(taught: tuple[Lessons, Snapshot], fitted: FittedDeals) -> None:
    now, rng = taught[1], np.random.default_rng(0)
    deals = fitted.forecast(now, np.ones(len(now.open)))
    this, following = CALENDAR.named("2024Q1"), CALENDAR.named("2024Q2")
    first = fitted.won_between(now, this.start, this.end, 0, rng)
    second = fitted.won_between(now, following.start, following.end, 0, rng)
    assert first.shape == (1, len(now.open))
    np.testing.assert_allclose(first[0], deals.won_by(this.end), atol=1e-6)
    np.testing.assert_allclose(second[0], deals.won_between(following.start, following.end), atol=1e-6)


def test_draws_of_the_coefficients_surround_the_fit(taught: tuple[Lessons, Snapshot], fitted: FittedDeals) -> None:
    now, period = taught[1], CALENDAR.named("2024Q1")
    rng = np.random.default_rng(0)
    drawn = fitted.won_between(now, period.start, period.end, 60, rng)
    point = fitted.won_between(now, period.start, period.end, 0, rng)[0]
    assert drawn.shape == (60, len(now.open))
    assert ((drawn >= 0) & (drawn <= 1)).all()
    assert drawn.mean() == pytest.approx(point.mean(), rel=0.1)
    assert 0.005 < drawn.mean(axis=1).std() / point.mean() < 0.2


def test_rows_are_sampled_by_seed_and_thinning_keeps_the_rates() -> None:
    lessons, now = constant_hazards(1200, 2)
    whole, again, few = (
        HazardModel(max_rows=rows).fit(lessons).forecast(now, np.ones(len(now.open))) for rows in (30_000, 30_000, 500)
    )
    np.testing.assert_array_equal(whole.p_won, again.p_won)
    assert few.won_by(AS_OF + pd.Timedelta(days=152)).mean() == pytest.approx(
        whole.won_by(AS_OF + pd.Timedelta(days=152)).mean(), rel=0.3
    )


def test_thinning_weighs_what_is_left(monkeypatch: pytest.MonkeyPatch, taught: tuple[Lessons, Snapshot]) -> None:
    lessons, now = taught
    monkeypatch.setattr("pipeforecast.models.lived._QUIET_PER_CLOSING", 0)
    thin = HazardModel(quiet=400).fit(lessons)
    monkeypatch.undo()
    until, amounts = AS_OF + pd.Timedelta(days=19), np.ones(len(now.open))  # later on most have closed anyhow
    one, other = (m.forecast(now, amounts).won_by(until).mean() for m in (HazardModel().fit(lessons), thin))
    assert other == pytest.approx(one, rel=0.2)


def test_what_a_deal_adds_is_reckoned_once_and_is_that_of_the_whole_row(
    taught: tuple[Lessons, Snapshot], fitted: FittedDeals
) -> None:
    chances = fitted.chances
    assert isinstance(chances, HazardChances)
    assert chances.model is not None
    features, grid = describe(taught[1]), make_grid(AS_OF, CALENDAR, 200)
    deal, intervals = chances.design.transform(features), _intervals(features.due, grid)
    k, m, _ = intervals.shape
    repeated = np.repeat(deal, m, axis=0)
    whole = together(repeated, intervals.reshape(k * m, -1), repeated[:, chances.slopes])
    for beta in (chances.model.coefficients, *chances.model.draws(2, np.random.default_rng(1))):
        expected = whole @ beta[:, :-1].T + beta[:, -1]
        assert chances._log_odds(deal, intervals, beta).reshape(k * m, -1) == pytest.approx(expected, abs=1e-9)
