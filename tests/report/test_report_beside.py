"""What stands beside the forecast: people's calls, the audit, quotas, metrics and past chances."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from made import OWNERS, deals_frame, made_empty, made_input, quotas_frame
from made_beside import audit_made, biases_frame, calls_frame, chances_frame, whole

from pipeforecast.audit.flags import FLAGS
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.page import render
from pipeforecast.report.reliable import chances as drawn
from pipeforecast.wording import LANGUAGES, speaking, t

NASTY = '<img src=x onerror="alert(1)">' + "W" * 10_000 + "\u202e\u05d0\u05d1\U0001f680"


@pytest.fixture(scope="module")
def told() -> dict:
    return facts_of(whole())


def test_calls_are_told_as_they_were_made_beside_the_model_of_the_same_money(told: dict):
    calls = told["calls"]
    layers = {x["layer"]: x for x in calls["layers"]}
    assert list(layers) == ["rep", "manager", "executive"]
    assert (layers["rep"]["called"], layers["rep"]["people"]) == (10.2e6, 2)
    assert layers["executive"]["mean"] == told["headline"]["mean"]
    assert layers["executive"]["difference"] == pytest.approx(4.1e6 - told["headline"]["mean"])
    owners = {g["name"]: g for x in told["levels"] if x["level"] == "owner" for g in x["groups"]}
    rows = {(r["layer"], r["name"]): r for r in calls["rows"]}
    for (layer, name), of in {("rep", "Ada Osei"): "Ada Osei", ("manager", "Chen Wei"): "Björn Lindqvist"}.items():
        row = rows[layer, name]
        assert [row[c] for c in ("mean", "p10", "p90")] == [owners[of][c] for c in ("mean", "p10", "p90")]
    assert rows["manager", "Chen Wei"]["of"] == "Björn Lindqvist"
    assert [rows["rep", "Ada Osei"]["place"], rows["manager", "Chen Wei"]["place"]] == ["above", "below"]
    assert (
        rows["rep", "Björn Lindqvist"]["words"]
        == "closed 21 % above own calls (12 periods, 90 % interval: 5 % to 40 %)"
    )


def test_calls_change_no_number_of_the_forecast(told: dict):
    plain = facts_of(made_input())
    for part in ("headline", "parts", "curve", "deals", "levels", "rules_now", "record"):
        assert told[part] == plain[part]


def test_who_called_before_and_not_now_is_told_as_such(told: dict):
    silent = next(r for r in told["calls"]["rows"] if r["name"].startswith("Dolores") and r["layer"] == "rep")
    assert silent["called"] is None
    assert silent["difference"] is None
    assert "has not called" in render(told)


def test_no_calls_at_all_and_none_yet_are_two_things():
    assert "The export has no forecast calls" in render(facts_of(made_input()))
    page = render(facts_of(whole(calls=calls_frame().iloc[:0], biases=None)))
    assert "Nobody has called 2024Q2" in page
    assert "The export has no forecast calls" not in page


def test_hidden_callers_have_the_number_of_the_report_everywhere():
    given = whole(people="anonymous", group_labels={"owner": OWNERS, "manager": OWNERS})
    facts = facts_of(given)
    text = json.dumps(facts, ensure_ascii=False)
    assert not [x for x in (*OWNERS, *OWNERS.values()) if x in text]
    assert "Person ?" not in text
    names = {r["name"] for r in facts["calls"]["rows"]}
    assert names <= {f"Person {i}" for i in range(1, 5)}


def test_flags_that_are_there_by_money_and_the_deals_to_talk_about(told: dict):
    hygiene = told["hygiene"]
    assert (hygiene["deals"], hygiene["flagged"], hygiene["flagged_amount"]) == (3, 2, 800.0)
    assert [f["at_stake"] for f in hygiene["flags"]] == [500.0, 500.0, 300.0]
    rates = {f["flag"]: (f["win_rate"], f["n"]) for f in hygiene["flags"]}
    assert rates == {"pushed": (0.2, 40), "no_next_step": (None, 0), "no_amount": (None, 0)}
    assert hygiene["unknown"] == [FLAGS["criteria_missing"].title]
    assert [d["name"] for d in hygiene["first"]] == ["Nordwind: rollout", "b"]
    assert hygiene["first"][0]["flags"] == [FLAGS["pushed"].title, FLAGS["no_next_step"].title]
    assert facts_of(whole(top_deals=0))["hygiene"]["first"] == []


def test_quotas_are_told_with_the_least_likely_first_and_without_those_that_are_missing(told: dict):
    aims = told["aims"]
    assert aims["total"]["quota"] == 4_300_000.0
    assert [g["p_hit"] for g in aims["groups"]] == [0.4, 0.5]
    assert aims["groups"][0]["name"] == "Ada Osei"
    deals = deals_frame(3)
    hangs = quotas_frame().assign(largest_deal=deals["deal_id"].iloc[1], p_hit_without_deal=0.2)
    assert facts_of(made_input(deals=deals, quotas=hangs))["aims"]["total"]["largest_deal"] == deals["name"].iloc[1]
    assert "has no quota" in render(facts_of(made_empty()))


def test_chances_are_judged_by_the_interval_of_what_came_true():
    kinds = {off: facts_of(whole(chances=chances_frame(off)))["chances"] for off in (1.0, 0.5, 1.6)}
    assert [c["kind"] for c in kinds.values()] == ["even", "high", "low"]
    assert kinds[1.0]["inside"] == len(kinds[1.0]["bins"]) == 2
    assert kinds[0.5]["inside"] == 1
    assert str(drawn({"chances": kinds[1.0]})).count("<circle") == 2
    few = chances_frame().assign(n=10)
    assert facts_of(whole(chances=few))["chances"] is None
    assert "Too few chances of past days" in render(facts_of(whole(chances=few)))


def test_text_from_outside_stays_text_in_the_new_sections():
    labels = {"owner": dict.fromkeys(OWNERS, NASTY)}
    given = whole(audit=audit_made(NASTY), group_labels=labels, biases=biases_frame().assign(words=NASTY))
    page = render(facts_of(given))
    assert "<img" not in page
    assert "W" * 500 not in page


def test_a_page_without_anything_beside_it_says_so():
    page = render(facts_of(made_empty()))
    for words in ("was not audited", "has no quota", "The export has no forecast calls", "Too few chances"):
        assert words in page
    assert 'id="measures"' not in page


def test_persons_are_listed_in_the_order_of_their_numbers():
    given = made_input(people="anonymous")
    cells = given.cells
    assert cells is not None
    people = [f"p{i}" for i in range(12)]
    groups = pd.DataFrame({"owner": people})
    part = {k: v[:12] for k, v in cells.mean.items()}
    more = replace(cells, groups=groups, mean=part, draws={k: v[:12] for k, v in cells.draws.items()})
    f = given.forecast
    own = pd.concat([f[(f["level"] == "owner") & (f["part"] == "total")].head(1).assign(group=p) for p in people])
    shown = facts_of(replace(given, cells=more, forecast=pd.concat([f[f["level"] == "total"], own])))
    names = shown["cells"]["filters"][0]["groups"]
    assert names == [f"Person {i}" for i in range(1, 13)]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_way_to_each_section_and_the_layers_are_said_in_the_reader_s_language(language):
    given = replace(whole(), language=language)
    nav = re.search(r"<nav.*?</nav>", render(facts_of(given)), re.S).group(0)
    with speaking(language):
        for name in ("Quotas", "Calls", "Calibration"):
            assert t(name) != name
            assert f">{t(name)}</a>" in nav
        labels = [t("Reps"), t("Managers"), t("Executive")]
    assert {x["label"] for x in facts_of(given)["calls"]["layers"]} <= set(labels)
