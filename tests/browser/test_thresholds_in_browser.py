"""The page about thresholds in Chromium: its best threshold is what Python works out, whatever the fields say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeforecast.report.threshold_facts import threshold_facts
from pipeforecast.report.threshold_page import write_threshold_page
from pipeforecast.results import write_csv
from pipeforecast.thresholds import Asked, Terms, findings_of, studied
from pipeforecast.thresholds.curve import best_at, priced
from pipeforecast.thresholds.rows import threshold_rows
from pipeforecast.thresholds.study import Rule

sys.path.insert(0, str(Path(__file__).parents[1]))
pytestmark = pytest.mark.browser
TERMS = Terms(30.0, 400.0, 6.0)
#: Cells of the page's table that carry their value, from the left.
COLUMNS = [
    "threshold", "leads", "leads_per_week", "uncontacted", "precision", "recall", "missed", "cost", "value", "net",
]  # fmt: skip


@pytest.fixture(scope="session")
def study():
    from made_leads import made_leads

    scored = made_leads(2500)
    rule = Rule("rules_card", scored.features.flags["demo"].to_numpy() * 20, 20)
    return studied(scored, Asked(TERMS, current=0.2, rule=rule))


@pytest.fixture(scope="session")
def place(study, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("thresholds")
    head = {"source": "company", "as_of": "2024-12-31", "currency": "EUR", "saved": None}
    write_threshold_page(threshold_facts([study], findings_of(study), head), folder / "thresholds.html")
    write_csv(threshold_rows([study]), folder / "thresholds.csv")
    return folder


def _best(study, scale: str, segment: str, terms: Terms):
    table = study.table[study.table["scale"].eq(scale) & study.table["segment"].eq(segment)].reset_index(drop=True)
    share = len(study.leads[scale][segment].score) / len(study.leads[scale]["all"].score)
    own = terms.of_share(share)
    again = priced(table.drop(columns=["best"]), own)
    return again.iloc[best_at(again, own)]


def _shown(page) -> float:
    return float(page.inner_text("#best-threshold"))


def _numbers(page) -> list[list[float]]:
    rows = page.evaluate(
        "Array.from(document.querySelectorAll('#thresholds tbody tr'), r => Array.from(r.querySelectorAll("
        "'[data-value]'), c => c.dataset.value))"
    )
    return [[float(v or "nan") for v in row] for row in rows]


def test_it_opens_with_the_best_of_its_settings_and_the_numbers_of_the_file(look, study, place):
    import pandas as pd

    page = look(place / "thresholds.html")
    table = pd.read_csv(place / "thresholds.csv")
    for scale in ("p", "points"):
        for segment in ("all", "EMEA", "APAC"):
            page.select_option("#scale", scale)
            page.select_option("#segment", segment)
            own = table[table["scale"].eq(scale) & table["segment"].eq(segment)]
            assert _shown(page) == own.loc[own["best"], "threshold"].iloc[0]
            shown = _numbers(page)
            assert len(shown) == len(own)
            for cells, row in zip(shown, own[COLUMNS].itertuples(index=False), strict=True):
                assert cells == pytest.approx(list(row), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("cost", "value", "capacity"),
    [(30, 400, 6), (0, 400, None), (50, 60, None), (1, 900, 12.5), (30, 400, 0), (1e6, 1, None), (0, 0, 3)],
)
def test_fields_move_the_best_threshold_to_what_python_says(look, study, place, cost, value, capacity):
    page = look(place / "thresholds.html")
    page.fill("#cost", str(cost))
    page.fill("#value", str(value))
    page.fill("#capacity", "" if capacity is None else str(capacity))
    for scale in ("p", "points"):
        page.select_option("#scale", scale)
        for segment in ("all", "EMEA"):
            page.select_option("#segment", segment)
            best = _best(study, scale, segment, Terms(cost, value, capacity))
            if best["leads"]:
                assert _shown(page) == best["threshold"]
            else:
                assert page.inner_text("#best-threshold") == "nobody"
            net = page.locator("#thresholds tbody tr.is-best [data-value]").last.get_attribute("data-value")
            assert float(net) == pytest.approx(best["net"], rel=1e-9, abs=1e-9)


def test_the_slider_of_the_capacity_moves_the_best_threshold(look, study, place):
    page = look(place / "thresholds.html")
    page.focus("#capacity-slider")
    seen = set()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
        capacity = float(page.input_value("#capacity"))
        assert _shown(page) == _best(study, "p", "all", Terms(30.0, 400.0, capacity))["threshold"]
        seen.add(_shown(page))
    assert len(seen) > 1
    page.keyboard.press("End")
    assert page.input_value("#capacity") == ""
    assert _shown(page) == _best(study, "p", "all", Terms(30.0, 400.0))["threshold"]


def test_another_threshold_is_looked_at_by_keyboard_and_the_best_stays(look, study, place):
    page = look(place / "thresholds.html")
    best = _shown(page)
    page.focus("#threshold")
    page.keyboard.press("ArrowRight")
    looked = page.locator("#beside tbody tr").nth(1)
    assert looked.locator("th").inner_text() == "Looked at"
    shown = float(looked.locator("td").first.inner_text())
    thresholds = sorted(study.table[study.table["scale"].eq("p") & study.table["segment"].eq("all")]["threshold"])
    assert shown == thresholds[thresholds.index(best) + 1]
    assert _shown(page) == best
    assert str(shown) in page.get_attribute("#threshold", "aria-valuetext")
    page.click("#back")
    assert page.locator("#beside tbody th").all_inner_texts()[0] == "Best threshold"
    assert "Looked at" not in page.inner_text("#beside")


def test_todays_rule_stands_beside(look, study, place):
    page = look(place / "thresholds.html")
    names = page.locator("#beside tbody th").all_inner_texts()
    assert names == ["Best threshold", "Today's threshold", "Today's rules card (rules_card)"]
    net = page.locator("#beside tbody tr").nth(2).locator("td").last.get_attribute("data-value")
    assert float(net) == pytest.approx(study.rule.set_index("segment").loc["all", "net"], rel=1e-9)


def test_a_field_that_is_no_number_says_so_and_leaves_the_rest(look, place):
    page = look(place / "thresholds.html")
    before = page.inner_text("#best-threshold")
    page.fill("#cost", "-5")
    assert "Cost of a contact" in page.inner_text("#wrong")
    assert page.get_attribute("#cost", "aria-invalid") == "true"
    assert page.inner_text("#best-threshold") == before
    page.fill("#cost", "30")
    assert not page.is_visible("#wrong")


def test_settings_are_copied_as_yaml_that_the_verb_takes(look, place):
    import yaml

    page = look(place / "thresholds.html")
    page.fill("#cost", "12.5")
    page.fill("#capacity", "")
    page.click("#copy")
    page.wait_for_function("document.getElementById('copied').textContent !== ''")
    told = yaml.safe_load(page.input_value("#yaml"))
    assert told == {"cost_per_contact": 12.5, "value_per_conversion": 400, "capacity_per_week": None, "by": "p"}


def test_weeks_above_the_capacity_are_marked(look, study, place):
    page = look(place / "thresholds.html")
    days, counts = study.weeks["p", "all"]
    table = study.table[study.table["scale"].eq("p") & study.table["segment"].eq("all")]
    cut = list(table["threshold"]).index(_shown(page))
    assert page.locator("#chart-weeks rect").count() == len(days) == 26
    assert page.locator("#chart-weeks rect.over").count() == (counts[:, cut] > 6).sum()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_page_is_wider_than_the_screen(look, place, width, scheme):
    page = look(place / "thresholds.html", width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_field_is_reached_by_tab_in_the_order_of_the_page(look, place):
    page = look(place / "thresholds.html")
    page.focus("#cost")
    order = ["cost"]
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id"))
    assert order == ["cost", "value", "capacity", "capacity-slider", "segment", "scale"]
