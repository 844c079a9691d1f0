"""Tables that turn over, text that stays text, and what a screen reader and a keyboard find on the page."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeforecast.report import write_report
from pipeforecast.report.words import full_money

pytestmark = pytest.mark.browser
N = 1234
NASTY = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'& \u202e\u05d0\u05d1 \U0001f680 "


@pytest.fixture(scope="module")
def book(made):
    return made.deals_frame(N).assign(reason_1="close date never pushed (+2.0 k)")


@pytest.fixture(scope="module")
def reports(made, book, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tables")
    nasty = NASTY + "W" * 10_000
    deals = made.deals_frame(40).assign(name=nasty, account_name=nasty, owner=nasty, stage=nasty, reason_1=nasty)
    cells = made.made_cells()
    inputs = {
        "many": made.made_input(deals=book, top_deals=15),
        "nasty": made.made_input(
            deals=deals, title=nasty, company=nasty, proof=nasty, period=nasty, currency="<b>",
            cells=type(cells)(cells.groups.replace({"segment": {"large": nasty}}), *list(vars(cells).values())[1:]),
            group_labels={"owner": dict.fromkeys(made.OWNERS, nasty)},
        ),
        "empty": made.made_empty(),
    }  # fmt: skip
    return {name: write_report(given, folder / f"{name}.html") for name, given in inputs.items()}


def shown(page, table: str = "#deals-table") -> list[str]:
    return page.eval_on_selector_all(f"{table} tbody tr", "rows => rows.map(r => r.cells[0].firstChild.textContent)")


def test_every_deal_is_turned_to_once_by_the_keyboard(look, reports, book):
    page = look(reports["many"])
    ordered = book.sort_values("expected_amount_in_period", ascending=False, kind="stable", na_position="last")
    page.select_option("#deals .pager select", "200")
    page.focus("#deals .pager button:has-text('Next')")
    seen = shown(page)
    assert seen[:50] == ordered["name"].tolist()[:50]
    for turn in range(6):
        assert page.inner_text("#deals .pager [role=status]") == f"{turn * 200 + 1:,}–{turn * 200 + 200:,} of {N:,}"
        page.keyboard.press("Enter")
        seen += shown(page)
    assert page.get_attribute("#deals .pager button:has-text('Next')", "aria-disabled") == "true"
    page.keyboard.press("Enter")
    assert page.inner_text("#deals .pager [role=status]") == f"1,201–{N:,} of {N:,}"
    assert sorted(seen) == sorted(book["name"])


def test_sorting_looks_at_all_deals_and_not_at_the_page_alone(look, reports, book):
    page = look(reports["many"])
    heads = page.locator("#deals-table thead th")
    heads.nth(1).locator("button").press("Enter")
    assert heads.nth(1).get_attribute("aria-sort") == "descending"
    top = book["amount"].sort_values(ascending=False)
    titles = "rows => rows.map(r => r.cells[1].firstChild.title)"
    assert page.eval_on_selector_all("#deals-table tbody tr", titles) == [full_money(a, "EUR") for a in top[:15]]
    heads.nth(0).locator("button").press("Space")
    assert heads.nth(1).get_attribute("aria-sort") is None
    names = shown(page)
    assert all(n.startswith("Brightwater Dairy: expansion") for n in names)
    numbers = sorted(int(n.split()[-1]) for n in book["name"] if n.startswith("Brightwater Dairy: expansion"))
    assert [int(n.split()[-1]) for n in names] == numbers[:15]  # 7 before 103


def test_a_search_looks_at_all_deals(look, reports, book):
    page = look(reports["many"])
    page.fill("#find-deals", "pilot 1230")
    assert shown(page) == [n for n in book["name"] if "pilot" in n and "1230" in n]
    page.fill("#find-deals", "nothing like this")
    assert shown(page) == []
    assert page.inner_text("#deals .found") == f"0 of {N:,}\u00a0deals"
    page.fill("#find-risk", "nordwind")
    assert all(n.startswith("Nordwind") for n in shown(page, "#risk-table"))


def test_groups_and_methods_are_searched_and_sorted(look, reports):
    page = look(reports["many"])
    page.fill("#find-groups", "chen")
    assert page.locator("#groups .panel:visible tbody tr:visible").all_inner_texts()[0].startswith("Chen Wei")
    assert page.locator("#groups .panel:visible tbody tr:visible").count() == 1
    page.fill("#find-rules", "last")
    assert page.locator("#measure-panels .panel:visible tbody tr:visible").count() == 1
    page.fill("#find-rules", "")
    head = page.locator("#measure-panels .panel:visible thead th").nth(1)
    head.locator("button").click()
    values = page.eval_on_selector_all(
        "#measure-panels .panel:not([hidden]) tbody tr", "rows => rows.map(r => Number(r.cells[1].dataset.value))"
    )
    assert values == sorted(values, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("width", [390, 1440])
def test_text_stays_text_whatever_it_holds(look, reports, width):
    page = look(reports["nasty"], width)
    for told in ("owner", "segment"):
        page.select_option(f"select[name={told}]", "0")
    page.wait_for_function("!document.getElementById('filter-note').hidden")
    page.wait_for_function("location.hash.includes('segment=')")
    assert page.locator("img, main script, b").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.select_option("select[name=owner]", "")
    page.wait_for_function("!location.hash.includes('owner=')")
    names = shown(page)
    assert names
    assert all(n == NASTY[:59] + "…" for n in names)


@pytest.mark.parametrize(
    ("name", "filtered", "width", "scheme"),
    [
        ("many", False, 1440, "light"),
        ("many", True, 1440, "dark"),
        ("many", True, 390, "light"),
        ("empty", False, 390, "dark"),
    ],
)
def test_axe_finds_nothing_serious(look, reports, name, filtered, width, scheme):
    if find_spec("axe_playwright_python") is None:
        pytest.skip("axe is not installed: pip install axe-playwright-python")
    axe = Path(str(import_module("axe_playwright_python").__file__)).with_name("axe.min.js").read_text(encoding="utf-8")
    page = look(reports[name], width, scheme)
    if filtered:
        page.select_option("select[name=region]", "0")
        page.wait_for_function("!document.getElementById('filter-note').hidden")
    found = page.evaluate("axe => { (0, eval)(axe); return window.axe.run(document); }", axe)
    assert len(found["passes"]) > 20
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert not [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in serious]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
