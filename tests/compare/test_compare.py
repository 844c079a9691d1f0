"""What moved a forecast: bars add up, a single change shows in its own bar, and what was said later changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.compare import CAUSES, MEASURES, NOT_CREATED, WATERFALL_COLUMNS, Waterfall, shares, waterfall
from pipeforecast.compare.waterfall import END, START
from pipeforecast.errors import DataError
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.history import DealHistory
from pipeforecast.models.amount import FittedAmounts
from pipeforecast.models.arrivals import NewBusiness
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.rollup import Outlook
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import Deal, _more, day, deal, lessons_of, tell

PERIOD = FiscalCalendar().named("2024Q2")
THEN, NOW = day("2024-04-30"), day("2024-05-07")
LEVELS = ("owner", "segment")


class ByHand:
    """Chances that can be reckoned: by stage, halved beyond the period's end, and falling by 0.01 a day."""

    def won_within(
        self, snapshot: Snapshot, spans: Sequence[tuple[pd.Timestamp, pd.Timestamp]], n: int, rng: np.random.Generator
    ) -> list[np.ndarray]:
        return [self.won_between(snapshot, start, end, n, rng) for start, end in spans]

    def won_between(
        self, snapshot: Snapshot, start: pd.Timestamp, end: pd.Timestamp, n: int, rng: np.random.Generator
    ) -> np.ndarray:
        rows = snapshot.open
        chance = rows["stage"].map({"Talk": 0.2, "Offer": 0.5}).to_numpy(dtype="float64")
        due = ((rows["expected_close"] <= end) | rows["expected_close"].isna()).to_numpy()
        return (chance * np.where(due, 1.0, 0.5) * (end - snapshot.as_of).days / 100)[None]


class Arrives:
    """Business not yet created: 10 a day to the end of the period, like that of two past deals."""

    def expected(self, snapshot: Snapshot, period: Period) -> NewBusiness:
        pool = pd.DataFrame({"amount": [30.0, 10.0], "owner": ["ann", "bob"], "segment": ["smb", "ent"]})
        return NewBusiness(10.0 * (period.end - snapshot.as_of).days, 0.1, pool)


def modelled(fitted: FittedPipeline) -> FittedPipeline:
    return replace(fitted, deals=ByHand(), amounts=FittedAmounts(), arrivals=Arrives(), shock=0.0)


def outlook(model: FittedPipeline, snapshot: Snapshot, period: Period = PERIOD) -> Outlook:
    return replace(model, recipe=replace(model.recipe, coefficient_draws=0)).outlook(snapshot, period)


def between(
    model: FittedPipeline, before: DealHistory, after: DealHistory, days: Sequence[pd.Timestamp],
    period: Period = PERIOD, levels: Sequence[str] = LEVELS, later: FittedPipeline | None = None,
) -> Waterfall:  # fmt: skip
    """Waterfall from what ``before`` knew on the first day to what ``after`` knows on the second."""
    then, still = (take_snapshots(before.known_by(days[0]), [d]) for d in days)
    now = take_snapshots(after.known_by(days[1]), [days[1]])
    ends = outlook(model, then, period), outlook(model, now, period), outlook(later or model, now, period)
    return waterfall(*ends, still, model, levels)


def told(deals: Sequence[Deal]) -> DealHistory:
    return tell(deals, until="2024-06-30")


def x(*states: tuple[str, dict[str, Any]], name: str = "x") -> Deal:
    """A deal of 1,000 in Talk that is due in the period, written before both days."""
    first = {"stage": "Talk", "amount": 1000.0, "expected_close": "2024-06-01", "owner": "ann"}
    return deal(name, ("2024-03-01", first), *states, segment="smb")


def moved(made: Waterfall, measure: str = "forecast") -> dict[str, float]:
    """The bars that are not 0."""
    return {bar: v for bar, v in made.total(measure).items() if bar in CAUSES and abs(v) > 1e-9}


def quiet(fitted: FittedPipeline, *states: tuple[str, dict[str, Any]], first: Sequence[Any] = ()) -> Waterfall:
    """What ``states``, written between the two evenings, do when time does not pass: both evenings are the later one.

    Business not yet created stays out, and so do the states ``first`` that both evenings know.
    """
    model = replace(modelled(fitted), arrivals=Still())
    before, after = told([x(*first), x(name="y")]), told([x(*first, *states), x(name="y")])
    return between(model, before, after, (NOW, NOW))


