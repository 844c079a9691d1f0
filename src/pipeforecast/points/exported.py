"""The card as other tools take it: a table of rules, JSON, and if-then sentences."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from pipeforecast.points.card import TOUCHES, CardRow, PointsCard
from pipeforecast.points.grades import Grades
from pipeforecast.textcells import shown

CARD_COLUMNS = ("axis", "feature", "operator", "value", "points", "half_life_days")
READING = (
    "Start every lead at 0 and add the points of each row whose condition it meets; several may apply. A missing value "
    "meets 'missing' and no other condition. 'is' and 'in' compare texts exactly, upper and lower case included; "
    "'true' is a flag that is set. touches:KIND is the number of touches of that kind so far, each worth "
    "0.5 ** (days ago / half_life_days), or 1 where no half-life is given."
)


def rule_table(card: PointsCard) -> pd.DataFrame:
    """Give the rows of ``points_card.csv``.

    ``value`` is a number for ``>=``, a text for ``is``, a JSON list of texts for ``in``, empty for ``missing``. Texts
    that a spreadsheet might run begin with an apostrophe, which is to be taken off.
    """
    rows = [
        (r.axis, shown(r.feature), r.operator, _cell(r), r.points, card.half_life if _counts(r) else None)
        for r in card.rows
    ]
    return pd.DataFrame(rows, columns=list(CARD_COLUMNS)).astype({"half_life_days": "float64"})


def _counts(row: CardRow) -> bool:
    return row.feature.startswith(TOUCHES)


def _cell(row: CardRow) -> str:
    if isinstance(row.value, tuple):
        return json.dumps(list(row.value), ensure_ascii=False)
    return shown(row.value) if isinstance(row.value, str) else digits(row.value)


def as_json(card: PointsCard, grades: Grades, told: dict[str, Any]) -> str:
    """Give ``points_card.json``: how to read it, the card, grades and ``told`` (plain values) besides."""
    cuts = {"first": list(grades.first), "second": None if grades.second is None else list(grades.second)}
    whole = {"reading": READING, **card.plain(), "grades": cuts, **told}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_rules(card: PointsCard, grades: Grades) -> str:
    """Give ``points_card.txt``: if-then rules, grades and the disqualifying rule in words."""
    lines = [READING, ""]
    for axis in card.axes:
        lines += [f"{axis.upper()}", *(f"  IF {condition(r)} THEN {r.points:+d}" for r in card.rows if r.axis == axis)]
        lines.append("")
    if not card.rows:
        lines += ["No condition tells more than chance would: every lead has 0 points.", ""]
    if card.half_life is not None:
        lines += [f"A touch counts half after {card.half_life:g} days.", ""]
    if card.disqualify_below is not None:
        lines += [f"IF points < {card.disqualify_below} THEN disqualify", ""]
    two = grades.second is not None
    lines += _grade_lines("fit points" if two else "points", grades.first, "ABCD")
    if grades.second is not None:
        lines += _grade_lines("engagement points", grades.second, "1234")
    return "\n".join(lines).rstrip() + "\n"


def condition(row: CardRow) -> str:
    """Put a condition into words; texts in JSON's quotes, so that nothing in them is taken for a rule."""
    name = json.dumps(row.feature, ensure_ascii=False)
    if row.operator == "missing":
        return f"{name} is missing"
    if isinstance(row.value, tuple):
        return f"{name} in {json.dumps(list(row.value), ensure_ascii=False)}"
    if isinstance(row.value, str):
        return f"{name} is {json.dumps(row.value, ensure_ascii=False)}"
    return f"{name} >= {digits(row.value)}"


def digits(value: float) -> str:
    """Write a number with the fewest digits that give it back exactly."""
    return repr(float(value)).removesuffix(".0")


def _grade_lines(what: str, cuts: tuple[int, ...], names: str) -> list[str]:
    lines = [f"IF {what} >= {cut} THEN grade {name}" for name, cut in zip(names, cuts, strict=False)]
    return [("ELSE " if i else "") + line for i, line in enumerate(lines)] + [
        f"{'ELSE ' if cuts else ''}grade {names[-1]}"
    ]
