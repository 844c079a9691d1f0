"""The catalogue's page says what metrics.csv says, first what matters, and executes nothing that came with the data."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from catalogued import FIRST, common_benchmarks, made_metrics, totals

from pipeforecast.benchmarks import Benchmark
from pipeforecast.metrics import CATALOGUE
from pipeforecast.report.catalogue import catalogue_facts
from pipeforecast.report.metrics_page import render_metrics, write_metrics_page
from pipeforecast.report.words import NBSP, figure


@pytest.fixture(scope="module")
def facts() -> dict:
    return catalogue_facts(made_metrics())


class Rows(HTMLParser):
    """The rows of the table of all metrics: the values of their cells, by metric and part."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[tuple[str, str], list[str]] = {}
        self.own: list[str] | None = None
        self.cards: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        told = dict(attrs)
        if tag == "tr":
            key = (told.get("data-metric"), told.get("data-part"))
            self.own = self.rows.setdefault(key, []) if None not in key else None
        elif tag == "td" and self.own is not None and "data-value" in told:
            self.own.append(told["data-value"])
        elif tag == "li" and told.get("class") == "card":
            self.cards.append(told["data-metric"])


def test_the_page_holds_every_total_of_the_table_to_the_last_digit(facts: dict) -> None:
    given = made_metrics()
    page = Rows()
    page.feed(render_metrics(facts))
    expected = totals(given)
    assert list(page.rows) == list(expected.index)
    for key, cells in page.rows.items():
        row = expected.loc[key]
        for told, column in zip(cells, ("value", "n", "change", "change_year"), strict=True):
            value = row[column]
            assert (told == "") == bool(pd.isna(value)), (key, column)
            if told:
                assert float(told) == pytest.approx(float(value), rel=1e-12), (key, column)


def test_the_first_screen_has_the_sets_metrics_in_their_order(facts: dict) -> None:
    page = Rows()
    page.feed(render_metrics(facts))
    assert tuple(page.cards) == tuple(c["metric"] for c in facts["first"]) == FIRST
    by_name = {c["metric"]: c for c in facts["first"]}
    assert by_name["average_order_value"]["status"] == "not available"
    assert "orders" in by_name["average_order_value"]["reason"]
    assert by_name["stage_conversion"]["parts"][0]["part"] == "Discovery"
    assert [t["period"] for t in by_name["win_rate"]["trend"]] == facts["head"]["periods"]


def test_facts_are_plain_data(facts: dict) -> None:
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_a_trend_is_the_metric_over_the_windows(facts: dict) -> None:
    given = made_metrics()
    card = next(c for c in facts["first"] if c["metric"] == "pipeline_value")
    for point in card["trend"]:
        assert point["value"] == pytest.approx(totals(given, point["period"]).loc[("pipeline_value", ""), "value"])


def test_a_benchmark_stands_beside_a_figure_and_changes_none(facts: dict) -> None:
    bare = catalogue_facts(made_metrics(benchmarks=()))
    assert [c["value"] for c in bare["rows"]] == [c["value"] for c in facts["rows"]]
    told = {(r["metric"], r["part"]): r["benchmark"] for r in facts["rows"] if r["benchmark"]}
    stages = [p for m, p in told if m == "stage_conversion"]
    assert told["stage_conversion", stages[0]]["low"] == 0.4
    assert {told["stage_conversion", p]["low"] for p in stages[1:]} == {0.8}
    assert told["mql_to_srl", ""] == {
        "low": 0.2, "high": 0.4, "what": "commonly reached", "side": told["mql_to_srl", ""]["side"],
    }  # fmt: skip
    for (metric, part), b in told.items():
        value = totals(made_metrics()).loc[(metric, part), "value"]
        if not pd.isna(value):
            side = "below" if value < b["low"] else "above" if value > b["high"] else "within"
            assert b["side"] == side
    assert all(r["benchmark"] is None for r in bare["rows"])


def test_a_benchmark_of_one_group_stands_in_that_group_alone() -> None:
    b = Benchmark(metric="win_rate", by="deal_type", group="new", low=0.3, high=0.3)
    made = catalogue_facts(made_metrics(first=("win_rate",), benchmarks=(b,)))
    (group,) = (g for g in made["groups"] if g["by"] == "deal_type")
    marked = {r["group"]: r["benchmarks"] != [None] for r in group["rows"]}
    assert {"new", "existing"} <= set(marked)
    assert [g for g, hit in marked.items() if hit] == ["new"]
    assert all(r["benchmark"] is None for r in made["rows"])


def test_groups_show_the_first_metrics_as_the_table_has_them(facts: dict) -> None:
    table = made_metrics().table
    (owners,) = (g for g in facts["groups"] if g["by"] == "owner")
    period = facts["head"]["period"]
    for row in owners["rows"]:
        for told, metric in zip(row["values"], owners["metrics"], strict=True):
            at = (table["metric"] == metric["metric"]) & (table["by"] == "owner") & (table["period"] == period)
            value = table.loc[(at & (table["group"] == row["group"])).to_numpy(), "value"]
            expected = np.nan if value.empty else value.iloc[0]
            assert (told is None) == bool(pd.isna(expected))
            assert told is None or told == pytest.approx(expected)


def test_young_cohorts_are_marked_and_no_others(facts: dict) -> None:
    table = made_metrics().table
    young = table[((table["status"] == "immature") & (table["by"] == "total")).to_numpy()]
    expected = set(zip(young["metric"], young["period"], strict=True))
    seen = {(r["metric"], c["period"]) for r in facts["cohorts"]["rows"] for c in r["cells"] if c["immature"]}
    told = {r["metric"] for r in facts["cohorts"]["rows"]}
    assert seen == {(m, p) for m, p in expected if m in told}
    assert ("win_rate_created", facts["head"]["period"]) in seen