class Still:
    def expected(self, snapshot: Snapshot, period: Period) -> NewBusiness:
        return NewBusiness(0.0, 0.0, pd.DataFrame({"amount": []}))


WRITTEN = "2024-05-03"
#: 54 days before the end: chances are 0.2 × 0.54 in Talk, 0.5 × 0.54 in Offer.
TALK, OFFER = 108.0, 270.0
LOST = {"status": "lost"}
WON = {"status": "won", "amount": 900.0}
BEFORE, AFTER = ({"status": "won", "closed_at": d} for d in ("2024-03-31", "2024-07-03"))


@pytest.mark.parametrize(
    ("change", "first", "bars"),
    [
        ({"amount": 1500.0}, [], {"amount": TALK / 2}),
        ({"stage": "Offer"}, [], {"probability": OFFER - TALK}),
        ({"expected_close": "2024-08-01"}, [], {"pushed": -TALK / 2}),
        ({"expected_close": "2024-06-01"}, [("2024-03-02", {"expected_close": "2024-08-01"})], {"pulled_in": TALK / 2}),
        ({"owner": "bob"}, [], {}),
        (WON, [], {"won": 900 - TALK}),
        (LOST, [], {"lost": -TALK}),
        (AFTER, [], {"pushed": -TALK}),
        (BEFORE, [], {"pulled_in": -TALK}),
        ({"amount": 950.0}, [("2024-04-02", WON)], {"amount": 50.0}),
        ({"status": "open", "amount": 1000.0}, [("2024-04-02", WON)], {"won": TALK - 900}),
        (LOST, [("2024-04-02", WON)], {"lost": -900.0}),
        ({"status": "open"}, [("2024-04-02", LOST)], {"lost": TALK}),
        ({"status": "won", "amount": 900.0, "closed_at": "2024-04-02"}, [("2024-04-02", LOST)], {"won": 900.0}),
        ({"closed_at": "2024-04-01"}, [("2024-04-02", {**BEFORE, "amount": 900.0})], {"pushed": 900.0}),
        ({"closed_at": "2024-03-31"}, [("2024-04-02", WON)], {"pulled_in": -900.0}),
        ({"amount": 1.0}, [("2024-04-02", LOST)], {}),
    ],
    ids=lambda v: str(v)[:60],
)
def test_one_change_moves_its_own_bar_and_no_other(
    fitted: FittedPipeline, change: dict[str, Any], first: list[Any], bars: dict[str, float]
) -> None:
    assert moved(quiet(fitted, (WRITTEN, change), first=first)) == pytest.approx(bars)


@pytest.mark.parametrize(
    ("change", "first", "pipeline", "due"),
    [
        ({"amount": 1500.0}, [], {"amount": 500.0}, {"amount": 500.0}),
        ({"stage": "Offer"}, [], {}, {}),
        ({"expected_close": "2024-08-01"}, [], {}, {"pushed": -1000.0}),
        ({"expected_close": "2024-08-01", "amount": 1500.0}, [], {"amount": 500.0}, {"pushed": -1000.0}),
        ({"expected_close": "2024-06-02"}, [("2024-03-02", {"expected_close": "2024-08-01"})], {},
         {"pulled_in": 1000.0}),
        (WON, [], {"won": -1000.0}, {"won": -1000.0}),
        (BEFORE, [], {"won": -1000.0}, {"won": -1000.0}),
        (LOST, [], {"lost": -1000.0}, {"lost": -1000.0}),
        ({"status": "open"}, [("2024-04-02", LOST)], {"lost": 1000.0}, {"lost": 1000.0}),
        ({"status": "open"}, [("2024-04-02", WON)], {"won": 900.0}, {"won": 900.0}),
    ],
    ids=lambda v: str(v)[:60],
)  # fmt: skip
def test_the_pipeline_counts_listed_amounts(
    fitted: FittedPipeline, change: dict[str, Any], first: list[Any], pipeline: dict[str, float], due: dict[str, float]
) -> None:
    made = quiet(fitted, (WRITTEN, change), first=first)
    assert moved(made, "pipeline") == pytest.approx(pipeline)
    assert moved(made, "pipeline_due") == pytest.approx(due)


