"""Columns of equal length, held by name: the state of many deals at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Columns = dict[str, Array]


def length(columns: Mapping[str, Array]) -> int:
    """Number of rows (0 for no columns)."""
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Mapping[str, Array], rows: Array) -> Columns:
    """Copy the given rows (a boolean mask or positions)."""
    return {name: values[rows] for name, values in columns.items()}


def stack(first: Columns, second: Columns) -> Columns:
    """Rows of `first`, then rows of `second`; an empty side gives the other."""
    if not length(first):
        return second
    if not length(second):
        return first
    return {name: np.concatenate([values, second[name]]) for name, values in first.items()}


def tile(columns: Mapping[str, Array], times: int) -> Columns:
    """All rows, `times` times over."""
    return {name: np.tile(values, times) for name, values in columns.items()}


class Log:
    """Rows appended day by day under a name, read as one table in the order of writing."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Columns]] = {}

    def add(self, name: str, **columns: Array) -> None:
        """Append rows to the table `name`."""
        if length(columns):
            self._parts.setdefault(name, []).append(columns)

    def table(self, name: str) -> Columns:
        """All rows of `name`; the parts are released, so a table is read once."""
        parts = self._parts.pop(name, [])
        if not parts:
            return {}
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
