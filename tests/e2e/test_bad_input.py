"""What is wrong with a call or with data is said in a line or two: what was expected, what came, what to do."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
from whole import Refused

from pipeforecast.cli import main
from tables import rows, written

QUICK = ("draws=100", "model.coefficient_draws=2", "proof=none")


def changed(column: str, value: str, at: int = 5) -> pd.DataFrame:
    table = rows().astype("string")
    table.loc[at, column] = value
    return table


# The data


def test_a_folder_that_is_not_there(refused: Refused) -> None:
    assert "nowhere" in refused("forecast", "source=nowhere")
    assert "nowhere" in refused("check", "crm=salesforce", "source=nowhere")


def test_a_file_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    said = refused("check", "crm=salesforce", "source=exports")
    assert "'Opportunity'" in said
    assert "crm.deals.files" in said
    (tmp_path / "exports" / "offers.csv").write_text("a,b\n1,2\n")
    assert "'offers.csv'" in refused("check", "crm=salesforce", "source=exports")


def test_a_column_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    said = refused("audit", written(tmp_path, rows().rename(columns={"created_at": "opened"})))
    assert "created_at" in said
    assert "opened" in said
    assert "deals.csv" in said


def test_a_stage_that_is_not_known(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    (tmp_path / "exports" / "stages.csv").write_text("stage,kind\nProspect,open\nWon,won\n")
    said = refused("audit", source)
    assert "'Proposal'" in said
    assert "'Prospect'" in said
    assert "crm.stages" in said


def test_a_status_that_is_not_known(refused: Refused, tmp_path: Path) -> None:
    said = refused("audit", written(tmp_path, changed("outcome", "gewonnen")))
    assert "'gewonnen'" in said
    assert "crm.status" in said


def test_a_date_that_is_none(refused: Refused, tmp_path: Path) -> None:
    said = refused("audit", written(tmp_path, changed("created_at", "soon", at=5)))
    assert "'soon (row 7)'" in said
    assert "created_at" in said
    assert "dates.formats" in said
    assert "2023-02-30" in refused("audit", written(tmp_path, changed("closed_at", "2023-02-30")))


def test_a_date_column_that_may_be_read_in_two_ways(refused: Refused, tmp_path: Path) -> None:
    table = rows()
    table["created_at"] = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2022" for i in range(len(table))]
    said = refused("audit", written(tmp_path, table))
    assert "day_first or month_first" in said
    assert "created_at" in said


def test_an_amount_that_is_no_number(refused: Refused, tmp_path: Path) -> None:
    said = refused("audit", written(tmp_path, changed("amount", "a lot")))
    assert "a lot" in said
    assert "amount" in said


@pytest.mark.parametrize("verb", ["check", "train", "forecast", "backtest"])
def test_a_header_and_no_deal(verb: str, refused: Refused, tmp_path: Path) -> None:
    said = refused(verb, written(tmp_path, rows().iloc[:0]))
    assert said.startswith("deals.csv: expected at least one deal, came a header alone")


def test_an_empty_opportunity_file_of_salesforce(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    header = "Id,CreatedDate,CloseDate,StageName,Amount,IsClosed,IsWon"
    (tmp_path / "exports" / "Opportunity.csv").write_text(header + "\n")
    assert "Opportunity.csv" in refused("forecast", "crm=salesforce", "source=exports")


def test_an_empty_file(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "deals.csv").write_text("")
    assert "deals.csv" in refused("forecast", "source=exports")


# The call


def test_a_verb_setting_or_crm_that_is_not_known(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    assert "did you mean 'forecast'?" in refused("forcast", source, status=2)
    assert "did you mean 'draws'?" in refused("forecast", source, "drawz=100", status=2)
    assert "drawz: there is no such setting" in refused("forecast", source, "+drawz=100", status=2)
    assert "there is no such setting" in refused("forecast", source, "+model.wheels=4", status=2)
    said = refused("forecast", source, "crm=salesfroce", status=2)
    assert "did you mean 'salesforce'?" in said


def test_numbers_out_of_range(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    assert "draws" in refused("forecast", source, "draws=-5", status=2)
    assert "origins.periods" in refused("backtest", source, "origins.periods=0", status=2)
    assert "origins.days" in refused("backtest", source, "origins.days=[]", status=2)
    assert "model.penalty" in refused("train", source, "model.penalty=0", status=2)


def test_a_rule_that_is_not_known(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    assert "'crm_probability'" in refused("forecast", source, "rules=[gut_feeling]", *QUICK, status=2)
    assert "'crm_probability'" in refused("forecast", source, "model=rule", "model.name=gut_feeling", status=2)


def test_days_before_and_after_the_data(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    before = refused("forecast", source, "as_of=2019-03-31")
    assert "2019-03-31" in before
    assert "2022-01-03" in before
    after = refused("forecast", source, "as_of=2031-03-31", status=2)
    assert "2031-03-31" in after
    assert "leave as_of out" in after


def test_a_period_that_is_over_or_none(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    past = refused("forecast", source, "period=2022Q2", status=2)
    assert "2022Q2 ended on 2022-06-30" in past
    assert "2022Q9" in refused("forecast", source, "period=2022Q9", status=2)
    assert "springtime" in refused("forecast", source, "period=springtime", status=2)


def test_results_that_cannot_be_written(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    (tmp_path / "taken").write_text("mine")
    assert "expected a folder" in refused("check", source, "out=taken")
    assert "expected a folder" in refused("forecast", source, "out=taken", *QUICK)
    assert "say out=FOLDER" in refused("check", source, "out=taken/deeper")
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    (tmp_path / "locked").mkdir(mode=0o555)
    (tmp_path / "shut").mkdir(mode=0o555)
    assert "say out=FOLDER" in refused("check", source, "out=locked/report")
    assert "say out=FOLDER" in refused("check", source, "out=shut")


def test_a_place_that_nobody_can_write_to(refused: Refused, tmp_path: Path) -> None:
    assert "say out=FOLDER" in refused("check", written(tmp_path, rows()), "out=/proc/pipeforecast")


# Little history: what can be said is said, and what cannot is not made up


def little(tmp_path: Path, capsys: pytest.CaptureFixture[str], table: pd.DataFrame, *words: str) -> str:
    """Forecast from ``table``, which must end well."""
    source = written(tmp_path, table)
    with chdir(tmp_path):
        status = main(["forecast", source, "draws=100", "tracking=off", *words])
    out, err = capsys.readouterr()
    assert status == 0, err
    made = pd.read_csv(tmp_path / "out" / "forecast.csv")
    leads = made[(made["method"] == made["method"].iloc[0]) & (made["period"] == made["period"].iloc[0])]
    assert leads.loc[leads["part"] == "total", "mean"].notna().all()
    assert not (made.loc[made["part"] != "amount_change", "mean"] < 0).any()  # a rule may have no answer
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert "nan" not in out.casefold()
    return out


def assumed(tmp_path: Path) -> str:
    found = pd.read_csv(tmp_path / "out" / "findings.csv").set_index("code")
    return str(found.loc["PARTLY-ASSUMED", "repair"])


@pytest.mark.parametrize("kept", ["open", "won", "not won"])
def test_a_company_that_never_lost_or_never_won_gets_an_answer_that_admits_it(
    kept: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of one outcome alone would call every deal hopeless, or certain, and look sure of it."""
    table = rows()
    table = table[table["outcome"] != "won"] if kept == "not won" else table[table["outcome"].isin([kept, "open"])]
    little(tmp_path, capsys, table)
    assert "is assumed, not learned" in assumed(tmp_path)
    chance = pd.read_csv(tmp_path / "out" / "deals.csv")["p_win"]
    assert chance.between(1e-4, 1 - 1e-4).all()


