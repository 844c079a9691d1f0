"""Little is learned at first, and nothing breaks: the prior's share falls smoothly, and its order is the CRM's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from every_kind import Taught, assert_chances, incidences
from pipeforecast.models.classical import AalenJohansen
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import PriorChances, WithPrior, assumptions, prior_of
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from worlds import constant_hazards


@pytest.fixture(scope="module")
def world() -> Taught:
    lessons, now = constant_hazards(600, 1)
    listed = np.where(np.arange(len(now.open)) % 2, 0.8, 0.2)
    return lessons, replace(now, open=now.open.assign(probability=listed))


def known(lessons: Lessons, closed: int) -> Lessons:
    """Let only ``closed`` deals have closed; nothing is known of the others."""
    shut = lessons.deals.index[(lessons.deals["status"] != "open").to_numpy()][:closed]
    rows = np.flatnonzero(lessons.snapshot.open["deal"].isin(shut).to_numpy())
    closings = lessons.snapshot.closings
    snapshot = replace(lessons.snapshot.take(rows), closings=closings[closings["deal"].isin(shut).to_numpy()])
    outcome = replace(lessons.outcome, rows=lessons.outcome.rows.iloc[rows].reset_index(drop=True))
    return replace(lessons, snapshot=snapshot, outcome=outcome, deals=lessons.deals.loc[shut])


def share(lessons: Lessons) -> float:
    chances = WithPrior(AalenJohansen()).fit(lessons).chances
    return chances.share if isinstance(chances, PriorChances) else 0.0


def test_the_share_of_the_prior_falls_with_every_closed_deal(world: Taught) -> None:
    shares = [share(known(world[0], n)) for n in (0, 1, 5, 20, 60, 300)]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)
    assert shares[4] < 0.05
    assert share(world[0]) < 0.01


@pytest.mark.parametrize("closed", [0, 1, 2, 5, 20])
def test_every_history_gets_an_answer_that_is_a_chance(world: Taught, closed: int) -> None:
    won, lost = incidences(WithPrior(HazardModel()).fit(known(world[0], closed)), world[1])
    assert_chances(won, lost)
    assert (won[:, -1] > 0.01).all()
    assert (won[:, -1] < 0.99).all()


def test_without_history_the_crm_orders_the_deals_and_its_odds_are_pulled_together(world: Taught) -> None:
    lessons, now = known(world[0], 0), world[1]
    p = incidences(WithPrior(HazardModel()).fit(lessons), now)[0][:, -1]
    high = (now.open["probability"] == 0.8).to_numpy()
    assert p[high].min() > p[~high].max()
    ends = prior_of(lessons).wins
    from pipeforecast.features import describe

    wins = ends(describe(now))
    odds = wins / (1 - wins)
    assert odds[high][0] / odds[~high][0] == pytest.approx(4.0, rel=1e-6)  # the CRM says 16: half its log-odds


def test_percentages_that_no_past_shows_tilt_the_chances_and_are_called_assumed(world: Taught) -> None:
    lessons, now = world
    fitted = WithPrior(HazardModel()).fit(lessons)
    assert isinstance(fitted.chances, PriorChances)
    assert fitted.chances.tilted
    won, lost = incidences(fitted, now)
    plain, _ = incidences(HazardModel().fit(lessons), now)
    high = (now.open["probability"] == 0.8).to_numpy()
    assert_chances(won, lost)
    assert (won[high, -1] > plain[high, -1]).all()
    assert (won[~high, -1] < plain[~high, -1]).all()
    assert "STAGE-ASSUMED" in {f.code for f in assumptions(fitted, now)}


def test_enough_learned_percentages_leave_nothing_assumed(world: Taught) -> None:
    lessons, now = world
    rows = lessons.snapshot.open
    told = replace(lessons, snapshot=replace(lessons.snapshot, open=rows.assign(probability=0.5)))
    many = pd.concat([told.deals.set_axis(told.deals.index + 10_000 * i) for i in range(3)])
    fitted = WithPrior(HazardModel()).fit(replace(told, deals=many))
    assert not isinstance(fitted.chances, PriorChances)
    assert assumptions(fitted, now) == []


def test_one_way_of_closing_alone_never_becomes_certain(world: Taught) -> None:
    lessons: Lessons = known(world[0], 10)
    now: Snapshot = world[1]
    status = lessons.outcome.rows["status"].where(lessons.outcome.rows["status"] != "won", "lost")
    deals = lessons.deals.assign(status="lost")
    outcome = replace(lessons.outcome, rows=lessons.outcome.rows.assign(status=status))
    won, _ = incidences(WithPrior(HazardModel()).fit(replace(lessons, outcome=outcome, deals=deals)), now)
    assert 0.005 < won[:, -1].mean() < 0.3
