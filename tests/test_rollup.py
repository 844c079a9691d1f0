"""Deals become a period's revenue draw by draw: parts are what they say, and uncertainty is where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import NO_GROUP, group_names
from pipeforecast.models.amount import FittedAmounts
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster, _around
from pipeforecast.snapshot import Snapshot


@pytest.fixture(scope="module")
def calm(fitted: FittedPipeline) -> FittedPipeline:
    """Without a shared shock, sure of its coefficients, and with many draws: its means are those of the deals."""
    return replace(fitted, shock=0.0, recipe=replace(fitted.recipe, draws=4000, coefficient_draws=0))


def test_open_deals_bring_their_chance_times_their_amount(calm: FittedPipeline, now: Snapshot, period: Period) -> None:
    made = calm.forecast(now, period)
    deals = calm.deal_forecast(now)
    expected = deals.won_between(period.start, period.end) * deals.amount
    due = ((now.open["expected_close"] <= period.end) | now.open["expected_close"].isna()).to_numpy()
    assert made.value("open") == pytest.approx(expected.sum(), rel=0.1)
    assert made.value("open_due") == pytest.approx(expected[due].sum(), rel=0.1)
    assert made.value("open_pulled_in") == pytest.approx(expected[~due].sum(), rel=0.25, abs=0.01 * made.value())
    assert made.deals is not None
    np.testing.assert_array_equal(made.deals.p_won, deals.p_won)


def test_new_business_is_what_the_arrivals_expect(
    calm: FittedPipeline, now: Snapshot, period: Period, calendar: FiscalCalendar
) -> None:
    following = calendar.shift(period, 1)
    new = calm.arrivals.expected(now, following)
    assert new.mean > 0
    assert calm.forecast(now, following).value("new") == pytest.approx(new.mean, rel=0.15)


def test_what_is_won_is_certain_and_counts_by_the_true_day(
    fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    made = fitted.forecast(now, period)
    won = won_between(now.closed_by(now.as_of), period.start, period.end)["amount"].sum()
    assert won > 0
    assert np.ptp(made.draw("won")) == 0.0
    assert made.value("won") == pytest.approx(won)
    assert (made.draw() >= won - 1e-6).all()


def test_means_are_expected_values_and_the_draws_lie_around_them(
    fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    made = fitted.forecast(now, period, ("owner",))
    assert made.draws is not None
    assert made.draws.shape == (len(made.cells), fitted.recipe.draws)
    luck = made.draws.std(axis=1) / np.sqrt(fitted.recipe.draws)
    large = made.mean > 0.02 * made.value()  # rarer ones are drawn too seldom
    apart = np.abs(made.mean - made.draws.mean(axis=1))
    assert large.sum() > 10
    assert (apart <= 5 * luck + 0.01 * made.mean)[large].all()
    assert abs(made.value() - made.draw().mean()) < 5 * made.draw().std() / np.sqrt(fitted.recipe.draws)


def test_deals_tie_with_their_part_to_the_cent(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    made, deals = fitted.forecast(now, period), fitted.deal_forecast(now)
    expected = deals.won_between(period.start, period.end) * deals.amount
    assert made.value("open") == pytest.approx(expected.sum(), abs=0.005)
    assert made.open_draws is not None
    np.testing.assert_allclose(np.asarray(made.open_draws.sum(axis=0)).ravel(), made.draw("open"))


def test_the_memo_is_what_won_deals_bring_beyond_their_list(
    fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    """Where every deal brings what is listed, nothing changes; where each brings a tenth more, the memo is that."""
    listed = replace(now, open=now.open.assign(amount=now.open["amount"].fillna(1000.0)))
    as_listed = replace(fitted, amounts=FittedAmounts()).forecast(listed, period)
    more = replace(fitted, amounts=FittedAmounts(overall=1.1)).forecast(listed, period)
    assert as_listed.value("amount_change") == pytest.approx(0.0, abs=0.005)
    assert more.value("amount_change") == pytest.approx(more.value("open") / 11)
    np.testing.assert_allclose(more.draw("amount_change"), more.draw("open") / 11, atol=1e-6)


class Half:
    """A deal model that gives every deal one chance in two."""

    def won_within(
        self, snapshot: Snapshot, spans: Sequence[tuple[pd.Timestamp, pd.Timestamp]], n: int, rng: np.random.Generator
    ) -> list[np.ndarray]:
        return [np.full((1, len(snapshot.open)), 0.5) for _ in spans]

    def forecast(self, snapshot: Snapshot, amounts: np.ndarray) -> None:
        return None


def test_a_shared_shock_widens_and_does_not_move(calm: FittedPipeline, now: Snapshot, period: Period) -> None:
    """Deals of 1 with a chance of a half: alone they spread by √n ÷ 2; a shock moves all of them by n ÷ 4 × its sd."""
    ones = replace(now, open=now.open.assign(amount=1.0))
    held = replace(calm, deals=Half(), amounts=FittedAmounts())
    quiet, loud = (replace(held, shock=sd).forecast(ones, period).draw("open") for sd in (0.0, 0.3))
    n = len(now.open)
    assert quiet.std() == pytest.approx(np.sqrt(n) / 2, rel=0.05)
    assert loud.std() == pytest.approx(np.sqrt(n / 4 + (n / 4 * 0.3) ** 2), rel=0.08)
    assert quiet.mean() == pytest.approx(n / 2, rel=0.02)
    assert loud.mean() == pytest.approx(n / 2, rel=0.02)


def test_a_seed_is_a_forecast(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    other = replace(fitted, recipe=replace(fitted.recipe, seed=8))
    one, again, different = (f.forecast(now, period).draw() for f in (fitted, fitted, other))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, different)
    assert one.mean() == pytest.approx(different.mean(), rel=0.3)


def test_on_the_last_evening_hardly_anything_is_to_come(
    fitted: FittedPipeline, now: Snapshot, period: Period, lessons: Lessons
) -> None:
    late = replace(now, days=np.array([period.end.to_datetime64()], dtype="datetime64[s]"))
    late = replace(late, open=now.open.assign(as_of=period.end))
    made = fitted.forecast(late, period)
    assert made.value("new") == 0.0
    assert made.value("open") < 0.5 * fitted.forecast(now, period).value("open")


def test_a_period_further_ahead_is_forecast_too(
    calm: FittedPipeline, now: Snapshot, period: Period, calendar: FiscalCalendar
) -> None:
    following = calendar.shift(period, 1)
    made = calm.forecast(now, following)
    assert made.value("won") == 0.0
    assert made.value("new") > calm.forecast(now, period).value("new")
    deals = calm.deal_forecast(now)
    expected = (deals.won_between(following.start, following.end) * deals.amount).sum()
    assert made.value("open") == pytest.approx(expected, rel=0.15)


def test_larger_listed_amounts_bring_more(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    """With the deals' chances held still, amounts scale the open part and nothing else."""

    held = replace(fitted, deals=Half())
    listed = now.open["amount"].fillna(1000.0)
    one, two = (held.forecast(replace(now, open=now.open.assign(amount=listed * x)), period) for x in (1, 2))
    np.testing.assert_allclose(two.draw("open"), 2 * one.draw("open"))
    np.testing.assert_array_equal(two.draw("won"), one.draw("won"))


