from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pipeforecast.demo import Company
from pipeforecast.demo.rules import WON

IDS = {
    "Opportunity": ("Id", "006"), "OpportunityHistory": ("Id", "008"), "User": ("Id", "005"),
    "Account": ("Id", "001"), "Lead": ("Id", "00Q"), "Task": ("Id", "00T"),
}  # fmt: skip
KEYS = [
    ("Opportunity", "AccountId", "Account", "Id"),
    ("Opportunity", "OwnerId", "User", "Id"),
    ("Opportunity", "CampaignId", "CampaignSpend", "CampaignId"),
    ("Opportunity", "StageName", "OpportunityStage", "MasterLabel"),
    ("OpportunityHistory", "OpportunityId", "Opportunity", "Id"),
    ("OpportunityHistory", "StageName", "OpportunityStage", "MasterLabel"),
    ("OpportunityFieldHistory", "OpportunityId", "Opportunity", "Id"),
    ("OpportunityFieldHistory", "OldValue", "User", "Id"),
    ("OpportunityFieldHistory", "NewValue", "User", "Id"),
    ("ReportingLine", "UserId", "User", "Id"),
    ("ReportingLine", "ManagerId", "User", "Id"),
    ("User", "ManagerId", "User", "Id"),
    ("Lead", "OwnerId", "User", "Id"),
    ("Lead", "ConvertedOpportunityId", "Opportunity", "Id"),
    ("Lead", "ConvertedAccountId", "Account", "Id"),
    ("Lead", "CampaignId", "CampaignSpend", "CampaignId"),
    ("LeadHistory", "LeadId", "Lead", "Id"),
    ("Task", "WhoId", "Lead", "Id"),
    ("Task", "WhatId", "Opportunity", "Id"),
    ("Task", "AccountId", "Account", "Id"),
    ("Quota", "UserId", "User", "Id"),
    ("ForecastCall", "UserId", "User", "Id"),
]
EXPECTED_DATES = {("Opportunity", "CloseDate"), ("OpportunityHistory", "CloseDate")}


def _day(written: pd.Series) -> pd.Series:
    return pd.to_datetime(written.str[:10])


def test_ids_are_unique_and_of_salesforce_form(company: Company) -> None:
    for stem, (column, prefix) in IDS.items():
        ids = company.tables[stem][column]
        assert ids.is_unique
        assert ids.str.fullmatch(prefix + "[0-9A-Za-z]{12}[A-Z0-5]{3}").all(), stem
        assert ids.str[:15].is_unique


@pytest.mark.parametrize(("stem", "column", "other", "key"), KEYS)
def test_references_point_somewhere(company: Company, stem: str, column: str, other: str, key: str) -> None:
    assert company.tables[stem][column].dropna().isin(company.tables[other][key]).all()


def test_the_last_row_of_history_is_the_opportunity(company: Company) -> None:
    last = company.tables["OpportunityHistory"].groupby("OpportunityId", sort=False).tail(1).set_index("OpportunityId")
    now = company.tables["Opportunity"].set_index("Id")
    last = last.loc[now.index]
    for column in ("StageName", "Amount", "CloseDate", "Probability"):
        pd.testing.assert_series_equal(last[column], now[column], check_names=False)
    assert (last["ForecastCategory"] == now["ForecastCategoryName"]).all()


def test_the_first_row_of_history_is_the_creation(company: Company) -> None:
    first = company.tables["OpportunityHistory"].groupby("OpportunityId", sort=False).head(1)
    first = first.set_index("OpportunityId")["CreatedDate"]
    created = company.tables["Opportunity"].set_index("Id")["CreatedDate"]
    assert (first.loc[created.index] == created).all()


def test_history_is_in_the_order_of_writing_and_some_rows_share_a_second(company: Company) -> None:
    history = company.tables["OpportunityHistory"]
    assert history["CreatedDate"].is_monotonic_increasing
    assert history.duplicated(["OpportunityId", "CreatedDate"]).any()


def test_nothing_is_written_after_today(company: Company) -> None:
    today = pd.Timestamp(company.last_day)
    stages = company.tables["OpportunityStage"].set_index("MasterLabel")["IsClosed"]
    for stem, table in company.tables.items():
        for column in table.select_dtypes("str").columns:
            values = table[column].dropna()
            if not len(values) or not values.str.match(r"\d{4}-\d\d-\d\d").all():
                continue
            if (stem, column) in EXPECTED_DATES:
                values = values[table["StageName"].loc[values.index].map(stages) == "true"]
            assert _day(values).max() <= today, (stem, column)


def test_a_closed_deal_truly_closed_on_or_before_the_day_of_writing(company: Company) -> None:
    closed = company.tables["Opportunity"].query("IsClosed == 'true'")
    written, true = _day(closed["LastStageChangeDate"]), _day(closed["CloseDate"])
    assert (true <= written).all()
    assert (written - true).max() <= pd.Timedelta(days=9)
    assert 0.03 < (true < written).mean() < 0.09


def test_closings_agree_with_the_truth(company: Company) -> None:
    deals, opportunity = company.truth.deals, company.tables["Opportunity"]
    today = company.life.world.clock.today
    written = (deals["booked"] >= 0) & (deals["booked"] <= today)
    assert ((opportunity["IsClosed"] == "true").to_numpy() == written.to_numpy()).all()
    won = written & (deals["cause"] == WON)
    assert ((opportunity["IsWon"] == "true").to_numpy() == won.to_numpy()).all()
    np.testing.assert_allclose(opportunity.loc[won.to_numpy(), "Amount"], deals.loc[won, "amount"])
    true = (_day(opportunity["CloseDate"]) - pd.Timestamp(company.start)).dt.days
    assert (true[written.to_numpy()] == deals.loc[written, "ended"]).all()


