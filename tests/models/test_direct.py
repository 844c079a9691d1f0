"""Incidence learned directly: the horizon's numbers rise with it, and only what follow-up reaches is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.features import describe
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.direct import _RISING, DirectIncidence, _clock, _numbers
from pipeforecast.models.grid import make_grid
from pipeforecast.outcome import Lessons


@pytest.mark.parametrize("length", ["month", "quarter", "year"])
@pytest.mark.parametrize("as_of", ["2024-01-30", "2024-03-31", "2024-12-30"])
def test_what_is_told_of_a_horizon_rises_with_it(length: str, as_of: str) -> None:
    grid = make_grid(pd.Timestamp(as_of), FiscalCalendar(length))  # type: ignore[arg-type]
    m = len(grid.ends)
    rising = _numbers(grid, np.arange(m), np.full(m, 20.0))[:, -_RISING:]
    assert (np.diff(rising, axis=0) >= 0).all()
    at_end = np.flatnonzero(grid.slot == 0)
    np.testing.assert_allclose(_clock(grid)[at_end], np.arange(len(at_end)))  # a period's end is a whole number


def test_no_horizon_lies_after_what_is_known(lessons: Lessons) -> None:
    asked = DirectIncidence()._asked(describe(lessons.snapshot), lessons)
    follow_up = (lessons.cutoff - lessons.snapshot.open["as_of"]).dt.days.to_numpy()[asked.row]
    assert (asked.days <= follow_up).all()
    assert asked.numbers.shape == (len(asked.row), len(asked.numbers.T))
    pairs = pd.DataFrame({"row": asked.row, "days": asked.days})
    assert not pairs.duplicated().any()
    assert (pairs.groupby("row").size() <= DirectIncidence().questions).all()
