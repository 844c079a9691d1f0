"""A share of the deals teaches where there are many: always the same ones, chosen by nothing that comes later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.features import describe
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan, lessons_at, luck_of, prepare
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.rules import RULES
from pipeforecast.snapshot import Snapshot
from stories import MUTATIONS

ALL = Lessonplan((0, 30, 60), 8)
FEW = replace(ALL, most_deals=100)


def prepared(history: DealHistory, calendar: FiscalCalendar, plan: Lessonplan, *days: pd.Timestamp) -> Snapshot:
    return prepare(history, calendar, plan, days)


def lessons_of(history: DealHistory, calendar: FiscalCalendar, plan: Lessonplan, day: pd.Timestamp) -> Lessons:
    return lessons_at(history, calendar, prepared(history, calendar, plan, day), day, plan)


@pytest.fixture(scope="module")
def day(company_history: DealHistory) -> pd.Timestamp:
    return company_history.written_until - pd.Timedelta(days=200)


@pytest.fixture(scope="module")
def both(company_history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp) -> tuple[Lessons, Lessons]:
    return lessons_of(company_history, calendar, ALL, day), lessons_of(company_history, calendar, FEW, day)


def test_about_as_many_teach_as_may(both: tuple[Lessons, Lessons]) -> None:
    whole, few = both
    assert whole.teaching is None
    assert few.teaching is not None
    assert few.teaching.of > 2 * FEW.most_deals
    taught = few.snapshot.open["deal"].nunique()
    assert 0.5 * FEW.most_deals < taught < 1.5 * FEW.most_deals
    assert set(few.of_teaching().deals.index) >= set(few.snapshot.open["deal"])


def test_what_teaches_are_whole_deals_as_they_are_without_a_limit(both: tuple[Lessons, Lessons]) -> None:
    whole, few = both
    same = whole.snapshot.open["deal"].isin(few.snapshot.open["deal"]).to_numpy()
    pd.testing.assert_frame_equal(few.snapshot.open, whole.snapshot.open[same].reset_index(drop=True))
    pd.testing.assert_frame_equal(few.outcome.rows, whole.outcome.rows[same].reset_index(drop=True))
    # What is counted of the company as a whole is counted over all deals.
    numbers, rest = describe(whole.snapshot).numbers[same].reset_index(drop=True), describe(few.snapshot).numbers
    pd.testing.assert_frame_equal(rest, numbers)
    pd.testing.assert_frame_equal(few.deals, whole.deals)
    pd.testing.assert_frame_equal(few.open_on(few.snapshot.days), whole.open_on(few.snapshot.days))


def test_rules_and_new_business_look_at_all_deals(
    both: tuple[Lessons, Lessons], company_history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp
) -> None:
    now = prepared(company_history, calendar, FEW, day).only([day])
    assert len(now.open) == len(prepared(company_history, calendar, ALL, day).only([day]).open)
    period = calendar.containing(day)
    for rule in RULES.values():
        means = [rule.fit(lessons).forecast(now, period).mean for lessons in both]
        np.testing.assert_array_equal(means[0], means[1])
    arrivals = PipelineForecaster(HazardModel()).arrivals
    new = [arrivals.fit(lessons).expected(now, period) for lessons in both]
    assert (new[0].mean, new[0].sd) == (new[1].mean, new[1].sd)


def test_below_the_limit_nothing_changes_and_there_is_no_cliff_at_it(
    company_history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp, both: tuple[Lessons, Lessons]
) -> None:
    assert both[1].teaching is not None
    could = both[1].teaching.of
    at, above = (lessons_of(company_history, calendar, replace(ALL, most_deals=could - i), day) for i in (0, 1))
    assert at.teaching is None
    assert above.teaching is not None
    lost = set(at.snapshot.open["deal"]) - set(above.snapshot.open["deal"])
    assert len(lost) < 5


def test_the_same_deals_teach_at_every_origin_and_in_every_order(
    company_history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp
) -> None:
    early = day - pd.Timedelta(days=100)
    snapshot = prepared(company_history, calendar, FEW, early, day)
    taught = [
        set(lessons_at(company_history, calendar, snapshot, d, FEW).of_teaching().deals.index) for d in (early, day)
    ]
    known = set(lessons_of(company_history, calendar, ALL, early).deals.index)
    assert taught[1] & known <= taught[0]  # the more deals there are, the smaller the share
    alone = lessons_of(company_history, calendar, FEW, early)
    assert set(alone.of_teaching().deals.index) == taught[0]
    ids = company_history.deals["deal_id"]
    mixed = ids.sample(frac=1.0, random_state=1)
    np.testing.assert_array_equal(luck_of(mixed), pd.Series(luck_of(ids), ids.index)[mixed.index])
    assert abs(luck_of(pd.Series([f"deal {i}" for i in range(4000)])).mean() - 0.5) < 0.02


@pytest.mark.parametrize("name", list(MUTATIONS))
def test_nothing_that_is_written_later_changes_who_teaches_or_what(
    company_history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp, both: tuple[Lessons, Lessons], name: str
) -> None:
    mutated = MUTATIONS[name](company_history, day, np.random.default_rng(0))
    found, before = lessons_of(mutated, calendar, FEW, day), both[1]
    assert found.teaching is not None
    assert before.teaching is not None
    assert found.teaching.of == before.teaching.of
    rows = [lessons.snapshot.open.drop(columns="deal") for lessons in (found, before)]  # keys are places in the source
    pd.testing.assert_frame_equal(rows[0], rows[1])
    ids = [lessons.snapshot.labels["deal_id"].reindex(lessons.snapshot.open["deal"]) for lessons in (found, before)]
    assert ids[0].tolist() == ids[1].tolist()
    pd.testing.assert_frame_equal(found.outcome.rows, before.outcome.rows)
    pd.testing.assert_frame_equal(describe(found.snapshot).numbers, describe(before.snapshot).numbers)
    pd.testing.assert_frame_equal(describe(found.snapshot).categories, describe(before.snapshot).categories)


def test_a_forecast_says_how_many_taught(
    company_history: DealHistory, calendar: FiscalCalendar, day: pd.Timestamp, both: tuple[Lessons, Lessons]
) -> None:
    recipe = PipelineForecaster(HazardModel(max_rows=400), draws=100, coefficient_draws=2)
    for lessons, plan in zip(both, (ALL, FEW), strict=True):
        now = prepared(company_history, calendar, plan, day).only([day])
        said = [f for f in recipe.fit(lessons).findings(now) if f.code == "LESSONS-SAMPLED"]
        assert len(said) == (lessons.teaching is not None)
        if lessons.teaching is not None:
            assert said[0].count == lessons.snapshot.open["deal"].nunique()
            assert f"of {lessons.teaching.of:,} deals" in said[0].repair
