"""What every step of reading has in hand, and what becomes of a table that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from pipeforecast.errors import DataError
from pipeforecast.findings import Finding
from pipeforecast.ingest.files import Source
from pipeforecast.ingest.ledger import Ledger
from pipeforecast.ingest.needed import Asked, needed
from pipeforecast.ingest.refusals import SEE_CHECK, Refusals
from pipeforecast.mapping import CrmMapping


class MissingColumnError(DataError):
    """A source column that the mapping names is not there."""


@dataclass(frozen=True)
class Reading:
    """What every step of reading needs: the mapping, the files, where findings go, and where each row went.

    ``refusals`` gathers what cannot be read, for ``check``; without it the first such thing is an error.
    ``turn`` is the order in which files will be asked for, so that the next can be read meanwhile.
    """

    mapping: CrmMapping
    source: Source
    findings: list[Finding] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    refusals: Refusals | None = None
    turn: Sequence[Asked] = ()

    def cells(
        self,
        files: Sequence[str],
        delimiter: str | None = None,
        encoding: str | None = None,
        sheet: str | None = None,
    ) -> pd.DataFrame | None:
        """Read the columns of some files that the mapping asks for; None if there are none.

        The next ones that will be asked for are read meanwhile.
        """
        mine = partial(needed, self.mapping, self.source)
        frame = self.source.cells(files, delimiter, encoding, sheet, mine)
        asked = (files, delimiter, encoding, sheet)
        later = self.turn[self.turn.index(asked) + 1 :] if asked in self.turn else ()
        any(self.source.ahead(*following, mine) for following in later)  # until one is being read
        return frame

    def refuse(self, error: DataError, finding: Finding) -> None:
        """Tell of what any reading would have to guess, and go on; where nobody gathers it, raise the error."""
        if self.refusals is None:
            raise type(error)(f"{error}{SEE_CHECK}") if type(error) is DataError else error
        self.refusals.tell(finding, f"{self.ledger.part}{error}")


def not_read(reading: Reading, table: str, error: DataError, frame: pd.DataFrame | None = None) -> None:
    """Refuse a whole table; where ``check`` looks on, tell of it, leave its rows out and read without.

    Parameters
    ----------
    frame : DataFrame, optional
        The table's rows as text, where they could be read as that.
    """
    count = 1 if frame is None else max(len(frame), 1)
    finding = Finding(
        "TABLE-NOT-READ", "error", table, count=count, repair="looked on without it",
        advice="mend the file, or what the mapping says of it",
    )  # fmt: skip
    reading.refuse(error, finding)
    if frame is not None:
        file = str(frame.attrs.get("file", table))
        reading.ledger.came(table, file, len(frame))
        reading.ledger.leave(table, file, pd.Series(pd.NA, index=frame.index, dtype="string"), finding.code)
