"""How large is the page of many open deals, and how soon can it be used? See README.md."""

from __future__ import annotations

import argparse
import importlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast import workflow
from pipeforecast.demo import make_company
from pipeforecast.overrides import composed
from pipeforecast.report import ReportInput
from pipeforecast.report.facts import facts
from pipeforecast.report.page import render
from pipeforecast.settings import settings_for

QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
#: How often a page is opened; the median is told.
TIMES = 5
FULL = ("origins.periods=4", "proof=full")
SMALL = ("proof=none", "draws=200")


def page_input(folder: Path, n_deals: int, more: Sequence[str]) -> ReportInput:
    """Forecast a made-up company as a user does, and keep what its page is made from."""
    make_company(n_deals=n_deals, seed=9).write(folder / "company")
    words = [
        f"source={folder / 'company'}", f"out={folder / 'out'}", f"proof.folder={folder / 'proof'}", "crm=salesforce",
        "crm.currency=USD", "tracking.enabled=false", *more,
    ]  # fmt: skip
    room: Any = importlib.import_module("pipeforecast.workflow.forecast")
    seen: list[ReportInput] = []

    def watched(given: ReportInput) -> dict[str, Any]:
        seen.append(given)
        return facts(given)

    room.facts = watched
    try:
        workflow.forecast(settings_for("forecast", composed("forecast", words)))  # type: ignore[arg-type]
    finally:
        room.facts = facts
    return seen[0]


def with_deals(given: ReportInput, n: int) -> ReportInput:
    """Give the same page with ``n`` open deals: each of the company's own stands there many times."""
    copies = -(-n // len(given.deals))
    deals = pd.concat([given.deals] * copies, ignore_index=True).head(n)
    number = pd.Series(np.arange(n).astype(str))
    return replace(given, deals=deals.assign(
        deal_id=deals["deal_id"].astype(str) + "-" + number, name=deals["name"].astype(str) + " " + number,
    ))  # fmt: skip


def usable_after(path: Path) -> dict[str, float]:
    """Open the page, search it and choose a filter in Chromium: median seconds of each."""
    from playwright.sync_api import sync_playwright

    told: dict[str, list[float]] = {"open_s": [], "search_s": [], "filter_s": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("PIPEFORECAST_CHROMIUM", "/usr/bin/chromium"), args=list(QUIET)
        )
        for _ in range(TIMES):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("#deals-table tbody tr")
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            told["open_s"].append(time.perf_counter() - began)
            began = time.perf_counter()
            page.fill("#find-deals", "group 1")
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            told["search_s"].append(time.perf_counter() - began)
            began = time.perf_counter()
            page.locator("#filters select").first.select_option(index=1)
            page.wait_for_selector(".whole-note")
            told["filter_s"].append(time.perf_counter() - began)
            page.close()
        browser.close()
    return {name: float(np.median(values)) for name, values in told.items()}


def measured(given: ReportInput, sizes: Sequence[int], folder: Path, browser: bool) -> pd.DataFrame:
    """One row a number of open deals."""
    rows = []
    for n in sizes:
        many, path = with_deals(given, n), folder / f"{n}.html"
        began = time.perf_counter()
        path.write_text(render(facts(many)), encoding="utf-8")
        row: dict[str, float] = {"open_deals": n, "made_s": time.perf_counter() - began}
        row["megabytes"] = path.stat().st_size / 1e6
        rows.append(row | (usable_after(path) if browser else {}))
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--no-browser", action="store_true", help="sizes alone")
    parser.add_argument("--out", type=Path, help="folder for page.csv (default: none is kept)")
    told = parser.parse_args()
    there = Path(os.environ.get("PIPEFORECAST_CHROMIUM", "/usr/bin/chromium")).exists()
    with tempfile.TemporaryDirectory() as folder:
        given = page_input(Path(folder), 400 if told.small else 5000, SMALL if told.small else FULL)
        sizes = (100, 500) if told.small else (500, 5_000, 50_000)
        table = measured(given, sizes, Path(folder), there and not told.no_browser)
    print(table.round(2).to_string(index=False))
    if told.out is not None:
        told.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(told.out / "page.csv", index=False)


if __name__ == "__main__":
    main()
