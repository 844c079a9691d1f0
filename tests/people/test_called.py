"""Calls beside what came true: whose deals, which periods, which calls; and nothing that was written later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.people import biases, called_and_closed
from stories import MUTATIONS, day, deal, tell

CALENDAR = FiscalCalendar()
AS_OF = day("2024-07-15")
LINE = pd.DataFrame({
    "owner": pd.array(["ann", "bob", "ann"], dtype="string"),
    "manager": pd.array(["mia", "mia", "max"], dtype="string"),
    "valid_from": pd.to_datetime(["2020-01-01", "2020-01-01", "2024-05-01"]).astype("datetime64[s]"),
})  # fmt: skip
#: The records begin with 2024. Ann brings 10 and 30 (under Mia, then Max), Bob 5 and what Ann handed him, 100.
DEALS = [
    deal("first", ("2023-12-20", {"owner": "ann", "amount": 10.0}), ("2024-01-03", {"status": "won"}), region="north"),
    deal("bob's", ("2024-01-10", {"owner": "bob", "amount": 5.0}), ("2024-03-31", {"status": "won"}), region="south"),
    deal("handed", ("2024-04-01", {"owner": "ann", "amount": 100.0}), ("2024-05-10", {"owner": "bob"}),
         ("2024-06-20", {"status": "won"}), ("2024-07-01", {"owner": "ann"}), region="north"),
    deal("late", ("2024-04-01", {"owner": "ann", "amount": 30.0}),
         ("2024-07-03", {"status": "won", "closed_at": "2024-06-25"}), region="south"),
    deal("lost", ("2024-04-01", {"owner": "cyd", "amount": 30.0}), ("2024-06-03", {"status": "lost"})),
]  # fmt: skip


def call(made: str, person: str, layer: str, period: str, amount: float, **more: Any) -> dict[str, Any]:
    return {"made_at": day(made), "person": person, "layer": layer, "period": period, "amount": amount, **more}


def company(*calls: dict[str, Any], line: pd.DataFrame | None = LINE, until: str = "2024-09-30") -> DealHistory:
    tables = {"calls": pd.DataFrame(calls)} | ({} if line is None else {"reporting_line": line})
    return replace(tell(DEALS, until=until), tables=tables)


def found(history: DealHistory, as_of: pd.Timestamp = AS_OF) -> dict[tuple[str, str, str], tuple[int, float, float]]:
    table = called_and_closed(history, CALENDAR, as_of)
    keys = zip(table["layer"], table["person"], table["period"], strict=True)
    return dict(zip(keys, zip(table["n_calls"], table["call"], table["actual"], strict=True), strict=True))


def test_each_layer_is_set_beside_what_it_called() -> None:
    history = company(
        call("2024-04-05", "ann", "rep", "2024Q2", 80.0), call("2024-04-05", "bob", "Rep ", " 2024q2", 20.0),
        call("2024-04-06", "mia", "manager", "2024Q2", 90.0), call("2024-04-06", "max", "manager", "2024Q2", 9.0),
        call("2024-04-07", "eve", "executive", "2024Q2", 120.0), call("2024-01-02", "ann", "rep", "2024Q1", 12.0),
        call("2024-04-07", "cyd", "rep", "2024Q2", 40.0),
    )  # fmt: skip
    assert found(history) == {
        ("rep", "ann", "2024Q1"): (1, 12.0, 10.0), ("rep", "ann", "2024Q2"): (1, 80.0, 30.0),
        ("rep", "bob", "2024Q2"): (1, 20.0, 100.0), ("rep", "cyd", "2024Q2"): (1, 40.0, 0.0),
        ("manager", "mia", "2024Q2"): (1, 90.0, 100.0), ("manager", "max", "2024Q2"): (1, 9.0, 30.0),
        ("executive", "eve", "2024Q2"): (1, 120.0, 130.0),
    }  # fmt: skip


def test_a_period_has_one_vote_of_all_its_days_and_of_a_day_the_last_call_counts() -> None:
    history = company(
        call("2024-04-05 09:00", "ann", "rep", "2024Q2", 999.0), call("2024-04-05 17:00", "ann", "rep", "2024Q2", 60.0),
        call("2024-05-05", "ann", "rep", "2024Q2", 40.0), call("2024-07-02", "ann", "rep", "2024Q2", 30.0),
        call("2024-03-01", "ann", "rep", "2024Q2", 50.0),
    )  # fmt: skip
    assert found(history) == {("rep", "ann", "2024Q2"): (3, 50.0, 30.0)}  # what is said after the end is no forecast


def test_only_what_commits_is_a_call() -> None:
    history = company(
        call("2024-04-05", "ann", "rep", "2024Q2", 60.0, category="Commit"),
        call("2024-04-05", "ann", "rep", "2024Q2", 90.0, category="Best Case"),
    )
    assert found(history) == {("rep", "ann", "2024Q2"): (1, 60.0, 30.0)}


def test_who_calls_several_groups_has_called_once_each_is_told() -> None:
    """North is told in April, south in May, north anew in June; before May the person has not called whole."""
    south, north = ({"level": "region", "group": g} for g in ("south", "north"))
    history = company(
        call("2024-04-05", "mia", "manager", "2024Q2", 60.0, **north),
        call("2024-05-05", "mia", "manager", "2024Q2", 20.0, **south),
        call("2024-06-05", "mia", "manager", "2024Q2", 70.0, **north),
        call("2024-04-05", "max", "manager", "2024Q2", 60.0, **north),
    )
    assert found(history) == {
        ("manager", "mia", "2024Q2"): (2, 85.0, 130.0), ("manager", "max", "2024Q2"): (1, 60.0, 100.0),
    }  # fmt: skip


def test_who_calls_at_two_levels_is_heard_at_the_last() -> None:
    history = company(
        call("2024-04-05", "mia", "manager", "2024Q2", 60.0, level="region", group="north"),
        call("2024-04-06", "mia", "manager", "2024Q2", 95.0, level="manager", group="mia"),
    )
    assert found(history) == {("manager", "mia", "2024Q2"): (1, 95.0, 100.0)}


def test_whose_deals_are_not_known_is_not_told() -> None:
    """A name that owns nothing, a region that is nowhere, a manager without a line, an owner of today only."""
    calls = [
        call("2024-04-05", "Ann Smith", "rep", "2024Q2", 60.0), call("2024-04-06", "mia", "manager", "2024Q2", 95.0),
        call("2024-04-06", "max", "manager", "2024Q2", 9.0, level="region", group="nowhere"),
    ]  # fmt: skip
    assert np.isnan(found(company(*calls))["rep", "Ann Smith", "2024Q2"][2])
    without = found(company(*calls, line=None))
    assert np.isnan([without["manager", m, "2024Q2"][2] for m in ("mia", "max")]).all()
    todays = company(call("2024-04-05", "ann", "rep", "2024Q2", 60.0), calls[1])
    todays = replace(todays, roles={**todays.roles, "owner": "today"})
    assert np.isnan([actual for _, _, actual in found(todays).values()]).all()


def test_only_complete_periods_of_this_calendar_that_the_records_hold() -> None:
    """The running one is not over, of 2023Q4 the records hold nothing, and months are not quarters."""
    history = company(*(call("2023-10-02", "ann", "rep", p, 60.0) for p in ("2023Q4", "2024Q1", "2024Q3", "2024-04")))
    assert list(found(history)) == [("rep", "ann", "2024Q1")]
    assert found(history, day("2024-03-30")) == {}
    assert list(found(history, day("2024-03-31"))) == [("rep", "ann", "2024Q1")]


def test_a_period_in_which_wins_begin_to_be_recorded_does_not_count() -> None:
    """Without the first deal the first win is of 31 March: what the quarter brought before is not known."""
    calls = [call("2024-01-05", "bob", "rep", p, 60.0) for p in ("2024Q1", "2024Q2")]
    history = replace(tell(DEALS[1:], until="2024-09-30"), tables={"calls": pd.DataFrame(calls)})
    assert list(found(history)) == [("rep", "bob", "2024Q2")]


def test_how_calls_are_categorised_later_does_not_matter() -> None:
    """By then nobody had said Commit, so that the one category there was is the call."""
    said = call("2024-04-05", "ann", "rep", "2024Q2", 60.0, category="Guess")
    later = call("2024-07-16", "ann", "rep", "2024Q3", 60.0, category="Commit")
    assert found(company(said, later)) == {("rep", "ann", "2024Q2"): (1, 60.0, 30.0)}
    written_later = company(said, later, until="2024-07-15")  # the export ends with the day itself
    assert found(written_later) == {("rep", "ann", "2024Q2"): (1, 60.0, 30.0)}


def test_actuals_are_as_written_by_then() -> None:
    history = company(call("2024-04-05", "ann", "rep", "2024Q2", 60.0))
    assert found(history, day("2024-06-30"))["rep", "ann", "2024Q2"] == (1, 60.0, 0.0)  # the late one came in July
    assert found(history, AS_OF)["rep", "ann", "2024Q2"] == (1, 60.0, 30.0)


@pytest.mark.parametrize("calls", [None, []])
def test_without_calls_there_is_nothing_to_tell(calls: list[dict[str, Any]] | None) -> None:
    none = pd.DataFrame(columns=["made_at", "person", "layer", "period", "amount"]).astype({"made_at": "datetime64[s]"})
    history = replace(tell(DEALS), tables={} if calls is None else {"calls": none})
    assert called_and_closed(history, CALENDAR, AS_OF).empty
    assert biases(history, CALENDAR, AS_OF).empty
    nothing = replace(tell([]), tables={"calls": pd.DataFrame([call("2024-04-05", "ann", "rep", "2024Q2", 60.0)])})
    assert called_and_closed(nothing, CALENDAR, AS_OF).empty


@pytest.mark.parametrize("name", MUTATIONS)
def test_nothing_written_later_changes_what_is_told(
    company_history: DealHistory, as_of: pd.Timestamp, name: str
) -> None:
    """Also calls made later, and lines that begin later."""
    mutated = MUTATIONS[name](company_history, as_of, np.random.default_rng(3))
    later = (as_of + pd.Timedelta(days=1)).as_unit("s")
    more = {
        "calls": mutated.tables["calls"].assign(made_at=later, amount=1e9),
        "reporting_line": mutated.tables["reporting_line"].assign(valid_from=later, manager="somebody new"),
    }
    more = {k: pd.concat([mutated.tables[k], v], ignore_index=True) for k, v in more.items()}
    mutated = replace(mutated, tables={**mutated.tables, **more})
    before, after = (biases(h, CALENDAR, as_of) for h in (company_history, mutated))
    assert before["n_periods"].max() > 8
    assert set(before["layer"]) == {"rep", "manager", "executive"}
    pd.testing.assert_frame_equal(after, before)
