"""The page's draws are the forecast's: packed and unpacked, they add up draw by draw, and means to the cent."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn_from
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made import OWNERS, made_cells, made_empty, made_input, part_draws

from pipeforecast.cells import OTHER, Cells
from pipeforecast.forecast import ADDENDS
from pipeforecast.report.cells import DRAWN, cell_facts, unpacked
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.names import Names


def told(cells: Cells | None, **changes: object) -> dict:
    given = made_input(cells=cells, **changes)
    facts = cell_facts(given, Names(given))
    assert facts is not None
    return facts


def test_cells_add_up_to_the_total_draw_by_draw_and_in_the_mean():
    cells, parts = made_cells(), part_draws()
    facts = told(cells)
    for part, drawn in zip(DRAWN, unpacked(facts), strict=True):
        apart = np.abs(drawn.sum(axis=0) - parts[part][cells.chosen])
        assert (apart <= facts["unit"] / 2 + 1e-6).all()
        assert (np.abs(drawn - cells.draws[part]) <= facts["unit"]).all()
    assert facts["unit"] < 1e-5 * parts["total"].max()
    for part in ADDENDS:
        cents = np.array(facts["mean"][part])
        assert sum(facts["mean"][part]) / 100 == pytest.approx(parts[part].mean(), abs=0.006)
        assert (np.abs(cents / 100 - cells.mean[part]) <= 0.01 + 1e-9).all()


def test_any_choice_adds_up_to_that_of_the_unrounded_draws():
    cells, rng = made_cells(), np.random.default_rng(0)
    facts = told(cells)
    drawn = unpacked(facts)
    for _ in range(30):
        some = rng.random(facts["n"]) < 0.4
        for part, mine in zip(DRAWN, drawn, strict=True):
            apart = mine[some].sum(axis=0) - cells.draws[part][some].sum(axis=0)
            assert (np.abs(apart) <= facts["unit"] * some.sum()).all()


AMOUNTS = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-3)


@settings(max_examples=60, deadline=None)
@drawn_from(arrays("float64", st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=AMOUNTS))
def test_whatever_the_amounts_sums_hold_and_nought_stays_nought(values: np.ndarray):
    c, d = values.shape
    groups = pd.DataFrame({"owner": [f"o{i}" for i in range(c)]})
    parts = {part: np.zeros((c, d)) for part in ADDENDS} | {"new": values}
    mean = {part: parts[part].mean(axis=1) for part in ADDENDS}
    facts = told(Cells(groups, mean, parts, np.arange(d), d, np.zeros(0, dtype=int)))
    back = unpacked(facts)[DRAWN.index("new")]
    loose = 1e-9 * np.abs(values).sum()
    assert (np.abs(back.sum(axis=0) - values.sum(axis=0)) <= facts["unit"] / 2 + loose).all()
    assert (np.abs(back - values) <= facts["unit"] + loose).all()


def test_a_grouping_with_one_group_is_no_filter():
    cells = made_cells()
    one = replace(cells, groups=cells.groups.assign(segment="all"))
    assert [f["column"] for f in told(one)["filters"]] == ["region", "owner", "deal_type"]


def test_groups_that_share_a_name_are_told_apart():
    facts = told(made_cells(), group_labels={"owner": dict.fromkeys(OWNERS, "Ada Osei")})
    owners = next(f for f in facts["filters"] if f["column"] == "owner")
    assert owners["groups"] == ["Ada Osei", "Ada Osei (2)", "Ada Osei (3)", "Ada Osei (4)"]


def test_what_was_put_together_comes_last_and_is_named():
    cells = made_cells()
    groups = cells.groups.copy()
    groups.iloc[0] = OTHER
    facts = told(replace(cells, groups=groups))
    assert facts["merged"]
    assert all("too small" in f["groups"][-1] for f in facts["filters"])
    assert not told(cells)["merged"]


def test_quotas_stand_with_their_groups():
    filters = {f["column"]: dict(zip(f["groups"], f["quotas"], strict=True)) for f in told(made_cells())["filters"]}
    assert filters["owner"]["Ada Osei"] == 900_000
    assert filters["region"] == {"Americas": None, "EMEA": 2e6}
    assert facts_of(made_input())["quota"] == {"quota": 4_300_000.0, "p_hit": 0.31}
    assert facts_of(made_input(quotas=None))["quota"] is None


def test_a_forecast_without_cells_has_no_filters():
    facts = facts_of(made_empty())
    assert facts["cells"] is None
    assert facts["book"] is None


def test_persons_are_numbered_where_people_are_hidden():
    text = json.dumps(told(made_cells(), people="anonymous"))
    assert "Person 1" in text
    assert not [x for pair in OWNERS.items() for x in pair if x in text]
