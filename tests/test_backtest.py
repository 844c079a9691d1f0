"""The replay refits at every origin on what was known there, and sets beside it what came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.backtest import KEYS, Backtest, Origin, backtest, origins_of
from pipeforecast.errors import DataError
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import PARTS, QUANTILES, Forecast, cells_of
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan, lessons_at, prepare
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import WithPrior
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.rules import RULES
from pipeforecast.snapshot import Snapshot
from stories import MUTATIONS, day, deal, tell

PLAN = Lessonplan((0, 30, 60), 4)
RULE = RULES["same_stage_same_time"]


@pytest.fixture(scope="module")
def origins(company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp) -> list[Origin]:
    """Day 30 of the two periods that end before the one of ``as_of``."""
    return origins_of(company_history, calendar, (30,), 2, as_of)


@pytest.fixture(scope="module")
def recipe() -> PipelineForecaster:
    return PipelineForecaster(HazardModel(max_rows=400), draws=200, coefficient_draws=4)


@pytest.fixture(scope="module")
def replayed(
    company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin], recipe: PipelineForecaster
) -> Backtest:
    forecasters = [recipe, *RULES.values()]
    return backtest(company_history, calendar, forecasters, origins, plan=PLAN, levels=("owner", "segment"))


def forecasts_only(found: Backtest) -> pd.DataFrame:
    """What was said; a group of which nothing was said may stand there with nought because of what it brought."""
    rows = found.rows[(found.rows["mean"] != 0).to_numpy()].reset_index(drop=True)
    return rows[["recipe", *KEYS, "mean", *QUANTILES]].astype({"as_of": "datetime64[s]"})


def test_origins_are_days_of_complete_periods(origins: list[Origin], as_of: pd.Timestamp) -> None:
    assert len(origins) == 2
    assert [o.as_of for o in origins] == sorted(o.as_of for o in origins)
    for o in origins:
        assert o.period.end < as_of
        assert o.period.day_of(o.as_of) == o.day


def test_the_last_evening_of_a_period_is_day_0_of_the_next(calendar: FiscalCalendar) -> None:
    history = tell([deal("a", ("2020-01-01", {}), ("2020-01-02", {"status": "won"})), deal("b", ("2024-06-30", {}))])
    found = origins_of(history, calendar, (0, 91), 4, day("2024-03-31"))
    assert len({o.as_of for o in found}) == len(found)
    assert found[-1].period.name == "2024Q1"
    assert [o.period.name for o in origins_of(history, calendar, (0,), 1, day("2024-03-30"))] == ["2023Q4"]


def test_every_method_says_something_of_every_origin(replayed: Backtest, origins: list[Origin]) -> None:
    rows = replayed.rows
    total = rows[(rows["level"] == "total").to_numpy()]
    assert not rows.duplicated(KEYS).any()
    assert len(total) == len(origins) * (1 + len(RULES))
    assert set(replayed.draws) == {(o.as_of, o.period.name, "model") for o in origins}
    assert set(rows["level"]) == {"total", "owner", "segment"}


def test_actuals_count_by_the_true_day(replayed: Backtest, company_history: DealHistory, origins: list[Origin]) -> None:
    for o in origins:
        rows = replayed.rows[(replayed.rows["as_of"] == o.as_of).to_numpy()]
        total = rows[(rows["level"] == "total").to_numpy()]
        for column, known in (
            ("actual", company_history),
            ("actual_as_first_known", company_history.known_by(o.period.end)),
        ):
            true = won_between(known.latest(), o.period.start, o.period.end)["amount"].sum()
            assert total[column].to_numpy() == pytest.approx(true)
        groups = rows[((rows["level"] == "segment") & (rows["method"] == "model")).to_numpy()]
        assert groups["actual"].sum() == pytest.approx(total["actual"].iloc[0])


def test_a_late_booking_was_not_known_at_first(calendar: FiscalCalendar) -> None:
    """Booked on 3 October with a close date of 30 September: revenue of the third quarter, as it is known now."""
    history = tell([
        deal("first", ("2020-01-01", {"amount": 1.0}), ("2020-01-02", {"status": "won"})),
        deal("in time", ("2024-07-01", {"amount": 10.0}), ("2024-09-01", {"status": "won"})),
        deal("late", ("2024-07-01", {"amount": 100.0}), ("2024-10-03", {"status": "won", "closed_at": "2024-09-30"})),
        deal("taken back", ("2024-07-01", {"amount": 7.0}), ("2024-08-01", {"status": "won"}),
             ("2024-11-01", {"status": "lost"})),
    ])  # fmt: skip
    third = calendar.named("2024Q3")
    rows = backtest(history, calendar, [RULE], [Origin(third.evening(45), 45, third)], plan=PLAN).rows
    assert rows[["actual", "actual_as_first_known"]].iloc[0].tolist() == [110.0, 17.0]


def test_flipping_all_later_outcomes_changes_no_forecast(
    replayed: Backtest, company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin],
    recipe: PipelineForecaster,
) -> None:  # fmt: skip
    flipped = MUTATIONS["flips"](company_history, origins[-1].as_of, np.random.default_rng(0))
    found = backtest(flipped, calendar, [recipe, *RULES.values()], origins, plan=PLAN, levels=("owner", "segment"))
    pd.testing.assert_frame_equal(forecasts_only(found), forecasts_only(replayed))
    for key, draws in replayed.draws.items():
        np.testing.assert_array_equal(found.draws[key], draws)
    actual = [f.rows[(f.rows["level"] == "total").to_numpy()]["actual"].to_numpy() for f in (found, replayed)]
    assert not np.allclose(*actual)


@pytest.mark.parametrize("name", [n for n in MUTATIONS if n != "flips"])
def test_nothing_written_after_an_origin_changes_its_rules(
    replayed: Backtest, company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin], name: str
) -> None:
    last = origins[-1]
    mutated = MUTATIONS[name](company_history, last.as_of, np.random.default_rng(0))
    found = forecasts_only(backtest(mutated, calendar, list(RULES.values()), [last], plan=PLAN))
    before = forecasts_only(replayed)
    keep = (before["as_of"] == last.as_of) & (before["level"] == "total") & (before["method"] != "model")
    pd.testing.assert_frame_equal(found, before[keep.to_numpy()].reset_index(drop=True))


def test_a_win_dated_before_all_others_changes_no_lesson_days(
    company_history: DealHistory, calendar: FiscalCalendar
) -> None:
    """An early origin, where records have just begun: which days teach must be decided from what was known then."""
    early = origins_of(company_history, calendar, (30,), 60, company_history.written_until)[2].as_of
    mutated = MUTATIONS["back_dates_before_all"](company_history, early, np.random.default_rng(0))
    days = []
    for history in (company_history, mutated):
        snapshot = prepare(history, calendar, PLAN, [early])
        days.append(list(lessons_at(history, calendar, snapshot, early, PLAN).snapshot.days))
    assert days[0] == days[1]


def test_each_origin_stands_alone(
    replayed: Backtest, company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]
) -> None:
    """One origin replayed alone, on a history that ends with it, says the same."""
    one = origins[1]
    found = forecasts_only(backtest(company_history.known_by(one.as_of), calendar, [RULE], [one], plan=PLAN))
    before = forecasts_only(replayed)
    keep = (before["as_of"] == one.as_of) & (before["level"] == "total") & (before["method"] == RULE.name)
    pd.testing.assert_frame_equal(found, before[keep.to_numpy()].reset_index(drop=True))


@dataclass(frozen=True)
class Choosing:
    """A recipe that chooses: it keeps the evening of its choice, and forecasts it."""

    chosen: pd.Timestamp | None = None
    name: str = "choosing"

    def decided(self, lessons: Lessons) -> Choosing:
        return replace(self, chosen=lessons.cutoff)

    def fit(self, lessons: Lessons) -> Choosing:
        return self

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        assert self.chosen is not None
        mean = np.full(len(PARTS), float(self.chosen.toordinal()))
        return Forecast(snapshot.as_of, period, self.name, cells_of({}), mean)


def test_choices_are_made_on_the_evening_before_the_period_whoever_else_asks(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> None:
    asked = origins_of(company_history, calendar, (-20, 0, 30, 60), 3, as_of)
    together = backtest(company_history, calendar, [Choosing(), RULE], asked, plan=PLAN).rows
    chosen = together[(together["method"] == "choosing").to_numpy()].set_index(["as_of", "period"])["mean"]
    for o in asked:
        assert chosen[o.as_of, o.period.name] == min(o.as_of, o.period.evening(0)).toordinal()
        alone = backtest(company_history, calendar, [Choosing()], [o], plan=PLAN).rows
        assert alone["mean"].iloc[0] == chosen[o.as_of, o.period.name]


def test_a_choice_can_be_made_before_anything_was_written(calendar: FiscalCalendar, recipe: PipelineForecaster) -> None:
    history = tell([deal("a", ("2024-04-10", {"amount": 1.0}), ("2024-04-20", {"status": "won"})),
                    deal("b", ("2024-04-12", {"amount": 1.0}), ("2024-09-20", {"status": "won"}))])  # fmt: skip
    period = calendar.named("2024Q2")
    choosing = replace(recipe, deals=WithPrior(ChosenHazard(HazardModel(max_rows=400))))
    rows = backtest(history, calendar, [choosing], [Origin(period.evening(30), 30, period)], plan=PLAN).rows
    assert np.isfinite(rows["mean"]).all()


def test_lessons_end_before_their_origin(
    company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]
) -> None:
    snapshot = prepare(company_history, calendar, PLAN, [o.as_of for o in origins])
    for o in origins:
        lessons = lessons_at(company_history, calendar, snapshot, o.as_of, PLAN)
        assert lessons.cutoff == lessons.outcome.until == o.as_of
        assert max(pd.Timestamp(d) for d in lessons.snapshot.days) < o.as_of
        assert lessons.deals["recorded_at"].max() < o.as_of + pd.Timedelta(days=1)


def test_the_lesson_plan_holds_the_same_day_of_past_periods(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> None:
    d = as_of - pd.Timedelta(days=23)  # day 37 is in no plan
    lessons = lessons_at(company_history, calendar, prepare(company_history, calendar, PLAN, [d]), d, PLAN)
    period = calendar.containing(d)
    wanted = {calendar.shift(period, -i).evening(37) for i in (1, 2, 3)}
    assert wanted <= {pd.Timestamp(x) for x in lessons.snapshot.days}


def test_progress_is_told(company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]) -> None:
    told: list[tuple[int, int]] = []
    backtest(
        company_history, calendar, [RULES["mean_of_four"]], origins[:2], plan=PLAN,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told == [(1, 2), (2, 2)]


def test_rules_need_no_deals_that_teach(
    replayed: Backtest, company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]
) -> None:
    untaught = replace(PLAN, most_deals=0)
    alone = backtest(company_history, calendar, [*RULES.values()], origins, plan=untaught, levels=("owner", "segment"))
    beside = replayed.rows[(replayed.rows["method"] != "model").to_numpy()].reset_index(drop=True)
    told, same = (rows.sort_values(KEYS, ignore_index=True) for rows in (alone.rows, beside))
    pd.testing.assert_frame_equal(told, same)


def test_without_an_origin_it_says_what_to_do(company_history: DealHistory, calendar: FiscalCalendar) -> None:
    with pytest.raises(DataError, match="calendar=month"):
        backtest(company_history, calendar, [RULE], [])


def test_an_owner_without_revenue_has_an_actual_of_nought(
    company_history: DealHistory, calendar: FiscalCalendar, origins: list[Origin]
) -> None:
    states = company_history.states.assign(owner="only one")  # also of deals that are lost or open
    found = backtest(
        replace(company_history, states=states), calendar, [RULES["stage_rate"]], origins[:1], plan=PLAN,
        levels=("owner", "region"),
    ).rows  # fmt: skip
    assert found[["actual", "actual_as_first_known"]].notna().all(axis=None)
    owner = found[(found["level"] == "owner").to_numpy()]
    assert owner["actual"].tolist() == pytest.approx(found.loc[found["level"] == "total", "actual"].tolist())


def test_a_later_period_is_compared_with_past_ones_seen_from_as_far_away(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> None:
    far = -37
    plan = PLAN.with_day(far)
    lessons = lessons_at(company_history, calendar, prepare(company_history, calendar, plan, [as_of]), as_of, plan)
    wanted = {p.evening(far) for p in lessons.past_periods(3)}
    assert len(wanted) == 3
    assert wanted <= {pd.Timestamp(d) for d in lessons.snapshot.days}
    assert PLAN.with_day(PLAN.days[0]) is PLAN


def test_revenue_of_owners_unknown_at_the_origin_is_not_lost(
    replayed: Backtest, company_history: DealHistory, calendar: FiscalCalendar
) -> None:
    """Owners add up to the total, in what came true and in what was forecast, for every method and origin."""
    history = tell([
        deal("past", ("2024-01-10", {"amount": 5.0, "owner": "ann"}), ("2024-02-01", {"status": "won"})),
        deal("seen", ("2024-04-01", {"amount": 10.0, "owner": "ann"}), ("2024-06-01", {"status": "won"})),
        deal("new", ("2024-05-20", {"amount": 40.0, "owner": "hired in May"}), ("2024-06-20", {"status": "won"})),
    ])  # fmt: skip
    second = calendar.named("2024Q2")
    rows = backtest(history, calendar, [RULES["stage_rate"]], [Origin(second.evening(30), 30, second)], plan=PLAN,
                    levels=("owner",)).rows  # fmt: skip
    owner = rows[(rows["level"] == "owner").to_numpy()].set_index("group")
    assert owner["actual"].to_dict() == {"ann": 10.0, "hired in May": 40.0}
    assert owner.loc["hired in May", ["mean", "p50"]].tolist()[0] == 0.0
    assert owner["p50"].isna().all()  # a rule has no range before its errors are known
    at = ["as_of", "method"]
    for column in ("actual", "actual_as_first_known"):
        sums = replayed.rows.pivot_table(index=at, columns="level", values=column, aggfunc="sum")
        for level in ("owner", "segment"):
            told = sums[level].notna()  # not every rule tells every level
            assert told.sum() > len(RULES)
            np.testing.assert_allclose(sums.loc[told, level], sums.loc[told, "total"], rtol=1e-9)
    model = replayed.rows[(replayed.rows["method"] == "model").to_numpy()]
    assert model[list(QUANTILES)].notna().all(axis=None)
    assert not replayed.rows.duplicated(KEYS).any()
