"""The terms of the rules' sums, by the example that can be reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeforecast.outcome import Lessons
from pipeforecast.rules import terms_of
from pipeforecast.snapshot import Snapshot
from worked_example import PERIOD

#: p1, p10, p2 and p4; p7 and p5. By day 30 only the 100 of p1 were in.
Q4, Q1, BY_THEN = 100 + 100 + 240 + 60, 40 + 300, 100
CYCLE = (3 + 52 + 40 + 51 + 24 + 79) / 6


def test_terms_are_those_of_the_example(taught: tuple[Lessons, Snapshot]) -> None:
    found = terms_of(*taught, PERIOD)
    assert dict(zip(found.past["period"], found.past["won"], strict=True)) == {"2023Q4": Q4, "2024Q1": Q1}
    wanted = {
        "won": 150, "new": (60 + 40) / 2, "day": 30, "days": 91, "coverage": 640 / 750, "past_by_day": BY_THEN,
        "past_total": Q4 + Q1, "win_rate": 6 / 8, "won_amount": (Q4 + Q1) / 6, "won_cycle": CYCLE,
    }  # fmt: skip
    assert {k: found.numbers[k] for k in wanted} == pytest.approx(wanted)
    assert np.isnan(found.numbers["last_year"])  # the records do not reach back so far
    stages = found.stages.set_index("stage")
    assert stages["rate"].to_dict() == pytest.approx({"Deal": 7 / 9, "Offer": 1.0, "Talk": 6 / 8})
    assert stages["yield"].to_dict() == pytest.approx({"Deal": 640 / 900, "Offer": 540 / 500, "Talk": 100 / 400})
    assert found.amounts.tolist() == [1000, 400, 800, 80, 10]


def test_without_a_past_nothing_is_made_up(taught: tuple[Lessons, Snapshot]) -> None:
    lessons, now = taught
    none = terms_of(_without_deals(lessons), now, PERIOD)
    assert none.past.empty
    assert np.isnan([none.numbers[k] for k in ("new", "coverage", "past_total", "win_rate", "last_year")]).all()
    assert none.stages[["rate", "yield"]].isna().all(axis=None)


def _without_deals(lessons: Lessons) -> Lessons:
    return replace(lessons, deals=lessons.deals.iloc[:0], snapshot=lessons.snapshot.take(np.zeros(0, dtype=int)),
                   outcome=replace(lessons.outcome, rows=lessons.outcome.rows.iloc[:0]))  # fmt: skip
