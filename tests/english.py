"""What a page still says in English: what is seen or heard of it, without commands and the company's own words."""

from __future__ import annotations

import re

#: Three words of small letters in a row, with nothing but a space between them.
ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")


def said(page: str) -> list[str]:
    """Text nodes and spoken attributes."""
    body = page[page.index("<body>") :]
    body = re.sub(r"<(script|style|code|bdi|textarea)\b.*?</\1>", "", body, flags=re.S)
    spoken = re.findall(r'(?:aria-label|title|placeholder|data-tip|data-whole)="([^"]*)"', body)
    return [line.strip() for line in [*re.split(r"<[^>]+>|\n", body), *spoken] if line.strip()]


def left_in_english(page: str) -> list[str]:
    """Lines with a sentence, or most of one, in English."""
    return [line for line in said(page) if ENGLISH.search(line)]
