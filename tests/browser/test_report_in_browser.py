from __future__ import annotations

from pathlib import Path

import pytest

from pipeforecast.report import write_report
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.words import money, percent

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def reports(made, beside, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    nasty = "<img src=x onerror=alert(1)>" + "W" * 10_000 + "\u202e\u05d0\u05d1\U0001f680"
    deals = made.deals_frame(12).assign(name=nasty, account_name=nasty, owner=nasty, stage=nasty)
    inputs = {
        "full": made.made_input(),
        "empty": made.made_empty(),
        "behind": made.made_input(scores=made.scores_frame(1.2), proof="The model did worse than a rule."),
        "beside": beside.whole(),
        "nasty": beside.whole(
            audit=beside.audit_made(nasty),
            group_labels={"owner": dict.fromkeys(made.OWNERS, nasty)},
            biases=beside.biases_frame().assign(words=nasty),
            deals=deals,
            title=nasty,
            company=nasty,
            proof=nasty,
            what_counts=nasty,
        ),
    }
    return {name: write_report(given, folder / f"{name}.html") for name, given in inputs.items()}


@pytest.fixture(scope="session")
def facts(made) -> dict:
    return facts_of(made.made_input())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["full", "beside", "empty", "behind", "nasty"])
def test_no_page_is_wider_than_the_screen(look, reports, name, width, scheme):
    page = look(reports[name], width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_numbers_on_the_page_are_those_of_the_facts(look, reports, facts):
    page = look(reports["full"])
    line = facts["headline"]
    assert page.inner_text("#most-likely").replace("\n", "").startswith(money(line["p50"]))
    low, high = line["ranges"]["80"]
    assert page.inner_text("#range-80") == f"{money(low)} to {money(high)}"
    assert page.inner_text("#won") == money(line["won"])
    assert page.inner_text("#mean") == money(line["mean"])
    rows = page.locator("#parts tbody tr").all()
    for row, part in zip(rows, facts["parts"], strict=True):
        assert row.locator("td").all_inner_texts() == [
            money(part["mean"]), percent(part["share"]), money(part["p10"]), money(part["p90"])
        ]  # fmt: skip
    assert page.locator("#deals-table tbody tr").count() == len(facts["deals"]["shown"])
    assert page.locator(".findings tbody tr").count() == len(facts["findings"])


def test_the_first_screen_holds_the_quarter_and_the_proof(look, reports):
    page = look(reports["full"])
    for place in (".proof", "#most-likely", "#range-80", "#won", ".spread svg", ".asof"):
        box = page.locator(place).first.bounding_box()
        assert box["y"] + box["height"] <= 900, place


def values(page, table: str, column: int) -> list[str]:
    script = f"rows => rows.map(r => r.cells[{column}].dataset.value)"
    return page.eval_on_selector_all(f"{table} tbody tr", script)


def test_columns_sort_both_ways_with_missing_last(look, reports):
    page = look(reports["full"])
    head = page.locator("#deals-table thead th").nth(1)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    amounts = values(page, "#deals-table", 1)
    assert amounts[-1] == ""
    known = [float(v) for v in amounts[:-1]]
    assert known == sorted(known, reverse=True)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    amounts = values(page, "#deals-table", 1)
    assert amounts[-1] == ""
    assert [float(v) for v in amounts[:-1]] == sorted(known)
    dates = page.locator("#deals-table thead th").nth(4)
    dates.locator("button").click()
    shown = values(page, "#deals-table", 4)
    assert shown[:-1] == sorted(shown[:-1], reverse=True)
    assert page.locator("#deals-table th[aria-sort]").count() == 1


def test_search_filters_and_counts(look, reports):
    page = look(reports["full"])
    page.fill("#find-deals", "nordwind ADA")
    shown = page.locator("#deals-table tbody tr:visible")
    assert 0 < shown.count() < 90
    assert all("Nordwind" in t and "Ada" in t for t in shown.all_inner_texts())
    assert page.inner_text(".found") == f"{shown.count()} of 90\u00a0deals"
    page.fill("#find-deals", "")
    assert page.locator("#deals-table tbody tr:visible").count() == 90


def test_days_of_the_past_and_measures_are_chosen(look, reports):
    page = look(reports["full"])
    assert page.locator("#past .panel:visible").count() == 1
    assert "day 45" in page.inner_text("#past .panel:visible")
    page.click("#past .choice button:has-text('Day 0')")
    assert "day 0" in page.inner_text("#past .panel:visible")
    page.click("#rules .choice button:has-text('Bias')")
    assert page.get_attribute("#rules .choice button:has-text('Bias')", "aria-pressed") == "true"
    assert page.get_attribute("#measure-panels .panel:visible", "data-panel") == "bias"


def test_the_slider_tells_the_chance_to_reach(look, reports, facts):
    page = look(reports["full"])
    assert page.inner_text("#reach-words").endswith("50\u00a0%")
    page.focus("#reach")
    page.keyboard.press("Home")
    assert page.inner_text("#reach-words") == money(facts["curve"]["amounts"][0], "EUR") + ": 99\u00a0%"
    page.keyboard.press("End")
    assert page.inner_text("#reach-words").endswith(": 1\u00a0%")


def test_bars_tell_their_chance_under_the_pointer(look, reports):
    page = look(reports["full"])
    page.locator(".spread .hit").nth(20).hover()
    assert "Chance to reach" in page.inner_text("#tip")
    page.keyboard.press("Escape")
    assert page.is_hidden("#tip")


def test_everything_is_shown_without_a_script(chromium, reports):
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(reports["full"].as_uri())
    assert page.locator("#past .panel:visible").count() == 6
    assert page.is_hidden(".reach")
    context.close()


def test_the_page_prints(look, reports):
    page = look(reports["full"])
    page.emulate_media(media="print")
    assert page.is_hidden("#find-deals")
    assert page.is_visible("#most-likely")
    assert len(page.pdf(format="A4")) > 10_000


def test_text_is_legible(look, reports, contrast):
    """Contrast of text to what lies behind it is at least 4.5 : 1, in both colour schemes."""
    for name in ("full", "beside", "behind", "empty"):
        for scheme in ("light", "dark"):
            assert look(reports[name], 1440, scheme).evaluate(contrast) == []
