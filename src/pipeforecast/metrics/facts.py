"""Tables whose rows are counted: which fall into a window, and what they add up to in every group at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.metrics.groups import Groups
from pipeforecast.metrics.survival import survival_quantile
from pipeforecast.metrics.windows import Windows, rows_within

#: Values of rows: a column's name, or one value a row.
Of = str | np.ndarray | pd.Series


@dataclass(frozen=True)
class Facts:
    """Rows that are counted (deals, leads, touches, stays in a stage …), with the groups that each belongs to.

    Attributes
    ----------
    rows : DataFrame (N)
    groups : Groups
    windows : mapping of name to Windows
        ``period``: what is asked for; others look back from it (``trailing``, ``year before``).
    given : int array (B, N), optional
        Codes of the rows' groups where they are those of other tables' rows (``Groups.borrowed``).
    """

    rows: pd.DataFrame
    groups: Groups
    windows: dict[str, Windows]
    given: np.ndarray | None = field(default=None, repr=False, compare=False)
    _pairs: dict[Any, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def codes(self) -> np.ndarray:
        """Number of each row's group in every grouping, G where it has none (B, N)."""
        return self.groups.codes(self.rows) if self.given is None else self.given

    def within(self, day: Of, where: Any = None, window: str = "period") -> Chosen:
        """Choose the rows whose ``day`` lies in each window.

        Parameters
        ----------
        day : name of a column of days, or datetime64 (N,)
        where : bool (N,), optional
            Rows that count at all.
        window : str
            ``period``, ``trailing`` (the four complete periods before its evening), ``year before``.
        """
        windows = self.windows[window]
        return self._chosen(day, where, windows.starts, windows.ends, f"{window} within")

    def on_evening(self, day: Of = "as_of", where: Any = None) -> Chosen:
        """Choose the rows that are of each window's evening (its last, or that of ``as_of``)."""
        evenings = self.windows["period"].evenings
        return self._chosen(day, where, evenings, evenings, "evening")

    def _chosen(self, day: Of, where: Any, starts: np.ndarray, ends: np.ndarray, how: str) -> Chosen:
        key = (how, day) if isinstance(day, str) else None
        if key is None or key not in self._pairs:
            days = self.rows[day] if isinstance(day, str) else day
            found = rows_within(np.asarray(days).astype("datetime64[s]"), starts, ends)
            if key is None:
                return self._kept(*found, where, len(starts))
            self._pairs[key] = found
        return self._kept(*self._pairs[key], where, len(starts))

    def _kept(self, rows: np.ndarray, window: np.ndarray, where: Any, n: int) -> Chosen:
        if where is not None:
            keep = _flags(where)[rows]
            rows, window = rows[keep], window[keep]
        return Chosen(self, rows, window, n)


