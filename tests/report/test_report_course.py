"""The quarter day by day, as facts and as drawn."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from made import AS_OF, START, backtest_frame, made_empty, made_input
from made_beside import course_frame, won_frame

from pipeforecast.forecast import QUANTILES
from pipeforecast.report.course import MOST_QUARTERS
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.fan import fan, quarters
from pipeforecast.report.page import render
from pipeforecast.report.words import money


@pytest.fixture(scope="module")
def told() -> dict:
    return facts_of(made_input(course=course_frame(), won_by_day=won_frame(), course_missing=(40, 5)))


def test_the_course_is_told_in_the_order_of_days_and_ends_at_what_is_won(told: dict):
    course = told["course"]
    assert [t["day"] for t in course["told"]] == [0, 15, 30]
    assert [t["mean"] for t in course["told"]] == [4e6, 4.15e6, 4.3e6]
    assert course["told"][0]["as_of"] == "2024-03-31"
    assert course["won"][-1] == [44, pytest.approx(told["headline"]["won"])]
    assert course["now"]["p90"] == told["headline"]["ranges"]["80"][1]
    assert course["missing"] == [5, 40]


def test_past_quarters_are_the_newest_of_the_replay_with_what_came_true(told: dict):
    rows = backtest_frame()
    past = told["course"]["quarters"]
    assert [q["period"] for q in past] == list(dict.fromkeys(rows["period"][::-1]))[:MOST_QUARTERS]
    for q in past:
        own = rows[rows["period"] == q["period"]]
        assert q["actual"] == own["actual"].iloc[0]
        assert [t["mean"] for t in q["told"]] == own["mean"].tolist()
        held = own["actual"].between(own["p10"], own["p90"]).tolist()
        assert [t["inside"] for t in q["told"]] == held
    assert past[0]["won"] == [[0, 0.0], [91, 5e5]]


def test_the_drawing_holds_each_number_in_words(told: dict):
    drawn = str(fan(told))
    label = re.search(r'aria-label="([^"]*)"', drawn).group(1)
    for t in told["course"]["told"]:
        assert f"day {t['day']}: mean {money(t['mean'])}" in label
    assert f"won {money(told['headline']['won'])}" in label
    assert f"quota {money(told['quota']['quota'])}" in drawn
    assert drawn.count("<polygon") == 3  # 50, 80 and 95 %
    assert str(quarters(told)).count("<figure") == MOST_QUARTERS
    assert "nan" not in drawn.lower()


def test_todays_point_is_a_mean_as_the_earlier_ones_are():
    f = made_input().forecast
    mean = float(facts_of(made_input())["headline"]["mean"])
    same = course_frame().assign(mean=mean)
    drawn = str(fan(facts_of(made_input(forecast=f.assign(p50=0.9 * f["p50"]), course=same))))
    heights = {re.search(r'cy="([^"]*)"', c).group(1) for c in re.findall(r'<circle[^>]*class="point[^>]*>', drawn)}
    assert len(heights) == 1


def test_one_number_without_a_range_has_no_cone():
    f = made_input().forecast
    bare = f.assign(**{q: float("nan") for q in QUANTILES})
    told = facts_of(made_input(forecast=bare, course=course_frame().assign(p10=float("nan"))))
    assert "<polygon" not in str(fan(told))
    assert "point model" in str(fan(told))


def test_what_is_missing_is_said_with_how_to_get_it():
    page = render(facts_of(made_empty()))
    assert "No earlier forecasts of 2024Q2 to show yet" in page
    assert "proof=full" in page
    page = render(facts_of(made_input(course=course_frame(), course_missing=(40,))))
    assert "Still to be made anew: day 40" in page
    before = facts_of(made_input(day_of_period=-3, as_of=AS_OF - pd.Timedelta(days=48)))
    assert before["course"] is None
    assert "2024Q2 has not begun" in render(before)


def test_the_first_evening_has_no_earlier_day():
    told = facts_of(made_input(day_of_period=0, as_of=START - pd.Timedelta(days=1), won_by_day=won_frame().iloc[:0]))
    assert told["course"]["told"] == told["course"]["won"] == []
    assert "No earlier forecasts" not in render(told)
