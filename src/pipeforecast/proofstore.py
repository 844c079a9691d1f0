"""Replayed origins are kept: the proof costs more than the forecast, and the past does not change."""

from __future__ import annotations

import io
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.backtest import Backtest, Key, Origin
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.outbox import OutputError, whole_file


class ProofStore:
    """One file per origin below ``folder``, under a key of data, recipe and code.

    Parameters
    ----------
    folder : Path
    key : plain values
        Whatever the replay depends on; another key never sees these files.
    """

    def __init__(self, folder: Path, key: object) -> None:
        self._folder = folder / fingerprint_of(key)[:16]
        self._read: dict[Path, _Stored] = {}

    def load(self, origins: Sequence[Origin]) -> Backtest | None:
        """Give the stored origins among ``origins``; None where there is none."""
        rows, deals = [], []
        draws: dict[Key, np.ndarray] = {}
        for origin in origins:
            stored = self._stored(origin)
            if stored is None:
                continue
            rows.append(stored.rows)
            deals.append(stored.deals)
            draws |= {(origin.as_of, origin.period.name, name): drawn for name, drawn in stored.draws.items()}
        if not rows:
            return None
        told = [d for d in deals if len(d)] or deals[:1]
        return Backtest(pd.concat(rows, ignore_index=True), draws, pd.concat(told, ignore_index=True))

    def missing(self, origins: Sequence[Origin]) -> list[Origin]:
        """Give the origins that are not stored, newest first."""
        return sorted((o for o in origins if self._stored(o) is None), key=lambda o: o.as_of, reverse=True)

    def _stored(self, origin: Origin) -> _Stored | None:
        """Read one origin, once; a file that cannot be read counts as none, so that its origin is replayed again."""
        path = self._path(origin)
        if path not in self._read and path.exists():
            try:
                self._read[path] = _Stored.of(path)
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                said = (str(error).splitlines() or [type(error).__name__])[0][:120]
                sys.stderr.write(f"warning: {path}: cannot be read ({said}); that day is replayed again\n")
                path.unlink(missing_ok=True)
        return self._read.get(path)

    def save(self, origin: Origin, replay: Backtest) -> None:
        """Store one origin, whole or not at all."""
        here = (origin.as_of, origin.period.name)
        names = [name for day, period, name in replay.draws if (day, period) == here]
        arrays: dict[str, Any] = {f"draws {n}": replay.draws[*here, n] for n in names}
        arrays |= {"rows": _written(replay.rows, origin), "deals": _written(replay.deals, origin)}
        try:
            with whole_file(self._path(origin)) as draft, draft.open("wb") as stream:
                np.savez(stream, names=np.array(names, dtype=str), **arrays)
        except OSError as error:
            said = f"{self._folder.parent}: replayed days cannot be kept there ({error.strerror})"
            raise OutputError(f"{said}; make room, or say proof.folder=FOLDER") from None

    def _path(self, origin: Origin) -> Path:
        return self._folder / f"{origin.as_of.date()} {origin.period.name}.npz"


@dataclass(frozen=True)
class _Stored:
    """What is kept of one origin."""

    rows: pd.DataFrame
    deals: pd.DataFrame
    draws: dict[str, np.ndarray]

    @staticmethod
    def of(path: Path) -> _Stored:
        with np.load(path, allow_pickle=False) as kept:
            draws = {name: kept[f"draws {name}"] for name in _names(kept["names"])}
            return _Stored(_table(kept["rows"]), _table(kept["deals"]), draws)


def _written(frame: pd.DataFrame, origin: Origin) -> np.ndarray:
    """One origin's rows as Parquet: every number comes back to the last bit, and no pickle is ever loaded."""
    own = frame[((frame["as_of"] == origin.as_of) & (frame["period"] == origin.period.name)).to_numpy()]
    own = own.reset_index(drop=True)
    buffer = io.BytesIO()
    own.to_parquet(buffer, index=False)
    return np.frombuffer(buffer.getvalue(), dtype="uint8")


def _table(stored: np.ndarray) -> pd.DataFrame:
    table = pd.read_parquet(io.BytesIO(stored.tobytes()))
    for name in {"as_of", "period_end"} & set(table):
        table[name] = table[name].astype("datetime64[s]")
    return table


def _names(value: np.ndarray) -> list[str]:
    return [str(n) for n in value]
