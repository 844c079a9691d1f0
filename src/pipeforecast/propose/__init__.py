"""From an unknown export to a proposed mapping: every choice with its reason, every doubt asked and never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeforecast.address import Address
from pipeforecast.errors import DataError, PipeforecastError, some
from pipeforecast.ingest import Export, LeadExport, read_export, read_leads
from pipeforecast.ingest.databases import source_at
from pipeforecast.ingest.exports import dated_exports
from pipeforecast.mapping import NO_DEALS, CrmMapping
from pipeforecast.propose.closing import put_close
from pipeforecast.propose.columns import check_named
from pipeforecast.propose.deals import DealTable, find_deals, put_columns, put_roles, put_status
from pipeforecast.propose.draft import Draft, written
from pipeforecast.propose.layouts import fitting, renamed_logs
from pipeforecast.propose.logs import moves_of_days, put_logs, put_stages, scale_probability
from pipeforecast.propose.look import Looked, Table, look
from pipeforecast.propose.others import put_others
from pipeforecast.propose.words import known, plain, shipped
from pipeforecast.propose.writing import put_currency, put_writing

_KEYS = ("defaults", "name", "currency", "close_date", "dates", "numbers", "missing", "deals", "status", "stages",
         "history", "roles", "tables")  # fmt: skip
Where = Address | Path | str


@dataclass(frozen=True)
class Proposal:
    """A proposed mapping.

    Attributes
    ----------
    text : str
        The file ``configs/crm/NAME.yaml``.
    base : str or None
        The shipped mapping that it extends.
    said : tuple of str
        What each table was taken for.
    doubts : tuple of str
        What a person must look at.
    export : Export, LeadExport or None
        The export as it reads by the proposal; None if a doubt has to be settled first, which ``stopped`` says.
    """

    text: str
    base: str | None
    said: tuple[str, ...]
    doubts: tuple[str, ...]
    export: Export | LeadExport | None
    stopped: str = ""


def propose(source: Where, name: str, named: Mapping[str, str]) -> Proposal:
    """Propose a mapping for an export.

    Parameters
    ----------
    source : path or address
    name : str
        What the mapping is called.
    named : mapping of canonical column of deals to heading
        What the user knows better.

    Raises
    ------
    DataError
        If no table holds deals, or nothing tells won from lost.
    SettingsError
        If ``named`` names what is not there.
    """
    looked = look(source, known)
    check_named(named, looked.tables)
    found = None if named else fitting(looked.tables)
    if found is not None:
        return _extended(source, name, looked, *found)
    draft, said = _anew(name, looked, named)
    export, stopped = _tried(source, draft.mapping)
    if export is None and "tables" in draft.mapping:
        fewer = {k: v for k, v in draft.mapping.items() if k != "tables"}
        again, _ = _tried(source, fewer)
        if again is not None:
            draft.mapping.pop("tables")
            draft.doubts.append(f"the tables beside the deals were left out, as they do not read: {stopped}")
            draft.tail.append(f"tables beside the deals do not read and were left out: {stopped}")
            export, stopped = again, ""
    return _proposal(draft, _head(source, looked, None), None, (*said, *looked.unread), export, stopped)


def _proposal(
    draft: Draft, head: list[str], base: str | None, said: Sequence[str], export: Export | LeadExport | None,
    stopped: str,
) -> Proposal:  # fmt: skip
    draft.mapping = {k: draft.mapping[k] for k in _KEYS if k in draft.mapping}
    return Proposal(written(draft, head), base, tuple(said), tuple(draft.doubts), export, stopped)


def _anew(name: str, looked: Looked, named: Mapping[str, str]) -> tuple[Draft, list[str]]:
    """Write a mapping from names and values alone."""
    draft = Draft({"name": name})
    made = find_deals(looked.tables, named)
    put_columns(draft, made)
    put_status(draft, made)
    put_close(draft, made)
    scale_probability(draft, ("deals", "optional"), made.table.frame)
    rest = [t for t in looked.tables if t is not made.table]
    logs, moves = put_logs(draft, made, rest)
    others = put_others(draft, [t for t in rest if not any(t is u for u in logs)])
    put_stages(draft, made, moves or moves_of_days(looked, made))
    put_roles(draft, made)
    put_writing(draft, made, list(looked.tables))
    put_currency(draft, made)
    used = [*logs, *others]
    said = [f"{made.table.file}: deals ({len(made.table.frame):,} rows, {len(made.found)} columns known)"]
    said += [f"{t.file}: {'change log' if any(t is u for u in logs) else 'a further table'}" for t in used]
    if looked.days:
        said.append(f"{len(looked.days)} dated exports: their differences are the history")
    elif not logs:
        draft.doubts.append(
            "no change log: the past of deals is unknown; `pipeforecast keep` makes one of dated exports"
        )
    _say_unused(draft, made, [t for t in rest if not any(t is u for u in used)])
    return draft, said


def _say_unused(draft: Draft, made: DealTable, tables: Sequence[Table]) -> None:
    mapped = {c for m in made.found.values() for c in m.columns}
    status = str(draft.mapping["status"])
    left = [str(c) for c in made.table.frame.columns if c not in mapped and repr(str(c)) not in status]
    if left:
        draft.tail += ["", f"Not read of {made.table.file}: {some(left, 40)}.",
                       "Facts among them may be kept: deals.keep: {text: {sector: HEADING}, number: {size: HEADING}};",
                       "name them under roles.birth only if they never change after a deal's creation."]  # fmt: skip
    if tables:
        draft.tail.append(f"Not read: {some((t.file for t in tables), 20)}.")


def _extended(source: Where, name: str, looked: Looked, base: str, table: Table) -> Proposal:
    """Extend the shipped mapping that fits, by what differs here."""
    draft = Draft({"defaults": [base, "_self_"], "name": name})
    mapping = shipped()[base]
    leads = mapping.deals == NO_DEALS
    place: tuple[str, ...] = ("tables", "leads") if leads else ("deals",)
    files = mapping.tables["leads"].files if leads else mapping.deals.files
    opened = source_at(source, [])
    if not opened.find(files) and not (not leads and dated_exports(mapping, opened)):
        draft.set((*place, "files"), [table.files])
    if table.encoding:
        draft.set((*place, "encoding"), table.encoding)
    said = [f"{table.file}: has the columns of crm={base}, which this mapping extends"]
    rest = [t for t in looked.tables if t is not table]
    for kind, log, seen in [] if leads or looked.days else renamed_logs(mapping, rest, lambda f: bool(opened.find(f))):
        said.append(f"{seen.file}: has the columns of the change log of crm={base}")
        if kind == "wide":
            draft.set(("history", "wide", "files"), [seen.file])
        else:
            draft.set(("history", "long"), [{**log, "files": [seen.file]}])
    export, stopped = _tried(source, _merged(plain(base), draft.mapping))
    if export is None and not leads:
        _mend(draft, looked, table, mapping)
        export, stopped = _tried(source, _merged(plain(base), draft.mapping))
    return _proposal(draft, _head(source, looked, base), base, (*said, *looked.unread), export, stopped)


def _mend(draft: Draft, looked: Looked, table: Table, mapping: CrmMapping) -> None:
    """Write what differs from the shipped layout: how days and numbers are written, and the company's own stages."""
    made = find_deals([table], {})
    scratch = Draft({"name": "", "close_date": mapping.close_date})
    put_columns(scratch, made)
    try:
        put_status(scratch, made)
    except DataError:
        made.status = None
    stage = mapping.deals.expressions().get("stage")
    renamed = getattr(stage, "values", {})
    frame = made.table.frame
    if renamed and "stage" in made.found:
        column = made.found["stage"].columns[0]
        frame = frame.assign(**{column: frame[column].map(lambda s: renamed.get(s, s)).astype(frame[column].dtype)})
        made = DealTable(replace(table, frame=frame), made.found, made.status)
    _, moves = put_logs(scratch, made, [t for t in looked.tables if t is not table])
    put_writing(draft_writing := Draft({"deals": scratch.mapping["deals"]}), made, list(looked.tables))
    for key in ("dates", "numbers"):
        draft.mapping[key] = draft_writing.mapping[key]
    draft.notes |= {k: v for k, v in draft_writing.notes.items() if k[0] in ("dates", "numbers")}
    draft.doubts += draft_writing.doubts
    names = {s.stage for s in mapping.stages.list}
    if "stage" in made.found and names and not set(frame[made.found["stage"].columns[0]]) - {""} <= names:
        put_stages(draft, made, moves or moves_of_days(looked, made))


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another as Hydra does: dictionaries are joined, everything else is replaced."""
    out = dict(base)
    for key, value in over.items():
        if key == "defaults":
            continue
        if key == "stages" and isinstance(out.get(key), list):
            out[key] = {"list": out[key]}
        old = out.get(key)
        out[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return out


def _tried(source: Where, mapping: Mapping[str, Any]) -> tuple[Export | LeadExport | None, str]:
    """Read the export by a mapping; what stops it, if it does not read."""
    try:
        judged = CrmMapping.model_validate(dict(mapping))
        if "deals" not in mapping:
            return read_leads(judged, source), ""
        return read_export(judged, source), ""
    except PipeforecastError as error:
        return None, str(error)


def _head(source: Where, looked: Looked, base: str | None) -> list[str]:
    name = source.name if isinstance(source, Address) else Path(source).name
    return [
        f"Proposed by `pipeforecast init` from {name} ({some((t.file for t in looked.tables), 6)}).",
        *([f"Has the columns of crm={base}, which it extends: what is not here is as there."] if base else []),
        "A line that begins with '# ?' is a question: look at it, choose, and remove the mark.",
    ]
