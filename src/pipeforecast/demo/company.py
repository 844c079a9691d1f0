"""A made-up company: raw exports in Salesforce's layout, and the truth behind them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeforecast.demo.book import Book
from pipeforecast.demo.calls import forecast_calls
from pipeforecast.demo.exports import (
    opportunity,
    opportunity_field_history,
    opportunity_history,
    opportunity_stage,
    tasks,
)
from pipeforecast.demo.lead_exports import campaign_ids, campaign_spend, lead_history, lead_table
from pipeforecast.demo.leads import Leads, lead_tasks, make_leads
from pipeforecast.demo.life import Life, make_world, run
from pipeforecast.demo.other import Other
from pipeforecast.demo.rules import Mechanism
from pipeforecast.demo.staff import account_table, quota_table, reporting_line, users
from pipeforecast.demo.standard import Standard
from pipeforecast.demo.text import identifiers
from pipeforecast.demo.truth import Truth, truth_of
from pipeforecast.errors import SettingsError

KINDS: dict[str, type[Mechanism]] = {"standard": Standard, "other": Other}
FEWEST_DEALS, MOST_DEALS = 300, 1_000_000
LAST_DAY = date(2025, 2, 14)
QUARTERS = 20


@dataclass(frozen=True, eq=False)
class Company:
    """A made-up company.

    Attributes
    ----------
    kind : str
        ``standard`` or ``other``: the mechanism.
    n_deals : int
        Deals created from `start` to `last_day`.
    seed : int
        Seed of the deals.
    world_seed : int
        Seed of what replicas share: people, shocks and rules.
    start, last_day : date
        First day, and the day whose evening is "today"; nothing is written after it.
    quarters : int
        Whole quarters before the one of `last_day`.
    tables : dict of DataFrame
        Raw tables by the stem of their file, exactly as `write` writes them. Dates and moments are strings.
    truth : Truth
        What no export tells.
    life : Life
        The hidden life, from which `fork` starts.
    """

    kind: str
    n_deals: int
    seed: int
    world_seed: int
    start: date
    last_day: date
    quarters: int
    tables: dict[str, pd.DataFrame] = field(repr=False)
    truth: Truth = field(repr=False)
    life: Life = field(repr=False)

    def write(self, folder: str | Path) -> list[Path]:
        """Write every raw table as a CSV file.

        Each file is written beside its place and then renamed, so no file is ever half-written.

        Parameters
        ----------
        folder : path
            Made if it is not there. Files of the same name are replaced.

        Returns
        -------
        list of Path
            The files, such as ``Opportunity.csv``.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return [_write_csv(table, folder / f"{stem}.csv") for stem, table in self.tables.items()]


def make_company(
    kind: str = "standard",
    *,
    n_deals: int = 5000,
    seed: int = 7,
    quarters: int = QUARTERS,
    last_day: date = LAST_DAY,
) -> Company:
    """Make a company up.

    Parameters
    ----------
    kind : {"standard", "other"}
        Two mechanisms that share the raw layout and nothing else.
    n_deals : int
        From 300 to 1,000,000 deals in all.
    seed : int
        The same seed gives the same company to the byte.
    quarters : int
        Whole quarters before the one of `last_day`, from 4 to 40.
    last_day : date
        "Today": the last day on which anything is written.

    Returns
    -------
    Company

    Raises
    ------
    SettingsError
        When an argument is outside its range.

    Examples
    --------
    >>> company = make_company(n_deals=300)
    >>> len(company.tables["Opportunity"])
    300
    """
    return _make(kind, n_deals, seed, seed, quarters, last_day)


def replicate(company: Company, *, seed: int) -> Company:
    """Another company with the same people, shocks and rules, but other deals.

    Parameters
    ----------
    company : Company
    seed : int
        Seed of the new deals; the company's own seed gives the company again.

    Returns
    -------
    Company
        User and campaign ids are the same; ids of deals, accounts and leads are not.
    """
    return _make(company.kind, company.n_deals, company.world_seed, seed, company.quarters, company.last_day)


def _make(kind: str, n_deals: int, world_seed: int, seed: int, quarters: int, last_day: date) -> Company:
    if kind not in KINDS:
        raise SettingsError(f"kind of company: expected one of {', '.join(KINDS)}, got {kind!r}")
    if not FEWEST_DEALS <= n_deals <= MOST_DEALS:
        raise SettingsError(f"n_deals: expected {FEWEST_DEALS} to {MOST_DEALS}, got {n_deals}")
    if seed < 0 or world_seed < 0:
        raise SettingsError(f"seed: expected 0 or more, got {min(seed, world_seed)}")
    if not 4 <= quarters <= 40:
        raise SettingsError(f"quarters: expected 4 to 40, got {quarters}")
    world = make_world(KINDS[kind](), n_deals, world_seed, quarters, last_day)
    life = run(world, n_deals, (world_seed, seed))
    book = Book(life, instance_of(kind, world_seed, seed))
    leads = make_leads(book)
    return Company(
        kind=kind,
        n_deals=n_deals,
        seed=seed,
        world_seed=world_seed,
        start=world.clock.start,
        last_day=last_day,
        quarters=quarters,
        tables=_tables(book, leads),
        truth=truth_of(book, leads),
        life=life,
    )


def instance_of(kind: str, world_seed: int, seed: int) -> int:
    """Number that keeps the ids of companies apart."""
    return int(np.random.SeedSequence([len(kind), world_seed, seed]).generate_state(1)[0])


def _tables(book: Book, leads: Leads) -> dict[str, pd.DataFrame]:
    """All raw tables."""
    ids = campaign_ids(book)
    lead_ids = identifiers("00Q", book.instance, len(leads.score))
    campaign = np.full(book.n_deals, -1)
    has = leads.columns["deal"] >= 0
    campaign[leads.columns["deal"][has]] = leads.columns["campaign"][has]
    touched = lead_tasks(leads, book.clock.today, book.rng(12))
    return {
        "Opportunity": opportunity(book, campaign, ids),
        "OpportunityHistory": opportunity_history(book),
        "OpportunityFieldHistory": opportunity_field_history(book),
        "OpportunityStage": opportunity_stage(book),
        "User": users(book),
        "ReportingLine": reporting_line(book),
        "Account": account_table(book),
        "Lead": lead_table(book, leads, lead_ids, ids),
        "LeadHistory": lead_history(book, leads, lead_ids),
        "Task": tasks(book, touched, lead_ids),
        "Quota": quota_table(book),
        "ForecastCall": forecast_calls(book),
        "CampaignSpend": campaign_spend(book, ids),
    }


def _write_csv(table: pd.DataFrame, path: Path) -> Path:
    beside = path.with_name(f".{path.name}.part")
    try:
        table.to_csv(beside, index=False, float_format="%.2f", lineterminator="\n", encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return path
