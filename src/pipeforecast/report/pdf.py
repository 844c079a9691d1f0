"""The page as a PDF, printed by a browser of the machine where one is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

#: Names under which Chromium and its kin are installed.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
#: The page holds all that it shows; the browser need reach nothing, and asks nobody.
_QUIET = (
    "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-extensions", "--no-pdf-header-footer", "--virtual-time-budget=5000",
)  # fmt: skip
_MOST_SECONDS = 120


def browser() -> str | None:
    """Path of the browser: the one that ``PIPEFORECAST_CHROMIUM`` names, else the first that is on PATH."""
    named = os.environ.get("PIPEFORECAST_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def print_pdf(page: Path, pdf: Path) -> str:
    """Print a page.

    Parameters
    ----------
    page, pdf : Path
        The HTML file, and where the PDF goes.

    Returns
    -------
    str
        Empty where the PDF is written; else why it is not: a forecast is not lost for want of a browser.
    """
    found = browser()
    if found is None:
        return (
            "no PDF: expected Chromium, Chrome or Edge on PATH, or its path in PIPEFORECAST_CHROMIUM; "
            "report.html prints the same from any browser"
        )
    with tempfile.TemporaryDirectory(prefix="pipeforecast-") as profile:
        call = [found, *_QUIET, *_as_root(), f"--user-data-dir={profile}", f"--print-to-pdf={pdf}",
                page.resolve().as_uri()]  # fmt: skip
        try:
            done = subprocess.run(call, capture_output=True, timeout=_MOST_SECONDS, check=False)  # noqa: S603  no shell
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"no PDF: {found} could not print the page ({type(error).__name__})"
    if done.returncode or not pdf.is_file() or not pdf.read_bytes().startswith(b"%PDF"):
        pdf.unlink(missing_ok=True)
        return f"no PDF: {found} could not print the page (status {done.returncode})"
    return ""


def _as_root() -> tuple[str, ...]:
    """Chromium refuses its sandbox to root, as containers often run."""
    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