def test_two_changes_share_what_they_do_together(fitted: FittedPipeline) -> None:
    """1,000 at 0.2 become 2,000 at 0.5: the amount alone adds 200 or, after the stage, 500; on average 350."""
    made = quiet(fitted, (WRITTEN, {"amount": 2000.0, "stage": "Offer"}))
    assert moved(made) == pytest.approx({"amount": 0.54 * 350, "probability": 0.54 * 450})


def test_a_deal_that_is_new_counts_as_new_whatever_became_of_it(fitted: FittedPipeline) -> None:
    model = replace(modelled(fitted), arrivals=Still())
    fresh = {"stage": "Offer", "amount": 1000.0, "expected_close": "2024-06-01"}
    late = deal("late", (WRITTEN, fresh), created="2024-02-01")
    gone = deal("gone", (WRITTEN, fresh), ("2024-05-05", LOST))
    quick = deal("quick", (WRITTEN, fresh), ("2024-05-05", {"status": "won", "amount": 700.0}))
    made = between(model, told([x()]), told([x(), late, gone, quick]), (NOW, NOW))
    assert moved(made) == pytest.approx({"new_deals": OFFER + 700})
    assert moved(made, "pipeline") == pytest.approx({"new_deals": 1000.0})


def test_time_alone_moves_time_and_what_is_not_created(fitted: FittedPipeline) -> None:
    """Seven days: each deal's chance falls by 0.2 × 0.07, and 70 less will be created."""
    book = told([x(), x(name="y")])
    made = between(modelled(fitted), book, book, (THEN, NOW))
    assert moved(made) == pytest.approx({"time_passing": -2 * 1000 * 0.2 * 0.07, "new_business": -70.0})
    assert moved(made, "pipeline") == {}


def test_a_change_while_time_passes_is_told_apart(fitted: FittedPipeline) -> None:
    """1,000 × 0.2 × 0.61 = 122 become 1,500 × 0.2 × 0.54 = 162: ½ (61 + 54) for the amount, ½ (−14 − 21) for time."""
    model = modelled(fitted)
    made = between(model, told([x()]), told([x((WRITTEN, {"amount": 1500.0}))]), (THEN, NOW))
    assert moved(made) == pytest.approx({"amount": 57.5, "time_passing": -17.5, "new_business": -70.0})


def test_a_later_model_changes_deals_and_new_business(fitted: FittedPipeline) -> None:
    model = modelled(fitted)
    later = replace(model, amounts=FittedAmounts(overall=1.1))
    book = told([x(), x(("2024-04-10", WON), name="w")])
    made = between(model, book, book, (NOW, NOW), later=later)
    assert moved(made) == pytest.approx({"model_change": 0.1 * TALK})
    assert made.total()[START] == pytest.approx(900 + TALK + 540)


def test_a_deal_stands_in_its_later_group(fitted: FittedPipeline) -> None:
    made = quiet(fitted, (WRITTEN, {"owner": "bob", "amount": 2000.0}))
    owners = made.bars("forecast", "owner")
    assert owners.loc["ann", START] == pytest.approx(TALK)
    assert owners.loc["bob", START] == pytest.approx(TALK)
    assert owners.loc["bob", "amount"] == pytest.approx(TALK)
    assert owners.loc["ann", list(CAUSES)].abs().sum() == 0


def test_missing_dates_fall_to_the_side_that_their_value_shows(fitted: FittedPipeline) -> None:
    made = quiet(fitted, (WRITTEN, {"expected_close": None}), first=[("2024-03-02", {"expected_close": "2024-08-01"})])
    assert moved(made) == pytest.approx({"pulled_in": TALK / 2})
    made = quiet(fitted, (WRITTEN, {"expected_close": "2024-08-01"}), first=[("2024-03-02", {"expected_close": None})])
    assert moved(made) == pytest.approx({"pushed": -TALK / 2})


# With a model that has learned


@pytest.fixture(scope="module")
def weeks(
    company_history: DealHistory, as_of: pd.Timestamp, period: Period, fitted: FittedPipeline,
    lessons: Lessons, calendar: FiscalCalendar,
) -> Waterfall:  # fmt: skip
    """Four weeks of the made-up company, with a model fitted on each evening."""
    since = as_of - pd.Timedelta(days=28)
    taught, then = lessons_of(company_history.known_by(since), calendar, since)
    old = fitted.recipe.fit(taught)
    now = take_snapshots(company_history, [as_of])
    still = take_snapshots(company_history.known_by(since), [as_of])
    ends = outlook(old, then, period), outlook(old, now, period), outlook(fitted, now, period)
    return waterfall(*ends, still, old, ("owner", "segment", "deal_type"))


