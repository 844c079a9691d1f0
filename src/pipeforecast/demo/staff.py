"""Users, reporting lines, accounts and quotas as raw tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.demo.book import Book
from pipeforecast.demo.columns import Array
from pipeforecast.demo.names import emails, people_names
from pipeforecast.demo.text import choose, days, flags, pick, stamps, strings

INDUSTRIES = ("Software", "Manufacturing", "Retail", "Healthcare", "Finance", "Logistics", "Education")
MORNING = 6 * 3600


def users(book: Book) -> pd.DataFrame:
    """Reps hired so far, managers and the executive."""
    people, today = book.life.world.people, book.clock.today
    n_reps, n_managers = len(people.rep_desk), len(people.manager_bias)
    boss = n_reps + n_managers
    desk = people.rep_desk
    manager = n_reps + people.desk_manager[1][desk]
    lead = [int(np.argmax(people.desk_manager[0] == number)) for number in range(n_managers)]
    region = np.concatenate([people.desk_region[desk], people.desk_region[lead], [-1]])
    segment = np.concatenate([people.desk_segment[desk], people.desk_segment[lead], [-1]])
    start = np.concatenate([people.rep_from, np.zeros(n_managers + 1, dtype=np.int64)])
    names = people_names(boss + 1, np.random.default_rng([book.life.key[0], 77]))
    area = pd.Series(pick(book.rules.segments, segment)) + " " + pd.Series(pick(book.rules.regions, region))
    active = np.concatenate([people.rep_to > today, np.ones(n_managers + 1, dtype=bool)])
    table = pd.DataFrame(
        {
            "Id": book.user_ids,
            "Name": names,
            "Email": emails(names, "reps.example"),
            "ManagerId": choose(book.user_ids, np.concatenate([manager, np.full(n_managers, boss), [-1]])),
            "IsActive": flags(active),
            "Region__c": pick(book.rules.regions, region),
            "Team__c": area,
            "CreatedDate": stamps(book.clock.start, start, np.full(boss + 1, MORNING)),
        }
    )
    return table[start <= today].reset_index(drop=True)


def reporting_line(book: Book) -> pd.DataFrame:
    """Who reports to whom from which day: at hiring, and again at the reorganisation."""
    people, today = book.life.world.people, book.clock.today
    n_reps, n_managers = len(people.rep_desk), len(people.manager_bias)
    hired = np.flatnonzero(people.rep_from <= today)
    before, after = people.desk_manager[:, people.rep_desk]
    first = np.where(people.rep_from < people.reorganised, before, after)[hired]
    there = (people.rep_from < people.reorganised) & (people.rep_to > people.reorganised)
    moved = np.flatnonzero(there & (before != after))
    user = np.concatenate([hired, n_reps + np.arange(n_managers), moved])
    manager = np.concatenate([n_reps + first, np.full(n_managers, n_reps + n_managers), n_reps + after[moved]])
    since = np.concatenate(
        [people.rep_from[hired], np.zeros(n_managers, dtype=int), np.full(len(moved), people.reorganised)]
    )
    order = np.argsort(since, kind="stable")
    return pd.DataFrame(
        {
            "UserId": choose(book.user_ids, user[order]),
            "ManagerId": choose(book.user_ids, manager[order]),
            "ValidFrom": days(book.clock.start, since[order]),
        }
    )


def account_facts(book: Book) -> tuple[Array, Array]:
    """Industry code and number of employees by account."""
    rng, accounts = book.rng(5), book.accounts
    segment = book.facts["segment"][accounts.deal]
    n = len(segment)
    employees = np.array(book.rules.employees)[segment] * np.exp(0.6 * rng.standard_normal(n))
    return rng.integers(len(INDUSTRIES), size=n), np.maximum(1, employees).astype(np.int64)


def account_table(book: Book) -> pd.DataFrame:
    """Accounts; a customer is one that has bought."""
    accounts = book.accounts
    industry, employees = account_facts(book)
    n = len(accounts.born)
    bought = accounts.born < 0
    bought[accounts.of_deal[book.won]] = True
    second = np.full(n, MORNING)
    return pd.DataFrame(
        {
            "Id": book.account_ids,
            "Name": book.account_names,
            "Type": pick(("Prospect", "Customer"), bought),
            "Industry": pick(INDUSTRIES, industry),
            "NumberOfEmployees": employees,
            "CreatedDate": stamps(book.clock.start, accounts.born, second),
            "Region__c": pick(
                book.rules.regions, book.life.world.people.desk_region[book.facts["desk"][accounts.deal]]
            ),
            "Segment__c": pick(book.rules.segments, book.facts["segment"][accounts.deal]),
        }
    )


def desk_quotas(book: Book) -> Array:
    """Quota by quarter and desk, shape (n_quarters so far, n_desks); NaN while a desk is closed.

    A team's quota is what its desks won on average in the four quarters before, and a tenth more.
    """
    people, clock, rules = book.life.world.people, book.clock, book.rules
    n_quarters = int(clock.quarter[clock.today]) + 1
    close = book.rows["due"][book.last]
    quarter, money = clock.quarter[close[book.won]], book.rows["amount_shown"][book.last][book.won]
    segment = book.facts["segment"][book.won]
    quotas = np.full((n_quarters, len(people.desk_from)), np.nan)
    for code in range(len(rules.segments)):
        mine = people.desk_segment == code
        typical = rules.amount[code] * np.exp(rules.spread[code] ** 2 / 2) * 3
        earned = np.bincount(quarter[segment == code], money[segment == code], minlength=n_quarters)
        for number in range(n_quarters):
            open_desks = mine & (people.desk_from <= clock.quarter_start(number))
            past = earned[max(0, number - 4) : number]
            mean = past[past > 0].mean() / max(1, open_desks.sum()) if (past > 0).any() else typical
            quotas[number, open_desks] = max(1000.0, round(1.1 * mean, -3))
    return quotas


def quota_table(book: Book) -> pd.DataFrame:
    """Quota of each rep who holds a desk when the quarter starts."""
    people, clock = book.life.world.people, book.clock
    quotas = desk_quotas(book)
    quarter, desk = np.nonzero(~np.isnan(quotas))
    start = np.array([clock.quarter_start(number) for number in range(len(quotas))])[quarter]
    names = [clock.quarter_name(number) for number in range(len(quotas))]
    return pd.DataFrame(
        {
            "UserId": choose(book.user_ids, people.rep_at[desk, start]),
            "StartDate": days(clock.start, start),
            "Period": strings(names).take(quarter),
            "QuotaAmount": quotas[quarter, desk],
        }
    )
