"""The page about settings, made from the classes that judge them and the files that ship."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from verbs_page import cell

from pipeforecast.manual import PAGES
from pipeforecast.settings import SETTINGS, RunSettings

_HEAD = """# Settings

Made from the classes that judge them (pydantic) and the files under `configs/` (Hydra). Any key is set in a call as
`key=value`, one of a section as `section.key=value`; `pipeforecast VERB --cfg job` shows what a call would run with.
An unknown key is an error. A `configs/` folder in the working directory comes before what ships.
"""
_COLUMNS = "| key | kind | default | says |\n|---|---|---|---|"
_MANY = 8


def page() -> str:
    """Give the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def sections() -> list[type[BaseModel]]:
    """Give every class of settings that a verb's settings hold, at any depth, in the order of their first use."""
    found: dict[type[BaseModel], None] = {}

    def look(model: type[BaseModel]) -> None:
        for field in model.model_fields.values():
            for inner in _models(field.annotation):
                if inner not in found:
                    found[inner] = None
                    look(inner)

    for settings in SETTINGS.values():
        look(settings)
    return list(found)


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Of every verb\n"
    yield from _table(RunSettings, RunSettings.model_fields)
    for verb, settings in SETTINGS.items():
        own = {k: f for k, f in settings.model_fields.items() if k not in RunSettings.model_fields}
        yield f"\n## Of {verb}\n\nDefaults: `configs/{verb}.yaml`.\n"
        yield from _table(settings, own) if own else ["Only those of every verb."]
    yield "\n## Sections\n"
    for model in sections():
        yield f"\n### {_title(model)} {{ #{_anchor(model)} }}\n\n{_plain(_summary(model))}\n"
        yield from _table(model, model.model_fields)
    yield "\n## Files that ship\n\n`group=NAME` chooses one; one of your own `configs/GROUP/` comes first.\n"
    yield from _shipped()


def _table(model: type[BaseModel], fields: dict[str, FieldInfo]) -> Iterator[str]:
    schema = model.model_json_schema(mode="validation")
    yield _COLUMNS
    for name, field in fields.items():
        inner, key = _models(field.annotation), field.alias or name
        kind = _links(inner) if inner else _kind(schema["properties"][key], schema.get("$defs", {}))
        said = (
            field.description
            or _attributes(model).get(name)
            or _told(name)
            or (_summary(inner[0]) if len(inner) == 1 else "")
        )
        yield f"| `{key}` | {cell(kind)} | {_default(field, inner)} | {cell(_plain(said))} |"


def _told(name: str) -> str:
    """Find what the program's help says of a setting of that name."""
    found = (text for told in PAGES.values() for key, text in told.overrides.items() if key.split("=")[0] == name)
    return re.sub(r" \(default[^()]*\)", "", next(found, ""))


def _links(inner: list[type[BaseModel]]) -> str:
    if len(inner) > _MANY // 2:
        return "one of: " + ", ".join(f"[{_title(m)}](#{_anchor(m)})" for m in inner)
    return " or ".join(f"[{_title(m)}](#{_anchor(m)})" for m in inner)


def _default(field: FieldInfo, inner: list[type[BaseModel]]) -> str:
    if field.is_required():
        return "to be given"
    value = field.get_default(call_default_factory=True, validated_data={})
    if inner and isinstance(value, BaseModel):
        return "its own" if len(inner) == 1 else f"`{getattr(value, 'kind', '')}`"
    if value is PydanticUndefined or value is None:
        return "none"
    if isinstance(value, Path) and value.is_relative_to(Path.cwd()):
        value = value.relative_to(Path.cwd())
    if isinstance(value, tuple | list):
        return f"`[{', '.join(str(v) for v in value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if str(value) else "empty"


def _kind(told: dict[str, Any], defs: dict[str, Any]) -> str:
    """Say in words what a JSON schema asks for."""
    if "$ref" in told:
        return _kind(defs[told["$ref"].rpartition("/")[2]], defs)
    if "enum" in told or "const" in told:
        return ", ".join(f"`{v}`" for v in told.get("enum", [told.get("const")]))
    if "anyOf" in told or "oneOf" in told:
        return " or ".join(dict.fromkeys(_kind(t, defs) for t in told.get("anyOf", told.get("oneOf", []))))
    kind = told.get("format") or told.get("type", "any value")
    if kind == "array":
        return f"list of {_kind(told.get('items', {}), defs)}"
    words = {
        "string": "text",
        "object": "mapping",
        "null": "none",
        "integer": "whole number",
        "boolean": "true or false",
    }
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {told[key]:g}" for key, sign in bounds.items() if key in told]
    return words.get(kind, kind) + (f" {', '.join(limits)}" if limits else "")


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Find the classes of settings in an annotation."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in get_args(annotation) for m in _models(inner)]


@cache
def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Read what the docstrings of a class and its parents say of each attribute."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        told = inspect.cleandoc(parent.__doc__ or "").partition("Attributes\n----------\n")[2]
        for names, text in re.findall(r"^(\w[\w, ]*) :[^\n]*\n((?:    [^\n]*\n?)+)", told + "\n", re.M):
            found.update(dict.fromkeys(names.split(", "), " ".join(text.split())))
    return found


def _summary(model: type[BaseModel]) -> str:
    return " ".join(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0].split())


def _plain(text: str) -> str:
    return text.replace("``", "`")


def _title(model: type[BaseModel]) -> str:
    words = re.findall(r"[A-Z][a-z]+", re.sub("Settings$", "", model.__name__))
    return " ".join(words).capitalize()


def _anchor(model: type[BaseModel]) -> str:
    return model.__name__.lower()


def _shipped() -> Iterator[str]:
    root = Path(str(files("pipeforecast.configs")))
    for group in sorted({p.parent.name for p in root.glob("*/*.yaml")}):
        yield f"\n### {group}\n"
        for path in sorted((root / group).glob("*.yaml")):
            said = re.match(r"(?:# @package[^\n]*\n)?((?:#[^\n]*\n)*)", path.read_text(encoding="utf-8"))
            text = " ".join(line.lstrip("# ") for line in said.group(1).splitlines()) if said else ""
            yield f"- `{group}={path.stem}`" + (f": {text}" if text else "")
