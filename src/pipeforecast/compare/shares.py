"""To what a deal's change in value is due, where it is open on both days: its date, its amount, its chance, or time.

What was written of a deal is put in place of what stood there before, factor by factor, and the earlier model is asked
each time. Factors act together (a push matters less for a deal that has become unlikely), so that what each adds
depends on the order; a factor's share is what it adds averaged over all orders (Shapley value). Shares add up to the
change, and a factor in which nothing changed has none.

References
----------
Shapley, "A value for n-person games", Contributions to the Theory of Games II, 1953.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

from pipeforecast.snapshot import Snapshot

CLOSE, AMOUNT, PROBABILITY, TIME = "close", "amount", "probability", "time"
FACTORS = (CLOSE, AMOUNT, PROBABILITY, TIME)
_OF_FACTOR = {
    CLOSE: ("expected_close", "n_pushes", "push_days", "first_expected_close"),
    AMOUNT: ("amount", "n_amount_changes", "first_amount"),
}
#: Belong to no single factor: the day itself, and when anything was written last.
_APART = ("as_of", "deal", "last_change_at")
#: Money that each open deal of a one-day snapshot brings, (n,).
Value = Callable[[Snapshot], np.ndarray]


def shares(value: Value, then: Snapshot, still: Snapshot, now: Snapshot) -> pd.DataFrame:
    """Share out the change in value of the deals that are open on both days.

    Parameters
    ----------
    value : callable
        Asked about whole books, because some models look at a book as a whole.
    then : Snapshot
        The earlier evening.
    still : Snapshot
        The later evening as it would be, had nothing been written since the earlier one.
    now : Snapshot
        The later evening.

    Returns
    -------
    DataFrame, index deal key
        One column per factor, in money. Closings of other deals, which a model's past rates use, belong to ``time``.
    """
    both = np.intersect1d(then.open["deal"], now.open["deal"])
    before, unchanged, after = (_rows_of(s, both) for s in (then, still, now))
    changed = changes(unchanged, after)
    facts = [f for f in FACTORS if f != TIME and changed[f].any()]
    values: dict[frozenset[str], np.ndarray] = {}
    for book, base, day in ((then, before, ()), (now, unchanged, (TIME,))):
        at = pd.Index(book.open["deal"]).get_indexer(pd.Index(both))
        for told in _subsets(facts):
            rows = _spliced(book.open, at, _mixed(base, after, told, changed))
            values[frozenset((*told, *day))] = value(replace(book, open=rows))[at]
    return pd.DataFrame({f: _share(f, [*facts, TIME], values, len(both)) for f in FACTORS}, index=both)


def changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """In which factors what is written of each deal differs (bool, one column per fact), rows in the same order.

    A row that was written without changing anything that is known counts as ``probability``.
    """
    found = {f: _differs(before, after, columns_of(f, after)) for f in FACTORS if f != TIME}
    written = _differs(before, after, ["last_change_at"])
    found[PROBABILITY] |= written & ~(found[CLOSE] | found[AMOUNT])
    return pd.DataFrame(found)


def columns_of(factor: str, rows: pd.DataFrame) -> list[str]:
    """Name the columns of a factor; what is neither date nor amount is ``probability``."""
    if factor in _OF_FACTOR:
        return [c for c in _OF_FACTOR[factor] if c in rows]
    others = {c for names in _OF_FACTOR.values() for c in names}
    return [str(c) for c in rows if c not in others and c not in _APART]


def _rows_of(snapshot: Snapshot, deals: np.ndarray) -> pd.DataFrame:
    rows: pd.DataFrame = snapshot.open.iloc[pd.Index(snapshot.open["deal"]).get_indexer(pd.Index(deals))]
    return rows.reset_index(drop=True)


def _differs(before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    out = np.zeros(len(after), dtype=bool)
    for c in columns:
        same = (before[c] == after[c]).fillna(False) | (before[c].isna() & after[c].isna())
        out |= ~same.to_numpy(dtype=bool)
    return out


def _mixed(base: pd.DataFrame, after: pd.DataFrame, told: Sequence[str], changed: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``base`` with what ``after`` says in the factors ``told``."""
    rows = base.copy()
    for factor in told:
        for column in columns_of(factor, after):
            rows[column] = after[column]
    if PROBABILITY in told and "n_touches_recent" in rows and (base["as_of"] < after["as_of"]).any():
        # Seen from the earlier evening, the touches that came since are recent, however long ago by now.
        rows["n_touches_recent"] = base["n_touches_recent"] + after["n_touches"] - base["n_touches"]
    touched = changed[list(told)].any(axis=1)
    rows["last_change_at"] = after["last_change_at"].where(touched, base["last_change_at"])
    return rows


def _spliced(book: pd.DataFrame, at: np.ndarray, rows: pd.DataFrame) -> pd.DataFrame:
    """Put ``rows`` into the places ``at`` of the book."""
    order = np.arange(len(book))
    order[at] = len(book) + np.arange(len(at))
    both: pd.DataFrame = pd.concat([book, rows[list(book)]], ignore_index=True)
    return both.take(order).reset_index(drop=True)


def _subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [s for size in range(len(names) + 1) for s in combinations(names, size)]


def _share(factor: str, players: Sequence[str], values: dict[frozenset[str], np.ndarray], n: int) -> np.ndarray:
    out, k = np.zeros(n), len(players)
    if factor not in players:
        return out
    for others in _subsets([p for p in players if p != factor]):
        weight = factorial(len(others)) * factorial(k - len(others) - 1) / factorial(k)
        out += weight * (values[frozenset((*others, factor))] - values[frozenset(others)])
    return out
