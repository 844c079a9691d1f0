"""The workbook as a whole: its sheets in order, written at once."""

from __future__ import annotations

from pathlib import Path

from pipeforecast.report.names import Names
from pipeforecast.report.workbook.deals import reckon, write_deals
from pipeforecast.report.workbook.forecast import group_numbers, write_forecast
from pipeforecast.report.workbook.inputs import BookInput
from pipeforecast.report.workbook.listed import MOST_DEALS, listed
from pipeforecast.report.workbook.paper import Paper
from pipeforecast.report.workbook.rules import write_rates, write_rules
from pipeforecast.report.workbook.tables import write_about, write_parts, write_record

SHEETS = ("Forecast", "Deals", "Rules", "Rates", "Parts", "Record", "About")


def write_workbook(book: BookInput, path: Path, most: int = MOST_DEALS) -> Path:
    """Write the workbook: equal input gives the same bytes.

    Parameters
    ----------
    book : BookInput
    path : Path
        A file of this name is replaced.
    most : int
        Open deals that are listed one by one; further ones are summed up.

    Returns
    -------
    Path
        ``path``.
    """
    names = Names(book.given)
    rows = listed(book, most)
    found = reckon(rows, group_numbers(book.cells))
    paper = Paper(path, book.given.as_of, book.given.title)
    sheet = {name: paper.sheet(name) for name in SHEETS}
    write_forecast(paper, sheet["Forecast"], book, names, found)
    write_deals(paper, sheet["Deals"], rows, names, found)
    write_rules(sheet["Rules"], rows, names)
    write_rates(paper, sheet["Rates"], rows.book)
    write_parts(sheet["Parts"], book, names)
    write_record(sheet["Record"], book, names)
    write_about(sheet["About"], book)
    paper.close()
    return path
