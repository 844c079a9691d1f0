"""Kept exports are a history, a day is written once and whole, and what is odd is said."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

import pipeforecast.kept as room
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.ingest import read_export
from pipeforecast.ingest.databases import source_at
from pipeforecast.kept import Kept, keep_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.outbox import OutputError
from pipeforecast.overrides import composed
from pipeforecast.settings import settings_for
from pipeforecast.workflow import keep

GENERIC = CrmMapping.model_validate(
    yaml.safe_load((Path(__file__).parents[1] / "configs/crm/generic.yaml").read_text(encoding="utf-8"))
)
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=7 * i) for i in range(4)]


def export(folder: Path, week: int, more: str = "") -> Path:
    """Two deals that move on: in week 2 the first is won."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = ["New", "Offer", "Offer", "Offer"][week]
    ends = "2024-01-12,won" if week >= 2 else ",open"
    (folder / "deals.csv").write_text(
        f"deal_id,created_at,closed_at,outcome,stage,amount{',' + more if more else ''}\n"
        f"a,2023-12-20,{ends},{stage},{100 + week}{',x' if more else ''}\n"
        f"b,2023-12-22,,open,New,50{',y' if more else ''}\n", encoding="utf-8",
    )  # fmt: skip
    return folder


def put(source: Path, kept: Path, day: dt.date) -> Kept:
    return keep_export(source_at(source, []), kept, day, GENERIC)


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_kept_exports_read_as_a_history(tmp_path):
    for week, day in enumerate(DAYS):
        done = put(export(tmp_path / "today", week), tmp_path / "kept", day)
        assert (done.new, done.days, done.changed) == (True, tuple(DAYS[: week + 1]), ())
    states = read_export(GENERIC, tmp_path / "kept").history.states.query("deal == 0 and stage.notna()")
    assert states["stage"].tolist() == ["New", "Offer", "Offer", "Offer"]
    assert states["amount"].tolist() == [100, 101, 102, 103]
    assert states["status"].tolist() == ["open", "open", "won", "won"]
    assert states["recorded_at"].dt.date.tolist() == DAYS


def test_a_day_is_written_once(tmp_path):
    put(export(tmp_path / "today", 0), tmp_path / "kept", DAYS[0])
    again = put(tmp_path / "today", tmp_path / "kept", DAYS[0])
    assert not again.new
    export(tmp_path / "today", 1)
    with pytest.raises(DataError, match="exists with other content"):
        put(tmp_path / "today", tmp_path / "kept", DAYS[0])
    assert files(tmp_path / "kept") == ["2024-01-01", "2024-01-01/deals.csv"]
    assert "100" in (tmp_path / "kept/2024-01-01/deals.csv").read_text(encoding="utf-8")
    (tmp_path / "kept/deals_2024-01-08.csv").write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="of 2024-01-08 already"):
        put(tmp_path / "today", tmp_path / "kept", DAYS[1])


