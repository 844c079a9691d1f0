"""The sections beside the forecast: what they show, by keyboard and in words, on a phone and in print."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeforecast.report import write_report
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.words import count, day, money, percent, signed_money

pytestmark = pytest.mark.browser
SECTIONS = ("course", "calls", "hygiene", "aims", "chances")


@pytest.fixture(scope="session")
def page_file(beside, tmp_path_factory) -> Path:
    return write_report(beside.whole(), tmp_path_factory.mktemp("beside") / "report.html")


@pytest.fixture(scope="session")
def told(beside) -> dict:
    return facts_of(beside.whole())


def cells(page, table: str) -> list[list[str]]:
    return [[c.replace("\n", " ") for c in row.locator("th, td").all_text_contents()]
            for row in page.locator(f"{table} tbody tr").all()]  # fmt: skip


def test_every_section_is_reached_from_the_top(look, page_file):
    page = look(page_file)
    for name in SECTIONS:
        page.click(f".contents a[href='#{name}']")
        assert page.locator(f"#{name}").is_visible()


def test_the_days_of_the_period_are_those_of_the_facts(look, page_file, told):
    page = look(page_file)
    page.click("#course summary")
    rows, course = cells(page, ".course-table"), told["course"]
    for row, t in zip(rows, course["told"], strict=False):
        assert row == [str(t["day"]), day(t["as_of"]), *(money(t[c]) for c in ("mean", "p10", "p50", "p90"))]
    assert rows[-1][2] == money(told["headline"]["mean"])
    assert page.locator("#course .quarters figure").count() == len(course["quarters"])
    page.locator("#course .fan circle.was").first.hover()
    assert page.inner_text("#tip").startswith(f"day {course['told'][0]['day']}: mean")


def test_calls_are_sorted_and_found(look, page_file, told):
    page = look(page_file)
    layers = [f"{x['label']}{count(x['people'], 'person', 'people')} called" for x in told["calls"]["layers"]]
    assert [r[0] for r in cells(page, "#layers-table")] == layers
    first = cells(page, "#calls-table")[0]
    assert first[4].startswith(signed_money(told["calls"]["rows"][0]["difference"]))
    page.locator("#calls-table th button").nth(1).press("Enter")
    amounts = page.eval_on_selector_all("#calls-table tbody tr", "rows => rows.map(r => r.cells[1].dataset.value)")
    known = [float(v) for v in amounts if v]
    assert known == sorted(known, reverse=True)
    assert amounts[-1] == ""
    page.fill("#find-calls", "osei")
    assert page.locator("#calls-table tbody tr:visible").count() == 1


def test_chances_and_quotas_are_told_in_words(look, page_file, told):
    page = look(page_file)
    words = page.inner_text("#chances-words")
    for x in ("mean", "observed", "lower", "upper"):
        assert percent(told["chances"][x]) in words
    assert percent(told["aims"]["total"]["p_hit"]) in page.inner_text("#aims .tiles")
    assert cells(page, "#aims-table")[0][0].startswith("Ada Osei")


def test_what_a_filter_cannot_keep_is_grey_with_its_reason(look, page_file):
    page = look(page_file)
    page.locator("#filters select").first.select_option(index=1)
    for name in SECTIONS:
        # The page follows a moment after the choice: waited for, not looked at once.
        assert page.inner_text(f"#{name}.whole > .whole-note").startswith("Not filtered: ")
    page.click("#filters .clear")
    page.wait_for_function("document.querySelectorAll('.whole').length === 0")


@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_serious(look, page_file, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = look(page_file, width)
    for summary in page.locator("summary").all():
        summary.click()
    found = axe.run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_print_shows_what_is_folded(look, page_file):
    page = look(page_file)
    page.emulate_media(media="print")
    assert page.locator(".course-table").is_visible()
