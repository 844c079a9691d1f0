"""Replays in the order of time: a block is foretold by what was known at its start, choices included."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeforecast.calibration import calibration_error
from pipeforecast.errors import DataError
from pipeforecast.leadmodels import CANDIDATES, LeadRows, Replay, in_sequence, replayed
from pipeforecast.leadmodels.replay import fit_line
from pipeforecast.leadmodels.terms import sigmoid
from pipeforecast.leads import LeadFeatures
from pipeforecast.scores import log_loss

FEW = [c for c in CANDIDATES if c.kind == "logistic"]


def drifting(n: int, jump: float, seed: int = 0, lag: float = 0.0) -> tuple[LeadRows, np.ndarray]:
    """Leads whose odds jump after seven tenths of the time; gives the true chances too."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    truth = sigmoid(-1.5 + x + jump * (np.arange(n) > 0.7 * n))
    none = pd.DataFrame(index=range(n))
    features = LeadFeatures(pd.DataFrame({"x": x}), none, none)
    y = (rng.random(n) < truth).astype(float)
    return LeadRows(features, y, rng.integers(0, n // 2, n), np.arange(n), np.arange(n, dtype=float), lag), truth


@pytest.fixture(scope="module")
def steady() -> Replay:
    return replayed(drifting(4000, 0.0)[0], FEW, blocks=8, tested=6)


@pytest.mark.parametrize("lag", [0.0, 130.0])
def test_a_block_is_taught_by_earlier_answers_of_other_persons(lag: float) -> None:
    rows = drifting(1200, 0.0, lag=lag)[0]
    blocks = list(in_sequence(rows, 6, 4))
    assert len(blocks) == 4
    for teach, here in blocks:
        assert (rows.time[teach] + lag < rows.time[here].min()).all()
        assert not set(rows.person[teach]) & set(rows.person[here])


def test_answers_that_come_later_change_nothing_that_was_said() -> None:
    """Flip every answer of the last two blocks: what was said of all blocks but the last stays."""
    rows = drifting(2400, 1.0)[0]
    flipped = rows.y.copy()
    flipped[2000:] = 1 - flipped[2000:]
    before, after = (replayed(dataclasses.replace(rows, y=y), FEW, blocks=12, tested=8) for y in (rows.y, flipped))
    first = before.rows.time < 2000
    last = before.block == before.block.max()
    np.testing.assert_array_equal(before.said(["logistic"])[first], after.said(["logistic"])[first])
    assert (before.said(["logistic"])[last] != after.said(["logistic"])[last]).any()


def test_without_drift_the_simplest_stays(steady: Replay) -> None:
    every = np.ones(len(steady.rows), dtype=bool)
    chosen = steady.variants[steady.chosen(["logistic"], every)]
    assert np.isinf(chosen.candidate.half_life)
    p = steady.said(["logistic"])
    assert calibration_error(steady.rows.y, p) < 0.04


def test_after_a_jump_recent_answers_are_followed() -> None:
    rows, truth = drifting(6000, 1.5, lag=200.0)
    replay = replayed(rows, FEW, blocks=24, tested=20)
    p, plain = replay.said(["logistic"]), sigmoid(replay.plain[:, 0])
    late = replay.rows.time > 0.8 * 6000
    y = replay.rows.y
    assert log_loss(y[late], p[late]) < log_loss(y[late], plain[late]) - 0.01
    assert calibration_error(y[late], p[late]) < 0.6 * calibration_error(y[late], plain[late])
    model = replay.final(["logistic"], 20_000, 0)
    now = rows.features.rows(np.arange(5400, 6000))
    assert abs(model.chance(now).mean() - truth[5400:].mean()) < 0.06


def test_a_line_is_found_again_and_few_leads_move_it_little() -> None:
    rng = np.random.default_rng(1)
    plain = rng.normal(size=20_000)
    y = (rng.random(20_000) < sigmoid(0.7 + 0.6 * plain)).astype(float)
    a, b = fit_line(y, plain, np.ones(20_000))
    assert a == pytest.approx(0.7, abs=0.06)
    assert b == pytest.approx(0.6, abs=0.06)
    a, b = fit_line(y[:5], plain[:5], np.ones(5))
    assert abs(a) < 1.0
    assert 0.7 < b < 1.3


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_leads_that_all_ended_alike_are_refused(outcome: float) -> None:
    rows = drifting(500, 0.0)[0]
    with pytest.raises(DataError, match="both outcomes"):
        replayed(dataclasses.replace(rows, y=np.full(500, outcome)), FEW)


def test_all_rows_count_alike_whatever_becomes_of_their_lead() -> None:
    """A vote that a lead's rows shared would weigh those down that pass many steps, and these convert more."""
    rows = dataclasses.replace(drifting(6, 0.0)[0], lead=np.array([0, 0, 0, 1, 1, 2]))
    assert rows.weights().tolist() == [0.5] * 6
    faded = rows.weights(half_life=1.0)
    np.testing.assert_allclose(faded[1:] / faded[:-1], 2.0)


def test_thinning_keeps_whole_leads() -> None:
    rows = dataclasses.replace(drifting(3000, 0.0)[0], lead=np.arange(3000) // 3)
    few = rows.thinned(600, 0)
    assert 450 < len(few) < 750
    assert (np.unique(few.lead, return_counts=True)[1] == 3).all()
