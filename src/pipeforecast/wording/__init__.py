"""In which language something is said: texts from a catalogue, plurals, numbers and days as its readers write them.

English stands in the code; a file a language (``texts/pl.po``) says each text in another. Whoever speaks calls ``t``::

    with speaking("pl"):
        t("Data as of {day}", day="14 maj 2024")  # Dane na dzień 14 maj 2024

Outside of ``speaking`` all is English. Sentences are translated whole, with names in braces for what is put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeVar, get_args

from pipeforecast.errors import SettingsError

__all__ = [
    "LANGUAGES", "Language", "kept_together", "nnoop", "noop", "nt", "one_stop", "plural", "pnoop", "pt", "retold",
    "speaking", "spoken_language", "t",
]  # fmt: skip

Language = Literal["en", "pl", "zh", "id", "ms"]
LANGUAGES: tuple[str, ...] = get_args(Language)

#: What is put in for a name in braces; other braces are signs like any other.
NAME = re.compile(r"\{(\w+)\}")
Text = TypeVar("Text", bound=str)
_STOPS = re.compile(r"(?<!\.)\.(</span>)?\.(?!\.)")
_now: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say everything in one of ``LANGUAGES`` until the block ends.

    Raises
    ------
    SettingsError
        If the language is not one of them.
    """
    if language not in LANGUAGES:
        raise SettingsError(f"report.language: expected one of {', '.join(LANGUAGES)}, came {language!r}")
    token = _now.set(language)
    try:
        yield
    finally:
        _now.reset(token)


def spoken_language() -> str:
    """Give the language that is spoken now."""
    return _now.get()


def t(text: str, /, **values: object) -> str:
    """Say a text in the language that is spoken now.

    Parameters
    ----------
    text : str
        In English, as a literal: it is what the catalogues are searched for.
    **values
        What is put in for ``{name}``. Markup stays markup, and everything else in the text is then escaped.
    """
    return _filled(_translated(text), values)


def pt(context: str, text: str, /, **values: object) -> str:
    """Say a text that has several meanings; ``context`` tells them apart (in English it is not seen)."""
    if _now.get() == "en":
        return _filled(text, values)
    from pipeforecast.wording.catalogue import catalogue

    return _filled(catalogue(_now.get()).pgettext(context, text), values)


def nt(one: str, many: str, n: float, /, **values: object) -> str:
    """Say a text in the plural form that ``n`` asks for; ``{n}`` in it is the number as readers write it."""
    from pipeforecast.wording.numerals import grouped

    return _filled(kept_together(plural(one, many, n)), {"n": grouped(n), **values})


def kept_together(text: str) -> str:
    """Keep the number and what it counts on one line."""
    return text.replace("{n} ", "{n}\u00a0")


def plural(one: str, many: str, n: float) -> str:
    """Give the form of a text or noun for a number, nothing put in."""
    if _now.get() == "en":
        return one if n == 1 else many
    from pipeforecast.wording.catalogue import catalogue

    return catalogue(_now.get()).ngettext(one, many, round(n))


def noop(text: str) -> str:
    """Mark a text for the catalogues that is said later, by ``t`` of a variable."""
    return text


def nnoop(one: str, many: str) -> tuple[str, str]:
    """Mark both forms of a noun, or a text, that ``plural`` chooses from later."""
    return one, many


def pnoop(context: str, text: str) -> str:
    """Mark a text that is filled in English now, for a file, and said by ``retold`` later, for a reader."""
    return text


def retold(context: str, text: str) -> str:
    """Say again what was said in English from a text that ``pnoop`` marks; what none of them says stays as it is.

    Files are read by other programs and keep their English; a page made from the same rows speaks to its reader.
    """
    if _now.get() == "en" or not text:
        return text
    from pipeforecast.wording.catalogue import catalogue, marked

    exact, patterns = marked(_now.get(), context)
    told = catalogue(_now.get()).pgettext
    if text in exact:
        return told(context, text)
    for pattern, english in patterns:
        found = pattern.fullmatch(text)
        if found:
            # What is put in may be such a text itself.
            said = {k: told(context, v) if v in exact else v for k, v in found.groupdict().items()}
            return _put_in(told(context, english), said)
    return text


def _put_in(text: str, values: dict[str, str]) -> str:
    return NAME.sub(lambda name: values.get(name[1], name[0]), text)


def _translated(text: str) -> str:
    if _now.get() == "en" or not text:
        return text
    from pipeforecast.wording.catalogue import catalogue

    return catalogue(_now.get()).gettext(text)


def _filled(text: str, values: dict[str, Any]) -> str:
    return one_stop(_put(text, values)) if values else text


def one_stop(text: Text) -> Text:
    """Keep one full stop where a sentence ends in an amount that ends in one: ``2 tys.``."""
    if _now.get() == "en" or ".." not in text.replace("</span>", ""):
        return text
    return type(text)(_STOPS.sub(r".\1", text))


def _put(text: str, values: dict[str, Any]) -> str:
    if any(hasattr(v, "__html__") for v in values.values()):
        from markupsafe import Markup, escape

        return Markup(escape(text)).format(**values)  # noqa: S704  escaped first; values are escaped by format
    return text.format(**values)
