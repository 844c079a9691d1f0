"""Rules of totals: what past periods brought, and the pace of this one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from asking import CALENDAR, ask, of_segments, open_deal, seen, won

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.rules.pace import sales_velocity
from stories import Deal, deal

PERIOD = CALENDAR.named("2024Q2")
APRIL = "2024-04-30"  # day 30


def powers(periods: int, *calendar: FiscalCalendar) -> list[Deal]:
    """Ten to the power of i, won on the first day of each of the periods before the second quarter; the last is i."""
    c = calendar[0] if calendar else CALENDAR
    return [won(str(p.start.date()), 10.0**i) for i, p in enumerate(c.before(c.containing(PERIOD.start), periods))]


# As it was


def test_the_last_period_is_the_last_complete_one() -> None:
    for period in (PERIOD, CALENDAR.shift(PERIOD, 1)):
        assert ask("last_period", seen(powers(4), APRIL, period), period).value() == 1e3
    assert ask("last_period", seen(powers(4), "2024-03-31", PERIOD), PERIOD).value() == 1e3
    assert ask("last_period", seen(powers(4), "2024-03-30", PERIOD), PERIOD).value() == 1e2


def test_the_mean_of_four_takes_four() -> None:
    assert ask("mean_of_four", seen(powers(6), APRIL, PERIOD), PERIOD).value() == (1e2 + 1e3 + 1e4 + 1e5) / 4
    assert ask("mean_of_four", seen(powers(3), APRIL, PERIOD), PERIOD).value() == (1 + 10 + 100) / 3


@pytest.mark.parametrize(
    ("ahead", "year_before"), [(0, 1e2), (1, 1e3), (2, 1e4), (3, 1e5), (4, 1e2), (5, 1e3), (8, 1e2)]
)
def test_the_same_period_of_the_last_year_that_is_complete(ahead: int, year_before: float) -> None:
    """Seen from April: of the next year's first quarter this year's is the same, of its second last year's."""
    period = CALENDAR.shift(PERIOD, ahead)
    assert ask("same_period_last_year", seen(powers(6), APRIL, period), period).value() == year_before


def test_the_same_month_and_the_same_year() -> None:
    months, years = FiscalCalendar("month"), FiscalCalendar("year")
    april, this = months.named("2024M04"), years.named("2024")
    assert ask("same_period_last_year", seen(powers(13, months), "2024-04-15", april, months), april).value() == 10.0
    assert ask("same_period_last_year", seen(powers(2, years), "2024-04-15", this, years), this).value() == 10.0


def test_a_year_before_the_records_is_not_known() -> None:
    assert np.isnan(ask("same_period_last_year", seen(powers(3), APRIL, PERIOD), PERIOD).value())


@pytest.mark.parametrize("name", ["last_period", "same_period_last_year", "mean_of_four", "ets"])
def test_never_below_what_is_won(name: str) -> None:
    deals = [*(won(f"{y}-{m:02}-15", 100.0, s) for y in (2022, 2023) for m in (2, 5, 8, 11) for s in "ab"),
             won("2024-02-15", 100.0, "a"), won("2024-02-15", 100.0, "b"), won("2024-04-10", 150.0, "b")]  # fmt: skip
    made = ask(name, seen(deals, APRIL, PERIOD), PERIOD, "segment")
    assert made.value() == pytest.approx(200.0)
    assert of_segments(made) == pytest.approx({"a": 100.0, "b": 150.0})  # more than the total, and said so
    more = [*deals, won("2024-04-11", 1e4, "new")]
    made = ask(name, seen(more, APRIL, PERIOD), PERIOD, "segment")
    assert made.value() == 10150.0
    assert of_segments(made) == pytest.approx({"a": 100.0, "b": 150.0, "new": 1e4})


