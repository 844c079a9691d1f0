"""Columns have mean 0 and sd 1; what is missing or new has its place; the interval's columns say where it lies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.features import Features
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.design import AHEAD, DealDesign, frame_of, interval_columns, together
from pipeforecast.models.grid import make_grid

RNG = np.random.default_rng(0)
N = 400
NOW = np.datetime64("2024-01-30", "s")


def features(stage: list[str] | None = None, **numbers: np.ndarray) -> Features:
    n = len(next(iter(numbers.values())))
    stages = stage or ["a" if i % 3 else "b" for i in range(n)]
    return Features(
        pd.DataFrame(numbers), pd.DataFrame({"stage": stages}), np.full(len(stages), NOW), np.full(len(stages), NOW)
    )


def test_columns_are_standardised() -> None:
    x = features(size=RNG.normal(50, 9, N), age=RNG.normal(3, 2, N))
    columns = DealDesign().fit(x).transform(x)[:, :2]
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(columns.std(axis=0), 1, atol=1e-9)


def test_a_missing_number_is_the_mean_and_a_flag() -> None:
    size = RNG.normal(50, 9, N)
    size[::4] = np.nan
    x = features(size=size)
    design = DealDesign().fit(x)
    columns = pd.DataFrame(design.transform(x), columns=design.names)
    assert (columns["size"][::4] == 0).all()
    assert columns["size is missing"].to_numpy().mean() == 0.25
    assert np.isfinite(columns.to_numpy()).all()


def test_constant_and_empty_columns_are_dropped() -> None:
    x = features(size=RNG.normal(0, 1, N), alike=np.full(N, 7.0), none=np.full(N, np.nan))
    design = DealDesign().fit(x)
    assert design.numbers == ["size"]
    assert "none is missing" not in design.names


def test_far_values_are_held() -> None:
    design = DealDesign().fit(features(size=RNG.normal(0, 1, N)))
    assert abs(design.transform(features(["a"], size=np.array([1e9])))[0, 0]) <= 6


def test_a_new_level_and_a_missing_column_are_no_crash() -> None:
    x = features(size=RNG.normal(0, 1, N), age=RNG.normal(0, 1, N))
    design = DealDesign().fit(x)
    found = design.transform(features(["never seen"], size=np.array([0.5])))
    assert found.shape == (1, len(design.names))
    assert np.isfinite(found).all()


def test_names_stand_for_the_columns() -> None:
    x = features(size=np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(0, 1, N)))
    design = DealDesign().fit(x)
    grid = make_grid(pd.Timestamp("2024-01-31"), FiscalCalendar(), 100)
    deal = design.transform(x)[:3]
    due = np.array(["2024-03-01"] * 3, dtype="datetime64[s]")
    intervals = interval_columns([grid], np.zeros(3, dtype=int), np.arange(3), due)
    whole = together(deal, intervals, deal[:, [0]])
    names = frame_of(design.names, ["size"])
    assert whole.shape == (3, len(names))
    assert names[len(design.names) + AHEAD] == "log days ahead"


@pytest.fixture
def table() -> pd.DataFrame:
    """Columns of all intervals of one day, for a deal that is due on 1 March."""
    grid = make_grid(pd.Timestamp("2024-01-31"), FiscalCalendar(), 60)
    m = len(grid.ends)
    due = np.full(m, np.datetime64("2024-03-01", "s"))
    columns = interval_columns([grid], np.zeros(m, dtype=int), np.arange(m), due)
    out = pd.DataFrame(columns, columns=frame_of([], []))
    return out.assign(end=grid.ends, start=np.concatenate([[grid.as_of], grid.ends[:-1]]))


def test_one_interval_holds_the_expected_close(table: pd.DataFrame) -> None:
    holds = table[table["due in interval"] == 1]
    assert len(holds) == 1
    assert holds["start"].iloc[0] < pd.Timestamp("2024-03-01") <= holds["end"].iloc[0]
    assert (table[["due in interval", "due later", "due earlier"]].sum(axis=1) == 1).all()
    assert (table.loc[table["end"] < "2024-03-01", "due later"] == 1).all()


def test_the_days_interval_is_marked_and_slots_are_exclusive(table: pd.DataFrame) -> None:
    assert table["already closed"].tolist() == [1.0] + [0.0] * (len(table) - 1)
    slots = [c for c in table if str(c).startswith("slot")]
    assert (table[[*slots, "already closed"]].sum(axis=1) == 1).all()


def test_a_deal_without_a_date_has_no_place_against_it() -> None:
    grid = make_grid(pd.Timestamp("2024-01-31"), FiscalCalendar(), 60)
    columns = interval_columns([grid], np.zeros(2, dtype=int), np.arange(2), np.array(["NaT", "NaT"], "datetime64[s]"))
    table = pd.DataFrame(columns, columns=frame_of([], []))
    assert (table[[c for c in table if "due" in str(c)]] == 0).all(axis=None)
