"""What if: the same luck, so that a difference is that of the scenario; nothing assumed changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import ADDENDS, MEMOS, TOTAL, Forecast
from pipeforecast.kinds import (
    CapacityScenario,
    CombineScenario,
    DownturnScenario,
    ExtraPipelineScenario,
    NoScenario,
    PriceScenario,
    SlipScenario,
    WinRateScenario,
)
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.rollup import Outlook, roll_up
from pipeforecast.rules import rule
from pipeforecast.scenario import SCENARIO_COLUMNS, applied, difference, what_if
from pipeforecast.snapshot import Snapshot
from poor import AS_OF, WORLDS
from stories import lessons_of, tell

LEVELS = ("owner", "segment", "region")


def asked(scenario: object, fitted: FittedPipeline, now: Snapshot, period: Period, levels=LEVELS) -> Forecast:
    made = what_if(scenario, fitted, now, period, levels)  # type: ignore[arg-type]
    assert made is not None
    return made


@pytest.fixture(scope="module")
def base(fitted: FittedPipeline, now: Snapshot, period: Period) -> Forecast:
    return fitted.forecast(now, period, LEVELS)


@pytest.fixture(scope="module")
def outlook(fitted: FittedPipeline, now: Snapshot, period: Period) -> Outlook:
    return fitted.outlook(now, period)


@pytest.fixture(scope="module")
def following(period: Period, calendar: FiscalCalendar) -> Period:
    return calendar.shift(period, 1)


@pytest.fixture(scope="module")
def owner(now: Snapshot, outlook: Outlook) -> str:
    """Whoever has most of what is expected."""
    money = pd.Series(outlook.chances * outlook.expected).groupby(now.open["owner"].to_numpy()).sum()
    return str(money.idxmax())


NEUTRAL = {
    "none": NoScenario(),
    "win_rate": WinRateScenario(factor=1.0),
    "points": WinRateScenario(points=0.0),
    "slip": SlipScenario(days=0),
    "whole capacity": CapacityScenario(where={"region": "EMEA"}, factor=1.0),
    "all kept": CapacityScenario(where={"region": "EMEA"}, kept=1.0),
    "price": PriceScenario(factor=1.0, elasticity=2.0),
    "extra_pipeline": ExtraPipelineScenario(amount=0.0),
    "downturn": DownturnScenario(),
}
LOUD = {
    "win_rate": WinRateScenario(factor=0.7),
    "slip": SlipScenario(days=9),
    "pulled in": SlipScenario(days=-9),
    "capacity": CapacityScenario(where={"region": "EMEA"}),
    "price": PriceScenario(factor=1.2, elasticity=1.0),
    "extra_pipeline": ExtraPipelineScenario(amount=300_000.0),
    "downturn": DownturnScenario(odds=0.8, arrivals=0.7, days=5),
    "upturn": DownturnScenario(odds=1.3, arrivals=1.4, days=-5, where={"segment": "Mid-Market"}),
}
LOUD["combine"] = CombineScenario(parts=tuple(LOUD.values()))  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def _values_are_there(now: Snapshot) -> None:
    assert {"EMEA"} <= set(now.open["region"])
    assert {"Mid-Market"} <= set(now.open["segment"])


# Neutral scenarios


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_assumes_nothing_changes_no_draw(
    fitted: FittedPipeline, outlook: Outlook, base: Forecast, name: str
) -> None:
    same = applied(outlook, NEUTRAL[name], fitted)  # type: ignore[arg-type]
    made = roll_up(same, LEVELS, fitted.recipe.draws, fitted.recipe.seed, "same")
    assert base.draws is not None
    assert made.draws is not None
    pd.testing.assert_frame_equal(made.cells, base.cells)
    np.testing.assert_array_equal(made.draws, base.draws)
    np.testing.assert_array_equal(made.mean, base.mean)


def test_days_that_are_taken_back_change_nothing(
    fitted: FittedPipeline, now: Snapshot, period: Period, base: Forecast
) -> None:
    there_and_back = CombineScenario(parts=(SlipScenario(days=12), SlipScenario(days=-12)))
    made = asked(there_and_back, fitted, now, period)
    np.testing.assert_allclose(made.draw(), base.draw(), rtol=1e-9)


# Laws of all


@pytest.mark.parametrize("name", LOUD)
def test_levels_and_parts_add_up_in_every_draw(
    fitted: FittedPipeline, now: Snapshot, period: Period, base: Forecast, name: str
) -> None:
    made = asked(LOUD[name], fitted, now, period)
    assert made.draws is not None
    assert not np.array_equal(made.draw(), base.draw())
    np.testing.assert_array_equal(made.draw("won"), base.draw("won"))
    np.testing.assert_allclose(made.draw(), sum(made.draw(p) for p in ADDENDS))
    for level in LEVELS:
        here = (made.cells["level"] == level).to_numpy()
        for part in (TOTAL, *ADDENDS):
            rows = here & (made.cells["part"] == part).to_numpy()
            np.testing.assert_allclose(made.draws[rows].sum(axis=0), made.draw(part), atol=1e-6)
            assert made.mean[rows].sum() == pytest.approx(made.value(part))


@pytest.mark.parametrize("name", LOUD)
def test_draws_lie_around_the_expected_value(
    fitted: FittedPipeline, now: Snapshot, following: Period, name: str
) -> None:
    many = replace(fitted, recipe=replace(fitted.recipe, draws=3000))
    made = asked(LOUD[name], many, now, following, ())
    for part in (TOTAL, "open", "new"):
        luck = made.draw(part).std() / np.sqrt(3000)
        assert abs(made.draw(part).mean() - made.value(part)) < 5 * luck + 0.02 * made.value(part)


@pytest.mark.parametrize(
    "scenario", [WinRateScenario(factor=0.85), LOUD["capacity"], LOUD["price"], DownturnScenario(arrivals=0.8)],
    ids=lambda s: s.kind,
)  # fmt: skip
def test_common_luck_makes_the_difference_sharp(
    fitted: FittedPipeline, now: Snapshot, following: Period, scenario: object
) -> None:
    other = replace(fitted, recipe=replace(fitted.recipe, seed=99))
    one = fitted.forecast(now, following).draw()
    same, independent = (asked(scenario, f, now, following, ()).draw() - one for f in (fitted, other))
    assert same.var() < 0.2 * independent.var()


# Kinds


@given(st.floats(1.0, 20.0), st.floats(1.0, 3.0))
@settings(max_examples=15, deadline=None)
def test_a_higher_win_rate_lowers_no_draw(
    fitted: FittedPipeline, now: Snapshot, following: Period, factor: float, more: float
) -> None:
    """The memo may fall: deals that are won besides may bring less than was listed."""
    some, many = (asked(WinRateScenario(factor=f), fitted, now, following) for f in (factor, factor * more))
    assert some.draws is not None
    assert many.draws is not None
    parts = ~some.cells["part"].isin(MEMOS).to_numpy()
    assert (many.draws[parts] >= some.draws[parts] - 1e-6).all()
    assert (many.mean[parts] >= some.mean[parts] - 1e-6).all()


def test_a_factor_is_on_the_odds(fitted: FittedPipeline, outlook: Outlook) -> None:
    half = replace(outlook, chances=np.full(len(outlook.chances), 0.5))
    made = applied(half, WinRateScenario(factor=3.0), fitted)
    np.testing.assert_allclose(made.chances, 0.75)
    odds, before = (u / (1 - u) for u in (made.unsure, outlook.unsure))
    np.testing.assert_allclose(odds, 3.0 * before)


def test_points_are_on_the_win_rate_of_the_past_year(
    fitted: FittedPipeline, outlook: Outlook, lessons: Lessons
) -> None:
    past = lessons.deals[lessons.deals["status"].isin(["won", "lost"]).to_numpy()]
    past = past[(past["closed_at"] > outlook.snapshot.as_of - pd.Timedelta(days=365)).to_numpy()]
    rate = (past["status"] == "won").mean()
    factor = (rate + 0.05) / (0.95 - rate) / (rate / (1 - rate))
    made, same = (applied(outlook, s, fitted) for s in (WinRateScenario(points=5.0), WinRateScenario(factor=factor)))
    np.testing.assert_allclose(made.chances, same.chances)
    assert factor > 1.0
    with pytest.raises(SettingsError, match="expected points between"):
        applied(outlook, WinRateScenario(points=-99.0), fitted)


def test_a_win_rate_moves_new_business_as_it_moves_a_deal_of_its_chance(
    fitted: FittedPipeline, now: Snapshot, following: Period
) -> None:
    before = fitted.outlook(now, following)
    made = applied(before, WinRateScenario(factor=1.0001), fitted)
    assert made.inflow is not None
    p = 1 - (made.inflow[0] - 1) / 0.0001  # for a small change the factor is 1 + (1 − p) × change
    assert 0.0 < p < 1.0
    many = applied(before, WinRateScenario(factor=1e9), fitted)
    assert many.inflow is not None
    assert many.inflow[0] * p == pytest.approx(1.0, rel=0.01)  # at the most all of them are won


@given(st.integers(0, 40), st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_wins_that_come_later_raise_no_draw_of_a_running_period(
    fitted: FittedPipeline, now: Snapshot, period: Period, days: int, more: int
) -> None:
    some, later = (asked(SlipScenario(days=d), fitted, now, period) for d in (days, days + more))
    assert some.draws is not None
    assert later.draws is not None
    parts = ~some.cells["part"].isin(MEMOS).to_numpy()
    assert (later.draws[parts] <= some.draws[parts] + 1e-6).all()
    assert (later.draws[parts] >= 0).all()


def test_what_slips_out_of_the_period_leaves_what_is_won(
    fitted: FittedPipeline, now: Snapshot, period: Period, base: Forecast
) -> None:
    left = (period.end - now.as_of).days
    made = asked(SlipScenario(days=left + 1), fitted, now, period)
    assert (made.draw() == base.draw("won")).all()
    assert made.value("open") == made.value("new") == 0.0
    assert asked(SlipScenario(days=left - 1), fitted, now, period).value("open") > 0.0


@pytest.mark.parametrize("days", [-30, -7, 7, 30, 200])
def test_a_slip_looks_at_the_same_curve_earlier_or_later(
    fitted: FittedPipeline, now: Snapshot, period: Period, following: Period, days: int
) -> None:
    deals, shift = fitted.deal_forecast(now), pd.Timedelta(days=days)
    made = applied(fitted.outlook(now, following), SlipScenario(days=days), fitted)
    since = following.start - shift
    expected = deals.won_by(following.end - shift) - deals.won_by(since - pd.Timedelta(days=1))
    np.testing.assert_allclose(made.chances, expected, atol=1e-12)
    running = applied(fitted.outlook(now, period), SlipScenario(days=days), fitted)
    np.testing.assert_allclose(running.chances, deals.won_by(period.end - shift), atol=1e-12)


def test_what_is_pulled_in_comes_tomorrow_at_the_earliest(
    fitted: FittedPipeline, now: Snapshot, calendar: FiscalCalendar, period: Period
) -> None:
    """On the eve of a period the first day ahead lies in it: nothing that comes earlier is lost."""
    eve = calendar.shift(period, -1).end
    late = replace(now, days=np.array([eve], dtype="datetime64[s]"), open=now.open.assign(as_of=eve))
    deals = fitted.deal_forecast(late)
    made = applied(fitted.outlook(late, period), SlipScenario(days=-20), fitted)
    expected = deals.won_by(period.end + pd.Timedelta(days=20)) - deals.won_by(eve)
    np.testing.assert_allclose(made.chances, expected, atol=1e-12)


def test_dearer_is_exactly_dearer(fitted: FittedPipeline, now: Snapshot, following: Period) -> None:
    one, made = fitted.forecast(now, following), asked(PriceScenario(factor=1.1), fitted, now, following, ())
    for part in ("open", "open_due", "open_pulled_in", "new"):
        assert made.value(part) == pytest.approx(1.1 * one.value(part))
        np.testing.assert_allclose(made.draw(part), 1.1 * one.draw(part))
    np.testing.assert_array_equal(made.draw("won"), one.draw("won"))


def test_elasticity_takes_odds(fitted: FittedPipeline, outlook: Outlook) -> None:
    made = applied(outlook, PriceScenario(factor=1.25, elasticity=2.0), fitted)
    odds, before = (p / (1 - p) for p in (made.chances, outlook.chances))
    np.testing.assert_allclose(odds, before / 1.25**2)
    np.testing.assert_allclose(made.price, 1.25)


def test_only_what_is_named_is_dearer(fitted: FittedPipeline, now: Snapshot, following: Period) -> None:
    one = fitted.forecast(now, following, LEVELS)
    made = asked(PriceScenario(factor=2.0, where={"segment": "Mid-Market"}), fitted, now, following)
    for group in one.cells.loc[one.cells["level"] == "segment", "group"].unique():
        times = 2.0 if group == "Mid-Market" else 1.0
        for part in ("open", "new"):
            np.testing.assert_allclose(made.draw(part, "segment", group), times * one.draw(part, "segment", group))


def test_who_leaves_moves_only_their_own_cells(
    fitted: FittedPipeline, now: Snapshot, following: Period, owner: str
) -> None:
    one = fitted.forecast(now, following, ("owner",))
    made = asked(CapacityScenario(owner=owner, kept=0.4), fitted, now, following, ("owner",))
    gone = asked(CapacityScenario(owner=owner, kept=0.0), fitted, now, following, ("owner",))
    assert one.draws is not None
    assert made.draws is not None
    others = ((one.cells["level"] == "owner") & (one.cells["group"] != owner)).to_numpy()
    assert others.sum() > 10
    np.testing.assert_allclose(made.draws[others], one.draws[others], atol=1e-6)
    for part in ("open", "new"):
        assert made.value(part, "owner", owner) == pytest.approx(0.4 * one.value(part, "owner", owner))
        assert (made.draw(part, "owner", owner) <= one.draw(part, "owner", owner)).all()
        assert gone.value(part, "owner", owner) == 0.0
        assert not gone.draw(part, "owner", owner).any()
    assert one.value("open", "owner", owner) > 0


def test_who_leaves_later_has_won_some_by_then(
    fitted: FittedPipeline, now: Snapshot, period: Period, base: Forecast, owner: str
) -> None:
    day = (now.as_of + pd.Timedelta(days=15)).date()
    soon, late = (asked(CapacityScenario(owner=owner, kept=0.0, day=d), fitted, now, period) for d in (None, day))
    deals = fitted.deal_forecast(now)
    theirs = (now.open["owner"] == owner).to_numpy()
    for made, until in ((soon, now.as_of), (late, pd.Timestamp(day) - pd.Timedelta(days=1))):
        by_then = deals.won_by(until)  # today's: won, but not yet written
        assert made.value("open", "owner", owner) == pytest.approx((by_then * deals.amount)[theirs].sum())
    assert soon.value("open", "owner", owner) < late.value("open", "owner", owner) < base.value("open", "owner", owner)
    assert (late.draw() <= base.draw() + 1e-6).all()


def test_half_a_capacity_is_half_the_loss(fitted: FittedPipeline, now: Snapshot, following: Period, owner: str) -> None:
    outlook = fitted.outlook(now, following)
    made = applied(outlook, CapacityScenario(owner=owner, factor=0.5, kept=0.2), fitted)
    theirs = (outlook.snapshot.open["owner"] == owner).to_numpy()
    np.testing.assert_allclose(made.chances[theirs], 0.6 * outlook.chances[theirs])
    np.testing.assert_array_equal(made.chances[~theirs], outlook.chances[~theirs])


def test_extra_deals_bring_their_chance_times_their_amount(
    fitted: FittedPipeline, now: Snapshot, following: Period
) -> None:
    told = ExtraPipelineScenario(amount=200_000.0, deals=8, where={"segment": "Mid-Market"})
    before, made = fitted.outlook(now, following), applied(fitted.outlook(now, following), told, fitted)
    assert made.extra is not None
    assert made.extra.rows["amount"].sum() == pytest.approx(200_000 * fitted.amounts.overall)
    assert len(made.extra.rows) == 8
    assert set(made.extra.rows["segment"]) == {"Mid-Market"}
    assert (made.extra.chances > 0).all()
    np.testing.assert_array_equal(made.chances, before.chances)
    one, both = fitted.forecast(now, following, LEVELS), asked(told, fitted, now, following)
    more = (made.extra.chances * made.extra.rows["amount"]).sum()
    assert both.value("new") - one.value("new") == pytest.approx(more)
    apart = both.draw("new") - one.draw("new")
    np.testing.assert_allclose(
        both.draw("new", "segment", "Mid-Market") - one.draw("new", "segment", "Mid-Market"), apart
    )
    assert (apart >= -1e-6).all()
    assert apart.max() <= made.extra.rows["amount"].sum() + 1e-6
    np.testing.assert_array_equal(both.draw("open"), one.draw("open"))


def test_extra_deals_that_come_in_later_are_won_less_often(
    fitted: FittedPipeline, outlook: Outlook, period: Period
) -> None:
    first = outlook.snapshot.as_of + pd.Timedelta(days=1)
    days = [first, first + pd.Timedelta(days=10), period.end]
    chance = []
    for day in days:
        made = applied(outlook, ExtraPipelineScenario(amount=1e5, deals=3, day=day.date()), fitted)
        assert made.extra is not None
        chance.append(made.extra.chances[0])
    assert chance[0] > chance[1] > chance[2] >= 0


def test_extra_deals_of_a_stage_are_as_likely_as_todays(
    fitted: FittedPipeline, now: Snapshot, following: Period
) -> None:
    stage = str(now.open["stage"].mode()[0])
    told = ExtraPipelineScenario(amount=1e5, deals=4, stage=stage)
    made, deals = applied(fitted.outlook(now, following), told, fitted), fitted.deal_forecast(now)
    here, one = (now.open["stage"] == stage).to_numpy(), pd.Timedelta(days=1)
    expected = deals.won_between(following.start - one, following.end - one)[here].mean()
    assert made.extra is not None
    np.testing.assert_allclose(made.extra.chances, expected, rtol=0.02)


def test_the_size_of_extra_deals_may_be_told(fitted: FittedPipeline, outlook: Outlook) -> None:
    made = applied(outlook, ExtraPipelineScenario(amount=1e6, average_amount=50_000.0), fitted)
    assert made.extra is not None
    assert len(made.extra.rows) == 20
    with pytest.raises(SettingsError, match="at most 5,000 deals"):
        applied(outlook, ExtraPipelineScenario(amount=1e9, average_amount=1.0), fitted)


def test_what_comes_in_is_part_of_what_comes_after(fitted: FittedPipeline, outlook: Outlook) -> None:
    """In a list each scenario is applied to what those before it have made, extra deals among it."""
    extra, dearer = ExtraPipelineScenario(amount=1e5, deals=3), PriceScenario(factor=2.0)
    first, last = (applied(outlook, CombineScenario(parts=p), fitted) for p in ((extra, dearer), (dearer, extra)))
    assert first.extra is not None
    assert last.extra is not None
    np.testing.assert_allclose(first.extra.rows["amount"], 2 * last.extra.rows["amount"])
    slipped = applied(outlook, CombineScenario(parts=(extra, SlipScenario(days=300))), fitted)
    assert slipped.extra is not None
    assert not slipped.extra.chances.any()


def test_a_downturn_is_its_parts_together(fitted: FittedPipeline, now: Snapshot, following: Period) -> None:
    whole = DownturnScenario(odds=0.8, days=7)
    parts = CombineScenario(parts=(WinRateScenario(factor=0.8), SlipScenario(days=7)))
    one, two = (asked(s, fitted, now, following) for s in (whole, parts))
    np.testing.assert_array_equal(one.draws, two.draws)  # type: ignore[arg-type]
    base, half = fitted.forecast(now, following), asked(DownturnScenario(arrivals=0.5), fitted, now, following)
    assert half.value("new") == pytest.approx(base.value("new") / 2)
    np.testing.assert_array_equal(half.draw("open"), base.draw("open"))
    assert (half.draw("new") <= base.draw("new")).all()


@pytest.mark.parametrize("factor", [0.3, 2.5])
def test_inflow_of_one_group_is_that_groups_alone(
    fitted: FittedPipeline, now: Snapshot, following: Period, factor: float
) -> None:
    one = fitted.forecast(now, following, ("segment",))
    told = DownturnScenario(arrivals=factor, where={"segment": "Mid-Market"})
    made = asked(told, fitted, now, following, ("segment",))
    for group in one.cells.loc[one.cells["level"] == "segment", "group"].unique():
        before, after = (f.draw("new", "segment", group) for f in (one, made))
        if group == "Mid-Market":
            assert ((after - before) * np.sign(factor - 1) >= -1e-6).all()
            assert made.value("new", "segment", group) == pytest.approx(factor * one.value("new", "segment", group))
        else:
            np.testing.assert_array_equal(after, before)


def test_a_stage_says_nothing_of_new_business(fitted: FittedPipeline, now: Snapshot, period: Period, base: Forecast):
    stage = str(now.open["stage"].mode()[0])
    made = asked(WinRateScenario(factor=0.5, where={"stage": stage}), fitted, now, period)
    np.testing.assert_array_equal(made.draw("new"), base.draw("new"))
    assert made.value("open") < base.value("open")


# What is not there


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (WinRateScenario(factor=0.9, where={"segmnt": "SMB"}), r"did you mean 'segment'"),
        (WinRateScenario(factor=0.9, where={"segment": "Mid-Markt"}), r"'Mid-Market'.*came 'Mid-Markt'; did you mean"),
        (SlipScenario(days=3, where={"region": ["EMEA", "Nowhere"]}), r"column 'region'.*came 'Nowhere'"),
        (CapacityScenario(owner="nobody"), r"expected values of the column 'owner' .*came 'nobody'"),
        (CapacityScenario(owner="a", where={"owner": "b"}), r"expected owner or where.owner"),
        (CapacityScenario(where={"region": "EMEA"}, day="2060-01-01"), r"scenario.day: expected a day of the period"),
        (ExtraPipelineScenario(amount=1.0, stage="Nowhere"), r"expected a stage of the open deals"),
        (ExtraPipelineScenario(amount=1.0, where={"stage": "Proposal"}), r"have no stage yet.*scenario.stage"),
        (ExtraPipelineScenario(amount=1.0, where={"segment": "Nowhere"}), r"came 'Nowhere'"),
        (ExtraPipelineScenario(amount=1.0, day="2020-01-01"), r"expected a day after as_of"),
    ],
)
def test_what_is_not_there_is_refused(fitted: FittedPipeline, outlook: Outlook, scenario: object, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        applied(outlook, scenario, fitted)  # type: ignore[arg-type]


def test_values_that_no_deal_has_together_are_refused(
    fitted: FittedPipeline, outlook: Outlook, lessons: Lessons
) -> None:
    rows = outlook.snapshot.open
    stage = str(rows["stage"].iloc[0])
    apart = rows.assign(owner=np.where(rows["stage"] == stage, "ann", "bob"))
    split = replace(outlook, snapshot=replace(outlook.snapshot, open=apart))
    with pytest.raises(SettingsError, match="no open deal and no new business has all of"):
        applied(split, WinRateScenario(factor=2.0, where={"stage": stage, "owner": "bob"}), fitted)


def test_points_need_closed_deals(fitted: FittedPipeline, outlook: Outlook, lessons: Lessons) -> None:
    won = replace(lessons, deals=lessons.deals[(lessons.deals["status"] == "won").to_numpy()])
    taught = replace(fitted, arrivals=replace(fitted.arrivals, lessons=won))
    with pytest.raises(DataError, match="tell no win rate; say factor"):
        applied(outlook, WinRateScenario(points=-5.0), taught)


def test_a_rule_cannot_be_asked_what_if(lessons: Lessons, now: Snapshot, period: Period) -> None:
    fitted = rule("stage_rate").fit(lessons)
    assert what_if(NoScenario(), fitted, now, period) is None
    with pytest.raises(SettingsError, match="expected a model of deals"):
        what_if(SlipScenario(days=3), fitted, now, period)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_poor_data_get_an_answer(world: str) -> None:
    calendar = FiscalCalendar()
    lessons, now = lessons_of(tell(WORLDS[world], until="2024-04-30"), calendar, AS_OF)
    fitted = PipelineForecaster(HazardModel(), draws=100, coefficient_draws=4).fit(lessons)
    several = CombineScenario(
        parts=(
            WinRateScenario(factor=1.5), ExtraPipelineScenario(amount=1e4, deals=4), SlipScenario(days=-300),
            PriceScenario(factor=1.2, elasticity=1), DownturnScenario(odds=0.8, arrivals=0.5, days=9),
        )
    )  # fmt: skip
    for known in (now, now.take(np.zeros(0, dtype=int))):
        base = fitted.forecast(known, calendar.containing(AS_OF))
        table = difference(base, asked(several, fitted, known, calendar.containing(AS_OF), ()))
        assert np.isfinite(table.select_dtypes("number")).all().all()
        assert table.set_index("part").loc["new", "mean"] >= 0


# Differences


def test_a_difference_is_that_of_every_draw(
    fitted: FittedPipeline, now: Snapshot, period: Period, base: Forecast
) -> None:
    made = asked(LOUD["downturn"], fitted, now, period)
    table = difference(base, made)
    assert list(table.columns) == list(SCENARIO_COLUMNS)
    assert set(table["scenario"]) == {"downturn"}
    total = table.iloc[0]
    assert (total["level"], total["group"], total["part"]) == (TOTAL, TOTAL, TOTAL)
    apart = made.draw() - base.draw()
    assert total["difference"] == pytest.approx(made.value() - base.value())
    assert [total["difference_p10"], total["difference_p90"]] == pytest.approx(np.quantile(apart, [0.1, 0.9]))
    assert [total["base_p90"], total["p90"]] == pytest.approx([np.quantile(f.draw(), 0.9) for f in (base, made)])
    assert total["p_lower"] == (apart < 0).mean() > 0.5
    parts = table[table["part"] == TOTAL].groupby("level")["difference"].sum()
    np.testing.assert_allclose(parts, total["difference"])


def test_a_group_that_only_the_scenario_has_is_nought_in_the_base(
    fitted: FittedPipeline, outlook: Outlook, base: Forecast
) -> None:
    made = applied(outlook, ExtraPipelineScenario(amount=1e6, deals=5), fitted)
    assert made.extra is not None
    elsewhere = replace(made.extra, rows=made.extra.rows.assign(region="Moon"))
    changed = roll_up(replace(made, extra=elsewhere), LEVELS, fitted.recipe.draws, fitted.recipe.seed, "scenario:x")
    table = difference(base, changed).set_index(["level", "group", "part"])
    row = table.loc[("region", "Moon", "new")]
    assert row["base_mean"] == row["base_p90"] == 0.0
    assert row["difference"] == row["mean"] > 0.0
