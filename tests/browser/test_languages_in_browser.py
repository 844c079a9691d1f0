"""The page in other languages in a browser: no error, filters speak the language, nothing is wider than a phone."""

from __future__ import annotations

import pytest

from pipeforecast.report import write_report

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "tag", "cleared"), [("pl", "pl", "Cały"), ("zh", "zh-Hans", "整个")])
def test_a_translated_page_works(made, chromium, tmp_path, language, tag, cleared):
    path = write_report(made.made_input(language=language), tmp_path / "report.html")
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    assert page.get_attribute("html", "lang") == tag
    assert page.inner_text("#filter-words").startswith(cleared)
    box = page.locator("#filters select").first
    box.select_option("0")
    page.wait_for_function("!document.getElementById('filter-note').hidden")
    said = page.inner_text("main")
    assert "undefined" not in said
    assert "most likely" not in said
    assert "{" not in said
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert errors == []
    page.close()
