"""The two frames that models, points card and thresholds share: what is known of leads, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError

MISSING = "(missing)"
#: Columns of ``ScoredLeads.leads``; more may be added.
SCORED_COLUMNS = (
    "lead_id", "person", "created_at", "as_of", "age_days", "p", "converted_within", "contacted", "segment", "value",
)  # fmt: skip


@dataclass(frozen=True)
class LeadFeatures:
    """What was known of each lead on the evening of its ``as_of``: one row a lead and evening, index 0 … n−1.

    Attributes
    ----------
    numbers : DataFrame of float64 (n, ·)
        In the export's own units (counts, days, employees); NaN where missing.
    categories : DataFrame of str objects (n, ·)
        Missing values are the level ``(missing)``.
    flags : DataFrame of float64 (n, ·)
        1 yes, 0 no, NaN where missing.
    engagement : tuple of str
        Columns (of any of the three) that tell what the lead did; all others tell who they are (fit).
    touches : DataFrame
        One row a touch written by the row's ``as_of``: ``row`` (position, 0 … n−1), ``kind`` (as in the table
        ``touches``), ``days_ago`` (float, days before the end of that evening, 0 or more). Empty where the export
        has no touches. A fitted half-life is learned from it.
    labels : mapping of str to str
        Titles of columns for people, where they differ from the name.
    """

    numbers: pd.DataFrame
    categories: pd.DataFrame
    flags: pd.DataFrame
    engagement: tuple[str, ...] = ()
    touches: pd.DataFrame = field(default_factory=lambda: no_touches())
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.numbers) == len(self.categories) == len(self.flags):
            raise DataError(
                "lead features: expected numbers, categories and flags of one length, came "
                f"{len(self.numbers)}, {len(self.categories)}, {len(self.flags)} rows"
            )
        names = [*self.numbers, *self.categories, *self.flags]
        if len(set(names)) < len(names):
            raise DataError("lead features: expected each column name once over numbers, categories and flags")

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.numbers)

    @property
    def names(self) -> list[str]:
        """All columns: numbers, categories, flags."""
        return [*self.numbers, *self.categories, *self.flags]

    @property
    def fit(self) -> tuple[str, ...]:
        """Columns that tell who a lead is."""
        return tuple(n for n in self.names if n not in self.engagement)

    def rows(self, keep: np.ndarray) -> LeadFeatures:
        """Keep some rows (mask or positions), in that order."""
        at = np.flatnonzero(keep) if np.asarray(keep).dtype == bool else np.asarray(keep, dtype=int)
        numbers, categories, flags = (f.iloc[at].reset_index(drop=True) for f in self._frames())
        place = np.full(len(self), -1)
        place[at] = np.arange(len(at))
        row = place[self.touches["row"].to_numpy(dtype=int)]
        touches = self.touches[row >= 0].assign(row=row[row >= 0]).reset_index(drop=True)
        return LeadFeatures(numbers, categories, flags, self.engagement, touches, self.labels)

    def without(self, names: set[str]) -> LeadFeatures:
        """Leave columns out."""
        kept = [f.drop(columns=[n for n in f if n in names]) for f in self._frames()]
        return LeadFeatures(
            kept[0], kept[1], kept[2], tuple(n for n in self.engagement if n not in names), self.touches, self.labels
        )

    def _frames(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        return self.numbers, self.categories, self.flags


@dataclass(frozen=True)
class ScoredLeads:
    """Leads of the past at the evening on which each was decided on, with the chance that it would have been given.

    A lead is decided on ``decide_after`` days after its creation (0: on the evening of the day itself), by what was
    written by then. Leads that had reached the step, or were disqualified, by that evening have no row.

    Attributes
    ----------
    leads : DataFrame, one row a lead, in the order of ``as_of``, index 0 … n−1
        ``lead_id`` (string), ``person`` (int code: one person, account or else lead), ``created_at`` and ``as_of``
        (datetime64[s] days; NaT where the table has no dates, then rows keep the source's order), ``age_days``
        (float), ``p`` (float: out-of-fold P(step within ``days`` after ``as_of``), by a model that was taught by
        earlier leads of other persons; NaN for the earliest leads, which only teach), ``converted_within`` (boolean;
        NA: immature, ``days`` have not passed since ``as_of``, converted by now or not), ``contacted`` (boolean:
        whether somebody turned to the lead by the end of these days; NA where the export cannot tell), ``segment``
        (string, NA where unknown), ``value`` (float: amount of the deal that it became, where it was won; NaN where
        unknown).
    features : LeadFeatures
        Aligned with the rows of ``leads``.
    step : str
        ``mql``, ``srl``, ``sql``, ``converted`` or ``won``.
    days : int
        Days after ``as_of`` within which the step counts.
    model : str
        Kind of the model that gave ``p``.
    dated : bool
        Whether rows are in the order of time. Otherwise the folds were drawn at random, and all that follows says so.
    last : Timestamp or None
        Evening up to which outcomes are known (None where not dated).
    """

    leads: pd.DataFrame
    features: LeadFeatures
    step: str = "converted"
    days: int = 90
    model: str = "logistic"
    dated: bool = True
    last: pd.Timestamp | None = None

    def __post_init__(self) -> None:
        missing = [c for c in SCORED_COLUMNS if c not in self.leads]
        if missing:
            raise DataError(f"scored leads: expected the columns {SCORED_COLUMNS}, came none called {missing}")
        if len(self.leads) != len(self.features):
            raise DataError(
                f"scored leads: expected features of {len(self.leads)} rows, came {len(self.features)} rows"
            )

    @property
    def judged(self) -> np.ndarray:
        """Mask of the rows with a chance and a known outcome: what thresholds are set from."""
        known = self.leads["converted_within"].notna() & self.leads["p"].notna()
        return known.to_numpy(dtype=bool)

    def rows(self, keep: np.ndarray) -> ScoredLeads:
        """Keep some rows (mask or positions)."""
        leads = self.leads.iloc[keep].reset_index(drop=True)
        return ScoredLeads(leads, self.features.rows(keep), self.step, self.days, self.model, self.dated, self.last)


class Marks(Protocol):
    """What turns scored leads into points, grades and the list for sales: a points card with saved thresholds."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns that it looks at, besides those that the model needs."""
        ...

    def mark(self, features: LeadFeatures, p: np.ndarray, segment: np.ndarray) -> pd.DataFrame:
        """Mark leads, row by row.

        Parameters
        ----------
        features : LeadFeatures of n rows
            A chunk of the leads that are scored; columns that the card knows and they lack count as missing.
        p : float (n,)
            P(step within the days of the model).
        segment : object array (n,)
            Text, or None where unknown.

        Returns
        -------
        DataFrame, index 0 … n−1
            ``points`` (Int64), ``grade`` (string), ``hand_over`` (boolean); NA where the settings do not say.
        """
        ...


def no_touches() -> pd.DataFrame:
    """Give the table of touches without rows."""
    return pd.DataFrame({
        "row": np.zeros(0, dtype="int64"), "kind": pd.Series([], dtype="object"), "days_ago": np.zeros(0),
    })  # fmt: skip
