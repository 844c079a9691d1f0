"""The page of two forecasts: the bars of the file, whoever may not be named numbered, in every language."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast.compare import CAUSES, Waterfall
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.report.compare_page import CompareInput, compare_facts, render_compare, write_compare_page
from pipeforecast.wording import LANGUAGES

NASTY = "<img src=x onerror=alert(1)>\u202e=1+1"
NAMES = {"005A": "Ada Osei", "005B": "Björn Lind"}


def made() -> Waterfall:
    r = np.random.default_rng(3)
    moves = pd.DataFrame(np.round(r.normal(0, 40_000, (9, len(CAUSES))), 2), columns=list(CAUSES))
    moves["start"] = 200_000.0
    moves["end"] = moves["start"] + moves[list(CAUSES)].sum(axis=1)
    moves = moves.assign(deal_id=[f"006{i}" for i in range(8)] + [None], name=NASTY,
                         owner=["005A", "005B", "005C"] * 3, region="EMEA")  # fmt: skip
    every = [moves.assign(measure=m) for m in ("forecast", "pipeline", "pipeline_due")]
    evenings = pd.Timestamp("2024-05-07"), pd.Timestamp("2024-05-14")
    return Waterfall(*evenings, FiscalCalendar().named("2024Q2"), pd.concat(every), ("owner", "region"), (3, 2))


def given(**changes: object) -> CompareInput:
    return replace(CompareInput(made(), "Acme", "EUR", 1_900_000.0, NAMES), **changes)  # type: ignore[arg-type]


def test_the_page_says_what_the_file_says() -> None:
    facts = json.loads(json.dumps(compare_facts(given()), allow_nan=False))
    bars = made().total()
    assert facts["moved"]["start"] == pytest.approx(bars["start"])
    assert facts["moved"]["end"] == pytest.approx(bars["end"])
    assert [m["measure"] for m in facts["measures"]] == ["forecast", "pipeline", "pipeline_due"]
    for measure in facts["measures"]:
        assert measure["start"] + sum(measure["amounts"]) == pytest.approx(measure["end"])
    owner, region = facts["levels"]
    assert sum(g["end"] for g in owner["groups"]) == pytest.approx(bars["end"])
    assert sorted(g["name"] for g in owner["groups"]) == ["005C", "Ada Osei", "Björn Lind"]
    assert [g["name"] for g in region["groups"]] == ["EMEA"]
    changes = [abs(g["change"]) for g in owner["groups"]]
    assert changes == sorted(changes, reverse=True)


def test_whoever_may_not_be_named_is_a_number() -> None:
    page = render_compare(compare_facts(given(team=frozenset({"005A"}))))
    assert "Ada Osei" in page
    assert not re.search("Björn|005B|005C", page)
    assert {"Person 1", "Person 2"} <= set(re.findall(r"Person \d", page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_one_file_in_every_language_and_text_stays_text(language: str, tmp_path: Path) -> None:
    path = write_compare_page(given(company=NASTY, language=language), tmp_path / "compare.html")
    page = path.read_text(encoding="utf-8")
    assert "<img" not in page
    assert not re.search(
        r"(src|href)=\"http|\{\w*\}|Undefined", re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.S)
    )
    said = {"en": "What moved the forecast of 2024Q2", "pl": "Co zmieniło prognozę na 2024Q2"}.get(language, "2024Q2")
    assert said in page
    assert (language == "en") == ("Open pipeline" in page)
