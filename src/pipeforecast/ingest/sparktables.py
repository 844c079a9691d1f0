"""Tables of a Spark catalogue as the files of an export: read by a session, every cell as text.

``spark:///SCHEMA`` or ``spark:///CATALOGUE/SCHEMA`` name what the active session sees, or one that is started;
``spark://HOST:PORT/SCHEMA`` and ``spark:///SCHEMA?master=yarn`` say at which master.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa

from pipeforecast.address import Address
from pipeforecast.engine.spark import in_utc, spark_session, unwarned
from pipeforecast.errors import SettingsError

SCHEME = "spark"


class SparkTables:
    """What a catalogue holds in one schema.

    Parameters
    ----------
    address : Address

    Raises
    ------
    SettingsError
        If PySpark or Java is missing, or the address names anything but a master.
    """

    def __init__(self, address: Address) -> None:
        parts = urlsplit(address.url)
        told = parse_qs(parts.query)
        if set(told) - {"master"} or parts.username or (told and parts.netloc):
            raise SettingsError(
                f"source: expected spark:///SCHEMA, spark:///CATALOGUE/SCHEMA, or spark://HOST:PORT/SCHEMA or "
                f"…?master=MASTER to say at which master, came {address}"
            )
        self._schema = [unquote(name) for name in parts.path.split("/") if name]
        self._spark = spark_session(f"spark://{parts.netloc}" if parts.netloc else told.get("master", [None])[0])

    def list_tables(self) -> list[str]:
        """Name the tables and views of the schema; those of the session alone are no part of it."""
        where = f" IN {_quoted(self._schema)}" if self._schema else ""
        return [row.tableName for row in self._spark.sql(f"SHOW TABLES{where}").collect() if not row.isTemporary]

    def read(self, name: str) -> pa.Table:
        """Read one table with every cell as text.

        A table of Spark has no order: its rows come sorted by their columns from left to right, so that rows of one
        second are taken in the same order whenever they are read.
        """
        schema = self._schema or [self._spark.catalog.currentDatabase()]
        with unwarned(), in_utc(self._spark):
            table = self._spark.table(_quoted([*schema, name]))
            names = table.columns
            cells = table.toDF(*(f"c{i}" for i in range(len(names))))
            texts = [_text(field.name, field.dataType.typeName()) for field in cells.schema]
            read: pa.Table = cells.select(texts).orderBy(*cells.columns).toArrow()
        return read.rename_columns(names)


def _text(name: str, kind: str) -> object:
    """Cast a column to text; what is no number is missing."""
    from pyspark.sql import functions

    column = functions.col(name)
    if kind in ("float", "double"):
        column = functions.when(~functions.isnan(column), column)
    return column.cast("string").alias(name)


def _quoted(names: Sequence[str]) -> str:
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)
