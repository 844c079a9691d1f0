"""Each rule by a hand-computed example."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.errors import SettingsError
from pipeforecast.forecast import Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.rules import RULES, FittedRule, listed_amounts, rule
from pipeforecast.snapshot import Snapshot
from stories import deal, lessons_of, tell
from worked_example import AS_OF, BOOK, CALENDAR, PAST, PERIOD

W = 150.0
N = (60 + 40) / 2
X4 = 80.0  # median of what small companies brought: 40, 60, 100, 240
EXPECTED = {
    # e by the end of June: all but o3; past-due o2 counts.
    "crm_probability": W + 1000 * 0.6 + 400 * 0.2 + X4 * 0.5 + 10 * 0.1,
    # Talk: 6 of 8 closed were won; Offer: 2 of 2; Deal was never entered: 7 of 9 of all.
    "stage_rate": W + 1000 * 1.0 + 400 * 6 / 8 + X4 * 1.0 + 10 * 7 / 9,
    # Talk: 100 of the 400 listed; Offer: 540 of 500; Deal: 640 of all 900; every open deal counts, and N.
    "same_stage_same_time": W + (1000 + X4) * 540 / 500 + (400 + 800) * 100 / 400 + 10 * 640 / 900 + N,
    "category_commit": W + 1000 + X4,
    "category_upside": W + 1000 + X4 + 400,
    "mean_of_four": ((100 + 100 + 240 + 60) + (40 + 300)) / 2,
}
EXPECTED |= {f"{n}+new": v + N for n, v in EXPECTED.items() if n not in ("same_stage_same_time", "mean_of_four")}


@pytest.fixture(scope="module")
def taught() -> tuple[Lessons, Snapshot]:
    return lessons_of(tell([*PAST, *BOOK]), CALENDAR, AS_OF)


def made(name: str, taught: tuple[Lessons, Snapshot], *levels: str) -> Forecast:
    return RULES[name].fit(taught[0]).forecast(taught[1], PERIOD, levels)


def test_every_rule_has_its_example() -> None:
    assert set(EXPECTED) == set(RULES)


def test_the_example_is_seen_as_told(taught: tuple[Lessons, Snapshot]) -> None:
    assert PERIOD.day_of(AS_OF) == 30
    assert [p.name for p in taught[0].past_periods(8)] == ["2023Q4", "2024Q1"]


@pytest.mark.parametrize("name", RULES)
def test_worked_example(taught: tuple[Lessons, Snapshot], name: str) -> None:
    assert made(name, taught).value() == pytest.approx(EXPECTED[name])


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


def test_the_mean_of_four_is_never_below_what_is_won() -> None:
    big = deal("big", ("2024-04-02", {"amount": 5000.0}), ("2024-04-20", {"status": "won"}), segment="ent")
    found = made("mean_of_four", lessons_of(tell([*PAST, big, *BOOK]), CALENDAR, AS_OF), "segment")
    assert found.value() == 5000 + W
    assert found.value("total", "segment", "smb") == pytest.approx((400 + 40) / 2)


def test_the_mean_of_four_takes_four() -> None:
    wins = [
        deal(f"q{i}", (str(p.start.date()), {"amount": 10.0**i}), (str(p.start.date()), {"status": "won"}))
        for i, p in enumerate(CALENDAR.before(PERIOD, 6))
    ]
    found = made("mean_of_four", lessons_of(tell([*wins, *BOOK]), CALENDAR, AS_OF))
    assert found.value() == pytest.approx((1e2 + 1e3 + 1e4 + 1e5) / 4)


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


def test_an_unknown_rule_is_refused() -> None:
    assert rule("stage_rate") is RULES["stage_rate"]
    with pytest.raises(SettingsError, match=r"'gut'.*'stage_rate'"):
        rule("gut")
