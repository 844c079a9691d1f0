"""The page about thresholds: facts that are JSON, text from outside that stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from made_leads import made_leads
from pipeforecast.report.threshold_facts import threshold_facts
from pipeforecast.report.threshold_page import render_thresholds, write_threshold_page
from pipeforecast.thresholds import ALL, Asked, Study, Terms, findings_of, studied
from pipeforecast.thresholds.rows import threshold_rows

HEAD = {"source": "company", "as_of": "2024-12-31", "currency": "EUR", "saved": None}
NASTY = "</script><img src=x onerror=alert(1)>\u202e=1+1"


@pytest.fixture(scope="module")
def made() -> Study:
    return studied(made_leads(2500), Asked(Terms(30.0, 400.0, 6.0), current=0.2))


@pytest.fixture(scope="module")
def facts(made: Study) -> dict:
    return threshold_facts([made], findings_of(made), HEAD)


def _data(page: str) -> dict:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(found)


def test_facts_are_json_and_come_back_from_the_page(facts: dict) -> None:
    again = json.loads(json.dumps(facts["data"], allow_nan=False))
    assert _data(render_thresholds(facts)) == again


def test_the_data_are_those_of_the_file(made: Study, facts: dict) -> None:
    rows = threshold_rows([made])
    for scale in ("p", "points"):
        for segment, data in facts["data"]["steps"]["converted"]["scales"][scale].items():
            own = rows[rows["scale"].eq(scale) & rows["segment"].eq(segment)]
            for column, short in {"threshold": "t", "leads": "n", "precision": "p", "missed": "m"}.items():
                told = [np.nan if v is None else v for v in data[short]]
                np.testing.assert_allclose(told, own[column])
            np.testing.assert_allclose(data["w"], own["leads_per_week"])
            np.testing.assert_allclose(np.mean(data["counts"][:-1], axis=1), own["leads_per_week"])
            assert len(data["counts"]) == len(own) + 1
            assert all(len(c) == len(data["days"]) for c in data["counts"])


def test_text_from_outside_stays_text(made: Study) -> None:
    scored = made.scored
    level = scored.features.categories["level"].replace({"Staff": NASTY, "C-Level, global": "<b>" + NASTY})
    segment = scored.leads["segment"].replace({"EMEA": NASTY})
    nasty = replace(
        scored, leads=scored.leads.assign(segment=segment),
        features=replace(scored.features, categories=pd.DataFrame({"level": level})),
    )  # fmt: skip
    found = studied(nasty, Asked(Terms(30.0, 400.0)))
    assert NASTY in found.threshold
    page = render_thresholds(threshold_facts([found], findings_of(found), {**HEAD, "source": NASTY}))
    assert "<img" not in page
    assert page.count("</script>") == 3
    assert NASTY in _data(page)["steps"]["converted"]["scales"]["p"]


def test_the_page_is_one_small_file_without_addresses(facts: dict, tmp_path: Path) -> None:
    write_threshold_page(facts, tmp_path / "t.html")
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert len(page) < 600_000
    assert {u for u in re.findall(r"https?://[^\s\"'<>)]+", page) if not u.startswith("http://www.w3.org/")} == set()
    assert "default-src 'none'" in page


def test_every_field_has_a_label_and_changes_are_spoken(facts: dict) -> None:
    page = render_thresholds(facts)
    for name in ("cost", "value", "capacity", "capacity-slider", "segment", "scale"):
        assert re.search(rf"<label>[^<]+<(input|select) id=\"{name}\"", page), name
    assert re.search(r'<label for="threshold">', page)
    assert re.search(r'<p id="best-words" aria-live="polite"', page)
    assert page.count("<caption") == page.count("<table")


def test_a_card_that_says_nothing_and_leads_without_dates_have_a_page(made: Study) -> None:
    bare = replace(made, card=replace(made.card, rows=(), half_life=None), past=made.past.head(0))
    leads = {s: {ALL: replace(g[ALL], weeks=float("nan"))} for s, g in made.leads.items()}
    bare = replace(bare, leads=leads, weeks={k: (v[0][:0], v[1][:0]) for k, v in made.weeks.items()})
    page = render_thresholds(threshold_facts([bare], [], {**HEAD, "as_of": None}))
    assert "every lead has 0 points" in page
    assert "Leads without dates" in page
    assert 'id="past"' not in page
