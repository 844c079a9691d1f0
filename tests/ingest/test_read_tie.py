from decimal import Decimal

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.ingest import read_export
from pipeforecast.ingest.tie import tie

ROW = st.tuples(st.integers(-(10**9), 10**11), st.sampled_from(["open", "won", "lost"]), st.sampled_from(["a", "b"]),
                st.booleans())  # fmt: skip


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=60))
def test_used_and_excluded_add_up_to_the_raw_file_to_the_cent(rows):
    deals = pd.DataFrame(rows, columns=["cents", "status", "pipeline", "out"])
    deals["amount"] = deals["cents"] / 100
    found = tie(deals, deals["out"].map({True: "WHY", False: None}).astype("string"))
    assert (found["raw_count"] == found["used_count"] + found["excluded_count"]).all()
    total = {name: sum(Decimal(f"{v:.2f}") for v in found[f"{name}_amount"]) for name in ("raw", "used", "excluded")}
    assert total["raw"] == Decimal(int(deals["cents"].sum())) / 100
    assert total["raw"] == total["used"] + total["excluded"]


def test_deleted_rows_stay_in_the_tie(tmp_path, shipped):
    (tmp_path / "Opportunity.csv").write_text(
        "Id,IsDeleted,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon\n"
        "1,false,Closed Won,10.10,2024-03-01,2024-01-01T08:00:00Z,true,true\n"
        "2,true,Closed Won,0.01,2024-03-01,2024-01-01T08:00:00Z,true,true\n"
        "3,false,Prospecting,,2024-03-01,2024-01-01T08:00:00Z,false,false\n"
    )
    export = read_export(shipped("salesforce"), tmp_path / "Opportunity.csv")
    won = export.tie.set_index("status").loc["won"]
    assert won[["raw_count", "used_count", "excluded_count"]].tolist() == [2, 1, 1]
    assert won[["raw_amount", "used_amount", "excluded_amount"]].tolist() == [10.11, 10.10, 0.01]
    assert export.excluded["reason"].tolist() == ["EXCLUDED-BY-MAPPING"]
    assert export.excluded["deal_id"].tolist() == ["2"]
    assert "CHANGE-LOG-NOT-THERE" in {f.code for f in export.findings}