@dataclass(frozen=True)
class Chosen:
    """Rows of a table, each with the window that it falls into (one entry for each pair).

    Everything that it adds up has the shape (P, G): windows by groups of all groupings.
    """

    facts: Facts
    at: np.ndarray
    window: np.ndarray
    n_windows: int

    def of(self, values: Of) -> np.ndarray:
        """Give the values of the chosen rows (K,)."""
        every = np.asarray(self.facts.rows[values] if isinstance(values, str) else values)
        chosen: np.ndarray = every[self.at]
        return chosen

    def where(self, which: Any) -> Chosen:
        """Keep those of the chosen rows for which ``which`` (N,) holds."""
        keep = _flags(which)[self.at]
        return Chosen(self.facts, self.at[keep], self.window[keep], self.n_windows)

    def known(self, values: Of) -> Chosen:
        """Keep those of the chosen rows whose value is there."""
        there = self.facts.rows[values].notna().to_numpy() if isinstance(values, str) else pd.notna(np.asarray(values))
        keep = there[self.at]
        return Chosen(self.facts, self.at[keep], self.window[keep], self.n_windows)

    @cached_property
    def _cells(self) -> np.ndarray:
        """Place of each pair in the flat table of windows by groups (the last column: nowhere), by grouping (B, K).

        Groupings that the rows do not have are left out.
        """
        size, codes = len(self.facts.groups), self.facts.codes
        there = codes[:, 0] < size if codes.shape[1] else np.zeros(len(codes), dtype=bool)
        out: np.ndarray = codes[there][:, self.at] if not there.all() else codes[:, self.at]
        out += self.window * (size + 1)
        return out

    @property
    def _size(self) -> int:
        return self.n_windows * (len(self.facts.groups) + 1)

    def _shaped(self, flat: np.ndarray) -> np.ndarray:
        return flat.reshape(self.n_windows, -1)[:, :-1]

    def _added(self, weights: np.ndarray | None) -> np.ndarray:
        total = np.zeros(self._size)
        for cell in self._cells:
            total += np.bincount(cell, weights, minlength=self._size)
        return self._shaped(total)

    def count(self) -> np.ndarray:
        """How many (P, G)."""
        return self._added(None)

    def sum(self, values: Of) -> np.ndarray:
        """Sum, of what is known (P, G)."""
        x = self.of(values).astype("float64")
        return self._added(np.where(np.isnan(x), 0.0, x))

    def squares(self, values: Of) -> np.ndarray:
        """Sum of squares, of what is known (P, G)."""
        x = self.of(values).astype("float64")
        return self._added(np.where(np.isnan(x), 0.0, x * x))

    def distinct(self, keys: Of) -> np.ndarray:
        """How many different keys, of those that are there (P, G)."""
        every = self.facts.rows[keys] if isinstance(keys, str) else pd.Series(np.asarray(keys))
        code = pd.factorize(every)[0].astype("int64")[self.at]
        many = int(code.max(initial=0)) + 1
        total = np.zeros(self._size)
        for cell in self._cells:
            seen = pd.unique(cell[code >= 0].astype("int64") * many + code[code >= 0])
            total += np.bincount(seen // many, minlength=self._size)
        return self._shaped(total)

    def quantile(self, values: Of, share: float = 0.5) -> np.ndarray:
        """Quantile of what is known, linear between neighbours; NaN where nothing is (P, G)."""
        return self.quantiles(values, (share,))[0]

    def quantiles(self, values: Of, shares: Sequence[float]) -> list[np.ndarray]:
        """Several quantiles for one sorting of the values: (P, G) each."""
        x = self.of(values).astype("float64")
        order = np.argsort(x, kind="stable")  # NaN last
        order = order[: int((~np.isnan(x)).sum())]
        found = [_quantiles(cell[order], x[order], shares, self._size) for cell in self._cells]
        return [self._merged([f[i] for f in found]) for i in range(len(shares))]

    def time_until(self, days: Of, ended: Of, share: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Days by which a share has ended, where some go on (Kaplan–Meier), with a 95 % interval: (P, G) each."""
        x, over = self.of(days).astype("float64"), self.of(ended).astype(bool)
        known = np.argsort(x, kind="stable")[: int((~np.isnan(x)).sum())]  # in order once, for all groupings
        found = [survival_quantile(cell[known], x[known], over[known], self._size, share) for cell in self._cells]
        value, lower, upper = (self._merged([f[i] for f in found]) for i in range(3))
        return value, lower, upper

    def _merged(self, by_grouping: Sequence[np.ndarray]) -> np.ndarray:
        """Lay the flat tables of the groupings over each other; each has values in its own cells only."""
        out = np.full(self._size, np.nan)
        for mine in by_grouping:
            out = np.where(np.isnan(mine), out, mine)
        return self._shaped(out)


def _flags(which: Any) -> np.ndarray:
    """Read a condition: missing is no."""
    if isinstance(which, np.ndarray) and which.dtype == bool:
        return which
    return np.asarray(pd.Series(which).fillna(False), dtype=bool)


def _quantiles(cell: np.ndarray, x: np.ndarray, shares: Sequence[float], size: int) -> list[np.ndarray]:
    """Quantiles of every cell; ``x`` rises. Small integers are sorted by their digits, which takes no comparisons."""
    order = np.argsort(cell.astype("uint16") if size <= 2**16 else cell, kind="stable")
    x, n = x[order], np.bincount(cell, minlength=size)
    some, made = n > 0, []
    for share in shares:
        out = np.full(size, np.nan)
        place = (np.cumsum(n) - n)[some] + share * (n[some] - 1)
        low = np.floor(place).astype("int64")
        high = np.minimum(low + 1, len(x) - 1)
        part = place - low
        out[some] = x[low] + np.where(part > 0, part * (x[high] - x[low]), 0.0)
        made.append(out)
    return made
