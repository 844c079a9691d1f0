from __future__ import annotations

from dataclasses import replace

import pytest

from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import lessons_of, tell
from worked_example import AS_OF, BOOK, CALENDAR, CALLS, PAST


@pytest.fixture(scope="session")
def taught() -> tuple[Lessons, Snapshot]:
    """The small company that can be reckoned by hand, with what its people called."""
    lessons, now = lessons_of(tell([*PAST, *BOOK]), CALENDAR, AS_OF)
    return replace(lessons, tables={"calls": CALLS}), now
