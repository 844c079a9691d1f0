"""The PDF: printed by whatever browser is there, and nothing is lost where none is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeforecast.report.pdf import print_pdf


def pretend(folder: Path, does: str) -> Path:
    """A program that is called as a browser is, and does as it is told."""
    path = folder / "browser"
    head = "import pathlib, sys\nargs = dict(a.split('=', 1) for a in sys.argv if '=' in a)"
    path.write_text(f"#!{sys.executable}\n{head}\npdf = pathlib.Path(args['--print-to-pdf'])\n{does}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "a page.html"
    path.write_text("<p>page</p>", encoding="utf-8")
    return path


def test_without_a_browser_it_says_what_to_do(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEFORECAST_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(page.parent))
    said = print_pdf(page, page.with_suffix(".pdf"))
    assert "PIPEFORECAST_CHROMIUM" in said
    assert not page.with_suffix(".pdf").exists()


def test_the_browser_that_is_named_is_used_and_only_that(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = pretend(page.parent, "pdf.write_text('%PDF ' + sys.argv[-1])")
    monkeypatch.setenv("PIPEFORECAST_CHROMIUM", str(named))
    assert print_pdf(page, page.with_suffix(".pdf")) == ""
    assert page.with_suffix(".pdf").read_text() == f"%PDF {page.as_uri()}"
    monkeypatch.setenv("PIPEFORECAST_CHROMIUM", str(page.parent / "none"))
    assert print_pdf(page, page.with_suffix(".pdf")).startswith("no PDF")


@pytest.mark.parametrize("does", ["sys.exit(3)", "pdf.write_text('<html>')", "pdf.write_text('%PDF'); sys.exit(1)"])
def test_a_browser_that_fails_leaves_nothing_behind(page: Path, does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEFORECAST_CHROMIUM", str(pretend(page.parent, does)))
    assert "could not print" in print_pdf(page, page.with_suffix(".pdf"))
    assert not page.with_suffix(".pdf").exists()
