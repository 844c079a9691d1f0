"""A chain of two stages with known chances is found again, although only every fortnight was looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.stages import StageChances, StageTransitions
from pipeforecast.models.stays import AGES, stays_of
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import day, deal, lessons_of, tell
from worlds import AS_OF, CALENDAR

#: Chances a day of moving on from Talk to Offer, of winning and of losing.
RATES = {"Talk": (0.02, 0.0, 0.01), "Offer": (0.0, 0.02, 0.005)}


def chain(n: int, seed: int) -> tuple[Lessons, Snapshot]:
    rng = np.random.default_rng(seed)
    deals = []
    for i in range(n):
        at = pd.Timestamp("2021-01-01") + pd.Timedelta(days=int(rng.integers(0, 1120)))
        stage, states = "Talk", [(str(at.date()), {"stage": "Talk"})]
        while True:
            at += pd.Timedelta(days=int(np.ceil(rng.exponential(1 / sum(RATES[stage])))))
            if at > day("2024-06-30"):
                break
            way = rng.choice(3, p=np.array(RATES[stage]) / sum(RATES[stage]))
            change = [{"stage": "Offer"}, {"status": "won"}, {"status": "lost"}][way]
            states.append((str(at.date()), change))
            if way:
                break
            stage = "Offer"
        deals.append(deal(f"d{i}", *states))
    return lessons_of(tell(deals, until="2024-06-30"), CALENDAR, AS_OF, ks=(0, 15, 30, 45, 60, 75), back=10)


@pytest.fixture(scope="module")
def taught() -> tuple[Lessons, Snapshot]:
    return chain(2500, 1)


@pytest.fixture(scope="module")
def fitted(taught: tuple[Lessons, Snapshot]) -> FittedDeals:
    return StageTransitions().fit(taught[0])


def test_the_table_tells_the_truth(fitted: FittedDeals) -> None:
    assert isinstance(fitted.chances, StageChances)
    table = fitted.chances.table().set_index("stage")
    assert table.loc["Offer", "p_win"] == pytest.approx(0.8, abs=0.04)
    assert table.loc["Talk", "p_win"] == pytest.approx(2 / 3 * 0.8, abs=0.05)
    assert (table["p_win"] + table["p_lost"]).to_numpy() == pytest.approx(1.0, abs=0.02)
    assert table.loc["Talk", "next_stage"] == "Offer"
    assert table.loc["Talk", "p_next"] == pytest.approx(2 / 3, abs=0.04)
    assert table.loc["Offer", "expected_days"] == pytest.approx(40, rel=0.15)
    assert table.loc["Talk", "expected_days"] == pytest.approx(33, rel=0.15)
    assert fitted.chances.next_stages().loc["Talk", "Offer"] == pytest.approx(table.loc["Talk", "p_next"])


def test_incidences_follow_the_chain(taught: tuple[Lessons, Snapshot], fitted: FittedDeals) -> None:
    now = taught[1]
    found = fitted.forecast(now, np.ones(len(now.open)))
    for ahead in (31, 152):
        until = AS_OF + pd.Timedelta(days=ahead)
        offer = 0.8 * (1 - np.exp(-0.025 * ahead))
        days = np.arange(ahead)
        leaving = 0.02 * np.exp(-0.03 * days)
        talk = (leaving * 0.8 * (1 - np.exp(-0.025 * (ahead - days)))).sum()
        for stage, truth in (("Offer", offer), ("Talk", talk)):
            at = (now.open["stage"] == stage).to_numpy()
            assert found.won_by(until)[at].mean() == pytest.approx(truth, rel=0.15, abs=0.015)


def test_pieces_of_one_deal_by_hand() -> None:
    """In Talk from 1 December, seen on 31 December and 30 January; in Offer from 10 February; won on 20 March."""
    history = tell([
        deal("a", ("2023-12-01", {"stage": "Talk"}), ("2024-02-10", {"stage": "Offer"}),
             ("2024-03-20", {"status": "won"})),
        deal("b", ("2024-02-20", {"stage": "Talk"})),
    ])  # fmt: skip
    lessons, _ = lessons_of(history, CALENDAR, day("2024-03-30"), ks=(0, 30, 60), back=1)
    stays = stays_of(lessons, 1000, 0)
    found = pd.DataFrame({
        "stage": [stays.stages[i] for i in stays.stage], "begin": stays.begin, "end": stays.end, "way": stays.way,
    }).sort_values(["stage", "begin"])  # fmt: skip
    assert found.to_numpy().tolist() == [
        ["Offer", 0.0, 19.0, -1],  # 10 to 29 February
        ["Offer", 19.0, 39.0, 1],  # to 20 March
        ["Talk", 9.0, 39.0, -1],  # b, from 29 February to the last day
        ["Talk", 28.0, 30.0, -1],  # day 90 is a lesson day too: 29 December
        ["Talk", 30.0, 60.0, -1],
        ["Talk", 60.0, 71.0, 0],
    ]
    exposure, left = stays.by_age()
    assert exposure.sum() == pytest.approx(19 + 20 + 30 + 2 + 30 + 11)
    talk = stays.stages.index("Talk")
    assert left[talk, np.flatnonzero(AGES == 60)[0], 0] == 1.0  # it left at an age of 71 days
    assert stays.moves()[talk, stays.stages.index("Offer")] == 1.0


def test_a_stage_that_was_passed_between_two_looks_is_put_in_between() -> None:
    """Seen in Talk on 30 January; in Offer from 3 February, in Deal from 7 February, lost on 29 February."""
    history = tell([
        deal("a", ("2024-01-20", {"stage": "Talk"}), ("2024-02-03", {"stage": "Offer"}),
             ("2024-02-07", {"stage": "Deal"}), ("2024-02-29", {"status": "lost", "stage": "Lost"})),
        deal("b", ("2024-01-20", {"stage": "Offer"})),
        deal("c", ("2024-01-20", {"stage": "Deal"})),
    ])  # fmt: skip
    lessons, _ = lessons_of(history, CALENDAR, day("2024-03-01"), ks=(0, 30), back=1)
    stays = stays_of(lessons, 1000, 0)
    assert stays.stages == ("Deal", "Offer", "Talk")
    assert list(zip(stays.stage.tolist(), stays.begin.tolist(), stays.end.tolist(), stays.way.tolist(), strict=True))[
        :3
    ] == [(2, 10.0, 20.0, 0), (1, 0.0, 10.0, 0), (0, 0.0, 10.0, 2)]
