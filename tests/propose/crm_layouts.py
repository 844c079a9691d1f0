"""The demo company's deals and their log in the export columns of other CRMs, as their shipped mappings name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

STAGES = ("Discovery", "Qualification", "Demo", "Proposal", "Negotiation")


@dataclass(frozen=True)
class Layout:
    """A CRM's export: deals, the log of their changes if there is one, and what makes them of a company's tables."""

    crm: str
    deals: str
    log: str | None
    made: Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame | None]]


def _status(deals: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    closed, won = (deals[c].str.casefold().isin(["true", "1"]) for c in ("IsClosed", "IsWon"))
    return closed, won


def _named(stage: pd.Series, names: tuple[str, ...], won: str, lost: str) -> pd.Series:
    known = dict(zip(STAGES, names, strict=True)) | {"Closed Won": won, "Closed Lost": lost}
    return stage.map(known)


def _long(log: pd.DataFrame, columns: Mapping[str, str], heads: tuple[str, str, str, str]) -> pd.DataFrame:
    """Write a log of whole rows as one row for each field."""
    deal, at, field, value = heads
    long = log.rename(columns={**columns, "OpportunityId": deal, "CreatedDate": at})[[deal, at, *columns.values()]]
    out = long.melt([deal, at], var_name=field, value_name=value, ignore_index=False)
    return out.sort_index(kind="stable").reset_index(drop=True)


def hubspot(deals: pd.DataFrame, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    shown = ("Appointment Scheduled", "Qualified To Buy", "Presentation Scheduled", "Decision Maker Bought-In",
             "Contract Sent")  # fmt: skip
    inner = tuple(s.replace(" ", "").replace("-", "").casefold() for s in shown)
    out = pd.DataFrame({
        "Record ID": deals["Id"], "Deal Name": deals["Name"], "Create Date": deals["CreatedDate"],
        "Close Date": deals["CloseDate"], "Amount": deals["Amount"], "Deal owner": deals["OwnerId"],
        "Deal Stage": _named(deals["StageName"], shown, "Closed Won", "Closed Lost"),
    })  # fmt: skip
    written = log.assign(StageName=_named(log["StageName"], inner, "closedwon", "closedlost"))
    columns = {"StageName": "dealstage", "Amount": "amount", "CloseDate": "closedate"}
    return out, _long(written, columns, ("deal_id", "timestamp", "name", "value"))


def sugarcrm(deals: pd.DataFrame, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    names = ("Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Negotiation/Review")
    out = pd.DataFrame({
        "id": deals["Id"], "name": deals["Name"], "date_entered": deals["CreatedDate"], "deleted": "0",
        "date_closed": deals["CloseDate"], "amount": deals["Amount"], "assigned_user_id": deals["OwnerId"],
        "sales_stage": _named(deals["StageName"], names, "Closed Won", "Closed Lost"),
        "probability": deals["Probability"],
    })  # fmt: skip
    written = log.assign(StageName=_named(log["StageName"], names, "Closed Won", "Closed Lost"))
    columns = {"StageName": "sales_stage", "Amount": "amount", "CloseDate": "date_closed", "Probability": "probability"}
    long = _long(written, columns, ("parent_id", "date_created", "field_name", "after_value_string"))
    before = long.groupby(["parent_id", "field_name"], sort=False)["after_value_string"].shift().fillna("")
    return out, long.assign(before_value_string=before)


def pipedrive(deals: pd.DataFrame, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    closed, won = _status(deals)
    status = pd.Series("Open", index=deals.index).mask(closed, "Lost").mask(won, "Won")
    open_stage = log["StageName"].where(log["StageName"].isin(STAGES)).groupby(log["OpportunityId"]).last()
    stage = deals["StageName"].where(~closed, deals["Id"].map(open_stage).fillna(STAGES[0]))
    out = pd.DataFrame({
        "Deal - ID": deals["Id"], "Deal - Title": deals["Name"], "Deal - Deal created": deals["CreatedDate"],
        "Deal - Won time": deals["CloseDate"].where(won, ""), "Deal - Status": status, "Deal - Stage": stage,
        "Deal - Lost time": deals["CloseDate"].where(closed & ~won, ""), "Deal - Value": deals["Amount"],
        "Deal - Expected close date": deals["CloseDate"], "Deal - Owner": deals["OwnerId"],
        "Deal - Probability": deals["Probability"],
    })  # fmt: skip
    told = log["StageName"].map({"Closed Won": "won", "Closed Lost": "lost"}).fillna("open")
    written = log.assign(_status=told, StageName=log["StageName"].where(log["StageName"].isin(STAGES)))
    long = _long(
        written, {"_status": "status", "Amount": "value"}, ("deal_id", "change_time", "changed_field_key", "new_value")
    )
    before = long.groupby(["deal_id", "changed_field_key"], sort=False)["new_value"].shift().fillna("")
    return out, long.assign(old_value=before)


def dynamics(deals: pd.DataFrame, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    closed, won = _status(deals)
    steps = ("1-Qualify", "2-Develop", "2-Develop", "3-Propose", "4-Close")
    return pd.DataFrame({
        "opportunityid": deals["Id"], "name": deals["Name"], "createdon": deals["CreatedDate"],
        "actualclosedate": deals["CloseDate"].where(closed, ""), "estimatedclosedate": deals["CloseDate"],
        "actualvalue": deals["Amount"].where(won, ""), "estimatedvalue": deals["Amount"], "ownerid": deals["OwnerId"],
        "statecode": pd.Series("0", index=deals.index).mask(closed, "2").mask(won, "1"),
        "stepname": _named(deals["StageName"], steps, "4-Close", "4-Close"),
        "closeprobability": deals["Probability"],
    }), None  # fmt: skip


LAYOUTS = (
    Layout("hubspot", "deals", "deal_property_history", hubspot),
    Layout("sugarcrm", "opportunities", "opportunities_audit", sugarcrm),
    Layout("pipedrive", "deals", "deal_changes", pipedrive),
    Layout("dynamics", "opportunities", None, dynamics),
)