def test_bars_add_up_for_every_deal_group_and_total(weeks: Waterfall) -> None:
    for measure in MEASURES:
        for table in (weeks.by_deal(measure), *(weeks.bars(measure, level) for level in ("total", *weeks.levels))):
            ends = table[START] + table[list(CAUSES)].sum(axis=1)
            np.testing.assert_allclose(ends, table[END], atol=1e-6)
            for bar, amount in weeks.total(measure).items():
                assert table[bar].sum() == pytest.approx(amount, abs=1e-6)


def test_ends_are_the_two_forecasts(
    weeks: Waterfall, fitted: FittedPipeline, now: Snapshot, period: Period, company_history: DealHistory
) -> None:
    made = fitted.forecast(now, period, weeks.levels)
    assert weeks.total()[END] == pytest.approx(made.value(), abs=0.005)
    for group, amount in weeks.bars("forecast", "owner")[END].items():
        assert amount == pytest.approx(made.value("total", "owner", str(group)), abs=0.005)
    assert weeks.total("pipeline")[END] == pytest.approx(now.open["amount"].sum())


def test_some_weeks_of_a_company_moves_every_bar(weeks: Waterfall) -> None:
    """Nearly all that can happen has happened here (nobody pulled a deal in): no bar is 0 for want of trying."""
    forecast, due = weeks.total(), weeks.total("pipeline_due")
    assert [c for c in CAUSES if forecast[c] == 0] == ["pulled_in"]
    assert forecast["lost"] < 0 < forecast["new_deals"]
    assert forecast["time_passing"] < 0
    assert due["won"] <= 0
    assert due["pushed"] < 0
    assert [c for c in ("probability", "time_passing", "new_business", "model_change") if due[c] != 0] == []


def test_the_table_holds_the_bars(weeks: Waterfall) -> None:
    table = weeks.table()
    assert list(table.columns) == list(WATERFALL_COLUMNS)
    sums = table.pivot_table(index=["measure", "cause"], columns="level", values="amount", aggfunc="sum").fillna(0.0)
    for level in ("deal", *weeks.levels):
        np.testing.assert_allclose(sums[level], sums["total"], atol=1e-6)
    deals = table[(table["level"] == "deal").to_numpy()]
    assert deals.loc[deals["deal_id"].isna(), "group"].unique().tolist() == [NOT_CREATED]
    assert (deals["amount"] != 0).all()
    assert not table.duplicated(["measure", "level", "group", "cause"]).any()


PLANTED: dict[str, tuple[dict[str, Any], str]] = {
    "amount": ({"amount": 123456.0}, "amount"),
    "push": ({"expected_close": pd.Timestamp("2031-01-01")}, "pushed"),
    "pull": ({"expected_close": pd.Timestamp("2001-01-01")}, "pulled_in"),
    "category": ({"forecast_category": "Omitted"}, "probability"),
    "owner": ({"owner": "somebody new"}, "probability"),
    "nothing": ({}, "probability"),
}


@dataclass(frozen=True)
class Quiet:
    """Two evenings of the company between which nothing was written, ``days`` apart."""

    history: DealHistory
    then: Snapshot
    still: Snapshot
    period: Period
    model: FittedPipeline

    def to(self, after: DealHistory) -> Waterfall:
        """Waterfall to what ``after`` knows on the later evening."""
        now = take_snapshots(after, [self.still.as_of])
        first, last = outlook(self.model, self.then, self.period), outlook(self.model, now, self.period)
        return waterfall(first, last, last, self.still, self.model, ("owner",))

    @cached_property
    def plain(self) -> Waterfall:
        return self.to(self.history)


