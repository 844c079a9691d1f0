"""Made-up exports in the layouts of the shipped mappings, from nearly right to nonsense: for tests and for fuzzing."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st
from pydantic import BaseModel

from pipeforecast.expressions import ColumnOf, Condition
from pipeforecast.findings import findings_frame
from pipeforecast.ingest import Export, Refusals, read_export
from pipeforecast.mapping import CrmMapping, LogSettings, TableSettings, kind_of
from pipeforecast.quality import check_history

NAMES = ("generic", "salesforce", "hubspot", "dynamics", "pipedrive", "sugarcrm")
ODD = (
    "", " ", "\x00", "a\x00b", "🦄", "名前", "é", "=1+1", "-", "--", "NULL", "nan", "None", "true", "0", "-1", "1e999",
    "9" * 40,
    "1e-320", "12,5", "1.234,50", "(5)", "€ 3", "2024-02-30", "0000-00-00", "9999-12-31", "0001-01-01", "31/12/2023",
    "12/31/2023", "2024-01-05T10:00:00+14:00", "24:00", "2024-01-05 25:61:61", "1700000000", '"', '"""', "a;b", "a,b",
    "a\tb",
    "a\nb", "a\r\nb", "\ufeff", "\u202e", "x" * 5000,
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """An export: the mapping by which it is read, and the bytes of its files."""

    mapping: str
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> None:
        """Write the files into ``folder``."""
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def shipped(name: str) -> CrmMapping:
    """Give a shipped mapping."""
    return CrmMapping.model_validate(yaml.safe_load((files("pipeforecast.configs") / f"crm/{name}.yaml").read_text()))


def read_whole(mapping: CrmMapping, folder: Path, refusals: Refusals | None = None) -> Export:
    """Read an export, with ``refusals`` as ``check`` does, make its tables, and hold it to the law of accounting."""
    export = read_export(mapping, folder, refusals)
    findings_frame([*export.findings, *check_history(export.history)])
    rows, left = export.ledger.rows(), export.ledger.excluded()
    export.ledger.repairs()
    assert (rows["rows"] == rows["used"] + rows["excluded"]).all(), rows
    assert (rows["used"] >= 0).all(), rows
    assert len(left) == rows["excluded"].sum()
    deals = rows[(rows["table"] == "deals").to_numpy()]
    assert deals["used"].iloc[-1] <= len(export.history.deals)
    tie = export.tie
    cents = {c: (100 * tie[c]).round().sum() for c in tie if c.endswith("amount")}
    assert cents["raw_amount"] == cents["used_amount"] + cents["excluded_amount"], tie
    assert tie["raw_count"].sum() == tie["used_count"].sum() + tie["excluded_count"].sum()
    return export


