"""Reps, their skill and habits, the desks they hold one after another, and who manages them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeforecast.demo.clock import Clock
from pipeforecast.demo.columns import Array
from pipeforecast.demo.rules import Rules

DEALS_PER_DESK = 280
MOST_DESKS = 600
DESKS_PER_MANAGER = 6
SKILL_SD = 0.22
MEAN_TENURE_DAYS = 1300.0


@dataclass(frozen=True)
class People:
    """A desk is a place in a team; reps hold it one after another, and its deals pass from one to the next.

    Attributes
    ----------
    desk_segment, desk_region, desk_from : int arrays of shape (n_desks,)
        `desk_from` is the day from which the desk gets deals.
    desk_manager : int array of shape (2, n_desks)
        Manager before and from the reorganisation.
    reorganised : int
        Day of the reorganisation.
    rep_desk, rep_from, rep_to : int arrays of shape (n_reps,)
        A rep holds the desk on the days `rep_from` <= day < `rep_to`.
    rep_skill : float array of shape (n_reps,)
        Added to the buyers' drift.
    rep_bias : float array of shape (n_reps,)
        Happy ears (positive) or sandbagging (negative), in standard deviations.
    rep_at : int array of shape (n_desks, n_days)
        Who holds the desk.
    manager_bias : float array of shape (n_managers,)
    """

    desk_segment: Array
    desk_region: Array
    desk_from: Array
    desk_manager: Array
    reorganised: int
    rep_desk: Array
    rep_from: Array
    rep_to: Array
    rep_skill: Array
    rep_bias: Array
    rep_at: Array
    manager_bias: Array

    def skill_on(self, day: int) -> Array:
        """Skill of today's rep by desk, shape (n_desks,)."""
        skill: Array = self.rep_skill[self.rep_at[:, day]].astype(np.float32)
        return skill


def _desks(rules: Rules, n_deals: int, clock: Clock, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Segment, region and first day of each desk, sorted by team."""
    n_segments, n_regions = len(rules.segments), len(rules.regions)
    n_desks = int(np.clip(round(n_deals / DEALS_PER_DESK), 2 * n_segments, MOST_DESKS))
    segment = np.arange(n_desks) % n_segments
    region = rng.choice(n_regions, n_desks, p=np.array([0.5, 0.32, 0.18])[:n_regions])
    opened = np.where(rng.random(n_desks) < 0.45, rng.integers(0, int(0.7 * clock.today), n_desks), 0)
    opened[:n_segments] = 0
    order = np.lexsort((region, segment))
    return segment[order], region[order], opened[order]


def _reps(desk_from: Array, n_days: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Desk, first day and day after the last of each rep."""
    desk, start, end = [], [], []
    for number, opened in enumerate(desk_from):
        day = int(opened)
        while day < n_days:
            leaves = day + 120 + int(rng.exponential(MEAN_TENURE_DAYS))
            desk.append(number)
            start.append(day)
            end.append(min(leaves, n_days))
            day = leaves
    return np.array(desk), np.array(start), np.array(end)


def make_people(rules: Rules, n_deals: int, clock: Clock, rng: np.random.Generator) -> People:
    """Hire everybody whom the company will ever have, for the whole calendar."""
    segment, region, opened = _desks(rules, n_deals, clock, rng)
    n_desks, n_days = len(segment), len(clock.dates)
    desk, start, end = _reps(opened, n_days, rng)
    rep_at = np.zeros((n_desks, n_days), dtype=np.int32)
    for rep, (number, first, after) in enumerate(zip(desk, start, end, strict=True)):
        rep_at[number, first:after] = rep
    for number in range(n_desks):
        rep_at[number, : opened[number]] = rep_at[number, opened[number]]
    n_managers = max(1, round(n_desks / DESKS_PER_MANAGER))
    before = np.arange(n_desks) * n_managers // n_desks
    after_it = np.where(rng.random(n_desks) < 0.2, rng.integers(0, n_managers, n_desks), before)
    return People(
        desk_segment=segment,
        desk_region=region,
        desk_from=opened,
        desk_manager=np.stack([before, after_it]),
        reorganised=int(0.6 * clock.today),
        rep_desk=desk,
        rep_from=start,
        rep_to=end,
        rep_skill=SKILL_SD * rng.standard_normal(len(desk)),
        rep_bias=rng.standard_normal(len(desk)),
        rep_at=rep_at,
        manager_bias=0.5 * rng.standard_normal(n_managers),
    )
