"""The period's quota in one line: how likely it is reached, what is reached for sure, what it would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeforecast.report.words import clean, money, percent, shortened
from pipeforecast.wording import nt, t
from pipeforecast.wording.numerals import NBSP, written


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
        return t("Quota: none for {period}.", period=period) if given else t("Quota: the export has none.")
    told = {k: v for k, v in row.items() if pd.notna(v)}
    parts = []
    if row["status"] == "reached":
        parts.append(t("reached (won {won})", won=money(row["won"])))
    elif "p_hit" in told:
        parts.append(t("reached with probability {p_hit}", p_hit=percent(told["p_hit"])))
    else:
        parts.append(t("won so far {won}", won=money(row["won"])))
    if "reached_with_80" in told:
        parts.append(t("{amount} is reached with 80 %", amount=money(told["reached_with_80"])))
    if "coverage" in told:
        parts.append(t("coverage {ratio}", ratio=written(f"{told['coverage']:.1f}")))
    if row["status"] != "reached":
        parts += _what_it_takes(told, largest)
    words = t("Quota {quota}: {told}.", quota=money(row["quota"]), told="; ".join(parts))
    if unknown:
        words += " " + nt(
            "It holds {n} quota of groups that no deal has.", "It holds {n} quotas of groups that no deal has.", unknown
        )
    return words.replace(NBSP, " ")


def _what_it_takes(told: Mapping[str, Any], largest: str) -> list[str]:
    out = []
    if "more_pipeline_for_80" in told:
        more = told["more_pipeline_for_80"]
        needs = t("needs {more} more pipeline for 80 %", more=money(more))
        out.append(needs if more > 0 else t("needs no more pipeline for 80 %"))
    if "p_hit_without_deal" in told:
        name = shortened(clean(largest)) or str(told["largest_deal"])
        out.append(t("without the largest deal ({name}) {p_hit}", name=name, p_hit=percent(told["p_hit_without_deal"])))
    return out
