"""A failed validation in a few lines: which key, what was expected, what came, which key was perhaps meant."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeforecast.errors import some
from pipeforecast.guess import nearest

MOST = 3
WIDEST = 60


def complaint(model: type[BaseModel], error: ValidationError) -> str:
    """Say at most three failures of ``error``, one line each."""
    failures = error.errors(include_url=False)
    lines = [_line(model, failure) for failure in failures[:MOST]]
    more = len(failures) - MOST
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def _line(model: type[BaseModel], failure: Any) -> str:
    keys = _without_tags(model, failure["loc"])
    name, kind, context = ".".join(keys), failure["type"], failure.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known(model, keys[:-1])
        return f"{name}: there is no such setting{nearest(keys[-1], known)} Known here: {some(known, 20)}"
    if kind == "missing":
        return f"{name}: nothing was given; say {name}=VALUE"
    if kind == "union_tag_invalid":
        tags = str(context["expected_tags"])
        return f"{name}.kind: expected one of {tags}, came {context['tag']!r}"
    if kind == "union_tag_not_found":
        return f"{name}: expected a mapping with 'kind', came {_short(failure['input'])}"
    message = str(failure["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "expected", 1)
    came = "" if "came" in message else f", came {_short(failure['input'])}"
    return f"{name or 'settings'}: {message}{came}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _without_tags(model: type[BaseModel], place: tuple[object, ...]) -> list[str]:
    """Drop from a place what pydantic adds for a union's branch: no user has written that."""
    keys: list[str] = []
    branches: list[type[BaseModel]] = [model]
    for step in map(str, place):
        if keys and len(branches) > 1 and step in {_tag(b) for b in branches}:
            branches = [b for b in branches if _tag(b) == step]
            continue
        keys.append(step)
        branches = _under(branches, step)
    return keys


def _known(model: type[BaseModel], keys: list[str]) -> list[str]:
    """List the settings that live under ``keys`` (of every branch of a union)."""
    branches: list[type[BaseModel]] = [model]
    for step in keys:
        branches = _under(branches, step)
    return list(dict.fromkeys(name for b in branches for name in b.model_fields))


def _under(branches: list[type[BaseModel]], step: str) -> list[type[BaseModel]]:
    return [child for b in branches if step in b.model_fields for child in _models(b.model_fields[step].annotation)]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Find the models inside an annotation, through unions and ``Annotated``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in get_args(annotation) for m in _models(part)]


def _tag(model: type[BaseModel]) -> str | None:
    """Give the ``kind`` that chooses ``model`` in a union."""
    field = model.model_fields.get("kind")
    return None if field is None else str(get_args(field.annotation)[0])
