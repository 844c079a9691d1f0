from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made import (
    OWNERS,
    backtest_frame,
    deals_frame,
    findings_frame,
    forecast_frame,
    made_empty,
    made_input,
    scenario_frame,
    scores_frame,
    tie_frame,
)

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.report.brief import first_lines
from pipeforecast.report.facts import BINS, MOST_GROUPS
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.message import summary
from pipeforecast.report.names import Names, numbers_of_people
from pipeforecast.reporting import NOT_YET_ASSIGNED


def codes(facts: dict) -> list[str]:
    return [f["code"] for f in facts["findings"]]


def test_facts_are_plain_data(facts):
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    json.dumps(facts_of(made_empty()), allow_nan=False)


def test_parts_add_up_in_the_mean(facts):
    parts = {p["part"]: p for p in facts["parts"]}
    assert list(parts) == ["won", "open_due", "open_pulled_in", "new", "total"]
    assert sum(p["mean"] for p in facts["parts"] if p["adds"]) == pytest.approx(parts["total"]["mean"])
    assert sum(p["share"] for p in facts["parts"] if p["adds"]) == pytest.approx(1)


def test_headline_is_the_median_with_nested_ranges_around_it(facts):
    line = facts["headline"]
    ends = [line["ranges"][r][0] for r in ("95", "80", "50")] + [line["p50"]]
    ends += [line["ranges"][r][1] for r in ("50", "80", "95")]
    assert ends == sorted(ends)
    assert line["won"] + line["still"]["mean"] == pytest.approx(line["mean"])
    assert line["won"] + line["still"]["p90"] == pytest.approx(line["ranges"]["80"][1])
    assert line["open"] + line["new"] == pytest.approx(line["still"]["mean"])


def test_curve_counts_every_draw_and_falls(facts):
    bars = facts["curve"]["bars"]
    assert len(bars) == BINS
    assert sum(b["share"] for b in bars) == pytest.approx(1)
    reach = [b["reach"] for b in bars]
    assert reach == sorted(reach, reverse=True)
    assert facts["curve"]["amounts"][49] == pytest.approx(facts["headline"]["p50"])
    without = facts_of(made_input(draws=None))["curve"]
    assert without["bars"] == []
    assert without["amounts"][49] == pytest.approx(facts["headline"]["p50"])


def test_biggest_deals_come_first_and_missing_amounts_last(facts):
    expected = [d["expected_amount_in_period"] for d in facts["deals"]["shown"]]
    assert expected[-1] is None
    assert expected[:-1] == sorted(expected[:-1], reverse=True)
    assert facts["deals"]["without_amount"] == 1
    assert facts["deals"]["shown"][0]["owner"] in OWNERS.values()


def test_past_due_deals_are_at_risk_whatever_their_chance(given, facts):
    deals = given.deals
    past = deals[deals["expected_close"] < given.as_of]
    assert facts["risk"]["past_due"]["count"] == len(past)
    assert facts["risk"]["past_due"]["amount"] == pytest.approx(past["amount"].sum())
    shown = {d["deal_id"]: d for d in facts["risk"]["shown"]}
    assert "passed" in shown[past.iloc[0]["deal_id"]]["why"]
    assert all(d["past_due"] or d["p_slip"] >= 0.5 for d in shown.values())


def test_a_deal_due_today_is_not_past_due():
    deals = deals_frame(3).assign(expected_close=pd.Timestamp("2024-05-14"), p_slip=0.2)
    risk = facts_of(made_input(deals=deals))["risk"]
    assert (risk["past_due"]["count"], risk["count"]) == (0, 0)


def test_owners_are_named_and_groups_add_up(facts):
    owner = next(x for x in facts["levels"] if x["level"] == "owner")
    assert [g["name"] for g in owner["groups"]] == list(OWNERS.values())
    assert sum(g["mean"] for g in owner["groups"]) == pytest.approx(owner["mean"])


def test_groups_beyond_the_most_shown_are_added_up(given):
    f = given.forecast
    one = f[(f["level"] == "owner") & (f["group"] == "005A1")]
    many = pd.concat([f, *[one.assign(level="segment", group=f"s{i}") for i in range(MOST_GROUPS + 15)]])
    level = next(x for x in facts_of(replace(given, forecast=many))["levels"] if x["level"] == "segment")
    assert sum(g["mean"] for g in level["groups"]) + level["rest_mean"] == pytest.approx(level["mean"])
    assert level["rest_count"] == 15


def test_anonymous_facts_hold_no_owner(given):
    text = json.dumps(facts_of(replace(given, people="anonymous")), ensure_ascii=False)
    for owner, name in OWNERS.items():
        assert owner not in text
        assert name not in text
    assert "Person 1" in text


def test_own_team_facts_name_the_team_alone(given):
    mine = next(iter(OWNERS))
    facts = facts_of(replace(given, people="own_team", team=frozenset({mine})))
    text = json.dumps(facts, ensure_ascii=False)
    assert OWNERS[mine] in text
    for owner, name in OWNERS.items():
        assert owner == mine or (owner not in text and name not in text)
    assert mine not in numbers_of_people(replace(given, people="own_team", team=frozenset({mine})))
    told = [g["name"] for level in facts["levels"] if level["level"] == "owner" for g in level["groups"]]
    assert sorted(told) == sorted([OWNERS[mine], *(f"Person {i + 1}" for i in range(len(told) - 1))])


