"""The rows of the files that a forecast writes, from the objects that it made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeforecast.csvlines import write_lines
from pipeforecast.fiscal import Period
from pipeforecast.forecast import DealForecast, Forecast
from pipeforecast.snapshot import Snapshot
from pipeforecast.wording import pnoop

#: Columns of ``deals.csv``.
DEAL_COLUMNS = (
    "as_of", "period", "deal_id", "name", "account_name", "owner", "pipeline", "stage", "amount", "currency",
    "expected_close", "forecast_category", "p_win", "p_lost", "p_win_in_period", "p_slip", "close_p10", "close_p50",
    "close_p90", "expected_amount_in_period", "reason_1", "reason_2", "reason_3", "model_version",
)  # fmt: skip
#: Columns of ``deal_scores.csv``.
SCORE_COLUMNS = (
    "as_of", "deal_id", "name", "account_name", "owner", "stage", "amount", "currency", "expected_close", "p_win",
    "p_lost", "p_win_in_period", "p_slip", "close_p10", "close_p50", "close_p90", "expected_amount_in_period",
    "reason_1", "reason_2", "reason_3", "model_version",
)  # fmt: skip
UNKNOWN_CURRENCY = pnoop("currency", "units")


def forecast_rows(forecasts: Sequence[Forecast], currency: str, coverage: float | None) -> pd.DataFrame:
    """Rows of ``forecast.csv``; ``coverage`` is what the model's 80 % range covered in the replay."""
    table = pd.concat([f.table() for f in forecasts], ignore_index=True)
    table["currency"] = currency
    model = (table["method"] == forecasts[0].method).to_numpy()
    table["coverage_measured"] = np.where(
        model & (coverage is not None), np.nan if coverage is None else coverage, np.nan
    )
    front = ["as_of", "period", "period_start", "period_end", "level", "group", "method", "part", "currency"]
    return table[[*front, *(c for c in table if c not in front)]]


def _currency(labels: pd.DataFrame, usual: str) -> np.ndarray:
    own = _column(labels, "currency")
    return own if usual == UNKNOWN_CURRENCY else np.where(pd.isna(own), usual, own)


def deal_rows(
    period: Period, deals: DealForecast, snapshot: Snapshot, horizon: int, version: str, reasons: pd.DataFrame,
    currency: str = UNKNOWN_CURRENCY,
) -> pd.DataFrame:  # fmt: skip
    """Rows of ``deals.csv``, the largest expected amount in the period first.

    ``reasons`` has the columns ``reason_1`` … ``reason_3``, one row per open deal in the snapshot's order;
    ``currency`` is that of the deals whose rows name none.
    """
    rows, as_of = snapshot.open, snapshot.as_of
    labels = snapshot.labels.reindex(rows["deal"].to_numpy())
    until = as_of + pd.Timedelta(days=horizon)
    in_period = deals.won_between(period.start, period.end)
    days = {
        f"close_{name}": deals.closing_day(share, until)
        for name, share in zip(("p10", "p50", "p90"), deals.shares, strict=True)
    }
    out = pd.DataFrame({
        "as_of": as_of,
        "period": period.name,
        **{c: _column(labels, c) for c in ("deal_id", "name", "account_name")},
        "owner": rows["owner"].to_numpy(),
        "pipeline": _column(labels, "pipeline"),
        "stage": rows["stage"].to_numpy(),
        "amount": rows["amount"].to_numpy(),
        "currency": _currency(labels, currency),
        "expected_close": rows["expected_close"].to_numpy(),
        "forecast_category": rows["forecast_category"].to_numpy(),
        "p_win": deals.won_by(until),
        "p_lost": deals.lost_by(until),
        "p_win_in_period": in_period,
        "p_slip": _slip(deals, rows, as_of),
        **days,
        "expected_amount_in_period": in_period * deals.amount,
        **{str(c): reasons[c].to_numpy() for c in reasons},
        "model_version": version,
    })  # fmt: skip
    return out.sort_values(["expected_amount_in_period", "deal_id"], ascending=[False, True], ignore_index=True)


def _column(labels: pd.DataFrame, name: str) -> np.ndarray:
    return labels[name].to_numpy() if name in labels else np.full(len(labels), None, dtype=object)


def _slip(deals: DealForecast, rows: pd.DataFrame, as_of: pd.Timestamp) -> np.ndarray:
    """P(not won by the CRM's date): 1 once that has passed, empty where there is none."""
    due = rows["expected_close"].to_numpy().astype("datetime64[s]")
    slip = 1.0 - deals.won_by(np.where(np.isnat(due), deals.dates[0], due))
    slip = np.where(due <= np.datetime64(as_of, "s"), 1.0, slip)
    return np.where(np.isnat(due), np.nan, slip)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write one of the files: days as days, numbers to ten digits, text as a spreadsheet shows and never runs it."""
    write_lines(frame, path)
