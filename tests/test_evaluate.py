"""Chances deal by deal: baselines by examples worked by hand, and what came true beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.backtest import Origin
from pipeforecast.evaluate import BASELINES, chances
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import MUTATIONS, lessons_of, tell
from worked_example import AS_OF, BOOK, CALENDAR, PAST, PERIOD

# Seen from 30 April: past deals open on day 30, won in time 3 of 5; Talk 1 of 3, Offer 2 of 2.


@pytest.fixture(scope="module")
def taught() -> tuple[Lessons, Snapshot]:
    return lessons_of(tell([*PAST, *BOOK]), CALENDAR, AS_OF)


def naive(*ratios: float) -> float:
    """Seven won, two lost; 0.1 is added to every count."""
    odds = 7.1 / 2.1 * float(np.prod(ratios))
    return odds / (1 + odds)


def seen(won: int, lost: int, levels: int) -> float:
    return ((won + 0.1) / (7 + 0.1 * levels)) / ((lost + 0.1) / (2 + 0.1 * levels))


TALK, OFFER, SMB, ENT = seen(6, 2, 2), seen(2, 0, 2), seen(4, 1, 2), seen(3, 1, 2)
#: Fifths of the closed deals' amounts: 60 and 40 lie in the lowest, 300 and 500 in the highest.
LOW, HIGH = seen(2, 0, 4), seen(1, 1, 4)
EXPECTED = {
    # Nobody has lost or won a deal in the stage Deal, or one without an amount: they say nothing.
    "naive_bayes": [naive(OFFER, ENT, HIGH), naive(TALK, SMB, HIGH), 0.0, naive(OFFER, SMB), naive(SMB, LOW)],
    "base_rate": [0.6] * 5,
    # Pulled towards 0.6 with the weight of 10 deals.
    "same_stage_same_time": [8 / 12, 7 / 13, 7 / 13, 8 / 12, 0.6],
    # Of the deals that closed, 6 of 8 that entered Talk and 2 of 2 that entered Offer; o3 is not due.
    "stage_rate": [10 / 12, 14 / 18, 0.0, 10 / 12, 0.8],
    "reps_own": [0.6, 0.2, 0.0, 0.5, 0.1],
}


@pytest.mark.parametrize("name", BASELINES)
def test_worked_example_of_the_baselines(taught: tuple[Lessons, Snapshot], name: str) -> None:
    assert BASELINES[name](*taught, PERIOD).tolist() == pytest.approx(EXPECTED[name])


@pytest.fixture(scope="module")
def origin(as_of: pd.Timestamp, period: Period) -> Origin:
    return Origin(as_of, period.day_of(as_of), period)


def test_chances_are_judged_by_what_came_true_and_made_without_it(
    company_history: DealHistory, calendar: FiscalCalendar, origin: Origin
) -> None:
    plan, model = Lessonplan((0, 30, 60), 4), HazardModel(max_rows=400)
    told, flipped = (
        chances(h, calendar, [model], [origin], plan)
        for h in (company_history, MUTATIONS["flips"](company_history, origin.as_of, np.random.default_rng(0)))
    )
    methods = [model.name, *BASELINES]
    pd.testing.assert_frame_equal(told[methods], flipped[methods])
    assert ((told[methods] >= 0) & (told[methods] <= 1)).all(axis=None)
    latest = company_history.latest().reindex(told["deal"].to_numpy())
    won = (latest["status"] == "won") & (latest["closed_at"] <= origin.period.end)
    assert told["won"].tolist() == won.astype("float64").tolist()
    assert told["won_amount"].sum() == pytest.approx(latest["amount"][won.to_numpy(dtype=bool)].sum())
    assert (told["won_amount"][told["won"] == 0] == 0).all()
    known = ["stage", "segment", "owner", "listed_amount", "expected_amount"]
    pd.testing.assert_frame_equal(told[known], flipped[known])
    assert (told["expected_amount"] >= 0).all()
    assert not told["won"].equals(flipped["won"])
