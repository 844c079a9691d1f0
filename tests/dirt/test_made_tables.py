"""Whatever an export holds, it is read by the law of accounting or refused with one clear message."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from made_tables import Made, exports, read_whole, shipped

from pipeforecast.errors import PipeforecastError
from pipeforecast.ingest import Refusals


def read(made: Made, refusals: Refusals | None = None) -> str | None:
    """Read it; give what was said if it was refused."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.write(Path(folder))
        try:
            read_whole(shipped(made.mapping), Path(folder), refusals)
        except PipeforecastError as error:
            return str(error)
    return None


@given(exports())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_export_is_read_or_refused(made: Made) -> None:
    said, refusals = read(made), Refusals()
    assert said is None or 0 < len(said) <= 3000
    looked_on = read(made, refusals)
    assert looked_on is None or 0 < len(looked_on) <= 3000
    if said is None:  # what is read, is read alike by `check`
        assert looked_on is None
        assert not refusals
    else:  # what is refused is told, or refused by `check` too
        assert looked_on is not None or refusals
    assert all(f.severity == "error" and f.count > 0 for f in refusals.findings())


HEAD = "deal_id,created_at,closed_at,outcome,amount\n"
#: Exports that once ended in an error of some library.
ONCE_CRASHED = {
    "a workbook that is none": Made("generic", {"deals.xlsx": b"deal_id,created_at\n"}),
    "a series of headers alone": Made("generic", {
        "2024-01-05/deals.csv": HEAD.encode(), "2024-01-12/deals.csv": HEAD.encode(),
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", ONCE_CRASHED)
def test_what_once_crashed_is_refused(name: str) -> None:
    assert read(ONCE_CRASHED[name])


def test_huge_amounts_and_ends_that_never_come_are_read() -> None:
    rows = b"a,2024-01-02,,open," + b"9" * 300 + b"\nb,0001-01-01,9999-12-31,open,1e308\n"
    assert read(Made("generic", {"deals.csv": HEAD.encode() + rows})) is None
