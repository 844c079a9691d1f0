"""Rows of ``quota.csv``: each quota beside the forecast of its group, also without the largest deal and source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy.sparse

from pipeforecast.contract import WON
from pipeforecast.findings import Finding
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import NO_GROUP, TOTAL, Forecast, group_names
from pipeforecast.outcome import won_between
from pipeforecast.quota.reach import (
    attainment,
    chance,
    coverage,
    more_pipeline,
    opportunities_needed,
    pipeline_needed,
)
from pipeforecast.quota.targets import targets_of
from pipeforecast.snapshot import Snapshot, due_by

#: Columns of ``quota.csv``.
QUOTA_COLUMNS = (
    "as_of", "period", "level", "group", "currency", "status", "quota", "won", "attainment", "mean", "p_hit",
    "reached_with_80", "open_due", "coverage", "open_pipeline", "more_pipeline_for_80", "win_rate_by_value",
    "pipeline_needed", "opportunities_needed", "largest_deal", "p_hit_without_deal", "mean_without_deal",
    "source_column", "largest_source", "p_hit_without_source", "mean_without_source",
)  # fmt: skip
SURE = 0.8
#: The first of these by which the deals differ names where business comes from.
SOURCES = ("lead_source", "segment", "product")
#: Periods whose closed deals tell the win rate by value, the mean won amount and what each source brought.
_TRAILING = 4
#: Of fewer open deals no kind can be told: then further deals are like the whole book's.
_FEWEST_DEALS = 10


@dataclass(frozen=True)
class Quotas:
    """Quotas of a period beside its forecast.

    Attributes
    ----------
    rows : DataFrame
        The columns of ``quota.csv``; the total first, empty without quotas.
    findings : list of Finding
    given : bool
        Whether the export has a table of quotas.
    unknown : int
        Groups with a quota that no deal has.
    largest : str
        Name of the open deal with the largest expected amount; empty where there is none.
    """

    rows: pd.DataFrame
    findings: list[Finding]
    given: bool
    unknown: int
    largest: str = ""

    @property
    def total(self) -> dict[str, Any] | None:
        """Row of the total; None without quotas."""
        return {str(k): v for k, v in self.rows.iloc[0].items()} if len(self.rows) else None


def quotas_of(
    made: Forecast, now: Snapshot, table: pd.DataFrame | None, calendar: FiscalCalendar, currency: str, seed: int = 0
) -> Quotas:
    """Set the quotas of the forecast's period beside it.

    Parameters
    ----------
    made : Forecast
        Of a model, or of a rule, which tells no chances.
    now : Snapshot
        Of the same evening.
    table : DataFrame or None
        The table ``quotas``.
    calendar : FiscalCalendar
    currency : str
    seed : int
    """
    book = _Book(made, now, calendar, seed)
    levels = [str(level) for level in made.cells["level"].unique() if level != TOTAL]
    targets = targets_of(table, made.period, calendar, {level: book.known(level) for level in levels})
    told = {"as_of": made.as_of, "period": made.period.name, "currency": currency}
    rows = [
        told | {k: row[k] for k in ("level", "group", "quota")} | _row(book, row)
        for row in targets.rows.to_dict("records")
    ]
    unknown = int((~targets.rows["known"]).sum())
    largest = book.name(str(rows[0].get("largest_deal", ""))) if rows else ""
    return Quotas(
        pd.DataFrame(rows, columns=list(QUOTA_COLUMNS)), targets.findings, table is not None, unknown, largest
    )


def _row(book: _Book, target: dict[Any, Any]) -> dict[str, Any]:
    if not target["known"]:
        return {"status": "unknown_group"}
    level, group, quota = str(target["level"]), str(target["group"]), float(target["quota"])
    mine = book.members("open", level, group)
    won = float(book.won["amount"].iloc[book.members("won", level, group)].sum())
    open_due = float(book.listed[mine[book.due[mine]]].sum())
    rate, size = book.past
    return {
        "status": "reached" if won >= quota else "open",
        "won": won,
        "attainment": attainment(won, quota),
        "mean": book.made.value(TOTAL, level, group),
        "open_due": open_due,
        "coverage": coverage(open_due, quota, won),
        "open_pipeline": float(book.listed[mine].sum()),
        "win_rate_by_value": rate,
        "pipeline_needed": pipeline_needed(quota, won, rate),
        "opportunities_needed": opportunities_needed(quota, won, size, rate),
        **(_chances(book, level, group, mine, quota) if book.made.draws is not None else {}),
    }


def _chances(book: _Book, level: str, group: str, mine: np.ndarray, quota: float) -> dict[str, Any]:
    """What draws tell: the chance, what is reached for sure, and both without the largest deal and source."""
    made, draws = book.made, book.made.draw(TOTAL, level, group)
    out: dict[str, Any] = {"p_hit": chance(draws, quota), "reached_with_80": float(np.quantile(draws, 1 - SURE))}
    opened = made.open_draws
    if opened is None or made.deals is None:
        return out
    kind = mine if len(mine) >= _FEWEST_DEALS else book.members("open", TOTAL, TOTAL)
    listed = float(book.listed[kind].sum())
    brings = opened if len(kind) == opened.shape[0] else opened[kind]
    out["more_pipeline_for_80"] = more_pipeline(draws, brings, listed, quota, SURE, book.seed)
    mean = made.value(TOTAL, level, group)
    if len(mine):
        at = int(mine[np.argmax(book.expected[mine])])
        out["largest_deal"] = book.deal_id(at)
        out["p_hit_without_deal"] = chance(draws - _summed(opened, [at]), quota)
        out["mean_without_deal"] = mean - float(book.expected[at])
    if book.source is not None:
        new_mean, new = made.value("new", level, group), made.draw("new", level, group)
        code = book.source_codes[mine]
        sums = np.bincount(code, book.expected[mine], len(book.shares) + 1)
        expected = {s: float(sums[i]) + part * new_mean for i, (s, part) in enumerate(book.shares.items())}
        largest = max(expected, key=lambda s: expected[s])
        lost = _summed(opened, mine[code == list(expected).index(largest)]) + book.shares[largest] * new
        out |= {"source_column": book.source, "largest_source": largest}
        out |= {"p_hit_without_source": chance(draws - lost, quota), "mean_without_source": mean - expected[largest]}
    return out


def _summed(opened: scipy.sparse.csr_matrix, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.asarray(opened[list(rows)].sum(axis=0)).ravel()


@dataclass(frozen=True)
class _Book:
    """What is known of the deals on the evening of the forecast, asked group by group."""

    made: Forecast
    now: Snapshot
    calendar: FiscalCalendar
    seed: int

    @cached_property
    def closed(self) -> pd.DataFrame:
        return self.now.closed_by(self.now.as_of)

    @cached_property
    def won(self) -> pd.DataFrame:
        """Won in the period."""
        won = won_between(self.closed, self.made.period.start, self.made.period.end)
        return won.assign(amount=won["amount"].fillna(0.0))

    @cached_property
    def listed(self) -> np.ndarray:
        return np.asarray(self.now.open["amount"].fillna(0.0).to_numpy(dtype="float64"))

    @cached_property
    def due(self) -> np.ndarray:
        """Expected by the end of the period, or not dated."""
        return due_by(self.now.open, self.made.period.end)

    @cached_property
    def expected(self) -> np.ndarray:
        deals, period = self.made.deals, self.made.period
        assert deals is not None  # noqa: S101  asked by the caller; for the type checker
        return np.asarray(deals.won_between(period.start, period.end) * deals.amount)

    @cached_property
    def lately(self) -> pd.DataFrame:
        """Deals closed in the last complete periods and since."""
        running = self.calendar.containing(self.now.as_of + pd.Timedelta(days=1))
        first = self.calendar.shift(running, -_TRAILING).start
        return self.closed[(self.closed["closed_at"] >= first).to_numpy()]

    @cached_property
    def past(self) -> tuple[float, float]:
        """Win rate by value, and mean won amount, of deals closed lately (NaN: none)."""
        won = (self.lately["status"] == WON).to_numpy(dtype=bool)
        amount = self.lately["amount"].fillna(0.0).to_numpy(dtype="float64")
        rate = float(amount[won].sum() / amount.sum()) if amount.sum() > 0 else math.nan
        return rate, float(amount[won].mean()) if won.any() else math.nan

    @cached_property
    def source(self) -> str | None:
        """Column that names where business comes from: the first by which the open deals differ."""
        for column in SOURCES:
            known = self.now.roles.get(column) in ("birth", "tracked") and column in self.now.open
            if known and len(self.now.open[column].dropna().unique()) > 1:
                return column
        return None

    @cached_property
    def sources(self) -> np.ndarray:
        return group_names(self.now.open, str(self.source))

    @cached_property
    def source_codes(self) -> np.ndarray:
        """Place of each open deal's source among ``shares``; their number where it has none."""
        place = pd.Index(list(self.shares), dtype="object").get_indexer(pd.Index(self.sources, dtype="object"))
        return np.where(place < 0, len(self.shares), place)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Share of what was won lately that each source brought; those with open deals are there too."""
        won = self.lately[(self.lately["status"] == WON).to_numpy(dtype=bool)]
        money = won["amount"].fillna(0.0).clip(lower=0.0).groupby(group_names(won, str(self.source))).sum()
        every = sorted({*self.sources, *money.index} - {NO_GROUP})
        whole = float(money.sum())
        return {str(s): float(money.get(s, 0.0)) / whole if whole > 0 else 0.0 for s in every}

    def known(self, level: str) -> set[str]:
        """Groups that any deal, or the forecast, has."""
        cells = self.made.cells
        told = cells.loc[(cells["level"] == level).to_numpy(), "group"].astype(str)
        return {*told, *group_names(self.now.open, level), *group_names(self.closed, level)} - {NO_GROUP}

    @cached_property
    def groups(self) -> dict[tuple[str, str], dict[str, np.ndarray]]:
        """Positions of the deals of each group, by which deals and level: a quota of each owner asks again."""
        return {}

    def members(self, which: Literal["open", "won"], level: str, group: str) -> np.ndarray:
        """Positions of a group's deals, rising."""
        rows = self.now.open if which == "open" else self.won
        if level == TOTAL:
            return np.arange(len(rows))
        if (which, level) not in self.groups:
            names = group_names(rows, level)
            found = pd.Series(names).groupby(names).indices
            self.groups[which, level] = {str(name): np.asarray(at) for name, at in found.items()}
        return self.groups[which, level].get(group, np.zeros(0, dtype=int))

    def deal_id(self, at: int) -> str:
        return str(self.now.labels.loc[self.now.open["deal"].iloc[at], "deal_id"])

    def name(self, deal_id: str) -> str:
        labels = self.now.labels
        if "name" not in labels:
            return ""
        found = labels.loc[(labels["deal_id"].astype(str) == deal_id).to_numpy(), "name"].dropna()
        return str(found.iloc[0]) if len(found) else ""
