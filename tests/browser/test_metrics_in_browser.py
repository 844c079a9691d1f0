from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeforecast.report.metrics_page import write_metrics_page
from pipeforecast.report.words import figure

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> dict[str, Path]:
    from catalogued import made_metrics

    folder = tmp_path_factory.mktemp("metrics")
    nasty = "<img src=x onerror=alert(1)>" + "W" * 5_000 + "\u202e\u05d0\u05d1\U0001f680"
    given = made_metrics()
    told = given.table["part"].astype("object")
    parts = told.where(told.isin(["", None]) | told.isna(), nasty)
    inputs = {
        "full": given,
        "nasty": made_metrics(table=given.table.assign(part=parts), currency=nasty, set_name=nasty),
        "empty": made_metrics(table=given.table[given.table["metric"] == "average_order_value"], findings=()),
    }
    return {name: write_metrics_page(made, folder / f"{name}.html") for name, made in inputs.items()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["full", "nasty", "empty"])
def test_no_page_is_wider_than_the_screen(look, pages, name, width, scheme):
    assert look(pages[name], width, scheme).evaluate("document.documentElement.scrollWidth") <= width


def test_numbers_on_the_page_are_those_of_the_table(look, pages):
    from catalogued import made_metrics, totals

    page = look(pages["full"])
    expected = totals(made_metrics())
    rows = page.eval_on_selector_all(
        "#all-metrics tbody tr",
        "rows => rows.map(r => [r.dataset.metric, r.dataset.part, r.cells[2].dataset.value, r.cells[2].innerText])",
    )
    assert [(m, p) for m, p, _, _ in rows] == list(expected.index)
    for metric, part, value, shown in rows:
        row = expected.loc[(metric, part)]
        if pd.isna(row["value"]):
            assert shown.strip() == row["status"]
        else:
            assert float(value) == pytest.approx(row["value"])
            assert shown.startswith(figure(float(row["value"]), row["unit"]))
    card = page.locator("[data-metric=win_rate] .value")
    assert card.inner_text() == figure(expected.loc[("win_rate", ""), "value"], "share")
    assert "Data as of" in page.inner_text(".asof")


def test_the_nine_come_first(look, pages):
    page = look(pages["full"])
    assert page.locator(".card[data-metric]").count() == 9
    assert page.locator(".card[data-metric]").first.bounding_box()["y"] < 500


def test_search_and_sorting_work_by_keyboard(look, pages):
    page = look(pages["full"])
    all_rows = page.locator("#all-metrics tbody tr").count()
    page.fill("#find-metrics", "pipeline VALUE")
    shown = page.locator("#all-metrics tbody tr:visible")
    assert 0 < shown.count() < all_rows
    assert page.inner_text(".found") == f"{shown.count()} of {all_rows}"
    page.fill("#find-metrics", "")
    head = page.locator("#all-metrics thead th").nth(2)
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    script = "rows => rows.map(r => r.cells[2].dataset.value)"
    values = page.eval_on_selector_all("#all-metrics tbody tr", script)
    known = [float(v) for v in values if v]
    assert known == sorted(known, reverse=True)
    assert "" not in values[: len(known)]


def test_one_grouping_is_shown_at_a_time_and_all_without_a_script(look, pages, chromium):
    page = look(pages["full"])
    assert page.locator("#group-panels .panel:visible").count() == 1
    page.click("#groups .choice button:has-text('deal type')")
    assert page.get_attribute("#group-panels .panel:visible", "data-panel") == "deal_type"
    context = chromium.new_context(java_script_enabled=False, offline=True)
    bare = context.new_page()
    bare.goto(pages["full"].as_uri())
    assert bare.locator("#group-panels .panel:visible").count() == 2
    context.close()


def test_points_tell_their_value_under_the_pointer_and_to_a_screen_reader(look, pages):
    page = look(pages["full"])
    page.locator("[data-metric=win_rate] .hit").last.hover()
    assert "n = " in page.inner_text("#tip")
    label = page.get_attribute("[data-metric=win_rate] svg", "aria-label")
    assert label.startswith("Win rate: ")
    assert label.count("Q") == 4


def test_the_page_prints(look, pages):
    page = look(pages["full"])
    page.emulate_media(media="print")
    assert page.is_hidden("#find-metrics")
    assert page.is_visible("[data-metric=win_rate] .value")
    assert len(page.pdf(format="A4")) > 10_000


def test_text_is_legible(look, pages, contrast):
    for name in ("full", "empty"):
        for scheme in ("light", "dark"):
            assert look(pages[name], 1440, scheme).evaluate(contrast) == []
