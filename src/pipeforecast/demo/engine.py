"""Deals are born, live through the days and end: the hidden life of a company, day by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeforecast.demo.clock import Clock, Shocks
from pipeforecast.demo.columns import Array, Columns, Log, length, take
from pipeforecast.demo.people import People
from pipeforecast.demo.rules import (
    CLEANED_UP,
    FELL_SILENT,
    LIVE,
    NOTHING,
    SHELVED,
    SILENT,
    UNBOOKED,
    WON,
    Mechanism,
    tide_of,
)

ARRIVAL_SHOCK = 0.08
NEVER = np.iinfo(np.int32).max
LATE, LATE_AT_QUARTER_END = 0.045, 0.11
CLEANED, REOPENED = 0.5, 0.02
LEAD_SOURCES = ("Website", "Paid Search", "Webinar", "Event", "Referral", "Partner")
SOURCES = (*LEAD_SOURCES, "Outbound", "Customer Success")
LEAD_MIX = (0.34, 0.2, 0.14, 0.12, 0.12, 0.08)


@dataclass(frozen=True)
class World:
    """What all companies of one world share: rules, calendar, people and shocks."""

    mechanism: Mechanism
    clock: Clock
    people: People
    shocks: Shocks
    arrivals_per_weight: float

    def arrival_rate(self, day: int, shock: Array) -> Array:
        """Expected number of new deals on a day, given the quarter's arrival shock; same shape as `shock`."""
        rate: Array = self.arrivals_per_weight * self.clock.arrivals[day] * np.exp(ARRIVAL_SHOCK * shock)
        return rate


def births(world: World, day: int, count: int, rng: np.random.Generator) -> Columns:
    """Draw what is fixed about `count` deals at their creation on `day`."""
    rules, people = world.mechanism.rules, world.people
    luck = rng.random((6, count))
    segment = np.searchsorted(np.cumsum(rules.mix)[:-1], luck[0], side="right").astype(np.int8)
    desk = _open_desk(people.desk_segment, people.desk_from, segment, day, luck[1])
    existing = luck[2] < 0.1 + 0.22 * day / len(world.clock.dates)
    from_lead = luck[3] < np.where(existing, 0.1, 0.55)
    noise = rng.standard_normal((2, count))
    product = np.searchsorted(np.cumsum(rules.product_mix)[:-1], luck[4], side="right").astype(np.int8)
    factor = np.array(rules.product_amount)[product] * np.where(existing, 0.75, 1.0)
    amount = np.array(rules.amount)[segment] * factor * np.exp(np.array(rules.spread)[segment] * noise[0])
    from_source = np.searchsorted(np.cumsum(LEAD_MIX)[:-1], luck[5], side="right")
    outbound, success = SOURCES.index("Outbound"), SOURCES.index("Customer Success")
    own_source = np.where(luck[5] < 0.2, SOURCES.index("Partner"), np.where(existing, success, outbound))
    return {
        "segment": segment,
        "desk": desk,
        "source": np.where(from_lead, from_source, own_source).astype(np.int8),
        "existing": existing,
        "from_lead": from_lead,
        "lead_quality": np.where(from_lead, noise[1], 0.0).astype(np.float32),
        "product": product,
        "size": noise[0].astype(np.float32),
        "amount": amount,
    }


def _open_desk(desk_segment: Array, desk_from: Array, segment: Array, day: int, luck: Array) -> Array:
    """Any desk of the segment that is open on the day."""
    desk = np.zeros(len(segment), dtype=np.int16)
    for code in np.unique(segment):
        choices = np.flatnonzero((desk_segment == code) & (desk_from <= day))
        mine = segment == code
        desk[mine] = choices[(luck[mine] * len(choices)).astype(int)]
    return desk


