"""From when to when each state was the last word: the same as snapshots say, for all deals and days at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.history import DealHistory
from pipeforecast.snapshot import take_snapshots
from stories import day, deal, tell

HISTORY = tell(
    [
        deal("won", ("2024-01-05", {"stage": "Talk"}), ("2024-02-10", {"status": "won", "stage": "Won"})),
        deal("back", ("2024-01-20", {"stage": "Talk"}), ("2024-02-01", {"status": "lost", "stage": "Lost"}),
             ("2024-02-20", {"status": "open", "stage": "Talk"}), ("2024-02-20", {"stage": "Offer"})),
        deal("late", ("2024-03-01", {"stage": "Talk"})),
    ],
    until="2024-06-30",
)  # fmt: skip
DAYS = np.array(["2024-01-31", "2024-02-15", "2024-02-20", "2024-03-31"], dtype="datetime64[s]")


def open_on(young: int | None = None) -> list[tuple[str, int, str]]:
    state, at = HISTORY.held.open_on(DAYS, young)
    rows = HISTORY.states.iloc[state]
    return [(str(DAYS[i])[:10], int(d), str(s)) for i, d, s in zip(at, rows["deal"], rows["stage"], strict=True)]


def test_a_worked_example() -> None:
    assert open_on() == [
        ("2024-01-31", 0, "Talk"), ("2024-01-31", 1, "Talk"), ("2024-02-20", 1, "Offer"), ("2024-03-31", 1, "Offer"),
        ("2024-03-31", 2, "Talk"),
    ]  # fmt: skip


def test_young_deals_were_first_written_lately_whatever_was_written_of_them_since() -> None:
    assert open_on(28) == [("2024-01-31", 0, "Talk"), ("2024-01-31", 1, "Talk")]
    assert open_on(31) == [*open_on(28), ("2024-03-31", 2, "Talk")]


def test_each_stage_of_a_deal_is_entered_once() -> None:
    rows = HISTORY.states.iloc[HISTORY.held.entries]
    plain = HISTORY.states[["deal", "stage"]].dropna().drop_duplicates()
    pd.testing.assert_frame_equal(rows[["deal", "stage"]], plain)


def test_nothing_is_known_before_anything_was_written() -> None:
    assert HISTORY.held.last_by(day("2023-12-31")).tolist() == []
    empty = DealHistory(HISTORY.deals.iloc[:0], HISTORY.states.iloc[:0], HISTORY.stages, day("2024-06-30"), {})
    assert empty.held.last_by(day("2024-06-30")).tolist() == []
    assert [x.tolist() for x in empty.held.open_on(DAYS)] == [[], []]
    assert empty.held.entries.tolist() == []


@pytest.fixture(scope="module")
def days(company_history: DealHistory) -> np.ndarray:
    until = company_history.written_until
    return np.array([until - pd.Timedelta(days=d) for d in range(400, -1, -50)], dtype="datetime64[s]")


def test_it_says_what_snapshots_say(company_history: DealHistory, days: np.ndarray) -> None:
    state, at = company_history.held.open_on(days)
    rows = company_history.states.iloc[state].reset_index(drop=True).assign(as_of=days[at])
    told = take_snapshots(company_history, [pd.Timestamp(d) for d in days]).open
    for column in ("as_of", "deal", "stage", "amount", "expected_close", "owner"):
        pd.testing.assert_series_equal(rows[column], told[column])
    young, when = company_history.held.open_on(days, 28)
    fresh = (told["first_recorded_at"] > told["as_of"] - pd.Timedelta(days=28)).to_numpy()
    assert state[fresh].tolist() == young.tolist()
    assert at[fresh].tolist() == when.tolist()


def test_the_last_states_are_those_of_a_history_that_has_forgotten(
    company_history: DealHistory, days: np.ndarray
) -> None:
    for d in map(pd.Timestamp, days):
        known = company_history.known_by(d)
        last = company_history.states.iloc[company_history.held.last_by(d)].set_index("deal")
        pd.testing.assert_frame_equal(last, known.latest())
