"""Snapshots of past evenings, kept as Parquet by day: a history that has grown is rewound for its new days alone.

An evening's rows depend on what was written by then, and on nothing else: each is kept under a mark of just that. A
deal that is added, removed or corrected in the past changes the marks of all evenings after it, and these are taken
again; a file that is damaged is too.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.outbox import whole_file

_FORM = 1
_DIGITS = 24
#: Rows without a day come first, and so count always.
_SUMS = "SELECT date_trunc('day', recorded_at), count(*), sum(hash({})) FROM told GROUP BY 1 ORDER BY 1 NULLS FIRST"


@dataclass(frozen=True)
class KeptEvenings:
    """A folder with one file per evening and state of the data below ``as_of=DAY``.

    Parameters
    ----------
    folder : Path
    code : str
        Whatever else the rows depend on, such as the version of the code; another never sees these files.
    most_mb : float
        Megabytes (10⁶ bytes) that all files together may take; those not used for longest go first.
    """

    folder: Path
    code: str = ""
    most_mb: float = 2000.0

    def rows(
        self, marks: Mapping[np.datetime64, str], ids: pd.Series, take: Callable[[np.ndarray], pd.DataFrame]
    ) -> pd.DataFrame:
        """Give the rows of the evenings, kept ones as they were, and keep the others.

        Parameters
        ----------
        marks : mapping of evening to mark
            As ``marks_of`` gives them.
        ids : Series of text, index deal key
            The deals' own names: keys may be others in the next export.
        take : callable
            Rows (``as_of``, ``deal``, …) of the evenings that it is given.

        Returns
        -------
        DataFrame
            In the order of ``as_of`` and ``deal``; kept rows have the types that Parquet gives back.
        """
        known = pa.array(ids.astype("string").array).cast(pa.large_string())
        kept = {day: found for day, mark in marks.items() if (found := self._read(day, mark, known)) is not None}
        missing = np.array([day for day in marks if day not in kept], dtype="datetime64[s]")
        parts = [_frame(kept, ids)] if kept else []
        if len(missing) or not parts:
            fresh = take(missing)
            self._keep(fresh, {day: marks[day] for day in missing}, ids)
            parts.append(fresh)
        told = [part for part in parts if len(part)] or parts[-1:]
        whole = pd.concat(told, ignore_index=True) if len(told) > 1 else told[0]
        order = np.lexsort((whole["deal"].to_numpy(), whole["as_of"].to_numpy()))
        return whole.take(order).reset_index(drop=True)

    def _read(self, day: np.datetime64, mark: str, known: Any) -> pa.Table | None:
        """Read one evening; what is damaged, or names a deal that is not there, counts as not kept."""
        for path in sorted(self._place(day).glob(f"{self._name(mark)}-*.parquet")):
            try:
                content = path.read_bytes()
                if not path.stem.endswith(_digest(content)):
                    raise ValueError("other content than was written")
                rows = pq.read_table(pa.BufferReader(content), use_threads=False)
                place = pc.index_in(rows["deal_id"].cast(pa.large_string()), value_set=known)
                if place.null_count:
                    raise ValueError("deals that are not there")
                os.utime(path)
            except (OSError, ValueError, KeyError) as error:
                said = (str(error).splitlines() or [type(error).__name__])[0][:120]
                sys.stderr.write(f"warning: {path}: cannot be read ({said}); that evening is taken again\n")
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            else:
                return rows.drop_columns(["deal_id"]).append_column("place", place)
        return None

    def _keep(self, rows: pd.DataFrame, marks: Mapping[np.datetime64, str], ids: pd.Series) -> None:
        """Write each evening, whole or not at all; where that cannot be, the forecast goes on without."""
        edges = np.searchsorted(rows["as_of"].to_numpy(), [*marks, np.datetime64("9999-12-31")])
        names = ids.reindex(rows["deal"].to_numpy()).to_numpy()
        told = rows.drop(columns=["as_of", "deal"]).assign(deal_id=pd.Series(names, index=rows.index, dtype="string"))
        try:
            for (day, mark), start, end in zip(marks.items(), edges, edges[1:], strict=False):
                buffer = io.BytesIO()
                told.iloc[start:end].to_parquet(buffer, index=False, compression="zstd")
                name = f"{self._name(mark)}-{_digest(buffer.getvalue())}.parquet"
                with whole_file(self._place(day) / name) as draft:
                    draft.write_bytes(buffer.getvalue())
            self._make_room()
        except OSError as error:
            sys.stderr.write(f"warning: {self.folder}: evenings cannot be kept there ({error.strerror})\n")

    def _make_room(self) -> None:
        """Remove the files that have not been used for longest, until the rest fit."""
        files = sorted(((p.stat(), p) for p in self.folder.glob("as_of=*/*.parquet")), key=lambda f: f[0].st_mtime_ns)
        over = sum(stat.st_size for stat, _ in files) - self.most_mb * 1e6
        for stat, path in files:
            if over <= 0:
                break
            path.unlink(missing_ok=True)
            over -= stat.st_size
            with suppress(OSError):  # others are in it
                path.parent.rmdir()

    def _place(self, day: np.datetime64) -> Path:
        return self.folder / f"as_of={pd.Timestamp(day).date()}"

    def _name(self, mark: str) -> str:
        return fingerprint_of([_FORM, self.code, mark])[:_DIGITS]


def marks_of(days: np.ndarray, states: pd.DataFrame, ids: pd.Series) -> dict[np.datetime64, str]:
    """Mark each evening by all that was written by then: equal marks, equal past.

    Parameters
    ----------
    days : datetime64[s] array (n,), rising
    states : DataFrame
        ``deal``, ``recorded_at`` and all that a snapshot reads of a state, in the order of deal and writing. ``seq``
        does not count, only the order: a row's place in the next export is another.
    ids : Series of text, index deal key

    Notes
    -----
    The mark holds, of all rows up to the evening, their number and the sum of their hashes (64 bits each). Sums do not
    know the order of deals, which another export may change. Two pasts share a mark by chance once in 2⁶⁴.
    """
    import duckdb

    first = states["deal"].ne(states["deal"].shift()).to_numpy()
    at = np.arange(len(states))
    place = at - np.maximum.accumulate(np.where(first, at, 0))
    facts = [c for c in states.columns if c not in ("deal", "seq")]
    told = states[facts].assign(deal_id=ids.reindex(states["deal"].to_numpy()).to_numpy(), place=place)
    told["deal_id"] = told["deal_id"].astype("string")
    with duckdb.connect() as con:
        con.execute("SET TimeZone='UTC'")
        con.register("told", pa.Table.from_pandas(told, preserve_index=False))
        found = con.execute(_SUMS.format(", ".join('"' + str(c).replace('"', '""') + '"' for c in told))).fetchall()
    about = [[(c, str(kind)) for c, kind in told.dtypes.items()], duckdb.__version__]
    at_all = np.array([d or np.datetime64("0001-01-01") for d, _, _ in found], dtype="datetime64[s]")
    number, total = (list(accumulate((int(row[i]) for row in found), initial=0)) for i in (1, 2))
    until = np.searchsorted(at_all, days, side="right")
    return {day: fingerprint_of([about, str(number[i]), str(total[i])]) for day, i in zip(days, until, strict=True)}


def _frame(kept: Mapping[np.datetime64, pa.Table], ids: pd.Series) -> pd.DataFrame:
    """Lay kept evenings behind each other, with the day and the key of each row before its facts."""
    rows: pd.DataFrame = pa.concat_tables(kept.values(), promote_options="permissive").to_pandas()
    day = np.repeat(np.array([*kept], dtype="datetime64[s]"), [len(table) for table in kept.values()])
    rows.insert(0, "as_of", day)
    rows.insert(1, "deal", ids.index.to_numpy()[rows.pop("place").to_numpy()])
    return rows


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
