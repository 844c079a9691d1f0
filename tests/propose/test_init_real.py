"""Public data sets: what ``init`` proposes for them passes ``check``."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from pipeforecast.cli import main
from pipeforecast.propose import propose

DATA = os.environ.get("PIPEFORECAST_REAL_DATA", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA, reason="PIPEFORECAST_REAL_DATA names no folder with hotel/, maven_crm/, bank/"),
]


@pytest.mark.parametrize(
    ("folder", "base", "reads"),
    [("maven_crm", "maven", "8,800 deals"), ("hotel", "hotel_bookings", "119,390 deals"),
     ("bank", "bank_marketing", "45,211 leads")],
)  # fmt: skip
def test_init_leads_to_a_working_check(folder, base, reads, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", f"source={DATA}/{folder}", "name=ours"]) == 0
    assert f"crm={base} fits" in capsys.readouterr().out
    assert main(["check", "crm=ours", f"source={DATA}/{folder}", "out=checked"]) == 0
    assert reads in capsys.readouterr().out


def test_maven_under_headings_that_no_mapping_has(tmp_path):
    """The pipeline alone, renamed: nothing ships for it, and won, lost and open are still told."""
    raw = pd.read_csv(Path(DATA) / "maven_crm" / "sales_pipeline.csv", dtype=str, keep_default_na=False)
    names = {"opportunity_id": "Deal number", "sales_agent": "Sales rep", "product": "Product", "account": "Customer",
             "deal_stage": "Sales stage", "engage_date": "Date created", "close_date": "Date closed",
             "close_value": "Deal value"}  # fmt: skip
    raw.rename(columns=names).to_csv(tmp_path / "export.csv", index=False, sep=";")
    made = propose(tmp_path / "export.csv", "ours", {})
    assert made.base is None
    assert made.export is not None, made.stopped
    counts = made.export.history.deals["outcome"].value_counts().to_dict()
    assert counts == {"won": 4238, "lost": 2473, "open": 2089}
