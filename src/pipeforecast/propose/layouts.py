"""Whether the export has the layout of a mapping that ships, which is then extended and not written anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from pipeforecast.expressions import ColumnOf, Condition, Lookup
from pipeforecast.mapping import NO_DEALS, CrmMapping, LogSettings, TableSettings
from pipeforecast.names import same
from pipeforecast.propose.look import Table
from pipeforecast.propose.words import shipped

_FEW = 4


def fitting(tables: Sequence[Table]) -> tuple[str, Table] | None:
    """Name the shipped mapping whose needed columns are all in one table, the one with most columns known."""
    best: tuple[int, str, Table] | None = None
    for name, mapping in shipped().items():
        table, needed = _wanted(mapping)
        if len(needed) < _FEW:
            continue
        optional = {
            same(c) for c in _raw_of([*table.optional.values(), *(e for k in table.keep.values() for e in k.values())])
        }
        for seen in tables:
            there = {same(str(c)) for c in seen.frame.columns}
            score = 10 * len(needed) + len(optional & there)
            if needed <= there and (best is None or score > best[0]):
                best = (score, name, seen)
    return None if best is None else best[1:]


def renamed_logs(
    mapping: CrmMapping, tables: Sequence[Table], there: Callable[[Sequence[str]], bool]
) -> Iterator[tuple[str, dict[str, Any], Table]]:
    """Find the change logs of a shipped mapping under other names: each a table with the columns that the log needs.

    Parameters
    ----------
    tables : the tables beside the deals
    there : whether one of these files is there under its own name

    Yields
    ------
    ``wide`` or ``long``, what the mapping says of the log, and the table.
    """
    wide = mapping.history.wide
    logs: list[tuple[str, TableSettings | LogSettings]] = [("wide", wide)] if wide is not None else []
    logs += [("long", log) for log in mapping.history.long]
    if any(there(log.files) for _, log in logs):
        return
    for kind, log in logs:
        names = {same(c) for c in _raw_of(_needed(log))}
        for seen in tables:
            if names <= {same(str(c)) for c in seen.frame.columns}:
                yield kind, log.model_dump(mode="json", by_alias=True, exclude_defaults=True), seen
                return


def _needed(log: TableSettings | LogSettings) -> list[Any]:
    if isinstance(log, TableSettings):
        return list(log.columns.values())
    return [log.deal_id, log.changed_at, log.field, log.value]


def _wanted(mapping: CrmMapping) -> tuple[TableSettings, set[str]]:
    """Give the main table of a mapping and the headings that it cannot do without."""
    if mapping.deals == NO_DEALS:
        table = mapping.tables["leads"]
        kept = [e for columns in table.keep.values() for e in columns.values()]
        return table, {same(c) for c in _raw_of([*table.columns.values(), *kept])}
    needed = [*mapping.deals.columns.values(), mapping.status.value, mapping.status.closed, mapping.status.won]
    return mapping.deals, {same(c) for c in _raw_of(needed)}


def _raw_of(node: Any) -> Iterator[str]:
    """List the headings of a table's own columns; those of other files are not among them."""
    if isinstance(node, ColumnOf | Condition):
        yield node.column
    elif isinstance(node, Lookup):
        yield from _raw_of(node.lookup.by)
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            value = getattr(node, name)
            if isinstance(value, str) and name in ("year", "month", "day"):
                yield value
            else:
                yield from _raw_of(value)
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _raw_of(value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            yield from _raw_of(value)