@pytest.mark.parametrize("at", ["copyfile", "fsync", "rename"])
def test_a_fault_leaves_nothing_half_written(tmp_path, monkeypatch, at):
    put(export(tmp_path / "today", 0), tmp_path / "kept", DAYS[0])

    def broken(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(room.shutil if at == "copyfile" else room.os, at, broken)
        with pytest.raises(OutputError, match="No space left"):
            put(tmp_path / "today", tmp_path / "kept", DAYS[1])
    assert files(tmp_path / "kept") == ["2024-01-01", "2024-01-01/deals.csv"]
    assert put(tmp_path / "today", tmp_path / "kept", DAYS[1]).new


def test_what_a_killed_call_left_is_never_read_and_is_swept(tmp_path):
    kept = tmp_path / "kept"
    put(export(tmp_path / "today", 0), kept, DAYS[0])
    left = kept / ".keep-1-2024-01-08"
    shutil.copytree(kept / "2024-01-01", left)
    put(export(tmp_path / "today", 2), kept, DAYS[2])
    assert left.exists()  # perhaps of a call that still runs
    seen = read_export(GENERIC, kept).history.states.query("stage.notna()")  # at creation it is unknown
    assert set(seen["recorded_at"].dt.date) == {DAYS[0], DAYS[2]}
    os.utime(left, (0, 0))
    put(tmp_path / "today", kept, DAYS[3])
    assert not left.exists()


@pytest.mark.parametrize("kept", ["today", "today/kept", "."])
def test_an_export_is_never_kept_in_or_around_itself(tmp_path, kept):
    export(tmp_path / "today", 0)
    with pytest.raises(SettingsError, match="outside the export"):
        put(tmp_path / "today", tmp_path / kept, DAYS[0])
    assert files(tmp_path) == ["today", "today/deals.csv"]


def test_what_changed_since_the_export_before_is_said(tmp_path):
    kept = tmp_path / "kept"
    put(export(tmp_path / "today", 0, "region"), kept, DAYS[0])
    (export(tmp_path / "today", 1, "segment") / "stages.csv").write_text("stage,kind\nNew,open\n", encoding="utf-8")
    said = put(tmp_path / "today", kept, DAYS[1]).changed
    assert said == ("stages.csv is new", "deals.csv: columns that are gone: 'region'",
                    "deals.csv: columns that are new: 'segment'")  # fmt: skip
    text = (tmp_path / "today/deals.csv").read_text(encoding="utf-8").splitlines()[:2]
    (tmp_path / "today/deals.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    (tmp_path / "today/stages.csv").unlink()
    assert put(tmp_path / "today", kept, DAYS[2]).changed == (
        "stages.csv is gone", "deals.csv: 1 rows, 2 before; export all, closed ones too",
    )  # fmt: skip


def test_files_whose_names_have_a_day_are_compared_with_each_other(tmp_path):
    for week in (0, 1):
        source = export(tmp_path / f"e{week}", week)
        (source / "deals.csv").rename(source / f"deals-{DAYS[week].isoformat()}.csv")
        assert put(source, tmp_path / "kept", DAYS[week]).changed == ()


def test_the_tables_of_a_database_are_kept_as_files(tmp_path):
    export(tmp_path / "today", 0)
    with duckdb.connect(tmp_path / "w.duckdb") as con:
        con.execute("CREATE TABLE deals AS SELECT * FROM read_csv(?)", [str(tmp_path / "today/deals.csv")])
        con.execute("CREATE TABLE salaries AS SELECT 1 AS a")
    put(tmp_path / "w.duckdb", tmp_path / "kept", DAYS[0])
    assert files(tmp_path / "kept") == ["2024-01-01", "2024-01-01/deals.parquet"]
    pd.testing.assert_frame_equal(
        read_export(GENERIC, tmp_path / "kept").history.deals, read_export(GENERIC, tmp_path / "today").history.deals
    )


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "today").mkdir()
    with pytest.raises(DataError, match="came none"):
        put(tmp_path / "today", tmp_path / "kept", DAYS[0])
    assert files(tmp_path / "kept") == []


def said_of(tmp_path: Path, *words: str) -> str:
    here = [f"source={tmp_path}/today", f"kept={tmp_path}/kept"]
    return keep(settings_for("keep", composed("keep", [*here, *words])))  # type: ignore[arg-type]


def test_the_verb_says_how_many_weeks_are_left(tmp_path):
    """26 deals closed in the last 26 weeks, one a week: 100 more weeks until 100 closings were seen."""
    closed = pd.date_range(end="2024-06-30", periods=26, freq="7D").strftime("%Y-%m-%d")
    table = pd.DataFrame({"deal_id": range(26), "created_at": "2023-06-01", "closed_at": closed, "outcome": "won",
                          "amount": 5, "stage": "New"})  # fmt: skip
    (tmp_path / "today").mkdir()
    table.to_csv(tmp_path / "today/deals.csv", index=False)
    said = said_of(tmp_path, "as_of=2024-06-30")
    assert "about 100 more weeks" in said
    assert said.endswith(f"next: pipeforecast check crm=generic source={tmp_path}/kept")
    table.iloc[:3].to_csv(tmp_path / "today/deals.csv", index=False)
    assert "exports: 2, from 2024-06-23 to 2024-06-30" in said_of(tmp_path, "as_of=2024-06-23")
    assert "nothing to do" in said_of(tmp_path, "as_of=2024-06-23")


def test_an_export_that_does_not_read_is_kept_and_that_is_said(tmp_path):
    export(tmp_path / "today", 0)
    said = said_of(tmp_path, "as_of=2024-01-01", "crm=hubspot")
    assert "does not read with crm=hubspot" in said
    assert (tmp_path / "kept/2024-01-01/deals.csv").exists()


def test_a_day_to_come_is_refused(tmp_path):
    export(tmp_path / "today", 0)
    with pytest.raises(SettingsError, match="day of the export"):
        said_of(tmp_path, "as_of=2999-01-01")


def test_where_the_newest_export_has_a_log_the_earlier_ones_are_told_as_not_read(tmp_path):
    kept = tmp_path / "kept"
    for i in range(3):
        put(export(tmp_path / "today", i), kept, DAYS[i])
    assert "EARLIER-EXPORTS-NOT-READ" not in {f.code for f in read_export(GENERIC, kept).findings}
    (kept / DAYS[2].isoformat() / "changes.csv").write_text("deal_id,changed_at,stage\nA,2024-01-02,Proposal\n")
    found = read_export(GENERIC, kept)
    told = next(f for f in found.findings if f.code == "EARLIER-EXPORTS-NOT-READ")
    assert (told.count, told.examples) == (2, tuple(d.isoformat() for d in DAYS[:2]))
    assert len(found.ledger.rows().query("table == 'deals'")) == 1
