from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.textcells import RISKY, meant, shown, shown_frame


@given(st.text(max_size=20))
def test_a_text_is_read_back_as_it_was_and_never_begins_like_a_formula(text: str) -> None:
    assert meant(shown(text)) == text
    assert not shown(text).startswith(tuple(r for r in RISKY if r != "'"))


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1", "-5", "@SUM(A1)", "\t=1", "＝1"])
def test_what_a_spreadsheet_would_run_is_shown(text: str) -> None:
    assert shown(text) == "'" + text


def test_only_texts_of_a_frame_are_touched() -> None:
    frame = pd.DataFrame({"a": ["=x", None], "b": [-1.0, 2.0], "c": pd.Series(["ok", "-"], dtype="string")})
    made = shown_frame(frame)
    assert made["a"].iloc[0] == "'=x"
    assert made["a"].isna().tolist() == [False, True]
    assert made["b"].tolist() == [-1.0, 2.0]
    assert made["c"].tolist() == ["ok", "'-"]


def test_text_that_a_spreadsheet_would_run_gets_a_quote_and_nothing_else_changes() -> None:
    told = pd.DataFrame({
        "name": ["=1+1", "+cmd", "-2", "@x", "\tx", "plain", "", "-", None], "amount": [-1.5] * 9,
        "on": pd.to_datetime(["2024-01-01"] * 9), "yes": [True] * 9,
    })  # fmt: skip
    kept = told.copy()
    out = shown_frame(told)
    assert out["name"].tolist()[:8] == ["'=1+1", "'+cmd", "'-2", "'@x", "'\tx", "plain", "", "'-"]
    assert pd.isna(out["name"].iloc[8])
    pd.testing.assert_frame_equal(out.drop(columns="name"), told.drop(columns="name"))
    pd.testing.assert_frame_equal(told, kept)
    assert shown_frame(told.iloc[:0]).empty


def test_files_of_results_are_made_safe_in_one_place() -> None:
    """Twice would show two apostrophes: ``results.write_csv`` does it for every verb."""
    import pipeforecast.workflow

    home = Path(pipeforecast.workflow.__file__).parent
    assert [p.name for p in home.glob("*.py") if "shown_frame" in p.read_text(encoding="utf-8")] == []
