"""The same data give the same history, from files, a DuckDB file or PostgreSQL, and nothing is written there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from pipeforecast.address import Address
from pipeforecast.demo import make_company
from pipeforecast.errors import DataError, MissingFileError, SettingsError
from pipeforecast.ingest import Export, read_export
from postgres_server import PASSWORD, programs, server


def call(*words: str, at: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pipeforecast", *words], cwd=at, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done


TYPED = {"OpportunityHistory": {"CreatedDate": "TIMESTAMP", "Amount": "DOUBLE", "CloseDate": "DATE"},
         "Opportunity": {"CreatedDate": "TIMESTAMPTZ", "Amount": "DOUBLE", "IsWon": "BOOLEAN", "CloseDate": "DATE",
                         "Probability": "INTEGER"}}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("files")
    make_company(n_deals=300, seed=5).write(folder)
    return folder


@pytest.fixture(scope="module")
def from_files(folder: Path, shipped: Callable[..., Any]) -> Export:
    return read_export(shipped("salesforce"), folder)


@pytest.fixture(scope="module")
def warehouse(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("duck") / "warehouse.duckdb"
    with duckdb.connect(file) as con:
        con.execute("SET TimeZone = 'UTC'")
        for path in sorted(folder.glob("*.csv")):
            casts = ", ".join(f'CAST("{c}" AS {t}) AS "{c}"' for c, t in TYPED.get(path.stem, {}).items())
            chosen = f"* REPLACE ({casts})" if casts else "*"
            made = f'CREATE TABLE "{path.stem}" AS SELECT {chosen} FROM read_csv(?, all_varchar=true)'  # noqa: S608
            con.execute(made, [str(path)])
    return file


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[str]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql); nothing of it was tested")
    psycopg = pytest.importorskip("psycopg", reason="install pipeforecast[postgres]")
    with server() as url:
        with psycopg.connect(url, options="-c timezone=UTC") as con:
            for path in sorted(folder.glob("*.csv")):
                head = path.read_text(encoding="utf-8").splitlines()[0].split(",")
                types = TYPED.get(path.stem, {})
                columns = ", ".join(f'"{c}" {types.get(c, "TEXT").replace("DOUBLE", "NUMERIC(14,2)")}' for c in head)
                con.execute(f'CREATE TABLE "{path.stem}" ({columns})')
                with con.cursor().copy(f'COPY "{path.stem}" FROM STDIN (FORMAT csv, HEADER)') as copy:
                    copy.write(path.read_bytes())
        yield url


def assert_same(one: Export, other: Export) -> None:
    for name in ("deals", "states", "stages"):
        pd.testing.assert_frame_equal(getattr(one.history, name), getattr(other.history, name))
    assert one.history.roles == other.history.roles
    assert set(one.history.tables) == set(other.history.tables)
    for name, table in one.history.tables.items():
        pd.testing.assert_frame_equal(table, other.history.tables[name])
    pd.testing.assert_frame_equal(one.tie, other.tie)
    assert sorted(f.code for f in one.findings) == sorted(f.code for f in other.findings)


def test_a_duckdb_file_gives_the_history_of_the_files(warehouse, from_files, shipped):
    before = warehouse.read_bytes()
    assert_same(from_files, read_export(shipped("salesforce"), warehouse))
    assert warehouse.read_bytes() == before
    assert [p.name for p in warehouse.parent.iterdir()] == [warehouse.name]


def test_postgres_gives_the_history_of_the_files(postgres, from_files, shipped):
    assert_same(from_files, read_export(shipped("salesforce"), postgres))


def test_a_session_of_postgres_cannot_write(postgres):
    from pipeforecast.ingest.databases import source_at

    source: Any = source_at(postgres, [])
    with pytest.raises(Exception, match="read-only"):
        source.database.raw_sql("CREATE TABLE mine (a int)")


def test_the_fingerprint_is_of_the_content_not_the_place(warehouse, shipped, tmp_path):
    mapping = shipped("salesforce")
    first = read_export(mapping, warehouse).content
    elsewhere = tmp_path / "moved.ddb"
    elsewhere.write_bytes(warehouse.read_bytes())
    with duckdb.connect(elsewhere) as con:  # what the mapping does not read is nobody's business
        con.execute("CREATE TABLE unrelated AS SELECT 1 AS a")
    assert read_export(mapping, elsewhere).content == first
    with duckdb.connect(elsewhere) as con:
        con.execute('UPDATE "Opportunity" SET "Amount" = 1 WHERE "Id" = (SELECT min("Id") FROM "Opportunity")')
    assert read_export(mapping, elsewhere).content != first


def test_the_password_of_a_database_is_nowhere(postgres, tmp_path):
    words = ["crm=salesforce", f"source={postgres}", "as_of=2024-06-30", "out=out"]
    small = ["origins.periods=1", "origins.days=[45]", "draws=100", "model.coefficient_draws=2"]
    said = [call("check", *words, at=tmp_path), call("score", *words, *small, at=tmp_path)]
    said += [call("check", *words, "--cfg", "job", at=tmp_path)]
    wrong = [postgres.replace("/postgres?", "/nowhere?"), postgres.replace(PASSWORD, PASSWORD + "x"),
             postgres.replace("@/", "@no.such.host.invalid:99999/"), postgres.replace("@/", "=#, @/")]  # fmt: skip
    said += [
        call("check", "crm=salesforce", f"source={w}", at=tmp_path, status=s)
        for w, s in zip(wrong, (1, 1, 2, 2), strict=True)
    ]
    for done in said:
        assert PASSWORD not in done.stdout + done.stderr
    assert "***@" in said[1].stderr
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {"findings.csv", "deal_scores.csv", "mlflow.db"} <= {p.name for p in files}
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda p: p / "absent.duckdb", MissingFileError, "there is no"),
        (lambda p: _written(p / "text.duckdb", b"a,b\n1,2\n"), DataError, "cannot be read"),
        (lambda p: _emptied(p / "empty.duckdb"), MissingFileError, "no file"),
        (lambda p: "mystery://u:pw@host/db", DataError, "cannot be read"),
        (lambda p: "duckdb://warehouse.duckdb", SettingsError, "the file itself"),
    ],
)
def test_what_is_no_database_is_one_clear_error(make, error, says, tmp_path, shipped):
    with pytest.raises(error, match=says) as caught:
        read_export(shipped("salesforce"), make(tmp_path))
    assert ":pw@" not in str(caught.value)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _emptied(path: Path) -> Path:
    duckdb.connect(path).close()
    return path


def test_what_is_no_number_is_missing_and_odd_types_are_text(tmp_path, shipped):
    file = tmp_path / "w.duckdb"
    with duckdb.connect(file) as con:
        con.execute(
            "CREATE VIEW deals AS SELECT * FROM (VALUES "
            "(1, DATE '2024-01-01', 'nan'::DOUBLE, 'open', ['a', 'b']), "
            "(2, DATE '2024-01-02', 12.5::DOUBLE, 'won', ['c']))"
            " t(deal_id, created_at, amount, outcome, segment)"
            " CROSS JOIN (SELECT DATE '2024-03-01' AS closed_at)"
        )
    deals = read_export(shipped("generic"), file).history.deals
    assert deals["amount"].fillna(-1).tolist() == [-1, 12.5]
    assert deals["segment"].tolist() == ["[a, b]", "[c]"]
    assert deals["deal_id"].tolist() == ["1", "2"]


def test_an_address_shows_no_secret():
    shown = {
        "postgres://ann:pa%40ss@host/db": "postgres://ann:***@host/db",
        "postgres://ann@host/db": "postgres://ann@host/db",
        "snowflake://ann:p@ss@acct/db?warehouse=w&private_key_passphrase=zzz&token=yyy":
            "snowflake://ann:***@acct/db?warehouse=w&private_key_passphrase=***&token=***",
    }  # fmt: skip
    for url, expected in shown.items():
        address = Address(url)
        assert str(address) == expected
        assert "pa%40ss" not in repr(address)
    assert Address("postgres://ann@host/sales/eu").name == "sales"
    assert os.fspath(Path("a")) == "a"


@pytest.mark.parametrize(
    "url", ["plain", "postgres://", "postgres://u:pw@host:port/db", "postgres://u:pw", "postgres://u:p w#@"]
)
def test_what_is_no_address_is_refused_without_its_password(url):
    with pytest.raises(ValueError, match="expected") as caught:
        Address(url)
    assert "pw" not in str(caught.value)
