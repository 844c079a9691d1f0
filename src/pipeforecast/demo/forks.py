"""Other futures of the same past: the floor that no forecast from recorded columns reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from pipeforecast.demo.clock import Shocks, draw_shocks
from pipeforecast.demo.columns import Array, Columns, length, stack, take, tile
from pipeforecast.demo.company import Company
from pipeforecast.demo.engine import NEVER, World, births, booked_on, live_a_day, settle, state_of
from pipeforecast.demo.life import Life, evening
from pipeforecast.demo.rules import SHELVED, SILENT, UNBOOKED, WON
from pipeforecast.demo.text import choose
from pipeforecast.errors import SettingsError

FORKS = 9
CHUNK_ROWS = 300_000
FARTHEST = 366


@dataclass(frozen=True)
class Forks:
    """What `n` futures brought, from the evening of `day` to `until`.

    Attributes
    ----------
    day, until : date
    deal_ids : array of shape (n_deals,)
        Raw ids of the deals that the CRM held for open on the evening of `day`.
    won_day : int array of shape (n, n_deals)
        Days from `day` to the true close; -1 where not won by `until`. A deal that was already won but not
        yet written has 0.
    amount : float array of shape (n, n_deals)
        Amount won, 0 where not won.
    booked_late : int array of shape (n_deals,)
        For deals won before but not yet written on `day`: how many days before `day` they truly closed.
    new_day, new_amount, new_fork : arrays of shape (n_new,)
        Wins of deals that were not open on `day` (created or reopened later): days from `day`, amount, future.
    n : int
    """

    day: date
    until: date
    deal_ids: Array
    won_day: Array
    amount: Array
    booked_late: Array
    new_day: Array
    new_amount: Array
    new_fork: Array
    n: int

    @property
    def new_revenue(self) -> Array:
        """Money per future from deals that were not open on `day`, shape (n,)."""
        return np.bincount(self.new_fork, self.new_amount, minlength=self.n)

    @property
    def p_win(self) -> Array:
        """Share of futures in which each deal is won by `until`, shape (n_deals,)."""
        share: Array = (self.won_day >= 0).mean(axis=0)
        return share

    def won_by(self, when: date) -> Array:
        """Whether each deal is won by the evening of `when`, shape (n, n_deals)."""
        won: Array = (self.won_day >= 0) & (self.won_day <= (when - self.day).days)
        return won

    def revenue(self, start: date, end: date) -> Array:
        """Money that truly closes from `start` to `end`, both included, per future, shape (n,).

        What was written by the evening of `day` is not in it: add the known wins of the period.
        """
        low, high = (start - self.day).days, (end - self.day).days
        true_day = self.won_day - self.booked_late
        inside = (self.won_day >= 0) & (true_day >= low) & (true_day <= high)
        new = (self.new_day >= low) & (self.new_day <= high)
        fresh = np.bincount(self.new_fork[new], self.new_amount[new], minlength=self.n)
        money: Array = (self.amount * inside).sum(axis=1) + fresh
        return money


def fork(company: Company, day: date, *, n: int, seed: int, until: date, shock: float | None = None) -> Forks:
    """Live `n` other futures of the same past.

    They start from the whole hidden state on the evening of `day`. The running quarter keeps its shock;
    later quarters' shocks, arrivals and everything else are new. People and downturn are as they were to be.

    Parameters
    ----------
    company : Company
    day : date
        From the company's start to its last day.
    n : int
        Number of futures.
    seed : int
    until : date
        After `day`, at most 366 days after the company's last day.
    shock : float, optional
        Force every quarter's shock on winning to this many standard deviations, to measure its size.

    Returns
    -------
    Forks

    Raises
    ------
    SettingsError
        When a day or `n` is outside its range.
    """
    if not company.start <= day <= company.last_day:
        raise SettingsError(f"day: expected {company.start} to {company.last_day}, got {day}")
    farthest = company.last_day + timedelta(days=FARTHEST)
    if not day < until <= farthest:
        raise SettingsError(f"until: expected a day after {day}, at most {farthest}, got {until}")
    if n < 1 or seed < 0:
        raise SettingsError(f"n and seed: expected n >= 1 and seed >= 0, got {n} and {seed}")
    life = company.life
    first, last = life.world.clock.day(day), life.world.clock.day(until)
    base = evening(life, first)
    known = np.flatnonzero(base["status"] != SHELVED) if base else np.zeros(0, dtype=int)
    place = np.full(length(base), -1, dtype=np.int32)
    place[known] = np.arange(len(known))
    if base:
        base["place"] = place
    ids = choose(company.truth.deal_ids, base["deal"][known]) if base else np.zeros(0, dtype=object)
    outcome = _Outcome(n, len(known))
    if base:
        _already_won(base, known, outcome, first)
        base = take(base, (base["status"] != SILENT) & (base["status"] != UNBOOKED) | _comes_back(base))
    size = max(1, CHUNK_ROWS // max(1, length(base)))
    for start in range(0, n, size):
        rng = np.random.default_rng([seed, FORKS, first, start])
        _chunk(life, base, outcome, np.arange(start, min(n, start + size)), (first, last), rng, shock)
    return Forks(day, until, np.asarray(ids), outcome.won_day, outcome.amount, outcome.late, *outcome.new(), n)


class _Outcome:
    """Collects wins."""

    def __init__(self, n: int, n_deals: int) -> None:
        self.won_day = np.full((n, n_deals), -1, dtype=np.int16)
        self.amount = np.zeros((n, n_deals))
        self.late = np.zeros(n_deals, dtype=np.int16)
        self._new: list[tuple[Array, Array, Array]] = []

    def won(self, deals: Columns, rows: Array, days: int) -> None:
        place, future = deals["place"][rows], deals["fork"][rows]
        old = place >= 0
        self.won_day[future[old], place[old]] = days
        self.amount[future[old], place[old]] = deals["amount"][rows[old]]
        fresh = rows[~old]
        self._new.append((np.full(len(fresh), days), deals["amount"][fresh], deals["fork"][fresh]))

    def new(self) -> tuple[Array, Array, Array]:
        none = (np.zeros(0, dtype=int), np.zeros(0), np.zeros(0, dtype=int))
        day, amount, future = (np.concatenate(parts) for parts in zip(none, *self._new, strict=True))
        return day, amount, future


def _already_won(base: Columns, known: Array, outcome: _Outcome, first: int) -> None:
    """Deals won but not yet written are won in every future."""
    won = (base["status"][known] == UNBOOKED) & (base["cause"][known] == WON)
    outcome.won_day[:, won] = 0
    outcome.amount[:, won] = base["amount"][known[won]]
    outcome.late[won] = first - base["true_day"][known[won]]


def _comes_back(base: Columns) -> Array:
    """Lost, not yet written, and to be reopened."""
    back: Array = (base["status"] == UNBOOKED) & (base["cause"] != WON) & (base["wake_day"] != NEVER)
    return back


def _chunk(
    life: Life,
    base: Columns,
    outcome: _Outcome,
    futures: Array,
    window: tuple[int, int],
    rng: np.random.Generator,
    forced: float | None,
) -> None:
    """Live some of the futures together, one row a deal and future."""
    world, clock, n = life.world, life.world.clock, len(futures)
    shocks = _shocks(world, n, window[0], rng, forced)
    deals = tile(base, n)
    if deals:
        deals["fork"] = np.repeat(futures, length(base)).astype(np.int32)
    for day in range(window[0] + 1, window[1] + 1):
        if not clock.workday[day]:
            continue
        quarter = clock.quarter[day]
        counts = rng.poisson(world.arrival_rate(day, shocks.arrivals[:, quarter]))
        deals = stack(deals, _newborn(world, day, counts, futures, rng))
        if not length(deals):
            continue
        ended = live_a_day(world, deals, day, shocks.winning[deals["fork"] - futures[0], quarter], rng)
        outcome.won(deals, ended[deals["cause"][ended] == WON], day - window[0])
        deals = settle(deals, booked_on(deals, day))


def _shocks(world: World, n: int, day: int, rng: np.random.Generator, forced: float | None) -> Shocks:
    """Each future's own shocks; the running quarter keeps the company's."""
    drawn, now = draw_shocks(rng, n, world.clock.n_quarters), world.clock.quarter[day]
    drawn.winning[:, now] = world.shocks.winning[now]
    drawn.arrivals[:, now] = world.shocks.arrivals[now]
    return Shocks(np.full_like(drawn.winning, forced), drawn.arrivals) if forced is not None else drawn


def _newborn(world: World, day: int, counts: Array, futures: Array, rng: np.random.Generator) -> Columns:
    """New deals of all futures on a day."""
    total = int(counts.sum())
    if not total:
        return {}
    new = state_of(world, births(world, day, total, rng), np.full(total, -1), day, rng)
    new["place"] = np.full(total, -1, dtype=np.int32)
    new["fork"] = np.repeat(futures, counts).astype(np.int32)
    return new
