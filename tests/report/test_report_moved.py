"""What changed since an earlier evening: bars that add up, deals that moved it by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import made_input

from pipeforecast.compare import CAUSES
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.page import render

SINCE = pd.Timestamp("2024-05-07")


def moves_frame() -> pd.DataFrame:
    r = np.random.default_rng(4)
    rows = pd.DataFrame(np.round(r.normal(0, 40_000, (12, len(CAUSES))), 2), columns=list(CAUSES))
    rows["start"] = 200_000.0
    rows["end"] = rows["start"] + rows[list(CAUSES)].sum(axis=1)
    names = {"deal_id": [f"006{i}" for i in range(11)] + [None], "name": [f"<b>deal {i}</b>" for i in range(12)]}
    rows = rows.assign(measure="forecast", **names)
    return pd.concat([rows, rows.assign(measure="pipeline", start=9e9)], ignore_index=True)


@pytest.fixture(scope="module")
def told() -> dict:
    return facts_of(made_input(moves=moves_frame(), moves_since=SINCE))


def test_bars_add_up_from_the_start_to_the_end(told):
    moved = told["moved"]
    assert (moved["since"], moved["start"]) == ("2024-05-07", 12 * 200_000.0)
    assert [b["cause"] for b in moved["bars"]] == list(CAUSES)
    assert moved["start"] + sum(b["amount"] for b in moved["bars"]) == pytest.approx(moved["end"])


def test_deals_that_moved_it_most_come_first_with_their_largest_causes(told):
    movers = told["moved"]["movers"]
    sizes = [abs(d["change"]) for d in movers]
    assert sizes == sorted(sizes, reverse=True)
    assert len(movers) == 10  # business not yet created is no deal
    own = moves_frame().iloc[:11].set_index("name")
    for d in movers:
        largest = own.loc[d["name"], list(CAUSES)].abs().max()
        assert abs(d["causes"][0]["amount"]) == pytest.approx(largest)


def test_the_first_screen_says_it_and_names_stay_text(told):
    html = render(told)
    assert "Since 7\u00a0May\u00a02024:" in html
    assert 'id="moved"' in html
    assert "<b>deal" not in html
    assert 'id="moved"' not in render(facts_of(made_input()))
    assert facts_of(made_input())["moved"] is None
