"""A Spark session: the one that is active, or one that is started; tables go in and answers come out as Arrow.

Ibis writes the SQL. Its own connection is not used: it would change the settings of a session that belongs to somebody
else, and hand frames over by a conversion of PySpark that does not know pandas 3.
"""

from __future__ import annotations

import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeforecast.engine import Session
from pipeforecast.errors import DataError, PipeforecastError, SettingsError, shortened

LOCAL = "local[*]"
_ZONE = "spark.sql.session.timeZone"
#: Of sessions that are started here alone: quiet, without a web page.
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
#: On one machine nothing is offered to the network, and a shuffle has as many parts as there are cores.
_HERE = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}


@dataclass(frozen=True)
class Spark:
    """A Spark session.

    Parameters
    ----------
    master : str or None
        Address of the cluster's master (``spark://host:7077``, ``yarn``, ``local[2]``) for a session that is started;
        None: as Spark's own configuration says. A session that is active is taken as it is, and stays.
    """

    master: str | None = LOCAL

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Take the session, in UTC while it is asked; the tables that were put in are gone afterwards."""
        spark = spark_session(self.master)
        asked = _OnSpark(spark)
        with in_utc(spark):
            try:
                yield asked
            finally:
                for name in asked.views:
                    spark.catalog.dropTempView(name)


def spark_session(master: str | None = None) -> Any:
    """Give the active Spark session, else start one; it lives as long as the process.

    Raises
    ------
    SettingsError
        If PySpark or Java is missing, or no session can be started.
    """
    try:
        with unwarned():
            from pyspark.sql import SparkSession
    except ImportError:
        raise SettingsError("Spark: expected PySpark, which is not here; install pipeforecast[spark]") from None
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    _need_java()
    builder = SparkSession.builder.appName("pipeforecast").config(map=_QUIET)
    if master is not None:
        builder = builder.master(master)
    if master is not None and master.startswith("local"):
        builder = builder.config(map=_HERE | {"spark.sql.shuffle.partitions": str(os.cpu_count() or 1)})
    try:
        with unwarned():
            return builder.getOrCreate()
    except Exception as error:  # of Py4J, PySpark or the system, by the kind of failure
        raise SettingsError(
            f"Spark: no session at {master or 'the master that Spark is configured for'}: {first_line(error)}; "
            "see whether Java is 17 or newer and the master can be reached"
        ) from None


def first_line(error: Exception) -> str:
    """Give the first line of what Spark says, whose errors are pages long."""
    lines = (line.strip() for line in str(error).splitlines())
    return shortened(next((line for line in lines if line), type(error).__name__))


def _need_java() -> None:
    """Refuse a machine without Java before PySpark does, which prints a page and no word of what to do."""
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").exists()) and shutil.which("java") is None:
        raise SettingsError(
            "Spark: expected Java 17 or newer, found by JAVA_HOME or on the PATH, came none; "
            "install it (Debian: openjdk-17-jre-headless)"
        )


@dataclass
class _OnSpark:
    spark: Any
    views: list[str] = field(default_factory=list)

    def table(self, frame: pd.DataFrame) -> Any:
        import ibis

        rows = pa.Table.from_pandas(frame, preserve_index=False)
        schema = pa.schema([f.with_type(_stored(f.type)) for f in rows.schema]).remove_metadata()
        name = f"pipeforecast_{uuid.uuid4().hex}"
        with _said():
            self.spark.createDataFrame(rows.cast(schema)).createOrReplaceTempView(name)
        self.views.append(name)
        return ibis.table(ibis.memtable(frame).schema(), name=name)

    def frame(self, question: Any) -> pd.DataFrame:
        wanted = question.schema().to_pyarrow()
        with _said():
            found: pa.Table = self.spark.sql(_sql(question)).toArrow()
        rows: pd.DataFrame = found.cast(wanted).to_pandas()
        return rows


def _stored(kind: pa.DataType) -> pa.DataType:
    """Type as which Spark stores a column: a time without a zone is one of UTC, which the session is in."""
    return pa.timestamp("us", tz="UTC") if pa.types.is_timestamp(kind) else kind


def _sql(question: Any) -> str:
    import ibis

    with unwarned():
        return str(ibis.pyspark.compile(question))


@contextmanager
def unwarned() -> Iterator[None]:
    """Leave unsaid that PySpark knows pandas 2 alone: nothing is handed over as pandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


@contextmanager
def in_utc(spark: Any) -> Iterator[None]:
    """Let a session's times be UTC, and as they were afterwards: it may be somebody else's."""
    zone = spark.conf.get(_ZONE)
    spark.conf.set(_ZONE, "UTC")
    try:
        yield
    finally:
        spark.conf.set(_ZONE, zone)


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except PipeforecastError:
        raise
    except Exception as error:  # of Py4J, PySpark or a broken connection
        raise DataError(f"Spark: the session failed: {first_line(error)}") from None
