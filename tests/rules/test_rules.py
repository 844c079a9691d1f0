"""Each rule by a hand-computed example."""

from __future__ import annotations

import numpy as np
import pytest
from asking import ask

from pipeforecast.errors import SettingsError
from pipeforecast.outcome import Lessons
from pipeforecast.rules import NEVER_ALONE, RULES, rule
from pipeforecast.snapshot import Snapshot
from worked_example import AS_OF, PERIOD

W = 150.0
N = (60 + 40) / 2
X4 = 80.0  # median of what small companies brought: 40, 60, 100, 240
#: Days of the winning deals from creation to closing: p1, p2, p4, p5, p7, p10.
CYCLE = (3 + 52 + 40 + 51 + 24 + 79) / 6
EXPECTED = {
    # e by the end of June: all but o3; past-due o2 counts.
    "crm_probability": W + 1000 * 0.6 + 400 * 0.2 + X4 * 0.5 + 10 * 0.1,
    # Talk: 6 of 8 closed were won; Offer: 2 of 2; Deal was never entered: 7 of 9 of all.
    "stage_rate": W + 1000 * 1.0 + 400 * 6 / 8 + X4 * 1.0 + 10 * 7 / 9,
    # Talk: 100 of the 400 listed; Offer: 540 of 500; Deal: 640 of all 900; every open deal counts, and N.
    "same_stage_same_time": W + (1000 + X4) * 540 / 500 + (400 + 800) * 100 / 400 + 10 * 640 / 900 + N,
    "category_commit": W + 1000 + X4,
    "category_upside": W + 1000 + X4 + 400,
    "crm_probability_not_past_due": W + 1000 * 0.6 + X4 * 0.5 + 10 * 0.1,
    "stage_rate_all_dates": W + 1000 * 1.0 + (400 + 800) * 6 / 8 + X4 * 1.0 + 10 * 7 / 9,
    # Of 900 listed on day 30 the 150 of p10 were not due; p10, p2 and p5 brought money by the end.
    "coverage_yield": W + (1000 + 400 + X4 + 10) * (100 + 240 + 300) / (900 - 150),
}
EXPECTED |= {f"{n}+new": v + N for n, v in EXPECTED.items() if n != "same_stage_same_time"}
Q4, Q1 = 100 + 100 + 240 + 60, 40 + 300
EXPECTED |= {
    "rep_call": 200 + 300,
    "manager_call": 450,
    "executive_call": 470,
    # 5 open, 6 of 8 closed were won for 840; 61 days of April to June are left.
    "velocity": W + 5 * (840 / 6) * (6 / 8) / CYCLE * 61,
    "run_rate": W / 30 * 91,
    "last_period": Q1,
    "same_period_last_year": np.nan,  # the records do not reach back so far
    "mean_of_four": (Q4 + Q1) / 2,
    "ets": (Q4 + Q1) / 2,  # two periods are no series
    # On day 30 only the 100 of p1 were in, of 840.
    "chain_ladder": W / (100 / (Q4 + Q1)),
}


def test_every_rule_has_its_example() -> None:
    assert set(EXPECTED) == set(RULES)


def test_the_example_is_seen_as_told(taught: tuple[Lessons, Snapshot]) -> None:
    assert PERIOD.day_of(AS_OF) == 30
    assert [p.name for p in taught[0].past_periods(8)] == ["2023Q4", "2024Q1"]


@pytest.mark.parametrize("name", RULES)
def test_worked_example(taught: tuple[Lessons, Snapshot], name: str) -> None:
    assert ask(name, taught, PERIOD).value() == pytest.approx(EXPECTED[name], nan_ok=True)


def test_rules_are_told_in_a_fixed_order() -> None:
    assert list(RULES) == [
        "crm_probability", "crm_probability+new", "crm_probability_not_past_due", "crm_probability_not_past_due+new",
        "stage_rate", "stage_rate+new", "stage_rate_all_dates", "stage_rate_all_dates+new", "same_stage_same_time",
        "category_commit", "category_commit+new", "category_upside", "category_upside+new",
        "rep_call", "manager_call", "executive_call", "coverage_yield", "coverage_yield+new", "velocity", "run_rate",
        "last_period", "same_period_last_year", "mean_of_four", "ets", "chain_ladder",
    ]  # fmt: skip
    assert all(r.name == name for name, r in RULES.items())


def test_rules_of_all_dates_are_never_alone() -> None:
    assert {n for n in RULES if n.removesuffix("+new").endswith("all_dates")} == NEVER_ALONE


def test_an_unknown_rule_is_refused() -> None:
    assert rule("stage_rate") is RULES["stage_rate"]
    with pytest.raises(SettingsError, match=r"'gut'.*'stage_rate'.*'chain_ladder'"):
        rule("gut")
