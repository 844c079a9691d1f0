"""From what the metrics' functions give to one long table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
#: Value less that of the period before, and of the period a year before.
CHANGES = ("change", "change_year")
OK, UNDEFINED, NOT_AVAILABLE, REACHED, IMMATURE = "ok", "undefined", "not available", "reached", "immature"
_STATUS = (OK, UNDEFINED, NOT_AVAILABLE, REACHED, IMMATURE)
_NUMBERS = ("value", "n", "lower", "upper", *BOUNDS, *CHANGES)
#: Some rows of the table: numbers, numbers of texts, or a text that stands in all of them.
Piece = dict[str, np.ndarray | str]


@dataclass(frozen=True)
class Look:
    """Which rows are told, and which earlier windows they are compared with.

    Attributes
    ----------
    windows : int array (W,)
        Places of the windows whose rows are told.
    totals : bool
        Of no other group than the total.
    earlier : int array (W, 2), optional
        Place of the period before each, and of that a year before; −1: none. Without it nothing is compared.
    running : bool array (W,), optional
        Windows that are not over: what still grows in them is not compared.
    """

    windows: np.ndarray
    totals: bool = False
    earlier: np.ndarray | None = None
    running: np.ndarray | None = None


def told(view: View, metrics: Sequence[Metric], progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
    """Compute ``metrics`` for every window and group of ``view``.

    Returns
    -------
    DataFrame
        ``COLUMNS`` and ``BOUNDS``: one row for each metric, part, window and group of which anything was counted in any
        window (and for each total). ``value`` is null unless the status is ok or immature.
    """
    (table,) = tables_of(view, metrics, [Look(np.arange(len(view.windows)))], progress)
    return plain(table.drop(columns=list(CHANGES)))


def tables_of(
    view: View, metrics: Sequence[Metric], looks: Sequence[Look], progress: Callable[[int, int], None] | None = None
) -> list[pd.DataFrame]:
    """Compute ``metrics`` once and give a table for each look: ``COLUMNS``, ``BOUNDS`` and ``CHANGES``.

    Texts are categories: there may be ten million rows.
    """
    pieces: list[list[Piece]] = [[] for _ in looks]
    for i, metric in enumerate(metrics):
        if progress is not None:
            progress(i, len(metrics))
        parts, reason = _answer(view, metric)
        for look, mine in zip(looks, pieces, strict=True):
            for part, values in parts.items():
                mine += _rows(view, metric, part, values, look)
            if not parts:
                mine.append(_not_available(view, metric, TOTAL, TOTAL, reason, look))
    if progress is not None:
        progress(len(metrics), len(metrics))
    return [_framed(view, some) for some in pieces]


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Give a few rows with texts that are no categories: to group, merge and sort by what they say."""
    return rows.astype({str(c): "str" for c in rows if isinstance(rows[c].dtype, pd.CategoricalDtype)})


def _framed(view: View, pieces: Sequence[Piece]) -> pd.DataFrame:
    """Lay the pieces under each other; a text is held once, and its number in each row."""
    columns = [*COLUMNS, *BOUNDS, *CHANGES]
    if not pieces:
        return pd.DataFrame(columns=columns)
    sizes = [len(piece["value"]) for piece in pieces]
    texts = {"period": view.windows.names, "by": view.groups.by, "group": _group_names(view), "status": _STATUS}
    out: dict[str, Any] = {}
    for c in columns:
        if c in _NUMBERS or c in texts:
            told = np.concatenate([piece[c] for piece in pieces])
        else:
            texts[c] = list(dict.fromkeys(str(piece[c]) for piece in pieces))
            number = {text: i for i, text in enumerate(texts[c])}
            told = np.repeat([number[str(piece[c])] for piece in pieces], sizes)
        out[c] = pd.Categorical.from_codes(told, categories=pd.Index(texts[c])) if c in texts else told
    return pd.DataFrame(out)


def _group_names(view: View) -> list[str]:
    """Different names of groups; the first is none."""
    names: list[str] = view.once("names of groups", lambda: list(dict.fromkeys(["", *view.groups.labels["group"]])))
    return names


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


