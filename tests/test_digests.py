"""Files of two runs are told apart by their bytes, and the first cell that differs is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.digests import differing_columns, digests_of, first_difference, is_data

HEAD = "deal_id,p_win\n"


def _table(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.csv").write_text(text)
    return folder / "t.csv"


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ("a,1\nb,2\n", "a,1\nb,3\n", "row 3, column p_win: '2' then, '3' now"),
        ("a,1\n", "a,1\nb,3\n", "row 3 is there only now"),
        ("a,1\nb,2\n", "a,1\n", "row 3 is there only in the first run"),
        ("a,1\n", "a,1,2\n", "row 2, column 3: nothing then, '2' now"),
        ("a,1\n", 'a,"1"\n', "only in how it is written"),
    ],
)
def test_the_first_difference_has_row_column_and_values(tmp_path: Path, then: str, now: str, said: str) -> None:
    one, other = _table(tmp_path / "one", HEAD + then), _table(tmp_path / "other", HEAD + now)
    assert first_difference(one, other).startswith(said)


def test_columns_that_differ_are_known_from_digests_alone(tmp_path: Path) -> None:
    _table(tmp_path / "one", HEAD + "a,1\nb,2\n")
    _table(tmp_path / "other", HEAD + "a,1\nb,3\n")
    _table(tmp_path / "short", HEAD + "a,1\n")
    one, other, short = (digests_of(tmp_path / n)["t.csv"] for n in ("one", "other", "short"))
    assert differing_columns(one, other) == "columns p_win"
    assert differing_columns(one, short) == "2 rows then, 1 now"
    assert differing_columns({"sha256": "a"}, {"sha256": "b"}) == "its contents differ"


CELLS = st.lists(st.lists(st.text("ab,1", max_size=3), min_size=2, max_size=2), max_size=4)


@given(CELLS, CELLS)
def test_tables_of_the_same_columns_are_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, one: list[list[str]], other: list[list[str]]
) -> None:
    """However cells are cut, no two tables of one shape share all digests of their columns."""
    import csv

    folder = tmp_path_factory.mktemp("tables")
    for name, rows in (("one", one), ("other", other)):
        (folder / name).mkdir()
        with (folder / name / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["x", "y"], *rows])
    first, second = (digests_of(folder / n)["t.csv"] for n in ("one", "other"))
    same = (first["rows"], first["columns"]) == (second["rows"], second["columns"])
    assert same == (one == other)


def test_data_are_compared_and_pages_are_not() -> None:
    assert [n for n in ("a.csv", "a.json", "a.txt", "a.html", "a.xlsx", "a.md", "a.pdf") if is_data(n)] == [
        "a.csv", "a.json", "a.txt",
    ]  # fmt: skip
