"""Deals in Salesforce's data-export layout: opportunities, their histories, stages and tasks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.demo.book import MISSING_DAY, Book
from pipeforecast.demo.columns import Array
from pipeforecast.demo.engine import SOURCES
from pipeforecast.demo.rules import CATEGORIES, COMPETITOR, FADED
from pipeforecast.demo.text import choose, days, flags, identifiers, pick, stamps, strings

REASONS = ("No Decision", "Price", "No Budget", "Competitor", "Unresponsive")
NEXT_STEPS = ("Send proposal", "Schedule demo", "Call decision maker", "Await legal review", "Follow up")
TASK_TYPES = ("Email", "Call", "Meeting")
HANDOVER_SECOND = 7 * 3600 + 1800


def opportunity(book: Book, campaign: Array, campaign_ids: list[str]) -> pd.DataFrame:
    """Today's opportunities; `campaign` is a code by deal, negative for none."""
    rows, facts, start, rng = book.rows, book.facts, book.clock.start, book.rng(2)
    at, rules, n = book.last, book.rules, book.n_deals
    regions = book.life.world.people.desk_region[facts["desk"]]
    names = pd.Series(choose(book.account_names, book.accounts.of_deal))
    product = pick(rules.products, facts["product"])
    step = np.where(~book.closed & (rng.random(n) < 0.6), rng.integers(len(NEXT_STEPS), size=n), -1)
    return pd.DataFrame(
        {
            "Id": book.deal_ids,
            "IsDeleted": flags(np.zeros(n, dtype=int)),
            "AccountId": choose(book.account_ids, book.accounts.of_deal),
            "Name": (names + " - " + pd.Series(product)).array,
            "StageName": pick(stage_labels(book), book.stage),
            "Amount": rows["amount_shown"][at],
            "Probability": rows["probability"][at],
            "CloseDate": days(start, rows["due"][at]),
            "Type": pick(("New Business", "Existing Business"), facts["existing"]),
            "NextStep": pick(NEXT_STEPS, step),
            "LeadSource": pick(SOURCES, facts["source"]),
            "IsClosed": flags(book.closed),
            "IsWon": flags(book.won),
            "ForecastCategoryName": pick(CATEGORIES, rows["category"][at]),
            "CampaignId": pick(campaign_ids, campaign),
            "OwnerId": choose(book.user_ids, book.owner),
            "CreatedDate": stamps(start, rows["day"][book.first], rows["second"][book.first]),
            "LastModifiedDate": _last_modified(book),
            "LastActivityDate": days(start, _last_activity(book)),
            "LastStageChangeDate": stamps(start, rows["day"][book.stage_row], rows["second"][book.stage_row]),
            "Loss_Reason__c": pick(REASONS, _reason(book, rng)),
            "Segment__c": pick(rules.segments, facts["segment"]),
            "Region__c": pick(rules.regions, regions),
            "Product__c": product,
        }
    )


def stage_labels(book: Book) -> list[str]:
    """Open stages, then won, then lost."""
    return [*book.rules.stages, book.rules.won_label, book.rules.lost_label]


def _last_modified(book: Book) -> pd.api.extensions.ExtensionArray:
    day = book.rows["day"][book.last].astype(np.int64)
    second = book.rows["second"][book.last].astype(np.int64)
    moved = np.full(book.n_deals, MISSING_DAY, dtype=np.int64)
    moved[book.handovers["deal"]] = book.handovers["day"]
    later = moved > day
    return stamps(book.clock.start, np.where(later, moved, day), np.where(later, HANDOVER_SECOND, second))


def _last_activity(book: Book) -> Array:
    last = np.full(book.n_deals, MISSING_DAY, dtype=np.int64)
    if book.tasks:
        last[book.tasks["deal"]] = book.tasks["day"]
    return last


