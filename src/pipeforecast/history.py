"""What a company's CRM said, and when it said it: the one place where past days are rebuilt from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeforecast.contract import OPEN, Role
from pipeforecast.engine import EMBEDDED, Engine
from pipeforecast.errors import DataError
from pipeforecast.evenings import KeptEvenings
from pipeforecast.held import Held

#: Columns of ``states`` that are always there; the tracked facts of the deal stand beside them.
STATE_KEYS = ("deal", "seq", "recorded_at", "status", "closed_at")
STATE_FACTS = ("stage", "amount", "expected_close", "probability", "forecast_category", "owner")


@dataclass(frozen=True)
class DealHistory:
    """Every state of every deal, in the order in which the CRM wrote them.

    Attributes
    ----------
    deals : DataFrame, one row per deal, index 0 … n−1 (the *deal key*)
        ``deal_id``, ``created_at`` and everything else that is known of the deal today.
        Only the columns whose role is ``birth`` were true on every past day.
    states : DataFrame, one row per written state
        ``deal`` (key into ``deals``), ``seq`` (place in the source, which orders rows of the same second),
        ``recorded_at`` (when it was written), ``status`` (open, won, lost), ``closed_at`` (the true day of
        closing, NaT while open) and the facts ``stage``, ``amount``, ``expected_close``, ``probability``,
        ``forecast_category``, ``owner``, …, each the whole state as then known (NA: missing or unknown).
        Sorted by ``deal``, ``recorded_at``, ``seq``.
    stages : DataFrame
        ``pipeline``, ``stage``, ``position``, ``kind``, ``probability``, ``qualified``.
    written_until : Timestamp
        The last day on which anything was written: the default ``as_of``.
    roles : mapping of column to role
        ``birth``, ``tracked`` (its past is in ``states``) or ``today`` (no feature of a past day).
    tables : mapping of name to DataFrame
        ``leads``, ``touches``, ``quotas``, ``calls``, ``spend``, … where the export has them.
    engine : Engine
        Where questions over all states are run; the answers are the same.
    kept : KeptEvenings or None
        Where snapshots of past evenings are kept for the next time; they are the same.
    """

    deals: pd.DataFrame
    states: pd.DataFrame
    stages: pd.DataFrame
    written_until: pd.Timestamp
    roles: Mapping[str, Role]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    engine: Engine = EMBEDDED
    kept: KeptEvenings | None = None

    def __post_init__(self) -> None:
        missing = [c for c in STATE_KEYS + STATE_FACTS if c not in self.states]
        if missing:
            raise DataError(f"states need the columns {missing}")

    @property
    def has_stage_history(self) -> bool:
        """Whether the stage of a past day is known from a change log."""
        return self.roles.get("stage") == "tracked"

    def known_by(self, day: pd.Timestamp) -> DealHistory:
        """Forget all that was written after the evening of ``day``.

        A deal that was created by ``day`` but first written later is not there; one that closed by ``day`` but
        was written as closed later is still open.
        """
        if day >= self.written_until:
            return self
        evening = pd.Timestamp(day).normalize() + pd.Timedelta(days=1)
        states = self.states[(self.states["recorded_at"] < evening).to_numpy()]
        kept = np.unique(states["deal"].to_numpy())
        return replace(
            self,
            deals=self.deals.loc[kept],
            states=states,
            written_until=pd.Timestamp(day).normalize(),
            tables=self.tables_by(day, self.tables),
        )

    def tables_by(self, day: pd.Timestamp, names: Iterable[str]) -> dict[str, pd.DataFrame]:
        """Give those of the tables ``names`` that there are, as written by the evening of ``day``."""
        there = {name: self.tables[name] for name in names if name in self.tables}
        if day >= self.written_until:
            return there
        evening = pd.Timestamp(day).normalize() + pd.Timedelta(days=1)
        return {name: _known_rows(name, frame, evening) for name, frame in there.items()}

    @cached_property
    def held(self) -> Held:
        """From when to when each state was the last word."""
        return Held(self.states)

    def keys_of(self, ids: pd.Series) -> np.ndarray:
        """Give the key of each deal id, −1 where it is missing or no deal's (n,)."""
        if self.deals.empty:
            return np.full(len(ids), -1)
        known, asked = (
            pa.array(s.astype("string").array).cast(pa.large_string()) for s in (self.deals["deal_id"], ids)
        )
        place = pc.index_in(asked, value_set=known, skip_nulls=True).fill_null(-1).to_numpy()
        return np.where(place < 0, -1, self.deals.index.to_numpy()[place])

    def latest(self) -> pd.DataFrame:
        """Give the last written state of every deal, indexed by deal key."""
        last = ~self.states.duplicated("deal", keep="last").to_numpy()
        return self.states[last].set_index("deal")

    def closed(self) -> pd.DataFrame:
        """Give the last written state of the deals that are closed, indexed by deal key."""
        latest = self.latest()
        return latest[(latest["status"] != OPEN).to_numpy()]


#: The column that says when a row of a table was written; a table without one is taken as always known.
_WRITTEN = {
    "touches": "at", "calls": "made_at", "leads": "created_at", "lead_changes": "changed_at",
    "spend": "day", "orders": "day", "subscriptions": "from", "reporting_line": "valid_from",
}  # fmt: skip


def _known_rows(name: str, frame: pd.DataFrame, evening: pd.Timestamp) -> pd.DataFrame:
    written = _WRITTEN.get(name)
    if written is None or written not in frame:
        return frame
    known = frame[written].isna() | (frame[written] < evening)
    return frame[known.to_numpy()]
