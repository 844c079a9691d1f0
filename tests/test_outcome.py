"""Outcomes look no further than ``until``; what is still open is censored; revenue counts by the true day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.outcome import (
    Lessons,
    cause_in,
    cause_of,
    gather_lessons,
    lesson_days,
    new_business,
    observe,
    observed_from,
    won_between,
)
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import MUTATIONS, day, deal, tell

HISTORY = tell(
    [
        deal("won", ("2024-01-05", {"amount": 100.0}), ("2024-02-10", {"status": "won", "amount": 80.0})),
        deal("lost", ("2024-01-05", {"amount": 50.0}), ("2024-03-20", {"status": "lost"})),
        deal("open", ("2024-01-05", {"amount": 30.0}), ("2024-04-20", {"amount": 35.0})),
        deal("booked late", ("2024-01-05", {"amount": 10.0}),
             ("2024-04-03", {"status": "won", "closed_at": "2024-03-30"})),
        deal("reopened", ("2024-01-05", {"amount": 20.0}), ("2024-02-01", {"status": "lost"}),
             ("2024-02-20", {"status": "open"}), ("2024-05-02", {"status": "won"})),
    ],
    until="2024-06-30",
)  # fmt: skip


def outcome(until: str) -> pd.DataFrame:
    snapshot = take_snapshots(HISTORY, [day("2024-01-31")])
    return observe(HISTORY, snapshot, day(until)).rows


def test_what_is_open_at_until_is_censored_there() -> None:
    rows = outcome("2024-03-31")
    assert rows["status"].tolist() == ["won", "lost", "open", "open", "open"]
    assert rows["days"].tolist() == [10.0, 49.0, 60.0, 60.0, 60.0]
    assert rows["amount"].tolist() == [80.0, 50.0, 30.0, 10.0, 20.0]
    assert rows["closed_at"].isna().tolist() == [False, False, True, True, True]


def test_a_late_booking_counts_from_its_own_day_once_it_is_written() -> None:
    row = outcome("2024-04-03").iloc[3]
    assert (row["status"], row["days"]) == ("won", 59.0)


def test_a_reopened_deal_is_open_again() -> None:
    assert [outcome(u)["status"].iloc[4] for u in ("2024-01-31", "2024-02-10", "2024-03-01", "2024-05-02")] == [
        "open", "lost", "open", "won",
    ]  # fmt: skip


def test_nothing_of_as_of_itself_takes_negative_days() -> None:
    history = tell([deal("a", ("2024-01-01", {}), ("2024-02-05", {"status": "won", "closed_at": "2024-01-20"}))])
    snapshot = take_snapshots(history, [day("2024-01-31")])
    assert observe(history, snapshot, day("2024-02-05")).rows["days"].tolist() == [0.0]


def test_a_cause_is_told_whenever_a_deal_closed_and_in_a_period_by_its_true_day(calendar: FiscalCalendar) -> None:
    rows, first = outcome("2024-06-30"), calendar.containing(day("2024-03-31"))
    assert cause_of(rows).tolist() == [1, 2, 0, 1, 1]
    # Booked in April with a day in March: of the first quarter. Reopened and won in May: of the second.
    assert cause_in(rows, first).tolist() == [1, 2, 0, 1, 0]
    assert cause_in(rows, calendar.shift(first, 1)).tolist() == [0, 0, 0, 0, 1]
    assert cause_in(outcome("2024-03-31"), first).tolist() == [1, 2, 0, 0, 0]
    assert cause_of(rows.iloc[:0]).tolist() == cause_in(rows.iloc[:0], first).tolist() == []


def test_both_ends_of_a_period_belong_to_it(calendar: FiscalCalendar) -> None:
    closings = {"2023-12-31": 0, "2024-01-01": 1, "2024-03-31": 1, "2024-04-01": 0}
    rows = pd.DataFrame({"status": "won", "closed_at": pd.to_datetime(list(closings))})
    assert cause_in(rows, calendar.containing(day("2024-02-15"))).tolist() == list(closings.values())


def test_rows_after_until_are_never_used(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    snapshot = take_snapshots(company_history, [as_of - pd.Timedelta(days=60)])
    before = observe(company_history, snapshot, as_of).rows
    assert set(before["status"]) == {"open", "won", "lost"}
    for name, mutate in MUTATIONS.items():
        mutated = mutate(company_history, as_of, np.random.default_rng(2))
        if name != "adds_deals":  # which renumbers the deals of the snapshot
            pd.testing.assert_frame_equal(before, observe(mutated, snapshot, as_of).rows)


@pytest.mark.parametrize("name", MUTATIONS)
def test_no_lesson_knows_what_was_written_after_the_cutoff(
    lessons: Lessons, rewritten: Callable[[str], tuple[Lessons, Snapshot]], name: str
) -> None:
    other, _ = rewritten(name)
    pd.testing.assert_frame_equal(*(x.snapshot.open.drop(columns="deal") for x in (lessons, other)))
    pd.testing.assert_frame_equal(lessons.outcome.rows, other.outcome.rows)
    pd.testing.assert_frame_equal(
        *(x.deals.drop(columns="seq").set_index("deal_id", drop=False) for x in (lessons, other))
    )
    assert len(lessons.entered) == len(other.entered)
    assert lessons.past_periods() == other.past_periods()


def test_lessons_come_from_days_before_the_cutoff(lessons: Lessons, as_of: pd.Timestamp) -> None:
    evening = as_of + pd.Timedelta(days=1)
    assert (lessons.snapshot.open["as_of"] < as_of).all()
    assert (lessons.deals["recorded_at"] < evening).all()
    assert (lessons.snapshot.closings["recorded_at"] < evening).all()
    assert lessons.outcome.until == as_of


def test_a_snapshot_that_reaches_beyond_the_cutoff_is_cut(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> None:
    days = [as_of + pd.Timedelta(days=d) for d in (-40, 0, 40)]
    found = gather_lessons(company_history, calendar, take_snapshots(company_history, days), as_of)
    assert list(found.snapshot.days) == [days[0].to_datetime64()]


def test_a_deal_is_in_entered_once_for_each_stage() -> None:
    history = tell([deal("a", *((f"2024-01-0{i}", {"stage": s}) for i, s in enumerate(["Talk", "Offer", "Talk"], 1)))])
    found = gather_lessons(history, FiscalCalendar(), take_snapshots(history, [day("2024-01-02")]), day("2024-01-05"))
    assert sorted(found.entered["stage"]) == ["Offer", "Talk"]


# Revenue


def test_revenue_counts_by_the_true_day_and_both_ends_belong_to_it() -> None:
    latest = HISTORY.latest()
    first, second = day("2024-01-01"), day("2024-04-01")
    assert won_between(latest, first, day("2024-03-31"))["amount"].sum() == 90.0
    assert won_between(latest, second, day("2024-06-30"))["amount"].sum() == 20.0
    assert len(won_between(latest, day("2024-03-30"), day("2024-03-30"))) == 1
    assert len(won_between(latest, day("2024-03-31"), day("2024-03-31"))) == 0
    assert len(won_between(HISTORY.known_by(day("2024-03-31")).latest(), first, day("2024-03-31"))) == 1


def test_new_business_was_first_written_after_the_day() -> None:
    history = tell([
        deal("seen", ("2024-01-31", {"amount": 1.0}), ("2024-03-01", {"status": "won"})),
        deal("new", ("2024-02-01", {"amount": 2.0}), ("2024-03-01", {"status": "won"}), created="2023-01-01"),
        deal("too late", ("2024-02-01", {"amount": 4.0}), ("2024-04-01", {"status": "won"})),
        deal("no amount", ("2024-02-01", {}), ("2024-03-01", {"status": "won"})),
    ])  # fmt: skip
    first = history.states.groupby("deal")["recorded_at"].min().rename("first_recorded_at")
    deals = history.latest().join(first)
    found = new_business(deals, day("2024-01-31"), day("2024-02-01"), day("2024-03-31"))
    assert found["amount"].tolist() == [2.0]


# Periods and days to learn from


def test_past_periods_are_complete_and_begin_after_wins_were_recorded(calendar: FiscalCalendar) -> None:
    history = tell([
        deal("old loss", ("2020-01-01", {}), ("2020-02-01", {"status": "lost"})),
        deal("first win", ("2023-01-01", {}), ("2023-04-05", {"status": "won"})),
        deal("last", ("2024-05-01", {})),
    ])  # fmt: skip

    def names(cutoff: str, most: int = 8) -> list[str]:
        d = day(cutoff)
        found = gather_lessons(history, calendar, take_snapshots(history, [d - pd.Timedelta(days=1)]), d)
        return [p.name for p in found.past_periods(most)]

    # The first win came five days into 2023Q2: that quarter is held whole.
    assert names("2024-02-15") == ["2023Q2", "2023Q3", "2023Q4"]
    assert names("2024-03-30") == ["2023Q2", "2023Q3", "2023Q4"]
    assert names("2024-03-31") == ["2023Q2", "2023Q3", "2023Q4", "2024Q1"]
    assert names("2024-03-31", 2) == ["2023Q4", "2024Q1"]
    assert names("2023-03-31") == []


def test_records_begin_with_the_first_win() -> None:
    assert observed_from(HISTORY.latest()) == day("2024-02-10")
    assert observed_from(HISTORY.known_by(day("2024-02-09")).latest()) is None


def test_lesson_days_are_the_planned_days_between_first_and_last(calendar: FiscalCalendar) -> None:
    found = lesson_days(calendar, day("2023-07-15"), day("2024-02-10"), (0, 30, 60, 400), 12)
    assert [str(d.date()) for d in found] == [
        "2023-07-30", "2023-08-29", "2023-09-30", "2023-10-30", "2023-11-29", "2023-12-31", "2024-01-30",
    ]  # fmt: skip
    assert len(lesson_days(calendar, day("2010-01-01"), day("2024-03-31"), (0,), 3)) == 4


def test_what_is_still_open_is_not_dropped(now: Snapshot, company_history: DealHistory, as_of: pd.Timestamp) -> None:
    rows = observe(company_history, now, as_of).rows
    assert len(rows) == len(now.open) > 0
    assert (rows["status"] == "open").all()
    assert (rows["days"] == 0).all()
