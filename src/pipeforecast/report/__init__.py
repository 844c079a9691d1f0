"""The report: plain frames in, facts, then one page. It knows no model and no rule."""

from pipeforecast.report.brief import first_lines
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.message import summary
from pipeforecast.report.page import write_page, write_report

__all__ = ["ReportInput", "first_lines", "summary", "write_page", "write_report"]
