"""Public data sets that the mappings were made for; they are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from pipeforecast.errors import DataError
from pipeforecast.ingest import read_export

DATA = os.environ.get("PIPEFORECAST_REAL_DATA", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA, reason="PIPEFORECAST_REAL_DATA names no folder with hotel/, maven_crm/, layouts/"),
]


def test_hotel_bookings(shipped):
    export = read_export(shipped("hotel_bookings"), Path(DATA) / "hotel")
    history = export.history
    tie = export.tie.set_index("status")
    assert tie.loc["won", "raw_count"] == 75_166
    assert tie["used_count"].sum() == len(history.deals) == 119_390
    assert history.written_until == pd.Timestamp("2017-09-14")
    assert (history.deals["created_at"] <= history.deals["closed_at"]).all()
    stayed = history.deals["outcome"] == "won"
    assert (history.deals["expected_close"] == history.deals["closed_at"])[stayed].mean() > 0.99
    assert not {"assigned_room_type", "booking_changes", "required_car_parking_spaces"} & set(history.deals)


def test_maven(shipped):
    export = read_export(shipped("maven"), Path(DATA) / "maven_crm")
    history = export.history
    assert export.tie.set_index("status")["used_count"].to_dict() == {"lost": 2473, "open": 2089, "won": 4238}
    assert export.tie.set_index("status").loc["won", "raw_amount"] == 10_005_534
    assert {f.code: f.count for f in export.findings} == {"CREATED-DATE-MISSING": 500}
    assert history.deals["amount"].gt(0).all()  # a lost deal's zero would give the outcome away
    assert history.roles["account_id"] == "today"
    assert "GTXPro" not in set(history.deals["product"])


def test_warehouse_copy_of_salesforce(shipped):
    folder = Path(DATA) / "layouts" / "salesforce"
    mapping = shipped("salesforce").model_dump(by_alias=True, exclude_defaults=True)
    mapping["deals"] |= {"files": ["sf_opportunity_data"], "exclude": []}  # every row there is marked deleted
    mapping["history"]["wide"]["files"] = ["sf_opportunity_history_data"]
    mapping["history"]["wide"]["columns"]["deal_id"] = "id"
    with pytest.raises(DataError, match=r"crm\.stages"):
        read_export(type(shipped("salesforce")).model_validate(mapping), folder)
    mapping["stages"] = {}
    del mapping["history"]["wide"]
    export = read_export(type(shipped("salesforce")).model_validate(mapping), folder)
    codes = {f.code for f in export.findings}
    assert {"STAGES-INFERRED", "PROBABILITY-OUT-OF-RANGE"} <= codes
    assert export.tie["raw_count"].sum() == export.tie["used_count"].sum() + len(export.excluded)
