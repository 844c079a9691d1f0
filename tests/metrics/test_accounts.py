"""Engagement of accounts that have bought: how often, how recently, and how their deals went."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import history, look, reason, table, value

from stories import Deal, deal


def bought(account: str, day: str = "2023-06-01", **facts: Any) -> Deal:
    return deal(f"first {account}", ("2023-05-01", {"amount": 10.0}), (day, {"status": "won"}), account_id=account,
                **facts)  # fmt: skip


def touch(day: str, account: str | None = None, **facts: Any) -> dict[str, Any]:
    return {"at": f"{day} 10:00", "kind": "called", "account_id": account, **facts}


def days(first: str, n: int) -> list[str]:
    return [str((pd.Timestamp(first) + pd.Timedelta(days=i)).date()) for i in range(n)]


def test_touches_an_account_a_month() -> None:
    """24 touches of 4 accounts in a quarter; those of an account that buys within it, or never, do not count."""
    rows = [touch(d, "ABCD"[i % 4]) for i, d in enumerate(days("2024-01-05", 24))]
    rows += [touch("2024-02-01", "new"), touch("2024-02-02", "never"), touch("2023-12-31", "A")]
    deals = [*(bought(a) for a in "ABCD"), bought("new", "2024-01-10")]
    assert value(look(history(deals, touches=rows)), "account_engagement") == 2


def test_a_touch_of_a_deal_is_one_of_its_account() -> None:
    deals = [bought("A"), deal("d", ("2024-01-05", {}), account_id="A")]
    view = look(history(deals, touches=[touch("2024-01-06", None, deal_id="d")] * 1))
    assert value(view, "account_engagement") == 1 / 3


def test_days_since_the_last_touch() -> None:
    rows = [touch("2024-03-30", "A"), touch("2024-01-01", "A"), touch("2024-03-27", "B"), touch("2024-03-01", "C"),
            touch("2024-04-02", "B")]  # fmt: skip
    view = look(history([bought(a) for a in "ABCD"], touches=rows))
    assert value(view, "account_days_since_touch") == 4


def test_win_rate_by_engagement_before_the_deal() -> None:
    deals, rows = [bought(a) for a in "ABCDE"], []
    for i, account in enumerate("ABCDE"):
        result = {"status": "won" if i < 3 else "lost"}
        deals.append(deal(f"second {account}", ("2024-01-20", {}), ("2024-02-20", result), account_id=account))
        rows += [touch(d, account) for d in days("2024-01-05", 6)] if i < 4 else []
        rows += [touch(d, account) for d in days("2024-01-25", 20)]
    view = look(history(deals, touches=rows))
    assert value(view, "account_engagement_win_rate", "1 to 4 a month") == 0.75
    assert value(view, "account_engagement_win_rate", "no touch") == 0
    told = table(view, "account_engagement_win_rate")
    assert told[told["part"] == "over 4 a month"]["status"].tolist() == ["undefined"]


def test_without_accounts_or_touches_it_is_not_available() -> None:
    assert "touches" in reason(look(history([bought("A")])), "account_engagement")
    assert "account_id" in reason(look(history(touches=[touch("2024-01-01", "A")])), "account_engagement")
    assert "ever bought" in reason(
        look(history([bought("A")], touches=[touch("2024-01-02", "Z")])), "account_engagement"
    )


def test_an_account_counts_for_the_group_of_its_latest_deal() -> None:
    deals = [bought("A", region="north"), bought("B", region="south")]
    rows = [touch(d, "A") for d in days("2024-01-05", 6)]
    view = look(history(deals, touches=rows), by=["region"])
    assert [value(view, "account_engagement", group=g) for g in ("north", "south")] == [2, 0]
    assert value(view, "account_days_since_touch", group="north") == 81  # from 10 January


drawn = st.lists(st.tuples(st.integers(0, 170), st.sampled_from("ABC")), max_size=25)


@settings(max_examples=20, deadline=None)
@given(drawn, st.integers(10, 160))
def test_touches_written_later_change_nothing(rows, day) -> None:
    begin = pd.Timestamp("2024-01-01")
    as_of = begin + pd.Timedelta(days=day)
    told = [touch(str((begin + pd.Timedelta(days=d)).date()), a) for d, a in [(0, "A"), *rows]]
    early = [t for t in told if pd.Timestamp(t["at"]) < as_of + pd.Timedelta(days=1)]
    deals = [bought(a) for a in "ABC"]
    names = ("account_engagement", "account_days_since_touch", "account_engagement_win_rate")
    one, two = (
        table(look(history(deals, touches=t), "2024Q1", "2024Q2", as_of=str(as_of.date())), *names)
        for t in (told, early)
    )
    pd.testing.assert_frame_equal(one, two)
