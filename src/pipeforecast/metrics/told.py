"""From what the metrics' functions give to one long table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.values import NotAvailable, Values
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

COLUMNS = (
    "metric", "part", "period", "by", "group", "value", "n", "lower", "upper", "unit", "status", "reason",
)  # fmt: skip
#: Bounds of values that are shown without an interval, for the comparison of two windows.
BOUNDS = ("low", "high")
#: Rows of the table: an array for each column.
Piece = dict[str, np.ndarray]
OK, UNDEFINED, NOT_AVAILABLE, REACHED, IMMATURE = "ok", "undefined", "not available", "reached", "immature"


def told(view: View, metrics: Sequence[Metric], progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
    """Compute ``metrics`` for every window and group of ``view``.

    Returns
    -------
    DataFrame
        ``COLUMNS`` and ``BOUNDS``: one row for each metric, part, window and group of which anything was counted in any
        window (and for each total). ``value`` is null unless the status is ok or immature.
    """
    pieces: list[Piece] = []
    for i, metric in enumerate(metrics):
        if progress is not None:
            progress(i, len(metrics))
        pieces += _pieces(view, metric)
    if progress is not None:
        progress(len(metrics), len(metrics))
    if not pieces:
        return pd.DataFrame(columns=[*COLUMNS, *BOUNDS])
    # One frame at the end: each would make strings of its own.
    return pd.DataFrame({c: np.concatenate([piece[c] for piece in pieces]) for c in (*COLUMNS, *BOUNDS)})


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
            return pnoop("reason", "no table {table}").format(table=table)
        absent = [c for c in columns if c not in frame or (len(frame) and frame[c].isna().all())]
        if absent:
            return pnoop("reason", "{table} has no {columns}").format(table=table, columns=", ".join(absent))
    return ""


def _pieces(view: View, metric: Metric) -> list[Piece]:
    reason = lacking(view, metric.needs)
    if not reason:
        try:
            answer = metric.compute(view)
            parts = {"": answer} if isinstance(answer, Values) else dict(answer)
            if parts:
                return [piece for part, values in parts.items() for piece in _rows(view, metric, part, values)]
            reason = pnoop("reason", "nothing was counted")
        except NotAvailable as error:
            reason = str(error)
    return [_not_available(view, metric, TOTAL, TOTAL, reason)]


def _rows(view: View, metric: Metric, part: str, values: Values) -> list[Piece]:
    windows = len(view.windows)
    by, group = (view.groups.labels[c].to_numpy(dtype="object") for c in ("by", "group"))
    counted = np.asarray((values.n > 0).any(axis=0))
    at = np.flatnonzero(counted | np.asarray(by == TOTAL))
    status, value = _status(values)
    rows = {
        "period": np.repeat(np.array(view.windows.names, dtype=object), len(at)),
        "by": np.tile(by[at], windows),
        "group": np.tile(group[at], windows),
        "value": value[:, at].ravel(),
        "n": np.asarray(values.n[:, at], dtype="float64").ravel(),
        "status": status[:, at].ravel(),
    } | {c: _of(getattr(values, c), at, windows) for c in ("lower", "upper", *BOUNDS)}
    constant = {"metric": metric.name, "part": part, "unit": values.unit or metric.unit, "reason": ""}
    # Every row is in some group of a grouping that its table has, if only in (none).
    blind = [b for b in view.groups.by if counted[0] and not counted[np.asarray(by == b)].any()]
    return [
        rows | _constant(constant, windows * len(at)),
        *(
            _not_available(
                view, metric, b, "", pnoop("reason", "what it counts has no {column}").format(column=b), part
            )
            for b in blind
        ),
    ]


def _constant(values: Mapping[str, object], n: int) -> Piece:
    return {c: np.full(n, v, dtype="float64" if isinstance(v, float) else object) for c, v in values.items()}


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


def _not_available(view: View, metric: Metric, by: str, group: str, reason: str, part: str = "") -> Piece:
    """One row for each window, without a value."""
    numbers = dict.fromkeys(("value", "n", "lower", "upper", *BOUNDS), float("nan"))
    words: dict[str, object] = {
        "metric": metric.name, "part": part, "by": by, "group": group, "unit": metric.unit, "status": NOT_AVAILABLE,
        "reason": reason,
    }  # fmt: skip
    names = np.array(view.windows.names, dtype=object)
    return {"period": names, **_constant({**words, **numbers}, len(names))}
