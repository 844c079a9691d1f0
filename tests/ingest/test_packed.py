"""A packed file that swells is refused, whatever it says of itself; any other passes."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeforecast.errors import DataError
from pipeforecast.ingest.packed import refuse_swollen

MOST = 100_000


def workbook(path: Path, size: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/small.xml", "<a/>")
        book.writestr("xl/sheet1.xml", b"0" * size)


def gzipped(path: Path, size: int) -> None:
    half = size // 2
    path.write_bytes(gzip.compress(b"0" * half) + gzip.compress(b"1" * (size - half)))  # two members, one file


def parquet(path: Path, size: int) -> None:
    pq.write_table(pa.table({"a": pa.array(["x"] * size).dictionary_encode()}), path, compression="zstd")


MADE = {"deals.xlsx": workbook, "deals.csv.gz": gzipped, "deals.parquet": parquet}


@pytest.mark.parametrize("name", MADE)
def test_the_limit_is_what_it_unpacks_to(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    MADE[name](path, MOST - 10_000)
    refuse_swollen(path, MOST)
    MADE[name](path, MOST + 1)
    assert path.stat().st_size < MOST / 50
    with pytest.raises(DataError, match=f"{name}: expected at most"):
        refuse_swollen(path, MOST)


def test_a_workbook_that_lies_about_its_size_is_unpacked_to_know(tmp_path: Path) -> None:
    workbook(tmp_path / "deals.xlsx", MOST + 1)
    data = (tmp_path / "deals.xlsx").read_bytes()
    told = (MOST + 1).to_bytes(4, "little")
    assert data.count(told) == 2  # beside the part and in the list
    (tmp_path / "deals.xlsx").write_bytes(data.replace(told, (10).to_bytes(4, "little")))
    with zipfile.ZipFile(tmp_path / "deals.xlsx") as book:
        assert book.infolist()[1].file_size == 10
    with pytest.raises(DataError, match="unpack"):
        refuse_swollen(tmp_path / "deals.xlsx", MOST)


def test_what_is_not_packed_or_broken_passes_to_its_reader(tmp_path: Path) -> None:
    for name in ("deals.csv", "deals.csv.gz", "deals.xlsx", "deals.parquet", "deals.xls"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 nothing of the kind" * 10_000)
        refuse_swollen(tmp_path / name, MOST)
    half = gzip.compress(b"0" * MOST)[:-20]
    (tmp_path / "half.csv.gz").write_bytes(half)
    refuse_swollen(tmp_path / "half.csv.gz", MOST)


def test_a_real_workbook_passes(tmp_path: Path) -> None:
    pd.DataFrame({"deal_id": ["a"], "created_at": ["2024-01-05"]}).to_excel(tmp_path / "deals.xlsx", index=False)
    refuse_swollen(tmp_path / "deals.xlsx", MOST)