def _answer(view: View, metric: Metric) -> tuple[dict[str, Values], str]:
    """Compute a metric: its parts, or without any the reason why."""
    reason = lacking(view, metric.needs)
    if not reason:
        try:
            answer = metric.compute(view)
            parts = {"": answer} if isinstance(answer, Values) else dict(answer)
            return parts, "" if parts else pnoop("reason", "nothing was counted")
        except NotAvailable as error:
            reason = str(error)
    return {}, reason


def _rows(view: View, metric: Metric, part: str, values: Values, look: Look) -> list[Piece]:
    by, group = view.once("numbers of groups", lambda: _group_numbers(view))
    counted = np.asarray((values.n > 0).any(axis=0))
    at = np.flatnonzero(by == 0) if look.totals else np.flatnonzero(counted | (by == 0))
    windows, cells = len(look.windows), np.ix_(look.windows, at)
    status, value = _status(values)
    rows: Piece = {
        "metric": metric.name,
        "part": part,
        "period": np.repeat(look.windows, len(at)),
        "by": np.tile(by[at], windows),
        "group": np.tile(group[at], windows),
        "value": value[cells].ravel(),
        "n": np.asarray(values.n[cells], dtype="float64").ravel(),
        "unit": values.unit or metric.unit,
        "status": status[cells].ravel(),
        "reason": "",
    }
    rows |= {c: _of(getattr(values, c), cells) for c in ("lower", "upper", *BOUNDS)}
    rows |= {c: _change(value, metric, at, look, i) for i, c in enumerate(CHANGES)}
    # Every row is in some group of a grouping that its table has, if only in (none).
    blind = [b for i, b in enumerate(view.groups.by) if counted[0] and not counted[by == i].any()]
    why = pnoop("reason", "what it counts has no {column}")
    return [rows, *(_not_available(view, metric, b, "", why.format(column=b), look, part) for b in blind)]


def _group_numbers(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Give the numbers of each group's grouping (0: the total) and name (G each)."""
    labels, names = view.groups.labels, {name: i for i, name in enumerate(_group_names(view))}
    by = {b: i for i, b in enumerate(view.groups.by)}
    return labels["by"].map(by).to_numpy(dtype="int16"), labels["group"].map(names).to_numpy(dtype="int32")


def _change(value: np.ndarray, metric: Metric, at: np.ndarray, look: Look, which: int) -> np.ndarray:
    """Value less that of an earlier window; null where there is none, and of what still grows in a running one."""
    now = value[np.ix_(look.windows, at)]
    if look.earlier is None or look.running is None:
        return np.full(now.size, np.nan)
    place = look.earlier[:, which]
    none = place < 0
    if (metric.additive or metric.grows) and metric.clock != "as of":
        none = none | look.running
    return np.where(none[:, None], np.nan, now - value[np.ix_(place, at)]).ravel()


def _status(values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Give the number of each status, and the values that are shown."""
    value = np.where(np.isfinite(values.value), values.value, np.nan)
    status = np.where(np.isnan(value), _STATUS.index(UNDEFINED), _STATUS.index(OK)).astype("int8")
    if values.immature is not None:
        status = np.where(values.immature & (status == _STATUS.index(OK)), np.int8(_STATUS.index(IMMATURE)), status)
    if values.reached is not None:
        status = np.where(values.reached, np.int8(_STATUS.index(REACHED)), status)
        value = np.where(values.reached, np.nan, value)
    return status, value


def _of(values: np.ndarray | None, cells: tuple[np.ndarray, ...]) -> np.ndarray:
    if values is None:
        return np.full(cells[0].size * cells[1].size, np.nan)
    told = values[cells].ravel()
    return np.where(np.isfinite(told), told, np.nan)


def _not_available(view: View, metric: Metric, by: str, group: str, reason: str, look: Look, part: str = "") -> Piece:
    """One row for each window, without a value."""
    n = len(look.windows)
    numbers = {
        "period": look.windows,
        "by": np.full(n, view.groups.by.index(by)),
        "group": np.full(n, _group_names(view).index(group)),
        "status": np.full(n, _STATUS.index(NOT_AVAILABLE), dtype="int8"),
    }
    words = {"metric": metric.name, "part": part, "unit": metric.unit, "reason": reason}
    return {**words, **numbers, **{c: np.full(n, np.nan) for c in _NUMBERS}}
