"""What is wrong, odd or assumed in the data: a code, where, how often, what was done and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Literal

import pandas as pd

Severity = Literal["error", "warning", "info"]

#: A finding shows no more examples than this: it must stay readable whatever the data.
MOST_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know about the data.

    Parameters
    ----------
    code : str
        Short stable name, such as ``CLOSED-BEFORE-CREATED``; other programs may rely on it.
    severity : 'error', 'warning' or 'info'
    table, column : str
        Where; ``column`` may be empty.
    count : int
        How many rows are concerned.
    examples : tuple of str
        At most five ids, column names, file names or days; never names of people or free text.
    repair : str
        What was done about it here; empty if nothing.
    advice : str
        What the user can do.
    """

    code: str
    severity: Severity
    table: str
    column: str = ""
    count: int = 0
    examples: tuple[str, ...] = ()
    repair: str = ""
    advice: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "examples", tuple(str(e) for e in self.examples[:MOST_EXAMPLES]))


def first_examples(values: Iterable[object]) -> tuple[str, ...]:
    """Take the first few values as text, for ``Finding.examples``."""
    out: list[str] = []
    for value in values:
        if len(out) == MOST_EXAMPLES:
            break
        out.append(str(value))
    return tuple(out)


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Give findings as a table (examples joined by ``; ``), the gravest first, otherwise in their order."""
    names = [f.name for f in fields(Finding)]
    rows = [asdict(f) | {"examples": "; ".join(f.examples)} for f in findings]
    frame = pd.DataFrame(rows, columns=names)
    gravity = frame["severity"].map({"error": 0, "warning": 1, "info": 2})
    return frame.iloc[gravity.argsort(kind="stable").to_numpy()].reset_index(drop=True)
