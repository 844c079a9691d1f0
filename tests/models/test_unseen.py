"""A stage renamed half-way is answered, and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from every_kind import Taught, assert_chances, incidences
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.unseen import never_seen
from worlds import constant_hazards


@pytest.fixture(scope="module")
def world() -> Taught:
    return constant_hazards(600, 1)


def test_nothing_new_is_nothing_to_tell(world: Taught) -> None:
    assert never_seen(*world) == []


def test_a_stage_renamed_half_way_is_named_and_its_deals_are_answered(world: Taught) -> None:
    lessons, now = world
    renamed = now.open["stage"].where(now.open.index % 2 == 0, "Talking")
    today = replace(now, open=now.open.assign(stage=renamed))
    (found,) = never_seen(lessons, today)
    assert (found.code, found.column, found.examples) == ("NEVER-SEEN", "stage", ("Talking",))
    assert (found.count, found.severity) == (int((renamed == "Talking").sum()), "warning")
    won, lost = incidences(HazardModel().fit(lessons), today)
    assert_chances(won, lost)
    assert (won[:, -1] > 0.01).all()


def test_what_is_missing_today_is_not_new(world: Taught) -> None:
    lessons, now = world
    today = replace(now, open=now.open.assign(stage=now.open["stage"].where(now.open.index > 3)))
    assert never_seen(lessons, today) == []
