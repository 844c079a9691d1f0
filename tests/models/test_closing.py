"""Days that a model gives too wide or too early are put right by how past wins fell within what was told of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from every_kind import Taught
from pipeforecast.features import Features
from pipeforecast.models.closing import closing_shares
from pipeforecast.models.deals import NOMINAL, FittedDeals
from pipeforecast.models.grid import Grid
from worlds import constant_hazards

HORIZON = 365
#: Daily hazard of closing in the world, won or lost (its two segments' mean).
RIGHT = 0.022


@dataclass(frozen=True)
class Told:
    """Chances whose share used up after t days is (1 − e^(−rate t)) ÷ (the same at the horizon)."""

    rate: float

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[Any]:
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        ahead = (grid.ends - grid.ends[0]).astype("float64") / 86400
        won = np.repeat(0.4 * (1 - np.exp(-self.rate * ahead))[None, :], len(features.due), axis=0)
        yield won, won


@pytest.fixture(scope="module")
def world() -> Taught:
    return constant_hazards(2000, 3)


def fitted(world: Taught, rate: float) -> FittedDeals:
    return FittedDeals("told", world[0].calendar, HORIZON, Told(rate))


def covered(world: Taught, deals: FittedDeals, shares: tuple[float, float, float]) -> tuple[float, float]:
    """Share of past wins inside P10 … P90, and up to P50."""
    lessons, inside, early = world[0], [], []
    for at in lessons.snapshot.days[::3]:
        rows = np.flatnonzero((lessons.snapshot.open["as_of"] == at).to_numpy())
        outcome = lessons.outcome.rows.iloc[rows]
        won = ((outcome["status"] == "won") & (outcome["days"] <= HORIZON)).to_numpy()
        day = np.datetime64(at, "s")
        if not won.any() or day + np.timedelta64(HORIZON, "D") > np.datetime64(lessons.cutoff, "s"):
            continue
        now = lessons.snapshot.take(rows[won]).only([lessons.snapshot.open["as_of"].iloc[rows[0]]])
        made = deals.forecast(now, np.ones(int(won.sum())))
        until = now.as_of + np.timedelta64(HORIZON, "D")
        p10, p50, p90 = (made.closing_day(s, until) for s in shares)
        came = day + outcome["days"].to_numpy()[won].astype("timedelta64[D]").astype("timedelta64[s]")
        inside.append((came >= p10) & (came <= p90))
        early.append(came <= p50)
    return float(np.concatenate(inside).mean()), float(np.concatenate(early).mean())


@pytest.mark.parametrize("rate", [0.004, 0.04])
def test_a_model_that_closes_too_late_or_too_early_is_put_right(world: Taught, rate: float) -> None:
    """What is left is the pull towards the nominal shares, of one part in five here."""
    deals = fitted(world, rate)
    inside, before = covered(world, deals, closing_shares(deals, world[0]))
    stood, stood_before = covered(world, deals, NOMINAL)
    assert abs(inside - 0.8) < 0.5 * abs(stood - 0.8)
    assert abs(before - 0.5) < 0.5 * abs(stood_before - 0.5)


def test_a_model_that_is_right_is_left_alone(world: Taught) -> None:
    np.testing.assert_allclose(closing_shares(fitted(world, RIGHT), world[0]), NOMINAL, atol=0.08)


def test_shares_rise_and_are_the_nominal_ones_without_a_past(world: Taught) -> None:
    lessons, _ = world
    p10, p50, p90 = closing_shares(fitted(world, 0.02), lessons)
    assert 0 < p10 <= p50 <= p90 < 1
    short = lessons.snapshot.only([pd.Timestamp(d) for d in lessons.snapshot.days[-2:]])
    rows = np.flatnonzero(lessons.snapshot.open["as_of"].isin(short.days).to_numpy())
    outcome = lessons.outcome.rows.iloc[rows].reset_index(drop=True)
    young = replace(lessons, snapshot=short, outcome=replace(lessons.outcome, rows=outcome))
    assert closing_shares(fitted(world, 0.02), young) == NOMINAL
