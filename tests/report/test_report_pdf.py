"""The PDF: printed by whatever browser is there, and nothing is lost where none is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from made import made_input

from pipeforecast.report import write_report
from pipeforecast.report.pdf import print_pdf


def pretend(folder: Path, does: str) -> Path:
    """A program that is called as a browser is, and does as it is told."""
    path = folder / "browser"
    path.write_text(f"#!{sys.executable}\nimport sys, pathlib\nargs = dict(a.split('=', 1) for a in sys.argv if '=' in a)\n"
                    f"pdf = pathlib.Path(args['--print-to-pdf'])\n{does}\n")  # fmt: skip
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


@pytest.mark.browser
def test_the_report_is_printed(tmp_path: Path) -> None:
    if not Path(os.environ.get("PIPEFORECAST_CHROMIUM", "/usr/bin/chromium")).exists():
        pytest.skip("no Chromium: set PIPEFORECAST_CHROMIUM")
    page = write_report(made_input(), tmp_path / "report.html")
    assert print_pdf(page, tmp_path / "report.pdf") == ""
    pages = (tmp_path / "report.pdf").read_bytes()
    assert pages.count(b"/Type /Page\n") + pages.count(b"/Type /Page ") + pages.count(b"/Type /Page/") >= 2
