"""What the catalogue looks like as a whole: funnel, cohorts, days in stages, the bottleneck, sources."""

from __future__ import annotations

from typing import Any

from pipeforecast.metrics import CATALOGUE
from pipeforecast.metrics.told import IMMATURE, NOT_AVAILABLE
from pipeforecast.report.catalogue_cells import Cells, benchmark_of
from pipeforecast.report.words import clean

#: Conversions of cohorts, in the order of the life cycle.
COHORTS = (
    "lead_to_mql", "mql_to_srl", "srl_to_sql", "mql_to_sql", "sql_to_opportunity", "win_rate_created",
)  # fmt: skip
CONCENTRATION = ("largest_source_share", "source_concentration")
BOTTLENECKS = ("bottleneck_conversion", "bottleneck_time")


def shape_facts(cells: Cells) -> dict[str, Any]:
    """Work out the funnel, cohorts, stage durations, the bottleneck and sources."""
    return {
        "funnel": _funnel(cells),
        "cohorts": _cohorts(cells),
        "durations": _durations(cells),
        "bottleneck": _bottleneck(cells),
        "sources": _sources(cells),
    }


def _there(cells: Cells, metric: str) -> list[str]:
    """Parts of a metric that are told of any window."""
    return [p for p in cells.parts(metric) if p and any(t["value"] is not None for t in cells.trend(metric, p))]


def _funnel(cells: Cells) -> dict[str, Any]:
    """Each stage's entrants of the newest whole window, and the share of them that went on."""
    stages = []
    for part in _there(cells, "stage_conversion"):
        now = cells.cell("stage_conversion", part, cells.whole)
        stages.append({
            "stage": clean(part), "entered": now["n"], **{k: now[k] for k in ("value", "lower", "upper")},
            "immature": now["status"] == IMMATURE,
            "still_open": cells.cell("stage_still_open", part, cells.whole)["value"],
            "benchmark": benchmark_of(cells, "stage_conversion", part, now["value"]),
        })  # fmt: skip
    return {"period": cells.whole, "stages": [s for s in stages if s["entered"]]}


def _cohorts(cells: Cells) -> dict[str, Any]:
    """Conversions by window of creation; what is still growing is marked."""
    rows = []
    for metric in COHORTS:
        trend = cells.trend(metric) if cells.parts(metric) == [""] else []
        if not any(t["value"] is not None for t in trend):
            continue
        mature = {t["period"]: t["value"] for t in cells.trend("cohort_maturity", metric)}
        rows.append({
            "metric": metric, "title": cells.title(metric),
            "benchmark": benchmark_of(cells, metric, "", None),
            "cells": [
                {"period": t["period"], **{k: t[k] for k in ("value", "lower", "upper", "n")},
                 "immature": t["status"] == IMMATURE, "maturity": mature.get(t["period"])}
                for t in trend
            ],
        })  # fmt: skip
    return {"periods": cells.periods, "rows": rows}


def _durations(cells: Cells) -> list[dict[str, Any]]:
    """Days in each stage in the newest whole window, and over all windows."""
    return [
        {"stage": clean(part), **cells.cell("stage_duration", part, cells.whole),
         "to_pass": cells.cell("stage_days_to_pass", part, cells.whole)["value"],
         "trend": cells.trend("stage_duration", part)}
        for part in _there(cells, "stage_duration")
    ]  # fmt: skip


def _bottleneck(cells: Cells) -> dict[str, Any]:
    """Money lost to conversion and put off by time, by stage; the largest is named.

    Of the newest whole window, else of the newest one: what is told of it.
    """
    metrics = [m for m in BOTTLENECKS if m in cells.metrics]
    for period in dict.fromkeys((cells.whole, cells.newest)):
        stages = []
        for part in dict.fromkeys(p for m in metrics for p in cells.parts(m) if p):
            told = {m: cells.cell(m, part, period)["value"] for m in metrics}
            known = [v for v in told.values() if v is not None]
            if known:
                stages.append({"stage": clean(part), **told, "total": sum(max(v, 0.0) for v in known)})
        if stages:
            worst = max(stages, key=lambda s: s["total"])
            return {"period": period, "stages": stages, "worst": worst["stage"] if worst["total"] > 0 else None}
    return {"period": cells.whole, "stages": [], "worst": None}


def _sources(cells: Cells) -> dict[str, Any]:
    """Everything that is told by source, side by side, in the newest whole window; and how concentrated it is."""
    metrics = [m for m in cells.metrics if CATALOGUE[m].parts == "source" and _there(cells, m)]
    names = sorted({p for m in metrics for p in cells.parts(m) if p})
    rows = [{"source": clean(s), "values": [cells.cell(m, s, cells.whole)["value"] for m in metrics]} for s in names]
    kept = [r for r in rows if any(v is not None for v in r["values"])]
    amount = metrics.index("won_amount_by_source") if "won_amount_by_source" in metrics else None
    if amount is not None:
        kept.sort(key=lambda r: -(r["values"][amount] or 0.0))
    return {
        "period": cells.whole,
        "metrics": [{"metric": m, "title": cells.title(m), "unit": _unit(cells, m)} for m in metrics],
        "rows": kept,
        "concentration": [
            {"metric": m, "title": cells.title(m), **cells.cell(m, "", cells.whole), "trend": cells.trend(m)}
            for m in CONCENTRATION
            if m in cells.metrics and cells.cell(m, "", cells.whole)["status"] != NOT_AVAILABLE
        ],
    }


def _unit(cells: Cells, metric: str) -> str:
    return next((c["unit"] for p in cells.parts(metric) if (c := cells.cell(metric, p))["unit"]), "")
