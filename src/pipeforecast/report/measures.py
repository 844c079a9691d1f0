"""A few metrics with their course over the last periods, their interval, benchmark and definition."""

from __future__ import annotations

from typing import Any

from pipeforecast.report.catalogue import told_of
from pipeforecast.report.catalogue_cells import Cells
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import clean


def measure_facts(given: ReportInput) -> dict[str, Any] | None:
    """Give the first metrics of the catalogue as its own page tells them; None where none were computed."""
    if given.catalogue is None:
        return None
    cells = Cells(given.catalogue)
    newest = given.catalogue.windows[-1]
    return {
        "period": newest.name,
        "running": bool(newest.end > given.catalogue.as_of),
        "set": clean(given.catalogue.set_name),
        "shown": [told_of(cells, name) for name in given.catalogue.first if name in cells.metrics],
    }
