"""Tables of a database as the files of an export: read only, by Ibis, every cell as text.

Casting to text is left to the database: no type passes through NumPy, and a number keeps its digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeforecast.address import Address, is_address, without_secrets
from pipeforecast.errors import DataError, MissingFileError, PipeforecastError, SettingsError, some
from pipeforecast.findings import Finding
from pipeforecast.ingest.files import Key, Needed, Source, framed, texts
from pipeforecast.ingest.sparktables import SCHEME, SparkTables

_DUCKDB_ENDINGS = (".duckdb", ".ddb")
#: A session that cannot write, whose rows come in the order in which they lie, and whose days are ISO text.
_POSTGRES = (
    "-c default_transaction_read_only=on -c synchronize_seqscans=off -c max_parallel_workers_per_gather=0 "
    "-c datestyle=ISO"
)


@dataclass
class DatabaseSource(Source):
    """The tables and views of one database, under their own names."""

    database: Any = None
    address: Address | None = None

    _digests: dict[Key, tuple[bytes, bytes]] = field(default_factory=dict)

    def ahead(
        self, patterns: Sequence[str], delimiter: str | None, encoding: str | None, sheet: str | None, needed: Needed
    ) -> bool:
        """Leave the one connection to whom it answers."""
        return False

    def read(
        self, path: Path, delimiter: str | None, encoding: str | None, sheet: str | None,
        wanted: Callable[[str], bool], findings: list[Finding],
    ) -> tuple[pa.Table, list[str]]:  # fmt: skip
        """Read one table with every cell as text, whole: what was read is what is told apart."""
        with _said(self.where, self.address):
            if isinstance(self.database, SparkTables):
                table = texts(self.database.read(path.name))
            else:
                table = texts(_texts(self.database.table(path.name)).to_pyarrow())
        return table, table.column_names

    def _whole(self, key: Key, wanted: Callable[[str], bool], findings: list[Finding]) -> tuple[pa.Table, list[str]]:
        table, names = super()._whole(key, wanted, findings)
        frame = framed(table)
        head = "\x1f".join([*(p.name for p in key[0]), "\x1e", *map(str, frame.columns)])
        cells = pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype="uint64").tobytes()
        self._digests[key] = (head.encode() + len(frame).to_bytes(8, "big"), cells)
        return table, names

    def content(self) -> str:
        """Give the SHA-256 (64 hex digits) of what was read: names, columns and cells, in their order."""
        digest = hashlib.sha256()
        for _, parts in sorted(self._digests.items(), key=lambda item: [p.name for p in item[0][0]]):
            for part in parts:
                digest.update(part)
        return digest.hexdigest()


def source_at(source: Address | Path | str | Sequence[Path | str], findings: list[Finding]) -> Source:
    """Find out what a source is, a database's address, a DuckDB file or files and folders, and open it.

    Raises
    ------
    MissingFileError
        If a file is not there.
    DataError
        If the database cannot be opened.
    SettingsError
        If what reads such a database is not installed.
    """
    if isinstance(source, str) and is_address(source):
        source = Address(source)
    if isinstance(source, Address):
        return _of_database(_connected(source), str(source), findings, source)
    if isinstance(source, str | Path) and _is_duckdb(Path(source)):
        return _of_database(_duckdb(Path(source)), str(source), findings)
    return Source.at(source, findings)


def _is_duckdb(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(12)[8:] == b"DUCK" or path.suffix.casefold() in _DUCKDB_ENDINGS


def _of_database(database: Any, where: str, findings: list[Finding], address: Address | None = None) -> Source:
    with _said(where, address):
        names = sorted(_names(database) if address is None else database.list_tables())
    return DatabaseSource(tuple(Path(n) for n in names), where, findings, database=database, address=address)


def _names(database: Any) -> list[str]:
    """List the tables and views of a DuckDB file's main schema; Ibis' own list fails with DuckDB 2."""
    known = database.table("tables", database="information_schema")
    here = (known.table_schema == database.current_database) & (known.table_catalog == database.current_catalog)
    return [str(name) for name in known.filter(here).table_name.to_pyarrow().to_pylist()]


def _duckdb(path: Path) -> Any:
    import ibis

    if not path.exists():
        raise MissingFileError(f"there is no {str(path)!r}")
    with _said(str(path)):
        # Extensions would be fetched from the network.
        return ibis.duckdb.connect(path, read_only=True, autoinstall_known_extensions=False)


def _connected(address: Address) -> Any:
    import ibis

    if address.scheme == SCHEME:
        return SparkTables(address)
    postgres = address.scheme in ("postgres", "postgresql")
    if address.scheme == "duckdb":
        raise SettingsError(f"source: expected the file itself, as in source=warehouse.duckdb, came {address}")
    try:
        with _said(str(address), address):
            return ibis.connect(address.url, **({"options": _POSTGRES} if postgres else {}))
    except ModuleNotFoundError as error:
        extra = "pipeforecast[postgres]" if postgres else f"ibis-framework[{address.scheme}]"
        raise SettingsError(f"source: {address} needs {error.name}, which is not here; install {extra}") from None


@contextmanager
def _said(where: str, address: Address | None = None) -> Iterator[None]:
    """Say in one line what a database refuses; every backend has errors of its own."""
    try:
        yield
    except (PipeforecastError, ModuleNotFoundError):
        raise
    except Exception as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        hidden = without_secrets(first) if address is None else address.hidden_in(first)
        raise DataError(f"{where}: cannot be read: {hidden[:300]}") from None


def _texts(table: Any) -> Any:
    """Cast every column to text, as a CSV export would have it; what is no number is missing."""
    import ibis

    schema = table.schema()
    names = [str(n).strip() for n in schema]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise DataError(
            f"table {table.get_name()!r} has the columns {some(repeated)} more than once: rename one of each"
        )
    casts = {}
    for name, type_ in schema.items():
        column = table[name]
        if type_.is_floating():
            column = column.isnan().ifelse(ibis.null(type_), column)
        if type_.is_timestamp() and type_.timezone is not None:
            column = column.cast("timestamp")  # as of UTC, like the times of most exports
        casts[name] = column if type_.is_string() else column.cast("string")
    return table.select(**casts)
