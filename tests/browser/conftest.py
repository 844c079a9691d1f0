"""Pages in a real browser that may reach nothing but files: a request for anything else fails the test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

# What pages are made from lives beside the tests of their facts.
sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("report", "audit")]

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


#: Lists the texts whose contrast to what lies behind them is below 4.5 : 1.
CONTRAST = """() => {
      const rgb = s => s.match(/[\\d.]+/g).map(Number);
      const lum = c => [0.2126, 0.7152, 0.0722].reduce((a, w, i) => {
        const x = c[i] / 255; return a + w * (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); }, 0);
      const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      const bad = new Set();
      for (const e of document.querySelectorAll("main *, header *, nav *")) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || !e.checkVisibility() || e.closest("svg")) continue;
        const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) bad.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
      }
      return [...bad];
    }"""


@pytest.fixture
def contrast() -> str:
    return CONTRAST


@pytest.fixture(scope="session")
def made() -> ModuleType:
    import made

    return made


@pytest.fixture(scope="session")
def beside() -> ModuleType:
    import made_beside

    return made_beside


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    sync_api = pytest.importorskip("playwright.sync_api")
    path = os.environ.get("PIPEFORECAST_CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        pytest.skip(f"no Chromium at {path}: set PIPEFORECAST_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Open a file at a width and in a colour scheme; whatever it asks for or complains of fails the test."""
    pages, wrong = [], []

    def opened(path: Path, width: int = 1440, scheme: str = "light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith(("file://", "data:")) else wrong.append(r.url))
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("dialog", lambda d: wrong.append(f"dialog {d.message}"))
        page.goto(path.as_uri())
        pages.append(context)
        return page

    yield opened
    for context in pages:
        context.close()
    assert not wrong