def test_smoothing_goes_as_many_steps_as_the_period_lies_ahead() -> None:
    """Ten more each quarter, up to 240 in the first of 2024."""
    deals = [won(str(p.start.date()), 10.0 * (i + 1)) for i, p in enumerate(CALENDAR.before(PERIOD, 24))]
    for ahead in (0, 1, 3):
        period = CALENDAR.shift(PERIOD, ahead)
        found = ask("ets", seen(deals, APRIL, period), period).value()
        assert found == pytest.approx(250 + 10 * ahead, rel=0.01)


def test_groups_share_what_smoothing_says_as_they_shared_the_last_four_periods() -> None:
    deals = [won(str(p.start.date()), 10.0, "old") for p in CALENDAR.before(PERIOD, 9)[:5]]
    deals += [won(str(p.start.date()), a, s) for p in CALENDAR.before(PERIOD, 4) for a, s in ((9.0, "x"), (1.0, "y"))]
    assert of_segments(ask("ets", seen(deals, APRIL, PERIOD), PERIOD, "segment")) == pytest.approx({"x": 9.0, "y": 1.0})


# The pace


def test_the_run_rate_goes_on_as_it_began() -> None:
    deals = [
        won("2024-01-01", 1.0),
        won("2024-03-31", 4.0, "b"),
        won("2024-04-05", 30.0, "a"),
        won("2024-04-29", 60.0, "b"),
    ]
    made = ask("run_rate", seen(deals, APRIL, PERIOD), PERIOD, "segment")
    assert made.value() == pytest.approx(90 / 30 * 91)
    assert of_segments(made) == pytest.approx({"a": 91.0, "b": 182.0})
    assert ask("run_rate", seen(deals, "2024-06-30", PERIOD), PERIOD).value() == 90.0
    assert ask("run_rate", seen(deals, "2024-03-31", PERIOD), PERIOD).value() == 5.0  # day 0: the last period
    third = CALENDAR.shift(PERIOD, 1)
    assert ask("run_rate", seen(deals, APRIL, third), third).value() == 5.0


def test_a_period_without_a_win_so_far_runs_at_nothing() -> None:
    """That nothing is won is known: nought here is an answer."""
    assert ask("run_rate", seen([open_deal("2024-04-01", 1.0)], APRIL, PERIOD), PERIOD).value() == 0.0


def test_the_chain_ladder_divides_by_what_was_written_by_that_day() -> None:
    deals = [
        won("2024-01-02", 10.0),
        won("2024-01-20", 20.0, written="2024-02-05"),  # day 20, booked after day 30
        deal("amended", ("2024-01-03", {"amount": 30.0}), ("2024-01-25", {"status": "won"}),
             ("2024-03-01", {"amount": 50.0}), segment="s"),
        won("2024-03-30", 120.0),
        won("2024-04-15", 8.0, "a"), won("2024-04-16", 2.0, "b"),
    ]  # fmt: skip
    made = ask("chain_ladder", seen(deals, APRIL, PERIOD), PERIOD, "segment")
    assert made.value() == pytest.approx(10 / ((10 + 30) / 200))
    assert of_segments(made) == pytest.approx({"a": 40.0, "b": 10.0})


def test_a_chain_without_a_link_is_the_mean_of_four() -> None:
    """On day 0, before it, and where nothing was ever written by that day."""
    deals = [won("2024-01-01", 0.0), won("2024-02-20", 70.0), won("2024-04-20", 5.0), won("2024-04-20", 90.0, "b")]
    third = CALENDAR.shift(PERIOD, 1)
    assert ask("chain_ladder", seen(deals, "2024-03-31", PERIOD), PERIOD).value() == 70.0
    assert ask("chain_ladder", seen(deals, APRIL, third), third).value() == 70.0
    made = ask("chain_ladder", seen(deals, APRIL, PERIOD), PERIOD, "segment")
    assert made.value() == 95.0
    assert of_segments(made) == {"b": 90.0, "s": 70.0}


