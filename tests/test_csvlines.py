"""The lines of a CSV file are those that pandas writes, whatever stands in the cells."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeforecast.csvlines import write_lines
from pipeforecast.textcells import meant, shown_frame

#: Without a carriage return, which pandas quotes from Python 3.13 on.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=6) | st.sampled_from(
    ["=1+1", "-", "'x", "a,b", 'say "so"', "two\nlines", "＝x"]
)
NUMBER = st.floats(width=64) | st.integers(-(10**12), 10**12).map(float) | st.sampled_from([-0.0, 1e10, 9999999999.5])
DAY = st.dates(date(1700, 1, 1), date(2200, 1, 1)).map(pd.Timestamp)
MIXED = TEXT | st.integers(-9, 9) | st.booleans() | NUMBER | DAY
COLUMNS = {
    "text": (TEXT, "string"),
    "object": (TEXT, "object"),
    "category": (TEXT, "category"),
    "mixed": (MIXED, "object"),
    "number": (NUMBER, "float64"),
    "perhaps": (NUMBER.filter(np.isfinite), "Float64"),
    "whole": (st.integers(-(2**62), 2**62), "Int64"),
    "flag": (st.booleans(), "boolean"),
    "day": (DAY, "datetime64[s]"),
}


def by_pandas(frame: pd.DataFrame, path: Path) -> bytes:
    shown_frame(frame).to_csv(path, index=False, date_format="%Y-%m-%d", float_format="%.10g")
    return path.read_bytes()


def by_us(frame: pd.DataFrame, path: Path) -> bytes:
    write_lines(frame, path)
    return path.read_bytes()


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=5))
    n = draw(st.integers(0, 6))
    columns = []
    for kind in kinds:
        values, dtype = COLUMNS[kind]
        cells = draw(st.lists(values | st.none(), min_size=n, max_size=n))
        columns.append(pd.Series(cells, dtype=dtype))
    return pd.concat([c.rename(f"a,{i}") for i, c in enumerate(columns)], axis=1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames())
def test_every_byte_is_what_pandas_writes(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert by_us(frame, tmp_path / "ours.csv") == by_pandas(frame, tmp_path / "theirs.csv")


@pytest.mark.parametrize("columns", [["a"], ["a", "b"]])
def test_a_file_that_is_made_in_several_pieces(
    columns: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeforecast.csvlines._AT_ONCE", 3)
    frame = pd.DataFrame({c: ["x", None, "", "=y", "z", "z", None] for c in columns})
    assert by_us(frame, tmp_path / "ours.csv") == by_pandas(frame, tmp_path / "theirs.csv")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    told = ["=1+1", "\r", "one\rtwo", "plain", "a,b", 'he said "no"', "two\nlines", "'quoted'"]
    write_lines(pd.DataFrame({"n": range(len(told)), "text": told}), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [meant(row["text"]) for row in rows] == told
    assert rows[0]["text"] == "'=1+1"
