"""Every group of every grouping side by side, so that one count gives them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.forecast import NO_GROUP, TOTAL


@dataclass(frozen=True)
class Groups:
    """Groups of all groupings, numbered 0 … G−1: the total first, then one grouping after the other.

    Attributes
    ----------
    names : mapping of grouping to its groups
        ``total`` first; each other one ends with ``(none)``, where rows without a group go.
    """

    names: Mapping[str, Sequence[str]]

    @property
    def by(self) -> list[str]:
        """Names of the groupings (B,)."""
        return list(self.names)

    @cached_property
    def first(self) -> Mapping[str, int]:
        """Number of each grouping's first group."""
        sizes = [len(groups) for groups in self.names.values()]
        return dict(zip(self.names, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))

    def __len__(self) -> int:
        return sum(len(groups) for groups in self.names.values())

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Columns ``by`` and ``group`` (G rows)."""
        pairs = [(by, group) for by, groups in self.names.items() for group in groups]
        return pd.DataFrame(pairs, columns=["by", "group"])

    def codes(self, rows: pd.DataFrame) -> np.ndarray:
        """Give the number of each row's group in every grouping, G where ``rows`` has no such column (B, N).

        A value that no table had when the groups were named counts as ``(none)``.
        """
        out = np.full((len(self.names), len(rows)), len(self), dtype="int64")
        for b, (by, groups) in enumerate(self.names.items()):
            if by == TOTAL:
                out[b] = 0
            elif by in rows:
                code, found = pd.factorize(rows[by])
                place = pd.Index(groups).get_indexer(pd.Index(_named(found)))
                none = len(groups) - 1
                place = np.append(np.where(place < 0, none, place), none)
                out[b] = self.first[by] + place[code]
        return out

    def borrowed(self, rows: pd.DataFrame, others: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Give codes of ``rows`` that belong to rows of other tables: their own group, else that of the first other.

        Parameters
        ----------
        others : codes of a table (B, M) and the place there of each row (N,), −1 where it has none
        """
        out = self.codes(rows)
        none = np.array([self.first[by] + len(groups) - 1 for by, groups in self.names.items()])
        for codes, place in others:
            there = codes[:, :1].ravel() < len(self) if codes.shape[1] else np.zeros(len(codes), dtype=bool)
            for b in np.flatnonzero(there):
                theirs = np.append(codes[b], none[b])[place]
                out[b] = np.where((out[b] == none[b]) | (out[b] == len(self)), theirs, out[b])
        return out


def _named(values: Any) -> pd.Series:
    """Name groups as text; of times their day."""
    told = pd.Series(values)
    return told.dt.strftime("%Y-%m-%d") if pd.api.types.is_datetime64_any_dtype(told.dtype) else told.astype(str)


def name_groups(by: Iterable[str], frames: Iterable[pd.DataFrame]) -> Groups:
    """Name the groups of each grouping that any of ``frames`` has, in alphabetical order, ``(none)`` last."""
    out: dict[str, list[str]] = {TOTAL: [TOTAL]}
    all_of_them = list(frames)
    for column in by:
        found: set[str] = set()
        for frame in all_of_them:
            if column in frame:
                found |= set(_named(frame[column].dropna().unique()))
        out[column] = [*sorted(found - {NO_GROUP}), NO_GROUP]
    return Groups(out)
