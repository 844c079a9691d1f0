"""The same data give the same fingerprint wherever they lie, and any change gives another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.errors import MissingFileError
from pipeforecast.fingerprint import fingerprint_of, fingerprint_of_files


def _export(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "deals.csv").write_text("a,b\n1,2\n")
    (folder / "sub" / "more.csv").write_text("c\n")
    return folder


def test_a_copy_has_the_same_fingerprint(tmp_path: Path) -> None:
    first = _export(tmp_path / "first")
    shutil.copytree(first, tmp_path / "second")
    (tmp_path / "second" / ".hidden").write_text("of no matter")
    assert fingerprint_of_files(first) == fingerprint_of_files(tmp_path / "second")


def test_content_name_and_place_of_a_file_count(tmp_path: Path) -> None:
    folder = _export(tmp_path / "export")
    seen = {fingerprint_of_files(folder)}
    (folder / "deals.csv").write_text("a,b\n1,3\n")
    seen.add(fingerprint_of_files(folder))
    (folder / "deals.csv").rename(folder / "deal.csv")
    seen.add(fingerprint_of_files(folder))
    (folder / "deal.csv").rename(folder / "sub" / "deal.csv")
    seen.add(fingerprint_of_files(folder))
    (folder / "empty.csv").write_text("")
    seen.add(fingerprint_of_files(folder))
    assert len(seen) == 5


def test_only_named_files_count_where_names_are_given(tmp_path: Path) -> None:
    folder = _export(tmp_path / "export")
    before = fingerprint_of_files(folder, ["deals.csv"])
    (folder / "other.csv").write_text("x")
    assert fingerprint_of_files(folder, ["deals.csv"]) == before


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="nowhere"):
        fingerprint_of_files(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match=r"gone\.csv"):
        fingerprint_of_files(_export(tmp_path / "export"), ["gone.csv"])


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.integers()), min_size=1))
def test_the_order_of_keys_is_no_matter_and_a_value_is(values: dict[str, object]) -> None:
    assert fingerprint_of(values) == fingerprint_of(dict(reversed(values.items())))
    key = next(iter(values))
    assert fingerprint_of(values) != fingerprint_of({**values, key: [values[key]]})
