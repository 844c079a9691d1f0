"""What a browser would fetch from elsewhere when it shows a page; links that a reader follows are none of it."""

from __future__ import annotations

import re

_BY_PAGE = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon))[^>]*\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
_BY_STYLE = re.compile(r"(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')\s]+)")


def fetched(text: str, suffix: str) -> list[str]:
    """Give the addresses that a page (``.html``) or a style (``.css``) fetches by itself from another host."""
    if suffix == ".css":
        return _BY_STYLE.findall(text)
    return [a or b for a, b in _BY_PAGE.findall(text)] + _BY_STYLE.findall(text)