def state_of(world: World, born: Columns, deal: Array, day: int, rng: np.random.Generator) -> Columns:
    """Hidden state of new deals at the moment of their creation."""
    n = length(born)
    return {
        "deal": deal.astype(np.int32),
        "desk": born["desk"],
        "segment": born["segment"],
        "born": np.full(n, day, dtype=np.int32),
        "status": np.full(n, LIVE, dtype=np.int8),
        "cause": np.full(n, NOTHING, dtype=np.int8),
        "true_day": np.full(n, NEVER, dtype=np.int32),
        "book_day": np.full(n, NEVER, dtype=np.int32),
        "wake_day": np.full(n, NEVER, dtype=np.int32),
        "amount": born["amount"].copy(),
        **world.mechanism.born(born, rng),
    }


def live_a_day(
    world: World, deals: Columns, day: int, shock: Array, rng: np.random.Generator, log: Log | None = None
) -> Array:
    """Move every deal through one workday, in place.

    Parameters
    ----------
    shock : float array, scalar or of shape (n_deals,)
        The quarter's shock on winning, in standard deviations.

    Returns
    -------
    int array
        Rows of the deals that were truly won or lost on this day.
    """
    status = deals["status"]
    waking = np.flatnonzero(deals["wake_day"] <= day)
    back = waking[status[waking] == SHELVED]
    status[back] = LIVE
    deals["wake_day"][back] = NEVER
    world.mechanism.revive(deals, back)
    cleaned = waking[status[waking] == SILENT]
    tide = tide_of(world.clock, day, shock, world.people.skill_on(day))
    still = np.flatnonzero(status != LIVE)
    agreed = deals["amount"][still]
    brought = world.mechanism.step(deals, tide, rng)
    deals["amount"][still] = agreed  # the mechanism moves all rows; what has ended keeps its price
    brought[still] = NOTHING
    brought[cleaned] = CLEANED_UP
    silent = np.flatnonzero(brought == FELL_SILENT)
    status[silent] = SILENT
    hush = day + rng.integers(200, 460, len(silent))
    deals["wake_day"][silent] = np.where(rng.random(len(silent)) < CLEANED, hush, NEVER)
    ended = np.flatnonzero((brought != NOTHING) & (brought != FELL_SILENT))
    _end(deals, ended, brought[ended], day, tide.left_in_quarter, rng)
    if log is not None:
        log.add("silent", deal=deals["deal"][silent], day=np.full(len(silent), day, dtype=np.int32))
        log.add("back", deal=deals["deal"][back], day=np.full(len(back), day, dtype=np.int32))
        ends = take({k: deals[k] for k in ("deal", "true_day", "book_day", "cause", "amount")}, ended)
        log.add("end", **ends)
    return ended


def _end(deals: Columns, ended: Array, cause: Array, day: int, left: int, rng: np.random.Generator) -> None:
    """Close deals truly, and settle when that will be written and whether a lost one comes back."""
    n = len(ended)
    luck = rng.random((2, n))
    late = luck[0] < (LATE_AT_QUARTER_END if left <= 4 else LATE)
    booked = day + np.where(late & (cause != CLEANED_UP), rng.integers(1, 8, n), 0)
    again = (cause != WON) & (cause != CLEANED_UP) & (luck[1] < REOPENED)
    deals["status"][ended] = UNBOOKED
    deals["cause"][ended] = cause
    deals["true_day"][ended] = day
    deals["book_day"][ended] = booked
    deals["amount"][ended] = np.round(deals["amount"][ended], 2)
    deals["wake_day"][ended] = np.where(again, booked + rng.integers(20, 120, n), NEVER)


def booked_on(deals: Columns, day: int) -> Array:
    """Rows of the deals whose end is written on this day."""
    return np.flatnonzero((deals["book_day"] <= day) & (deals["status"] == UNBOOKED))


def settle(deals: Columns, booked: Array) -> Columns:
    """Put booked deals away, but for those that will be reopened."""
    if not len(booked):
        return deals
    again = booked[deals["wake_day"][booked] != NEVER]
    deals["status"][again] = SHELVED
    deals["book_day"][again] = NEVER
    keep = np.ones(length(deals), dtype=bool)
    keep[booked] = False
    keep[again] = True
    return take(deals, keep)