@pytest.mark.parametrize("n", [1, 10])
def test_a_few_open_deals_are_answered_from_the_crm_alone(
    n: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows()[lambda t: t["outcome"] == "open"].head(n)
    little(tmp_path, capsys, table)
    assert assumed(tmp_path).startswith("100.0% of each chance is assumed")
    assert len(pd.read_csv(tmp_path / "out" / "deals.csv")) == n


@pytest.mark.parametrize("verb", ["train", "backtest"])
def test_what_looks_back_needs_a_past(verb: str, refused: Refused, tmp_path: Path) -> None:
    said = refused(verb, written(tmp_path, rows()[lambda t: t["outcome"] == "open"]))
    assert "complete period" in said


def test_a_rule_needs_no_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_ones = rows()[lambda t: t["outcome"] == "open"].assign(probability=0.5)
    said = little(tmp_path, capsys, open_ones, "model=rule", "model.name=crm_probability")
    assert said.casefold().startswith("not yet proven")
    made = pd.read_csv(tmp_path / "out" / "forecast.csv")
    due = open_ones[open_ones["expected_close"] <= "2023-12-31"]
    assert made.loc[made["part"] == "total", "mean"].iloc[0] == pytest.approx(0.5 * due["amount"].sum())


def test_no_open_deal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert little(tmp_path, capsys, rows()[lambda t: t["outcome"] != "open"])
    assert pd.read_csv(tmp_path / "out" / "deals.csv").empty


def test_one_quarter_of_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = rows(n=60, days=80)
    said = little(tmp_path, capsys, table, "as_of=2022-03-20")
    assert said.casefold().startswith("not yet proven")


@pytest.mark.parametrize("verb", ["train", "backtest"])
def test_a_replay_without_a_past_is_refused(verb: str, refused: Refused, tmp_path: Path) -> None:
    said = refused(verb, written(tmp_path, rows(n=60, days=80)), "as_of=2022-03-20")
    assert "expected at least one complete period" in said
    assert "calendar=month" in said


# The audit, and planning backwards


def test_a_target_that_is_none(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    assert refused("plan", source, status=2).startswith("target: nothing was given")
    assert "above 0" in refused("plan", source, "target=0", status=2)
    assert "above 0" in refused("plan", source, "target=-5", status=2)
    assert "target" in refused("plan", source, "target=lots", status=2)
    assert "no quota above 0" in refused("plan", source, "target=quota")
    (tmp_path / "exports" / "quotas.csv").write_text("period,level,group,amount\n2024Q1,total,total,0\n")
    assert "no quota above 0" in refused("plan", source, "target=quota")


def test_a_period_that_is_over_cannot_be_planned(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    assert "2022Q1 ended on" in refused("plan", source, "target=9", "period=2022Q1", status=2)
    assert "came both" in refused("plan", source, "target={2024Q1: 9}", "period=2024Q1", status=2)
    assert "'2024X9'" in refused("plan", source, "target={2024X9: 9}", status=2)


def test_rates_that_are_no_shares(refused: Refused, tmp_path: Path) -> None:
    source = written(tmp_path, rows())
    assert "rates.win_rate" in refused("plan", source, "target=9", "rates.win_rate=25", status=2)
    assert "did you mean" in refused("plan", source, "target=9", "rates.winrate=0.2", status=2)


def test_criteria_that_ask_of_a_stage_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    asked = ("+criteria.questions.need=product", "+criteria.stages.Talk=[need]")
    said = refused("audit", written(tmp_path, rows()), *asked, status=2)
    assert "'Talk'" in said
    assert "'Proposal'" in said
    assert "'pain'" in refused("audit", written(tmp_path, rows()), "+criteria.stages.Proposal=[pain]", status=2)


@pytest.mark.parametrize("table", [rows().tail(1), rows().head(1), rows().assign(amount=""), rows()],
                         ids=["one open deal", "one closed deal", "no amounts", "no history"])  # fmt: skip
def test_little_data_are_audited_and_planned_with_findings(
    table: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path, table)
    with chdir(tmp_path):
        assert main(["audit", source, "out=audited", "tracking=off"]) == 0
        assert main(["plan", source, "target=5000", "out=planned", "tracking=off"]) == 0
    capsys.readouterr()
    audited, planned = tmp_path / "audited", tmp_path / "planned"
    assert len(pd.read_csv(audited / "audit.csv")) == (table["outcome"] == "open").sum()
    codes = set(pd.read_csv(audited / "findings.csv")["code"])
    assert "FLAG-NOT-AVAILABLE" in codes
    plan = pd.read_csv(planned / "plan.csv").set_index("step")
    assert plan.loc["leads", "status"] == "undefined"
    assert not plan[["per_period", "per_week", "mean", "p10", "p90"]].isin([float("inf")]).any().any()
    assert "RATE-UNDEFINED" in set(pd.read_csv(planned / "findings.csv")["code"])


def test_text_that_a_spreadsheet_would_run_is_written_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows().assign(name="=HYPERLINK(1)", owner="+cmd", next_step="@SUM(1)")
    with chdir(tmp_path):
        assert main(["audit", written(tmp_path, table), "out=audited", "tracking=off"]) == 0
    capsys.readouterr()
    for name in ("audit.csv", "review.csv", "audit_flags.csv", "owners.csv"):
        text = pd.read_csv(tmp_path / "audited" / name, dtype="string").to_numpy().ravel()
        assert [t for t in text if isinstance(t, str) and t[:1] in "=+@"] == []


@pytest.mark.parametrize("verb", ["metrics", "plan", "audit", "check"])
def test_what_was_found_is_no_formula_either(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["target=1000"] if verb == "plan" else []
    with chdir(tmp_path):
        assert main([verb, written(tmp_path, rows().assign(stage="=1+1")), "out=told", "tracking=off", *asked]) == 0
    capsys.readouterr()
    examples = pd.read_csv(tmp_path / "told" / "findings.csv", dtype="string")["examples"].dropna()
    assert "'=1+1" in set(examples)
    assert not examples.str.startswith("=").any()
