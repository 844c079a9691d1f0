"""Which open deals a workbook lists one by one, and the others, summed up in a few rows that reckon as deals do.

Nobody reads a hundred thousand rows, and no office program opens them quickly. Deals that are alike in whatever a
formula asks of them (stage, category, before or after which day they are dated) become one row: its amounts are their
sums, its chances their means by amount, its date the latest of them. So every sum of the sheets stays, to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeforecast.report.workbook.inputs import DEAL_COLUMNS, BookInput

#: Open deals that are listed one by one at most, those with the most money expected in the period first.
MOST_DEALS = 20_000


@dataclass(frozen=True)
class Listed:
    """The rows of the sheet of deals.

    Attributes
    ----------
    book : BookInput
        Its deals are the rows: single ones, then the sums.
    single, summed : int
        Deals that are listed one by one, and those that the other rows sum up.
    beyond : mapping of level to DataFrame, index the groups
        Expected amounts of the deals that are summed up, ``due`` and ``pulled``; empty where there are none.
    """

    book: BookInput
    single: int
    summed: int = 0
    beyond: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def more(self) -> int:
        """By how many the open deals exceed the rows."""
        return self.single + self.summed - len(self.book.deals)


def is_due(book: BookInput, deals: pd.DataFrame) -> np.ndarray:
    """Whether each deal is expected by the period's end, or is not dated (n,)."""
    close = pd.to_datetime(deals["expected_close"])
    return np.asarray((close.isna() | (close <= book.given.period_end)).to_numpy(dtype=bool))


def is_due_for_rules(book: BookInput, deals: pd.DataFrame) -> np.ndarray:
    """Whether the rules count each deal: dated by the period's end, and not between today and its start (n,)."""
    close, given = pd.to_datetime(deals["expected_close"]), book.given
    before = (close > given.as_of) & (close < given.period_start)
    return np.asarray(((close <= given.period_end) & ~before).to_numpy(dtype=bool))


def listed(book: BookInput, most: int = MOST_DEALS) -> Listed:
    """Sum up the deals beyond the first ``most``."""
    if len(book.deals) <= most:
        return Listed(book, len(book.deals))
    first, others = book.deals.iloc[:most], book.deals.iloc[most:]
    sums = _sums(book, others)
    deals = pd.concat([first, sums], ignore_index=True)
    groups = book.groups.iloc[:most].reindex(range(len(deals)))  # the sums belong to no group
    parts = pd.DataFrame({"due": is_due(book, others), "expected": _expected(others)})
    beyond = {level: _by_group(parts, book.groups[level].iloc[most:]) for level in book.levels}
    return Listed(replace(book, deals=deals, groups=groups), most, len(others), beyond)


def _expected(deals: pd.DataFrame) -> np.ndarray:
    return np.asarray(np.nan_to_num((deals["probability"] * deals["amount_if_won"]).to_numpy(dtype="float64")))


def _by_group(parts: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    due, pulled = (parts["expected"].where(parts["due"] == flag, 0.0).to_numpy() for flag in (True, False))
    return pd.DataFrame({"due": due, "pulled": pulled}).groupby(group.to_numpy(dtype=object)).sum()


def _sums(book: BookInput, deals: pd.DataFrame) -> pd.DataFrame:
    """One row for the deals that no formula tells apart."""
    close = pd.to_datetime(deals["expected_close"])
    known = (deals["probability"] * deals["amount_if_won"]).notna()
    facts = pd.DataFrame({
        "stage": deals["stage"], "forecast_category": deals["forecast_category"],
        "due": is_due(book, deals), "counted": is_due_for_rules(book, deals),
        "dated": np.select([close.isna(), close <= book.given.as_of], [0, 1], 2), "priced": deals["amount"].notna(),
        "n": 1, "expected_close": close, "amount": deals["amount"], "rule_amount": deals["rule_amount"],
        "amount_if_won": deals["amount_if_won"].where(known), "expected": _expected(deals),
        "promised": (deals["rule_amount"] * deals["crm_probability"]).fillna(0.0),
    })  # fmt: skip
    alike = ["stage", "forecast_category", "due", "counted", "dated", "priced"]
    by = facts.groupby(alike, dropna=False, sort=True, observed=True)
    out = by[["n", "expected", "promised"]].sum()
    out["expected_close"] = by["expected_close"].max()
    for name in ("amount", "rule_amount", "amount_if_won"):
        out[name] = by[name].sum(min_count=1)
    out = out.reset_index().sort_values("expected", ascending=False, kind="stable", ignore_index=True)
    names = [f"{n:,} further deal{'' if n == 1 else 's'}" for n in out["n"]]
    return pd.DataFrame({
        "deal_id": "", "name": names, "account_name": None, "owner": None,
        "stage": out["stage"], "forecast_category": out["forecast_category"],
        "expected_close": out["expected_close"].to_numpy(), "amount": out["amount"],
        "probability": _share(out["expected"], out["amount_if_won"]), "amount_if_won": out["amount_if_won"],
        "crm_probability": _share(out["promised"], out["rule_amount"]), "rule_amount": out["rule_amount"],
    })[list(DEAL_COLUMNS)].astype({"expected_close": deals["expected_close"].dtype})  # fmt: skip


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Part of the whole; 0 of nothing, NaN where the whole is not known."""
    return (part / whole.where(whole != 0, 1.0)).where(whole.notna())
