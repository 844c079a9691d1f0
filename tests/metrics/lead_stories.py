"""Small companies with leads, touches, spend and customers, and the figures that the catalogue tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeforecast.contract import TABLES, conform
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.lifecycle import LifecycleSettings
from pipeforecast.metrics import View, Window, metrics_named, told, view_of
from pipeforecast.metrics.choices import Choices
from stories import Deal, deal, tell

QUARTERS = FiscalCalendar()
#: A deal that lets a company be told at all where a test is about something else.
NOTHING = deal("none", ("2020-01-01", {"stage": "Talk"}))


def history(
    deals: Sequence[Deal] = (NOTHING,), until: str = "2024-06-30", **tables: Sequence[Mapping[str, Any]]
) -> DealHistory:
    """A company of these deals and rows of other tables."""
    made = tell(deals, until)
    frames = {}
    for name, rows in tables.items():
        columns = list(dict.fromkeys([c for c, p in TABLES[name].items() if p.required] + [c for r in rows for c in r]))
        frames[name] = conform(pd.DataFrame(list(rows), columns=columns), name)
    roles = {c: "birth" for c in made.deals if c not in made.roles}
    return replace(made, tables=frames, roles={**made.roles, **roles})


def window(name: str) -> Window:
    length = "month" if "M" in name else "quarter" if "Q" in name else "year"
    period = FiscalCalendar(length).named(name)
    return Window(period.name, period.start, period.end)


def look(
    company: DealHistory,
    *periods: str,
    by: Sequence[str] = (),
    as_of: str | None = None,
    marketing: Sequence[str] = (),
    **lifecycle: Any,
) -> View:
    day = pd.Timestamp(as_of) if as_of else company.written_until
    choices = Choices(marketing_sources=tuple(marketing), lifecycle=LifecycleSettings.model_validate(lifecycle))
    return view_of(company, QUARTERS, day, [window(p) for p in periods or ("2024Q1",)], by, choices)


def table(view: View, *names: str) -> pd.DataFrame:
    return told(view, metrics_named(names))


def value(view: View, name: str, part: str = "", group: str = "total", period: str | None = None) -> float:
    """The one value of a metric; it must be there."""
    rows = table(view, name)
    mine = rows[(rows["part"] == part) & (rows["group"] == group)]
    mine = mine if period is None else mine[mine["period"] == period]
    assert len(mine) == 1, rows.to_string()
    return float(mine["value"].iloc[0])


def status(view: View, name: str, part: str = "", group: str = "total") -> str:
    rows = table(view, name)
    mine = rows[(rows["part"] == part) & (rows["group"] == group)]
    assert len(mine) == 1, rows.to_string()
    return str(mine["status"].iloc[0])


def reason(view: View, name: str) -> str:
    rows = table(view, name)
    assert (rows["status"] == "not available").all(), rows.to_string()
    return str(rows["reason"].iloc[0])


def codes(view: View) -> set[str]:
    return {f.code for f in view.findings}
