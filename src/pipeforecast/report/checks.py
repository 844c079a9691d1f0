"""What a reader must know before trusting the page: the report's own findings beside those about the data."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from pipeforecast.findings import Finding
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.verdict import lost_words
from pipeforecast.report.words import clean, money, number, percent
from pipeforecast.wording import nt, retold, t

SEVERITIES = ("error", "warning", "info")
#: An error this small early in a period is more often a leak than a triumph.
TOO_GOOD = 0.02
#: Below these numbers of past periods the record says little, and claims nothing without a model.
FEW_PERIODS, CHECKED_PERIODS = 8, 20
#: One deal that carries this share of what open deals are expected to bring.
ONE_DEAL = 0.25
MOST_REASONS = 12


def all_findings(given: ReportInput, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """List the report's findings and those about the data, the gravest first, the report's own before the others."""
    own = [f for check in _CHECKS for f in check(facts)]
    listed = [_as_dict(f) for f in own] + [_from_row(r) for r in given.findings.to_dict("records")]
    return sorted(listed, key=lambda f: SEVERITIES.index(f["severity"]))


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code, "severity": finding.severity, "table": finding.table, "column": finding.column,
        "count": finding.count, "examples": "; ".join(finding.examples), "repair": finding.repair,
        "advice": finding.advice, "own": True,
    }  # fmt: skip


def _from_row(row: dict[Any, Any]) -> dict[str, Any]:
    severity = clean(row["severity"]).lower()
    out: dict[str, Any] = {c: clean(row.get(c)) for c in ("code", "table", "column", "examples", "repair", "advice")}
    out |= {c: retold("finding", out[c]) for c in ("repair", "advice")}
    out["severity"] = severity if severity in SEVERITIES else "warning"
    return out | {"count": int(number(row.get("count")) or 0), "own": False}


def _against_rules(facts: dict[str, Any]) -> list[Finding]:
    verdict = facts["verdict"]
    if verdict["kind"] == "unproven":
        advice = t("Run pipeforecast backtest, then forecast again: the replay of past periods is the proof.")
        if facts["record"] is not None:
            advice = t("Too little to compare: more past periods, or rules beside the model, are needed.")
        return [Finding("NOT-YET-PROVEN", "warning", "backtest", count=verdict["n_periods"], advice=advice)]
    lost = verdict["days_lost"]
    if not lost and verdict["kind"] != "behind":
        return []
    advice = (
        t("Prefer the better rule, or method=auto, until the model earns its place.")
        if verdict["kind"] == "behind"
        else t("On these days a rule had the smaller error, as one sees in hindsight: look at its number too.")
    )
    severity = "error" if verdict["kind"] == "behind" else "warning"
    words = tuple(lost_words(x) for x in lost)
    return [Finding("WORSE-THAN-A-RULE", severity, "backtest", "wape", len(lost), words, advice=advice)]  # type: ignore[arg-type]


def _too_good(facts: dict[str, Any]) -> list[Finding]:
    record = facts["record"]
    if record is None or not record["methods"][0]["is_model"]:
        return []
    values = next(m["values"][0] for m in record["measures"] if m["measure"] == "wape")
    early = [
        t("day {day}: error {error}", day=d, error=percent(v))
        for d, v in zip(record["all_days"], values, strict=True)
        if v is not None and v < TOO_GOOD and d <= facts["head"]["period_days"] / 2
    ]
    if not early:
        return []
    advice = t("Look for columns that are filled in only once a deal has closed: pipeforecast check audits for them.")
    return [Finding("SUSPICIOUSLY-GOOD", "warning", "backtest", "wape", len(early), tuple(early), advice=advice)]


def _overlap(facts: dict[str, Any]) -> list[Finding]:
    """A period that was over when it is said to have been forecast: what came true may have taught the forecast."""
    periods = tuple(facts["past"]["overlap"]) if facts["past"] else ()
    if not periods:
        return []
    advice = t("These past periods were over on the evening of their forecast: their record proves nothing.")
    return [Finding("OVERLAP-IN-TIME", "error", "backtest", "as_of", len(periods), periods, advice=advice)]


def _few_periods(facts: dict[str, Any]) -> list[Finding]:
    n = facts["verdict"]["n_periods"]
    if n == 0 or n >= CHECKED_PERIODS:
        return []
    severity = "warning" if n < FEW_PERIODS else "info"
    advice = nt(
        "The ranges are model-based, checked on {n} past period: no firmer claim can be made yet.",
        "The ranges are model-based, checked on {n} past periods: no firmer claim can be made yet.", n,
    )  # fmt: skip
    return [Finding("TOO-FEW-QUARTERS", severity, "backtest", "period", n, advice=advice)]  # type: ignore[arg-type]


def _narrow(facts: dict[str, Any]) -> list[Finding]:
    """The 80 % range held clearly less than 80 %: further below than two standard errors of as many periods."""
    record = facts["record"]
    cover = next((m for m in record["measures"] if m["measure"] == "cover80"), None) if record else None
    if record is None or cover is None or not record["n_periods"] or not record["methods"][0]["is_model"]:
        return []
    limit = 0.8 - 2 * math.sqrt(0.16 / record["n_periods"])
    low = [
        t("day {day}: {share}", day=d, share=percent(v))
        for d, v in zip(record["all_days"], cover["values"][0], strict=True)
        if v is not None and v < limit
    ]
    if not low:
        return []
    advice = t("Read the 80 % range as narrower than the truth: keep a margin on both sides.")
    return [Finding("RANGES-TOO-NARROW", "warning", "backtest", "cover80", len(low), tuple(low), advice=advice)]


def _past_due(facts: dict[str, Any]) -> list[Finding]:
    past = facts["risk"]["past_due"]
    if not past["count"]:
        return []
    ids = tuple(d["deal_id"] for d in facts["risk"]["shown"] if d["past_due"])
    amount = money(past["amount"], facts["head"]["currency"])
    advice = t(
        "Open deals worth {amount} carry a date that has passed: give them a new date, or close them.", amount=amount
    )
    return [Finding("PAST-DUE-DATES", "warning", "deals", "expected_close", past["count"], ids, advice=advice)]


def _one_deal(facts: dict[str, Any]) -> list[Finding]:
    share = facts["deals"]["biggest_share"]
    if share is None or share < ONE_DEAL or facts["deals"]["count"] < 2:
        return []
    ids = tuple(d["deal_id"] for d in facts["deals"]["shown"][:1])
    advice = t(
        "One deal carries {share} of what the open deals are expected to bring: look at it by itself.",
        share=percent(share),
    )
    return [Finding("ONE-DEAL-DECIDES", "warning", "deals", "amount", 1, ids, advice=advice)]


def _tie_broken(facts: dict[str, Any]) -> list[Finding]:
    tie = facts["tie"]
    if tie["ties"]:
        return []
    advice = t("Used and excluded do not add up to what the CRM exported: find out why before using this forecast.")
    return [Finding("TIE-BROKEN", "error", "deals", "amount", tie["rows_off"], advice=advice)]


_CHECKS = (_against_rules, _tie_broken, _overlap, _too_good, _narrow, _few_periods, _past_due, _one_deal)


def _cents(values: pd.Series) -> int:
    return int((pd.to_numeric(values, errors="coerce").fillna(0.0) * 100).round().astype("int64").sum())


def tie_facts(given: ReportInput) -> dict[str, Any]:
    """Rows and amounts as exported, used and excluded; ``ties`` if they match to the cent, row by row."""
    columns = ("raw_count", "raw_amount", "used_count", "used_amount", "excluded_count", "excluded_amount")
    tie = given.tie
    rows = []
    for r in tie.to_dict("records"):
        row: dict[str, Any] = {c: number(r[c]) or 0.0 for c in columns}
        row |= {c: clean(r.get(c)) for c in ("pipeline", "status")}
        cents = {c: round(100 * row[c]) for c in columns}
        row["ties"] = all(cents[f"raw_{x}"] == cents[f"used_{x}"] + cents[f"excluded_{x}"] for x in ("count", "amount"))
        rows.append(row)
    total = {c: _cents(tie[c]) / 100 for c in columns}
    off = sum(not r["ties"] for r in rows)
    return {"rows": rows, "total": total, "ties": off == 0, "rows_off": off, "excluded": _reasons(given.excluded)}


def _reasons(excluded: pd.DataFrame) -> list[dict[str, Any]]:
    """Excluded rows by reason, the most frequent first, with a few ids."""
    out: list[dict[str, Any]] = []
    for reason, rows in excluded.groupby("reason", sort=False):
        ids = ", ".join(clean(i, 40) for i in rows["deal_id"].head(3))
        amount = _cents(rows["amount"]) / 100
        out.append({"reason": clean(reason), "count": len(rows), "amount": amount, "examples": ids})
    return sorted(out, key=lambda r: r["count"], reverse=True)[:MOST_REASONS]
