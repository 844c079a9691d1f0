"""Each shipped mapping reads its CRM's own columns."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeforecast.demo import make_company
from pipeforecast.ingest import read_export


def days(values: pd.Series) -> list[str]:
    return values.dt.strftime("%Y-%m-%d").fillna("").tolist()


@pytest.fixture(scope="module")
def salesforce(tmp_path_factory, shipped):
    folder = tmp_path_factory.mktemp("salesforce")
    company = make_company(n_deals=1000, seed=3)
    company.write(folder)
    return folder, read_export(shipped("salesforce"), folder)


def test_salesforce_objects_of_the_demo_company(salesforce):
    folder, export = salesforce
    history = export.history
    raw = pd.read_csv(folder / "Opportunity.csv")
    log = pd.read_csv(folder / "OpportunityHistory.csv")
    assert len(history.deals) == len(raw) == export.tie["raw_count"].sum()
    assert round(export.tie["raw_amount"].sum(), 2) == round(raw["Amount"].sum(), 2)
    owners = pd.read_csv(folder / "OpportunityFieldHistory.csv")
    assert len(log) <= len(history.states) <= len(log) + len(owners)
    for name in ("stage", "amount", "expected_close", "probability", "forecast_category", "owner"):
        assert history.roles[name] == "tracked", name
    assert history.roles["segment"] == "birth"
    assert set(history.tables) == {
        "leads",
        "lead_changes",
        "touches",
        "calls",
        "quotas",
        "reporting_line",
        "people",
        "spend",
    }
    codes = {f.code for f in export.findings}
    assert not codes & {"LOG-DISAGREES-WITH-TODAY", "NO-LOG-ROWS", "LOOKUP-UNMATCHED", "LOG-ROWS-WITHOUT-DEAL"}
    assert history.deals["owner_name"].notna().all()
    assert not history.tables["leads"]["person_key"].str.contains("@").any()


def test_close_dates_are_expected_while_open_and_real_once_closed(salesforce):
    _, export = salesforce
    states = export.history.states
    is_open = states["status"] == "open"
    assert states.loc[is_open, "closed_at"].isna().all()
    assert states.loc[is_open, "expected_close"].notna().all()
    assert states.loc[~is_open, "closed_at"].notna().all()
    deals = export.history.deals
    assert deals.loc[deals["outcome"] != "open", "expected_close"].isna().all()
    latest = export.history.closed()
    assert (latest["closed_at"] == deals["closed_at"].loc[latest.index]).all()


def test_owners_go_back_to_their_first_before_the_first_change(salesforce):
    folder, export = salesforce
    changes = pd.read_csv(folder / "OpportunityFieldHistory.csv").drop_duplicates("OpportunityId")
    first = export.history.states.drop_duplicates("deal").set_index("deal")["owner"]
    first.index = export.history.deals["deal_id"].loc[first.index]
    assert first.loc[changes["OpportunityId"]].tolist() == changes["OldValue"].tolist()


def test_salesforce_without_its_history_still_reads(salesforce, shipped):
    folder, whole = salesforce
    export = read_export(shipped("salesforce"), [folder / "Opportunity.csv", folder / "OpportunityStage.csv"])
    assert "CHANGE-LOG-NOT-THERE" in {f.code for f in export.findings}
    assert not export.history.has_stage_history
    assert export.history.states["stage"].notna().sum() == len(export.history.deals)
    pd.testing.assert_frame_equal(export.tie, whole.tie)


def test_hubspot_with_property_history(read):
    export = read("hubspot", {
        "deals.csv": "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Deal owner,Close Date,Create Date\n"
                     "1,A,Closed Won,Sales Pipeline,500,Ann,2024-03-01 10:00,2024-01-01 09:00\n"
                     "2,B,qualifiedtobuy,Sales Pipeline,,Bob,2024-09-01 10:00,2024-01-02 09:00\n",
        "property_history.csv": "deal_id,name,timestamp,value\n"
                                "1,dealstage,2024-01-01T09:00:00Z,appointmentscheduled\n"
                                "1,closedate,2024-01-01T09:00:00Z,2024-02-01T00:00:00Z\n"
                                "1,dealstage,2024-03-01T10:00:00Z,closedwon\n"
                                "1,closedate,2024-03-01T10:00:00Z,2024-03-01T10:00:00Z\n"
                                "2,dealstage,2024-01-02T09:00:00Z,qualifiedtobuy\n",
    })  # fmt: skip
    states = export.history.states
    assert states["stage"].tolist() == ["appointmentscheduled", "closedwon", "qualifiedtobuy", "qualifiedtobuy"]
    assert states["status"].tolist() == ["open", "won", "open", "open"]
    assert days(states["expected_close"]) == ["2024-02-01", "2024-02-01", "2024-09-01", "2024-09-01"]
    assert days(states["closed_at"]) == ["", "2024-03-01", "", ""]
    assert states["owner"].fillna("?").tolist() == ["?", "Ann", "?", "Bob"]  # no log of owners: today's, from today


def test_hubspot_with_dates_of_entering_only(read):
    export = read("hubspot", {
        "deals.csv": "Record ID,Deal Stage,Amount,Close Date,Create Date,"
                     "Date entered 'Appointment Scheduled (Sales Pipeline)',"
                     "Date entered 'Contract Sent (Sales Pipeline)'\n"
                     "1,Closed Lost,500,2024-03-01,2024-01-01,2024-01-01,2024-02-10\n",
    })  # fmt: skip
    states = export.history.states
    assert states["stage"].tolist() == ["appointmentscheduled", "contractsent", "closedlost"]
    assert days(states["recorded_at"]) == ["2024-01-01", "2024-02-10", "2024-03-01"]
    assert export.history.has_stage_history


def test_pipedrive_with_change_log_and_names_for_ids(read):
    head = ["ID", "Deal created", "Won time", "Lost time", "Value", "Stage", "Status", "Owner", "Probability",
            "Expected close date"]  # fmt: skip
    export = read("pipedrive", {
        "deals.csv": ",".join(f"Deal - {h}" for h in head) + "\n"
                     "1,2024-01-01 08:00:00,2024-02-01 12:00:00,,900,Offer,Won,Ann,,2024-02-15\n"
                     "2,2024-01-05 08:00:00,,,100,Contact,Open,Bob,30,2024-05-01\n",
        "stages.csv": "id,name,order_nr\n11,Contact,1\n12,Offer,2\n",
        "users.csv": "id,name\n7,Ann\n8,Bob\n",
        "deal_changes.csv": "deal_id,change_time,changed_field_key,old_value,new_value\n"
                            "1,2024-02-01 12:00:00,status,open,won\n"  # newest first, as the API gives them
                            "1,2024-01-20 09:00:00,value,1000,900\n"
                            "1,2024-01-10 09:00:00,stage_id,11,12\n"
                            "1,2024-01-10 09:00:00,user_id,8,7\n",
    })  # fmt: skip
    first = export.history.states.query("deal == 0")
    assert first["stage"].tolist() == ["Contact", "Offer", "Offer", "Offer"]
    assert first["amount"].tolist() == [1000, 1000, 900, 900]
    assert first["owner"].tolist() == ["Bob", "Ann", "Ann", "Ann"]
    assert first["status"].tolist() == ["open", "open", "open", "won"]
    assert days(first["closed_at"]) == ["", "", "", "2024-02-01"]
    assert export.history.deals["probability"].tolist()[1] == 0.3


def test_sugarcrm_with_its_audit(read):
    export = read("sugarcrm", {
        "opportunities.csv": "id,name,amount,sales_stage,probability,date_closed,date_entered,date_modified,"
                             "commit_stage,opportunity_type,assigned_user_id,assigned_user_name\n"
                             "a,A,10,Closed Lost,0,2024-03-09,2024-01-01 10:00:00,2024-03-09 11:00:00,exclude,"
                             "New Business,u2,Uma\n"
                             "b,B,20,Qualification,20,2024-08-01,2024-01-02 10:00:00,2024-01-02 10:00:00,upside,"
                             "Existing Business,u1,Udo\n",
        "opportunities_audit.csv": "parent_id,date_created,field_name,before_value_string,after_value_string\n"
                                   "a,2024-02-01 09:00:00,assigned_user_id,u1,u2\n"
                                   "a,2024-03-09 11:00:00,sales_stage,Prospecting,Closed Lost\n"
                                   "a,2024-03-09 11:00:00,date_closed,2024-06-01,2024-03-09\n",
    })  # fmt: skip
    states = export.history.states.iloc[:4]  # then come the open deal's unlogged facts, on the last day
    assert states["stage"].tolist() == ["Prospecting", "Prospecting", "Closed Lost", "Qualification"]
    assert states["owner"].tolist() == ["u1", "u2", "u2", "u1"]
    assert days(states["expected_close"]) == ["2024-06-01", "2024-06-01", "2024-06-01", "2024-08-01"]
    assert days(states["closed_at"]) == ["", "", "2024-03-09", ""]
    assert export.history.deals["deal_type"].tolist() == ["new", "existing"]


def test_dynamics_by_number_and_by_label(read):
    head = "opportunityid,name,estimatedvalue,actualvalue,estimatedclosedate,actualclosedate,createdon,statecode,"
    head += "stepname\n"
    for states in (("1", "0", "2"), ("Won", "Open", "Lost")):
        export = read("dynamics", {
            "opportunities.csv": head + f"a,A,100,90,2024-02-01,2024-02-03,2024-01-01,{states[0]},4-Close\n"
                                 f"b,B,50,,2024-05-01,,2024-01-02,{states[1]},2-Develop\n"
                                 f"c,C,70,0,2024-02-01,2024-01-20,2024-01-03,{states[2]},1-Qualify\n",
        })  # fmt: skip
        assert export.history.deals["outcome"].tolist() == ["won", "open", "lost"]
        assert export.history.deals["amount"].tolist() == [90, 50, 70]
        assert export.history.roles["stage"] == "today"


def test_a_table_to_look_up_in_may_be_a_header_alone(read):
    export = read("salesforce", {
        "Opportunity.csv": "Id,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,OwnerId,AccountId\n"
                           "1,Closed Won,5,2018-12-19,2018-11-20,true,true,U1,A1\n",
        "User.csv": "Id,Name,Team__c,ManagerId\n",
        "Account.csv": "Id,Name,Industry,NumberOfEmployees\n",
    })  # fmt: skip
    assert export.history.deals[["owner_name", "team", "industry", "employees"]].isna().all(axis=None)
    assert {f.examples for f in export.findings if f.code == "LOOKUP-UNMATCHED"} >= {("User",), ("Account",)}


def test_salesforce_columns_under_other_spellings(read):
    export = read("salesforce", {
        "Opportunities.csv": "id,stage_name,amount,close_date,created_date,is_closed,is_won,Lead Source\n"
                             "1,Closed Won,5,2018-12-19 00:00:00,2018-12-20 19:51:13,true,true,Web\n",
    })  # fmt: skip
    assert export.history.deals["lead_source"].tolist() == ["Web"]
    assert "CLOSED-BEFORE-CREATED" in {f.code for f in export.findings}
