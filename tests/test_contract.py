"""The promised columns: required ones are asked for by name, kinds are cast, others are left alone."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeforecast.contract import REWRITTEN_AT_CLOSING, STATUSES, TABLES, TRACKABLE, conform, empty, typed
from pipeforecast.errors import DataError
from pipeforecast.history import STATE_FACTS


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_table_keeps_its_promise(table: str) -> None:
    frame = empty(table)
    assert list(frame.columns) == list(TABLES[table])
    pd.testing.assert_frame_equal(conform(frame, table), frame)


def test_kinds_are_cast() -> None:
    assert typed(pd.Series(["2024-03-01 17:30"]), "date").tolist() == [pd.Timestamp("2024-03-01")]
    assert typed(pd.Series(["2024-03-01 17:30"]), "time").tolist() == [pd.Timestamp("2024-03-01 17:30")]
    assert typed(pd.Series([7]), "id").tolist() == ["7"]
    assert typed(pd.Series([7]), "money").dtype == "float64"
    assert typed(pd.Series([True, None], dtype=object), "flag").dtype == "boolean"
    assert str(typed(pd.Series([], dtype=object), "date").dtype) == "datetime64[s]"


def test_a_missing_required_column_is_named() -> None:
    with pytest.raises(DataError, match=r"'deals'.*'created_at'"):
        conform(pd.DataFrame({"deal_id": ["a"]}), "deals")


def test_an_empty_required_cell_is_refused() -> None:
    with pytest.raises(DataError, match=r"'created_at' is empty in 1 rows"):
        conform(pd.DataFrame({"deal_id": ["a", "b"], "created_at": ["2024-01-01", None]}), "deals")


def test_other_columns_stay_and_the_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"deal_id": [1], "created_at": ["2024-01-01"], "colour": ["red"]})
    before = frame.copy()
    assert conform(frame, "deals")["colour"].tolist() == ["red"]
    pd.testing.assert_frame_equal(frame, before)


def test_what_a_closing_rewrites_is_no_birth_fact() -> None:
    assert {"stage", "probability", "forecast_category", "outcome", "closed_at"} <= set(REWRITTEN_AT_CLOSING)
    assert set(STATE_FACTS) <= set(TRACKABLE)
    assert set(STATUSES) == {"open", "won", "lost"}
