"""Where questions over a whole history are run: embedded (DuckDB), or on a Spark session.

The questions are Ibis expressions and know neither; the answers are the same, row for row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd


class Session(Protocol):
    """What takes tables in, and answers questions about them."""

    def table(self, frame: pd.DataFrame) -> Any:
        """Give the Ibis table of a frame; NaN, NaT and NA are NULL, times are without a zone."""
        ...

    def frame(self, question: Any) -> pd.DataFrame:
        """Answer an Ibis expression over such tables; its rows are in order where it orders them."""
        ...


class Engine(Protocol):
    """What opens sessions; it is plain data, so that a history may carry it to other processes."""

    def session(self) -> AbstractContextManager[Session]:
        """Open a session, closed at the end of the ``with``."""
        ...


@dataclass(frozen=True)
class Embedded:
    """DuckDB in this process."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a database in memory."""
        import ibis

        con = ibis.duckdb.connect()
        try:
            con.raw_sql("SET TimeZone='UTC'")
            yield _InMemory(con)
        finally:
            con.disconnect()


@dataclass(frozen=True)
class _InMemory:
    con: Any

    def table(self, frame: pd.DataFrame) -> Any:
        import ibis

        return ibis.memtable(frame)

    def frame(self, question: Any) -> pd.DataFrame:
        found: pd.DataFrame = self.con.to_pandas(question)
        return found


EMBEDDED = Embedded()
