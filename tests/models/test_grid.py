"""Intervals tile the days ahead, and every fiscal period ends with one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.grid import make_grid

CALENDARS = {
    (length, month, weeks): FiscalCalendar(length, month, weeks)
    for length in ("month", "quarter", "year")
    for month, weeks in ((1, False), (4, False), (2, True))
}


@given(
    st.sampled_from(sorted(CALENDARS)),
    st.dates(pd.Timestamp("2019-01-01").date(), pd.Timestamp("2026-01-01").date()).map(pd.Timestamp),
    st.integers(1, 500),
)
@settings(max_examples=100, deadline=None)
def test_intervals_tile_the_days_ahead(key: tuple, as_of: pd.Timestamp, horizon: int) -> None:
    calendar = CALENDARS[key]
    grid = make_grid(as_of, calendar, horizon)
    days = (grid.ends - grid.ends[0]).astype("int64") / 86400
    assert pd.Timestamp(grid.ends[0]) == as_of
    np.testing.assert_array_equal(grid.gone, days)
    assert (np.diff(days) > 0).all()
    assert grid.lengths[0] == 1.0
    np.testing.assert_array_equal(grid.lengths[1:], np.diff(days))
    np.testing.assert_allclose(grid.ahead[1:], (days[1:] + days[:-1]) / 2)
    assert days[-1] >= horizon
    ends = {pd.Timestamp(e) for e in grid.ends}
    period = calendar.containing(as_of + pd.Timedelta(days=1))
    while period.end <= pd.Timestamp(grid.ends[-1]):
        assert period.end in ends
        period = calendar.shift(period, 1)
    assert pd.Timestamp(grid.ends[-1]) == calendar.shift(period, -1).end
    assert grid.slot[0] == -1
    assert ((grid.slot[1:] >= 0) & (grid.slot[1:] <= 5)).all()
    assert (np.diff(grid.period[1:]) >= 0).all()
    assert grid.period.max() <= 2


def test_worked_example_of_a_quarter() -> None:
    grid = make_grid(pd.Timestamp("2023-12-31"), FiscalCalendar(), 91)
    ends = [str(e)[:10] for e in grid.ends]
    assert ends == ["2023-12-31", "2024-01-23", "2024-02-15", "2024-03-05", "2024-03-19", "2024-03-26", "2024-03-31"]
    assert grid.slot.tolist() == [-1, 5, 4, 3, 2, 1, 0]
    assert grid.lengths.sum() == pytest.approx(1 + 91)
    assert grid.season.tolist() == [11, 0, 1, 2, 2, 2, 2]
