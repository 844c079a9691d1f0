"""The windows of time that metrics are told for, and which rows fall into each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class Window:
    """A window of time: a fiscal period, or one side of a campaign; both days belong to it.

    Attributes
    ----------
    name : str
        As in the column ``period``.
    start, end : Timestamp
    """

    name: str
    start: pd.Timestamp
    end: pd.Timestamp

    @property
    def days(self) -> int:
        """Number of days."""
        return int((self.end - self.start).days) + 1


@dataclass(frozen=True)
class Windows:
    """Windows in their order, seen from one evening.

    Attributes
    ----------
    items : sequence of Window (P,)
    as_of : Timestamp
    """

    items: Sequence[Window]
    as_of: pd.Timestamp

    def __len__(self) -> int:
        return len(self.items)

    @property
    def names(self) -> list[str]:
        """Names, as in the column ``period``."""
        return [w.name for w in self.items]

    @property
    def starts(self) -> np.ndarray:
        """First days, ``datetime64[s]`` (P,)."""
        return np.array([w.start for w in self.items], dtype="datetime64[s]")

    @property
    def ends(self) -> np.ndarray:
        """Last days, ``datetime64[s]`` (P,)."""
        return np.array([w.end for w in self.items], dtype="datetime64[s]")

    @property
    def evenings(self) -> np.ndarray:
        """From when each window's stock is seen: its last evening, or that of ``as_of`` while it runs (P,)."""
        return np.asarray(np.minimum(self.ends, np.datetime64(self.as_of, "s")))

    @property
    def days_passed(self) -> np.ndarray:
        """Days of each window that are over by ``as_of`` (P,)."""
        return np.asarray(np.maximum((self.evenings - self.starts) // DAY + 1, 0))

    @property
    def days_left(self) -> np.ndarray:
        """Days of each window that are still to come (P,)."""
        return np.asarray(np.maximum((self.ends - np.maximum(self.evenings, self.starts - DAY)) // DAY, 0))


def rows_within(days: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find which rows fall into which windows; windows may overlap, so a row may be in several.

    Parameters
    ----------
    days : datetime64[s] (N,)
        NaT falls into none.
    starts, ends : datetime64[s] (P,)
        First and last days.

    Returns
    -------
    rows, windows : int arrays (K,)
        One entry for each pair.
    """
    order = np.argsort(days, kind="stable")  # NaT last
    known = days[order][: int((~np.isnat(days)).sum())]
    first = np.searchsorted(known, starts, side="left")
    size = np.maximum(np.searchsorted(known, ends + DAY, side="left") - first, 0)
    window = np.repeat(np.arange(len(starts)), size)
    place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + np.repeat(first, size)
    return order[place], window
