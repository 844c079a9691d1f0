"""What a workbook is made from, beside what the page is made from: plain frames, the open deals one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.report.inputs import ReportInput

#: What is told of each open deal.
DEAL_COLUMNS = (
    "deal_id", "name", "account_name", "owner", "stage", "forecast_category", "expected_close", "amount",
    "probability", "amount_if_won", "crm_probability", "rule_amount",
)  # fmt: skip


@dataclass(frozen=True)
class BookInput:
    """Everything that a workbook holds.

    Parameters
    ----------
    given : ReportInput
        What the page is made from: the forecast, the record, names for ids.
    deals : DataFrame, one row per open deal
        ``probability``: P(won in the period), NaN where the method looks at no single deal; ``amount_if_won``;
        ``amount``: as listed; ``rule_amount``: as the rules take it (listed, or the median of its segment);
        ``crm_probability``: the CRM's own; and what names the deal.
    groups : DataFrame, rows as of ``deals``
        One column per level: the group of each deal.
    stages : DataFrame
        ``stage`` (as in the groups), ``rate`` and ``yield``: shares of the rules.
    numbers : mapping
        Terms of the rules, as of ``rules.Terms``.
    past : DataFrame
        Last complete periods, oldest first: ``period`` and ``won``.
    categories : mapping of ``commit`` and ``upside`` to names
    factor : float
        What the means of all that is not won are multiplied by where more than the model leads; else 1.
    about : mapping
        Further lines: version, fingerprint.
    """

    given: ReportInput
    deals: pd.DataFrame
    groups: pd.DataFrame
    stages: pd.DataFrame
    numbers: Mapping[str, float]
    past: pd.DataFrame
    categories: Mapping[str, Sequence[str]]
    factor: float = 1.0
    about: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        missing = [c for c in DEAL_COLUMNS if c not in self.deals.columns]
        if missing:
            raise DataError(f"workbook: the open deals lack the columns {some(missing)}")
        if len(self.groups) != len(self.deals):
            raise DataError(f"workbook: expected groups of {len(self.deals)} deals, came {len(self.groups)}")

    @property
    def levels(self) -> list[str]:
        """Levels by which the deals are grouped."""
        return [str(c) for c in self.groups.columns]

    @property
    def cells(self) -> pd.DataFrame:
        """Means and quantiles of what leads: one row per level and group, the total first; ``(part, column)``."""
        f = self.given.forecast
        rows = f[(f["method"] == self.given.model_name).to_numpy(dtype=bool)]
        keys = [(TOTAL, TOTAL), *((lv, g) for lv, g in zip(rows["level"], rows["group"], strict=True) if lv != TOTAL)]
        parts = rows.set_index(["level", "group"])[["part", "mean", *QUANTILES]].groupby("part")
        wide = pd.concat({str(part): of.drop(columns="part") for part, of in parts}, axis=1)
        return wide.reindex(pd.MultiIndex.from_tuples(list(dict.fromkeys(keys)), names=["level", "group"]))

    @property
    def told_by_deal(self) -> bool:
        """Whether the open part is a sum over single deals."""
        p = self.deals["probability"].to_numpy(dtype="float64")
        return not np.isnan(p).all() if len(p) else True
