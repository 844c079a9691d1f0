"""Calls: the latest word of each on each group, by the evening; what nobody said is no nought."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asking import ask

from pipeforecast.contract import conform
from pipeforecast.forecast import Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from worked_example import CALENDAR, CALLS, PERIOD

Taught = tuple[Lessons, Snapshot]


def call(made_at: str, person: str, amount: float, layer: str = "rep", **more: Any) -> dict[str, Any]:
    return {"made_at": made_at, "person": person, "layer": layer, "period": "2024Q2", "amount": amount, **more}


def called(taught: Taught, *calls: dict[str, Any], rule: str = "rep_call", levels: tuple[str, ...] = ()) -> Forecast:
    table = conform(pd.DataFrame(list(calls)), "calls")
    return ask(rule, (replace(taught[0], tables={"calls": table}), taught[1]), PERIOD, *levels)


def rows(made: Forecast) -> dict[tuple[str, str], float]:
    """Amounts by level and group."""
    assert set(made.cells["part"]) == {"total"}
    return dict(zip(zip(made.cells["level"], made.cells["group"], strict=True), made.mean, strict=True))


@pytest.mark.parametrize(
    ("rule", "level", "groups"),
    [
        ("rep_call", "owner", {"ann": 200.0, "bob": 300.0}),
        ("manager_call", "manager", {"mia": 450.0}),
        ("executive_call", "region", {}),
    ],
)
def test_people_are_the_groups_of_their_own_level(taught: Taught, rule: str, level: str, groups: dict) -> None:
    found = rows(ask(rule, taught, PERIOD, "segment", level))
    assert found == {("total", "total"): found["total", "total"], **{(level, g): v for g, v in groups.items()}}


def test_a_call_that_is_made_later_is_not_heard(taught: Taught) -> None:
    early = called(
        taught, call("2024-04-30", "ann", 1.0), call("2024-05-01", "ann", 2.0), call("2024-05-01", "bob", 4.0)
    )
    assert early.value() == 1.0


def test_the_last_of_one_day_is_the_last_that_was_written(taught: Taught) -> None:
    assert called(taught, call("2024-04-30", "ann", 1.0), call("2024-04-30", "ann", 2.0)).value() == 2.0
    assert called(taught, call("2024-04-30", "ann", 2.0), call("2024-04-02", "ann", 1.0)).value() == 2.0


@pytest.mark.parametrize("rule", ["rep_call", "manager_call", "executive_call"])
def test_what_nobody_said_is_not_nought(taught: Taught, rule: str) -> None:
    third = CALENDAR.shift(PERIOD, 2)
    silent = replace(taught[0], tables={})
    for made in (ask(rule, taught, third, "owner", "manager"), ask(rule, (silent, taught[1]), PERIOD, "owner")):
        assert np.isnan(made.value())
        assert rows(made).keys() == {("total", "total")}


def test_who_calls_nothing_has_said_so(taught: Taught) -> None:
    found = rows(called(taught, call("2024-04-30", "ann", 0.0), levels=("owner",)))
    assert found == {("total", "total"): 0.0, ("owner", "ann"): 0.0}


def test_a_call_holds_until_the_next_one(taught: Taught) -> None:
    """Also one that was made long before the period began."""
    assert called(taught, call("2023-11-01", "ann", 5.0), call("2024-04-30", "bob", 2.0)).value() == 7.0


def test_periods_are_named_as_in_the_calendar(taught: Taught) -> None:
    assert ask("rep_call", taught, CALENDAR.named("2024Q3")).value() == 5000.0
    assert ask("rep_call", taught, CALENDAR.named("2024Q1")).value() == 7.0
    assert set(CALLS["period"]) == {"2024Q1", "2024Q2", "2024q2", "2024Q3"}


# Categories


def test_the_call_is_what_commits(taught: Taught) -> None:
    words = [("Pipeline", 900.0), ("Forecast", 5.0), ("Best Case", 70.0)]
    assert called(taught, *(call("2024-04-30", "ann", a, category=c) for c, a in words)).value() == 5.0


def test_a_later_best_case_is_no_later_call(taught: Taught) -> None:
    found = called(
        taught, call("2024-04-10", "ann", 5.0, category="Commit"), call("2024-04-20", "ann", 70.0, category="Best Case")
    )
    assert found.value() == 5.0


def test_a_call_without_a_category_is_a_call(taught: Taught) -> None:
    words = [("10", 5.0, "Commit"), ("20", 6.0, None), ("21", 90.0, "Upside")]
    assert called(taught, *(call(f"2024-04-{d}", "ann", a, category=c) for d, a, c in words)).value() == 6.0


def test_the_only_category_that_a_layer_uses_is_its_call(taught: Taught) -> None:
    found = called(taught, call("2024-04-10", "ann", 5.0, category="Expected"),
                   call("2024-04-10", "mia", 9.0, layer="manager", category="Commit"))  # fmt: skip
    assert found.value() == 5.0


def test_categories_of_which_none_commits_are_not_added_up(taught: Taught) -> None:
    words = [("Likely", 5.0), ("Hoped for", 70.0)]
    assert np.isnan(called(taught, *(call("2024-04-30", "ann", a, category=c) for c, a in words)).value())


# Levels and groups


def test_a_call_on_a_group_replaces_the_earlier_one_on_it_by_whoever(taught: Taught) -> None:
    """A manager who takes a team over calls for it; two who call the whole company say the same thing twice."""
    team = {"level": "team", "group": "north", "layer": "manager"}
    found = called(taught, call("2024-04-01", "mia", 10.0, **team), call("2024-04-20", "max", 12.0, **team),
                   rule="manager_call", levels=("team",))  # fmt: skip
    assert rows(found) == {("total", "total"): 12.0, ("team", "north"): 12.0}
    found = called(taught, call("2024-04-01", "eve", 10.0, "executive"), call("2024-04-20", "cfo", 12.0, "executive"),
                   rule="executive_call", levels=("manager",))  # fmt: skip
    assert rows(found) == {("total", "total"): 12.0}


def test_calls_at_two_levels_count_once(taught: Taught) -> None:
    """By segment at first, as a whole later: the segments' calls are out of date."""
    split = [call("2024-04-01", "mia", a, "manager", level="segment", group=g) for g, a in (("ent", 3.0), ("smb", 4.0))]
    whole = call("2024-04-20", "mia", 9.0, "manager", level=None, group=None)
    first = rows(called(taught, *split, rule="manager_call", levels=("segment", "manager")))
    assert first == {("total", "total"): 7.0, ("segment", "ent"): 3.0, ("segment", "smb"): 4.0}
    later = rows(called(taught, *split, whole, rule="manager_call", levels=("segment", "manager")))
    assert later == {("total", "total"): 9.0, ("manager", "mia"): 9.0}


def test_layers_do_not_mix(taught: Taught) -> None:
    calls = [
        call("2024-04-01", "ann", 1.0),
        call("2024-04-01", "mia", 2.0, "manager"),
        call("2024-04-01", "x", 4.0, "VP"),
    ]
    assert [called(taught, *calls, rule=r).value() for r in ("rep_call", "manager_call")] == [1.0, 2.0]
    assert np.isnan(called(taught, *calls, rule="executive_call").value())


def test_calls_of_a_company_are_those_of_its_owners(lessons: Lessons, now: Snapshot, period: Any) -> None:
    """The made-up company names its quarters as the calendar does, and calls by the owners' own ids."""
    calls = lessons.tables["calls"]
    assert set(calls["period"]) <= {p.name for p in CALENDAR.before(CALENDAR.shift(period, 2), 60)}
    found = rows(ask("rep_call", (lessons, now), period, "owner"))
    owners = {group for level, group in found if level == "owner"}
    assert owners
    assert owners <= set(lessons.deals["owner"].dropna())
    assert found.pop(("total", "total")) == pytest.approx(sum(found.values()))
