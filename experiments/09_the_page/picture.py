"""Photograph the first screen of a report for the README: ``python picture.py demo_report/report.html``.

The picture is that of ``make demo``, in light colours, as a browser of 1440 by 900 pixels shows it.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parents[1] / "docs" / "img" / "report.png"


def photograph(page: Path, picture: Path, chromium: str) -> None:
    """Write what the first screen shows, nothing asked of the network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        seen = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light", offline=True)
        seen.goto(page.resolve().as_uri())
        seen.wait_for_selector("#filter-words:not(:empty)")
        seen.screenshot(path=str(picture))
        browser.close()


def main() -> None:
    """Photograph the report that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, nargs="?", default=Path("demo_report/report.html"))
    parser.add_argument("--picture", type=Path, default=PICTURE)
    told = parser.parse_args()
    photograph(told.report, told.picture, os.environ.get("PIPEFORECAST_CHROMIUM", "/usr/bin/chromium"))
    print(told.picture)


if __name__ == "__main__":
    main()
