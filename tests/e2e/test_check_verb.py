"""`check` goes on past what the other verbs refuse, tells of all of it at once, and loses no row."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest

from pipeforecast.cli import main
from tables import rows, written


def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with chdir(tmp_path):
        status = main(["check", "source=exports", "out=checked", "tracking=off", *words])
    out, err = capsys.readouterr()
    return status, out + err


def broken() -> pd.DataFrame:
    """An export with every defect that stops the other verbs, each in other rows."""
    table = rows().astype("string").fillna("")
    table["currency"] = "EUR"
    table["archived"] = "no"
    table.loc[[3, 4], "created_at"] = ["31/12/2022", "soon, says Ann"]
    table.loc[[5], "amount"] = "a lot"
    table.loc[[6, 7, 8], "stage"] = ["Limbo", "Limbo", "Gone"]
    table.loc[[9], "outcome"] = "gewonnen"
    table.loc[[10], "currency"] = "JPY"
    return table


def test_all_of_it_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, broken())
    (tmp_path / "exports" / "stages.csv").write_text("stage,kind\nProposal,open\nWon,wonnn\n")
    (tmp_path / "exports" / "quotas.csv").write_text("period,amount\n2023Q1,5\n")
    status, said = checked(tmp_path, capsys)
    assert status == 1
    found = pd.read_csv(tmp_path / "checked" / "findings.csv").set_index("code")
    errors = found[found["severity"] == "error"]
    assert errors["count"].drop(["TABLE-NOT-READ", "COLUMN-MISSING"], errors="ignore").to_dict() == {
        "STAGE-KIND-UNKNOWN": 1, "DATE-UNREADABLE": 2, "NUMBER-UNREADABLE": 1, "STAGE-UNKNOWN": 3, "STATUS-UNKNOWN": 1,
        "CURRENCY-WITHOUT-RATE": 119,  # the row without a status is left out
    }  # fmt: skip
    assert found.loc["STAGE-UNKNOWN", "examples"] == "Limbo; Gone"
    assert found.loc["DATE-UNREADABLE", "examples"] == "31/12/2022 (row 5); row 6"  # nobody's words
    assert all(word in said for word in ("'gewonnen'", "'a lot (row 7)'", "'Limbo'", "crm.stages", "crm.status"))


def test_nothing_is_lost_and_what_was_set_aside_stands_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, broken())
    (tmp_path / "exports" / "stages.csv").write_text("stage,kind\nProposal,open\n")
    assert checked(tmp_path, capsys)[0] == 1
    came = pd.read_csv(tmp_path / "checked" / "rows.csv").set_index("table").loc["deals"]
    assert came["rows"] == 120 == came["used"] + came["excluded"]
    left = pd.read_csv(tmp_path / "checked" / "excluded.csv")
    assert left[["deal_id", "reason"]].to_numpy().tolist() == [["D0009", "STATUS-UNKNOWN"]]
    mended = pd.read_csv(tmp_path / "checked" / "repairs.csv").set_index("row")
    assert mended.loc[[5, 6, 7, 8, 9, 10], "before"].to_list() == [
        "31/12/2022", "soon, says Ann", "a lot", "Limbo", "Limbo", "Gone",
    ]  # fmt: skip
    assert mended.loc[7, "rule"] == "NUMBER-UNREADABLE"


def test_an_order_of_days_that_nothing_decides_is_read_to_look_at_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = broken()
    table["created_at"] = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2022" for i in range(len(table))]
    written(tmp_path, table)
    assert checked(tmp_path, capsys)[0] == 1
    codes = set(pd.read_csv(tmp_path / "checked" / "findings.csv")["code"])
    assert {"DATES-AMBIGUOUS", "NUMBER-UNREADABLE"} <= codes
    assert "CREATED-DATE-MISSING" not in codes


def test_a_broken_table_beside_the_deals_does_not_hide_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows().astype("string").fillna("")
    table.loc[[5], "amount"] = "a lot"
    written(tmp_path, table)
    (tmp_path / "exports" / "leads.xlsx").write_bytes(b"no workbook")
    (tmp_path / "exports" / "changes.csv").write_text("deal_id,stage\nD0001,Proposal\n")
    status, said = checked(tmp_path, capsys)
    assert status == 1
    found = pd.read_csv(tmp_path / "checked" / "findings.csv")
    assert {"leads", "changes"} <= set(found.loc[found["code"].isin(["TABLE-NOT-READ", "COLUMN-MISSING"]), "table"])
    assert "NUMBER-UNREADABLE" in set(found["code"])
    rows_ = pd.read_csv(tmp_path / "checked" / "rows.csv").set_index("table")
    assert rows_.loc["changes", ["rows", "used", "excluded"]].to_list() == [1, 0, 1]
    assert "leads.xlsx" in said


def test_without_ids_the_errors_met_so_far_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, broken().drop(columns="deal_id"))
    status, said = checked(tmp_path, capsys)
    assert status == 1
    codes = set(pd.read_csv(tmp_path / "checked" / "findings.csv")["code"])
    assert {"COLUMN-MISSING", "DATE-UNREADABLE", "NUMBER-UNREADABLE", "READING-STOPPED"} <= codes
    assert "deal_id" in said


def test_a_series_tells_of_its_earlier_exports_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day, amount in (("2023-12-01", "a lot"), ("2023-12-08", "1,2,3"), ("2023-12-15", "")):
        table = rows().astype("string").fillna("")
        if amount:
            table.loc[[5], "amount"] = amount
        written(tmp_path, table)
        (tmp_path / "exports" / "deals.csv").rename(tmp_path / "exports" / f"deals_{day}.csv")
    status, said = checked(tmp_path, capsys)
    assert status == 1
    told = pd.read_csv(tmp_path / "checked" / "findings.csv").set_index("code").loc["NUMBER-UNREADABLE"]
    assert told["count"] == 2
    assert told["examples"] == "2023-12-01/row 7; 1,2,3 (2023-12-08/row 7)"
    assert "2023-12-08/" in said
