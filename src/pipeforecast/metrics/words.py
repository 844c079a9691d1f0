"""The first screen in words: a few metrics of the newest period, beside the period before and the year before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.catalogue import CATALOGUE
from pipeforecast.metrics.computed import Computed
from pipeforecast.metrics.periods import CAMPAIGN, DIFFERENCE
from pipeforecast.metrics.told import NOT_AVAILABLE, OK, plain

_LARGE = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))


def first_lines(
    made: Computed, first: Sequence[str], currency: str, titles: Mapping[str, str] | None = None
) -> list[str]:
    """Give the lines of the first screen: the metrics ``first`` that were computed, else the first nine that were.

    ``titles`` are those of another language.
    """
    called = {m.name: m.title for m in CATALOGUE.values()} | dict(titles or {})
    there = list(made.table["metric"].unique())
    names = [name for name in first if name in there] or there[:9]
    period = _newest(made)
    head = f"{period} (data as of {made.view.as_of.date()})"
    rows = plain(made.table[((made.table["period"] == period) & (made.table["by"] == TOTAL)).to_numpy()])
    return [head, *(_line(called[name], rows[(rows["metric"] == name).to_numpy()], currency) for name in names)]


def _newest(made: Computed) -> str:
    window = made.windows[-1]
    if window.name.startswith(CAMPAIGN):
        return f"{window.name.rsplit(' ', 1)[0]} {DIFFERENCE}"
    return window.name


def _line(title: str, rows: pd.DataFrame, currency: str) -> str:
    said = [_said(row, currency) for row in rows.head(3).to_dict("records")]
    if len(rows) > 3:
        said.append(f"and {len(rows) - 3} more in metrics.csv")
    return f"  {title}: {'; '.join(said) or 'nothing was counted'}"


def _said(row: Mapping[Any, Any], currency: str) -> str:
    part = f"{row['part']} " if row["part"] else ""
    if row["status"] == NOT_AVAILABLE:
        return f"{part}not available ({row['reason']})"
    value, unit = row["value"], str(row["unit"])
    if not isinstance(value, float) or np.isnan(value):
        return f"{part}{row['status']}"
    gap = str(row["period"]).endswith(f" {DIFFERENCE}")

    def told(what: float, is_gap: bool = gap) -> str:
        words = number(what, unit, currency)
        return words.replace("%", "points") if is_gap else words

    text = f"{part}{told(value)}"
    lower, upper = row["lower"], row["upper"]
    if isinstance(lower, float) and isinstance(upper, float) and not np.isnan(lower + upper):
        text += f" ({told(lower)} to {told(upper)}, n={_n(row)})"
    changes = {"before": row["change"], "a year before": row["change_year"]}
    if changes["before"] == changes["a year before"]:
        del changes["a year before"]  # of a year both are the same
    for what, change in changes.items():
        if isinstance(change, float) and not np.isnan(change):
            text += f", {'+' if change >= 0 else '−'}{told(abs(change), True)} on {what}"
    return text + ("" if row["status"] == OK else f" [{row['status']}]")


def _n(row: Mapping[Any, Any]) -> str:
    n = row["n"]
    return f"{n:,.0f}" if isinstance(n, float) else str(n)


def number(value: float, unit: str, currency: str) -> str:
    """Write a value in its unit: 12 %, 3.2 M USD, 41 days."""
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit.startswith("currency"):
        return f"{_short(value)} {currency}{unit.removeprefix('currency')}"
    if unit in ("days", "hours"):
        return f"{value:,.1f} {unit}"
    return f"{value:,.0f}" if unit == "count" and value == round(value) else f"{value:,.2f}"


def _short(value: float) -> str:
    for size, sign in _LARGE:
        if abs(value) >= size:
            return f"{value / size:,.2f} {sign}"
    return f"{value:,.0f}"
