"""A scorer of exported rules that knows nothing of the package: what another tool would do with the file."""

from __future__ import annotations

import csv
import io
import json
import re

MISSING = "(missing)"


def leads_of(features) -> list[dict]:
    """Plain leads: a dict of values (None where missing) with a list of touches (kind, days ago)."""
    leads = []
    for i in range(len(features)):
        values: dict = {}
        for name in features.numbers:
            v = float(features.numbers[name].iloc[i])
            values[name] = None if v != v else v
        for name in features.flags:
            v = float(features.flags[name].iloc[i])
            values[name] = None if v != v else v == 1
        for name in features.categories:
            v = features.categories[name].iloc[i]
            values[name] = None if v == MISSING else v
        leads.append({"values": values, "touches": []})
    for row, kind, ago in features.touches[["row", "kind", "days_ago"]].itertuples(index=False):
        leads[row]["touches"].append((kind, float(ago)))
    return leads


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell


def _holds(lead: dict, feature: str, operator: str, value, half_life: float | None) -> bool:
    if feature.startswith("touches:"):
        own = [ago for kind, ago in lead["touches"] if kind == feature[len("touches:") :]]
        found = round(sum(1.0 if half_life is None else 0.5 ** (ago / half_life) for ago in own), 9)
    else:
        found = lead["values"].get(feature)
    if operator == "missing":
        return found is None
    if found is None:
        return False
    if operator == ">=":
        return not isinstance(found, bool | str) and found >= float(value)
    if operator == "in":
        return found in value
    return (found is True and value == "true") if isinstance(found, bool) else found == value


def points_by_csv(text: str, lead: dict) -> int:
    total = 0
    for row in csv.DictReader(io.StringIO(text)):
        value = json.loads(row["value"]) if row["operator"] == "in" else _unescaped(row["value"])
        half = float(row["half_life_days"]) if row["half_life_days"] else None
        total += int(row["points"]) * _holds(lead, _unescaped(row["feature"]), row["operator"], value, half)
    return total


def points_by_rules(text: str, lead: dict) -> int:
    half = re.search(r"^A touch counts half after (\S+) days\.$", text, re.M)
    total = 0
    for line in text.splitlines():
        if not line.startswith("  IF "):
            continue
        feature, words, value, points = _parsed(line)
        operator = "missing" if words == "is missing" else words
        total += points * _holds(lead, feature, operator, value, float(half[1]) if half else None)
    return total


def _parsed(line: str) -> tuple[str, str, object, int]:
    """Read a rule from the left: JSON's own reader says where a quoted text ends."""
    read = json.JSONDecoder()
    feature, end = read.raw_decode(line, len("  IF "))
    rest = line[end + 1 :]
    head, points = rest.rsplit(" THEN ", 1)
    if head == "is missing":
        return feature, head, "", int(points)
    operator, value = head.split(" ", 1)
    return feature, operator, value if operator == ">=" else json.loads(value), int(points)
