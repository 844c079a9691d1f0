"""Compare two forecasts of one period: what moved the number, deal by deal and cause by cause."""

from pipeforecast.compare.causes import CAUSES, NOT_CREATED
from pipeforecast.compare.shares import shares
from pipeforecast.compare.waterfall import MEASURES, WATERFALL_COLUMNS, Waterfall, asked_later, waterfall

__all__ = [
    "CAUSES", "MEASURES", "NOT_CREATED", "WATERFALL_COLUMNS", "Waterfall", "asked_later", "shares", "waterfall",
]  # fmt: skip
