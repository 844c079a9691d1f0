"""Leads, their status changes and campaign spend as raw tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeforecast.demo.book import MISSING_DAY, Book
from pipeforecast.demo.columns import Array, length
from pipeforecast.demo.engine import LEAD_MIX, LEAD_SOURCES
from pipeforecast.demo.leads import LEAD_SHARE, SOURCE_RATE, TITLES, Leads, half_years
from pipeforecast.demo.names import company_names, emails, people_names
from pipeforecast.demo.staff import INDUSTRIES
from pipeforecast.demo.text import (
    choose,
    days,
    flags,
    identifiers,
    pick,
    stamps,
    strings,
)

STATUSES = ("New", "Marketing Qualified", "Sales Ready", "Sales Qualified", "Converted", "Disqualified")
EVENTS = ("mql", "srl", "sql", "converted", "disqualified")
COUNTRIES = {"Americas": ("US", "CA", "BR"), "EMEA": ("DE", "GB", "FR"), "APAC": ("AU", "JP", "SG")}
COST_PER_LEAD = (40.0, 120.0, 90.0, 260.0, 25.0, 70.0)


def lead_table(book: Book, leads: Leads, ids: ExtensionArray, campaign_ids: list[str]) -> pd.DataFrame:
    """Leads as they are today."""
    columns, start, rng = leads.columns, book.clock.start, book.rng(9)
    n, people = length(columns), book.life.world.people
    names = people_names(n, rng)
    converted = columns["converted"] != MISSING_DAY
    own = pd.Series(company_names(n, rng))
    company = own.where(~converted, pd.Series(choose(book.account_names, columns["account"])))
    response = np.where(columns["response"] < 0, MISSING_DAY, columns["created"] + columns["response"] // 86400)
    owner = people.rep_at[columns["desk"], np.clip(columns["created"], 0, None)]
    country = people.desk_region[columns["desk"]] * 3 + rng.integers(3, size=n)
    labels = [name for region in book.rules.regions for name in COUNTRIES[region]]
    table = {
        "Id": ids,
        "Name": names,
        "Email": emails(names, "buyers.example"),
        "Company": company.array,
        "Status": pick(STATUSES, _status(columns)),
        "IsConverted": flags(converted),
        "ConvertedDate": days(start, columns["converted"]),
        "ConvertedOpportunityId": choose(book.deal_ids, columns["deal"]),
        "ConvertedAccountId": choose(book.account_ids, columns["account"]),
        "LeadSource": pick(LEAD_SOURCES, columns["source"]),
        "CampaignId": pick(campaign_ids, columns["campaign"]),
        "CreatedDate": stamps(start, columns["created"], columns["created_second"]),
        "OwnerId": choose(book.user_ids, owner),
        "Industry": pick(INDUSTRIES, columns["industry"]),
        "NumberOfEmployees": columns["employees"],
        "Title_Level__c": pick(TITLES, columns["title"]),
        "Country": pick(labels, country),
        "Pages_Viewed__c": columns["pages"],
        "Webinar_Attended__c": flags(columns["webinar"]),
        "Demo_Requested__c": flags(columns["demo"]),
    }
    for name in ("mql", "srl", "sql"):
        table[f"{name.upper()}_Date__c"] = days(start, columns[name])
    table["Disqualified_Date__c"] = days(start, columns["disqualified"])
    table["First_Response__c"] = stamps(start, response, columns["response"] % 86400)
    return pd.DataFrame(table)


def _status(columns: dict[str, Array]) -> Array:
    """Code of the last status reached."""
    status = np.zeros(length(columns), dtype=np.int8)
    for code, event in enumerate(EVENTS, start=1):
        status[columns[event] != MISSING_DAY] = code
    return status


def lead_history(book: Book, leads: Leads, ids: ExtensionArray) -> pd.DataFrame:
    """One row a change of status, in the order of writing."""
    columns, rng = leads.columns, book.rng(10)
    n = length(columns)
    status = np.zeros(n, dtype=np.int8)
    parts = []
    for code, event in enumerate(EVENTS, start=1):
        rows = np.flatnonzero(columns[event] != MISSING_DAY)
        second = 9 * 3600 + code * 7200 + rng.integers(0, 7200, len(rows))
        if event == "converted":
            second = book.rows["second"][book.first][columns["deal"][rows]]
        parts.append((rows, columns[event][rows], second, status[rows], np.full(len(rows), code)))
        status[rows] = code
    lead, day, second, old, new = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((second, day))
    return pd.DataFrame(
        {
            "LeadId": choose(ids, lead[order]),
            "Field": strings(["Status"]).take(np.zeros(len(order), dtype=int)),
            "OldValue": pick(STATUSES, old[order]),
            "NewValue": pick(STATUSES, new[order]),
            "CreatedDate": stamps(book.clock.start, day[order], second[order]),
        }
    )


def campaign_ids(book: Book) -> list[str]:
    """Ids of the campaigns, half-year by half-year and source by source; the same in all replicas."""
    halves = int(half_years(book)[-1]) + 1
    return list(identifiers("701", 7_000_000 + book.life.key[0], halves * len(LEAD_MIX)))


def campaign_spend(book: Book, ids: list[str]) -> pd.DataFrame:
    """What each campaign cost, booked on the first of each month."""
    clock, rng = book.clock, book.rng(11)
    months = clock.dates[: clock.today + 1].astype("datetime64[M]")
    first = np.flatnonzero(np.concatenate([[True], months[1:] != months[:-1]]))
    weight = np.add.reduceat(clock.arrivals[: clock.today + 1], first)
    deals = LEAD_SHARE * book.life.world.arrivals_per_weight * weight
    month, source = (
        grid.ravel() for grid in np.meshgrid(np.arange(len(first)), np.arange(len(LEAD_MIX)), indexing="ij")
    )
    leads = deals[month] * np.array(LEAD_MIX)[source] / SOURCE_RATE[source]
    amount = leads * np.array(COST_PER_LEAD)[source] * np.exp(0.2 * rng.standard_normal(len(leads)))
    half = half_years(book)[first[month]]
    year = pd.Series(days(clock.start, first[month])).str[:4]
    part = pd.Series(pick((" H1", " H2"), (clock.dates[first[month]].astype("datetime64[M]").astype(int) % 12) // 6))
    code = half * len(LEAD_MIX) + source
    return pd.DataFrame(
        {
            "Day": days(clock.start, first[month]),
            "LeadSource": pick(LEAD_SOURCES, source),
            "CampaignId": pick(ids, code),
            "CampaignName": (pd.Series(pick(LEAD_SOURCES, source)) + " " + year + part).array,
            "Amount": np.round(amount, 2),
        }
    )
