"""Rows that teach a lead model: what was known of a lead on an evening, and whether it reached the step in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeforecast.leads import LeadFeatures


@dataclass(frozen=True)
class LeadRows:
    """Mature rows, in the order of ``time``.

    Attributes
    ----------
    features : LeadFeatures of n rows
    y : float (n,)
        1 where the step was reached within the days, 0 where it was not.
    person : int (n,)
        One person's rows are never on both sides of a split.
    lead : int (n,)
        Several evenings of one lead count together as one.
    time : float (n,)
        Day of the evening since 1970; where there are no dates, the place in the source.
    lag : float
        How long after ``time`` the answer is known, in its unit.
    """

    features: LeadFeatures
    y: np.ndarray
    person: np.ndarray
    lead: np.ndarray
    time: np.ndarray
    lag: float = 0.0

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.y)

    def rows(self, keep: np.ndarray) -> LeadRows:
        """Keep some rows (mask or positions)."""
        return LeadRows(
            self.features.rows(keep), self.y[keep], self.person[keep], self.lead[keep], self.time[keep], self.lag
        )

    def weights(self, half_life: float = np.inf) -> np.ndarray:
        """Weight of each row; a vote halves every ``half_life`` units of time.

        All rows count alike, and together as many votes as there are leads. Were each lead's vote shared by its rows,
        those that move through many steps, who convert more, would count for less on their first evening.
        """
        weight = np.full(len(self), len(np.unique(self.lead)) / max(len(self), 1))
        if np.isfinite(half_life) and len(self):
            weight = weight * 0.5 ** ((self.time.max() - self.time) / half_life)
        return np.asarray(weight)

    def thinned(self, most: int, seed: int) -> LeadRows:
        """Keep whole leads, drawn at random, of at most about ``most`` rows."""
        if len(self) <= most:
            return self
        names, place = np.unique(self.lead, return_inverse=True)
        chosen = np.random.default_rng(seed).random(len(names)) < most / len(self)
        return self.rows(chosen[place])

    def before(self, start: float, apart_from: np.ndarray) -> np.ndarray:
        """Mask of the rows whose answer was known at ``start``, of other persons than ``apart_from``."""
        return np.asarray((self.time + self.lag < start) & ~np.isin(self.person, apart_from))


def in_sequence(rows: LeadRows, blocks: int, tested: int, fewest: int = 50) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut rows into blocks of equal count over time and give, for each of the last, who teaches and who is foretold.

    Parameters
    ----------
    rows : LeadRows
    blocks : int
        Into how many blocks time is cut.
    tested : int
        How many of them, the newest, are foretold.
    fewest : int
        A block is left out that fewer leads teach, or leads that all ended alike.

    Yields
    ------
    (mask of the teaching rows, positions of the block's rows), the earliest block first
    """
    edges = np.unique(np.quantile(rows.time, np.linspace(0, 1, blocks + 1)[1:-1], method="higher"))
    number = np.searchsorted(edges, rows.time, side="right")
    for block in np.unique(number)[-tested:]:
        at = np.flatnonzero(number == block)
        teach = rows.before(float(rows.time[at].min()), rows.person[at])
        if teach.sum() >= fewest and 0 < rows.y[teach].sum() < teach.sum():
            yield teach, at
