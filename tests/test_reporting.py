"""Who a deal counts for: its owner at closing and that owner's manager then; new business of people who left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.backtest import Origin, backtest
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import ADDENDS, NO_GROUP, PARTS, Forecast
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import gather_lessons
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.reporting import NOT_YET_ASSIGNED, assigned_today, credited, manager_on, owner_when_closed
from pipeforecast.rules import RULES
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import MUTATIONS, day, deal, lessons_of, tell

CALENDAR = FiscalCalendar()
LEVELS = ("owner", "manager", "region", "segment")


def line_of(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["owner", "manager", "valid_from"]).astype(
        {"owner": "string", "manager": "string", "valid_from": "datetime64[s]"}
    )


#: Ann moves from Mia to Max on 1 May; Bob was hired on 1 February; Cyd has a line without a day.
LINE = line_of(
    ("ann", "max", "2024-05-01"), ("ann", "mia", "2020-01-01"), ("bob", "mia", "2024-02-01"), ("cyd", "max", None)
)


def asked(line: pd.DataFrame, *asks: tuple[str | None, str]) -> list[str | None]:
    owner = pd.Series([a for a, _ in asks], dtype="string", index=range(5, 5 + len(asks)))
    on = pd.Series([day(d) for _, d in asks], index=owner.index)
    found = manager_on(line, owner, on)
    assert found.index.equals(owner.index)
    return [None if pd.isna(m) else str(m) for m in found]


# To whom an owner reported


def test_the_last_line_that_is_valid_by_the_evening_counts() -> None:
    assert asked(
        LINE, ("ann", "2024-05-02"), ("ann", "2024-05-01"), ("ann", "2024-04-30"), ("ann", "2019-12-31"),
        ("bob", "2024-01-31"), ("bob", "2024-02-01"), ("cyd", "1999-01-01"), ("dan", "2024-05-01"),
        (None, "2024-05-01"),
    ) == ["max", "max", "mia", None, None, "mia", "max", None, None]  # fmt: skip


def test_of_lines_that_begin_on_one_day_the_last_counts() -> None:
    line = line_of(("ann", "mia", "2024-01-01"), ("ann", "max", "2024-01-01"), ("ann", "old", "2023-01-01"))
    assert asked(line, ("ann", "2024-01-01")) == ["max"]


def test_a_line_without_days_has_always_held() -> None:
    assert asked(LINE[["owner", "manager"]].tail(2), ("bob", "2020-01-01"), ("cyd", "2030-01-01")) == ["mia", "max"]


def test_an_hour_does_not_matter() -> None:
    late = LINE.assign(valid_from=LINE["valid_from"] + pd.Timedelta(hours=9))
    assert asked(late, ("ann", "2024-05-01"), ("ann", "2024-04-30 23:00")) == ["max", "mia"]


def test_one_day_may_be_asked_for_all() -> None:
    owner = pd.Series(["ann", "bob"], dtype="string")
    assert manager_on(LINE, owner, day("2024-05-01")).tolist() == ["max", "mia"]
    assert manager_on(LINE, owner.iloc[:0], day("2024-05-01")).empty
    assert manager_on(LINE.iloc[:0], owner, day("2024-05-01")).isna().all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 30)), max_size=12),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-2, 33)), min_size=1, max_size=12),
)
def test_it_says_what_a_plain_search_says(lines: list[tuple[str, str, int]], asks: list[tuple[str, int]]) -> None:
    begun = day("2024-01-01")
    since = [begun + pd.Timedelta(days=d) for _, _, d in lines]
    line = line_of(*((o, m, str(d.date())) for (o, m, _), d in zip(lines, since, strict=True)))
    expected = []
    for who, d in asks:
        hits = [(b, i, m) for i, (o, m, b) in enumerate(lines) if o == who and b <= d]
        expected.append(max(hits)[2] if hits else None)
    assert asked(line, *((who, str((begun + pd.Timedelta(days=d)).date())) for who, d in asks)) == expected


# A deal that changes hands

HANDS = [
    deal("past", ("2024-01-10", {"amount": 5.0, "owner": "ann", "stage": "Talk"}), ("2024-02-01", {"status": "won"})),
    # Ann hands it to Bob within the quarter, he wins it, and it is Cyd's when the money has come.
    deal("handed", ("2024-04-01", {"amount": 100.0, "owner": "ann", "stage": "Offer", "expected_close": "2024-06-20"}),
         ("2024-05-10", {"owner": "bob"}), ("2024-06-20", {"status": "won"}), ("2024-08-01", {"owner": "cyd"})),
    # Ann wins this one under Max, who got her on 1 May; it is written late.
    deal("kept", ("2024-04-01", {"amount": 30.0, "owner": "ann", "stage": "Talk", "expected_close": "2024-06-25"}),
         ("2024-07-03", {"status": "won", "closed_at": "2024-06-25"})),
    # Bob won this one before the move, and it was paid later.
    deal("early", ("2024-04-02", {"amount": 7.0, "owner": "ann", "stage": "Talk", "expected_close": "2024-06-25"}),
         ("2024-04-20", {"status": "won"})),
]  # fmt: skip


@pytest.fixture
def hands() -> DealHistory:
    told = tell(HANDS, until="2024-09-30")
    return replace(told, tables={"reporting_line": LINE})


def groups(found: Forecast, level: str, part: str = "total") -> dict[str, float]:
    c = found.cells
    hit = ((c["level"] == level) & (c["part"] == part)).to_numpy()
    return {g: float(m) for g, m in zip(c["group"][hit], found.mean[hit], strict=True) if m}


def test_an_open_deal_is_its_owners_of_the_day(hands: DealHistory) -> None:
    rows = take_snapshots(hands, [day("2024-04-30"), day("2024-05-05"), day("2024-05-15")]).open
    handed = rows[(rows["deal"] == 1).to_numpy()]
    assert handed["owner"].tolist() == ["ann", "ann", "bob"]
    assert handed["manager"].tolist() == ["mia", "max", "mia"]


def test_a_deal_that_changes_hands_moves_between_the_cells_of_its_owners_and_the_total_stays(
    hands: DealHistory,
) -> None:
    """Each open deal due brings what it is listed for, by the rule that takes it whole at a chance of 1."""
    whole = replace(hands, states=hands.states.assign(probability=1.0))
    found = []
    for name in ("2024-05-05", "2024-05-15"):
        lessons, now = lessons_of(whole, CALENDAR, day(name))
        found.append(RULES["crm_probability"].fit(lessons).forecast(now, CALENDAR.named("2024Q2"), LEVELS[:2]))
    assert [f.value() for f in found] == [137.0, 137.0]
    assert [groups(f, "owner") for f in found] == [{"ann": 137.0}, {"ann": 37.0, "bob": 100.0}]
    assert [groups(f, "manager") for f in found] == [{"mia": 7.0, "max": 130.0}, {"mia": 107.0, "max": 30.0}]


def test_what_came_true_goes_to_who_owned_it_when_it_closed(hands: DealHistory) -> None:
    second = CALENDAR.named("2024Q2")
    plan = Lessonplan((0, 30, 60), 2)
    rows = backtest(
        hands, CALENDAR, [RULES["stage_rate"]], [Origin(second.evening(30), 30, second)], plan=plan, levels=LEVELS[:2]
    ).rows
    actual = rows.set_index(["level", "group"])["actual"]
    assert actual["owner"].to_dict() == {"ann": 37.0, "bob": 100.0}
    assert actual["manager"].to_dict() == {"mia": 107.0, "max": 30.0}
    assert actual["total"].tolist() == [137.0]
    first = rows.set_index(["level", "group"])["actual_as_first_known"]
    assert first["owner"].to_dict() == {"ann": 7.0, "bob": 100.0}


def test_lessons_and_closings_say_the_same(hands: DealHistory) -> None:
    snapshot = take_snapshots(hands, [day("2024-09-30")])
    lessons = gather_lessons(hands, CALENDAR, snapshot, day("2024-09-30"))
    closed = snapshot.closed_by(day("2024-09-30")).set_index("deal")
    for rows in (lessons.deals, closed):
        assert rows["owner"].to_dict() == {0: "ann", 1: "bob", 2: "ann", 3: "ann"}
        assert rows["manager"].to_dict() == {0: "mia", 1: "mia", 2: "max", 3: "mia"}
    early = gather_lessons(hands, CALENDAR, snapshot, day("2024-04-25")).deals
    assert early["manager"].to_dict() == {0: "mia", 1: "mia", 2: "mia", 3: "mia"}
    assert early["status"].to_list() == ["won", "open", "open", "won"]


def test_a_closing_dated_ahead_is_under_the_line_of_the_day_it_was_written() -> None:
    ahead = deal("a", ("2024-03-01", {"owner": "ann"}), ("2024-04-20", {"status": "won", "closed_at": "2024-05-20"}))
    history = replace(tell([ahead], until="2024-06-30"), tables={"reporting_line": LINE})
    for until in ("2024-04-25", "2024-06-30"):
        lessons = gather_lessons(history, CALENDAR, take_snapshots(history, [day(until)]), day(until))
        assert lessons.deals["manager"].tolist() == ["mia"]


def test_a_deal_that_is_opened_again_is_closed_anew() -> None:
    history = tell([
        deal("a", ("2024-01-01", {"owner": "ann"}), ("2024-02-01", {"status": "lost"}),
             ("2024-02-05", {"owner": "bob"}), ("2024-03-01", {"status": "open"}),
             ("2024-04-01", {"status": "won"}), ("2024-05-01", {"owner": "cyd"})),
        deal("b", ("2024-01-02", {"owner": "dan", "status": "won"}), ("2024-01-03", {"owner": None})),
        deal("c", ("2024-01-02", {"status": "won"}), ("2024-01-03", {"owner": "eve"})),
    ])  # fmt: skip
    owner = [None if pd.isna(o) else o for o in owner_when_closed(history.states)]
    assert owner == ["ann", "ann", "ann", "bob", "bob", "bob", "dan", "dan", None, "eve"]


def test_without_a_line_a_mapped_manager_stays() -> None:
    told = [deal("a", ("2024-01-01", {"owner": "ann"}), manager="boss"),
            deal("b", ("2024-01-01", {"owner": "ann"}), ("2024-01-20", {"status": "won"}), manager="boss")]  # fmt: skip
    history = tell(told, until="2024-03-01", roles={"manager": "birth"})
    for tables, expected in (({}, "boss"), ({"reporting_line": LINE}, "mia")):
        one = replace(history, tables=tables)
        snapshot = take_snapshots(one, [day("2024-02-01")])
        lessons = gather_lessons(one, CALENDAR, snapshot, day("2024-02-01"))
        for rows in (snapshot.open, snapshot.closings, lessons.deals):
            assert set(rows["manager"]) == {expected}
    assert "manager" not in take_snapshots(tell(HANDS), [day("2024-05-01")]).open


# Nothing that was written later


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_written_later_changes_nobodys_manager(
    rewritten: Callable[[str], tuple[object, Snapshot]], now: Snapshot, name: str
) -> None:
    found = rewritten(name)[1]
    assert now.open["manager"].notna().all()
    assert now.open["manager"].nunique() > 0
    ids = [s.open["deal"].map(s.labels["deal_id"]) for s in (now, found)]
    one, other = (s.open["manager"].set_axis(i).sort_index() for s, i in zip((now, found), ids, strict=True))
    pd.testing.assert_series_equal(one, other)


def test_a_later_line_changes_nothing(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    line = company_history.tables["reporting_line"]
    later = line.assign(manager="somebody new", valid_from=(as_of + pd.Timedelta(days=1)).as_unit("s"))
    more = {**company_history.tables, "reporting_line": pd.concat([line, later], ignore_index=True)}
    histories = (company_history, replace(company_history, tables=more))
    one, other = (lessons_of(h, CALENDAR, as_of) for h in histories)
    pd.testing.assert_frame_equal(one[1].open, other[1].open)
    pd.testing.assert_frame_equal(one[1].closed_by(as_of), other[1].closed_by(as_of))
    pd.testing.assert_frame_equal(one[0].deals, other[0].deals)
    pd.testing.assert_frame_equal(one[0].snapshot.open, other[0].snapshot.open)
    assert (credited(histories[1].states, more["reporting_line"], day("2100-01-01"))["manager"] == "somebody new").any()


# New business of people who left


def people(owner: list[str | None], manager: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"owner": owner, "manager": manager}, dtype="string").assign(amount=1.0)


def test_people_who_left_get_no_new_business() -> None:
    """Ann now reports to Max; Bob left, Mia still has Cyd; Dan and his manager Old are gone; one owner is not named."""
    opened = people(["ann", "cyd", "ann"], ["max", "mia", "max"])
    pool = people(["ann", "bob", "dan", "cyd", None], ["mia", "mia", "old", None, "max"])
    found = assigned_today(pool, opened)
    assert found["owner"].tolist() == ["ann", NOT_YET_ASSIGNED, NOT_YET_ASSIGNED, "cyd", NOT_YET_ASSIGNED]
    assert found["manager"].tolist() == ["max", "mia", NOT_YET_ASSIGNED, "mia", "max"]
    assert found["amount"].equals(pool["amount"])
    assert pool["owner"].tolist()[1] == "bob"  # the lessons' own frame stays as it is


def test_deals_without_an_owner_stay_a_group_while_there_are_some() -> None:
    found = assigned_today(people([None, "bob"], [None, "mia"]), people([None], [None]))
    assert found["owner"].isna().tolist() == [True, False]
    assert found["owner"].tolist()[1] == NOT_YET_ASSIGNED


@pytest.mark.parametrize("n", [0, 3])
def test_with_nothing_open_all_of_it_is_not_yet_assigned(n: int) -> None:
    found = assigned_today(people(["ann"] * n, ["mia"] * n), people([], []))
    assert (found[["owner", "manager"]] == NOT_YET_ASSIGNED).to_numpy().all()
    bare = pd.DataFrame({"amount": [1.0] * n})
    assert assigned_today(bare, people([], [])).equals(bare)


def test_a_forecast_names_nobody_who_left(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    """One owner's open deals are handed over: what his past deals say of new ones is nobody's yet, the total stays."""
    lessons, now = lessons_of(company_history, CALENDAR, as_of)
    gone, heir = now.open["owner"].value_counts().index[:2]
    after = replace(now, open=now.open.assign(owner=now.open["owner"].replace({gone: heir})))
    fitted = PipelineForecaster(HazardModel(max_rows=300), draws=200, coefficient_draws=4).fit(lessons)
    ahead = CALENDAR.containing(as_of + pd.Timedelta(days=40))
    one, other = (fitted.forecast(n, ahead, ("owner", "manager")) for n in (now, after))
    assert groups(one, "owner", "new")[gone] > 0
    assert gone not in groups(other, "owner", "new")
    lost = groups(one, "owner", "new")[gone]
    kept = groups(one, "owner", "new").get(NOT_YET_ASSIGNED, 0.0)
    assert groups(other, "owner", "new")[NOT_YET_ASSIGNED] == pytest.approx(kept + lost)
    assert other.value("new") == pytest.approx(one.value("new"))
    owners = set(other.cells.loc[(other.cells["level"] == "owner").to_numpy(), "group"])
    won = now.closed_by(as_of)
    inside = (won["closed_at"] >= ahead.start).to_numpy()
    assert owners <= {NOT_YET_ASSIGNED, NO_GROUP, *after.open["owner"].dropna(), *won["owner"][inside].dropna()}


# Draws add up


def test_every_level_adds_up_to_the_total_in_every_draw(fitted: FittedPipeline, now: Snapshot) -> None:
    period = CALENDAR.containing(now.as_of + pd.Timedelta(days=1))
    found = fitted.forecast(now, period, LEVELS)
    assert found.draws is not None
    c = found.cells
    assert len(set(c.loc[(c["level"] == "owner").to_numpy(), "group"])) > 3
    for part in PARTS:
        whole = found.draw(part)
        for level in LEVELS:
            rows = ((c["level"] == level) & (c["part"] == part)).to_numpy()
            np.testing.assert_allclose(found.draws[rows].sum(axis=0), whole, rtol=1e-9, atol=1e-6)
            assert found.mean[rows].sum() == pytest.approx(found.value(part))
    assert found.draw("total") == pytest.approx(sum(found.draw(p) for p in ADDENDS))