def test_money_is_in_cents(company: Company) -> None:
    for stem, column in (("Opportunity", "Amount"), ("OpportunityHistory", "Amount"), ("ForecastCall", "Amount")):
        cents = company.tables[stem][column].dropna().to_numpy() * 100
        np.testing.assert_allclose(cents, np.round(cents), atol=1e-4)
        assert (cents >= 0).all()


def test_owner_changes_lead_to_todays_owner(company: Company) -> None:
    changes = company.tables["OpportunityFieldHistory"]
    assert len(changes)
    owner = company.tables["Opportunity"].set_index("Id")["OwnerId"]
    by_deal = changes.groupby("OpportunityId")
    last = by_deal["NewValue"].last()
    assert (owner.loc[last.index] == last).all()
    chained = by_deal["NewValue"].shift() == changes["OldValue"]
    assert (chained | (by_deal.cumcount() == 0)).all()


def test_what_real_crms_hold_is_there(company: Company) -> None:
    opportunity, history = company.tables["Opportunity"], company.tables["OpportunityHistory"]
    rank = company.tables["OpportunityStage"].set_index("MasterLabel")["SortOrder"]
    n_open = int((company.tables["OpportunityStage"]["IsClosed"] == "false").sum())
    stage = history["StageName"].map(rank)
    move = stage.groupby(history["OpportunityId"]).diff()
    was = stage - move
    assert ((move < 0) & (was <= n_open)).any(), "backward"
    assert ((move > 1) & (stage <= n_open)).any(), "skipped"
    assert ((was > n_open) & (stage <= n_open)).any(), "reopened"
    assert history["Amount"].isna().any()
    assert (opportunity["Type"] == "Existing Business").mean() > 0.1
    open_deals = opportunity[opportunity["IsClosed"] == "false"]
    assert (_day(open_deals["CloseDate"]) < pd.Timestamp(company.last_day)).any(), "past due"
    tasks = len(company.tables["Task"]) / company.n_deals
    assert 6 <= tasks <= 11


def test_existing_business_is_with_accounts_that_were_there(company: Company) -> None:
    opportunity = company.tables["Opportunity"].merge(
        company.tables["Account"], left_on="AccountId", right_on="Id", suffixes=("", "_account")
    )
    assert (_day(opportunity["CreatedDate_account"]) <= _day(opportunity["CreatedDate"])).all()
    existing = opportunity["Type"] == "Existing Business"
    assert (opportunity.loc[existing, "Type_account"] == "Customer").all()
    assert (opportunity["Segment__c"] == opportunity["Segment__c_account"]).all()


def test_seasons_growth_and_downturn_show(company: Company) -> None:
    deals, clock = company.truth.deals, company.life.world.clock
    born = clock.quarter[deals["born"]]
    count = np.bincount(born, minlength=21)[:20]
    assert count[16:].sum() > 1.3 * count[:4].sum()
    ended = deals[deals["ended"] >= 0]
    left = clock.left_in_quarter[ended["ended"]]
    won = (ended["cause"] == WON).to_numpy()
    if company.kind == "standard":
        assert (left[won] <= 3).mean() > 1.5 * (left[~won] <= 3).mean()


def test_lead_days_are_in_order(company: Company) -> None:
    lead = company.tables["Lead"]
    names = ["CreatedDate", "MQL_Date__c", "SRL_Date__c", "SQL_Date__c", "ConvertedDate"]
    days = [_day(lead[name]) for name in names]
    for earlier, later in pairwise(days):
        assert not (earlier > later).any()
    assert not (lead["ConvertedDate"].notna() & lead["Disqualified_Date__c"].notna()).any()
    assert (lead["First_Response__c"].dropna() >= lead.loc[lead["First_Response__c"].notna(), "CreatedDate"]).all()
    assert ((lead["IsConverted"] == "true") == lead["ConvertedOpportunityId"].notna()).all()


def test_the_history_of_a_lead_leads_to_its_status(company: Company) -> None:
    changes, lead = company.tables["LeadHistory"], company.tables["Lead"].set_index("Id")
    last = changes.groupby("LeadId")["NewValue"].last()
    assert (lead.loc[last.index, "Status"] == last).all()
    assert (lead.drop(last.index)["Status"] == "New").all()


def test_lead_log_odds_order_conversion(company: Company) -> None:
    lead, score = company.tables["Lead"], company.truth.lead_log_odds
    old = (_day(lead["CreatedDate"]) < pd.Timestamp(company.last_day) - pd.Timedelta(days=180)).to_numpy()
    converted = (lead["IsConverted"] == "true").to_numpy()[old]
    expected = 1 / (1 + np.exp(-score[old]))
    high = expected > np.quantile(expected, 0.8)
    assert converted[high].mean() > 2 * converted[~high].mean()
    assert abs(converted.mean() - expected.mean()) < 0.05


def test_layers_of_calls_add_up_roughly(company: Company) -> None:
    calls = company.tables["ForecastCall"].query("ForecastCategory == 'Commit'")
    sums = calls.pivot_table(index="CreatedDate", columns="Layer", values="Amount", aggfunc="sum")
    ratio = sums["executive"] / sums["rep"]
    assert ratio.between(0.6, 1.5).all()
    assert set(sums.columns) == {"rep", "manager", "executive"}


def test_nothing_hidden_is_exported(company: Company) -> None:
    hidden = {"intent", "fit", "champion", "usage", "keen", "lead_quality", "steps", "quoted"}
    for table in company.tables.values():
        assert not hidden & {column.lower() for column in table.columns}
