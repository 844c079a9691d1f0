"""Cells are the forecast again: whatever is added up of them is what the forecast says, draw by draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.cells import OTHER, Cells, cut, spread_evenly
from pipeforecast.fiscal import Period
from pipeforecast.forecast import ADDENDS, Forecast, group_names
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.rollup import Outlook
from pipeforecast.snapshot import Snapshot
from pipeforecast.spread import widened, with_total

GROUPINGS = ("owner", "segment", "deal_type")


@pytest.fixture(scope="module")
def outlook(fitted: FittedPipeline, now: Snapshot, period: Period) -> Outlook:
    return fitted.outlook(now, period)


@pytest.fixture(scope="module")
def made(fitted: FittedPipeline, outlook: Outlook) -> Forecast:
    return fitted.rolled_up(outlook, GROUPINGS)


@pytest.fixture(scope="module")
def lead(made: Forecast) -> Forecast:
    """Told wider and higher than it was drawn."""
    return with_total(made, 1.1 * widened(made.draw(), made.value("won"), 1.4), 1.07 * made.value(), "auto")


@pytest.fixture(scope="module")
def cells(fitted: FittedPipeline, outlook: Outlook, made: Forecast, lead: Forecast) -> Cells:
    return cut(outlook, made, lead, GROUPINGS, fitted.recipe.seed, keep=100)


@pytest.mark.parametrize("part", ADDENDS)
def test_cells_add_up_to_the_total_draw_by_draw_and_in_the_mean(cells: Cells, lead: Forecast, part: str) -> None:
    np.testing.assert_allclose(cells.draws[part].sum(axis=0), lead.draw(part)[cells.chosen], rtol=1e-9, atol=1e-6)
    assert cells.mean[part].sum() == pytest.approx(lead.value(part), abs=0.005)


@pytest.mark.parametrize("level", GROUPINGS)
def test_cells_of_a_group_add_up_to_the_group(cells: Cells, lead: Forecast, level: str) -> None:
    for group in cells.groups[level].unique():
        mine = (cells.groups[level] == group).to_numpy()
        for part in ADDENDS:
            drawn = cells.draws[part][mine].sum(axis=0)
            np.testing.assert_allclose(drawn, lead.draw(part, level, group)[cells.chosen], rtol=1e-9, atol=1e-6)
            assert cells.mean[part][mine].sum() == pytest.approx(lead.value(part, level, group), abs=0.005)


def test_every_open_deal_lies_in_the_cell_of_its_groups(cells: Cells, now: Snapshot) -> None:
    for level in GROUPINGS:
        np.testing.assert_array_equal(cells.groups[level].to_numpy()[cells.deal], group_names(now.open, level))


def test_the_smallest_cells_become_one_and_nothing_is_lost(
    fitted: FittedPipeline, outlook: Outlook, made: Forecast, lead: Forecast, cells: Cells
) -> None:
    few = cut(outlook, made, lead, GROUPINGS, fitted.recipe.seed, keep=100, most=5)
    assert len(few.groups) == 5
    assert (few.groups.iloc[-1] == OTHER).all()
    whole = sum(cells.mean[part] for part in ADDENDS)
    assert sorted(sum(few.mean[part] for part in ADDENDS)[:-1]) == pytest.approx(sorted(whole)[-4:])
    for part in ADDENDS:
        np.testing.assert_allclose(few.draws[part].sum(axis=0), cells.draws[part].sum(axis=0), rtol=1e-9, atol=1e-6)
        assert few.mean[part].sum() == pytest.approx(cells.mean[part].sum())
    kept = few.groups.to_numpy()[few.deal]
    own = cells.groups.to_numpy()[cells.deal]
    assert ((kept == own).all(axis=1) | (kept == OTHER).all(axis=1)).all()


def test_without_groupings_there_is_one_cell(
    fitted: FittedPipeline, outlook: Outlook, made: Forecast, lead: Forecast
) -> None:
    one = cut(outlook, made, lead, (), fitted.recipe.seed)
    assert one.draws["new"].shape == (1, min(400, one.of))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=300), st.integers(1, 300))
def test_chosen_draws_have_nearly_the_quantiles_of_all(draws: list[float], keep: int) -> None:
    total = np.array(draws)
    chosen = spread_evenly(total, keep)
    assert len(chosen) == len(set(chosen.tolist())) == min(keep, len(total))
    assert (np.diff(total[chosen]) >= 0).all()
    ranks = np.sort(np.argsort(np.argsort(total, kind="stable"))[chosen])
    wanted = (np.arange(len(chosen)) + 0.5) * len(total) / len(chosen)
    assert (np.abs(ranks + 0.5 - wanted) <= 1).all()
