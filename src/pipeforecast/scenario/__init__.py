"""What if: an outlook changed as a scenario says, drawn with the same luck, and set beside the forecast."""

from pipeforecast.scenario.changes import applied
from pipeforecast.scenario.difference import SCENARIO_COLUMNS, difference, what_if

__all__ = ["SCENARIO_COLUMNS", "applied", "difference", "what_if"]
