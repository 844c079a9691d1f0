"""A snapshot says what was known on an evening, and nothing that was written later can change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeforecast.history import DealHistory
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import RUNNING, Snapshot, take_snapshots
from stories import MUTATIONS, Deal, day, deal, seen, tell

STAGE_NAMES = ["Talk", "Offer", "Deal"]
START = pd.Timestamp("2024-01-01")


def assert_same_sight(a: DealHistory, b: DealHistory, as_of: pd.Timestamp) -> None:
    first, second = (seen(take_snapshots(h, [as_of]), as_of) for h in (a, b))
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)


# Stories of any shape: many deals, many rows of the same second, closings, reopenings, back-dated days.

_moments = st.integers(0, 120).map(lambda d: str(START + pd.Timedelta(days=d, hours=9)))


@st.composite
def _changes(draw: st.DrawFn) -> dict:
    status = draw(st.sampled_from(["open", "open", "open", "won", "lost"]))
    out = {"status": status, "stage": draw(st.sampled_from(STAGE_NAMES)), "amount": draw(st.floats(1, 1e5))}
    out["expected_close"] = str((START + pd.Timedelta(days=draw(st.integers(0, 200)))).date())
    if status != "open":
        out["closed_at"] = str((START + pd.Timedelta(days=draw(st.integers(-20, 120)))).date())
    return out


@st.composite
def _stories(draw: st.DrawFn) -> list[Deal]:
    n = draw(st.integers(1, 5))
    out = []
    for i in range(n):
        moments = sorted(draw(st.lists(_moments, min_size=1, max_size=6)))
        out.append(deal(f"d{i}", *((m, draw(_changes())) for m in moments), segment=draw(st.sampled_from(["x", "y"]))))
    return out


@given(story=_stories(), gone=st.integers(0, 125), later=_stories())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_rows_written_later_change_nothing(story: list[Deal], gone: int, later: list[Deal]) -> None:
    """Each deal goes on as another one does, and other deals come: all after the evening that is looked from."""
    as_of = START + pd.Timedelta(days=gone)

    def late(told: Deal) -> tuple:
        return tuple((str(pd.Timestamp(m) + pd.Timedelta(days=gone + 1)), change) for m, change in told.states)

    evening = as_of + pd.Timedelta(days=1)
    kept = [replace(d, states=[s for s in d.states if pd.Timestamp(s[0]) < evening]) for d in story]
    longer = [replace(d, states=[*d.states, *late(other)]) for d, other in zip(kept, [*later, *story], strict=False)]
    longer = [d for d in longer if d.states]
    longer += [replace(d, name=f"new {d.name}", states=late(d)) for d in later]
    known = [replace(d, created=d.created or str(START.date())) for d in kept if d.states]
    longer = [replace(d, created=d.created or str(START.date())) for d in longer]
    if known:
        assert_same_sight(tell(known, until=str(as_of.date())), tell(longer), as_of)


@given(story=_stories(), data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rewinding_equals_replaying_the_rows_one_by_one(story: list[Deal], data: st.DataObject) -> None:
    """The query agrees with a plain loop over the rows."""
    history = tell(story)
    as_of = START + pd.Timedelta(days=data.draw(st.integers(0, 125)))
    told = take_snapshots(history, [as_of]).open.set_index("deal")
    expected = {}
    for key, d in enumerate(story):
        states = [(pd.Timestamp(m), c) for m, c in d.states if pd.Timestamp(m) < as_of + pd.Timedelta(days=1)]
        if states and states[-1][1]["status"] == "open":
            expected[key] = states
    assert sorted(told.index) == sorted(expected)
    for key, states in expected.items():
        row = told.loc[key]
        moves = list(pairwise(s[1]["stage"] for s in states))
        back = [STAGE_NAMES.index(b) < STAGE_NAMES.index(a) for a, b in moves]
        due = [pd.Timestamp(s[1]["expected_close"]) for s in states]
        pushes = [(b - a).days for a, b in pairwise(due) if b > a]
        amounts = [s[1]["amount"] for s in states]
        entered = [states[0][0], *(s[0] for s, (a, b) in zip(states[1:], moves, strict=True) if a != b)]
        assert (row["stage"], row["amount"]) == (states[-1][1]["stage"], states[-1][1]["amount"])
        assert row["n_moves"] == sum(a != b for a, b in moves)
        assert row["n_back"] == sum(back)
        assert (row["n_pushes"], row["push_days"]) == (len(pushes), sum(pushes))
        assert row["n_amount_changes"] == sum(a != b for a, b in pairwise(amounts))
        assert (row["first_amount"], row["first_expected_close"]) == (amounts[0], due[0])
        assert row["first_recorded_at"] == states[0][0]
        assert row["last_change_at"] == states[-1][0]
        assert row["stage_entered_at"] == entered[-1]


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_later_day_cannot_rewrite_a_company(
    now: Snapshot, rewritten: Callable[[str], tuple[Lessons, Snapshot]], as_of: pd.Timestamp, name: str
) -> None:
    for one, other in zip(seen(now, as_of), seen(rewritten(name)[1], as_of), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_the_mutations_do_change_later_days(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    """Else the law above would hold for nothing."""
    later = company_history.written_until + pd.Timedelta(days=10)
    before = company_history.known_by(later)
    for name, mutate in MUTATIONS.items():
        after = mutate(company_history, as_of, np.random.default_rng(1)).known_by(later)
        same = after.states.drop(columns="seq").equals(before.states.drop(columns="seq"))
        assert same == (name in ("writes_todays_values", "adds_touches", "adds_calls")), name
        if name == "adds_touches":
            assert len(after.tables["touches"]) > len(before.tables["touches"])


def test_many_days_at_once_are_each_day_alone(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    days = [as_of - pd.Timedelta(days=d) for d in (0, 1, 45, 400)]
    together = take_snapshots(company_history, days)
    assert list(together.days) == sorted(d.to_datetime64().astype("datetime64[s]") for d in days)
    for d in days:
        for one, other in zip(seen(together, d), seen(take_snapshots(company_history, [d]), d), strict=True):
            pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("back", [0, 5000])
def test_a_history_that_knows_no_more_tells_the_same(
    company_history: DealHistory, as_of: pd.Timestamp, back: int
) -> None:
    d = as_of - pd.Timedelta(days=back)
    assert_same_sight(company_history, company_history.known_by(d), d)


def test_the_order_of_the_open_deals_does_not_depend_on_the_rows_order(company_history: DealHistory) -> None:
    d = company_history.written_until - pd.Timedelta(days=100)
    shuffled = replace(company_history, states=company_history.states.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(take_snapshots(company_history, [d]).open, take_snapshots(shuffled, [d]).open)


def test_rows_of_one_second_are_ordered_by_their_place_in_the_source() -> None:
    second = "2024-02-01 10:00:00"
    stages = ["Talk", "Offer", "Deal", "Talk", "Offer", "Deal", "Offer"]
    deals = [
        deal("still open", *((second, {"stage": s}) for s in stages)),
        deal("closed and reopened at once", ("2024-01-01", {}), (second, {"status": "won"}),
             (second, {"status": "open"})),
        deal("reopened and closed at once", ("2024-01-01", {"status": "lost"}), (second, {"status": "open"}),
             (second, {"status": "won"})),
    ]  # fmt: skip
    snapshot = take_snapshots(tell(deals), [day("2024-02-01")])
    assert snapshot.open["deal"].tolist() == [0, 1]
    assert (snapshot.open["stage"].iloc[0], snapshot.open["n_moves"].iloc[0], snapshot.open["n_back"].iloc[0]) == (
        "Offer", 6.0, 2.0,
    )  # fmt: skip
    closed = snapshot.closed_by(day("2024-02-01"))
    assert list(zip(closed["deal"], closed["status"], strict=True)) == [(2, "won")]


def test_a_closing_is_known_from_the_day_on_which_it_was_written() -> None:
    history = tell([deal("a", ("2024-08-01", {}), ("2024-10-03", {"status": "won", "closed_at": "2024-09-30"}))])
    before, after = day("2024-10-02"), day("2024-10-03")
    snapshot = take_snapshots(history, [day("2024-09-30"), before, after])
    assert snapshot.open["as_of"].tolist() == [day("2024-09-30"), before]
    assert len(snapshot.closed_by(before)) == 0
    assert snapshot.closed_by(after)["closed_at"].tolist() == [day("2024-09-30")]


def test_a_corrected_closing_counts_once() -> None:
    history = tell(
        [deal("a", ("2024-01-01", {"amount": 1.0}), ("2024-02-01", {"status": "won"}), ("2024-03-01", {"amount": 7.0}))]
    )
    snapshot = take_snapshots(history, [day("2024-03-01")])
    assert snapshot.closed_by(day("2024-02-29"))["amount"].tolist() == [1.0]
    assert snapshot.closed_by(day("2024-03-01"))["amount"].tolist() == [7.0]
    assert snapshot.closed_by(day("2024-03-01"))["closed_at"].tolist() == [day("2024-02-01")]


def test_only_birth_facts_and_written_states_are_there(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    snapshot = take_snapshots(company_history, [as_of])
    todays = {c for c, role in company_history.roles.items() if role == "today"} - set(RUNNING)
    assert todays
    # To whom an owner reported on a past day is known from the reporting line.
    assert todays & set(snapshot.open.columns) == {"manager"}
    assert set(snapshot.birth_facts) <= {c for c, role in company_history.roles.items() if role == "birth"}


def test_touches_count_up_to_the_evening() -> None:
    history = tell([deal("a", ("2024-01-01", {})), deal("b", ("2024-01-01", {}), ("2024-06-01", {}))])
    at = ["2024-01-10", "2024-02-20", "2024-03-01 23:59:00", "2024-03-02", "2024-02-01", "2024-02-01"]
    touches = pd.DataFrame(
        {
            "deal_id": pd.array(["a", "a", "a", "a", "elsewhere", None], dtype="string"),
            "at": pd.Series(at).astype("datetime64[s]"),
        }
    )
    rows = take_snapshots(replace(history, tables={"touches": touches}), [day("2024-03-01")]).open.set_index("deal")
    assert rows["n_touches"].tolist() == [3.0, 0.0]
    assert rows["n_touches_recent"].tolist() == [2.0, 0.0]
    assert rows["last_touch_at"].iloc[0] == pd.Timestamp("2024-03-01 23:59")
    assert pd.isna(rows["last_touch_at"].iloc[1])


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "elsewhere", None]), st.integers(-2 * 86400, 70 * 86400)), max_size=30
    ),
    st.lists(st.integers(0, 66), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=25, deadline=None)
def test_touches_are_those_that_one_would_count(told: list[tuple[str | None, int]], looked: list[int]) -> None:
    """Whatever their order; also with evenings' very last seconds, and days on which nothing had been touched."""
    seconds = [s - s % 86400 if s % 5 == 0 else s for _, s in told]
    at = pd.Series(START + pd.to_timedelta(seconds, unit="s"), dtype="datetime64[s]")
    touches = pd.DataFrame({"deal_id": pd.array([i for i, _ in told], dtype="string"), "at": at})
    history = tell([deal("a", ("2024-01-01", {})), deal("b", ("2024-01-01", {}), ("2024-02-01", {}))])
    days = [START + pd.Timedelta(days=d) for d in looked]
    for row in take_snapshots(replace(history, tables={"touches": touches}), days).open.itertuples():
        end = row.as_of + pd.Timedelta(days=1)
        mine = at[((touches["deal_id"] == "ab"[row.deal]).fillna(False) & (at < end)).to_numpy(dtype=bool)]
        assert row.n_touches == len(mine)
        assert row.n_touches_recent == (mine >= end - pd.Timedelta(days=30)).sum()
        assert row.last_touch_at == mine.max() or (mine.empty and pd.isna(row.last_touch_at))


def test_a_day_before_everything_has_no_deals(company_history: DealHistory) -> None:
    d = company_history.states["recorded_at"].min().normalize() - pd.Timedelta(days=1)
    snapshot = take_snapshots(company_history, [d])
    assert len(snapshot.open) == 0
    assert len(snapshot.closed_by(d)) == 0
    assert snapshot.as_of == d