def test_the_funnel_and_the_bottleneck_are_of_the_newest_whole_period(facts: dict) -> None:
    rows = totals(made_metrics(), facts["head"]["whole"])
    assert facts["head"]["running"]
    assert facts["funnel"]["period"] == facts["head"]["whole"] != facts["head"]["period"]
    for s in facts["funnel"]["stages"]:
        assert s["entered"] == rows.loc[("stage_conversion", s["stage"]), "n"]
        assert s["value"] == pytest.approx(rows.loc[("stage_conversion", s["stage"]), "value"])
    stages = facts["bottleneck"]["stages"]
    if facts["bottleneck"]["worst"]:
        assert max(stages, key=lambda s: s["total"])["stage"] == facts["bottleneck"]["worst"]


def test_a_change_within_the_interval_or_of_a_young_cohort_is_called_neither_better_nor_worse(facts: dict) -> None:
    told = [r for r in facts["rows"] if r["change"] and r["good"] != "neither"]
    assert told
    for r in told:
        ends = [x if x is not None else end for x, end in ((r["lower"], -np.inf), (r["upper"], np.inf))]
        sure = r["lower"] is r["upper"] is None or not ends[0] <= r["value"] - r["change"] <= ends[1]
        told_apart = sure and r["status"] != "immature"
        assert (r["better"] is not None) == told_apart
        if told_apart:
            assert r["better"] == ((r["change"] > 0) == (CATALOGUE[r["metric"]].good == "up"))


def test_what_is_not_available_is_listed_with_its_reason(facts: dict) -> None:
    rows = totals(made_metrics())
    expected = rows[rows["status"] == "not available"].reset_index()
    assert {a["metric"] for a in facts["absent"]} == set(expected["metric"])
    assert all(a["reason"] for a in facts["absent"])


NASTY = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


def test_text_from_the_data_is_never_markup() -> None:
    given = made_metrics()
    texts = dict.fromkeys(("part", "by", "group", "reason", "status"), "object")
    given = replace(given, table=given.table.astype(texts))
    table = given.table.assign(
        part=given.table["part"].where(given.table["part"] != "Discovery", NASTY),
        group=given.table["group"].where(given.table["by"] != "deal_type", NASTY),
        reason=given.table["reason"].where(given.table["status"] != "not available", NASTY),
    )
    people = dict.fromkeys(given.table.loc[given.table["by"] == "owner", "group"].unique(), NASTY)
    page = render_metrics(catalogue_facts(replace(given, table=table, currency=NASTY, set_name=NASTY, people=people)))
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert "alert(2)</script>" not in page


def test_the_page_asks_for_nothing_outside_itself(facts: dict) -> None:
    import re

    page = render_metrics(facts)
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page) == []
    assert re.findall(r"url\(|@import", page) == []
    assert {u for u in re.findall(r"https?://[^\s\"'<>)]+", page) if "www.w3.org" not in u} == set()


@pytest.mark.parametrize("metrics", [["won_amount"], ["average_order_value"], ["stage_conversion"], []])
def test_few_or_no_metrics_still_make_a_page(metrics: list, tmp_path) -> None:
    given = made_metrics()
    table = given.table[given.table["metric"].isin(metrics).to_numpy()]
    path = write_metrics_page(replace(given, table=table, findings=()), tmp_path / "page.html")
    page = path.read_text(encoding="utf-8")
    assert "Data as of" in page
    assert page.count('class="empty"') >= 4
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_a_campaign_is_told_by_its_difference_and_interval() -> None:
    given = made_metrics()
    mine = given.table[((given.table["metric"] == "win_rate") & (given.table["by"] == "total")).to_numpy()]
    names = ["campaign:X before", "campaign:X after", "campaign:X difference"]
    told = zip(names, (0.3, 0.5, 0.2), strict=True)
    table = pd.concat([mine.head(1).assign(period=n, value=v, lower=v - 0.1, upper=v + 0.1) for n, v in told])
    windows = [replace(w, name=n) for w, n in zip(given.windows[:2], names, strict=False)]
    facts = catalogue_facts(replace(given, table=table, windows=windows, first=("win_rate",)))
    (card,) = facts["first"]
    assert ">before</text>" in render_metrics(facts)
    assert card["value"] == 0.5
    assert (card["difference"]["value"], card["difference"]["lower"]) == (0.2, pytest.approx(0.1))


def test_figures_are_told_in_their_units() -> None:
    said = {
        (0.153, "share"): "15 %", (1234.0, "currency"): "1.23 k", (4000.0, "currency a day"): "4.00 k a day",
        (40.0, "days"): "40 days", (12.0, "count"): "12", (10_000.0, "count"): "10,000", (0.38, "index"): "0.38",
        (1.25, "ratio"): "1.25", (None, "count"): "–", (-3.5, "days"): "−3.5 days",
    }  # fmt: skip
    for (value, unit), text in said.items():
        assert figure(value, unit).replace(NBSP, " ") == text
    assert figure(-0.013, "share", True).replace(NBSP, " ") == "−1.3 points"
    assert figure(12.0, "count", True) == "+12"


def test_common_benchmarks_are_values_of_the_catalogue() -> None:
    for b in common_benchmarks().values:
        assert b.metric in CATALOGUE, b.metric
        assert CATALOGUE[b.metric].unit == "share"
        assert 0 < b.low <= b.high < 1
