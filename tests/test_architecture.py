"""The page about the architecture says what the code is."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def layers() -> list[set[str]]:
    (contract,) = (c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [set(re.findall(r"\w+", floor)) for floor in contract["layers"]]


def rooms() -> set[str]:
    package = ROOT / "src" / "pipeforecast"
    files = {p.stem for p in package.glob("*.py") if not p.stem.startswith("__")}
    return files | {p.parent.name for p in package.glob("*/__init__.py")}


def test_every_room_has_a_floor() -> None:
    assert set.union(*layers()) == rooms()


def test_the_floors_of_the_page_are_those_that_are_held() -> None:
    found = {
        int(n): set(re.findall(r"`(\w+)`", names)) for n, names in re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.M)
    }
    assert found == dict(enumerate(reversed(layers()), start=1))


def test_the_page_says_what_each_room_is_for() -> None:
    table = PAGE[PAGE.index("### What each room is for") :]
    table = table[: table.index("\n## ")]
    told = [name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(rooms())


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`([a-z]+)\.([a-z_]+)`", PAGE))), ids=".".join)
def test_what_the_page_names_is_there(place: tuple[str, str]) -> None:
    room, name = place
    if room in rooms():
        module = importlib.import_module(f"pipeforecast.{room}")
        assert hasattr(module, name) or importlib.import_module(f"pipeforecast.{room}.{name}")
