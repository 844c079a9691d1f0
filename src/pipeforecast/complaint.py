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
    keys, known = _place(model, failure["loc"])
    name, kind, context = ".".join(keys), failure["type"], failure.get("ctx", {})
    if kind == "extra_forbidden":
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


def _place(model: type[BaseModel], place: tuple[object, ...]) -> tuple[list[str], list[str]]:
    """Give the keys that a user has written to get to a place, and the settings that are known beside it.

    Pydantic adds the chosen branch of a union to the place, which no user has written.
    """
    keys: list[str] = []
    known: list[type[BaseModel]] = []
    here = [model]
    for step in map(str, place):
        if len(here) > 1 and step in {_tag(branch) for branch in here}:
            here = [branch for branch in here if _tag(branch) == step]
            continue
        keys.append(step)
        if step.isdigit():  # a place in a list, whose entries are what the list's own setting says
            continue
        known, here = here, _under(here, step)
    return keys, list(dict.fromkeys(name for branch in known for name in branch.model_fields))


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
