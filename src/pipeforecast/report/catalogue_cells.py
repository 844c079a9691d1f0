"""What the catalogue's page is made from, asked for one cell at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeforecast.benchmarks import Benchmark
from pipeforecast.findings import Finding
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics import CATALOGUE, Window
from pipeforecast.metrics.told import NOT_AVAILABLE, plain
from pipeforecast.report.words import clean, number
from pipeforecast.wording import Language, pnoop, retold

_NOTHING = pnoop("reason", "nothing was counted")
#: What the benchmarks that ship say of themselves.
_WHAT = (
    pnoop("benchmark", "commonly reached"), pnoop("benchmark", "commonly reached from the first stage"),
    pnoop("benchmark", "commonly reached from later stages"), pnoop("benchmark", "common with new customers"),
    pnoop("benchmark", "common with existing customers"), pnoop("benchmark", "half of the replies are positive"),
)  # fmt: skip
#: Parts that have names of ours; those of stages and sources are the company's.
_PARTS = (
    pnoop("part", "all customers: volume"), pnoop("part", "all customers: value"),
    pnoop("part", "all customers: velocity, {stage}"), pnoop("part", "all customers: conversion, {stage}"),
    pnoop("part", "new customers: volume"), pnoop("part", "new customers: value"),
    pnoop("part", "new customers: velocity, {stage}"), pnoop("part", "new customers: conversion, {stage}"),
    pnoop("part", "existing customers: volume"), pnoop("part", "existing customers: value"),
    pnoop("part", "existing customers: velocity, {stage}"), pnoop("part", "existing customers: conversion, {stage}"),
    pnoop("part", "new customers: speed to lead"), pnoop("part", "existing customers: touches a month"),
    pnoop("part", "under {amount}"), pnoop("part", "{low} to {high}"), pnoop("part", "{amount} and over"),
    pnoop("part", "without amount"), pnoop("part", "up to 1 h"), pnoop("part", "1 to 24 h"),
    pnoop("part", "1 to 7 days"), pnoop("part", "over 7 days"), pnoop("part", "no response"),
    pnoop("part", "within 1 h"), pnoop("part", "within 24 h"), pnoop("part", "median"),
    pnoop("part", "90th percentile"), pnoop("part", "no touch"), pnoop("part", "up to 1 a month"),
    pnoop("part", "1 to 4 a month"), pnoop("part", "over 4 a month"), pnoop("part", "rep, day {day}"),
    pnoop("part", "manager, day {day}"), pnoop("part", "executive, day {day}"), pnoop("part", "first: {source}"),
    pnoop("part", "last: {source}"), pnoop("part", "linear: {source}"), pnoop("part", "position: {source}"),
    pnoop("part", "time_decay: {source}"), pnoop("part", "unattributed"),
)  # fmt: skip
_NUMBERS = ("value", "lower", "upper", "n", "change", "change_year")


@dataclass(frozen=True)
class MetricsInput:
    """What the catalogue's page is made from.

    Attributes
    ----------
    table : DataFrame
        Rows of ``metrics.csv``.
    windows : sequence of Window
        In their order; the last one is told first.
    as_of : Timestamp
    first : sequence of str
        Metrics of the first screen.
    benchmarks : sequence of Benchmark
    findings : sequence of Finding
    currency : str
    set_name : str
        How the choice of the first screen is called.
    people : mapping of id to name
        Names to show for owners and managers.
    titles : mapping of metric to title
        In another language; the declarations' own without it.
    language : str
        In which of ``wording.LANGUAGES`` the page is said.
    """

    table: pd.DataFrame
    windows: Sequence[Window]
    as_of: pd.Timestamp
    first: Sequence[str]
    benchmarks: Sequence[Benchmark] = ()
    findings: Sequence[Finding] = ()
    currency: str = ""
    set_name: str = ""
    people: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    language: Language = "en"


class Cells:
    """The table, asked for one cell or one row of cells at a time."""

    def __init__(self, given: MetricsInput) -> None:
        self.given = given
        self.periods = [w.name for w in given.windows]
        rows = plain(given.table[(given.table["by"] == TOTAL).to_numpy()])
        rows = rows.assign(part=rows["part"].fillna("").astype(str))
        self._rows = {(r["metric"], r["part"], r["by"], r["group"], r["period"]): r for r in rows.to_dict("records")}
        self._parts = {str(m): [str(p) for p in own["part"].unique()] for m, own in rows.groupby("metric", sort=False)}
        self.metrics = list(self._parts)

    @property
    def newest(self) -> str:
        """Name of the window that is told first."""
        return self.periods[-1]

    @property
    def whole(self) -> str:
        """Name of the newest window that is over, else of the newest."""
        over = [w.name for w in self.given.windows if w.end <= self.given.as_of]
        return over[-1] if over else self.newest

    def title(self, metric: str) -> str:
        """How a metric is called."""
        return self.given.titles.get(metric, CATALOGUE[metric].title)

    def label(self, metric: str, part: str) -> str:
        """How a part of a metric is called."""
        kind = CATALOGUE[metric].parts
        if kind == "conversion" and part in CATALOGUE:
            return self.title(part)
        return clean(part) if kind in ("", "stage", "source") else retold("part", clean(part))

    def parts(self, metric: str) -> list[str]:
        """Parts of a metric, in their order; one empty name where it has none."""
        return self._parts.get(metric, [])

    def cell(self, metric: str, part: str = "", period: str | None = None) -> dict[str, Any]:
        """Give value, interval, n, changes and status of one metric in one window; all None where it is not there."""
        row = self._rows.get((metric, part, TOTAL, TOTAL, self.newest if period is None else period))
        if row is None:
            return {
                **dict.fromkeys(_NUMBERS),
                "status": NOT_AVAILABLE,
                "reason": retold("reason", _NOTHING),
                "unit": "",
            }
        return {
            **{k: number(row[k]) for k in _NUMBERS},
            "status": str(row["status"]),
            "reason": retold("reason", clean(row["reason"])),
            "unit": str(row["unit"]),
        }

    def trend(self, metric: str, part: str = "") -> list[dict[str, Any]]:
        """Give a metric over all windows."""
        return [{"period": p, **self.cell(metric, part, p)} for p in self.periods]


def benchmark_of(cells: Cells, name: str, part: str, value: float | None) -> dict[str, Any] | None:
    """Find the benchmark of a metric's total, and say on which side of it the value lies."""
    places = ("first" if part == (cells.parts(name) or [""])[0] else "later", part, "")
    told = [b for b in cells.given.benchmarks if b.metric == name and not b.by and b.part in places]
    if not told:
        return None
    b = max(told, key=lambda b: b.part != "")
    side = None if value is None else "below" if value < b.low else "above" if value > b.high else "within"
    return {"low": b.low, "high": b.high, "what": retold("benchmark", b.what), "side": side}
