"""The period's quota in one line: how likely it is reached, what is reached for sure, what it would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeforecast.report.words import clean, count, money, percent, shortened
from pipeforecast.wording.numerals import NBSP


def quota_words(row: Mapping[str, Any] | None, given: bool, period: str, unknown: int = 0, largest: str = "") -> str:
    """Put the total's row of ``quota.csv`` into words.

    Parameters
    ----------
    row : mapping or None
        None where the period has no quota.
    given : bool
        Whether the export has quotas at all.
    period : str
    unknown : int
        Groups with a quota that no deal has; they count in the total.
    largest : str
        Name of the deal with the largest expected amount.
    """
    if row is None:
        return f"Quota: none for {period}." if given else "Quota: the export has none."
    told = {k: v for k, v in row.items() if pd.notna(v)}
    parts = []
    if row["status"] == "reached":
        parts.append(f"reached (won {money(row['won'])})")
    elif "p_hit" in told:
        parts.append(f"reached with probability {percent(told['p_hit'])}")
    else:
        parts.append(f"won so far {money(row['won'])}")
    if "reached_with_80" in told:
        parts.append(f"{money(told['reached_with_80'])} is reached with 80 %")
    if "coverage" in told:
        parts.append(f"coverage {told['coverage']:.1f}")
    if row["status"] != "reached":
        parts += _what_it_takes(told, largest)
    words = f"Quota {money(row['quota'])}: {'; '.join(parts)}."
    if unknown:
        words += f" It holds {count(unknown, 'quota', 'quotas')} of groups that no deal has."
    return words.replace(NBSP, " ")


def _what_it_takes(told: Mapping[str, Any], largest: str) -> list[str]:
    out = []
    if "more_pipeline_for_80" in told:
        more = told["more_pipeline_for_80"]
        out.append(f"needs {money(more)} more pipeline for 80 %" if more > 0 else "needs no more pipeline for 80 %")
    if "p_hit_without_deal" in told:
        name = shortened(clean(largest)) or str(told["largest_deal"])
        out.append(f"without the largest deal ({name}) {percent(told['p_hit_without_deal'])}")
    return out
