"""Further tables of an export, where every column that they must have is there."""

from __future__ import annotations

from collections.abc import Sequence

from pipeforecast.contract import TABLES
from pipeforecast.propose.columns import Match, matches
from pipeforecast.propose.draft import Draft
from pipeforecast.propose.look import Table

_OTHERS = ("leads", "calls", "quotas", "reporting_line", "spend", "orders", "customers", "subscriptions", "rates")


def put_others(draft: Draft, tables: Sequence[Table]) -> list[Table]:
    """Write the tables that are known, each once; give those that were used."""
    used: list[Table] = []
    best: dict[str, tuple[Table, dict[str, Match]]] = {}
    for table in tables:
        kind, found = _kind(table)
        if kind is not None and (kind not in best or len(found) > len(best[kind][1])):
            best[kind] = (table, found)
    for kind, (table, found) in best.items():
        required = [n for n, c in TABLES[kind].items() if c.required]
        place = ("tables", kind)
        value: dict[str, object] = {"files": [table.files], "columns": {n: found[n].columns[0] for n in required}}
        optional = {n: m.columns[0] for n, m in found.items() if n not in required and not m.unsure}
        value |= {"optional": optional} if optional else {}
        value |= {"encoding": table.encoding} if table.encoding else {}
        draft.set(place, value)
        draft.note(place, f"{table.file}: all columns that {kind} must have are there")
        used.append(table)
    return used


def _kind(table: Table) -> tuple[str | None, dict[str, Match]]:
    """Find the table of the contract that a file is: the one with most columns whose required ones are all there."""
    best: tuple[str | None, dict[str, Match]] = (None, {})
    for kind in _OTHERS:
        found = matches(table, kind, {})
        required = {n for n, c in TABLES[kind].items() if c.required}
        sure = {n for n, m in found.items() if not m.unsure}
        if required <= sure and len(found) >= max(2, len(best[1]) + 1):
            best = (kind, found)
    return best
