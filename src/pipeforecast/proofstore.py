"""Replayed origins are kept: the proof costs more than the forecast, and the past does not change."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.backtest import Backtest, Key, Origin
from pipeforecast.fingerprint import fingerprint_of


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

    def load(self, origins: Sequence[Origin]) -> Backtest | None:
        """Give the stored origins among ``origins``; None where there is none."""
        rows, deals = [], []
        draws: dict[Key, np.ndarray] = {}
        for origin in origins:
            path = self._path(origin)
            if not path.exists():
                continue
            with np.load(path, allow_pickle=False) as stored:
                rows.append(_table(stored["rows"]))
                deals.append(_table(stored["deals"]))
                names = _names(stored["names"])
                draws |= {(origin.as_of, origin.period.name, n): stored[f"draws {n}"] for n in names}
        if not rows:
            return None
        told = [d for d in deals if len(d)] or deals[:1]
        return Backtest(pd.concat(rows, ignore_index=True), draws, pd.concat(told, ignore_index=True))

    def missing(self, origins: Sequence[Origin]) -> list[Origin]:
        """Give the origins that are not stored, newest first."""
        return sorted((o for o in origins if not self._path(o).exists()), key=lambda o: o.as_of, reverse=True)

    def save(self, origin: Origin, replay: Backtest) -> None:
        """Store one origin, whole or not at all."""
        here = (origin.as_of, origin.period.name)
        names = [name for day, period, name in replay.draws if (day, period) == here]
        arrays: dict[str, Any] = {f"draws {n}": replay.draws[*here, n] for n in names}
        arrays |= {"rows": _written(replay.rows, origin), "deals": _written(replay.deals, origin)}
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._folder, suffix=".draft")
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, names=np.array(names, dtype=str), **arrays)
        os.replace(draft, self._path(origin))

    def _path(self, origin: Origin) -> Path:
        return self._folder / f"{origin.as_of.date()} {origin.period.name}.npz"


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
