"""What reps write into the CRM about deals whose hidden state they only sense."""

from __future__ import annotations

import numpy as np

from pipeforecast.demo.clock import Clock
from pipeforecast.demo.columns import Array, Columns, Log, length, take
from pipeforecast.demo.engine import World
from pipeforecast.demo.rules import (
    BEST_CASE,
    CLOSED,
    COMMIT,
    LIVE,
    OMITTED,
    PIPELINE,
    SILENT,
    WON,
)

COPIED = ("deal", "stage", "amount_shown", "due", "probability", "category")
FORENOON, NOON, EVENING = (8 * 3600, 10 * 3600), (10 * 3600, 16 * 3600), (16 * 3600, 19 * 3600)


class Paperwork:
    """Keeps the recorded columns of open deals and logs one whole row at each change."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self.rules = world.mechanism.rules
        self.mechanism = world.mechanism
        self.clock: Clock = world.clock
        self.people = world.people
        self.cycle = np.array(self.rules.cycle)
        self.defaults = np.array([*self.rules.stage_probability, 100, 0])
        months = self.clock.dates.astype("datetime64[M]").astype(int)
        self.month_end = np.searchsorted(months, months, side="right") - 1
        self.quarter_end = np.searchsorted(self.clock.quarter, self.clock.quarter, side="right") - 1
        self.rng = rng

    def born(self, deals: Columns, day: int, log: Log) -> Columns:
        """Add the recorded columns of deals created on `day`, and log their first rows."""
        rng, n = self.rng, length(deals)
        stage = (rng.random(n) < 0.12).astype(np.int8)
        guess = deals["amount"] * np.exp(0.06 + 0.22 * rng.standard_normal(n))
        shown = np.where(rng.random(n) < 0.35, np.nan, np.round(guess, -2) + 0.0)
        wait = self.cycle[deals["segment"]] * self.rules.belief * np.exp(0.35 * rng.standard_normal(n))
        deals = {
            **deals,
            "stage": stage,
            "amount_shown": np.where(shown == 0, np.round(guess, 2), shown),
            "due": self._due(day, wait, 0.4),
            "probability": self.defaults[stage].astype(np.int8),
            "category": np.full(n, PIPELINE, dtype=np.int8),
            "blur": (0.07 * rng.standard_normal(n)).astype(np.float32),
        }
        self._write(log, deals, np.arange(n), day, FORENOON)
        return deals

    def day(self, deals: Columns, day: int, log: Log) -> None:
        """Let reps update the deals that they hold for open, in place."""
        rng = self.rng
        working = (deals["status"] == LIVE) | (deals["status"] == SILENT)
        rows = np.flatnonzero(working & (deals["born"] < day))
        if not len(rows):
            return
        mine = take({k: deals[k] for k in (*COPIED, "segment", "desk", "born", "status", "blur", "amount")}, rows)
        mine["live"] = mine["status"] == LIVE
        mine["age"] = day - mine["born"]
        mine["ready"] = self.mechanism.readiness(deals)[rows]
        signing = self.mechanism.signing(deals)[rows]
        before = {name: mine[name].copy() for name in COPIED}
        mine["seen"] = mine["ready"] + mine["blur"] + 0.06 * rng.standard_normal(len(rows), dtype=np.float32)
        moved = self._stage(mine, signing)
        self._close_date(mine, moved, day)
        self._amount(mine, moved)
        self._probability(mine, moved, day)
        self._touch(mine, day, log)
        changed = np.zeros(len(rows), dtype=bool)
        for name in COPIED[1:5]:
            changed |= (mine[name] != before[name]) & ~((mine[name] != mine[name]) & (before[name] != before[name]))
        mine["category"] = np.where(changed, mine["category"], before["category"])
        for name in COPIED[1:]:
            deals[name][rows] = mine[name]
        self._save(log, mine, before, moved, np.flatnonzero(changed), day)

    def closed(self, deals: Columns, booked: Array, day: int, log: Log) -> None:
        """Write the ends of deals: stage, true close day, final amount; in place."""
        won = deals["cause"][booked] == WON
        n_stages = len(self.rules.stages)
        deals["stage"][booked] = np.where(won, n_stages, n_stages + 1)
        deals["due"][booked] = deals["true_day"][booked]
        shown = deals["amount_shown"][booked]
        deals["amount_shown"][booked] = np.where(won, deals["amount"][booked], shown)
        deals["probability"][booked] = np.where(won, 100, 0)
        deals["category"][booked] = np.where(won, CLOSED, OMITTED)
        self._write(log, deals, booked, day, EVENING)

    def reopened(self, deals: Columns, back: Array, day: int, log: Log) -> None:
        """Write the return of lost deals, in place."""
        deals["stage"][back] = 1
        deals["due"][back] = self._due(day, self.cycle[deals["segment"][back]] * 0.6, 0.4)
        deals["probability"][back] = self.defaults[1]
        deals["category"][back] = PIPELINE
        self._write(log, deals, back, day, FORENOON)

    def _due(self, day: int, wait: Array, at_month_end: float) -> Array:
        """An expected close day, often put on the end of a month."""
        due = day + np.clip(wait, 3, 400).astype(np.int32)
        due = np.minimum(due, len(self.month_end) - 1)
        snapped = self.rng.random(len(due)) < at_month_end
        return np.where(snapped, self.month_end[due], due).astype(np.int32)

    def _stage(self, mine: Columns, signing: Array) -> Array:
        """Stages follow what the rep sees, late, sometimes skipping one or going back."""
        age = np.log1p(mine["age"] / self.cycle[mine["segment"]])
        seen = (mine["seen"] - 0.08 * age).astype(np.float32)
        due = np.searchsorted(np.array(self.rules.thresholds, dtype=np.float32), seen, side="right")
        due = np.where(signing, len(self.rules.stages) - 1, due)
        stage, luck = mine["stage"], self.rng.random(len(seen), dtype=np.float32)
        up = mine["live"] & (due > stage) & (luck < 0.4)
        down = mine["live"] & (due < stage - 1) & (luck > 0.97)
        target = np.where(luck < 0.1, due, stage + 1)
        mine["stage"] = np.where(up, target, np.where(down, stage - 1, stage)).astype(np.int8)
        return up | down

    def _close_date(self, mine: Columns, moved: Array, day: int) -> None:
        """Close dates are pushed when they pass, and thought over at a new stage or a quarter's end."""
        rng, n = self.rng, len(moved)
        luck = rng.random((2, n), dtype=np.float32)
        patience = np.where(mine["live"], 0.3, np.where(mine["age"] < 420, 0.12, 0.004))
        passing = (mine["due"] <= day + 2) & (luck[0] < patience)
        last = self.quarter_end[day]
        hopeless = (self.clock.left_in_quarter[day] <= 6) & (mine["due"] <= last) & (mine["seen"] < 0.7)
        slipping = hopeless & (luck[1] < 0.2) & mine["live"]
        rethought = moved & (luck[1] > 0.7)
        rows = np.flatnonzero(passing | slipping | rethought)
        if not len(rows):
            return
        left = np.clip(1.1 - mine["seen"][rows], 0.12, 1.1) * self.cycle[mine["segment"][rows]]
        optimism = 0.6 * np.exp(0.3 * rng.standard_normal(len(rows)))
        due = self._due(day, left * optimism, 0.35)
        pushed = passing[rows] | slipping[rows]
        floor = np.maximum(mine["due"][rows], np.where(slipping[rows], last, day)) + 5
        mine["due"][rows] = np.where(pushed, np.maximum(due, floor), due)

    def _amount(self, mine: Columns, moved: Array) -> None:
        """Amounts come late, settle as the deal does, and follow the haggling in the last stage."""
        luck = self.rng.random(len(moved), dtype=np.float32)
        shown, stage, exact = mine["amount_shown"], mine["stage"], np.round(mine["amount"], 2)
        missing = np.isnan(shown)
        fills = missing & (stage >= 1) & (luck < 0.04) | missing & (stage >= 3) & (luck < 0.3)
        settles = moved & (stage >= 3) & (luck > 0.5) & ~missing
        follows = mine["live"] & (stage == len(self.rules.stages) - 1) & (luck > 0.8) & ~missing
        rows = np.flatnonzero(fills | settles | follows)
        mine["amount_shown"][rows] = exact[rows]
        whim = np.flatnonzero((luck > 0.4) & (luck < 0.4015) & ~missing & mine["live"])
        mine["amount_shown"][whim] = np.round(shown[whim] * np.exp(0.2 * self.rng.standard_normal(len(whim))), 2)

    def _probability(self, mine: Columns, moved: Array, day: int) -> None:
        """The stage's default, which reps override by habit and by what they sense; then the call."""
        rng, n = self.rng, len(moved)
        luck = rng.random(n, dtype=np.float32)
        bias = self.people.rep_bias[self.people.rep_at[mine["desk"], day]]
        default = self.defaults[mine["stage"]]
        rows = np.flatnonzero(moved | (luck > 0.99) & mine["live"])
        own = luck[rows] < np.where(moved[rows], 0.35, 2.0)
        sense = default[rows] + 9 * bias[rows] + 22 * (mine["seen"][rows] - 0.45) + 5 * rng.standard_normal(len(rows))
        own_value = np.clip(5 * np.round(sense / 5), 5, 95)
        mine["probability"][rows] = np.where(own, own_value, default[rows]).astype(np.int8)
        mood = mine["probability"] + 5 * bias
        category = np.where(mood >= 75, COMMIT, np.where(mood >= 45, BEST_CASE, PIPELINE))
        given_up = (mine["age"] > 300) & ~mine["live"]
        mine["category"] = np.where(given_up, OMITTED, category).astype(np.int8)

    def _touch(self, mine: Columns, day: int, log: Log) -> None:
        """Tasks come as often as the buyer is keen, noisily; a silent buyer has none."""
        rate = np.array(self.rules.touches, dtype=np.float32)[mine["segment"]]
        rate = rate * np.exp(1.3 * (np.clip(mine["ready"], -1.5, 1.2) - 0.35)) * mine["live"]
        rows = np.flatnonzero(self.rng.random(len(rate), dtype=np.float32) < rate)
        kind = (self.rng.random(len(rows)) * 2 + 0.3 * mine["stage"][rows]).astype(np.int8)
        log.add("task", deal=mine["deal"][rows], day=np.full(len(rows), day, dtype=np.int16), kind=kind)

    def _save(self, log: Log, mine: Columns, before: Columns, moved: Array, changed: Array, day: int) -> None:
        """Log changed rows; a few are saved in two goes within one second, the stage first."""
        second = self.rng.integers(*NOON, len(changed)).astype(np.int32)
        twice = moved[changed] & (mine["due"] != before["due"])[changed] & (self.rng.random(len(changed)) < 0.4)
        first = take(before, changed[twice])
        first["stage"] = mine["stage"][changed[twice]]
        self._log(log, first, day, second[twice])
        self._log(log, take({k: mine[k] for k in COPIED}, changed), day, second)

    def _write(self, log: Log, deals: Columns, rows: Array, day: int, hours: tuple[int, int]) -> None:
        second = self.rng.integers(*hours, len(rows)).astype(np.int32)
        self._log(log, take({k: deals[k] for k in COPIED}, rows), day, second)

    @staticmethod
    def _log(log: Log, rows: Columns, day: int, second: Array) -> None:
        log.add("row", **rows, day=np.full(len(second), day, dtype=np.int16), second=second)
