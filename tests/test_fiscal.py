"""Periods tile time, and day k means the same everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.errors import SettingsError
from pipeforecast.fiscal import FiscalCalendar

DAY = pd.Timedelta(days=1)
calendars = st.builds(
    FiscalCalendar,
    st.sampled_from(["month", "quarter", "year"]),
    st.integers(1, 12),
    st.booleans(),
    first_year=st.just(1995),
    last_year=st.just(2040),
)
days = st.dates(pd.Timestamp("2001-06-01").date(), pd.Timestamp("2034-06-01").date()).map(pd.Timestamp)


@given(calendars)
@settings(max_examples=40, deadline=None)
def test_periods_tile_time_without_gap_or_overlap(calendar: FiscalCalendar) -> None:
    first = calendar.containing(pd.Timestamp("2002-07-15"))
    for _ in range(60):
        if first.end.year > 2033:
            break
        following = calendar.shift(first, 1)
        assert following.start == first.end + DAY
        assert first.start <= first.end
        first = following


@given(calendars, days)
@settings(max_examples=150, deadline=None)
def test_a_day_lies_in_one_period_that_can_be_named_and_shifted(calendar: FiscalCalendar, day: pd.Timestamp) -> None:
    period = calendar.containing(day)
    assert period.start <= day <= period.end
    assert calendar.containing(day + pd.Timedelta(hours=23, minutes=59)) == period
    assert calendar.named(period.name) == period
    assert calendar.containing(period.start) == calendar.containing(period.end) == period
    assert calendar.shift(period, 0) == period
    for by in (1, 3, -2):
        assert calendar.shift(calendar.shift(period, by), -by) == period
    assert calendar.before(period, 2) == [calendar.shift(period, -2), calendar.shift(period, -1)]
    assert calendar.index(np.array([period.start, period.end + DAY], dtype="datetime64[s]")).tolist() == [
        calendar.index(np.array([day], dtype="datetime64[s]"))[0],
        calendar.index(np.array([day], dtype="datetime64[s]"))[0] + 1,
    ]


@given(calendars, days)
@settings(max_examples=60, deadline=None)
def test_day_k_is_the_evening_of_the_start_and_k_less_one_days(calendar: FiscalCalendar, day: pd.Timestamp) -> None:
    period = calendar.containing(day)
    k = period.day_of(day)
    assert 1 <= k <= period.days
    assert day == period.start + (k - 1) * DAY
    assert period.evening(k) == day
    assert period.evening(0) == period.start - DAY
    assert period.day_of(period.end) == period.days
    assert period.evening(period.days) == calendar.shift(period, 1).evening(0)


@given(calendars)
@settings(max_examples=40, deadline=None)
def test_weeks_of_445_are_whole_and_end_on_saturdays_near_the_months_end(calendar: FiscalCalendar) -> None:
    weekly = FiscalCalendar(calendar.length, calendar.start_month, True, 2000, 2035)
    year = FiscalCalendar("year", calendar.start_month, True, 2000, 2035)
    for y in range(2002, 2033, 3):
        whole = year.named(str(y))
        last_day_before = pd.Timestamp(y + (calendar.start_month == 1), calendar.start_month, 1) - DAY
        assert whole.end.day_name() == "Saturday"
        assert abs((whole.end - last_day_before).days) <= 3
        assert whole.days in (364, 371)
        inside = weekly.containing(whole.start)
        assert inside.start == whole.start
        assert inside.days % 7 == 0


def test_worked_examples() -> None:
    quarter = FiscalCalendar()
    assert quarter.named("2024Q1").start == pd.Timestamp("2024-01-01")
    assert quarter.named("2024Q1").end == pd.Timestamp("2024-03-31")
    assert quarter.named("2024Q1").days == 91
    # A fiscal year is named after the calendar year in which it ends.
    july = FiscalCalendar("quarter", 7)
    assert july.containing(pd.Timestamp("2023-07-01")).name == "2024Q1"
    assert FiscalCalendar("month", 2).containing(pd.Timestamp("2024-01-31")).name == "2024M12"
    assert FiscalCalendar("year", 10).containing(pd.Timestamp("2024-10-01")).name == "2025"
    quarters = [FiscalCalendar(weeks_445=True).named(f"2024Q{i}").days for i in (1, 2, 3, 4)]
    assert quarters == [91, 91, 91, 91]


def test_the_53rd_week_goes_to_the_last_month() -> None:
    months, years = (FiscalCalendar(length, weeks_445=True) for length in ("month", "year"))
    long = [y for y in range(2010, 2030) if years.named(str(y)).days == 371]
    assert long
    for y in long:
        weeks = [months.named(f"{y}M{m:02d}").days // 7 for m in range(1, 13)]
        assert weeks == [4, 4, 5] * 3 + [4, 4, 6]


def test_missing_days_have_no_period() -> None:
    found = FiscalCalendar().index(pd.Series(pd.to_datetime([None, "2024-02-01"])))
    assert found[0] == -1
    assert found[1] >= 0


def test_wrong_calls_say_what_was_expected() -> None:
    with pytest.raises(SettingsError, match="1 to 12, came 13"):
        FiscalCalendar(start_month=13)
    with pytest.raises(SettingsError, match=r"'2024W1'.*'2024Q1'"):
        FiscalCalendar().named("2024W1")


@pytest.mark.parametrize("day", ["1960-01-01", "2150-01-01"])
def test_a_day_outside_the_calendar_is_refused(day: str) -> None:
    with pytest.raises(SettingsError, match="outside the calendar"):
        FiscalCalendar().containing(pd.Timestamp(day))


def test_a_shift_out_of_the_calendar_is_refused_and_never_wraps() -> None:
    calendar = FiscalCalendar()
    first, last = calendar.named("1970Q1"), calendar.named("2100Q4")
    for period, by in ((first, -1), (last, 1)):
        with pytest.raises(SettingsError, match="outside the calendar"):
            calendar.shift(period, by)
