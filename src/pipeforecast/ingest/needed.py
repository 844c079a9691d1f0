"""Which columns of each file a mapping reads: names and free text that nothing asks for never come into memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeforecast.expressions import ColumnOf, Condition, DateParts, LookupIn, Settings
from pipeforecast.ingest.files import Source
from pipeforecast.mapping import CrmMapping, Names

#: Columns by which CRMs mark deals as deleted or merged; they are looked at whether a mapping names them or not.
DELETED = frozenset({"isdeleted", "deleted", "archived", "isarchived", "deletedat", "deletedon", "hsisdeleted"})
MERGED = frozenset({"masterrecordid", "masterrecord", "mergedinto", "mergedintoid", "mergedto", "mergetargetid"})


#: Patterns of files, and the delimiter, encoding and sheet by which they are read.
Asked = tuple[Sequence[str], str | None, str | None, str | None]


def bare_name(name: str) -> str:
    """Reduce a column's name to letters and digits: ``Close Date``, ``close_date`` and ``CloseDate`` are one."""
    return re.sub(r"[\W_]", "", name).casefold()


def needed(mapping: CrmMapping, source: Source, path: Path) -> Callable[[str], bool]:
    """Give what tells of a name whether the mapping reads the column of ``path`` that is called so."""
    files = [(files, parts) for files, parts in _parts(mapping) if path in source.find(files)]
    names = {bare_name(name) for _, parts in files for name in _columns(parts)}
    names |= {
        bare_name(name)
        for look in _lookups([parts for _, parts in _parts(mapping)])
        if path in source.find(look.file)
        for name in (look.key, *([look.value] if isinstance(look.value, str) else _columns(look.value)))
    }
    if path in source.find(mapping.deals.files):
        names |= DELETED | MERGED
    return lambda name: bare_name(name) in names


def in_turn(mapping: CrmMapping) -> Sequence[Asked]:
    """List the files that a mapping asks for, in its order."""
    out: list[Asked] = []
    for files, parts in _parts(mapping):
        table = parts[0] if isinstance(parts, tuple) else parts
        out.append((files, table.delimiter, table.encoding, getattr(table, "sheet", None)))
        out += [(look.file, None, None, None) for look in _lookups(parts)]
    return list(dict.fromkeys(out))


def _parts(mapping: CrmMapping) -> Iterator[tuple[Sequence[str], Any]]:
    """Give all that is evaluated on rows of files, with the patterns of their names."""
    history = mapping.history
    yield mapping.deals.files, (mapping.deals, mapping.status, history.entered, history.created)
    for table in (mapping.stages.table, history.wide, *history.long, *mapping.tables.values()):
        if table is not None:
            yield table.files, table


def _columns(value: Any) -> Iterator[str]:
    """Name every column of its own rows that a part of a mapping asks for."""
    if isinstance(value, ColumnOf | Condition):
        yield value.column
    elif isinstance(value, DateParts):
        yield from (value.year, value.month, value.day)
    elif isinstance(value, LookupIn):
        yield from _columns(value.by)
    else:
        for part in _inside(value):
            yield from _columns(part)


def _lookups(value: Any) -> Iterator[LookupIn | Names]:
    if isinstance(value, LookupIn | Names):
        yield value
    for part in _inside(value):
        yield from _lookups(part)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Settings):
        yield from (getattr(value, name) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, tuple | list):
        yield from value
