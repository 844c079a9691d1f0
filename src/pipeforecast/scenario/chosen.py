"""Which deals a scenario is about: what is named has to be there, because what is misspelt would change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.errors import SettingsError, some
from pipeforecast.forecast import group_names
from pipeforecast.guess import nearest
from pipeforecast.scenario.book import Book

#: What closed deals do not show any more: business not yet created has none of it.
_PASSING = frozenset({"stage", "forecast_category", "probability", "expected_close"})
Where = Mapping[str, Sequence[str]]


def chosen(book: Book, where: Where) -> tuple[np.ndarray, np.ndarray]:
    """Find the deals that have one of the named values in every named column.

    Returns
    -------
    deals : bool array (n + m,)
        Open deals, then extra ones.
    new : bool array (rows of the pool,)
        Deals like those that are not yet created. They have no stage, category or date: named ones are none of them.

    Raises
    ------
    SettingsError
        If open deals have no such column, nobody has such a value, or no deal has all of them.
    """
    opened, pool = book.base.snapshot.open, book.base.new.pool
    deals, new = np.ones(len(opened) + len(book.extra), dtype=bool), np.ones(len(pool), dtype=bool)
    for column, values in where.items():
        _known_column(column, opened)
        passing = column in _PASSING
        mine = np.concatenate([group_names(opened, column), _names(book.extra, column, passing)])
        theirs = _names(pool, column, passing)
        _known_values(column, values, {*mine, *(() if passing else theirs)} - {""})
        deals &= np.isin(mine.astype(str), list(values))
        new &= np.isin(theirs.astype(str), list(values))
    if where and not deals.any() and not new.any():
        raise SettingsError(f"scenario.where: no open deal and no new business has all of {_written(where)}")
    return deals, new


def like(book: Book, where: Where) -> np.ndarray:
    """Find the past deals that have the named values: bool array (rows of ``lessons.deals``,).

    Raises
    ------
    SettingsError
        If a column or value is unknown, or tells nothing of past deals.
    """
    past, opened = book.lessons.deals, book.base.snapshot.open
    found = np.ones(len(past), dtype=bool)
    for column, values in where.items():
        _known_column(column, opened)
        if column in _PASSING or column not in past:
            raise SettingsError(
                f"scenario.where: deals that come in have no {column} yet; leave it out"
                + (" and say scenario.stage=NAME" if column == "stage" else "")
            )
        names = group_names(past, column)
        _known_values(column, values, {*names, *group_names(opened, column)})
        found &= np.isin(names.astype(str), list(values))
    if not found.any():
        raise SettingsError(f"scenario.where: no deal so far has all of {_written(where)}")
    return found


def in_stage(book: Book, stage: str) -> np.ndarray:
    """Find the open deals in a stage: bool array (n,)."""
    names = group_names(book.base.snapshot.open, "stage")
    known = sorted(set(names))
    if stage not in known:
        raise SettingsError(
            f"scenario.stage: expected a stage of the open deals ({some(known, 10)}), "
            f"came {stage!r}{nearest(stage, known)}"
        )
    return np.asarray(names == stage)


def stays(where: Where) -> Where:
    """Keep what closed deals still show."""
    return {column: values for column, values in where.items() if column not in _PASSING}


def _names(rows: pd.DataFrame, column: str, passing: bool) -> np.ndarray:
    return np.full(len(rows), "", dtype=object) if passing or column not in rows else group_names(rows, column)


def _known_column(column: str, opened: pd.DataFrame) -> None:
    if column in opened:
        return
    text = [str(c) for c in opened if pd.api.types.is_string_dtype(opened[c].dtype)]
    raise SettingsError(
        f"scenario.where: expected columns of the open deals ({some(text, 12)}), came {column!r}{nearest(column, text)}"
    )


def _known_values(column: str, values: Sequence[str], known: set[str]) -> None:
    for value in values:
        if value not in known:
            there = sorted(known)
            raise SettingsError(
                f"scenario: expected values of the column {column!r} ({some(there, 10)}), "
                f"came {value!r}{nearest(value, there)}"
            )


def _written(where: Where) -> str:
    return ", ".join(f"{column}={list(values)}" for column, values in where.items())
