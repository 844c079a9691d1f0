"""The facts of a report as plain data: everything that the page says can be read and tested here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.forecast import ADDENDS, QUANTILES, TOTAL
from pipeforecast.report.book import book_facts
from pipeforecast.report.calibrated import chance_facts
from pipeforecast.report.calls import call_facts
from pipeforecast.report.cells import cell_facts
from pipeforecast.report.checks import all_findings, tie_facts
from pipeforecast.report.course import course_facts
from pipeforecast.report.deals import deal_facts, risk_facts
from pipeforecast.report.hygiene import aim_facts, hygiene_facts
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.measures import measure_facts
from pipeforecast.report.moved import moved_facts
from pipeforecast.report.names import Names
from pipeforecast.report.record import errors_today, past_facts, record_facts
from pipeforecast.report.verdict import proof_words, verdict_facts
from pipeforecast.report.whatif import what_if_facts
from pipeforecast.report.words import clean, column_word, iso, number
from pipeforecast.wording import noop, retold, speaking, t

RANGES = {"50": ("p25", "p75"), "80": ("p10", "p90"), "95": ("p025", "p975")}
#: Groups shown per level, the biggest first; the rest are added up.
MOST_GROUPS = 200
BINS = 44

PART_WORDS = {
    "won": (
        noop("Won so far"),
        noop("Deals already won with a close date in the period. Certain, as far as the CRM is right."),
    ),
    "open_due": (
        noop("Open deals due in the period"),
        noop("Open deals whose date in the CRM lies in the period or has passed, and those without a date."),
    ),
    "open_pulled_in": (
        noop("Open deals pulled in"),
        noop("Open deals dated after the period that may still be won within it."),
    ),
    "new": (
        noop("Deals not yet created"),
        noop("Deals that nobody has entered yet, to be created and won in the period."),
    ),
    "open": (noop("All open deals"), noop("Open deals due and open deals pulled in, together.")),
    TOTAL: (noop("The whole period"), noop("Won, open and not yet created, together.")),
}  # fmt: skip


def part_label(part: str) -> str:
    """Name a part of the period."""
    return t(PART_WORDS[part][0])


def facts(given: ReportInput) -> dict[str, Any]:
    """Work out everything that the report says.

    Parameters
    ----------
    given : ReportInput

    Returns
    -------
    dict
        Plain data that ``json.dumps`` takes: texts, numbers, None for what is unknown, ISO days; amounts in the
        currency of the input, shares between 0 and 1.
    """
    with speaking(given.language):
        return _facts(given)


def _facts(given: ReportInput) -> dict[str, Any]:
    names = Names(given)
    rows = given.forecast[given.forecast["method"] == given.model_name]
    record = record_facts(given, names)
    out: dict[str, Any] = {
        "head": _head(given),
        "headline": _headline(rows),
        "curve": _curve(given, rows),
        "parts": _parts(rows),
        "later": _later(given),
        "levels": _levels(rows, names),
        "deals": deal_facts(given, names),
        "risk": risk_facts(given, names),
        "rules_now": _rules_now(given, names, record),
        "record": record,
        "past": past_facts(given),
        "verdict": verdict_facts(given, record),
        "tie": tie_facts(given),
        "quota": _quota(given),
        "what_if": what_if_facts(given),
        "moved": moved_facts(given),
        "course": course_facts(given),
        "calls": call_facts(given, names),
        "chances": chance_facts(given),
        "hygiene": hygiene_facts(given, names),
        "aims": aim_facts(given, names),
        "measures": measure_facts(given),
        "cells": cell_facts(given, names),
        "book": book_facts(given, names),
    }
    out["head"]["proof"] = proof_words(given, record, out["verdict"])
    out["findings"] = all_findings(given, out)
    return out


def _title(given: ReportInput) -> str:
    usual = given.title == f"Forecast of {given.period}"
    return t("Forecast of {period}", period=clean(given.period)) if usual else clean(given.title)


def _head(given: ReportInput) -> dict[str, Any]:
    days = int((given.period_end - given.period_start).days) + 1
    return {
        "title": _title(given), "company": clean(given.company), "as_of": iso(given.as_of),
        "period": clean(given.period), "period_start": iso(given.period_start), "period_end": iso(given.period_end),
        "day_of_period": int(given.day_of_period), "period_days": days,
        "days_left": max(int((given.period_end - given.as_of).days), 0),
        "currency": retold("currency", clean(given.currency, 12)), "what_counts": t(clean(given.what_counts)),
        "model_name": clean(given.model_name), "people": given.people,
        "language": given.language,
    }  # fmt: skip


def _row(rows: pd.DataFrame, part: str, level: str = TOTAL, group: str = TOTAL) -> dict[str, float | None]:
    """Mean and quantiles of one cell; None where there is no such cell."""
    hit = rows[(rows["level"] == level) & (rows["group"] == group) & (rows["part"] == part)]
    columns = ("mean", *QUANTILES)
    return dict.fromkeys(columns) if hit.empty else {c: number(hit.iloc[0][c]) for c in columns}


def _headline(rows: pd.DataFrame) -> dict[str, Any]:
    total, won = _row(rows, TOTAL), _row(rows, "won")
    still: dict[str, float | None] = {"mean": None, "p10": None, "p90": None}
    if won["mean"] is not None:
        # What is won never moves, so the range of the rest is that of the total less what is won.
        certain = won["p10"] is None or won["p10"] == won["p90"]
        for name in still if certain else ("mean",):
            still[name] = None if total[name] is None else total[name] - won["mean"]  # type: ignore[operator]
    cell = rows[(rows["level"] == TOTAL) & (rows["part"] == TOTAL)].iloc[0]
    ends = total["p025"], total["p975"]
    return {
        "settled": ends[0] is not None and ends[0] == ends[1] and not _row(rows, "open")["mean"],
        "p50": total["p50"] if total["p50"] is not None else total["mean"], "mean": total["mean"],
        "ranges": {name: [total[lo], total[hi]] for name, (lo, hi) in RANGES.items()},
        "won": won["mean"], "still": still, "open": _row(rows, "open")["mean"], "new": _row(rows, "new")["mean"],
        "coverage_measured": number(cell.get("coverage_measured")),
    }  # fmt: skip


def _quota(given: ReportInput) -> dict[str, float | None] | None:
    """Quota of the whole period and the probability to reach it; None where there is none."""
    if given.quotas is None:
        return None
    rows = given.quotas[(given.quotas["level"] == TOTAL).to_numpy()]
    if rows.empty:
        return None
    return {"quota": number(rows.iloc[0]["quota"]), "p_hit": number(rows.iloc[0].get("p_hit"))}


def _curve(given: ReportInput, rows: pd.DataFrame) -> dict[str, Any] | None:
    """Histogram of the draws, and the amounts reached with 99 %, 98 %, … 1 % probability."""
    shares = np.arange(0.01, 1.0, 0.01)
    if given.draws is not None and len(given.draws):
        draws = np.asarray(given.draws, dtype="float64")
        low, high = np.quantile(draws, [0.003, 0.997])
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        counts, edges = np.histogram(np.clip(draws, low, high), bins=BINS, range=(low, high))
        above = [float((draws >= e).mean()) for e in edges[:-1]]
        bars = [
            {"from": float(a), "to": float(b), "share": float(c / len(draws)), "reach": r}
            for a, b, c, r in zip(edges[:-1], edges[1:], counts, above, strict=True)
        ]
        return {"bars": bars, "amounts": [float(q) for q in np.quantile(draws, shares)]}
    cell = _row(rows, TOTAL)
    known = [(q, cell[name]) for name, q in QUANTILES.items() if cell[name] is not None]
    if len(known) < 2:
        return None
    amounts = np.interp(shares, [q for q, _ in known], [float(v) for _, v in known if v is not None])
    return {"bars": [], "amounts": [float(a) for a in amounts]}


def _parts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Addends first, then the total that they make; parts that are not in the forecast are left out."""
    total = _row(rows, TOTAL)["mean"] or 0.0
    out = []
    for part in (*ADDENDS, TOTAL):
        cell = _row(rows, part)
        if cell["mean"] is None:
            continue
        label, meaning = (t(x) for x in PART_WORDS[part])
        share = cell["mean"] / total if total > 0 else None
        said: dict[str, Any] = {"part": part, "label": label, "meaning": meaning, "adds": part != TOTAL}
        out.append(said | {"share": share} | cell)
    return out


