"""A mapping that is being proposed: plain values, and a reason or a doubt beside each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ .\-/]*[A-Za-z0-9_]|[A-Za-z_]")
_RESERVED = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|none|nan")
Path = tuple[str | int, ...]


@dataclass
class Draft:
    """Values as a mapping file has them; ``notes`` are comments by place, ``doubts`` is what a person must look at."""

    mapping: dict[str, Any] = field(default_factory=dict)
    notes: dict[Path, list[str]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    def note(self, place: Path, text: str) -> None:
        """Say beside a place why it is as it is."""
        self.notes.setdefault(place, []).append(one_line(text))

    def doubt(self, place: Path, text: str, *alternatives: str) -> None:
        """Say beside a place, and on the screen, what is not known; alternatives stand as comments."""
        self.doubts.append(one_line(text))
        self.notes.setdefault(place, []).extend([f"? {one_line(text)}", *(f"    {one_line(a)}" for a in alternatives)])

    def set(self, place: Path, value: Any) -> None:
        """Set a value at a place, and make the places above it."""
        node: Any = self.mapping
        for key in place[:-1]:
            node = node.setdefault(key, {})
        node[place[-1]] = value


def one_line(text: str) -> str:
    """Keep a comment on its line, whatever the data hold."""
    return "".join(c if c.isprintable() else " " for c in text)[:400]


def written(draft: Draft, head: list[str]) -> str:
    """Write a draft as YAML with its notes as comments."""
    lines = [f"# {one_line(text)}".rstrip() for text in head]
    lines += _entries(draft.mapping, (), draft.notes, 0)
    lines += [f"# {one_line(text)}" for text in draft.tail]
    return "\n".join(lines) + "\n"


def _entries(node: Mapping[str, Any], place: Path, notes: Mapping[Path, list[str]], depth: int) -> list[str]:
    pad, out = "  " * depth, []
    for key, value in node.items():
        here = (*place, key)
        out += [f"{pad}# {text}" for text in notes.get(here, [])]
        if isinstance(value, Mapping) and value and not _short(value, here, notes):
            out += [f"{pad}{scalar(key)}:", *_entries(value, here, notes, depth + 1)]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            out.append(f"{pad}{scalar(key)}:")
            for i, item in enumerate(value):
                out += [f"{pad}  # {text}" for text in notes.get((*here, i), [])]
                out.append(f"{pad}  - {flow(item)}")
        else:
            out.append(f"{pad}{scalar(key)}: {flow(value)}")
    return out


def _short(value: Mapping[str, Any], place: Path, notes: Mapping[Path, list[str]]) -> bool:
    inside = any(p[: len(place)] == place and len(p) > len(place) for p in notes)
    return not inside and len(flow(value)) < 70 and len(place) > 1


def flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Write a text so that YAML reads the same text, and Hydra finds nothing to fill in."""
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    return json.dumps(text.replace("${", "\\${"), ensure_ascii=False)