def test_rows_without_a_group_form_one() -> None:
    rows = pd.DataFrame({"owner": pd.array(["b", None, "a"], dtype="string")})
    assert group_names(rows, "owner").tolist() == ["b", NO_GROUP, "a"]
    assert group_names(rows, "team").tolist() == [NO_GROUP] * 3


def test_what_is_learned_is_kept_apart_from_the_recipe(recipe: PipelineForecaster, fitted: FittedPipeline) -> None:
    assert fitted.recipe is recipe
    assert fitted.name == recipe.name == "model"
    assert 0 < fitted.shock <= 0.6


def test_what_is_unsure_spreads_the_book_and_does_not_lift_it() -> None:
    """Drawn coefficients raise rare chances on average; around the fitted ones they only spread."""
    rng = np.random.default_rng(0)
    fitted = np.array([0.02, 0.2, 0.5, 0.7, 0.97])
    log_odds = np.log(fitted / (1 - fitted)) + rng.normal(0, 1.0, (400, 1)) + rng.normal(0, 0.3, (400, 5))
    drawn = 1 / (1 + np.exp(-log_odds))
    assert drawn.mean(axis=0)[0] > 1.2 * fitted[0]
    around = _around(fitted, drawn)
    np.testing.assert_allclose(around.mean(axis=0), fitted, rtol=0.02)
    assert ((around >= 0) & (around <= 1)).all()
    assert (around.std(axis=0) > 0).all()


def test_deals_add_up_to_the_mean_of_their_part(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    """The parts of a forecast tie with its deals: Σ chance · amount is the mean of `open`, but for the draws' luck."""
    forecast = fitted.forecast(now, period)
    deals = fitted.deal_forecast(now)
    expected = float((deals.won_between(period.start, period.end) * deals.amount).sum())
    draws = forecast.draw("open")
    assert abs(draws.mean() - expected) < 5 * draws.std() / np.sqrt(len(draws)) + 0.01 * expected


def test_periods_that_are_forecast_together_say_what_each_says_alone(
    fitted: FittedPipeline, now: Snapshot, period: Period, calendar: FiscalCalendar
) -> None:
    periods = [period, calendar.shift(period, 1), calendar.shift(period, 2)]
    together, outlook = fitted.forecasts(now, periods, ("region",))
    np.testing.assert_array_equal(outlook.chances, fitted.outlook(now, period).chances)
    for made, p in zip(together, periods, strict=True):
        alone = fitted.forecast(now, p, ("region",))
        np.testing.assert_allclose(made.draws, alone.draws, rtol=1e-9)
        np.testing.assert_allclose(made.mean, alone.mean, rtol=1e-9)
        assert made.period == p
    assert [made.open_draws is None for made in together] == [False, True, True]
