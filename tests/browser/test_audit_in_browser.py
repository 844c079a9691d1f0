from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeforecast.report.audit_page import audit_facts, write_audit_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> dict[str, Path]:
    from small_pipeline import AS_OF, audited, small_audit

    from stories import tell

    folder = tmp_path_factory.mktemp("audit")
    nasty = "<img src=x onerror=alert(1)>" + "W" * 5_000 + "\u202e\u05d0\u05d1\U0001f680"
    made = small_audit()
    deals, review = (t.assign(name=nasty, owner_name=nasty, next_step=nasty) for t in (made.deals, made.review))
    inputs = {
        "full": made,
        "nasty": replace(made, deals=deals, review=review),
        "empty": audited(tell([], until="2024-04-30")),
    }
    return {
        name: write_audit_page(audit_facts(one, AS_OF, "EUR"), folder / f"{name}.html") for name, one in inputs.items()
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["full", "nasty", "empty"])
def test_no_page_is_wider_than_the_screen_and_text_is_legible(look, pages, contrast, name, width, scheme):
    page = look(pages[name], width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(contrast) == []


def test_an_owners_list_is_chosen_and_deals_are_found(look, pages):
    page = look(pages["full"])
    assert page.locator("#review-panels .panel:visible").count() == 1
    page.click("#review .choice button:has-text('bob')")
    assert "moved back" in page.inner_text("#review-panels .panel:visible")
    page.fill("#find-deals", "close date")
    shown = page.locator("#deals-table tbody tr:visible")
    assert shown.all_inner_texts()
    assert all("close date has passed" in t for t in shown.all_inner_texts())
    assert page.inner_text(".found").startswith(f"{shown.count()} of ")
    head = page.locator("#deals-table thead th").nth(1)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
