"""What is wrong with the pipeline, what that has meant before, and how much of it a quota asks for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeforecast.audit.flags import FLAGS
from pipeforecast.audit.meant import NOT_AVAILABLE
from pipeforecast.forecast import TOTAL
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import Names
from pipeforecast.report.words import clean, number
from pipeforecast.wording import t

#: Deals to talk about first, and groups with a quota, that the page names.
MOST_DEALS, MOST_QUOTAS = 8, 60
_RATES = ("win_rate", "lower", "upper", "win_rate_same_stage")
_QUOTA = (
    "quota", "won", "attainment", "mean", "p_hit", "reached_with_80", "open_due", "coverage", "open_pipeline",
    "more_pipeline_for_80", "win_rate_by_value", "pipeline_needed", "opportunities_needed", "p_hit_without_deal",
    "p_hit_without_source",
)  # fmt: skip


def hygiene_facts(given: ReportInput, names: Names) -> dict[str, Any] | None:
    """Give the flags of the open deals and those to talk about first; None without an audit.

    Returns
    -------
    dict or None
        ``deals``, ``flagged``, ``flagged_amount``, ``evenings``; ``flags``: those that some open deal has, the most
        money first; ``unknown``: flags that the export cannot tell; ``first``: deals by what their flag costs.
    """
    made = given.audit
    if made is None:
        return None
    deals, flags = made.deals, made.flags
    flagged = deals["flag"].notna().to_numpy(dtype=bool)
    raised = flags[(flags["open_deals"] > 0).to_numpy(dtype=bool)].sort_values("at_stake", ascending=False)
    return {
        "deals": len(deals), "flagged": int(flagged.sum()),
        "flagged_amount": number(deals["at_stake"].to_numpy(dtype="float64")[flagged].sum()),
        "evenings": int(made.evenings),
        "flags": [_flag(r) for r in raised.to_dict("records")],
        "unknown": [flag_title(f) for f in flags.loc[(flags["status"] == NOT_AVAILABLE).to_numpy(dtype=bool), "flag"]],
        "first": [_deal(r, names) for r in deals[flagged].head(MOST_DEALS).to_dict("records")]
        if given.top_deals > 0 else [],
    }  # fmt: skip


def flag_title(flag: object) -> str:
    """Name a flag."""
    return t(FLAGS[str(flag)].title)


def flag_titles(flags: object) -> list[str]:
    """Name the flags of a deal, as ``audit.csv`` joins them."""
    return [flag_title(f) for f in str(flags).split("; ")]


def flag_question(flag: object) -> str:
    """Say what to ask about a flag."""
    return t(FLAGS[str(flag)].question)


def _flag(row: dict[Any, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"flag": clean(row["flag"]), "title": flag_title(row["flag"])}
    out |= {c: int(number(row[c]) or 0) for c in ("open_deals", "n")}
    return out | {c: number(row[c]) for c in ("at_stake", *_RATES)}


def _deal(row: dict[Any, Any], names: Names) -> dict[str, Any]:
    told = {"name": names.deal(row["name"], row["deal_id"]), "owner": names.owner(row["owner"])}
    return told | {
        "at_stake": number(row["at_stake"]), "flags": flag_titles(row["flags"]),
        "question": flag_question(row["flag"]),
    }  # fmt: skip


def aim_facts(given: ReportInput, names: Names) -> dict[str, Any] | None:
    """Give the total's quota with what it asks for, and the quotas of groups; None where there is none.

    Returns
    -------
    dict or None
        ``total``: the numbers of its row of ``quota.csv`` and the names of the ``largest_deal`` and source; ``groups``:
        ``level``, ``name`` and the same numbers, the least likely first; ``more``: groups that are not listed.
    """
    if given.quotas is None or given.quotas.empty:
        return None
    whole = (given.quotas["level"] == TOTAL).to_numpy(dtype=bool)
    total = given.quotas[whole]
    groups = [_aim(r) | {"level": clean(r["level"]), "name": names.group(str(r["level"]), r["group"])}
              for r in given.quotas[~whole].to_dict("records")]  # fmt: skip
    groups.sort(key=lambda g: (g["p_hit"] is None, g["p_hit"] or 0.0))
    return {
        "total": None if total.empty else _aim(total.iloc[0].to_dict()) | _hangs_on(given, total.iloc[0], names),
        "groups": groups[:MOST_QUOTAS], "more": max(0, len(groups) - MOST_QUOTAS),
    }  # fmt: skip


def _aim(row: dict[Any, Any]) -> dict[str, Any]:
    return {c: number(row.get(c)) for c in _QUOTA}


def _hangs_on(given: ReportInput, row: pd.Series, names: Names) -> dict[str, Any]:
    """Name the largest deal and source on which the quota hangs."""
    deal = clean(row.get("largest_deal"))
    hit = given.deals[(given.deals["deal_id"].astype(str) == deal).to_numpy(dtype=bool)] if deal else given.deals[:0]
    named = names.deal(hit.iloc[0]["name"], deal) if len(hit) else deal
    return {"largest_deal": named if given.top_deals > 0 else "", "largest_source": clean(row.get("largest_source"))}
