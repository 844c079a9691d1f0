"""The written rows of a company in order, and what follows from them: last rows, owners, accounts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pandas.api.extensions import ExtensionArray

from pipeforecast.demo.clock import Clock
from pipeforecast.demo.columns import Array, Columns, take
from pipeforecast.demo.life import Life
from pipeforecast.demo.names import company_names
from pipeforecast.demo.rules import CLEANED_UP, Rules
from pipeforecast.demo.text import identifiers

EXPORTS = 6
MISSING_DAY = -9999


@dataclass(frozen=True)
class Accounts:
    """Accounts, numbered.

    Attributes
    ----------
    of_deal : int array of shape (n_deals,)
    born : int array of shape (n_accounts,)
        Day of creation; negative for customers from before the CRM.
    deal : int array of shape (n_accounts,)
        A deal whose segment and region the account has.
    """

    of_deal: Array
    born: Array
    deal: Array


class Book:
    """Reads a life's log once.

    Attributes
    ----------
    rows : columns of shape (n_rows,)
        History rows in the order of writing.
    first, last : int arrays of shape (n_deals,)
        Positions of each deal's first and last row.
    stage_row : int array of shape (n_deals,)
        Position of the row of the last change of stage.
    closed, won : bool arrays of shape (n_deals,)
        As the CRM says today.
    final_day : int array of shape (n_deals,)
        Day on which a closed deal's end was written, or today.
    """

    def __init__(self, life: Life, instance: int) -> None:
        self.life, self.instance = life, instance
        self.facts = life.facts
        self.n_deals = len(self.facts["born"])
        rows = life.log.table("row")
        self.rows = take(rows, np.lexsort((rows["second"], rows["day"])))
        del rows
        self.tasks = life.log.table("task")
        self.ends = life.log.table("end")
        self.silences = life.log.table("silent")
        self.returns = life.log.table("back")
        self._read_rows()

    @property
    def clock(self) -> Clock:
        """The company's calendar."""
        return self.life.world.clock

    @property
    def rules(self) -> Rules:
        """The company's rules."""
        return self.life.world.mechanism.rules

    def rng(self, topic: int) -> np.random.Generator:
        """Randomness of one topic of the exports."""
        return np.random.default_rng([*self.life.key, EXPORTS, topic])

    @cached_property
    def deal_ids(self) -> ExtensionArray:
        """Ids by deal."""
        return identifiers("006", self.instance, self.n_deals)

    @cached_property
    def account_ids(self) -> ExtensionArray:
        """Ids by account."""
        return identifiers("001", self.instance, len(self.accounts.born))

    @cached_property
    def account_names(self) -> ExtensionArray:
        """Names by account."""
        return company_names(len(self.accounts.born), self.rng(3))

    @cached_property
    def user_ids(self) -> ExtensionArray:
        """Ids of reps, then managers, then the executive: the same in all replicas."""
        people = self.life.world.people
        return identifiers("005", 7_000_000 + self.life.key[0], len(people.rep_desk) + len(people.manager_bias) + 1)

    def _read_rows(self) -> None:
        rows, n = self.rows, self.n_deals
        deal, position = rows["deal"], np.arange(len(rows["deal"]))
        self.last, self.first = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self.last[deal] = position
        self.first[deal[::-1]] = position[::-1]
        order = np.argsort(deal, kind="stable")
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (deal[order][1:] != deal[order][:-1]) | (rows["stage"][order][1:] != rows["stage"][order][:-1])
        self.stage_row = np.zeros(n, dtype=np.int64)
        self.stage_row[deal[order][fresh]] = order[fresh]
        n_stages = len(self.rules.stages)
        self.stage = rows["stage"][self.last]
        self.closed, self.won = self.stage >= n_stages, self.stage == n_stages
        self.final_day = np.where(self.closed, rows["day"][self.last], self.clock.today).astype(np.int64)

    @cached_property
    def cause(self) -> Array:
        """Why each deal ended, by its last end; 0 while open."""
        cause = np.zeros(self.n_deals, dtype=np.int8)
        cause[self.ends["deal"]] = self.ends["cause"]
        cause[~self.closed] = 0
        return cause

    @cached_property
    def cleaned(self) -> Array:
        """Whether a deal was closed in a clean-up."""
        cleaned: Array = self.cause == CLEANED_UP
        return cleaned

    @cached_property
    def owner(self) -> Array:
        """Rep who owns each deal now or did when it closed."""
        owner: Array = self.life.world.people.rep_at[self.facts["desk"], self.final_day]
        return owner

    @cached_property
    def handovers(self) -> Columns:
        """Deals that passed from one rep to the next: deal, day, old and new rep, by day."""
        people, desk = self.life.world.people, self.facts["desk"]
        order = np.argsort(desk, kind="stable")
        bounds = np.searchsorted(desk[order], np.arange(len(people.desk_from) + 1))
        parts: list[Columns] = []
        follows = np.flatnonzero(people.rep_from > people.desk_from[people.rep_desk])
        for rep in follows[people.rep_from[follows] <= self.clock.today]:
            day, mine = int(people.rep_from[rep]), people.rep_desk[rep]
            deals = order[bounds[mine] : bounds[mine + 1]]
            deals = deals[(self.facts["born"][deals] < day) & (self.final_day[deals] >= day)]
            n = len(deals)
            parts.append({"deal": deals, "day": np.full(n, day), "old": np.full(n, rep - 1), "new": np.full(n, rep)})
        if not parts:
            return {name: np.zeros(0, dtype=np.int64) for name in ("deal", "day", "old", "new")}
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return take(joined, np.lexsort((joined["deal"], joined["day"])))

    @cached_property
    def accounts(self) -> Accounts:
        """New deals bring their account; existing business goes to one that bought before, or from before the CRM."""
        rng, facts = self.rng(1), self.facts
        existing, born = facts["existing"], facts["born"]
        group = facts["segment"].astype(np.int64) * 10 + self.life.world.people.desk_region[facts["desk"]]
        owner_deal = np.where(existing, -1, np.arange(self.n_deals))
        for code in np.unique(group):
            bought = np.flatnonzero((group == code) & self.won & ~existing)
            bought = bought[np.argsort(self.final_day[bought], kind="stable")]
            asks = np.flatnonzero((group == code) & existing)
            known = np.searchsorted(self.final_day[bought], born[asks])
            at = (rng.random(len(asks)) * (known + 3)).astype(int)
            found = at < known
            owner_deal[asks[found]] = bought[at[found]]
        old = np.flatnonzero(owner_deal < 0)
        new = np.flatnonzero(~existing)
        number = np.zeros(self.n_deals, dtype=np.int64)
        number[new] = np.arange(len(new))
        of_deal = np.where(owner_deal >= 0, number[owner_deal], 0)
        of_deal[old] = len(new) + np.arange(len(old))
        since = np.concatenate([born[new], -rng.integers(30, 1200, len(old))])
        return Accounts(of_deal, since, np.concatenate([new, old]))
