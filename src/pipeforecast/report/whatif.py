"""A scenario beside the forecast, part by part."""

from __future__ import annotations

from typing import Any

from pipeforecast.forecast import ADDENDS, TOTAL
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import clean, number

_TOLD = ("base_mean", "mean", "difference", "difference_p10", "difference_p90", "p_lower")


def what_if_facts(given: ReportInput) -> dict[str, Any] | None:
    """Means of the base and of the scenario and their difference, of each part in total; None without a scenario."""
    if given.scenario is None or given.scenario.empty:
        return None
    rows = given.scenario[(given.scenario["level"] == TOTAL).to_numpy()].set_index("part")
    parts = [
        {"part": part, "adds": part != TOTAL} | {c: number(rows.loc[part, c]) for c in _TOLD}
        for part in (*ADDENDS, TOTAL)
        if part in rows.index
    ]
    return {"name": clean(given.scenario["scenario"].iloc[0]), "parts": parts}
