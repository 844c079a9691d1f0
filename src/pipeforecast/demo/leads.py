"""Leads: those that became deals, those that never did, and those that would after today.

Features are drawn first and conversion is a logistic draw from them, so P(convert) given the features is
known. A better lead also makes a better deal: leads are matched to deals by the rank of their score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeforecast.demo.book import MISSING_DAY, Book
from pipeforecast.demo.columns import Array, Columns, length, stack, take
from pipeforecast.demo.engine import LEAD_MIX
from pipeforecast.demo.staff import INDUSTRIES, account_facts

TITLES = ("Staff", "Manager", "Director", "VP", "C-Level")
TITLE_MIX = (0.35, 0.28, 0.2, 0.11, 0.06)
TITLE_SCORE = (-0.6, 0.0, 0.25, 0.5, 0.7)
SOURCE_RATE = np.array([0.2, 0.15, 0.22, 0.18, 0.38, 0.3])
INTERCEPT = -1.75
LEAD_SHARE = 0.45
LOOK_AHEAD = 90
CAMPAIGN_SHARE = 0.7
CONVERTS, DISQUALIFIED, ROTS = 0, 1, 2


@dataclass(frozen=True)
class Leads:
    """Leads by order of creation.

    Attributes
    ----------
    columns : columns of shape (n_leads,)
        Features; `deal` (-1 for none yet); days of `created`, `mql`, `srl`, `sql`, `converted`,
        `disqualified` (missing where not reached by today); `campaign` code.
    score : float array of shape (n_leads,)
        Log-odds of conversion given the features of the person, within a source.
    """

    columns: Columns
    score: Array


def make_leads(book: Book) -> Leads:
    """Draw all leads created up to today."""
    rng, facts, today = book.rng(8), book.facts, book.clock.today
    deal = np.flatnonzero(facts["from_lead"])
    converted = {"deal": deal, "end": facts["born"][deal].astype(np.int64), "source": facts["source"][deal]}
    later = _later(book, rng)
    will = stack(converted, later)
    person = _persons(length(will), True, rng)
    quality = np.concatenate([facts["lead_quality"][deal], rng.standard_normal(length(later))])
    rank = np.argsort(np.argsort(quality))
    noisy = np.argsort(_score(person) + 0.6 * rng.standard_normal(length(person)))
    will |= take(person, noisy[rank])
    lag = np.clip(rng.gamma(1.5, 16.0, length(will)), 1, 200).astype(np.int64)
    start = (rng.random(length(will)) * will["end"]).astype(np.int64)
    created = np.where(lag > will["end"], start, will["end"] - lag)
    will["created"] = np.minimum(created, will["end"] - 1)
    will["reach"] = np.full(length(will), 3)
    will["fate"] = np.full(length(will), CONVERTS)
    will = take(will, will["created"] <= today)
    leads = stack(_firmographics(will, book, rng), _firmographics(_others(will, book, rng), book, rng))
    leads["created_second"] = rng.integers(6 * 3600, 8 * 3600, length(leads))
    leads = take(leads, np.lexsort((leads["created_second"], leads["created"])))
    _path(leads, today, rng)
    _campaign(leads, book, rng)
    return Leads(leads, _score(leads))


def _later(book: Book, rng: np.random.Generator) -> Columns:
    """Conversions after today, whose leads may be there already; without them recent leads would look bad."""
    clock = book.clock
    ahead = np.arange(clock.today + 1, clock.today + 1 + LOOK_AHEAD)
    rate = LEAD_SHARE * book.life.world.arrivals_per_weight * clock.arrivals[ahead]
    end = np.repeat(ahead, rng.poisson(rate)).astype(np.int64)
    source = rng.choice(len(LEAD_MIX), len(end), p=LEAD_MIX).astype(np.int8)
    return {"deal": np.full(len(end), -1), "end": end, "source": source}


def _persons(count: int, converts: bool, rng: np.random.Generator) -> Columns:
    """People whose features come with the given outcome, by rejection."""
    parts: Columns = {}
    while length(parts) < count:
        n = int(1.3 * count / (0.22 if converts else 0.78)) + 50
        person: Columns = {
            "title": rng.choice(len(TITLES), n, p=TITLE_MIX).astype(np.int8),
            "pages": rng.negative_binomial(2, 0.3, n),
            "webinar": rng.random(n) < 0.22,
            "demo": rng.random(n) < 0.16,
            "hours": np.exp(2.1 + 1.1 * rng.standard_normal(n)),
        }
        chance = 1 / (1 + np.exp(-_score(person)))
        parts = stack(parts, take(person, (rng.random(n) < chance) == converts))
    return take(parts, np.arange(count))


def _score(person: Columns) -> Array:
    score: Array = (
        INTERCEPT
        + np.array(TITLE_SCORE)[person["title"]]
        + 0.07 * np.minimum(person["pages"], 12)
        + 0.45 * person["webinar"]
        + 1.2 * person["demo"]
        - 0.2 * (np.log(person["hours"]) - 2.1)
    )
    return score


def _others(will: Columns, book: Book, rng: np.random.Generator) -> Columns:
    """Leads that never convert: more from the weak sources, over the same time."""
    counts = np.bincount(will["source"], minlength=len(SOURCE_RATE))
    never = np.round(counts * (1 - SOURCE_RATE) / SOURCE_RATE).astype(int)
    n = int(never.sum())
    created = rng.choice(will["created"], n) + rng.integers(-10, 11, n)
    created = np.clip(created, 0, book.clock.today)
    luck = rng.random(n)
    person = _persons(n, False, rng)
    reach = np.clip(np.round(0.8 + 0.5 * (_score(person) - INTERCEPT) + 0.8 * rng.standard_normal(n)), 0, 3)
    end = created + np.clip(rng.gamma(1.6, 18.0, n), 2, 300).astype(np.int64)
    return {
        "deal": np.full(n, -1),
        "end": end,
        "fate": np.where(luck < 0.85, DISQUALIFIED, ROTS),
        "source": rng.permutation(np.repeat(np.arange(len(never)), never)).astype(np.int8),
        **person,
        "created": created,
        "reach": reach.astype(np.int64),
    }


def _firmographics(leads: Columns, book: Book, rng: np.random.Generator) -> Columns:
    """Company facts: those of the account for deals, otherwise drawn, with more small companies."""
    n, rules, people = length(leads), book.rules, book.life.world.people
    industry, employees = account_facts(book)
    small = np.array(rules.mix) * np.array([1.15, 0.9, 0.8])
    segment = rng.choice(len(rules.mix), n, p=small / small.sum())
    own = np.maximum(1, np.array(rules.employees)[segment] * np.exp(0.6 * rng.standard_normal(n))).astype(np.int64)
    has = leads["deal"] >= 0
    account = book.accounts.of_deal[leads["deal"]]
    opened = np.argsort(people.desk_from, kind="stable")
    known = np.searchsorted(people.desk_from[opened], np.clip(leads["created"], 0, None), side="right")
    desk = opened[(rng.random(n) * known).astype(int)]
    desk = np.where(has, book.facts["desk"][leads["deal"]], desk)
    return {
        **leads,
        "industry": np.where(has, industry[account], rng.integers(len(INDUSTRIES), size=n)),
        "employees": np.where(has, employees[account], own),
        "account": np.where(has, account, -1),
        "desk": desk,
    }


def _path(leads: Columns, today: int, rng: np.random.Generator) -> None:
    """Days of the statuses; what lies after today is not there yet."""
    n = length(leads)
    end = leads["end"]
    span = np.maximum(end - leads["created"] - 1, 0)
    parts = np.sort(rng.random((3, n)) ** 1.5, axis=0)
    for step, name in enumerate(("mql", "srl", "sql")):
        day = leads["created"] + (span * parts[step]).astype(np.int64)
        leads[name] = np.where((leads["reach"] > step) & (day <= today), day, MISSING_DAY)
    leads["converted"] = np.where((leads["deal"] >= 0), end, MISSING_DAY)
    leads["disqualified"] = np.where((leads["fate"] == DISQUALIFIED) & (end <= today), end, MISSING_DAY)
    leads["response"] = leads["created_second"] + (leads["hours"] * 3600).astype(np.int64)
    answered = (rng.random(n) < 0.85) & (leads["created"] + leads["response"] // 86400 <= today)
    leads["response"] = np.where(answered, leads["response"], -1)


def _campaign(leads: Columns, book: Book, rng: np.random.Generator) -> None:
    """Half-yearly campaigns by source; not every lead is counted to one."""
    half = half_years(book)[np.clip(leads["created"], 0, None)]
    campaign = half * len(LEAD_MIX) + leads["source"]
    leads["campaign"] = np.where(rng.random(length(leads)) < CAMPAIGN_SHARE, campaign, -1)


def half_years(book: Book) -> Array:
    """Number of the half-year of each day since the start."""
    halves: Array = book.clock.quarter // 2
    return halves


def lead_tasks(leads: Leads, today: int, rng: np.random.Generator) -> Columns:
    """Calls and e-mails with leads: columns lead, day, kind."""
    columns = leads.columns
    count = rng.poisson(0.3 + 0.35 * columns["reach"])
    lead = np.repeat(np.arange(length(columns)), count)
    last = np.minimum(columns["end"], today)[lead]
    created = columns["created"][lead]
    day = created + (rng.random(len(lead)) * np.maximum(last - created, 0)).astype(np.int64)
    return {"lead": lead, "day": day, "kind": rng.integers(0, 2, len(lead))}
