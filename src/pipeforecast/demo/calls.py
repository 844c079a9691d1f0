"""Forecast calls of reps, managers and the executive, made from what the CRM said on the day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.demo.book import Book
from pipeforecast.demo.columns import Array
from pipeforecast.demo.rules import BEST_CASE, COMMIT
from pipeforecast.demo.staff import desk_quotas
from pipeforecast.demo.text import choose, days, pick, stamps, strings

CALL_DAYS = (0, 30, 60)
CALLED = ("Commit", "Best Case")
LAYERS = ("rep", "manager", "executive")


def forecast_calls(book: Book) -> pd.DataFrame:
    """Two rows a person and call day: what they commit to for the quarter, and their best case."""
    clock, rng, quotas = book.clock, book.rng(7), desk_quotas(book)
    by_deal = np.argsort(book.rows["deal"], kind="stable")
    span = len(clock.dates) + 1
    keys = book.rows["deal"][by_deal].astype(np.int64) * span + book.rows["day"][by_deal]
    parts = []
    for quarter in range(len(quotas)):
        for offset in CALL_DAYS:
            day = clock.quarter_start(quarter) + offset
            if day <= clock.today:
                known = by_desk(book, by_deal, keys, quarter, day, span)
                people, amounts = _calls(book, known, quotas[quarter], quarter, day, rng)
                parts.append((people, amounts, np.full(len(people), day), np.full(len(people), quarter)))
    person, amount, made, period = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _table(book, person, amount, made, period)


def by_desk(book: Book, by_deal: Array, keys: Array, quarter: int, day: int, span: int) -> Array:
    """Won, commit and best-case money of the quarter as the CRM had it on an evening, shape (3, n_desks)."""
    clock, facts = book.clock, book.facts
    first, last = clock.quarter_start(quarter), clock.quarter_start(quarter + 1) - 1
    deals = np.flatnonzero((facts["born"] <= day) & (book.final_day >= first))
    at = by_deal[np.searchsorted(keys, deals.astype(np.int64) * span + day, side="right") - 1]
    rows = {name: values[at] for name, values in book.rows.items()}
    money = np.nan_to_num(rows["amount_shown"])
    n_stages, n_desks = len(book.rules.stages), len(book.life.world.people.desk_from)
    due = rows["due"] <= last
    won = (rows["stage"] == n_stages) & (rows["due"] >= first) & due
    parts = (won, (rows["category"] == COMMIT) & due, (rows["category"] == BEST_CASE) & due)
    desk = facts["desk"][deals]
    return np.stack([np.bincount(desk[part], money[part], minlength=n_desks) for part in parts])


def _calls(
    book: Book, known: Array, quota: Array, quarter: int, day: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """People and what they call, shapes (n_people,) and (n_people, 2): each layer corrects the one below."""
    people, clock = book.life.world.people, book.clock
    won, commit, best = known
    desks = np.flatnonzero(people.desk_from <= day)
    rep = people.rep_at[desks, day]
    first, after = clock.quarter_start(quarter), clock.quarter_start(quarter + 1)
    to_come = 0.35 * np.nan_to_num(quota) * (after - day) / (after - first)
    ears = np.exp(0.14 * people.rep_bias[rep] + 0.12 * rng.standard_normal(len(rep)))
    low = won[desks] + (0.8 * commit[desks] + 0.2 * best[desks] + to_come[desks]) * ears
    high = low + 0.45 * best[desks] * ears
    calls = np.stack([low, high], axis=1)
    manager = people.desk_manager[int(day >= people.reorganised), desks]
    n_managers = len(people.manager_bias)
    total = np.stack([np.bincount(manager, calls[:, part], minlength=n_managers) for part in (0, 1)], axis=1)
    sure = np.bincount(manager, won[desks], minlength=n_managers)[:, None]
    view = np.exp(-0.03 + 0.06 * people.manager_bias + 0.05 * rng.standard_normal(n_managers))[:, None]
    managed = sure + (total - sure) * view
    whole = sure.sum() + (managed.sum(axis=0, keepdims=True) - sure.sum()) * np.exp(0.04 * rng.standard_normal())
    n_reps = len(people.rep_desk)
    person = np.concatenate([rep, n_reps + np.arange(n_managers), [n_reps + n_managers]])
    return person, np.round(np.concatenate([calls, managed, whole]), 2)


def _table(book: Book, person: Array, amount: Array, made: Array, period: Array) -> pd.DataFrame:
    clock, n_reps = book.clock, len(book.life.world.people.rep_desk)
    boss = n_reps + len(book.life.world.people.manager_bias)
    layer = (person >= n_reps).astype(int) + (person == boss)
    twice = np.repeat(np.arange(len(person)), 2)
    n_quarters = int(period.max()) + 1
    starts = np.array([clock.quarter_start(number) for number in range(n_quarters)])
    names = strings([clock.quarter_name(number) for number in range(n_quarters)])
    return pd.DataFrame(
        {
            "CreatedDate": stamps(clock.start, made[twice], np.full(len(twice), 20 * 3600)),
            "UserId": choose(book.user_ids, person[twice]),
            "Layer": pick(LAYERS, layer[twice]),
            "Period": names.take(period[twice]),
            "StartDate": days(clock.start, starts[period[twice]]),
            "ForecastCategory": pick(CALLED, np.tile([0, 1], len(person))),
            "Amount": amount.ravel(),
        }
    )
