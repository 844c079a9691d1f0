"""The report as a PDF, printed by a real browser."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from pipeforecast.report import write_report
from pipeforecast.report.pdf import print_pdf


@pytest.mark.browser
def test_the_report_is_printed_on_pages(tmp_path: Path, made: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ.get("PIPEFORECAST_CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        pytest.skip(f"no Chromium at {path}: set PIPEFORECAST_CHROMIUM")
    monkeypatch.setenv("PIPEFORECAST_CHROMIUM", path)
    page = write_report(made.made_input(), tmp_path / "report.html")
    assert print_pdf(page, tmp_path / "report.pdf") == ""
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes())) >= 2
