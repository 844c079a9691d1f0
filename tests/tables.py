"""A small table of deals in pipeforecast's own column names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def rows(n: int = 120, days: int = 700) -> pd.DataFrame:
    """Deals of a company with some history: a third each won, lost and open."""
    begun = pd.Timestamp("2022-01-03") + pd.to_timedelta([i * days // n for i in range(n)], unit="D")
    table = pd.DataFrame({
        "deal_id": [f"D{i:04d}" for i in range(n)],
        "created_at": begun.strftime("%Y-%m-%d"),
        "closed_at": (begun + pd.to_timedelta([30 + 7 * (i % 9) for i in range(n)], unit="D")).strftime("%Y-%m-%d"),
        "amount": [1000.0 + 37 * (i % 23) for i in range(n)],
        "outcome": ["won" if i % 2 else "lost" for i in range(n)],
        "stage": "Proposal",
        "owner": ["ann", "bob"] * (n // 2) + ["ann"] * (n % 2),
        "expected_close": (begun + pd.Timedelta(days=60)).strftime("%Y-%m-%d"),
    })  # fmt: skip
    still = pd.to_datetime(table["closed_at"]) > pd.Timestamp("2023-11-20")
    table.loc[still, "outcome"] = "open"
    table.loc[still, "closed_at"] = ""
    return table


def written(folder: Path, table: pd.DataFrame) -> str:
    (folder / "exports").mkdir(exist_ok=True)
    table.to_csv(folder / "exports" / "deals.csv", index=False)
    return "source=exports"
