from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.contract import empty
from pipeforecast.demo import make_company
from pipeforecast.history import DealHistory
from pipeforecast.quality import check_history

UNTIL = pd.Timestamp("2024-12-31").as_unit("s")


def history(rows, until=UNTIL, roles=None, **deals) -> DealHistory:
    """Make a history of (deal, recorded_at, status, closed_at, expected_close, amount) rows."""
    states = pd.DataFrame(rows, columns=["deal", "recorded_at", "status", "closed_at", "expected_close", "amount"])
    for name in ("recorded_at", "closed_at", "expected_close"):
        states[name] = pd.to_datetime(states[name], format="mixed").astype("datetime64[s]")
    states = states.assign(
        seq=np.arange(len(states)), stage=None, probability=np.nan, forecast_category=None, owner=None
    )
    states["status"] = states["status"].astype("string")
    n = states["deal"].nunique()
    frame = pd.DataFrame(
        {"deal_id": [f"d{i}" for i in range(n)], "created_at": states.groupby("deal")["recorded_at"].min()}
    )
    for name, values in deals.items():
        frame[name] = pd.Series(values, dtype="string")
    return DealHistory(frame, states, empty("stages"), until, roles or {"stage": "tracked"})


def codes(past: DealHistory) -> dict[str, int]:
    return {f.code: f.count for f in check_history(past)}


GOOD = [
    (0, "2024-01-01 09:00", "open", None, "2024-03-01", 10.0),
    (0, "2024-02-01 10:00", "won", "2024-02-01", "2024-03-01", 10.0),
    (1, "2024-12-20 09:00", "open", None, "2025-03-01", 10.0),
]


def test_a_good_history_has_no_finding():
    assert codes(history(GOOD)) == {}


def test_what_is_wrong_with_open_deals():
    rows = [*GOOD, (2, "2024-05-01", "open", None, "2024-06-01", None), (3, "2024-12-01", "open", None, None, 1.0)]
    found = codes(history(rows))
    assert found["EXPECTED-CLOSE-PAST"] == 1
    assert found["NO-EXPECTED-CLOSE"] == 1
    assert found["OPEN-WITHOUT-AMOUNT"] == 1
    assert found["OLDER-THAN-ANY-CLOSED"] == 1


def test_closings_written_late_in_the_future_or_without_hours():
    late = [
        (0, "2024-01-01 09:00", "open", None, "2024-03-01", 1.0),
        (0, "2024-02-03 09:00", "won", "2024-02-01", None, 1.0),
    ]
    assert codes(history(late))["BOOKED-LATE"] == 1
    ahead = [
        (0, "2024-01-01 09:00", "open", None, "2024-03-01", 1.0),
        (0, "2024-02-03 09:00", "won", "2025-02-01", None, 0.0),
    ]
    assert codes(history(ahead)).keys() >= {"CLOSED-IN-THE-FUTURE", "WON-WITHOUT-AMOUNT"}
    days = [(0, "2024-01-01", "open", None, "2024-03-01", 1.0), (0, "2024-02-01", "won", "2024-02-01", None, 1.0)]
    assert "NO-RECORDED-AT" in codes(history(days))
    assert "NO-RECORDED-AT" not in codes(history(late))


def test_spelling_variants_are_shown_but_people_are_not():
    past = history(GOOD, product=["GTXPro", "GTX Pro"], owner=["Ann Lee", "ann lee"])
    found = [f for f in check_history(past) if f.code == "SPELLING-VARIANTS"]
    assert [f.column for f in found] == ["product"]
    assert found[0].examples == ("GTXPro", "GTX Pro")


def test_columns_of_today_and_missing_stage_history_are_said():
    past = history(GOOD, team=["a", "b"], roles={"stage": "today", "team": "today"})
    stages = pd.DataFrame({"stage": ["a", "b"], "kind": ["open", "open"]}).astype("string")
    past = DealHistory(past.deals, past.states, stages, past.written_until, past.roles)
    found = {f.code: f for f in check_history(past)}
    assert found["TODAY-ONLY"].examples == ("team",)
    assert "dated exports" in found["NO-STAGE-HISTORY"].advice


def test_left_truncation():
    rows = []
    for i in range(30):
        made = pd.Timestamp("2024-01-01") + pd.Timedelta(days=3 * i)
        closed = max(made + pd.Timedelta(days=10), pd.Timestamp("2024-06-01"))
        if i >= 20:
            made, closed = pd.Timestamp("2024-06-01"), pd.Timestamp("2024-06-10")
        rows += [(i, made, "open", None, closed, 1.0), (i, closed, "won", closed, closed, 1.0)]
    late = [(deal, at, *rest) for deal, at, *rest in rows if deal >= 19 or deal == 0]
    keys = {deal: i for i, deal in enumerate(dict.fromkeys(r[0] for r in late))}
    assert len(keys) < 20  # too few closings to tell
    assert "LEFT-TRUNCATED" not in codes(history([(keys[d], *r) for d, *r in late]))
    short = [r for r in rows if r[0] == 0 or r[0] >= 20]
    many = [(40 + j, "2024-06-01", "open", None, "2024-06-05", 1.0) for j in range(20)]
    many += [(40 + j, "2024-06-05", "lost", "2024-06-05", None, 1.0) for j in range(20)]
    told = sorted(short + many, key=lambda r: (r[0], pd.Timestamp(r[1])))
    keys = {deal: i for i, deal in enumerate(dict.fromkeys(r[0] for r in told))}
    assert "LEFT-TRUNCATED" in codes(history([(keys[d], *r) for d, *r in told]))


def test_a_last_day_far_from_the_others():
    rows = [(i, f"2024-01-{i + 1:02d}", "open", None, "2030-01-01", 1.0) for i in range(15)]
    assert "LAST-DAY-LEAPS" not in codes(history(rows, until=pd.Timestamp("2024-01-15")))
    assert codes(history(rows))["LAST-DAY-LEAPS"] == 1  # a day that only a deal's modification names
    assert (
        codes(history([*rows, (15, "2029-01-01", "open", None, "2030-01-01", 1.0)], pd.Timestamp("2029-01-01")))[
            "LAST-DAY-LEAPS"
        ]
        == 1
    )


@pytest.mark.parametrize("kind", ["standard"])
def test_findings_never_show_people_or_free_text(kind, tmp_path):
    from pathlib import Path

    import yaml

    from pipeforecast.ingest import read_export
    from pipeforecast.mapping import CrmMapping

    make_company(kind, n_deals=600).write(tmp_path)
    config = Path(__file__).parents[1] / "configs" / "crm" / "salesforce.yaml"
    export = read_export(CrmMapping.model_validate(yaml.safe_load(config.read_text(encoding="utf-8"))), tmp_path)
    users = pd.read_csv(tmp_path / "User.csv", dtype=str)
    private = {*users["Name"], *users["Email"], *pd.read_csv(tmp_path / "Lead.csv", dtype=str)["Email"].dropna()}
    shown = " ".join(str(f) for f in [*export.findings, *check_history(export.history)])
    assert not [name for name in private if str(name) in shown]