def test_a_period_that_has_won_nothing_yet_stays_at_nothing_on_the_ladder() -> None:
    deals = [won("2024-01-10", 10.0), won("2024-03-20", 10.0)]
    assert ask("chain_ladder", seen(deals, APRIL, PERIOD), PERIOD).value() == 0.0


# Velocity


def closings(n_won: int, n_lost: int, amount: float, cycle: int, segment: str = "s") -> list[Deal]:
    """Closings of 15 February 2024."""
    lost = [
        deal(f"lost {i}", ("2024-01-05", {"amount": 1.0}), ("2024-02-15", {"status": "lost"}), segment=segment)
        for i in range(n_lost)
    ]
    return [*(won("2024-02-15", amount, segment, cycle) for _ in range(n_won)), *lost]


#: The first win, so that the first quarter is held whole.
FIRST = won("2024-01-01", 10_000.0, cycle=50)
HUNDRED = [open_deal("2024-04-01", float(i)) for i in range(100)]


def test_worked_example_of_the_velocity() -> None:
    """100 open × 10,000 × 0.2 ÷ 50 days = 4,000 a day."""
    one = pd.Series([100.0]), pd.Series([10_000.0]), pd.Series([0.2]), pd.Series([50.0])
    assert sales_velocity(*one).tolist() == [4000.0]
    deals = [FIRST, *closings(9, 40, 10_000.0, 50), won("2024-04-10", 777.0), *HUNDRED]
    assert ask("velocity", seen(deals, APRIL, PERIOD), PERIOD).value() == pytest.approx(777 + 4000 * 61)
    assert ask("velocity", seen(deals, "2024-06-30", PERIOD), PERIOD).value() == 777.0
    third = CALENDAR.shift(PERIOD, 1)
    assert ask("velocity", seen(deals, APRIL, third), third).value() == pytest.approx(4000 * 92)


def test_each_group_has_its_own_velocity() -> None:
    deals = [*closings(10, 40, 10_000.0, 50), *closings(1, 1, 100.0, 10, "t"), *closings(0, 3, 0.0, 1, "u"),
             won("2024-01-01", 100.0, "t"), won("2024-04-10", 5.0, "v"), *HUNDRED, open_deal("2024-04-01", 1.0, "t"),
             open_deal("2024-04-01", 1.0, "u"), open_deal("2024-04-01", 1.0, "never closed")]  # fmt: skip
    found = of_segments(ask("velocity", seen(deals, APRIL, PERIOD), PERIOD, "segment"))
    expected = {"s": 4000.0 * 61, "t": 1 * 100 * (2 / 3) / 10 * 61, "u": 0.0, "v": 5.0, "never closed": np.nan}
    assert found == pytest.approx(expected, nan_ok=True)


def test_the_rates_of_the_velocity_are_those_of_four_periods() -> None:
    old = [won(f"2023-0{m}-15", 1e9, cycle=1) for m in (1, 3)]
    early = [won(str(p.start.date()), 10_000.0, cycle=50) for p in CALENDAR.before(PERIOD, 4)]
    deals = [*old, *early, *closings(6, 40, 10_000.0, 50), *HUNDRED]
    assert ask("velocity", seen(deals, APRIL, PERIOD), PERIOD).value() == pytest.approx(4000 * 61)


@pytest.mark.parametrize(
    ("deals", "value"),
    [
        ([FIRST], 0.0),  # nothing is open
        ([won("2024-01-01", 5.0, cycle=0), *HUNDRED], np.nan),  # no cycle to divide by
        ([won("2024-01-01", None), *HUNDRED], np.nan),  # no amount is known
        (HUNDRED, np.nan),  # nothing ever closed
    ],
)
def test_a_velocity_that_cannot_be_told(deals: list[Deal], value: float) -> None:
    assert ask("velocity", seen(deals, APRIL, PERIOD), PERIOD).value() == pytest.approx(value, nan_ok=True)
