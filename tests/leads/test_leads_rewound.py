"""Leads on a past evening: nothing written later changes what is known, described or foretold of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_tables import BIRTH, made, rewritten
from pipeforecast.contract import conform
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.leadmodels import Candidate, LeadModel, LeadRows, fit_plain
from pipeforecast.leads import (
    LeadBook,
    LeadFeatures,
    decision_rows,
    describe_leads,
    lead_book,
    lesson_rows,
    observe_leads,
    open_leads,
    take_lead_snapshot,
)

TABLES = made()


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def book_of(tables: dict[str, pd.DataFrame], accept: tuple[str, ...] = ()) -> LeadBook:
    return lead_book(tables, BIRTH, ("pages",), accept)


def one(**facts: object) -> dict[str, pd.DataFrame]:
    """One lead with the days that are given."""
    frame = pd.DataFrame([{"lead_id": "A", "created_at": "2024-03-01", **facts}])
    for name in frame:
        if str(name).endswith("_at"):
            frame[name] = frame[name].astype("datetime64[s]")
    return {"leads": conform(frame, "leads")}


def described(book: LeadBook, as_of: pd.Timestamp) -> tuple[pd.DataFrame, LeadFeatures]:
    known = book.known_by(as_of)
    rows = open_leads(known, "converted", as_of)
    ids = known.leads["lead_id"].iloc[rows["lead"].to_numpy()].reset_index(drop=True).to_frame()
    return ids, describe_leads(take_lead_snapshot(known, rows), "converted")


def taught(book: LeadBook, as_of: pd.Timestamp) -> LeadModel:
    known = book.known_by(as_of)
    rows = lesson_rows(known, "converted")
    came = observe_leads(known, rows, "converted", 30)["converted_within"]
    rows, y = rows[came.notna().to_numpy()].reset_index(drop=True), came.dropna().to_numpy(dtype="float64")
    features = describe_leads(take_lead_snapshot(known, rows), "converted")
    lead = rows["lead"].to_numpy()
    person = known.leads["person"].to_numpy()[lead]
    time = rows["as_of"].to_numpy().astype("datetime64[D]").astype("float64")
    return fit_plain(LeadRows(features, y, person, lead, time, 30.0), Candidate("logistic", 0.3))


@given(st.integers(0, 2**31), st.dates(day("2024-01-10").date(), day("2024-08-20").date()))
@settings(max_examples=30, deadline=None)
def test_nothing_that_is_written_later_changes_what_is_known(seed: int, on: object) -> None:
    as_of = pd.Timestamp(str(on))
    before = described(book_of(TABLES), as_of)
    after = described(book_of(rewritten(TABLES, as_of, np.random.default_rng(seed))), as_of)
    pd.testing.assert_frame_equal(before[0], after[0])
    for name in ("numbers", "categories", "flags", "touches"):
        pd.testing.assert_frame_equal(getattr(before[1], name), getattr(after[1], name))


@given(st.integers(0, 2**31))
@settings(max_examples=6, deadline=None)
def test_nothing_that_is_written_later_changes_a_score(seed: int) -> None:
    as_of = day("2024-06-01")
    scores = []
    for tables in (TABLES, rewritten(TABLES, as_of, np.random.default_rng(seed))):
        book = book_of(tables)
        scores.append(taught(book, as_of).chance(described(book, as_of)[1]))
    np.testing.assert_array_equal(scores[0], scores[1])


def test_what_is_written_by_the_evening_does_change_it() -> None:
    """The law above would hold of a snapshot that never looks."""
    as_of = day("2024-05-01")
    with_touch = {**TABLES, "touches": TABLES["touches"].assign(at=pd.Timestamp("2024-01-02").as_unit("s"))}
    before, after = (described(book_of(t), as_of)[1].numbers for t in (TABLES, with_touch))
    assert not before.equals(after)


def test_a_lead_is_seen_on_the_lesson_days_and_the_days_of_its_steps_while_it_is_open() -> None:
    book = book_of(one(mql_at="2024-03-06", converted_at="2024-03-10", first_response_at="2024-04-30"))
    rows = lesson_rows(book, "converted")
    assert [str(d.date()) for d in rows["as_of"]] == [
        "2024-03-01",
        "2024-03-02",
        "2024-03-04",
        "2024-03-06",
        "2024-03-08",
    ]
    assert list(lesson_rows(book, "mql")["as_of"].dt.day) == [1, 2, 4]


def test_the_label_counts_days_after_the_evening_and_young_leads_are_immature() -> None:
    book = book_of(one(converted_at="2024-03-11", first_response_at="2024-03-21"))
    rows = pd.DataFrame({"lead": [0, 0, 0], "as_of": pd.to_datetime(["2024-03-01", "2024-03-05", "2024-03-09"])})
    seen = observe_leads(book, rows, "converted", 7)
    assert list(seen["days_to_step"]) == [10, 6, 2]
    assert list(seen["converted_within"]) == [False, True, True]
    early = observe_leads(book, rows, "converted", 7, until=day("2024-03-12"))
    assert early["converted_within"].isna().tolist() == [False, False, True]  # converted, and as immature as the rest
    later = observe_leads(book, rows, "converted", 7, until=day("2024-03-10"))
    assert later["days_to_step"].isna().all()


def test_a_skipped_step_counts_as_passed() -> None:
    book = book_of(one(sql_at="2024-03-09"))
    assert str(book.reached("mql")[0])[:10] == "2024-03-09"
    assert np.isnat(book.reached("converted")[0])


def test_a_status_is_unknown_until_it_is_written_whatever_comes_later() -> None:
    log = conform(pd.DataFrame({
        "lead_id": ["A"], "changed_at": [pd.Timestamp("2024-03-05 10:00")], "field": ["status"], "value": ["Working"],
    }), "lead_changes")  # fmt: skip
    book = lead_book({**one(status="Working"), "lead_changes": log})
    rows = pd.DataFrame({"lead": [0, 0], "as_of": pd.to_datetime(["2024-03-04", "2024-03-05"])})
    assert list(describe_leads(take_lead_snapshot(book, rows), "converted").categories["status"]) == [
        "(missing)", "Working",
    ]  # fmt: skip


def test_touches_are_counted_by_kind_and_listed_with_their_age() -> None:
    touches = conform(pd.DataFrame({
        "lead_id": ["A", "A", "A"], "kind": ["sent", "sent", "called"],
        "at": pd.to_datetime(["2024-03-01 12:00", "2024-03-20 00:00", "2024-03-20 18:00"]),
    }), "touches")  # fmt: skip
    book = lead_book({**one(), "touches": touches})
    rows = pd.DataFrame({"lead": [0, 0], "as_of": pd.to_datetime(["2024-03-19", "2024-03-20"])})
    found = describe_leads(take_lead_snapshot(book, rows), "converted")
    assert found.numbers[["n_sent", "n_called", "n_recent"]].to_numpy().tolist() == [[1, 0, 0], [2, 1, 2]]
    assert found.touches.to_numpy().tolist() == [
        [0, "sent", 18.5],
        [1, "sent", 19.5],
        [1, "sent", 1.0],
        [1, "called", 0.25],
    ]
    assert found.rows(np.array([1])).touches["row"].tolist() == [0, 0, 0]


def test_todays_values_are_no_features_unless_they_are_accepted_and_it_is_said() -> None:
    book = book_of(TABLES)
    assert "pages" not in book.facts
    assert [f.code for f in book.findings] == ["LEAD-TODAYS-VALUES"]
    accepted = book_of(TABLES, ("pages",))
    assert accepted.facts == (*BIRTH, "pages")
    assert accepted.engagement == ("pages",)
    assert "LEAD-TODAYS-VALUES-ACCEPTED" in [f.code for f in accepted.findings]
    with pytest.raises(SettingsError, match="accept_todays_values"):
        book_of(TABLES, ("pagess",))


def test_one_person_is_one_code_and_repeated_ids_count_once() -> None:
    book = book_of(TABLES)
    assert book.leads.groupby(book.leads["person_key"])["person"].nunique().eq(1).all()
    assert book.leads["person"].nunique() == 30
    twice = {**TABLES, "leads": pd.concat([TABLES["leads"], TABLES["leads"].iloc[:5]], ignore_index=True)}
    again = book_of(twice)
    assert len(again.leads) == len(book.leads)
    assert [f.count for f in again.findings if f.code == "LEAD-REPEATED"] == [5]


def test_leads_without_a_day_are_left_out_where_others_have_one() -> None:
    leads = TABLES["leads"].copy()
    leads.loc[:2, "created_at"] = pd.NaT
    book = book_of({**TABLES, "leads": leads})
    assert len(book.leads) == len(leads) - 3
    assert [f.count for f in book.findings if f.code == "LEAD-UNDATED"] == [3]


def test_leads_without_dates_keep_their_order_and_need_an_outcome() -> None:
    leads = conform(
        pd.DataFrame({"lead_id": ["b", "a"], "lead_source": ["x", "y"], "converted": [True, False]}), "leads"
    )
    book = lead_book({"leads": leads}, ("lead_source",))
    rows = lesson_rows(book, "converted")
    assert not book.dated
    assert list(book.leads["lead_id"]) == ["b", "a"]
    assert observe_leads(book, rows, "converted", 90)["converted_within"].tolist() == [True, False]
    with pytest.raises(DataError, match="converted"):
        observe_leads(book, rows, "sql", 90)


def test_a_step_that_nobody_reached_is_refused() -> None:
    book = book_of(one(mql_at="2024-03-02"))
    with pytest.raises(SettingsError, match="mql"):
        observe_leads(book, decision_rows(book, "won", 0, None), "won", 30)


def test_addresses_and_free_text_are_no_features() -> None:
    n = 200
    leads = conform(pd.DataFrame({
        "lead_id": [f"L{i}" for i in range(n)], "created_at": pd.Timestamp("2024-01-01"),
        "mail": [f"a{i}@b.example" for i in range(n)], "note": [f"spoke with {i}" for i in range(n)],
        "kind": ["x", "y"] * 100,
    }), "leads")  # fmt: skip
    book = lead_book({"leads": leads}, ("mail", "note", "kind"))
    found = describe_leads(take_lead_snapshot(book, lesson_rows(book, "converted")), "converted")
    assert list(found.categories) == ["kind"]