def _later(given: ReportInput) -> list[dict[str, Any]]:
    """The periods after this one, in total; how right such early forecasts are was not replayed."""
    if given.later is None:
        return []
    told = []
    for period, rows in given.later.groupby("period", sort=False):
        said: dict[str, Any] = {"period": clean(period), "new": _row(rows, "new")["mean"]}
        told.append(said | _row(rows, TOTAL))
    return told


def _levels(rows: pd.DataFrame, names: Names) -> list[dict[str, Any]]:
    """Every level below the total, its groups by mean; groups beyond the most shown are added up."""
    out = []
    below = rows[(rows["level"] != TOTAL) & rows["part"].isin([TOTAL, "won"])]
    for level, cells in below.groupby("level", sort=False):
        totals = cells[cells["part"] == TOTAL].sort_values("mean", ascending=False, kind="stable")
        won = cells[cells["part"] == "won"].set_index("group")["mean"]
        groups = []
        for r in totals.head(MOST_GROUPS).to_dict("records"):
            cell: dict[str, Any] = {c: number(r[c]) for c in ("mean", "p10", "p50", "p90")}
            cell |= {"name": names.group(str(level), r["group"]), "won": number(won.get(r["group"], 0.0))}
            groups.append(cell)
        rest = totals.iloc[MOST_GROUPS:]
        out.append({
            "level": str(level), "label": column_word(str(level)), "groups": groups,
            "mean": number(totals["mean"].sum()),
            "rest_count": len(rest), "rest_mean": number(rest["mean"].sum()),
        })  # fmt: skip
    return out


def _rules_now(given: ReportInput, names: Names, record: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What every method says of the period today, and how it did before: the model first, then from high to low."""
    missed = errors_today(record)
    f = given.forecast
    rows = f[(f["level"] == TOTAL) & (f["group"] == TOTAL) & (f["part"] == TOTAL)]
    out = []
    for r in rows.sort_values("mean", ascending=False, kind="stable").to_dict("records"):
        is_model = r["method"] == given.model_name
        cell = {c: number(r[c]) for c in ("mean", *QUANTILES)}
        name = names.method(r["method"])
        out.append({"method": name, "is_model": is_model, "past_error": missed.get(name)} | cell)
    return sorted(out, key=lambda m: not m["is_model"])
