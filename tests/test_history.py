"""``known_by`` forgets what was written later, whatever day it claims to be true on."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipeforecast.errors import DataError
from pipeforecast.history import DealHistory
from stories import day, deal, tell


@pytest.fixture
def history() -> DealHistory:
    return tell(
        [
            deal("booked late", ("2024-08-01", {"amount": 100.0}),
                 ("2024-10-03", {"status": "won", "closed_at": "2024-09-30"})),
            deal("entered late", ("2024-10-02", {"amount": 50.0}), created="2024-06-01"),
            deal("reopened", ("2024-07-01", {"amount": 10.0}), ("2024-08-15", {"status": "lost"}),
                 ("2024-09-15", {"status": "open"})),
        ]
    )  # fmt: skip


def test_a_deal_booked_on_3_october_is_not_won_on_30_september(history: DealHistory) -> None:
    assert history.known_by(day("2024-09-30")).latest()["status"].tolist() == ["open", "open"]
    assert history.known_by(day("2024-10-02")).latest()["status"].iloc[0] == "open"
    booked = history.known_by(day("2024-10-03")).latest().iloc[0]
    assert (booked["status"], booked["closed_at"]) == ("won", day("2024-09-30"))


def test_a_deal_counts_from_the_day_on_which_it_was_written(history: DealHistory) -> None:
    assert "entered late" not in history.known_by(day("2024-10-01")).deals["deal_id"].tolist()
    assert "entered late" in history.known_by(day("2024-10-02")).deals["deal_id"].tolist()


def test_reopening_holds_from_its_own_day_on(history: DealHistory) -> None:
    def status(on: str) -> str:
        return str(history.known_by(day(on)).latest().loc[2, "status"])

    assert [status(d) for d in ("2024-08-14", "2024-08-15", "2024-09-14", "2024-09-15")] == [
        "open", "lost", "lost", "open",
    ]  # fmt: skip
    assert history.known_by(day("2024-09-14")).closed().index.tolist() == [2]


def test_the_whole_evening_belongs_to_the_day() -> None:
    history = tell([deal("a", ("2024-01-01", {}), ("2024-01-31 23:59:59", {"stage": "Deal"}), ("2024-03-01", {}))])
    assert pd.isna(history.known_by(day("2024-01-30")).latest()["stage"].iloc[0])
    assert history.known_by(day("2024-01-31")).latest()["stage"].iloc[0] == "Deal"


def test_forgetting_twice_is_forgetting_the_earlier(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    earlier = as_of - pd.Timedelta(days=100)
    once, twice = company_history.known_by(earlier), company_history.known_by(as_of).known_by(earlier)
    pd.testing.assert_frame_equal(once.states, twice.states)
    pd.testing.assert_frame_equal(once.deals, twice.deals)
    assert once.written_until == twice.written_until == earlier
    assert once.states["recorded_at"].max() < earlier + pd.Timedelta(days=1)


def test_the_last_written_day_knows_all(company_history: DealHistory) -> None:
    assert company_history.states["recorded_at"].max() < company_history.written_until + pd.Timedelta(days=1)
    assert company_history.known_by(company_history.written_until) is company_history


def test_tables_are_rewound_too(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    known = company_history.known_by(as_of)
    evening = as_of + pd.Timedelta(days=1)
    for table, written in (("touches", "at"), ("calls", "made_at"), ("leads", "created_at"), ("spend", "day")):
        assert 0 < len(known.tables[table]) < len(company_history.tables[table])
        assert (known.tables[table][written] < evening).all()


def test_ids_are_found_among_the_deals_that_are_known(history: DealHistory) -> None:
    asked = pd.Series(["reopened", None, "booked late", "nobody's", "entered late", ""], dtype="string")
    assert history.keys_of(asked).tolist() == [2, -1, 0, -1, 1, -1]
    earlier = history.known_by(day("2024-10-01"))  # the keys stay
    assert earlier.keys_of(asked).tolist() == [2, -1, 0, -1, -1, -1]
    assert history.known_by(day("1999-01-01")).keys_of(asked).tolist() == [-1] * 6
    assert history.keys_of(asked[:0]).tolist() == []


def test_rows_of_one_second_are_ordered_by_their_place_in_the_source() -> None:
    second = "2024-02-01 10:00:00"
    history = tell(
        [deal("a", ("2024-01-01", {"stage": "Talk"}), (second, {"stage": "Deal"}), (second, {"stage": "Offer"}))]
    )
    assert history.latest()["stage"].tolist() == ["Offer"]


def test_states_without_a_promised_column_are_refused() -> None:
    history = tell([deal("a", ("2024-01-01", {}))])
    with pytest.raises(DataError, match="stage"):
        replace(history, states=history.states.drop(columns="stage"))
