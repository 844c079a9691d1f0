"""What distinguishes one made-up company from another: its segments, stages, products and habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeforecast.demo.clock import Clock
from pipeforecast.demo.columns import Array, Columns

# Status of a deal in the hidden process.
LIVE, SILENT, UNBOOKED, SHELVED = 0, 1, 2, 3
# What a day can bring to a live deal, and why a deal ended.
NOTHING, WON, FADED, COMPETITOR, FELL_SILENT, CLEANED_UP = 0, 1, 2, 3, 4, 5
# Forecast categories, in the order of `CATEGORIES`.
PIPELINE, BEST_CASE, COMMIT, OMITTED, CLOSED = 0, 1, 2, 3, 4
CATEGORIES = ("Pipeline", "Best Case", "Commit", "Omitted", "Closed")


@dataclass(frozen=True)
class Rules:
    """Settings of a company's kind; tuples run over segments, products, regions or open stages.

    Attributes
    ----------
    mix : share of deals by segment
    cycle : calendar days that reps believe a deal takes, by segment
    amount, spread : median and log standard deviation of amounts by segment
    product_amount : factor on the amount by product
    stages, stage_probability : open stages in order, with the default probability in percent
    thresholds : readiness at which the next stage is due, one fewer than stages
    touches : tasks a workday by segment at average readiness
    belief : part of the cycle that reps expect at the creation of a deal
    """

    kind: str
    segments: tuple[str, ...]
    mix: tuple[float, ...]
    cycle: tuple[float, ...]
    amount: tuple[float, ...]
    spread: tuple[float, ...]
    employees: tuple[float, ...]
    products: tuple[str, ...]
    product_mix: tuple[float, ...]
    product_amount: tuple[float, ...]
    regions: tuple[str, ...]
    stages: tuple[str, ...]
    stage_probability: tuple[int, ...]
    thresholds: tuple[float, ...]
    won_label: str
    lost_label: str
    touches: tuple[float, ...]
    belief: float


@dataclass(frozen=True)
class Tide:
    """One day as every deal feels it.

    Attributes
    ----------
    day : int
    shock : float or array of shape (n_deals,)
        The quarter's shock in standard deviations.
    skill : array of shape (n_desks,)
        Skill of today's rep of each desk.
    """

    day: int
    mood: float
    shock: Array
    pace: float
    left_in_quarter: int
    left_in_month: int
    skill: Array


class Mechanism(Protocol):
    """The hidden process that decides when deals are won and lost; it alone knows what its columns mean."""

    rules: Rules

    def born(self, births: Columns, rng: np.random.Generator) -> Columns:
        """Hidden columns of new deals."""

    def step(self, deals: Columns, tide: Tide, rng: np.random.Generator) -> Array:
        """Move all deals by a workday, in place; what the day brought to each, shape (n_deals,)."""

    def revive(self, deals: Columns, rows: Array) -> None:
        """Give reopened deals another chance, in place."""

    def readiness(self, deals: Columns) -> Array:
        """How near to signing the buyer is: about 0 at the start, 1 at signing, shape (n_deals,)."""

    def signing(self, deals: Columns) -> Array:
        """Whether the buyer has agreed and only formalities are left, shape (n_deals,)."""


def tide_of(clock: Clock, day: int, shock: Array, skill: Array) -> Tide:
    """Read the calendar for one day."""
    return Tide(
        day=day,
        mood=float(clock.mood[day]),
        shock=shock,
        pace=float(clock.pace[day]),
        left_in_quarter=int(clock.left_in_quarter[day]),
        left_in_month=int(clock.left_in_month[day]),
        skill=skill,
    )
