"""Files that a CRM's own import takes: scores by the lead's id, in columns that it would call so."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

#: Column of ``leads.csv`` to the field of each tool. Custom fields have to be made there once, under these names.
PAYLOADS: Mapping[str, Mapping[str, str]] = {
    "salesforce": {
        "lead_id": "Id", "p_convert": "Lead_Probability__c", "points": "Lead_Points__c", "grade": "Lead_Grade__c",
        "hand_over": "Lead_Hand_Over__c", "reason_1": "Lead_Reason_1__c", "reason_2": "Lead_Reason_2__c",
        "reason_3": "Lead_Reason_3__c", "as_of": "Lead_Scored_On__c", "model_version": "Lead_Model__c",
    },
    "hubspot": {
        "lead_id": "Record ID", "p_convert": "lead_probability", "points": "lead_points", "grade": "lead_grade",
        "hand_over": "lead_hand_over", "reason_1": "lead_reason_1", "reason_2": "lead_reason_2",
        "reason_3": "lead_reason_3", "as_of": "lead_scored_on", "model_version": "lead_model",
    },
    "dynamics": {
        "lead_id": "leadid", "p_convert": "new_leadprobability", "points": "new_leadpoints", "grade": "new_leadgrade",
        "hand_over": "new_leadhandover", "reason_1": "new_leadreason1", "reason_2": "new_leadreason2",
        "reason_3": "new_leadreason3", "as_of": "new_leadscoredon", "model_version": "new_leadmodel",
    },
}  # fmt: skip
#: HubSpot and Dynamics read yes and no in their own words.
_FLAGS = {"salesforce": ("TRUE", "FALSE"), "hubspot": ("true", "false"), "dynamics": ("Yes", "No")}


def payload(leads: pd.DataFrame, tool: str) -> pd.DataFrame:
    """Give the rows of ``leads.csv`` as a tool's import file has them.

    Parameters
    ----------
    leads : DataFrame
        Columns of ``leads.csv``.
    tool : 'salesforce', 'hubspot' or 'dynamics'
    """
    yes, no = _FLAGS[tool]
    hand = leads["hand_over"].astype("boolean").map({True: yes, False: no})
    fields = PAYLOADS[tool]
    return leads.assign(hand_over=hand)[list(fields)].rename(columns=dict(fields))
