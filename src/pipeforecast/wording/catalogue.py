"""The texts of one language, read from its file."""

from __future__ import annotations

import re
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from pipeforecast.wording import NAME

#: Written language of a page (BCP 47): Chinese readers of simplified characters need other shapes than others.
TAGS = {"zh": "zh-Hans"}
_ORDER = ("zero", "one", "two", "few", "many", "other")


def tag_of(language: str) -> str:
    """Give the language's tag for ``lang`` and for the browser."""
    return TAGS.get(language, language)


@cache
def read_catalogue(language: str) -> Catalog:
    """Read the texts of a language other than English."""
    with (files(__package__) / "texts" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@cache
def catalogue(language: str) -> GNUTranslations:
    """Give the texts of a language as the standard library's gettext looks them up."""
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def marked(language: str, context: str) -> tuple[frozenset[str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Give the English texts of a context: those without names in braces, and patterns of the others.

    Patterns that fix most signs come first, so that a general one takes no text of a particular one.
    """
    texts = [str(m.id) for m in read_catalogue(language) if m.id and m.context == context]
    named = sorted((x for x in texts if "{" in x), key=lambda x: -len(NAME.sub("", x)))
    return frozenset(x for x in texts if "{" not in x), tuple((_pattern(x), x) for x in named)


def _pattern(text: str) -> re.Pattern[str]:
    parts = NAME.split(text)
    said = "".join(f"(?P<{p}>.*?)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
    return re.compile(said, re.DOTALL)


def plural_forms(language: str) -> list[str]:
    """Name the plural forms of whole numbers as CLDR does, in the order of the catalogue's."""
    form = Locale.parse(language).plural_form
    met = {str(form(n)) for n in range(201)}
    return [name for name in _ORDER if name in met]


@cache
def script_texts(language: str) -> dict[str, Any]:
    """Give what the page's script needs: its tag, plural forms, and the texts that stand in scripts."""
    texts: dict[str, Any] = {}
    if language != "en":
        for message in read_catalogue(language):
            if message.id and message.string and any(str(where).endswith(".js") for where, _ in message.locations):
                key = message.id if isinstance(message.id, str) else message.id[0]
                texts[key] = list(message.string) if isinstance(message.string, tuple) else message.string
    return {"tag": tag_of(language), "forms": plural_forms(language), "texts": texts}
