"""Run a company from its first day, keep what was written, and come back to any evening."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipeforecast.demo.clock import draw_shocks, make_clock
from pipeforecast.demo.columns import Array, Columns, Log, length, stack
from pipeforecast.demo.engine import ARRIVAL_SHOCK, World, births, booked_on, live_a_day, settle, state_of
from pipeforecast.demo.paperwork import Paperwork
from pipeforecast.demo.people import make_people
from pipeforecast.demo.rules import SHELVED, Mechanism

WORLD, ARRIVALS, BIRTH, LIFE, PAPER = 1, 2, 3, 4, 5
RECORDED = ("stage", "amount_shown", "due", "probability", "category", "blur")
CHECKPOINT_ROWS = 2_000_000


@dataclass
class Life:
    """The hidden life of one company.

    Attributes
    ----------
    world : World
    key : tuple of int
        Seeds of the company's own randomness.
    counts : int array of shape (n_days,)
        New deals by day.
    facts : columns of shape (n_deals,)
        What was fixed at creation.
    log : Log
        Rows, tasks, ends, silences and returns, as written.
    checkpoints : dict
        Hidden state on the evenings of a few days.
    """

    world: World
    key: tuple[int, int]
    counts: Array
    facts: Columns
    log: Log
    checkpoints: dict[int, Columns] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._first: Array = np.cumsum(self.counts) - self.counts

    def first_of(self, day: int) -> int:
        """Number of the first deal created on a day."""
        return int(self._first[day])


def make_world(mechanism: Mechanism, n_deals: int, seed: int, quarters: int, last_day: date) -> World:
    """Draw what a company and its replicas share."""
    clock = make_clock(last_day, quarters)
    rng = np.random.default_rng([seed, WORLD])
    shocks = draw_shocks(rng, clock.n_quarters)
    people = make_people(mechanism.rules, n_deals, clock, rng)
    mean_shock = float(np.exp(ARRIVAL_SHOCK**2 / 2))
    weight = n_deals / (clock.arrivals[: clock.today + 1].sum() * mean_shock)
    return World(mechanism, clock, people, shocks, float(weight))


def run(world: World, n_deals: int, key: tuple[int, int]) -> Life:
    """Live from day 0 to today."""
    today = world.clock.today
    weight = world.clock.arrivals[: today + 1] * np.exp(
        ARRIVAL_SHOCK * world.shocks.arrivals[world.clock.quarter[: today + 1]]
    )
    counts = np.random.default_rng([*key, ARRIVALS]).multinomial(n_deals, weight / weight.sum())
    life = Life(world, key, counts, {}, Log())
    paper = Paperwork(world, np.random.default_rng([*key, PAPER]))
    deals: Columns = {}
    born_log = Log()
    kept = 0
    for day in np.flatnonzero(world.clock.workday[: today + 1]):
        deals = _day(life, deals, int(day), paper, born_log)
        if world.clock.left_in_quarter[day] in (0, 32) and kept < CHECKPOINT_ROWS:
            life.checkpoints[int(day)] = hidden(deals)
            kept += length(deals)
    life.facts = born_log.table("born")
    return life


def _day(life: Life, deals: Columns, day: int, paper: Paperwork | None, born_log: Log | None) -> Columns:
    """One workday: births, the hidden life, then the paperwork; with no paper only the hidden part."""
    world, count = life.world, int(life.counts[day])
    rng = np.random.default_rng([*life.key, BIRTH, day])
    if count:
        born = births(world, day, count, rng)
        new = state_of(world, born, int(life.first_of(day)) + np.arange(count), day, rng)
        if paper is not None:
            new = paper.born(new, day, life.log)
        if born_log is not None:
            born_log.add("born", **born, born=np.full(count, day, dtype=np.int32))
        deals = stack(deals, new)
    if not length(deals):
        return deals
    shock = world.shocks.winning[world.clock.quarter[day]]
    log = life.log if paper is not None else None
    was_shelved = np.flatnonzero((deals["status"] == SHELVED) & (deals["wake_day"] <= day))
    live_a_day(world, deals, day, shock, np.random.default_rng([*life.key, LIFE, day]), log)
    booked = booked_on(deals, day)
    if paper is not None:
        paper.reopened(deals, was_shelved, day, life.log)
        paper.day(deals, day, life.log)
        paper.closed(deals, booked, day, life.log)
    return settle(deals, booked)


def hidden(deals: Columns) -> Columns:
    """A copy of the hidden columns, without the recorded ones."""
    return {name: values.copy() for name, values in deals.items() if name not in RECORDED}


def evening(life: Life, day: int) -> Columns:
    """Hidden state of all unfinished deals on the evening of `day`, lived again from the nearest checkpoint."""
    before = [known for known in life.checkpoints if known <= day]
    start = max(before, default=-1)
    deals = hidden(life.checkpoints[start]) if before else {}
    for later in range(start + 1, day + 1):
        if life.world.clock.workday[later]:
            deals = _day(life, deals, later, None, None)
    return deals
