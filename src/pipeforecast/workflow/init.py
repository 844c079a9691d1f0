"""Propose a mapping for an unknown export, show what it reads, write the file, say what comes next."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd

from pipeforecast.address import Address
from pipeforecast.errors import SettingsError
from pipeforecast.ingest import Export
from pipeforecast.outbox import OutputError, refuse_existing, settings_file
from pipeforecast.propose import Proposal, propose
from pipeforecast.propose.words import shipped
from pipeforecast.run import say
from pipeforecast.settings import InitSettings

_SHOWN = ("deal_id", "created_at", "closed_at", "expected_close", "outcome", "stage", "amount", "currency",
          "probability", "owner", "lead_id", "status", "converted")  # fmt: skip


def init(settings: InitSettings) -> str:
    """Propose a mapping for an unknown export and write it."""
    name = settings.name or _name_of(settings.source)
    target = place_of(name, settings.force)
    say(f"looking at {settings.source}")
    made = propose(settings.source, name, settings.columns)
    with settings_file(target, "name", settings.force) as draft:
        draft.write_text(made.text, encoding="utf-8")
    return _told(settings, name, target, made)


def _told(settings: InitSettings, name: str, target: Path, made: Proposal) -> str:
    lines = [*made.said]
    if made.base:
        lines.append(f"The shipped mapping crm={made.base} fits; the new one refers to it.")
    if made.export is not None:
        lines += ["", "Ten rows as they would be read:", _ten_rows(made), ""]
    if made.doubts:
        lines += [f"{len(made.doubts)} questions for you:", *(f"  ? {doubt}" for doubt in made.doubts)]
    lines.append(f"written: {target}")
    if made.stopped:
        lines.append(f"It does not read yet: {made.stopped}")
        lines.append("Settle that in the file first, then:")
    source = str(settings.source)
    lines.append(f"next: pipeforecast check crm={name} source={shlex.quote(source)}")
    return "\n".join(lines)


def _ten_rows(made: Proposal) -> str:
    """Show ten rows; signs that steer a terminal are taken out."""
    export = made.export
    if isinstance(export, Export):
        frame = export.history.deals
    else:
        frame = pd.DataFrame() if export is None else export.tables.get("leads", pd.DataFrame())
    columns = [c for c in _SHOWN if c in frame and frame[c].notna().any()] or list(frame.columns[:8])
    shown = frame[columns].head(10).astype("object")
    shown = shown.map(lambda v: "" if pd.isna(v) else _cell(v))
    return shown.to_string(index=False)


def _cell(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    text = f"{value:,.2f}" if isinstance(value, float) else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= 24 else text[:23] + "…"


def _name_of(source: Address | Path) -> str:
    name = source.name if isinstance(source, Address) else source.name.split(".")[0]
    bare = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") or "ours"
    return f"our_{bare}" if bare in shipped() else bare[:60]


def place_of(name: str, force: bool) -> Path:
    """Give the file of a mapping's name in the working directory.

    Raises
    ------
    SettingsError
        If the name leads elsewhere or is that of a shipped mapping, or the file is there and ``force`` is false.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise SettingsError(f"name: expected letters, digits, _ and -, came {name!r}")
    if name in shipped():
        raise SettingsError(f"name: {name!r} is a mapping that ships; take another, such as name=our_{name}")
    folder = Path.cwd() / "configs" / "crm"
    home = (Path.cwd() / "configs").resolve()
    if folder.resolve() != home / "crm":
        raise OutputError(f"{folder}: expected a folder inside configs/, came a link that leads elsewhere")
    target = folder / f"{name}.yaml"
    refuse_existing(target, "name", force)
    return target