def test_new_business_that_is_nobodys_yet_is_no_person(given):
    nobody = given.forecast.assign(group=NOT_YET_ASSIGNED, level="owner", mean=1e9)
    names = Names(replace(given, people="anonymous", forecast=pd.concat([nobody, given.forecast])))
    assert names.group("owner", NOT_YET_ASSIGNED) == names.group("manager", NOT_YET_ASSIGNED) == "(not yet assigned)"
    largest = Names(replace(given, people="anonymous"))
    assert all(names.group("owner", o) == largest.group("owner", o) for o in OWNERS)
    numbers = numbers_of_people(replace(given, people="anonymous"))
    assert {o: f"Person {numbers[o]}" for o in OWNERS if o in numbers} == {
        o: largest.group("owner", o) for o in OWNERS if o in numbers
    }
    assert numbers
    assert not numbers_of_people(given)


def test_a_record_marks_the_best_of_each_day(facts):
    record = facts["record"]
    assert record["methods"][0]["is_model"]
    assert record["methods"][1]["is_chosen"]
    assert (record["today"], record["n_periods"]) == (45, 12)
    assert record["all_days"] == [0, 15, 30, 45, 60, 75]
    assert record["skill"]["day_of_period"] is None
    wape = next(m for m in record["measures"] if m["measure"] == "wape")
    assert all(wape["best"][0])  # the rule chosen beforehand is lower, but no competitor
    cover = next(m for m in record["measures"] if m["measure"] == "cover80")
    assert cover["best"][0][0]  # 75 % is nearer to 80 % than 58 %


def test_verdicts():
    def kind(**changes):
        return facts_of(made_input(**changes))["verdict"]["kind"]

    assert kind() == "ahead"
    assert kind(scores=scores_frame(0.95)) == "level"  # the interval of its skill holds 0
    assert kind(scores=scores_frame(1.2)) == "behind"
    assert kind(scores=scores_frame().assign(n_periods=3)) == "unproven"
    assert kind(scores=scores_frame(1.2).assign(n_periods=3)) == "behind"
    assert kind(scores=scores_frame().query("method == 'model'")) == "unproven"
    assert kind(scores=None) == "unproven"
    no_skill = scores_frame(1.2).drop(columns=["skill", "lower", "upper"])
    assert kind(scores=no_skill) == "behind"


def test_worse_than_a_rule_comes_first():
    behind = facts_of(made_input(scores=scores_frame(1.2)))
    assert codes(behind)[0] == "WORSE-THAN-A-RULE"
    assert behind["findings"][0]["severity"] == "error"
    assert "Weighted pipeline" in behind["findings"][0]["examples"]


def test_some_lost_days_are_a_warning():
    scores = scores_frame()
    scores.loc[(scores["method"] == "last_year") & (scores["day_of_period"] == 30), "wape"] = 0.05
    found = next(f for f in facts_of(made_input(scores=scores))["findings"] if f["code"] == "WORSE-THAN-A-RULE")
    assert (found["severity"], found["count"]) == ("warning", 1)
    assert found["examples"].startswith("day 30: Last year 5.0 %")


def test_findings_are_sorted_by_severity(facts):
    order = [("error", "warning", "info").index(f["severity"]) for f in facts["findings"]]
    assert order == sorted(order)
    assert {"PAST-DUE-DATES", "TOO-FEW-QUARTERS", "TODAYS-VALUE"} <= set(codes(facts))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scores": None}, "NOT-YET-PROVEN"),
        ({"scores": scores_frame(0.04)}, "SUSPICIOUSLY-GOOD"),
        ({"scores": scores_frame().assign(cover80=0.4)}, "RANGES-TOO-NARROW"),
        ({"scores": scores_frame().assign(n_periods=5)}, "TOO-FEW-QUARTERS"),
        ({"deals": deals_frame(4).assign(expected_amount_in_period=[9e5, 1e4, 1e4, 1e4])}, "ONE-DEAL-DECIDES"),
        ({"tie": tie_frame().assign(used_amount=lambda t: t["used_amount"] + 0.01)}, "TIE-BROKEN"),
    ],
)
def test_own_findings(changes, code):
    assert code in codes(facts_of(made_input(**changes)))


def test_the_tie_matches_to_the_cent(facts):
    tie = facts["tie"]
    assert tie["ties"]
    assert tie["total"]["raw_amount"] == 153_320_001.20
    assert [r["reason"] for r in tie["excluded"]] == ["test deal", "no created day"]
    off = tie_frame()
    off.loc[1, "excluded_count"] += 1
    broken = facts_of(made_input(tie=off))["tie"]
    assert (broken["ties"], broken["rows_off"]) == (False, 1)


