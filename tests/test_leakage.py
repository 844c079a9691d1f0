"""The audit finds what knows the outcome, says what means missing, and leaves honest columns alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.errors import DataError
from pipeforecast.leakage import Audit, audit

N = 600
RNG = np.random.default_rng(0)
Y = (RNG.random(N) < 0.25).astype(float)


def looked_at(column: object, name: str = "fact", **told: object) -> Audit:
    return audit(pd.DataFrame({name: column}), Y, told.pop("used", [name]), **told)  # type: ignore[arg-type]


def codes(found: Audit) -> list[str]:
    return [f.code for f in found.findings]


LEAKS = {
    "LEAK-ONLY-REACHED": pd.Series(np.where(Y == 1, "D-17", None)),
    "LEAK-ONLY-OTHERS": pd.Series(np.where(Y == 0, "too dear", None)),
    "LEAK-SEPARATES": pd.Series(Y * 10 + RNG.random(N)),
}


@pytest.mark.parametrize("code", LEAKS)
def test_what_leaks_beyond_doubt_stops_unless_it_is_allowed_by_name(code: str) -> None:
    found = looked_at(LEAKS[code])
    assert codes(found) == [code]
    assert found.findings[0].severity == "error"
    with pytest.raises(DataError, match=r"stops the training.*lead.allow_leaks=\[fact\]"):
        found.stop("lead.allow_leaks")
    allowed = looked_at(LEAKS[code], allow=["fact"])
    allowed.stop("lead.allow_leaks")
    assert [f.severity for f in allowed.findings] == ["warning"]
    unused = looked_at(LEAKS[code], used=[])
    unused.stop("lead.allow_leaks")
    assert [(f.severity, f.repair) for f in unused.findings] == [("info", "not used")]


def test_a_level_that_gives_the_outcome_away_is_found() -> None:
    assert codes(looked_at(pd.Series(np.where(Y == 1, "customer", "prospect")))) == ["LEAK-SEPARATES"]


def test_a_day_on_or_after_the_outcome_is_found() -> None:
    start = pd.Timestamp("2024-01-01")
    ended = pd.Series(start + pd.to_timedelta(RNG.integers(10, 90, N), unit="D"))
    at = ended.where(Y == 1).to_numpy().astype("datetime64[s]")
    after = looked_at(ended + pd.Timedelta(days=2), outcome_at=at)
    assert codes(after) == ["LEAK-FILLED-AFTERWARDS"]
    assert codes(looked_at(ended - pd.Timedelta(days=5), outcome_at=at)) == []


@pytest.mark.parametrize("name", ["duration", "lost_reason", "ClosedDate", "converted_account", "WonAmount"])
def test_names_of_what_comes_afterwards_are_left_out(name: str) -> None:
    found = looked_at(RNG.random(N), name)
    assert codes(found) == ["LEAK-NAME"]
    assert found.left_out == (name,)
    assert looked_at(RNG.random(N), name, allow=[name]).left_out == ()


@pytest.mark.parametrize("name", ["poutcome", "wonder", "age", "disclosed", "previous_calls"])
def test_other_names_are_left_alone(name: str) -> None:
    assert codes(looked_at(RNG.random(N), name)) == []


@given(st.integers(0, 2**31), st.sampled_from(["number", "text", "flag", "gaps"]))
@settings(max_examples=40, deadline=None)
def test_an_honest_column_is_never_refused(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    made = {
        "number": rng.normal(size=N) + 0.8 * Y, "text": rng.choice(list("abcdef"), N), "flag": rng.random(N) < 0.2,
        "gaps": np.where(rng.random(N) < 0.7, np.nan, rng.random(N)),
    }  # fmt: skip
    found = looked_at(made[kind])
    assert not found.stops
    assert not found.left_out


def test_a_few_rows_prove_nothing() -> None:
    y = np.array([1.0] * 5 + [0.0] * 5)
    assert audit(pd.DataFrame({"a": y}), y, ["a"]).findings == ()


def test_young_rows_are_not_looked_at_for_leaks() -> None:
    reached = np.where(np.arange(N) < 300, np.nan, Y)
    column = np.where(np.arange(N) < 300, "x", RNG.choice(["x", "y"], N))
    assert audit(pd.DataFrame({"a": column}), reached, ["a"]).findings == ()


def test_values_that_mean_missing_are_told() -> None:
    text = pd.Series(RNG.choice(["Select", "retail", "unknown", "NA", "None"], N))
    found = looked_at(text)
    assert codes(found) == ["HIDDEN-MISSING", "LEVEL-SWALLOWED"]
    assert set(found.findings[0].examples) == {"Select", "unknown", "NA", "None"}
    assert set(found.findings[1].examples) == {"NA", "None"}


@pytest.mark.parametrize("value", [-1.0, 999.0])
def test_numbers_that_mean_missing_are_found_and_others_are_not(value: float) -> None:
    days = RNG.integers(0, 90, N).astype(float)
    days[::7] = value
    found = looked_at(days)
    assert found.sentinels == {"fact": (value,)}
    assert codes(found) == ["HIDDEN-MISSING"]
    assert looked_at(RNG.normal(size=N).round()).sentinels == {}
    assert looked_at(RNG.integers(0, 1200, N).astype(float)).sentinels == {}


def test_four_hundred_columns_of_which_most_are_empty_are_one_finding() -> None:
    columns = {f"c{i}": RNG.random(N) if i < 20 else np.full(N, np.nan) for i in range(400)}
    found = audit(pd.DataFrame(columns), Y, list(columns))
    assert [(f.code, f.count) for f in found.findings] == [("COLUMN-EMPTY", 380)]
    assert len(found.left_out) == 380


@pytest.mark.parametrize(("reached", "others"), [(20, 20), (20, 40), (40, 100)])
def test_a_column_that_is_seldom_filled_stops_no_small_table_by_luck(reached: int, others: int) -> None:
    rng = np.random.default_rng(0)
    y = np.r_[np.ones(reached), np.zeros(others)]
    for share in (0.03, 0.08):
        for _ in range(50):
            column = pd.Series(np.where(rng.random(len(y)) < share, "spring", None), dtype="string")
            assert not audit(pd.DataFrame({"campaign": column}), y, ["campaign"]).stops


def test_a_column_that_one_outcome_alone_fills_stops_the_smallest_table_that_is_audited() -> None:
    y = np.r_[np.ones(20), np.zeros(20)]
    column = pd.Series(np.where(y == 0, "too dear", None), dtype="string")
    assert set(audit(pd.DataFrame({"why": column}), y, ["why"]).stops) == {"why"}


def test_an_allowed_column_that_is_not_there_is_told_with_what_is_near() -> None:
    found = looked_at(RNG.random(N), allow=["fakt"])
    told = [f for f in found.findings if f.code == "ALLOWED-UNKNOWN"]
    assert [(f.column, f.count) for f in told] == [("fakt", 1)]
    assert "did you mean 'fact'?" in told[0].advice
    assert not [f for f in looked_at(RNG.random(N), allow=["fact"]).findings if f.code == "ALLOWED-UNKNOWN"]
