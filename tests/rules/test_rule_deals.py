"""Rules that add up deals: what counts, with which share, and what it brings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from asking import ask, open_deal, seen, won

from pipeforecast.forecast import Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.rules import RULES, FittedRule, listed_amounts, past_new_business
from pipeforecast.snapshot import Snapshot
from stories import deal, lessons_of, tell
from worked_example import AS_OF, BOOK, CALENDAR, PERIOD

W, N, X4 = 150.0, 50.0, 80.0


def made(name: str, taught: tuple[Lessons, Snapshot], *levels: str) -> Forecast:
    return ask(name, taught, PERIOD, *levels)


def test_parts_of_the_example(taught: tuple[Lessons, Snapshot]) -> None:
    found = made("same_stage_same_time", taught)
    assert found.value("won") == W
    assert found.value("new") == N
    assert found.value("open_pulled_in") == pytest.approx(800 * 0.25)
    assert made("stage_rate+new", taught).value("new") == N
    assert made("stage_rate", taught).value("new") == 0.0


def test_groups_of_the_example(taught: tuple[Lessons, Snapshot]) -> None:
    found = made("crm_probability+new", taught, "segment", "region")
    assert found.value("total", "segment", "ent") == pytest.approx(150 + 600)
    assert found.value("total", "segment", "smb") == pytest.approx(80 + 40 + 1 + N)
    assert found.value("won", "region", "(none)") == W


def test_the_past_reaches_back_eight_periods() -> None:
    """N is a mean over eight periods, not over all."""
    wins = [deal("first", ("2020-01-02", {"amount": 1.0}), ("2020-01-03", {"status": "won"}))]
    for i, p in enumerate(CALENDAR.before(PERIOD, 12)):
        amount = 800.0 if i == 4 else 1e6 if i < 4 else 0.0
        wins.append(deal(f"q{i}", (str(p.evening(40).date()), {"amount": amount}),
                         (str(p.evening(50).date()), {"status": "won"})))  # fmt: skip
    assert made("stage_rate+new", lessons_of(tell([*wins, *BOOK]), CALENDAR, AS_OF)).value("new") == 100.0


def test_a_deal_without_a_date_is_not_due(taught: tuple[Lessons, Snapshot]) -> None:
    undated = replace(taught[1], open=taught[1].open.assign(expected_close=pd.NaT))
    for name in ("crm_probability", "stage_rate", "category_upside"):
        assert RULES[name].fit(taught[0]).forecast(undated, PERIOD).value() == W


def test_a_missing_amount_is_the_median_of_the_segment_or_of_all(taught: tuple[Lessons, Snapshot]) -> None:
    lessons, now = taught
    assert listed_amounts(lessons, now).tolist() == [1000, 400, 800, X4, 10]
    bare = replace(now, open=now.open.assign(amount=np.nan, segment=["ent", "smb", "new", None, "smb"]))
    everything = np.median([100, 100, 240, 60, 40, 300, 150])
    assert listed_amounts(lessons, bare).tolist() == [150, X4, everything, everything, X4]


def test_a_listed_amount_of_nought_is_no_missing_one(taught: tuple[Lessons, Snapshot]) -> None:
    free = replace(taught[1], open=taught[1].open.assign(amount=0.0))
    assert listed_amounts(taught[0], free).tolist() == [0.0] * 5


def test_chances_are_the_weights_of_single_deals(taught: tuple[Lessons, Snapshot]) -> None:
    fitted = RULES["crm_probability"].fit(taught[0])
    assert isinstance(fitted, FittedRule)
    assert fitted.chances(taught[1], PERIOD).tolist() == pytest.approx([0.6, 0.2, 0.0, 0.5, 0.1])


# Dates


def test_past_due_is_what_should_have_closed_by_this_evening(taught: tuple[Lessons, Snapshot]) -> None:
    lessons, now = taught
    for due, counts in ((AS_OF, False), (AS_OF + pd.Timedelta(days=1), True)):
        dated = replace(now, open=now.open.assign(expected_close=due.as_unit("s")))
        both = [made(n, (lessons, dated)).value() for n in ("crm_probability_not_past_due", "crm_probability")]
        assert both[0] == (pytest.approx(both[1]) if counts else W)


def test_what_is_expected_before_a_later_period_does_not_count_in_it(taught: tuple[Lessons, Snapshot]) -> None:
    """Seen from April, July to September: o3 is due in it, o2 has passed; the others are due in May and June."""
    third = CALENDAR.named("2024Q3")
    found = {n: ask(n, taught, third).value() for n in ("crm_probability", "crm_probability_not_past_due")}
    assert found == {"crm_probability": pytest.approx(800 * 0.5 + 400 * 0.2),
                     "crm_probability_not_past_due": pytest.approx(800 * 0.5)}  # fmt: skip
    assert ask("category_commit", taught, third).value() == 800.0


def test_all_dates_ignores_the_date(taught: tuple[Lessons, Snapshot]) -> None:
    found = made("stage_rate_all_dates", taught)
    assert found.value("open_pulled_in") == pytest.approx(800 * 6 / 8)
    assert found.value("open_due") == made("stage_rate", taught).value("open_due")
    undated = replace(taught[1], open=taught[1].open.assign(expected_close=pd.NaT))
    assert made("stage_rate_all_dates", (taught[0], undated)).value() == pytest.approx(found.value())


# The yield of the coverage


def test_the_yield_of_the_coverage_is_that_of_deals_seen_on_the_day() -> None:
    """Of 400 that were due, deals of that day brought 100: new deals bring nothing here, they are N."""
    deals = [
        won("2024-01-02", 7.0, cycle=1),
        deal("due", ("2024-01-05", {"amount": 300.0, "expected_close": "2024-03-01"}),
             ("2024-03-02", {"status": "lost"})),
        deal("due, won", ("2024-01-05", {"amount": 100.0, "expected_close": "2024-03-31"}),
             ("2024-03-20", {"status": "won", "amount": 80.0})),
        deal("pulled in", ("2024-01-06", {"amount": 20.0, "expected_close": "2024-05-01"}),
             ("2024-03-05", {"status": "won"})),
        won("2024-03-20", 999.0, cycle=5),
        open_deal("2024-04-01", 1000.0, due="2024-06-30"),
        open_deal("2024-04-02", 5000.0, due="2024-07-01"),
    ]  # fmt: skip
    known = seen(deals, "2024-04-30", PERIOD)
    assert ask("coverage_yield", known, PERIOD).value() == pytest.approx(1000 * (80 + 20) / 400)
    assert ask("coverage_yield+new", known, PERIOD).value() == pytest.approx(1000 * (80 + 20) / 400 + 999)


# What cannot be told


def test_without_a_closed_deal_no_stage_has_a_rate(taught: tuple[Lessons, Snapshot]) -> None:
    known = lessons_of(tell(BOOK), CALENDAR, AS_OF)
    for name in ("stage_rate", "stage_rate_all_dates", "same_stage_same_time", "coverage_yield"):
        found = made(name, known, "segment")
        assert np.isnan([found.value(), found.value("open_due"), found.value("total", "segment", "ent")]).all()
        assert found.value("won") == 0.0
    later = made("stage_rate", known)
    assert later.value("open_pulled_in") == 0.0  # what is not due brings nothing, whatever its rate is


def test_without_a_complete_period_new_business_is_not_known() -> None:
    known = lessons_of(tell(BOOK), CALENDAR, AS_OF)
    assert past_new_business(known[0], AS_OF, PERIOD)[1] == 0
    plain, new = made("category_upside", known), made("category_upside+new", known, "segment")
    assert new.value("open") == plain.value("open") == plain.value() == 1000 + 400 + 600
    assert np.isnan([new.value(), new.value("new"), new.value("total", "segment", "smb")]).all()


def test_a_book_without_any_probability_or_category_is_not_worth_nothing(taught: tuple[Lessons, Snapshot]) -> None:
    lessons, now = taught
    for name, fact in (("crm_probability", "probability"), ("category_commit", "forecast_category")):
        bare = replace(now, open=now.open.assign(**{fact: now.open[fact].where(np.zeros(5, dtype=bool))}))
        assert np.isnan(made(name, (lessons, bare)).value())
        some = replace(now, open=now.open.assign(**{fact: now.open[fact].where(np.arange(5) == 0)}))
        assert made(name, (lessons, some)).value() == W + (600 if fact == "probability" else 1000)


def test_without_any_win_a_missing_amount_is_that_of_other_deals() -> None:
    deals = [open_deal("2024-04-01", a, due="2024-06-01") for a in (10.0, 30.0, 90.0, None)]
    lessons, now = seen(deals, "2024-04-30", PERIOD)
    assert sorted(listed_amounts(lessons, now)) == [10.0, 30.0, 30.0, 90.0]
    lessons, now = seen(deals[3:], "2024-04-30", PERIOD)
    assert np.isnan(listed_amounts(lessons, now)).all()


# What is won


def test_what_is_won_is_what_was_written_by_the_evening() -> None:
    deals = [
        won("2024-04-10", 1.0),
        won("2024-04-10", 10.0, written="2024-05-02"),  # booked late: nobody knew
        won("2024-04-30", 100.0),
        won("2024-03-31", 1000.0),  # of the quarter before
        deal("taken back", ("2024-04-01", {"amount": 1e4}), ("2024-04-05", {"status": "won"}),
             ("2024-04-20", {"status": "open"})),
        deal("lost later", ("2024-04-01", {"amount": 1e5}), ("2024-04-05", {"status": "won"}),
             ("2024-05-20", {"status": "lost"})),
    ]  # fmt: skip
    assert ask("category_commit", seen(deals, "2024-04-30", PERIOD), PERIOD).value("won") == 1 + 100 + 1e5
    second = seen(deals, "2024-05-31", PERIOD)
    assert ask("category_commit", second, PERIOD).value("won") == 1 + 10 + 100
