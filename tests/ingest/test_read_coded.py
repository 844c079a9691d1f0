"""Judging each distinct text once, reading only what is asked for, and reading ahead change nothing of what is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeforecast.ingest as ingest
from pipeforecast.errors import DataError
from pipeforecast.ingest import Export, read_export
from pipeforecast.ingest.coded import blanked, coded, decoded, distinct, each, is_coded, positions, recoded
from pipeforecast.ingest.dates import parse_dates, plain_times
from pipeforecast.ingest.files import Source
from pipeforecast.ingest.numbers import looks_grouped, parse_numbers
from pipeforecast.ingest.reading import Reading
from pipeforecast.mapping import CrmMapping, DateSettings, NumberSettings

Shipped = Callable[..., CrmMapping]
TEXTS = ["", " ", "ann", " ann", "Ann ", "bob", "Ünal", "2024-02-29", "1,234.50", "1.234", "7", "true"]
columns = st.lists(st.sampled_from(TEXTS), max_size=40)


def both(texts: list[str]) -> tuple[pd.Series, pd.Series]:
    """Give a column as codes and as text, missing where it is empty."""
    frame = coded(pa.table({"c": pa.chunked_array([pa.array(texts * 2, pa.large_string())])}))
    text = pd.Series([t.strip() for t in texts * 2], dtype="string")
    assert is_coded(frame["c"])
    return blanked(frame["c"], [""]), text.mask(text.eq(""))


@given(columns)
@settings(max_examples=60, deadline=None)
def test_codes_stand_for_their_texts(texts: list[str]) -> None:
    codes, text = both(texts)
    pd.testing.assert_series_equal(decoded(codes), text, check_names=False)
    for column in (codes, text, codes.iloc[::2], text.iloc[::2]):
        number, found = distinct(column)
        plain = decoded(column)
        assert found.tolist() == plain.dropna().unique().tolist()  # in the order of their first rows
        assert [plain[i] for i in found.index] == found.tolist()
        assert [found.iloc[n] if n >= 0 else None for n in number] == plain.astype("object").where(
            plain.notna(), None
        ).tolist()
    folded = recoded(codes, lambda t: t.str.casefold().mask(t.eq("bob")))
    assert is_coded(folded)
    pd.testing.assert_series_equal(decoded(folded), text.str.casefold().mask(text.eq("bob")), check_names=False)
    long = each(codes, lambda t: t.str.len() > 3).astype("boolean")
    pd.testing.assert_series_equal(long, (text.str.len() > 3).astype("boolean"), check_names=False)


@given(columns, st.lists(st.sampled_from(TEXTS[2:]), max_size=6, unique=True))
@settings(max_examples=60, deadline=None)
def test_places_are_those_of_a_dictionary(texts: list[str], among: list[str]) -> None:
    known = pd.Series(among, dtype="string")
    expected = [among.index(t) if t in among else -1 for t in (t.strip() for t in texts * 2)]
    for column in both(texts):
        assert positions(column, known).tolist() == expected


def test_columns_that_do_not_repeat_themselves_stay_text() -> None:
    names = [f"id {i} " for i in range(30)]
    frame = coded(pa.table({"own": names, "few": ["a", "a "] * 15, "sparse": ["", " ", *names[:28]]}))
    assert [is_coded(frame[c]) for c in frame] == [False, True, False]
    assert frame["own"].tolist() == [n.strip() for n in names]
    assert frame["few"].cat.categories.tolist() == ["a"]


ISO = st.datetimes(pd.Timestamp("1677-09-22").to_pydatetime(), pd.Timestamp("2262-04-10").to_pydatetime())


@given(st.lists(st.none() | ISO, min_size=1), st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"]))
@settings(max_examples=60, deadline=None)
def test_plain_days_and_times_are_read_in_bulk_as_one_by_one(told: list[Any], form: str) -> None:
    text = pd.Series([None if t is None else t.strftime(form) for t in told], dtype="string")
    quick, slow = plain_times(text), parse_dates(text, "here", DateSettings())
    if quick is None:
        assert text.isna().all()
    else:
        pd.testing.assert_series_equal(quick, slow)


@pytest.mark.parametrize("odd", ["2024-02-30", "0000-00-00", "2024-1-5", "05/01/2024", "2024-01-05T10:30:00+02", ""])
def test_a_column_with_one_odd_cell_is_not_read_in_bulk(odd: str) -> None:
    assert plain_times(pd.Series(["2024-01-05", odd], dtype="string")) is None
    assert plain_times(pd.Series(["2024-01-05T10:30:00Z", odd], dtype="string")) is None


def test_times_of_other_zones_are_not_turned_into_utc() -> None:
    text = pd.Series(["2024-01-05T10:30:00+02:00", "2024-01-05T10:30:00+02:00"], dtype="string")
    assert plain_times(text) is None
    assert parse_dates(text, "here", DateSettings()).tolist() == [pd.Timestamp("2024-01-05 10:30")] * 2


@given(st.lists(st.none() | st.floats(-1e13, 1e13).map(lambda x: f"{x:.2f}") | st.integers().map(str)))
@settings(max_examples=80, deadline=None)
def test_numbers_are_what_python_reads(told: list[str | None]) -> None:
    text = pd.Series([*told, *told], dtype="string")
    expected = [np.nan if t is None else float(t) for t in text.astype("object").where(text.notna(), None)]
    codes = pd.Series(pd.Categorical(text), index=text.index)
    for column in (text, codes):
        np.testing.assert_array_equal(parse_numbers(column, "here", NumberSettings()).to_numpy(), expected)


def test_decimals_of_three_digits_are_noticed_in_codes_and_beyond_the_first_rows() -> None:
    many = pd.Series(["1.234"] * 3000, dtype="string")
    late = many.copy()
    late.iloc[-1] = "1.5"
    for column, looks in ((many, True), (late, False), (many[:3], True), (many[:2], False)):
        assert looks_grouped(column, NumberSettings()) is looks
        assert looks_grouped(column.astype("category"), NumberSettings()) is looks


DEALS = "Id,Name,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,OwnerId,Secret__c,MasterRecordId\n" + "".join(
    f"d{i},deal {i},Prospecting,{i}00.00,2024-05-0{i},2024-01-0{i}T08:00:00Z,false,false,u1,for nobody,\n"
    for i in range(1, 8)
)


def test_columns_that_nothing_asks_for_are_not_read(shipped: Shipped, tmp_path: Path) -> None:
    (tmp_path / "Opportunity.csv").write_text(DEALS, encoding="utf-8")
    (tmp_path / "User.csv").write_text("Id,Name,Email,Phone\nu1,Ann,ann@reps.example,1\n", encoding="utf-8")
    reading = Reading(shipped("salesforce"), Source.at(tmp_path, []))
    deals, users = reading.cells(["Opportunity"]), reading.cells(["User"])
    assert deals is not None
    assert users is not None
    assert "Secret__c" not in deals
    assert "MasterRecordId" in deals  # a mark that is looked at unasked
    assert {"Id", "Name"} <= set(users.columns)
    assert not {"Email", "Phone"} & set(users.columns)
    assert deals.attrs["columns"] == DEALS.split("\n", 1)[0].split(",")


def test_an_absent_column_is_told_with_all_that_are_there(read: Callable[..., Export]) -> None:
    with pytest.raises(DataError, match=r"no column 'StageName'.*near it are 'Stage_Name_Old'.*'Secret__c'"):
        read("salesforce", {"Opportunity.csv": DEALS.replace("StageName", "Stage_Name_Old")})


@pytest.mark.parametrize("ahead", [True, False])
def test_what_is_odd_is_told_in_the_order_of_asking(
    ahead: bool, shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are read while others are judged, each once, and nobody can tell by the findings."""
    (tmp_path / "Opportunity.csv").write_text(DEALS.replace("deal 1", "café").replace("u1,", "u9,"), encoding="cp1252")
    (tmp_path / "User.csv").write_text("Id,Name\nu1,Zoë\n", encoding="cp1252")
    (tmp_path / "Lead.csv").write_text("Id,CreatedDate,Status\nl1,2024-01-01,Né\n,2024-01-02,\n", encoding="cp1252")
    (tmp_path / "Task.csv").write_text("Type,CreatedDate,WhatId\nCall,2024-01-03,d1\nÉ,,d2\n", encoding="cp1252")
    if not ahead:
        monkeypatch.setattr(ingest, "in_turn", lambda mapping: ())
    found = [(f.code, f.table) for f in read_export(shipped("salesforce"), tmp_path).findings]
    told = [f for f in found if f[0] in ("ENCODING-GUESSED", "LOOKUP-UNMATCHED", "ROWS-INCOMPLETE")]
    assert told == [
        ("ENCODING-GUESSED", "Opportunity.csv"), ("ENCODING-GUESSED", "User.csv"), ("LOOKUP-UNMATCHED", "deals"),
        ("ENCODING-GUESSED", "Lead.csv"), ("ROWS-INCOMPLETE", "leads"),
        ("ENCODING-GUESSED", "Task.csv"), ("ROWS-INCOMPLETE", "touches"),
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_an_error_where_it_is_asked_for(shipped: Shipped, tmp_path: Path) -> None:
    (tmp_path / "Opportunity.csv").write_text(DEALS, encoding="utf-8")
    (tmp_path / "Task.csv").write_text("Type,CreatedDate\nCall,2024-01-03\nCall\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"Task\.csv cannot be read"):
        read_export(shipped("salesforce"), tmp_path)
