"""Rules that repeat what people said: the latest forecast calls of one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL, Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.rules.deals import COMMIT
from pipeforecast.snapshot import Snapshot

#: Whose money a call is about, where the table does not say: the person's own group at this level.
_LEVEL = {"rep": "owner", "manager": "manager", "executive": TOTAL}


@dataclass(frozen=True)
class Call:
    """The latest calls of a layer (rep, manager, executive) for the period, made by as_of.

    Each (level, group) that was called counts once, with its latest row; the total is their sum. A person who called
    at several levels counts at the one called last. Where calls carry a category, the call is what commits (Commit,
    Forecast, Include) or has none; other categories are left out, unless the layer never used any but one.

    The total is NaN where nobody has called the period: what was not said is no nought. Groups that nobody called
    are not there.
    """

    name: str
    layer: str

    def fit(self, lessons: Lessons) -> FittedCall:
        """Nothing is estimated."""
        return FittedCall(self, lessons)

    def heard_in(self, calls: pd.DataFrame) -> pd.DataFrame:
        """Rows of ``calls`` that are this layer's calls, of any period, oldest first."""
        own = calls[(_plain(calls["layer"]) == self.layer).to_numpy(dtype=bool)]
        if "category" in own:
            said = _plain(own["category"])
            named = said[said != ""].unique()
            hit = said.isin(("", *COMMIT)) if len(named) > 1 or set(named) <= set(COMMIT) else said.notna()
            own = own[hit.to_numpy(dtype=bool)]
        return own.sort_values("made_at", kind="stable")

    def named(self, heard: pd.DataFrame) -> pd.DataFrame:
        """Whose money each row of ``heard`` is about: ``person``, ``level``, ``group`` and ``amount``, row by row."""
        usual = _LEVEL[self.layer]
        own = pd.Series(TOTAL, index=heard.index) if usual == TOTAL else heard["person"]
        return pd.DataFrame({
            "person": heard["person"].astype(str),
            "level": _filled(heard, "level", pd.Series(usual, index=heard.index)).str.lower(),
            "group": _filled(heard, "group", own),
            "amount": heard["amount"].astype("float64"),
        })  # fmt: skip

    def latest(self, calls: pd.DataFrame, as_of: pd.Timestamp, period: Period) -> pd.DataFrame:
        """Give the layer's latest call of each (``level``, ``group``) of a period by the evening of ``as_of``.

        Returns
        -------
        DataFrame
            ``level``, ``group``, ``person``, ``made_at``, ``amount``.
        """
        by_then = calls[(calls["made_at"] < as_of + pd.Timedelta(days=1)).to_numpy(dtype=bool)]
        heard = self.heard_in(by_then)
        heard = heard[(_plain(heard["period"]) == period.name.lower()).to_numpy(dtype=bool)]
        table = self.named(heard).assign(made_at=heard["made_at"])
        table = table[(table["level"] == table.groupby("person")["level"].transform("last")).to_numpy(dtype=bool)]
        last = table.drop_duplicates(["level", "group"], keep="last").sort_values(["level", "group"], kind="stable")
        return last[["level", "group", "person", "made_at", "amount"]].reset_index(drop=True)


@dataclass(frozen=True)
class FittedCall:
    """What a layer has said by the cutoff."""

    rule: Call
    lessons: Lessons

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.rule.name

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """The sum of the calls in total, and each call at its own level."""
        calls = self.lessons.tables.get("calls")
        if calls is None:
            cells = pd.DataFrame([(TOTAL, TOTAL, TOTAL)], columns=["level", "group", "part"])
            return Forecast(snapshot.as_of, period, self.name, cells, np.array([np.nan]))
        latest = self.rule.latest(calls, snapshot.as_of, period)
        amount = latest.set_index(["level", "group"])["amount"]
        rows, mean = [(TOTAL, TOTAL, TOTAL)], [float(amount.sum()) if len(amount) else np.nan]
        for at in (x for x in levels if x in amount.index.get_level_values(0)):
            said = amount.xs(at, level=0)
            rows += [(at, str(group), TOTAL) for group in said.index]
            mean += said.to_list()
        cells = pd.DataFrame(rows, columns=["level", "group", "part"])
        return Forecast(snapshot.as_of, period, self.name, cells, np.array(mean))


def _plain(words: pd.Series) -> pd.Series:
    return words.astype("object").fillna("").astype(str).str.strip().str.lower()


def _filled(rows: pd.DataFrame, column: str, otherwise: pd.Series) -> pd.Series:
    given = rows[column] if column in rows else pd.Series(pd.NA, index=rows.index, dtype="string")
    return given.astype("object").where(given.notna(), otherwise.astype("object")).astype(str)


CALLS = [Call(f"{layer}_call", layer) for layer in _LEVEL]
