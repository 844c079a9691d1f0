"""Facts of the page about thresholds: plain numbers and text, from the studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding
from pipeforecast.points.exported import condition
from pipeforecast.report.words import clean
from pipeforecast.thresholds import ALL, SCALES, Study
from pipeforecast.wording import retold, speaking

#: Columns of ``thresholds.csv`` that the page needs to work the rest out, and their short names in its data.
CURVE = {
    "threshold": "t", "leads": "n", "leads_per_week": "w", "conversions": "c", "conversions_lower": "cl",
    "precision": "p", "precision_lower": "pl", "precision_upper": "pu", "recall": "r", "missed": "m",
    "missed_upper": "mu", "uncontacted": "u",
}  # fmt: skip


def threshold_facts(studies: Sequence[Study], findings: Sequence[Finding], head: dict[str, Any]) -> dict[str, Any]:
    """Give all that the page shows.

    Parameters
    ----------
    studies : sequence of Study
        The first one is the step whose card and grades are shown.
    findings : sequence of Finding
    head : dict
        ``source``, ``as_of`` (text or None), ``currency``, ``saved`` (text or None) and, unless the page is English,
        ``language``.

    Returns
    -------
    dict
        ``data`` is what the page's script works with; all else is shown as it stands.
    """
    with speaking(head.get("language", "en")):
        return _facts(studies, findings, {"language": "en", **head})


def _facts(studies: Sequence[Study], findings: Sequence[Finding], head: dict[str, Any]) -> dict[str, Any]:
    first = studies[0]
    dated = not np.isnan(first.leads["p"][ALL].weeks)
    return {
        "head": {
            **head, "source": clean(head["source"]), "step": first.scored.step, "days": first.scored.days,
            "dated": dated, "model": first.scored.model, "explored": first.explored,
        },
        "data": {
            "scale": first.asked.scale, "cost": first.asked.terms.cost, "value": first.asked.terms.value,
            "capacity": first.asked.terms.capacity, "current": first.asked.current, "all": ALL,
            "dated": dated, "steps": {s.scored.step: _step(s) for s in studies},
        },
        "card": _card(first), "grades": _records(first.grade_rows), "two_axes": first.grades.second is not None,
        "cuts": {"first": list(first.grades.first), "second": list(first.grades.second or ())},
        "against": _records(first.against.table()), "calibration": _records(first.calibration),
        "past": _records(first.past), "findings": [_finding(f) for f in findings],
        "best": [_best(s) for s in studies],
    }  # fmt: skip


def _step(made: Study) -> dict[str, Any]:
    whole = len(made.leads["p"][ALL].score)
    scales: dict[str, Any] = {}
    for scale in SCALES:
        scales[scale] = {}
        for name, leads in made.leads[scale].items():
            table = made.table[made.table["scale"].eq(scale) & made.table["segment"].eq(name)]
            days, counts = made.weeks[scale, name]
            scales[scale][name] = {
                **{short: _numbers(table[column]) for column, short in CURVE.items()},
                "weeks": _number(leads.weeks), "share": len(leads.score) / whole, "all": len(leads.score),
                "days": [str(d) for d in days], "counts": counts.T.tolist(),
            }  # fmt: skip
    rule = {str(r["segment"]): {short: _number(r[c]) for c, short in CURVE.items()} for r in _records(made.rule)}
    return {"scales": scales, "rule": rule, "rule_name": clean(made.asked.rule.name) if made.asked.rule else None}


def _best(made: Study) -> dict[str, Any]:
    table = made.table[made.table["segment"].eq(ALL) & made.table["best"]]
    return {"step": made.scored.step, "rows": {r["scale"]: r for r in _records(table)}}


def _card(made: Study) -> dict[str, Any]:
    rows = [{"axis": r.axis, "when": clean(condition(r)), "points": r.points} for r in made.card.rows]
    low, high = made.card.range()
    return {
        "rows": rows, "half_life": made.card.half_life, "disqualify_below": made.card.disqualify_below,
        "low": low, "high": high,
    }  # fmt: skip


def _finding(found: Finding) -> dict[str, Any]:
    shown = {n: clean(getattr(found, n)) for n in ("code", "severity", "table", "column", "repair", "advice")}
    shown |= {n: retold("finding", shown[n]) for n in ("repair", "advice")}
    return {**shown, "count": found.count, "examples": clean("; ".join(found.examples))}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool):
        return value
    return bool(value) if isinstance(value, np.bool_) else _number(value)


def _numbers(values: pd.Series) -> list[float | int | None]:
    return [_number(v) for v in values]


def _number(value: Any) -> float | int | None:
    """Give a finite number, whole ones without a point, else None: JSON knows no NaN."""
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number
