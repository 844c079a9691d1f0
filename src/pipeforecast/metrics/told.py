"""From what the metrics' functions give to one long table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.values import NotAvailable, Values
from pipeforecast.metrics.view import View

COLUMNS = (
    "metric", "part", "period", "by", "group", "value", "n", "lower", "upper", "unit", "status", "reason",
)  # fmt: skip
#: Bounds of values that are shown without an interval, for the comparison of two windows.
BOUNDS = ("low", "high")
OK, UNDEFINED, NOT_AVAILABLE, REACHED, IMMATURE = "ok", "undefined", "not available", "reached", "immature"


def told(view: View, metrics: Sequence[Metric], progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
    """Compute ``metrics`` for every window and group of ``view``.

    Returns
    -------
    DataFrame
        ``COLUMNS`` and ``BOUNDS``: one row for each metric, part, window and group of which anything was counted in any
        window (and for each total). ``value`` is null unless the status is ok or immature.
    """
    tables = []
    for i, metric in enumerate(metrics):
        if progress is not None:
            progress(i, len(metrics))
        tables.append(_table(view, metric))
    if progress is not None:
        progress(len(metrics), len(metrics))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, *BOUNDS])


def lacking(view: View, needs: Mapping[str, tuple[str, ...]]) -> str:
    """Say which table or column of ``needs`` the export lacks; empty where it has all of them."""
    for table, columns in needs.items():
        if table == "stages":
            frame = view.known.stages
        elif table == "deals":
            frame = view.deal_frame
        elif table in view.known.tables:
            frame = view.known.tables[table]
        else:
            return f"no table {table}"
        absent = [c for c in columns if c not in frame or (len(frame) and frame[c].isna().all())]
        if absent:
            return f"{table} has no {', '.join(absent)}"
    return ""


def _table(view: View, metric: Metric) -> pd.DataFrame:
    reason = lacking(view, metric.needs)
    if not reason:
        try:
            answer = metric.compute(view)
            parts = {"": answer} if isinstance(answer, Values) else dict(answer)
            tables = [_rows(view, metric, part, values) for part, values in parts.items()]
            if tables:
                return pd.concat(tables, ignore_index=True)
            reason = "nothing was counted"
        except NotAvailable as error:
            reason = str(error)
    return _not_available(view, metric, view.windows.names, [TOTAL], TOTAL, reason)


def _rows(view: View, metric: Metric, part: str, values: Values) -> pd.DataFrame:
    windows = len(view.windows)
    labels = view.groups.labels
    by = labels["by"].to_numpy(dtype="str").astype(object)
    counted = np.asarray((values.n > 0).any(axis=0))
    at = np.flatnonzero(counted | (by == TOTAL))
    status, value = _status(values)
    rows = pd.DataFrame({
        "metric": metric.name, "part": part,
        "period": np.repeat(np.array(view.windows.names, dtype=object), len(at)),
        "by": np.tile(by[at], windows),
        "group": np.tile(labels["group"].to_numpy(dtype=object)[at], windows),
        "value": value[:, at].ravel(), "n": values.n[:, at].ravel(),
        "lower": _of(values.lower, at, windows), "upper": _of(values.upper, at, windows),
        "low": _of(values.low, at, windows), "high": _of(values.high, at, windows),
        "unit": values.unit or metric.unit, "status": status[:, at].ravel(), "reason": "",
    })  # fmt: skip
    # Every row is in some group of a grouping that its table has, if only in (none).
    blind = [b for b in view.groups.by if counted[0] and not counted[by == b].any()]
    more = [
        _not_available(view, metric, view.windows.names, [""], by, f"what it counts has no {by}", part) for by in blind
    ]
    return pd.concat([rows, *more], ignore_index=True) if more else rows


def _status(values: Values) -> tuple[np.ndarray, np.ndarray]:
    value = np.where(np.isfinite(values.value), values.value, np.nan)
    status = np.where(np.isnan(value), UNDEFINED, OK).astype(object)
    if values.immature is not None:
        status = np.where(values.immature & (status == OK), IMMATURE, status)
    if values.reached is not None:
        status = np.where(values.reached, REACHED, status)
        value = np.where(values.reached, np.nan, value)
    return status, value


def _of(values: np.ndarray | None, at: np.ndarray, windows: int) -> np.ndarray:
    if values is None:
        return np.full(windows * len(at), np.nan)
    told = values[:, at].ravel()
    return np.where(np.isfinite(told), told, np.nan)


def _not_available(
    view: View, metric: Metric, periods: Sequence[str], groups: Sequence[str], by: str, reason: str, part: str = ""
) -> pd.DataFrame:
    periods = list(periods)
    return pd.DataFrame({
        "metric": metric.name, "part": part, "period": np.repeat(np.array(periods, dtype=object), len(groups)),
        "by": by, "group": np.tile(np.array(groups, dtype=object), len(periods)), "value": np.nan, "n": np.nan,
        "lower": np.nan, "upper": np.nan, "low": np.nan, "high": np.nan, "unit": metric.unit,
        "status": NOT_AVAILABLE, "reason": reason,
    })  # fmt: skip