def columns_of(value: Any, kind: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every source column of an expression: its name, the kind that is wanted, and texts that it knows."""
    if isinstance(value, ColumnOf):
        yield value.column, kind, tuple(value.values)
    elif isinstance(value, Condition):
        yield value.column, "text", value.is_
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in ("lookup", "date_from"):
                yield from columns_of(getattr(value, name), kind)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from columns_of(part, kind)


def table_columns(mapping: CrmMapping, settings: TableSettings, table: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Source columns of a table by name: kind, and texts that it knows."""
    out: dict[str, tuple[str, tuple[str, ...]]] = {}
    for canonical, expression in settings.expressions().items():
        known = tuple(s.stage for s in mapping.stages.list) if canonical == "stage" else ()
        known = ("EUR",) if canonical == "currency" else known
        for name, kind, texts in columns_of(expression, kind_of(table, canonical) or "text"):
            out.setdefault(name, (kind, texts or known))
    for condition in settings.exclude:
        out.setdefault(condition.column, ("text", ("no",) * 9 + condition.is_))
    if table == "deals":
        for way in (mapping.status.value, mapping.status.closed, mapping.status.won):
            for name, _, texts in columns_of(way, "flag"):
                out[name] = (
                    "text",
                    texts or ("open", "won", "lost") if way is mapping.status.value else ("true", "false"),
                )
    return out


def log_columns(log: LogSettings) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Source columns of a log of single fields."""
    fields = tuple(n for c, f in log.fields.items() if kind_of("deals", c) == "text" for n in f.field)
    out = {n: ("id", ()) for n, _, _ in columns_of(log.deal_id, "id")}
    out |= {n: ("time", ()) for n, _, _ in columns_of(log.changed_at, "time")}
    out |= {n: ("text", fields) for n, _, _ in columns_of(log.field, "text")}
    out |= {c.column: ("text", ()) for c in (log.old, log.value) if c is not None}
    return out


def good(kind: str, texts: tuple[str, ...], i: int, rng: random.Random) -> str:
    """A cell as it should be."""
    if texts:
        return rng.choice(texts)
    if kind == "id":
        return f"D{i}"
    if kind in ("date", "time"):
        day = f"2023-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        return f"{day} {rng.randint(0, 23):02d}:30:00" if kind == "time" else day
    if kind == "flag":
        return rng.choice(("true", "false"))
    if kind in ("money", "number"):
        return str(rng.choice((0, 1, 5, 50, 0.5, 1234.5)))
    return rng.choice(("open", "open", "won", "lost", "Alpha", "Beta", ""))


def odd(kind: str, texts: tuple[str, ...], share: float, rng: random.Random) -> bool:
    """Whether a cell is odd: mostly where any text may stand, for elsewhere it would end the reading at once."""
    return rng.random() < (share if kind in ("id", "text") and not texts else share / 50)


def csv_text(header: list[str], rows: list[list[str]], delimiter: str, quote: bool) -> str:
    """Write a table as text, quoted rightly or not at all."""

    def cell(text: str) -> str:
        needs = quote and any(c in text for c in (delimiter, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if needs else text

    return "\n".join(delimiter.join(cell(c) for c in row) for row in [header, *rows]) + "\n"


@st.composite
def exports(draw: st.DrawFn) -> Made:
    """Exports of any shipped layout: few or many odd cells, odd headers, encodings, delimiters, broken bytes."""
    name = draw(st.sampled_from(NAMES))
    mapping = shipped(name)
    rng = random.Random(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from((0.0, 0.01, 0.05, 0.5)))
    texts = (*ODD, *draw(st.lists(st.text(max_size=20), max_size=4)))
    n = draw(st.sampled_from((0, 1, 2, 7, 7, 30, 30)))
    tables = {"deals": (mapping.deals.files[0], table_columns(mapping, mapping.deals, "deals"))}
    if mapping.history.wide is not None and draw(st.booleans()):
        wide = mapping.history.wide
        tables["changes"] = (wide.files[0], table_columns(mapping, wide, "changes"))
    for i, log in enumerate(mapping.history.long):
        if draw(st.booleans()):
            tables[f"log {i}"] = (log.files[0], log_columns(log))
    for table, settings in mapping.tables.items():
        if draw(st.integers(0, 4)) == 0:
            tables[table] = (settings.files[0], table_columns(mapping, settings, table))
    made: dict[str, bytes] = {}
    days = draw(st.sampled_from(("", "", "", "2024-01-05/")))
    for table, (stem, columns) in tables.items():
        rows = [
            [rng.choice(texts) if odd(*columns[c], share, rng) else good(*columns[c], i, rng) for c in columns]
            for i in range(n if table == "deals" else rng.randint(0, n))
        ]
        header = list(columns)
        if draw(st.integers(0, 19)) == 0 and header:
            header[rng.randrange(len(header))] = rng.choice((*texts, header[0]))
        text = csv_text(header, rows, draw(st.sampled_from(",,,;\t|")), draw(st.integers(0, 9)) > 0)
        data, ending = draw(encoded(text))
        made[days + stem.replace("*", "x") + ending] = data
    if days:
        made[days.replace("05", "12") + next(iter(made)).removeprefix(days)] = next(iter(made.values()))
    return Made(name, made)


@st.composite
def encoded(draw: st.DrawFn, text: str) -> tuple[bytes, str]:
    """Bytes of a file and its ending: mostly UTF-8, sometimes another encoding, packed, cut short or overwritten."""
    how = draw(st.sampled_from(("utf-8",) * 12 + ("bom", "utf-16", "cp1252", "gz", "cut", "noise", "xlsx", "parquet")))
    plain = text.encode("utf-8", "surrogatepass")
    if how == "bom":
        return b"\xef\xbb\xbf" + plain, ".csv"
    if how in ("utf-16", "cp1252"):
        return text.encode(how, "replace"), ".csv"
    if how == "gz":
        packed = gzip.compress(plain, mtime=0)
        return packed[: draw(st.integers(0, len(packed)))], ".csv.gz"
    if how == "cut":
        return plain[: draw(st.integers(0, len(plain)))], ".csv"
    if how == "noise":
        at = draw(st.integers(0, len(plain)))
        return plain[:at] + draw(st.binary(max_size=40)) + plain[at:], ".csv"
    return plain, f".{how}" if how in ("xlsx", "parquet") else ".csv"
