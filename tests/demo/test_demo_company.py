from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pipeforecast.demo as demo
from pipeforecast.demo import Company, make_company, replicate
from pipeforecast.errors import SettingsError

STEMS = {
    "Opportunity", "OpportunityHistory", "OpportunityFieldHistory", "OpportunityStage", "User", "ReportingLine",
    "Account", "Lead", "LeadHistory", "Task", "Quota", "ForecastCall", "CampaignSpend",
}  # fmt: skip


def test_public_names_are_these() -> None:
    assert set(demo.__all__) == {
        "Company", "Difficulty", "Forks", "Truth", "fork", "make_company", "measure", "replicate",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["standard", "other"])
def test_same_seed_same_bytes(kind: str, tmp_path: Path) -> None:
    first = make_company(kind, n_deals=300, seed=3).write(tmp_path / "first")
    second = make_company(kind, n_deals=300, seed=3).write(tmp_path / "second")
    assert {path.stem for path in first} == STEMS
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_another_seed_is_another_company() -> None:
    first, second = make_company(n_deals=300, seed=1), make_company(n_deals=300, seed=2)
    assert not set(first.tables["Opportunity"]["Id"]) & set(second.tables["Opportunity"]["Id"])
    assert not np.array_equal(first.truth.quarters["winning_shock"], second.truth.quarters["winning_shock"])


@pytest.mark.parametrize(("kind", "n_deals"), [("standard", 300), ("other", 300), ("standard", 20_000)])
def test_sizes(kind: str, n_deals: int) -> None:
    company = make_company(kind, n_deals=n_deals, seed=5)
    assert len(company.tables["Opportunity"]) == n_deals
    assert (company.tables["Opportunity"]["IsClosed"] == "false").any()


@pytest.mark.parametrize("quarters", [4, 9])
def test_other_calendars(quarters: int) -> None:
    company = make_company(n_deals=300, quarters=quarters, last_day=date(2023, 8, 20))
    assert company.start.month in (1, 4, 7, 10)
    assert company.start.day == 1
    assert round((date(2023, 7, 1) - company.start).days / 91.31) == quarters
    assert company.tables["Task"]["CreatedDate"].max() < "2023-08-21"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "third"}, "standard, other"),
        ({"n_deals": 299}, "299"),
        ({"n_deals": 1_000_001}, "1000001"),
        ({"seed": -1}, "-1"),
        ({"quarters": 3}, "4 to 40"),
    ],
)
def test_refuses_what_it_cannot_make(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make_company(**settings)  # type: ignore[arg-type]


def test_written_files_hold_the_tables(company: Company, tmp_path: Path) -> None:
    for path in company.write(tmp_path):
        back = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=str)
        table = company.tables[path.stem]
        assert list(back.columns) == list(table.columns)
        assert len(back) == len(table)
        assert (back.isna().to_numpy() == table.isna().to_numpy()).all()


def test_a_file_is_whole_or_not_there(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company.write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(table: pd.DataFrame, target: Path, **_: object) -> None:
        Path(target).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(OSError, match="disk full"):
        company.write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_replicas_share_people_and_shocks_but_no_deals(company: Company) -> None:
    other = replicate(company, seed=99)
    pd.testing.assert_frame_equal(company.truth.quarters, other.truth.quarters)
    pd.testing.assert_frame_equal(company.truth.reps, other.truth.reps)
    for stem in ("User", "ReportingLine", "OpportunityStage"):
        pd.testing.assert_frame_equal(company.tables[stem], other.tables[stem])
    for stem in ("Opportunity", "Account", "Lead"):
        assert not set(company.tables[stem]["Id"]) & set(other.tables[stem]["Id"])
    assert len(other.tables["Opportunity"]) == company.n_deals


def test_a_replica_with_the_own_seed_is_the_company(company: Company) -> None:
    again = replicate(company, seed=company.seed)
    for stem, table in company.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[stem])