def _reason(book: Book, rng: np.random.Generator) -> Array:
    """Codes of loss reasons, negative where none was given."""
    luck = rng.random(book.n_deals)
    reason = np.where(book.cause == FADED, (luck * 3).astype(int), -1)
    reason = np.where(book.cause == COMPETITOR, np.where(luck < 0.8, 3, 1), reason)
    reason = np.where(book.cleaned, 4, reason)
    return np.where(rng.random(book.n_deals) < 0.15, -1, reason)


def opportunity_history(book: Book) -> pd.DataFrame:
    """One whole row at creation and at each change, in the order of writing."""
    rows = book.rows
    return pd.DataFrame(
        {
            "Id": identifiers("008", book.instance, len(rows["deal"])),
            "OpportunityId": choose(book.deal_ids, rows["deal"]),
            "CreatedDate": stamps(book.clock.start, rows["day"], rows["second"]),
            "StageName": pick(stage_labels(book), rows["stage"]),
            "Amount": rows["amount_shown"],
            "ExpectedRevenue": np.round(rows["amount_shown"] * rows["probability"] / 100, 2),
            "CloseDate": days(book.clock.start, rows["due"]),
            "Probability": rows["probability"],
            "ForecastCategory": pick(CATEGORIES, rows["category"]),
        }
    )


def opportunity_field_history(book: Book) -> pd.DataFrame:
    """Changes of owner."""
    moves = book.handovers
    n = len(moves["deal"])
    return pd.DataFrame(
        {
            "OpportunityId": choose(book.deal_ids, moves["deal"]),
            "Field": strings(["Owner"] * n),
            "OldValue": choose(book.user_ids, moves["old"]),
            "NewValue": choose(book.user_ids, moves["new"]),
            "CreatedDate": stamps(book.clock.start, moves["day"], np.full(n, HANDOVER_SECOND)),
        }
    )


def opportunity_stage(book: Book) -> pd.DataFrame:
    """The list of stages."""
    rules, n = book.rules, len(book.rules.stages)
    kinds = np.arange(n + 2)
    probability = np.array([*rules.stage_probability, 100, 0])
    category = np.where(probability >= 75, 2, np.where(probability >= 45, 1, 0))
    category[n:] = [4, 3]
    return pd.DataFrame(
        {
            "MasterLabel": strings(stage_labels(book)),
            "SortOrder": kinds + 1,
            "IsActive": flags(np.ones(n + 2, dtype=int)),
            "IsClosed": flags(kinds >= n),
            "IsWon": flags(kinds == n),
            "DefaultProbability": probability,
            "ForecastCategoryName": pick(CATEGORIES, category),
        }
    )


def tasks(book: Book, lead_tasks: dict[str, Array], lead_ids: pd.api.extensions.ExtensionArray) -> pd.DataFrame:
    """Activities with leads and within deals, by day."""
    start, own = book.clock.start, book.tasks
    n_leads, n_deals = len(lead_tasks["lead"]), len(own["deal"])
    none = np.full(n_leads, -1)
    lead = np.concatenate([lead_tasks["lead"], np.full(n_deals, -1)])
    deal = np.concatenate([none, own["deal"]])
    account = np.concatenate([none, book.accounts.of_deal[own["deal"]]])
    day = np.concatenate([lead_tasks["day"], own["day"]])
    kind = np.clip(np.concatenate([lead_tasks["kind"], own["kind"]]), 0, 2)
    order = np.argsort(day, kind="stable")
    second = book.rng(4).integers(8 * 3600, 19 * 3600, len(order))
    return pd.DataFrame(
        {
            "Id": identifiers("00T", book.instance, len(order)),
            "WhoId": choose(lead_ids, lead[order]),
            "WhatId": choose(book.deal_ids, deal[order]),
            "AccountId": choose(book.account_ids, account[order]),
            "ActivityDate": days(start, day[order]),
            "CreatedDate": stamps(start, day[order], second),
            "Type": pick(TASK_TYPES, kind[order]),
            "Status": strings(["Completed"]).take(np.zeros(len(order), dtype=int)),
        }
    )
