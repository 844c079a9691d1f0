"""What every forecaster promises: chances that are chances, sums that add up, and eyes for the past only."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.errors import DataError
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import ADDENDS, PARTS, QUANTILES, TOTAL, DealForecast, Fitted, Forecast, cells_of
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.rules import RULES, Rule
from pipeforecast.snapshot import Snapshot
from poor import AS_OF, WORLDS
from stories import MUTATIONS, day, lessons_of, tell

MODEL = "model"
NAMES = [*RULES, MODEL]
#: Those that add up deals; the laws of the other rules stand with them.
ADDING = [*(name for name, rule in RULES.items() if isinstance(rule, Rule)), MODEL]
LEVELS = ("owner", "segment", "no such column")
DATES = np.array(["2024-01-31", "2024-02-10", "2024-03-31", "2024-06-30"], dtype="datetime64[s]")


# Deals


@st.composite
def deal_forecasts(draw: st.DrawFn) -> DealForecast:
    n = draw(st.integers(1, 4))
    steps = np.array(draw(st.lists(st.floats(0, 1), min_size=8 * n, max_size=8 * n))).reshape(n, 2, 4)
    upto = steps.cumsum(axis=2) / max(1.0, steps.sum(axis=(1, 2)).max())
    return DealForecast(np.arange(n), DATES, upto[:, 0], upto[:, 1], np.ones(n))


@given(deal_forecasts(), st.integers(-20, 400), st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_chances_between_dates_are_monotone_and_bounded(deals: DealForecast, at: int, later: int) -> None:
    first = pd.Timestamp("2024-01-20") + pd.Timedelta(days=at)
    second = first + pd.Timedelta(days=later)
    for chance in (deals.won_by, deals.lost_by):
        assert (chance(second) >= chance(first) - 1e-12).all()
        assert ((chance(first) >= 0) & (chance(first) <= 1 + 1e-9)).all()
    assert (deals.won_by(first) + deals.lost_by(first) <= 1 + 1e-9).all()
    each = np.full(len(deals.deal), first.to_datetime64())
    np.testing.assert_allclose(deals.won_by(each), deals.won_by(first))
    total = deals.won_by(second) - deals.won_by(first)
    np.testing.assert_allclose(deals.won_between(first + pd.Timedelta(days=1), second), total)


@given(deal_forecasts(), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_closing_days_are_ordered_and_within_the_horizon(deals: DealForecast, ahead: int) -> None:
    horizon = pd.Timestamp(DATES[0]) + pd.Timedelta(days=ahead)
    days = [deals.closing_day(share, horizon) for share in (0.1, 0.5, 0.9)]
    some = deals.won_by(horizon) > 0
    assert (np.isnat(days[0]) == ~some).all()
    for low, high in pairwise(days):
        assert (low[some] <= high[some]).all()
    assert (days[0][some] >= DATES[0]).all()
    assert (days[2][some] <= np.datetime64(horizon, "s")).all()


def test_between_dates_a_chance_is_linear() -> None:
    p = np.array([[0.1, 0.2, 0.7, 0.7]])
    deals = DealForecast(np.array([7]), DATES, p, np.zeros((1, 4)), np.ones(1))
    assert deals.won_by(day("2024-01-30"))[0] == 0.0
    assert deals.won_by(day("2024-01-31"))[0] == pytest.approx(0.1)
    assert deals.won_by(day("2024-03-06"))[0] == pytest.approx(0.45)  # half of the 50 days
    assert deals.won_by(day("2030-01-01"))[0] == pytest.approx(0.7)
    # Half of the chance of 0.7 is used up where 0.35 is reached: 15 of 50 days after 10 February.
    assert deals.closing_day(0.5, day("2024-06-30"))[0] == np.datetime64("2024-02-25")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7, 0.9])
def test_a_share_that_is_reached_on_a_date_gives_that_date(share: float) -> None:
    """Whatever rounding does: a tenth of a chance of 0.07 is not exactly 0.007."""
    tops = np.linspace(0.01, 0.99, 99)
    p = tops[:, None] * np.array([0.0, share, share + 0.05, 1.0])
    deals = DealForecast(np.arange(99), DATES, p, np.zeros((99, 4)), np.ones(99))
    assert (deals.closing_day(share, day("2024-06-30")) == DATES[1]).all()


def test_a_range_of_closing_days_covers_what_it_says() -> None:
    """Days of winning drawn from the chances: 80 % lie in P10 … P90, half by P50, and no other day errs less.

    A little more than 80 %: the range holds the whole of its first and of its last day.
    """
    rng = np.random.default_rng(0)
    n = 4000
    steps = rng.dirichlet([1, 5, 9, 3, 3], size=n)[:, :3]  # the rest: never won
    p = np.concatenate([np.zeros((n, 1)), steps.cumsum(axis=1)], axis=1)
    deals = DealForecast(np.arange(n), DATES, p, np.zeros((n, 4)), np.ones(n))
    at = rng.random(n) * p[:, -1]
    grid = (DATES - DATES[0]).astype("float64") / 86400
    came = np.ceil([np.interp(u, row, grid) for u, row in zip(at, p, strict=True)])
    low, middle, high = ((deals.closing_day(s, day("2024-06-30")) - DATES[0]).astype("float64") / 86400
                         for s in (0.1, 0.5, 0.9))  # fmt: skip
    assert ((came >= low) & (came <= high)).mean() == pytest.approx(0.8, abs=0.025)
    assert (came <= middle).mean() == pytest.approx(0.5, abs=0.03)
    errors = [np.abs(middle + shift - came).mean() for shift in (-6, 0, 6)]
    assert errors[1] == min(errors)


def test_one_date_is_enough() -> None:
    deals = DealForecast(np.array([1]), DATES[:1], np.full((1, 1), 0.3), np.zeros((1, 1)), np.ones(1))
    assert [deals.won_by(day(d))[0] for d in ("2024-01-30", "2024-01-31", "2024-05-01")] == [0.0, 0.3, 0.3]


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(2, 4\)"):
        DealForecast(np.arange(2), DATES, np.zeros((2, 3)), np.zeros((2, 4)), np.ones(2))


# Cells


def test_cells_are_every_part_of_every_group() -> None:
    cells = cells_of({"owner": ["a", "b"]})
    assert len(cells) == 3 * len(PARTS)
    assert not cells.duplicated().any()


def test_a_forecast_tells_its_cells_and_quantiles(period: Period) -> None:
    draws = np.tile(np.arange(1001.0), (len(PARTS), 1))
    made = Forecast(period.start, period, "x", cells_of({}), draws.mean(axis=1), draws)
    row = made.table().iloc[0]
    assert row[list(QUANTILES)].tolist() == pytest.approx([1000 * q for q in QUANTILES.values()])
    assert made.value() == 500.0
    assert made.value("total", "owner", "nobody") == 0.0
    assert (made.draw("total", "owner", "nobody") == 0).all()
    bare = replace(made, draws=None)
    assert bare.table()[list(QUANTILES)].isna().all(axis=None)
    with pytest.raises(DataError, match="one number"):
        bare.draw()


# Laws of all forecasters


def fit(name: str, lessons: Lessons, recipe: PipelineForecaster) -> Fitted:
    return recipe.fit(lessons) if name == MODEL else RULES[name].fit(lessons)


def values(made: Forecast) -> np.ndarray:
    return made.mean[:, None] if made.draws is None else np.column_stack([made.draws, made.mean])


def assert_adds_up(made: Forecast, levels: tuple[str, ...]) -> None:
    """Draw by draw where there are draws, and in the mean."""
    table = pd.DataFrame(values(made), index=pd.MultiIndex.from_frame(made.cells[["level", "group", "part"]]))
    assert np.isfinite(table.to_numpy()).all()
    assert (table.drop(index="amount_change", level="part", errors="ignore").to_numpy() >= 0).all()
    wide = {part: table.xs(part, level="part") for part in made.cells["part"].unique()}
    if "open" in wide:
        np.testing.assert_allclose(wide["total"], sum(wide[part] for part in ADDENDS), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(wide["open"], wide["open_due"] + wide["open_pulled_in"], rtol=1e-9, atol=1e-6)
    for part, cells in wide.items():
        total = cells.loc[(TOTAL, TOTAL)]
        for level in levels:
            groups = cells.xs(level, level="level").sum() if level in cells.index.get_level_values("level") else 0.0
            np.testing.assert_allclose(np.broadcast_to(groups, total.shape), total, rtol=1e-9, atol=1e-6, err_msg=part)


def assert_same_forecast(a: Forecast, b: Forecast) -> None:
    pd.testing.assert_frame_equal(a.cells, b.cells)
    np.testing.assert_array_equal(values(a), values(b))


@pytest.fixture(scope="session")
def learned(lessons: Lessons, fitted: FittedPipeline) -> dict[str, Fitted]:
    return {MODEL: fitted, **{name: rule.fit(lessons) for name, rule in RULES.items()}}


@pytest.fixture(scope="session")
def said(learned: dict[str, Fitted], now: Snapshot, period: Period) -> dict[str, Forecast]:
    return {name: fitted.forecast(now, period, ("owner",)) for name, fitted in learned.items()}


@pytest.mark.parametrize("name", ADDING)
def test_parts_and_levels_add_up(learned: dict[str, Fitted], now: Snapshot, period: Period, name: str) -> None:
    made = learned[name].forecast(now, period, LEVELS)
    assert made.value() > 0
    assert_adds_up(made, LEVELS)
    assert (made.as_of, made.period, made.method) == (now.as_of, period, name)


@pytest.mark.parametrize("name", NAMES)
def test_levels_do_not_move_the_total(learned: dict[str, Fitted], now: Snapshot, period: Period, name: str) -> None:
    plain, split = (learned[name].forecast(now, period, levels) for levels in ((), ("owner",)))
    assert plain.value() == pytest.approx(split.value(), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_again_and_from_a_pickled_copy(
    learned: dict[str, Fitted], lessons: Lessons, now: Snapshot, period: Period, recipe: PipelineForecaster, name: str
) -> None:
    made = learned[name].forecast(now, period, ("segment",))
    assert_same_forecast(made, learned[name].forecast(now, period, ("segment",)))
    copy = pickle.loads(pickle.dumps(learned[name]))  # noqa: S301
    assert_same_forecast(made, copy.forecast(now, period, ("segment",)))
    assert_same_forecast(made, fit(name, lessons, recipe).forecast(now, period, ("segment",)))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_nothing_written_later_changes_a_forecast(
    said: dict[str, Forecast], period: Period, recipe: PipelineForecaster,
    rewritten: Callable[[str], tuple[Lessons, Snapshot]], mutation: str,
) -> None:  # fmt: skip
    lessons, later = rewritten(mutation)
    for name in NAMES:
        assert_same_forecast(said[name], fit(name, lessons, recipe).forecast(later, period, ("owner",)))


@pytest.mark.parametrize("name", ADDING)
def test_an_empty_book_forecasts_what_is_won(
    learned: dict[str, Fitted], now: Snapshot, period: Period, name: str
) -> None:
    won = won_between(now.closed_by(now.as_of), period.start, period.end)["amount"].sum()
    made = learned[name].forecast(now.take(np.zeros(0, dtype=int)), period, ("owner",))
    assert made.value("won") == pytest.approx(won)
    assert made.value("open") == 0.0
    with_new = name == MODEL or name.endswith("+new") or name == "same_stage_same_time"
    assert (made.value("new") > 0) == with_new
    assert made.value() == pytest.approx(won + made.value("new"))


@pytest.mark.parametrize("name", ADDING)
def test_levels_never_seen_before_are_no_crash(
    learned: dict[str, Fitted], now: Snapshot, period: Period, name: str
) -> None:
    new = {c: pd.array(["brand new"] * len(now.open), dtype="string") for c in ("stage", "forecast_category", "owner")}
    strange = replace(now, open=now.open.assign(**new, segment="brand new", region=pd.NA))
    assert_adds_up(learned[name].forecast(strange, period, ("owner", "region")), ("owner", "region"))


# Poor data


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_poor_data_get_an_answer(world: str) -> None:
    calendar = FiscalCalendar()
    lessons, now = lessons_of(tell(WORLDS[world], until="2024-04-30"), calendar, AS_OF)
    recipe = PipelineForecaster(HazardModel(), draws=100, coefficient_draws=4)
    period = calendar.containing(AS_OF)
    fitted = recipe.fit(lessons)
    made = fitted.forecast(now, period, ("segment", "owner"))
    assert_adds_up(made, ("segment", "owner"))
    assert_chances(fitted.deal_forecast(now))
    if world == "nothing ever won":
        assert made.value() < 0.2 * now.open["amount"].sum()
    if world == "no amounts":
        assert made.value() == 0.0


def assert_chances(deals: DealForecast) -> None:
    both = deals.p_won + deals.p_lost
    assert ((deals.p_won >= 0) & (deals.p_lost >= 0)).all()
    assert (both <= 1 + 1e-6).all()
    assert (np.diff(deals.p_won, axis=1) >= 0).all()
    assert (np.diff(deals.p_lost, axis=1) >= 0).all()
    assert (deals.amount >= 0).all()
    assert (np.diff(deals.dates.astype("int64")) > 0).all()


def test_chances_of_a_company_are_chances(fitted: FittedPipeline, now: Snapshot, as_of: pd.Timestamp) -> None:
    deals = fitted.deal_forecast(now)
    assert_chances(deals)
    assert deals.deal.tolist() == now.open["deal"].tolist()
    assert pd.Timestamp(deals.dates[0]) == as_of
    assert pd.Timestamp(deals.dates[-1]) >= as_of + pd.Timedelta(days=365)
    assert 0.05 < deals.won_by(pd.Timestamp(deals.dates[-1])).mean() < 0.8
