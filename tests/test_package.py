"""What ships is complete: every package, every configuration, pinned versions, a licence."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pipeforecast

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_one() -> None:
    assert pipeforecast.__version__ == PROJECT["project"]["version"] == version("pipeforecast")
    assert f"[{pipeforecast.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_package_is_listed() -> None:
    """A package that is not listed works in the checkout and is missing from the wheel."""
    source = ROOT / "src"
    found = {".".join(p.parent.relative_to(source).parts) for p in source.rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found | {"pipeforecast.configs"}


def test_every_data_file_is_shipped() -> None:
    """Beside code only what package-data names may lie in a package."""
    known = PROJECT["tool"]["setuptools"]["package-data"]
    for package, patterns in known.items():
        folder = Path(str(files(package)))
        assert all(any(folder.glob(pattern)) for pattern in patterns), package
    allowed = {".py", ".typed", ".yaml", ".po"}
    others = [p for p in (ROOT / "src").rglob("*") if p.is_file() and p.suffix not in allowed]
    others = [p for p in others if "__pycache__" not in p.parts and ".egg-info" not in str(p)]
    assert [p for p in others if "templates" not in p.parts] == []


def test_configs_live_at_the_root_and_inside_the_package() -> None:
    inside = {p.name for p in Path(str(files("pipeforecast.configs"))).rglob("*.yaml")}
    assert inside == {p.name for p in (ROOT / "configs").rglob("*.yaml")}


def test_constraints_pin_every_dependency_by_name_and_version_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {}
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line), line
        name, number = line.split("==")
        pinned[_plain(name)] = number
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
    names = {_plain(re.split(r"[\[<>=!~; ]", line)[0]) for line in wanted}
    assert names <= pinned.keys()
    assert "pipeforecast" not in pinned


def test_the_licence_is_the_one_that_is_named() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
