"""What headings and values are called: five languages, and the raw columns of the mappings that ship."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from pipeforecast.contract import LOST, OPEN, TABLES, WON
from pipeforecast.expressions import ColumnOf, FirstOf
from pipeforecast.mapping import CrmMapping, TableSettings
from pipeforecast.names import LANGUAGES, names_in, same

_SAID: Mapping[str, tuple[str, ...]] = {
    WON: ("won", "closed won", "win", "wygrana", "wygrany", "wygrane", "sprzedane", "赢单", "成交", "成功", "menang",
          "dimenangkan", "berjaya", "berhasil"),
    LOST: ("lost", "closed lost", "loss", "przegrana", "przegrany", "przegrane", "utracona", "stracona", "输单", "丢单",
           "失败", "kalah", "gagal", "hilang"),
    OPEN: ("open", "in progress", "active", "otwarta", "otwarty", "otwarte", "w toku", "aktywna", "进行中", "打开",
           "跟进中", "terbuka", "dibuka", "buka", "berjalan", "sedang berjalan", "aktif"),
}  # fmt: skip
#: Headings that have no column of their own in the contract.
FLAGS: Mapping[str, tuple[str, ...]] = {
    "closed": ("is closed", "closed", "zamknięta", "czy zamknięta", "是否关闭", "已关闭", "ditutup", "sudah ditutup",
               "telah ditutup"),
    "won": ("is won", "won", "wygrana", "czy wygrana", "是否赢单", "已赢单", "menang", "dimenangkan", "dimenangi"),
}  # fmt: skip
OLD = ("old value", "before value", "before value string", "previous value", "stara wartość", "poprzednia wartość",
       "旧值", "原值", "变更前的值", "nilai lama", "nilai sebelum perubahan")  # fmt: skip
MISSING = ("null", "na", "n/a", "#n/a", "nan", "none", "-", "--", "brak", "无", "(blank)")


def status_of(word: str) -> str | None:
    """Tell what a status or a stage says by itself: won, lost, open, or nothing."""
    bare = same(word)
    for status in (LOST, WON, OPEN):
        for said in map(same, _SAID[status]):
            if bare == said or (status != OPEN and len(bare) > len(said) and bare.endswith(said) and len(said) > 1):
                return status
    return None


@cache
def shipped() -> Mapping[str, CrmMapping]:
    """Give the mappings that ship."""
    root = files("pipeforecast.configs") / "crm"
    names = sorted(f.name.removesuffix(".yaml") for f in root.iterdir() if f.name.endswith(".yaml"))
    return {name: CrmMapping.model_validate(plain(name)) for name in names}


def plain(name: str) -> dict[str, Any]:
    """Give a shipped mapping as it is written."""
    file = files("pipeforecast.configs") / "crm" / f"{name}.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def _raw(expression: Any) -> Iterator[str]:
    if isinstance(expression, ColumnOf):
        yield expression.column
    elif isinstance(expression, FirstOf):
        for part in expression.first_of:
            yield from _raw(part)


def _of(table: TableSettings) -> Iterator[tuple[str, str]]:
    for canonical, expression in {**table.columns, **table.optional}.items():
        for column in _raw(expression):
            yield column, canonical


@cache
def aliases(table: str) -> Mapping[str, tuple[str, ...]]:
    """Give the canonical columns that each heading may mean in a table, the likelier first; look up by ``same``."""
    found: dict[str, list[str]] = {}

    def add(heading: str, canonical: str) -> None:
        if canonical in TABLES[table] and canonical not in found.setdefault(same(heading), []):
            found[same(heading)].append(canonical)

    for canonical in TABLES[table]:
        add(canonical, canonical)
    for language in LANGUAGES:
        names = names_in(language)
        for canonical in TABLES[table]:
            for heading in names.column(table, canonical):
                add(heading, canonical)
    for name, mapping in shipped().items():
        for heading, canonical in _raw_columns(mapping, table):
            if name not in ("bank_marketing", "hotel_bookings"):
                add(heading, canonical)
    return {heading: tuple(names) for heading, names in found.items() if heading}


def _raw_columns(mapping: CrmMapping, table: str) -> Iterator[tuple[str, str]]:
    if table == "deals":
        yield from _of(mapping.deals)
    elif table == "changes":
        if mapping.history.wide is not None:
            yield from _of(mapping.history.wide)
        for log in mapping.history.long:
            for canonical in ("deal_id", "changed_at", "field", "value"):
                for column in _raw(getattr(log, canonical)):
                    yield column, canonical
    elif table == "stages" and mapping.stages.table is not None:
        yield from _of(mapping.stages.table)
    elif table in mapping.tables:
        yield from _of(mapping.tables[table])


@cache
def fields() -> Mapping[str, str]:
    """Give the canonical column of a field's name in a change log; look up by ``same``."""
    out = {heading: names[0] for heading, names in aliases("deals").items()}
    for mapping in shipped().values():
        for log in mapping.history.long:
            for canonical, settings in log.fields.items():
                out |= {same(f): canonical for f in settings.field}
    return out


def known(heading: str) -> bool:
    """Tell whether a heading means something in any table."""
    bare = same(heading)
    return bool(bare) and any(bare in aliases(table) for table in ("deals", "changes", "leads"))
