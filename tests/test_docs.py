"""The how-tos say what the command takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeforecast.overrides import composed
from pipeforecast.settings import settings_for

PAGES = Path(__file__).parents[1] / "docs" / "howto"
CALLS = [
    (page.name, *re.match(r"(\w+)((?: \w[\w.]*=(?:\$\([^)]*\)|[^\s\"])+)+)", call).groups())  # type: ignore[union-attr]
    for page in sorted(PAGES.glob("*.md"))
    for call in re.findall(r"pipeforecast (\w+ \w[\w.]*=.*)", page.read_text(encoding="utf-8"))
]


def test_there_are_calls() -> None:
    assert {verb for _, verb, _ in CALLS} >= {"forecast", "compare"}


@pytest.mark.parametrize(("page", "verb", "words"), CALLS)
def test_every_call_of_a_how_to_is_a_call(page: str, verb: str, words: str) -> None:
    plain = re.sub(r"\$\([^)]*\)", "week", words).replace("\\", "/").split()
    made = settings_for(verb, composed(verb, plain))
    assert made.source.name in ("today", "kept", "warehouse.duckdb", "sales")
