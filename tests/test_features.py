"""Features see one snapshot and nothing else; no identity and no value of today becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeforecast.features import MISSING, Features, describe
from pipeforecast.history import DealHistory
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import MUTATIONS, day, deal, tell


def assert_same(a: Features, b: Features) -> None:
    pd.testing.assert_frame_equal(a.numbers, b.numbers)
    pd.testing.assert_frame_equal(a.categories, b.categories)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_later_day_changes_no_feature(
    lessons: Lessons, now: Snapshot, rewritten: Callable[[str], tuple[Lessons, Snapshot]], name: str
) -> None:
    other_lessons, other_now = rewritten(name)
    assert_same(describe(lessons.snapshot), describe(other_lessons.snapshot))
    assert_same(describe(now), describe(other_now))


def test_many_days_at_once_are_each_day_alone(lessons: Lessons) -> None:
    whole = describe(lessons.snapshot)
    for d in lessons.snapshot.days[-3:]:
        at = (lessons.snapshot.open["as_of"] == d).to_numpy()
        assert_same(whole.rows(at), describe(lessons.snapshot.only([pd.Timestamp(d)])))


def test_a_leaking_value_of_today_is_never_seen(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    won = company_history.latest()["status"].eq("won").reindex(company_history.deals.index)
    leaky = company_history.deals.assign(
        employees=won.astype("float64"), health=won.astype("float64"), verdict=won.map({True: "good", False: "bad"})
    )
    roles = {**company_history.roles, "employees": "today", "health": "today", "verdict": "today"}
    planted = replace(company_history, deals=leaky, roles=roles)
    assert_same(*(describe(take_snapshots(h, [as_of])) for h in (company_history, planted)))


def test_the_same_values_would_be_seen_if_they_were_birth_facts(
    company_history: DealHistory, as_of: pd.Timestamp
) -> None:
    """Else the law above would hold for nothing."""
    deals = company_history.deals.assign(health=1.0, verdict="good")
    roles = {**company_history.roles, "health": "birth", "verdict": "birth"}
    planted = replace(company_history, deals=deals, roles=roles)
    found = describe(take_snapshots(planted, [as_of]))
    assert "health" in found.numbers
    assert "verdict" in found.categories


IDENTITIES = ("name", "account_id", "account_name", "lead_id", "owner_name", "manager", "next_step", "campaign")


@pytest.mark.parametrize(("marker", "columns"), [("Canary", IDENTITIES), ("canary@people.", ("contact", "buyer"))])
def test_no_identity_becomes_a_feature(
    company_history: DealHistory, as_of: pd.Timestamp, marker: str, columns: tuple[str, ...]
) -> None:
    """Even where every one of them was declared a fact of birth."""
    n = len(company_history.deals)
    marked = pd.Series([f"{marker}{i}" for i in range(n)], index=company_history.deals.index, dtype="string")
    deals = company_history.deals.assign(**dict.fromkeys(columns, marked))
    deals[columns[-1]] = marked.where(marked.index % 2 == 0)
    states = company_history.states.assign(owner=marked.reindex(company_history.states["deal"].to_numpy()).to_numpy())
    roles = {**company_history.roles, **dict.fromkeys(columns, "birth")}
    planted = replace(company_history, deals=deals, states=states, roles=roles)
    found = describe(take_snapshots(planted, [as_of]))
    assert not {*found.numbers, *found.categories} & {*columns, "deal_id", "owner", "created_at", "currency"}
    assert not found.categories.apply(lambda c: c.str.contains(marker, regex=False)).to_numpy().any()


def test_worked_example_of_timing_and_money() -> None:
    history = tell([
        deal("a", ("2024-01-01", {"stage": "Talk", "amount": 100.0, "expected_close": "2024-02-01"}),
             ("2024-01-01", {"probability": 0.2}),
             ("2024-01-11", {"stage": "Offer", "expected_close": "2024-02-15"}),
             ("2024-01-21", {"stage": "Talk", "amount": 200.0})),
        deal("b", ("2024-01-21", {})),
    ])  # fmt: skip
    found = describe(take_snapshots(history, [day("2024-03-01")])).numbers.iloc[0]
    expected = {
        "log_age": np.log1p(60), "log_days_in_stage": np.log1p(40), "log_days_since_change": np.log1p(40),
        "log_moves": np.log1p(2), "log_back": np.log1p(1), "log_pushes": np.log1p(1), "log_push_days": np.log1p(14),
        "overdue": 1.0, "log_overdue": np.log1p(15), "no_expected_close": 0.0, "planned_days": np.log1p(31),
        "log_amount": np.log(200), "amount_change": np.log(2), "log_amount_changes": np.log1p(1),
        "listed_log_odds": np.log(0.2 / 0.8), "owner_wins": 0.0, "recent_wins": 0.0,
    }  # fmt: skip
    assert found[list(expected)].to_dict() == pytest.approx(expected)


def test_what_is_missing_is_kept_as_missing() -> None:
    history = tell([deal("a", ("2024-01-21", {}))])
    found = describe(take_snapshots(history, [day("2024-03-01")]))
    row = found.numbers.iloc[0]
    assert row[["log_amount", "listed_log_odds", "planned_days"]].isna().all()
    assert (row["no_expected_close"], row["overdue"], row["amount_change"]) == (1.0, 0.0, 0.0)
    assert set(found.categories.iloc[0]) == {MISSING}


def test_past_wins_of_the_owner_are_those_known_on_the_day() -> None:
    won = [
        deal(f"w{i}", ("2024-01-01", {"owner": "ann"}), ("2024-03-05", {"status": "won", "closed_at": "2024-02-01"}))
        for i in range(5)
    ]
    lost = [deal(f"l{i}", ("2024-01-01", {"owner": "bob"}), ("2024-02-01", {"status": "lost"})) for i in range(5)]
    still = [deal("x", ("2024-01-01", {"owner": "ann"})), deal("y", ("2024-01-01", {"owner": "bob"}))]
    snapshot = take_snapshots(tell([*won, *lost, *still]), [day("2024-03-01"), day("2024-03-05")])
    found = describe(snapshot).numbers.assign(day=snapshot.open["as_of"], deal=snapshot.open["deal"])
    before = found[found["day"] == day("2024-03-01")].set_index("deal")["owner_wins"]
    after = found[found["day"] == day("2024-03-05")].set_index("deal")["owner_wins"]
    assert before[10] == 0.0  # nobody knows yet of ann's wins
    assert after[10] > 0.0 > after[11]
    # 5 of 5 won, pulled towards 1/2 with the weight of 20 deals.
    assert after[10] == pytest.approx(np.log((15 / 25) / (10 / 25)))


def test_an_empty_snapshot_has_the_same_columns(now: Snapshot) -> None:
    none = describe(now.take(np.zeros(0, dtype=int)))
    some = describe(now)
    assert list(none.numbers) == list(some.numbers)
    assert list(none.categories) == list(some.categories)
    assert len(none.numbers) == len(none.categories) == 0


def test_every_number_is_finite_or_missing(lessons: Lessons) -> None:
    values = describe(lessons.snapshot).numbers.to_numpy()
    assert np.isfinite(values[~np.isnan(values)]).all()


def test_a_customers_past_counts_what_was_written_by_the_day_and_a_source_is_shrunk() -> None:
    told_of = {"w": ("A", "web"), "l": ("A", "fair"), "late": ("A", "fair"), "o": ("A", "web"), "n": ("B", "fair")}
    begun = ("2024-01-02", {"stage": "Talk"})
    closed = {"w": ("2024-02-01", "won"), "l": ("2024-02-02", "lost"), "late": ("2024-03-09", "won")}
    deals = [deal(n, begun, *((d, {"status": s}) for k, (d, s) in closed.items() if k == n)) for n in told_of]
    taken = take_snapshots(tell(deals), [day("2024-03-01")])
    frames = {}
    for name in ("open", "closings"):
        frame = getattr(taken, name)
        ids = frame["deal_id"].astype(str).map(told_of)
        frames[name] = frame.assign(account_id=ids.str[0], lead_source=ids.str[1])
    roles = {**taken.roles, "account_id": "birth", "lead_source": "birth"}
    snapshot = replace(taken, roles=roles, **frames)
    told = describe(snapshot).numbers.set_index(snapshot.open["deal_id"].astype(str))
    counts = np.expm1(told.loc[["o", "n"], ["customer_won", "customer_lost"]])
    np.testing.assert_allclose(counts, [[1, 1], [0, 0]], atol=1e-12)
    web, fair = told.loc[["o", "n"], "source_wins"]
    assert 0 < web < 0.2
    assert web == pytest.approx(-fair)
