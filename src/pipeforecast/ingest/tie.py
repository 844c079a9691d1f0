"""Whether what was read ties to the CRM: rows and amounts in, used and excluded, to the cent."""

from __future__ import annotations

import numpy as np
import pandas as pd

EXCLUDED_COLUMNS = ("deal_id", "reason", "status", "pipeline", "amount", "row")


TIE_COLUMNS = (
    "pipeline", "status", "raw_count", "raw_amount", "used_count", "used_amount", "excluded_count", "excluded_amount",
)  # fmt: skip


def cents(amounts: pd.Series) -> pd.Series:
    """Give amounts in whole cents; a missing amount is none."""
    return (amounts.fillna(0.0) * 100).round().astype("int64")


def tie(deals: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    """Count rows and sum amounts by pipeline and status, as they came, used and excluded.

    Parameters
    ----------
    deals : DataFrame
        Every row of the source with ``status``, ``amount`` and perhaps ``pipeline``.
    reasons : Series of text
        Why a row is excluded; missing where it is used.

    Returns
    -------
    DataFrame
        ``pipeline, status, raw_count, raw_amount, used_count, used_amount, excluded_count, excluded_amount``;
        sums are made in whole cents.
    """
    pipeline = deals["pipeline"] if "pipeline" in deals else pd.Series("", index=deals.index)
    used = reasons.isna().to_numpy(dtype=bool)
    amount = cents(deals["amount"]).to_numpy() if "amount" in deals else np.zeros(len(deals), dtype="int64")
    rows = pd.DataFrame(
        {
            "pipeline": pipeline.fillna("").astype("string").to_numpy(),
            "status": deals["status"].fillna("unknown").astype("string").to_numpy(),
            "raw_count": 1, "raw_amount": amount,
            "used_count": used.astype("int64"), "used_amount": np.where(used, amount, 0),
            "excluded_count": (~used).astype("int64"), "excluded_amount": np.where(used, 0, amount),
        }
    )  # fmt: skip
    sums = rows.groupby(["pipeline", "status"], sort=True, as_index=False).sum()
    for name in ("raw_amount", "used_amount", "excluded_amount"):
        sums[name] = sums[name] / 100
    return sums


def excluded(deals: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    """List the rows that are not used, with their reason, amount and place in the file (the header is row 1)."""
    out = deals.assign(reason=reasons, row=deals.index + 2)[reasons.notna().to_numpy(dtype=bool)]
    return out.reindex(columns=list(EXCLUDED_COLUMNS)).reset_index(drop=True)
