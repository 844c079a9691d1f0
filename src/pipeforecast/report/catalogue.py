"""The facts of the catalogue's page as plain data: the few metrics that matter most, all others, and their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeforecast.benchmarks import Benchmark
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics import CATALOGUE
from pipeforecast.metrics.periods import CAMPAIGN, DIFFERENCE
from pipeforecast.metrics.told import IMMATURE, NOT_AVAILABLE, plain
from pipeforecast.report.catalogue_cells import Cells, MetricsInput, benchmark_of
from pipeforecast.report.shapes import shape_facts
from pipeforecast.report.words import clean, iso, number
from pipeforecast.wording import noop, retold, speaking, t

_FAMILIES = {
    "pipeline": noop("pipeline"), "deals": noop("deals"), "stages": noop("stages"), "forecast": noop("forecast"),
    "life cycle": noop("life cycle"), "marketing": noop("marketing"), "attribution": noop("attribution"),
    "customers": noop("customers"),
}  # fmt: skip
#: Groups shown of one grouping; the rest are in the file.
MOST_GROUPS = 20


def catalogue_facts(given: MetricsInput) -> dict[str, Any]:
    """Work out everything that the page says: plain data that ``json.dumps`` takes."""
    with speaking(given.language):
        return _facts(given)


def _facts(given: MetricsInput) -> dict[str, Any]:
    cells = Cells(given)
    return {
        "head": _head(given, cells),
        "first": [told_of(cells, name) for name in given.first if name in cells.metrics],
        "rows": [told_of(cells, name, part) for name in cells.metrics for part in cells.parts(name)],
        "groups": _groups(given, cells),
        **shape_facts(cells),
        "absent": [
            {"metric": name, "title": cells.title(name), "reason": cells.cell(name)["reason"]}
            for name in cells.metrics if cells.cell(name)["status"] == NOT_AVAILABLE and cells.parts(name) == [""]
        ],
        "findings": [
            {"code": f.code, "severity": f.severity, "where": f"{f.table}.{f.column}".strip("."), "count": f.count,
             "repair": retold("finding", clean(f.repair)), "advice": retold("finding", clean(f.advice))}
            for f in given.findings
        ],
    }  # fmt: skip


def _head(given: MetricsInput, cells: Cells) -> dict[str, Any]:
    newest = given.windows[-1]
    left = int((newest.end - given.as_of).days)
    return {
        "as_of": iso(given.as_of),
        "period": newest.name,
        "period_start": iso(newest.start),
        "period_end": iso(newest.end),
        "running": left > 0,
        "day": int((given.as_of - newest.start).days) + 1,
        "days": newest.days,
        "whole": cells.whole,
        "periods": cells.periods,
        "currency": retold("currency", clean(given.currency)),
        "set": clean(given.set_name),
        "metrics": len(cells.metrics),
        "language": given.language,
    }


def told_of(cells: Cells, name: str, part: str | None = None) -> dict[str, Any]:
    """Tell one metric of the newest window; its parts too where ``part`` is not given."""
    declared = CATALOGUE[name]
    parts = [p for p in cells.parts(name) if p] if part is None else []
    own = (cells.parts(name) or [""])[0] if part is None else part
    now = cells.cell(name, own)
    return {
        "metric": name, "part": clean(own), "label": cells.label(name, own), "title": cells.title(name),
        "formula": t(declared.formula),
        "counts": declared.counts, "family": t(_FAMILIES[declared.family]), "good": declared.good,
        **now,
        "better": _better(declared.good, now, "change"), "better_year": _better(declared.good, now, "change_year"),
        "difference": _difference(cells, name, own),
        "benchmark": benchmark_of(cells, name, own, now["value"]),
        "trend": cells.trend(name, own),
        "parts": [
            {"part": clean(p), "label": cells.label(name, p), **cells.cell(name, p), "trend": cells.trend(name, p)}
            for p in parts
        ],
    }  # fmt: skip


def _better(good: str, now: dict[str, Any], which: str) -> bool | None:
    """Whether a change is for the better; None where it is luck perhaps (the earlier value lies within the interval).

    What is still growing is compared with nothing.
    """
    change = now[which]
    if good == "neither" or not change or now["status"] == IMMATURE:
        return None
    lower, upper = now["lower"], now["upper"]
    before = now["value"] - change
    within = (lower is None or lower <= before) and (upper is None or before <= upper)
    if (lower is not None or upper is not None) and within:
        return None
    return bool((change > 0) == (good == "up"))


def _difference(cells: Cells, name: str, part: str) -> dict[str, Any] | None:
    """What a campaign changed, with its interval; None of a fiscal period."""
    if not cells.newest.startswith(CAMPAIGN):
        return None
    return cells.cell(name, part, f"{cells.newest.rsplit(' ', 1)[0]} {DIFFERENCE}")


def _groups(given: MetricsInput, cells: Cells) -> list[dict[str, Any]]:
    """The first metrics by group of each grouping, in the newest window, the largest first."""
    names = [m for m in given.first if cells.parts(m) == [""]]
    table = given.table
    mine = plain(table[((table["period"] == cells.newest) & table["metric"].isin(names)).to_numpy()])
    out = []
    for by in [str(b) for b in table["by"].unique() if b != TOTAL]:
        own = mine[((mine["by"] == by) & (mine["status"] != NOT_AVAILABLE)).to_numpy()]
        if own.empty:
            continue
        wide = own.pivot_table(index="group", columns="metric", values="value", aggfunc="first", dropna=False)
        wide = wide.reindex(columns=names)
        order = wide.fillna(-np.inf).sort_values(names, ascending=False, kind="stable").index
        shown = [
            {"group": clean(given.people.get(str(g), str(g))),
             "values": [number(wide.loc[g, m]) for m in names],
             "benchmarks": [_of_group(given.benchmarks, m, by, str(g)) for m in names]}
            for g in order[:MOST_GROUPS]
        ]  # fmt: skip
        out.append({"by": by, "rows": shown, "count": len(wide), "metrics": [
            {"metric": m, "title": cells.title(m), "unit": cells.cell(m)["unit"]} for m in names
        ]})  # fmt: skip
    return out


def _of_group(benchmarks: Sequence[Benchmark], metric: str, by: str, group: str) -> dict[str, Any] | None:
    told = [b for b in benchmarks if (b.metric, b.by, b.group) == (metric, by, group)]
    return {"low": told[0].low, "high": told[0].high, "what": retold("benchmark", told[0].what)} if told else None
