"""What any reading would have to guess: refused with one message, or, while ``check`` looks on, told of in full."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from pipeforecast.errors import DataError
from pipeforecast.findings import MOST_EXAMPLES, Finding

#: A day or a number: nothing that names a person or is anybody's free text.
_HARMLESS = re.compile(r"\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}[\d\s:.]*|[-+(]?\d{0,7}[.,' ]\d{1,3}(?:[.,]\d{0,3})?\)?")
#: What every message ends with where a verb stops at the first of them.
SEE_CHECK = " (`pipeforecast check` tells of all such cells at once)"


class UnreadableError(DataError):
    """Cells of a column that cannot be read as its kind.

    Attributes
    ----------
    code : str
        The finding's code.
    bad : Series of bool
        Which cells, by the labels of the column.
    advice : str
        What the user can do, without any cell.
    """

    def __init__(self, message: str, code: str, bad: pd.Series, advice: str) -> None:
        super().__init__(message)
        self.code, self.bad, self.advice = code, bad, advice


@dataclass
class Refusals:
    """Everything that the other verbs would refuse, gathered so that ``check`` can tell of all of it."""

    _told: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._told)

    def tell(self, finding: Finding, message: str) -> None:
        """Add a finding; what is told of one column of several exports is one finding."""
        if message in self.messages:  # one column may be read for several purposes
            return
        self.messages.append(message)
        key = (finding.code, finding.table, finding.column)
        if (before := self._told.get(key)) is not None:
            examples = (*before.examples, *finding.examples)[:MOST_EXAMPLES]
            finding = replace(before, count=before.count + finding.count, examples=examples)
        self._told[key] = finding

    def findings(self) -> list[Finding]:
        """All of them, in the order in which they were met."""
        return list(self._told.values())


def cells(texts: pd.Series, part: str = "") -> tuple[str, ...]:
    """Name the first cells by their rows (the header is row 1), with what stands there where that is harmless.

    Parameters
    ----------
    texts : Series of text
        The index is each row's place in the file, from 0.
    part : str
        What precedes the row, such as the day of one of several exports.
    """
    shown = texts.iloc[:MOST_EXAMPLES]
    return tuple(_cell(part, int(at), str(text)) for at, text in zip(shown.index, shown, strict=True))


def _cell(part: str, at: int, text: str) -> str:
    row = f"{part}row {at + 2}"
    return f"{text} ({row})" if _HARMLESS.fullmatch(text) else row


def without(table: pd.DataFrame, names: Iterable[str]) -> str:
    """Name the first of ``names`` that a table has not; nothing if it has all."""
    return next((n for n in names if n not in table), "")
