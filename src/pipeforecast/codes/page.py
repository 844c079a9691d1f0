"""The page of all findings, ``docs/findings.md``, made from their declarations.

``python -m pipeforecast.codes.page > docs/findings.md`` writes it; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pipeforecast.codes import DATA, LEADS, REFUSALS, REFUSED, RESULTS, Code

_HEAD = """# Findings

Nothing is mended in silence: what is odd, assumed or mended is a *finding* with a code. `pipeforecast check` lists all
in `findings.csv` (code, severity, table, column, count, examples, repair, advice); other verbs write those that concern
them. This page is made from the {n} declarations (`python -m pipeforecast.codes.page > docs/findings.md`).

- **error**: a training or a claim would be wrong; what needs the data refuses it. **warning**: read on, but know this.
  **info**: so that nobody wonders.
- **Nothing in your files is changed.** Every cell that is read as something else than it says stands in `repairs.csv`:
  table, file, row (the header is row 1), id, column, before, after and rule, which is the code. Correct the source, or
  the mapping, and the row is gone.
- **Every row is accounted for.** `rows.csv` says for every table and file how many rows came, were used and were
  excluded; each that is not used stands in `excluded.csv` with the code that says why. `tie.csv` does the same for the
  deals' money, to the cent.
- These three files hold cells of your export, so they stay beside it: they go to no log and to no tracking server.
"""


def page() -> str:
    """Write the page."""
    return "\n".join([_HEAD.format(n=len(REFUSED) + len(DATA) + len(LEADS) + len(RESULTS)), *_parts()]) + "\n"


def _parts() -> Iterator[str]:
    yield "## What other verbs refuse\n"
    yield "Where any reading would be a guess, a verb stops with one message. `check` goes on without what it cannot"
    yield "read, tells of all of it, writes its files and ends with exit status 1. Other findings may follow from it.\n"
    yield from _table(REFUSED)
    yield ""
    for title, codes in (
        ("Reading an export, and its past", DATA), ("Leads and thresholds", LEADS), ("Figures and forecasts", RESULTS),
    ):  # fmt: skip
        yield f"## {title}\n"
        yield from _table(codes)
        yield ""
    yield "## What stops `check` too\n"
    yield "Where nothing can be read at all: one message, exit status 1, nothing written.\n"
    yield "| defect | the message says | what to do |\n|---|---|---|"
    yield from (f"| {r.defect} | {r.says} | {r.advice} |" for r in REFUSALS)


def _table(codes: tuple[Code, ...]) -> Iterator[str]:
    yield "| code | severity | what it means | what is done | what to do |\n|---|---|---|---|---|"
    for c in codes:
        yield f"| `{c.code}` | {c.severity} | {c.means} | {c.repair} | {c.advice} |"


if __name__ == "__main__":
    sys.stdout.write(page())
