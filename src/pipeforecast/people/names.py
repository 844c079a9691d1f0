"""Numbers for names, where people must not be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd


def without_names(
    table: pd.DataFrame, numbers: Mapping[str, int] | None = None, hidden: Iterable[str] | None = None
) -> pd.DataFrame:
    """Call each ``person`` "Person 1", "Person 2", … in the order of the rows; one person has one number.

    Parameters
    ----------
    table : DataFrame
        With the column ``person``. Its order must say nothing about names.
    numbers : mapping of person to number, optional
        Numbers that another page has given already: they stay, the others follow.
    hidden : iterable of str, optional
        Who is numbered; without it everybody.
    """
    apart = set(table["person"] if hidden is None else hidden)
    number = dict(numbers or {})
    for person in (p for p in table["person"] if p in apart):
        number.setdefault(person, max(number.values(), default=0) + 1)
    return table.assign(person=[f"Person {number[p]}" if p in apart else p for p in table["person"]])
