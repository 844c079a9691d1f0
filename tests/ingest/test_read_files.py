"""One table, many files: the same export whatever the format."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from pipeforecast.errors import DataError, MissingFileError
from pipeforecast.ingest import read_export
from pipeforecast.ingest.files import Source, read_text

DEALS = pd.DataFrame(
    {
        "deal_id": ["007", "8", "9", "10"],
        "created_at": ["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-03"],
        "closed_at": ["2024-03-01", "", "2024-03-05", ""],
        "outcome": ["won", "open", "lost", "open"],
        "amount": ["1234.50", "99", "-5", ""],
        "account_name": ["Müller & Söhne", 'Say "hello", world', "None", "NA"],
        "next_step": ["line one\nline two", " padded ", "", "x;y|z"],
    }
)


def as_gz(path):
    with gzip.open(path.with_name("deals.csv.gz"), "wt", encoding="utf-8", newline="") as out:
        DEALS.to_csv(out, index=False)


def as_parquet(path):
    typed = DEALS.assign(
        amount=pd.to_numeric(DEALS["amount"]), created_at=pd.to_datetime(DEALS["created_at"]),
        closed_at=pd.to_datetime(DEALS["closed_at"]), next_step=DEALS["next_step"].replace("", None),
    )  # fmt: skip
    typed.to_parquet(path.with_suffix(".parquet"))


def as_excel(path):
    typed = DEALS.assign(
        amount=pd.to_numeric(DEALS["amount"]), created_at=pd.to_datetime(DEALS["created_at"]),
        closed_at=pd.to_datetime(DEALS["closed_at"]),
    )  # fmt: skip
    typed.to_excel(path.with_suffix(".xlsx"), index=False, engine="xlsxwriter")


WAYS = {
    "semicolon, Windows": lambda p: DEALS.to_csv(p, index=False, sep=";", encoding="cp1252"),
    "tab, UTF-16": lambda p: DEALS.to_csv(p, index=False, sep="\t", encoding="utf-16"),
    "bar": lambda p: DEALS.to_csv(p, index=False, sep="|"),
    "UTF-8 with BOM": lambda p: DEALS.to_csv(p, index=False, encoding="utf-8-sig"),
    "Excel's sep line": lambda p: p.write_text("sep=;\n" + DEALS.to_csv(index=False, sep=";"), encoding="utf-8"),
    "CRLF": lambda p: DEALS.to_csv(p, index=False, lineterminator="\r\n"),
    "gz": as_gz,
    "Parquet": as_parquet,
    "Excel": as_excel,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_format_gives_the_same_export(way, tmp_path, shipped):
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    DEALS.to_csv(tmp_path / "plain" / "deals.csv", index=False)
    WAYS[way](tmp_path / "other" / "deals.csv")
    wanted, found = (read_export(shipped("generic"), tmp_path / name) for name in ("plain", "other"))
    for part in ("deals", "states", "stages"):
        pd.testing.assert_frame_equal(getattr(found.history, part), getattr(wanted.history, part))
    pd.testing.assert_frame_equal(found.tie, wanted.tie)
    assert found.history.roles == wanted.history.roles
    deals = found.history.deals
    assert deals["deal_id"].iloc[0] == "007"  # no type was guessed
    assert deals["account_name"].tolist()[2:] == ["None", "NA"]  # real names unless the mapping says otherwise
    assert deals["account_name"].iloc[0] == "Müller & Söhne"
    guessed = [f.code for f in found.findings if f.code == "ENCODING-GUESSED"]
    assert guessed == (["ENCODING-GUESSED"] if "Windows" in way else [])


def test_a_name_that_two_files_answer_to_is_refused(tmp_path, shipped):
    DEALS.to_csv(tmp_path / "deals.csv", index=False)
    as_gz(tmp_path / "deals.csv")
    with pytest.raises(DataError, match=r"deals\.csv\.gz"):
        read_export(shipped("generic"), tmp_path)


def test_a_glob_reads_all_its_files(tmp_path):
    DEALS.iloc[:2].to_csv(tmp_path / "part-1.csv", index=False)
    DEALS.iloc[2:].to_csv(tmp_path / "part-2.csv", index=False)
    rows = Source.at(tmp_path, []).rows(["part-*"])
    assert rows["deal_id"].tolist() == ["007", "8", "9", "10"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("a,b\n1,2\n1,2,3\n", "cannot be read"), ("a,a\n1,2\n", "more than once")],
)
def test_broken_files_are_named(tmp_path, text, words):
    (tmp_path / "broken.csv").write_text(text)
    with pytest.raises(DataError, match=rf"broken\.csv.*{words}|{words}"):
        read_text(tmp_path / "broken.csv", [])


def test_what_is_not_there_is_said(tmp_path, shipped):
    with pytest.raises(MissingFileError, match="nowhere"):
        read_export(shipped("generic"), tmp_path / "nowhere")
    (tmp_path / "bad.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="bad"):
        read_text(tmp_path / "bad.csv.gz", [])


def test_hours_of_leads_stand_beside_their_days(read):
    export = read("generic", {
        "deals.csv": DEALS.to_csv(index=False),
        "leads.csv": "lead_id,created_at,first_response_at\na,2024-02-01 09:30:00,2024-02-01 11:00:00\n"
                     "b,2024-02-02 23:59:00,\n",
    })  # fmt: skip
    leads = export.history.tables["leads"]
    assert leads["created_at"].astype(str).tolist() == ["2024-02-01", "2024-02-02"]
    assert leads["created_time"].astype(str).tolist() == ["2024-02-01 09:30:00", "2024-02-02 23:59:00"]
    assert (leads["first_response_time"] - leads["created_time"]).dt.total_seconds().tolist()[0] == 5400


def test_subscriptions_are_read_and_known_from_their_first_day(read):
    export = read("generic", {
        "deals.csv": DEALS.to_csv(index=False),
        "subscriptions.csv": "account_id,from,to,recurring_amount,renewal_due\nA,2024-01-01,2024-12-31,100,2024-12-31\n"
                             "B,2024-03-01,,50,\n,2024-03-02,,1,\n",
    })  # fmt: skip
    assert export.history.tables["subscriptions"]["account_id"].tolist() == ["A", "B"]
    assert "ROWS-INCOMPLETE" in {f.code for f in export.findings}
    assert len(export.history.known_by(pd.Timestamp("2024-02-10")).tables["subscriptions"]) == 1


def test_a_title_above_the_headings_is_told(tmp_path, shipped):
    (tmp_path / "deals.csv").write_text("Report 2024,,,,\ndeal_id,created_at,closed_at,outcome,amount\n")
    with pytest.raises(DataError, match=r"deals.csv: expected the columns' headings.*take it out"):
        read_export(shipped("generic"), tmp_path)