@pytest.fixture(scope="module", params=[0, 7], ids=["same evening", "a week later"])
def nothing_written(
    request: pytest.FixtureRequest, fitted: FittedPipeline, company_history: DealHistory, as_of: pd.Timestamp,
    period: Period,
) -> Quiet:  # fmt: skip
    since = as_of - pd.Timedelta(days=request.param)
    known = company_history.known_by(since)
    return Quiet(known, take_snapshots(known, [since]), take_snapshots(known, [as_of]), period, fitted)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_shows_in_its_bar_alone(nothing_written: Quiet, as_of: pd.Timestamp, name: str) -> None:
    """The learned model sees running facts too (pushes, days since the last change): they go with their cause."""
    change, bar = PLANTED[name]
    history, book, plain = nothing_written.history, nothing_written.still.open, nothing_written.plain
    old_ones = book[(book["first_recorded_at"] < as_of - pd.Timedelta(days=60)) & (book["amount"] > 0)]
    key = int(old_ones["deal"].iloc[3])
    rows = history.latest().loc[[key]].reset_index()
    made = nothing_written.to(_more(history, rows, recorded_at=as_of - pd.Timedelta(hours=3), **change))
    assert set(moved(made)) <= set(moved(plain)) | {bar}
    assert abs(made.total()[bar]) > 1e-6
    rest = made.by_deal().drop(index=str(history.deals.loc[key, "deal_id"]))
    pd.testing.assert_frame_equal(rest, plain.by_deal().reindex(rest.index), rtol=1e-9, check_exact=False)


def test_a_planted_touch_is_no_passing_of_time(nothing_written: Quiet, as_of: pd.Timestamp) -> None:
    history, plain = nothing_written.history, nothing_written.plain
    deals = history.deals["deal_id"].loc[nothing_written.still.open["deal"].iloc[:30]]
    touches = history.tables["touches"]
    late = {"deal_id": deals.to_numpy(), "at": (as_of - pd.Timedelta(hours=2)).as_unit("s")}
    more = pd.concat([touches, touches.iloc[: len(deals)].assign(**late)], ignore_index=True)
    made = nothing_written.to(replace(history, tables={**history.tables, "touches": more}))
    assert set(moved(made)) == set(moved(plain)) | {"probability"}
    assert made.total()["probability"] == pytest.approx(made.total()[END] - plain.total()[END], rel=0.2)


def test_with_nothing_written_and_no_time_passed_nothing_moves(
    fitted: FittedPipeline, company_history: DealHistory, as_of: pd.Timestamp, period: Period
) -> None:
    made = between(fitted, company_history, company_history, (as_of, as_of), period, ("owner",))
    assert all(moved(made, m) == {} for m in MEASURES)
    assert made.total()[START] == made.total()[END] > 0


def test_bars_that_miss_the_end_are_an_error(
    fitted: FittedPipeline, company_history: DealHistory, as_of: pd.Timestamp, period: Period, now: Snapshot
) -> None:
    seen = outlook(fitted, now, period)
    wrong = replace(seen, price=seen.price * 2)  # of one evening, yet worth twice as much for no cause
    with pytest.raises(DataError, match="miss the later value"):
        waterfall(wrong, seen, seen, now, fitted, ())


# Shares alone


def _book(rows: pd.DataFrame, as_of: pd.Timestamp) -> Snapshot:
    none = pd.DataFrame()
    return Snapshot(np.array([as_of], dtype="datetime64[s]"), rows.assign(as_of=as_of), none, none, {}, none)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0.0, 3.0)] * 6), min_size=1, max_size=4), st.sampled_from([0, 9]))
def test_shares_are_the_average_over_all_orders(deals: list[tuple[float, ...]], days: int) -> None:
    table = pd.DataFrame(deals, columns=["c0", "c1", "a0", "a1", "p0", "p1"])

    def rows(end: str) -> pd.DataFrame:
        return pd.DataFrame({
            "deal": range(len(table)), "n_pushes": table[f"c{end}"], "amount": table[f"a{end}"],
            "probability": table[f"p{end}"], "last_change_at": NOW,
        })  # fmt: skip

    def worth(s: Snapshot) -> np.ndarray:
        r = s.open
        return np.asarray(np.exp(-r["n_pushes"]) * r["amount"] * (1 + r["probability"]) + (s.as_of - THEN).days)

    later = THEN + pd.Timedelta(days=days)
    found = shares(worth, _book(rows("0"), THEN), _book(rows("0"), later), _book(rows("1"), later))
    at = {"close": "n_pushes", "amount": "amount", "probability": "probability"}
    expected = pd.DataFrame(0.0, index=found.index, columns=found.columns)
    for order in permutations(at):
        now = rows("0")
        for factor in order:
            before = worth(_book(now, THEN))
            now = now.assign(**{at[factor]: rows("1")[at[factor]]})
            expected[factor] += (worth(_book(now, THEN)) - before) / 6
    expected["time"] = float(days)
    np.testing.assert_allclose(found, expected, atol=1e-9)
