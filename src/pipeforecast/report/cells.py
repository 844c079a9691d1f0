"""Draws of the cells as plain data: what the page adds up when its reader chooses a region, an owner or a segment.

Draws are whole numbers of one unit that all cells share, so that sums are exact. They are rounded along the running sum
over the cells: each is at most one unit off, and all cells together half a unit, however many there are.
"""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import numpy as np

from pipeforecast.cells import OTHER
from pipeforecast.forecast import ADDENDS
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import Names, in_order
from pipeforecast.report.words import column_word, number
from pipeforecast.wording import noop, t

#: Parts that differ from draw to draw; what is won is certain.
DRAWN = tuple(p for p in ADDENDS if p != "won")
#: The unit is chosen so that the largest draw of the total has about so many.
_FINENESS = 1e6
_OTHER_WORDS = noop("Other, too small to tell apart")


def cell_facts(given: ReportInput, names: Names) -> dict[str, Any] | None:
    """Give the cells, their means to the cent and their draws; None where the forecast has none.

    Returns
    -------
    dict or None
        ``filters``: one for each grouping with two groups or more (``column``, ``label``, ``groups`` by name and their
        ``quotas``, None where there is none).
        ``groups``: of each filter, the place of each cell's group. ``mean``: of each part, cents of each cell.
        ``unit``: what 1 of the draws is worth. ``draws``: see ``packed``. ``kept``, ``of``: draws here and in all.
    """
    cells = given.cells
    if cells is None:
        return None
    quotas = _quotas(given)
    filters, places = [], []
    for column in cells.groups:
        raw = cells.groups[column].astype(str)
        order = sorted(raw.unique(), key=lambda g: (g == OTHER, in_order(names.group(str(column), g)), g))
        if len(order) < 2:
            continue
        shown = _apart([t(_OTHER_WORDS) if g == OTHER else names.group(str(column), g) for g in order])
        aims = [quotas.get((str(column), g)) for g in order]
        filters.append({"column": str(column), "label": column_word(str(column)), "groups": shown, "quotas": aims})
        at = {g: i for i, g in enumerate(order)}
        places.append([at[g] for g in raw])
    drawn = np.stack([cells.draws[part] for part in DRAWN])
    unit = _unit(drawn.sum(axis=(0, 1)))
    return {
        "filters": filters, "groups": places, "n": len(cells.groups), "unit": unit,
        "mean": {part: _rounded(cells.mean[part][:, None], 0.01)[:, 0].tolist() for part in ADDENDS},
        "draws": packed(np.stack([_rounded(d, unit) for d in drawn])), "kept": len(cells.chosen), "of": cells.of,
        "merged": bool((cells.groups == OTHER).all(axis=1).any()) if len(cells.groups.columns) else False,
    }  # fmt: skip


def _quotas(given: ReportInput) -> dict[tuple[str, str], float | None]:
    if given.quotas is None:
        return {}
    rows = given.quotas[["level", "group", "quota"]].itertuples(index=False, name=None)
    return {(str(level), str(group)): number(quota) for level, group, quota in rows}


def _apart(names: list[str]) -> list[str]:
    """Number names that several groups share, so that a name is enough to choose by."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _unit(total: np.ndarray) -> float:
    top = float(np.abs(total).max(initial=0.0))
    return float(10.0 ** math.ceil(math.log10(top / _FINENESS))) if top > 0 else 1.0


def _rounded(values: np.ndarray, unit: float) -> np.ndarray:
    """Whole numbers of ``unit`` (C, D) whose sum down the cells is the rounded sum; nought stays nought."""
    return np.diff(np.rint(np.cumsum(values, axis=0) / unit), axis=0, prepend=0.0).astype("int64")


def packed(draws: np.ndarray) -> str:
    """Pack whole numbers (parts, C, D): 32 bits each, the lowest byte first, deflated, as base64 text."""
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)  # the highest level takes a twentieth off, in twelve times the time
    body = raw.compress(draws.astype("<i4").tobytes()) + raw.flush()
    return base64.b64encode(body).decode()


def unpacked(facts: dict[str, Any]) -> np.ndarray:
    """Give the draws (parts, C, D) of ``cell_facts`` as amounts, as the page reads them."""
    body = zlib.decompress(base64.b64decode(facts["draws"]), -15)
    whole = np.frombuffer(body, dtype="<i4").reshape(len(DRAWN), facts["n"], facts["kept"])
    return np.asarray(whole * facts["unit"])
