"""The tables that are counted are those that snapshots and lessons are made from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from lead_stories import history

from pipeforecast.history import DealHistory
from pipeforecast.metrics.frames import deal_rows, known_table, open_rows
from pipeforecast.snapshot import take_snapshots
from stories import deal


def test_open_deals_are_those_of_the_snapshots(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    known = company_history.known_by(as_of)
    days = [as_of - pd.Timedelta(days=n) for n in (400, 91, 90, 1, 0)]
    mine = open_rows(known, np.array(days, dtype="datetime64[s]"), False)
    theirs = take_snapshots(known, days).open
    assert len(mine) > 100
    both = [c for c in theirs if c in mine]
    assert {"as_of", "deal", "stage", "amount", "expected_close", "owner", "manager", "region"} <= set(both)
    pd.testing.assert_frame_equal(mine[both], theirs[both], check_dtype=False)


def test_a_deal_that_is_written_twice_a_day_is_as_its_last_row_says() -> None:
    made = history([
        deal("a", ("2024-01-01 09:00:00", {"stage": "Talk", "amount": 1}), ("2024-01-01 17:00:00", {"stage": "Offer"}),
             ("2024-01-02 08:00:00", {"status": "won"}), ("2024-01-04 08:00:00", {"status": "open", "amount": 5})),
    ])  # fmt: skip
    days = np.array(["2023-12-31", "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], dtype="datetime64[s]")
    rows = open_rows(made, days, False)
    assert rows[["as_of", "stage", "amount"]].astype(str).to_numpy().tolist() == [
        ["2024-01-01", "Offer", "1.0"], ["2024-01-04", "Offer", "5.0"],
    ]  # fmt: skip


def test_without_a_state_there_is_nothing() -> None:
    made = history([])
    assert open_rows(made, np.array(["2024-01-01"], dtype="datetime64[s]"), False).empty
    assert deal_rows(made, True).empty


def test_days_after_the_evening_are_not_known() -> None:
    rows = [{"lead_id": "L", "created_at": "2024-05-01", "mql_at": "2024-05-03", "converted_at": "2024-05-09",
             "converted_deal_id": "a", "account_id": "A"}]  # fmt: skip
    made = history(leads=rows)
    then = known_table(made.known_by(pd.Timestamp("2024-05-08")), "leads").iloc[0]
    assert then["mql_at"] == pd.Timestamp("2024-05-03")
    assert pd.isna(then["converted_at"])
    assert pd.isna(then["converted_deal_id"])
    assert pd.isna(then["account_id"])
    now = known_table(made, "leads").iloc[0]
    assert (now["converted_deal_id"], now["account_id"]) == ("a", "A")
