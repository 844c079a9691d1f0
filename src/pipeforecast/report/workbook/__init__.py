"""The workbook: the forecast as live formulas over the open deals, the rules by formula, the record as tables."""

from pipeforecast.report.workbook.book import write_workbook
from pipeforecast.report.workbook.inputs import BookInput

__all__ = ["BookInput", "write_workbook"]
