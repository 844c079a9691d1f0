"""The page in every language: nothing raw, nothing mixed up, its language said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from made import made_cells, made_empty, made_input, quotas_frame, scenario_frame, scores_frame

from pipeforecast.report.brief import first_lines
from pipeforecast.report.facts import facts
from pipeforecast.report.message import summary
from pipeforecast.report.page import render
from pipeforecast.wording import LANGUAGES, speaking, t

SAID = {"en": "Won so far", "pl": "Wygrane dotąd", "zh": "至今已赢单", "id": "Menang sejauh ini",
        "ms": "Dimenangi setakat ini"}  # fmt: skip
WORSE = {"en": "Worse than a rule", "pl": "Gorsza od reguły", "zh": "不如规则", "id": "Lebih buruk daripada aturan",
         "ms": "Lebih buruk daripada peraturan"}  # fmt: skip


def _one_deal():
    given = made_input()
    return replace(given, deals=given.deals.head(1), scores=None, backtest=None)


CASES = {
    "whole": lambda: made_input(quotas=quotas_frame(), cells=made_cells(), scenario=scenario_frame()),
    "no history, no quota": lambda: made_input(scores=None, backtest=None, quotas=None),
    "worse than a rule": lambda: made_input(scores=scores_frame(1.6)),
    "one deal": _one_deal,
    "no deals": made_empty,
}


def shown(page: str) -> str:
    """What a reader sees: text and the attributes that are read aloud, no script and no style."""
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    return body[body.index("<body>") :]


@pytest.fixture(scope="module", params=list(CASES))
def case(request):
    return CASES[request.param]()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_raw_is_shown(case, language):
    told = facts(replace(case, language=language))
    page = render(told)
    assert f'<html lang="{ {"zh": "zh-Hans"}.get(language, language) }">' in page
    for text in (shown(page), summary(told), first_lines(told)):
        assert not re.search(r"\{\w*\}|Undefined|\bNone\b|msgid", text)
    assert SAID[language] in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_do_not_hang_on_the_language(language):
    """Facts are the same figures: only words differ."""
    given = made_input()
    one, other = facts(given), facts(replace(given, language=language))
    for key in ("headline", "curve", "tie"):
        assert one[key] == other[key]
    assert [p["mean"] for p in one["parts"]] == [p["mean"] for p in other["parts"]]
    assert one["verdict"]["kind"] == other["verdict"]["kind"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_worst_news_comes_first_in_any_language(language):
    page = render(facts(made_input(scores=scores_frame(1.6), language=language)))
    first = shown(page)
    assert WORSE[language] in first[: first.index('class="hero"')]


def test_a_translated_page_has_no_english_left_of_ours():
    """What English says and Polish says otherwise is gone; findings about the data and names stay as they come."""
    given = made_input(quotas=quotas_frame(), cells=made_cells(), findings=made_empty().findings)
    page = shown(render(facts(replace(given, language="pl"))))
    for english in ("most likely", "Data as of", "Against the rules", "At risk", "How to read", "open deals"):
        with speaking("pl"):
            assert t(english) != english or english in ("open deals",)
        assert english not in re.sub(r"<code>.*?</code>", "", page), english


def test_days_and_amounts_are_the_reader_s():
    page = shown(render(facts(made_input(language="pl"))))
    assert "14\u00a0maj\u00a02024" in page
    assert re.search(r"\d,\d+\u00a0mln", page)
    assert not re.search(r"\d\u00a0M\b", page)
    chinese = shown(render(facts(made_input(language="zh"))))
    assert "2024年5月14日" in chinese
    assert re.search(r"\d+万", chinese)


def test_people_are_hidden_in_any_language():
    page = render(facts(made_input(people="anonymous", language="id")))
    assert "Orang 1" in page
    assert "Person 1" not in page
