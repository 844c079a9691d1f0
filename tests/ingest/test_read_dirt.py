"""What cannot be meant is mended or left out, said, and written down cell by cell; every row is accounted for."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from pipeforecast.errors import DataError
from pipeforecast.ingest import Export
from pipeforecast.ingest.sane import enormous_amounts, say_zones
from pipeforecast.quality import check_history

Read = Callable[..., Export]
HEAD = "deal_id,created_at,closed_at,outcome,amount,stage,expected_close"
LOG = "deal_id,changed_at,field,value"


def codes(export: Export) -> dict[str, int]:
    return {f.code: f.count for f in export.findings}


def repairs(export: Export, rule: str) -> list[tuple]:
    rows = export.ledger.repairs()
    return [tuple(r) for r in rows[rows["rule"] == rule][["row", "id", "column", "before", "after"]].to_numpy()]


def assert_accounted(export: Export) -> None:
    rows, left = export.ledger.rows(), export.ledger.excluded()
    assert (rows["rows"] == rows["used"] + rows["excluded"]).all()
    assert (rows[["used", "excluded"]] >= 0).all().all()
    assert rows["excluded"].sum() == len(left)
    assert not left["reason"].isna().any()


def test_days_that_mean_none_are_missing_and_written_down(read: Read) -> None:
    body = "a,2024-01-02,,open,5,Talk,9999-12-31\nb,2024-01-03,,open,5,Talk,2024-09-01\nc,1970-01-01,,open,5,Talk,\n"
    export = read("generic", {"deals.csv": f"{HEAD}\n{body}d,2024-01-04,0000-00-00,open,5,Talk,1900-01-01\n"})
    assert codes(export)["DATE-MEANS-NONE"] in (1, 2)
    assert export.history.deals["expected_close"].notna().tolist() == [False, True, False, False]
    assert repairs(export, "DATE-MEANS-NONE") == [
        (4, "", "created_at", "1970-01-01", ""), (5, "", "closed_at", "0000-00-00", ""),
        (2, "", "expected_close", "9999-12-31", ""), (5, "", "expected_close", "1900-01-01", ""),
    ]  # fmt: skip
    assert repairs(export, "CREATED-DATE-MISSING")[0][1:3] == ("c", "created_at")


def test_amounts_that_nobody_has_are_missing_and_enormous_ones_are_said(read: Read) -> None:
    body = "".join(f"d{i},2024-01-02,,open,{100 + i},Talk,\n" for i in range(30))
    export = read(
        "generic", {"deals.csv": f"{HEAD}\n{body}x,2024-01-02,,open,1e300,Talk,\ny,2024-01-02,,open,5e6,Talk,\n"}
    )
    assert codes(export)["AMOUNT-IMPOSSIBLE"] == 1
    assert codes(export)["AMOUNT-ENORMOUS"] == 1
    assert repairs(export, "AMOUNT-IMPOSSIBLE") == [(32, "", "amount", "1e+300", "")]
    assert export.tie["raw_amount"].sum() == 5e6 + sum(100 + i for i in range(30))


def test_few_amounts_are_never_enormous() -> None:
    assert not enormous_amounts(pd.Series([1.0, 1e9])).any()
    assert enormous_amounts(pd.Series([1.0] * 20 + [1001.0])).tolist() == [False] * 20 + [True]


@pytest.mark.parametrize(("times", "minor"), [
    (["2024-01-01T10:00:00Z", "2024-01-01 10:00:00 UTC", "2024-01-01T10:00:00+00:00"], None),
    (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00+01:00", "2024-01-02T10:00:00Z"], 1),
    (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00", "2024-01-02T10:00:00"], 1),
    (["2024-01-01", "05-01-2024"], None),
])  # fmt: skip
def test_zones_of_one_column(times: list[str], minor: int | None) -> None:
    found = say_zones(pd.Series(times, dtype="string"), "deals", "created_at")
    assert (found.count if found else None) == minor


def test_merged_and_deleted_records(read: Read) -> None:
    head = HEAD + ",MasterRecordId,archived"
    body = "a,2024-01-02,,open,5,Talk,,,\nb,2024-01-02,,open,5,Talk,,a,\nc,2024-01-02,,open,5,Talk,,gone,yes\n"
    log = f"{LOG}\nb,2024-01-03,stage,Talk\na,2024-01-03,stage,Talk\n"
    export = read("generic", {"deals.csv": f"{head}\n{body}", "changes.csv": log})
    assert export.history.deals["deal_id"].tolist() == ["a", "c"]
    assert codes(export).items() >= {"MERGED-INTO-ANOTHER": 1, "DELETED-NOT-MAPPED": 1}.items()
    left = export.ledger.excluded()
    assert left[["table", "row", "deal_id", "reason"]].to_numpy().tolist() == [
        ["deals", 3, "b", "MERGED-INTO-ANOTHER"], ["changes", 2, "b", "LOG-ROWS-OF-EXCLUDED-DEAL"],
    ]  # fmt: skip
    assert_accounted(export)


def test_every_row_of_a_log_is_used_or_excluded(read: Read) -> None:
    body = "a,2024-01-02,2024-03-01,won,5,Talk,\nb,2024-01-02,,open,5,Talk,\n"
    log = (
        f"{LOG}\na,2024-01-03 10:00:00,stage,Offer\na,2024-01-03 10:00:00,stage,Talk\na,2024-01-04,colour,red\n"
        "zz,2024-01-05,stage,Offer\nb,,stage,Offer\nb,2024-01-06,probability,7\n"
    )
    stages = "stage,kind\nTalk,open\nOffer,open\nDone,won\n"
    export = read("generic", {"deals.csv": f"{HEAD}\n{body}", "changes.csv": log, "stages.csv": stages})
    left = export.ledger.excluded()
    assert dict(zip(left["row"], left["reason"], strict=True)) == {
        2: "SAME-SECOND", 4: "FIELD-NOT-MAPPED", 5: "LOG-ROWS-WITHOUT-DEAL", 6: "LOG-ROWS-WITHOUT-TIME",
    }  # fmt: skip
    assert repairs(export, "PROBABILITY-OUT-OF-RANGE") == [(7, "", "probability", "7", "")]
    assert_accounted(export)


def test_what_the_log_ends_with_is_written_down_where_today_differs(read: Read) -> None:
    stages = "stage,kind\nTalk,open\nOffer,open\nDone,won\n"
    log = f"{LOG}\na,2024-01-03,stage,Offer\nb,2024-01-03,stage,Offer\n"
    body = "a,2024-01-02,,open,5,Talk,\nb,2024-01-02,,open,5,Offer,\n"
    export = read("generic", {"deals.csv": f"{HEAD}\n{body}", "changes.csv": log, "stages.csv": stages})
    rows = export.ledger.repairs()
    assert rows[["id", "column", "before", "after", "rule"]].to_numpy().tolist() == [
        ["a", "stage", "Offer", "Talk", "LOG-DISAGREES-WITH-TODAY"]
    ]


def test_a_fact_called_fixed_that_changes_between_exports_is_said(read: Read) -> None:
    head = "deal_id,created_at,closed_at,outcome,amount,product"
    export = read("generic", {
        "2024-01-05/deals.csv": f"{head}\na,2024-01-02,,open,5,Box\nb,2024-01-02,,open,5,Box\n",
        "2024-01-12/deals.csv": f"{head}\na,2024-01-02,,open,5,Crate\n" + 2 * "b,2024-01-02,,open,5,Box\n",
    })  # fmt: skip
    found = [f for f in export.findings if f.code == "BIRTH-FACT-CHANGED"]
    assert [(f.column, f.count, f.examples) for f in found] == [("product", 1, ("a",))]
    assert export.ledger.rows()["file"].tolist() == ["2024-01-05/deals.csv", "2024-01-12/deals.csv"]
    assert export.ledger.rows()[["rows", "used", "excluded"]].to_numpy().tolist() == [[2, 2, 0], [3, 2, 1]]
    assert export.excluded[["file", "row", "reason"]].to_numpy().tolist() == [
        ["2024-01-12/deals.csv", 3, "DUPLICATE-ROW"]
    ]


def test_stages_renamed_logs_that_begin_late_and_deals_told_twice(read: Read) -> None:
    days = pd.date_range("2023-01-02", periods=60, freq="9D")
    body = "".join(
        f"d{i},{d.date()},,open,{7 + i},{'Talk' if i < 30 else 'Chat'},,Deal {i}\n" for i, d in enumerate(days)
    )
    log = "".join(
        f"d{i},{d.date()} 09:00:00,Lead,\nd{i},{d.date()} 10:00:00,{'Talk' if i < 30 else 'Chat'},\n"
        for i, d in enumerate(days)
    )
    twin = f"twin,{days[3].date()},,open,10,Talk,,Deal 3\n"
    log += f"twin,{days[3].date()} 10:00:00,Talk,\n"
    stages = "stage,kind\nLead,open\nTalk,open\nChat,open\nDone,won\n"
    files = {"deals.csv": f"{HEAD},name\n{body}{twin}", "stages.csv": stages}
    export = read("generic", files | {"changes.csv": "deal_id,changed_at,stage,amount\n" + log})
    found = {f.code: f for f in check_history(export.history)}
    assert found["STAGE-RENAMED"].examples == ("Talk", "Chat")
    assert found["DEALS-ALIKE"].examples == ("twin",)
    assert "HISTORY-BEGINS-LATE" not in found
    late = "".join(line + "\n" for line in log.splitlines() if line[0] == "d" and int(line[1 : line.index(",")]) >= 40)
    late += "".join(f"d{i},{days[45].date()} 12:00:00,Talk,\n" for i in range(25))
    export = read("generic", files | {"changes.csv": "deal_id,changed_at,stage,amount\n" + late})
    found = {f.code: f for f in check_history(export.history)}
    assert found["HISTORY-BEGINS-LATE"].count > 20


def test_a_log_row_without_a_status_leaves_a_deal_as_it_was(read: Read) -> None:
    deals = f"{HEAD}\na,2024-01-02,2024-03-01,won,5,Talk,2024-03-01\nb,2024-01-02,,open,5,Talk,2024-09-01\n"
    log = (
        "deal_id,changed_at,outcome,stage,amount\na,2024-01-02,,Talk,4\na,2024-03-01,won,Talk,5\na,2024-03-02,,Talk,5\n"
        "b,2024-01-02,,Talk,5\n"
    )
    states = read("generic", {"deals.csv": deals, "changes.csv": log}).history.states
    status = states.groupby("deal")["status"].agg(list)
    assert status[0][0] == "open"
    assert set(status[0][1:]) == {"won"}
    assert set(status[1]) == {"open"}


@pytest.mark.parametrize("head", ["deal_id,a\rb", "deal_id," + "x" * 200_000])
def test_a_header_that_cannot_be_cut_is_one_short_error(read: Read, head: str) -> None:
    with pytest.raises(DataError) as said:
        read("generic", {"deals.csv": f"{head}\n1,2\n"})
    assert len(str(said.value)) < 3000


def test_texts_of_any_length_are_shown_short(read: Read) -> None:
    with pytest.raises(DataError, match="xxx…'") as said:
        read("generic", {"deals.csv": f"{HEAD}\na,2024-01-02,{'x' * 5000},won,5,Talk,\n"})
    assert len(str(said.value)) < 1000
