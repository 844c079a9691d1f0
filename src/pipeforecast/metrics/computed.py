"""The catalogue of a history: what is asked, computed, compared with what was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.metrics.catalogue import CATALOGUE, metrics_named
from pipeforecast.metrics.choices import Choices
from pipeforecast.metrics.periods import windows_of
from pipeforecast.metrics.told import BOUNDS, COLUMNS, tables_of
from pipeforecast.metrics.trends import looked_back, looks, seasons, with_differences
from pipeforecast.metrics.view import View, view_of
from pipeforecast.metrics.windows import Window

#: Columns of ``metrics.csv``; the names of the first eleven are other programs' too.
METRIC_COLUMNS = (
    "metric", "period", "by", "group", "value", "n", "lower", "upper", "unit", "status", "reason", "part",
    "period_start", "period_end", "as_of", "change", "change_year",
)  # fmt: skip


@dataclass(frozen=True)
class Computed:
    """What the catalogue says.

    Attributes
    ----------
    table : DataFrame
        ``METRIC_COLUMNS``; most texts are categories.
    seasons : DataFrame
        ``SEASON_COLUMNS`` of ``trends``.
    windows : sequence of Window
        Those that were asked for, in their order; a campaign's difference is no window.
    view : View
        With the findings.
    """

    table: pd.DataFrame
    seasons: pd.DataFrame
    windows: Sequence[Window]
    view: View


def computed(
    history: DealHistory,
    calendar: FiscalCalendar,
    as_of: pd.Timestamp,
    names: Sequence[str] = (),
    by: Sequence[str] = (),
    periods: int | Sequence[str] = 8,
    choices: Choices | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Computed:
    """Compute metrics of a history as known on the evening of ``as_of``.

    Parameters
    ----------
    names : sequence of str
        Metrics; empty: all.
    by : sequence of str
        Columns to group by, beside the total.
    periods : int or names
        As of ``windows_of``.

    Raises
    ------
    SettingsError
        If a metric or a period is not known.
    """
    metrics = metrics_named(names)
    windows = windows_of(periods, calendar, history, as_of)
    every = looked_back(windows, calendar)
    view = view_of(history, calendar, as_of, every, by, choices)
    table, totals = tables_of(view, metrics, looks(windows, every, calendar, as_of), progress)
    season = seasons(totals, every, CATALOGUE, view.deal_frame["created_at"].min(), as_of)
    return Computed(_finished(with_differences(table), windows, as_of), season, windows, view)


def _finished(table: pd.DataFrame, windows: Sequence[Window], as_of: pd.Timestamp) -> pd.DataFrame:
    start = table["period"].map({w.name: w.start for w in windows}).astype("datetime64[s]")
    end = table["period"].map({w.name: w.end for w in windows}).astype("datetime64[s]")
    out = table.assign(period_start=start, period_end=end, as_of=as_of).drop(columns=list(BOUNDS))
    return out[list(METRIC_COLUMNS)]


__all__ = ["COLUMNS", "METRIC_COLUMNS", "Computed", "computed"]
