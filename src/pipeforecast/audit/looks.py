"""What an audit sees of each open deal on an evening: only what was written by then, and what today alone knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeforecast.audit.stays import first_skips, long_stays, pipeline_of, places, stays_of
from pipeforecast.history import DealHistory
from pipeforecast.hygiene import FlagSettings
from pipeforecast.snapshot import Snapshot

_DAY = pd.Timedelta(days=1)
#: What flags look at of an open deal; beside it, whatever stages ask for.
FACTS = (
    "as_of", "deal", "created_at", "stage", "amount", "expected_close", "next_step", "last_activity_at", "n_pushes",
    "n_back", "stage_entered_at", "last_touch_at",
)  # fmt: skip


@dataclass(frozen=True)
class Walked:
    """How deals went through the stages: worked out once for all the evenings that are looked at."""

    history: DealHistory

    @cached_property
    def stays(self) -> pd.DataFrame:
        """As of ``stays_of``."""
        return stays_of(self.history.states)

    @cached_property
    def skips(self) -> pd.Series:
        """As of ``first_skips``."""
        return first_skips(self.history)


@dataclass(frozen=True)
class Looks:
    """Open deals on the evenings of a snapshot.

    Attributes
    ----------
    history : DealHistory
        As known by the last evening.
    snapshot : Snapshot
    told : FlagSettings
    today : Timestamp or None
        The evening on which today's values (facts without a past) hold; None: on none of these evenings.
    walked : Walked
        Of the same history; several looks share it.
    """

    history: DealHistory
    snapshot: Snapshot
    told: FlagSettings
    today: pd.Timestamp | None
    walked: Walked

    @property
    def rows(self) -> pd.DataFrame:
        """Open deals, one row an evening."""
        return self.snapshot.open

    @cached_property
    def is_today(self) -> np.ndarray:
        """Rows of the evening on which today's values hold (n,)."""
        if self.today is None:
            return np.zeros(len(self.rows), dtype=bool)
        return np.asarray((self.rows["as_of"] == self.today).to_numpy(dtype=bool))

    @cached_property
    def evening(self) -> pd.Series:
        """Midnight after each row's day (n,)."""
        return self.rows["as_of"] + _DAY

    def dated(self, column: str) -> bool:
        """Whether the column's value on a past evening is known: tracked, or fixed at birth."""
        return column in self.rows and self.history.roles.get(column) in ("birth", "tracked")

    def fact(self, column: str) -> tuple[pd.Series, np.ndarray]:
        """Give a column of deals as it was known on each evening (n,), and where it was known at all (n,)."""
        n = len(self.rows)
        if self.dated(column):
            return self.rows[column], np.ones(n, dtype=bool)
        if column in self.history.deals and self.is_today.any():
            values = self.history.deals[column].reindex(self.rows["deal"].to_numpy())
            return values.set_axis(self.rows.index), self.is_today
        return pd.Series(pd.NA, index=self.rows.index, dtype="object"), np.zeros(n, dtype=bool)

    @cached_property
    def has_touches(self) -> bool:
        """Whether activities of deals, with their days, are known."""
        touches = self.history.tables.get("touches")
        return touches is not None and "deal_id" in touches and bool(touches["deal_id"].notna().any())

    @cached_property
    def last_contact(self) -> pd.Series:
        """Day of the last activity (n,): of touches, and today also as the CRM itself says; NaT: none known."""
        nothing = pd.Series(pd.NaT, index=self.rows.index, dtype="datetime64[s]")
        touched = self.rows["last_touch_at"].dt.normalize() if "last_touch_at" in self.rows else nothing
        said, known = self.fact("last_activity_at")
        if not known.any():
            return touched.astype("datetime64[s]")
        said = pd.to_datetime(said, errors="coerce").astype("datetime64[s]").where(known)
        said = said.where(said <= self.rows["as_of"])
        return touched.where(~(said > touched) & touched.notna(), said).astype("datetime64[s]")

    @cached_property
    def silent_days(self) -> np.ndarray:
        """Days since the last activity, or where there was none since the deal was created (n,)."""
        since = self.last_contact.fillna(self.rows["created_at"])
        return np.asarray((self.rows["as_of"] - since).dt.days.to_numpy(dtype="float64"))

    @cached_property
    def contact_known(self) -> np.ndarray:
        """Where activities are known (n,)."""
        return np.ones(len(self.rows), dtype=bool) if self.has_touches else self.fact("last_activity_at")[1]

    @cached_property
    def stage_days(self) -> np.ndarray:
        """Days in the present stage (n,); NaN where the stage's past is not known."""
        if not self.history.has_stage_history:
            entered, known = self.fact("stage_entered_at")
            entered = pd.to_datetime(entered, errors="coerce").astype("datetime64[s]").where(known)
            return np.asarray((self.rows["as_of"] - entered).dt.days.to_numpy(dtype="float64", na_value=np.nan))
        spent = self.evening - self.rows["stage_entered_at"]
        return np.asarray(spent.dt.total_seconds().to_numpy(dtype="float64", na_value=np.nan) / 86400)

    @cached_property
    def stage_limit(self) -> np.ndarray:
        """Days after which a stay in the present stage counts as long, as known on the row's evening (n,)."""
        if not self.history.has_stage_history or self.rows.empty:
            return np.full(len(self.rows), np.nan)
        days = [pd.Timestamp(d) for d in self.snapshot.days]
        limits = long_stays(self.walked.stays, days, self.told.stage_share, self.told.least_stays)
        stage, names = pd.factorize(self.rows["stage"])
        table = np.pad(
            limits.reindex(columns=names).to_numpy(dtype="float64"), [(0, 0), (0, 1)], constant_values=np.nan
        )
        return np.asarray(table[limits.index.get_indexer(pd.Index(self.rows["as_of"])), stage])

    @cached_property
    def place(self) -> np.ndarray:
        """Number of the deal's stage among its pipeline's open stages, from 1 (n,)."""
        stage, known = self.fact("stage")
        place = places(self.history.stages, stage, pipeline_of(self.history, self.rows["deal"]))
        return np.where(known, place, np.nan)

    @cached_property
    def skipped(self) -> np.ndarray:
        """Whether the deal had moved beyond a stage that it had never been in (n,)."""
        first = self.walked.skips.reindex(self.rows["deal"].to_numpy())
        return np.asarray((first.to_numpy() < self.evening.to_numpy()).astype(bool))

    @cached_property
    def listed(self) -> np.ndarray:
        """Amount of each deal, as known on its evening (n,); NaN: none."""
        amount, known = self.fact("amount")
        return np.where(known, amount.to_numpy(dtype="float64", na_value=np.nan), np.nan)

    def texts(self, column: str) -> pd.Series:
        """Give a text as known on each evening; missing where it is not known, or blank (n,)."""
        values, known = self.fact(column)
        return on_each_kind(values, _filled).where(known)


def on_each_kind(values: pd.Series, told: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Apply a function of single values to each that occurs, once, however many rows have it (n,)."""
    code, kinds = pd.factorize(values)
    found = told(pd.Series(kinds))
    # Row -1, of what is missing, is put behind the others.
    return found.reindex(range(len(kinds) + 1)).take(code).set_axis(values.index)


def _filled(values: pd.Series) -> pd.Series:
    """Texts without the spaces around them; missing where nothing else is there."""
    text = values.astype("string").str.strip()
    return text.where((text != "").fillna(False).to_numpy(dtype=bool))


def plain(values: pd.Series) -> np.ndarray:
    """Give values as Python objects, None where one is missing (n,)."""
    return np.asarray(values.astype("object").where(values.notna(), None).to_numpy())


def past_evenings(as_of: pd.Timestamp, first: pd.Timestamp, days: int, every: int) -> Sequence[pd.Timestamp]:
    """Evenings before ``as_of``, ``every`` days apart, as far as ``days`` back and not before ``first``; rising."""
    back = (as_of - pd.Timedelta(days=every * i) for i in range(1, days // every + 1))
    return sorted(d for d in back if d >= first.normalize())