def test_past_periods_newest_first_with_hits_counted(facts):
    past = facts["past"]
    assert [p["day"] for p in past["panels"]] == [0, 15, 30, 45, 60, 75]
    panel = past["panels"][3]
    assert panel["periods"][0]["period"] == "2024Q1"
    assert panel["inside"] == sum(p["p10"] <= p["actual"] <= p["p90"] for p in panel["periods"])
    assert [p["period"] for p in panel["periods"] if p["rewritten"]] == ["2023Q3"]


def test_many_days_are_thinned_and_keep_today():
    frame = pd.concat([scores_frame().assign(day_of_period=d) for d in range(0, 91, 7)])
    record = facts_of(made_input(scores=frame))["record"]
    assert len(record["days"]) <= 7
    assert {0, 42, 84} <= set(record["days"])


def test_quarters_without_an_actual_are_left_out():
    frame = backtest_frame()
    frame.loc[frame["period"] == "2024Q1", "actual"] = np.nan
    panel = facts_of(made_input(backtest=frame))["past"]["panels"][0]
    assert panel["periods"][0]["period"] == "2023Q4"


def test_names_are_cleaned_and_cut():
    deals = deals_frame(3)
    deals["name"] = pd.Series(["x" * 10_000, "a\x00b\n\tc", "\ud800 lone"], dtype=object)
    shown = {d["deal_id"]: d["name"] for d in facts_of(made_input(deals=deals))["deals"]["shown"]}
    assert len(shown["0060000"]) == 400
    assert shown["0060001"] == "a b c"
    assert shown["0060002"] == "lone"


def test_tables_read_back_from_files_give_the_same_facts(given, facts, tmp_path):
    again = {}
    for name in ("forecast", "deals", "scores", "backtest", "findings", "tie", "excluded"):
        getattr(given, name).to_csv(tmp_path / name, index=False)
        again[name] = pd.read_csv(tmp_path / name, dtype={"deal_id": str, "examples": str})
    read = facts_of(replace(given, **again))
    for topic in ("headline", "parts", "levels", "deals", "risk", "record", "past", "verdict", "tie", "findings"):
        assert read[topic] == facts[topic], topic


def test_todays_numbers_stand_beside_their_record(facts):
    now = {m["method"]: m for m in facts["rules_now"]}
    assert now["Weighted pipeline"]["past_error"] == pytest.approx(0.34 - 0.0034 * 45 + 0.02)
    assert all(m["past_error"] is None for m in facts_of(made_input(scores=None))["rules_now"])


def test_methods_have_names(given):
    names = Names(replace(given, group_labels={"method": {"acme": "Acme's way"}}))
    assert names.method("crm_probability+new") == "CRM probability + new deals"
    assert names.method("acme") == "Acme's way"
    assert names.method("some_rule") == "Some rule"


def test_fewer_deals_are_listed_where_so_told(given):
    deals = facts_of(replace(given, top_deals=3))["deals"]
    assert (len(deals["shown"]), deals["count"]) == (3, 90)


def test_inputs_are_judged():
    with pytest.raises(SettingsError, match="anonymous"):
        made_input(people="half")
    with pytest.raises(DataError, match="'deals' lacks the columns 'owner'"):
        made_input(deals=deals_frame().drop(columns="owner"))
    with pytest.raises(DataError, match="'best'"):
        made_input(model_name="best")
    with pytest.raises(DataError, match="'model'"):
        made_input(forecast=forecast_frame().iloc[:0])


def test_a_severity_that_is_not_known_is_a_warning():
    odd = findings_frame().assign(severity="Fatal")
    assert all(f["severity"] == "warning" for f in facts_of(made_input(findings=odd))["findings"] if not f["own"])


def test_first_lines_begin_with_the_proof(facts):
    lines = first_lines(facts).splitlines()
    assert lines[0] == facts["head"]["proof"]
    assert "80 % range" in lines[1]
    assert "best rule in hindsight (Weighted pipeline)" in lines[3]
    assert lines[4].startswith("Findings: 1 error")
    assert "run pipeforecast backtest" in first_lines(facts_of(made_empty()))


def test_the_summary_escapes_markup():
    deals = deals_frame(3).assign(name="|<b>*x*", owner="o|p")
    text = summary(facts_of(made_input(deals=deals)))
    assert "\\|\\<b\\>\\*x\\*" in text
    assert "o\\|p" in text
    assert "No open deals." in summary(facts_of(made_empty()))


def test_a_scenario_stands_beside_the_forecast_part_by_part():
    told = facts_of(made_input(scenario=scenario_frame()))["what_if"]
    assert told["name"] == "downturn"
    assert [p["part"] for p in told["parts"]] == ["won", "open_due", "open_pulled_in", "new", "total"]
    for column in ("base_mean", "mean", "difference"):
        assert sum(p[column] for p in told["parts"] if p["adds"]) == pytest.approx(told["parts"][-1][column])
    assert facts_of(made_input())["what_if"] is None
    with pytest.raises(DataError, match="'scenario' lacks"):
        made_input(scenario=scenario_frame().drop(columns="difference"))
