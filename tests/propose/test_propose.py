"""What ``init`` proposes reads an export as its own mapping does; what it cannot know, it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from exports import CHANGES, CP1250, DEALS, LANGUAGE, WAYS, Written, headings, rewritten, tables
from omegaconf import OmegaConf

from pipeforecast.demo import make_company
from pipeforecast.history import DealHistory
from pipeforecast.ingest import Export, read_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.propose import Proposal, propose
from pipeforecast.propose.words import plain

FACTS = ["deal", "recorded_at", "status", "closed_at", "stage", "amount", "expected_close", "probability",
         "forecast_category", "owner"]  # fmt: skip
STAGES = ("Discovery", "Qualification", "Demo", "Proposal", "Negotiation")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("company")
    make_company(n_deals=300, seed=8).write(folder)
    return folder


@pytest.fixture(scope="module")
def truth(company: Path) -> DealHistory:
    """The history as the shipped mapping reads it from the same two tables."""
    files = [company / f"{n}.csv" for n in ("Opportunity", "OpportunityHistory", "OpportunityStage")]
    return read_export(CrmMapping.model_validate(plain("salesforce")), files).history


def read(made: Proposal) -> Export:
    """Check that the written text is what was tried, and give what it reads."""
    assert made.export is not None, made.stopped
    assert isinstance(made.export, Export)
    return made.export


def judged(made: Proposal) -> CrmMapping:
    """Read the text as Hydra would."""
    return CrmMapping.model_validate(OmegaConf.to_container(OmegaConf.create(yaml.safe_load(made.text)), resolve=True))


def assert_same(history: DealHistory, truth: DealHistory, facts: list[str] = FACTS) -> None:
    pd.testing.assert_frame_equal(history.states[facts], truth.states[facts])
    same = ["deal_id", "created_at", "closed_at", "outcome", "amount"]
    pd.testing.assert_frame_equal(history.deals[same], truth.deals[same])


CASES = [(language, way) for language in LANGUAGE for way in WAYS] + [("pl", CP1250)]


@pytest.mark.parametrize(("language", "way"), CASES, ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_translated_and_shuffled_export_reads_as_the_original(
    language: str, way: Written, company: Path, truth: DealHistory, tmp_path: Path
) -> None:
    deals, log = tables(company)
    at = LANGUAGE[language]
    named = headings(language, DEALS, at, "deals"), headings(language, CHANGES, at, "changes")
    way.put(rewritten(deals, way, at).rename(columns=named[0]), tmp_path / "szanse")
    way.put(rewritten(log, way, at + 1).rename(columns=named[1]), tmp_path / "zmiany")
    made = propose(tmp_path, "ours", {})
    assert_same(read(made).history, truth)
    assert_same(read_export(judged(made), tmp_path).history, truth)
    assert tuple(s.stage for s in judged(made).stages.list)[:5] == STAGES
    assert any("order of the stages is a proposal" in d for d in made.doubts)


def test_a_log_of_single_fields_reads_as_the_log_of_whole_rows(
    company: Path, truth: DealHistory, tmp_path: Path
) -> None:
    deals, log = tables(company)
    long = log.melt(["OpportunityId", "CreatedDate"], var_name="Pole", value_name="Nowa wartość", ignore_index=False)
    long = long.sort_index(kind="stable").rename(columns={"OpportunityId": "Numer", "CreatedDate": "Data zmiany"})
    deals.rename(columns=headings("pl", DEALS, 1, "deals")).to_csv(tmp_path / "szanse.csv", index=False)
    long.to_csv(tmp_path / "dziennik.csv", index=False)
    made = read(propose(tmp_path, "ours", {})).history
    whole = truth.states.drop_duplicates(["deal", "recorded_at"], keep="last")  # of one second such a log has one state
    pd.testing.assert_frame_equal(made.states[FACTS], whole[FACTS].reset_index(drop=True))


def test_the_layout_of_a_shipped_mapping_is_extended(company: Path, truth: DealHistory, tmp_path: Path) -> None:
    deals, log = tables(company)
    deals.sample(frac=1, axis=1, random_state=1).to_csv(tmp_path / "report 1.csv", index=False, sep=";")
    log.to_csv(tmp_path / "OpportunityHistory.csv", index=False)
    made = propose(tmp_path, "ours", {})
    assert made.base == "salesforce"
    text = yaml.safe_load(made.text)
    assert text["defaults"] == ["salesforce", "_self_"]
    assert text["deals"]["files"] == ["report 1"]
    assert_same(read(made).history, truth, [f for f in FACTS if f != "stage"])
    assert [s["stage"] for s in text["stages"]["list"]][:5] == list(STAGES)


def test_the_log_of_a_shipped_layout_is_known_under_any_name(company: Path, truth: DealHistory, tmp_path: Path) -> None:
    deals, log = tables(company)
    deals.to_csv(tmp_path / "report 1.csv", index=False)
    log.to_csv(tmp_path / "report 2.csv", index=False)
    made = propose(tmp_path, "ours", {})
    assert made.base == "salesforce"
    assert yaml.safe_load(made.text)["history"]["wide"]["files"] == ["report 2.csv"]
    assert_same(read(made).history, truth, [f for f in FACTS if f != "stage"])


def test_dated_exports_are_known_as_a_history(tmp_path: Path) -> None:
    for day, stage in (("2024-01-01", "Nowa"), ("2024-01-08", "Oferta"), ("2024-01-15", "Negocjacje")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "szanse.csv").write_text(
            "ID szansy;Data utworzenia;Etap;Kwota;Status;Data zamknięcia\n"
            f"a1;01.12.2023;{stage};100,50;Otwarta;\nb2;31.12.2023;Nowa;20,00;Otwarta;\n"
            "c3;05.12.2023;Oferta;7,00;Wygrana;31.12.2023\nd4;06.12.2023;Oferta;7,00;Przegrana;31.12.2023\n"
            .replace("ID szansy", "Identyfikator szansy"), encoding="utf-8",
        )  # fmt: skip
    made = propose(tmp_path, "ours", {})
    states = read(made).history.states.query("deal == 0 and stage.notna()")
    assert states["stage"].tolist() == ["Nowa", "Oferta", "Negocjacje"]
    assert [s.stage for s in judged(made).stages.list] == ["Nowa", "Oferta", "Negocjacje"]
    assert "3 dated exports: their differences are the history" in made.said


HEAD = "Deal ID,Created date,Stage,Amount,Status,Close date\n"


def one(tmp_path: Path, text: str, named: dict[str, str] | None = None) -> Proposal:
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    return propose(tmp_path / "export.csv", "ours", named or {})


def test_days_that_nothing_decides_are_asked_and_not_guessed(tmp_path: Path) -> None:
    made = one(
        tmp_path,
        HEAD + "a,01/02/2024,New,5,Open,\nb,03/04/2024,New,6,Won,05/06/2024\nc,03/04/2024,New,6,Lost,05/06/2024\n",
    )
    assert made.export is None
    assert "day_first" in made.stopped
    assert any("may be day or month first" in d for d in made.doubts)
    assert "#     order: day_first" in made.text
    settled = yaml.safe_load(made.text.replace("order: auto", "order: month_first"))
    deals = read_export(CrmMapping.model_validate(settled), tmp_path).history.deals
    assert deals["created_at"].dt.month.tolist() == [1, 3, 3]


def test_one_telling_day_decides_for_every_column(tmp_path: Path) -> None:
    made = one(
        tmp_path,
        HEAD + "a,01/02/2024,New,5,Open,\nb,03/04/2024,New,6,Won,25/06/2024\nc,03/04/2024,New,6,Lost,05/06/2024\n",
    )
    assert read(made).history.deals["created_at"].dt.month.tolist() == [2, 4, 4]
    assert "'25/06/2024' in 'Close date' is no day in any other order" in made.text


def test_words_of_a_status_that_are_not_known_are_asked(tmp_path: Path) -> None:
    rows = "a,2024-01-01,New,5,Open,\nb,2024-01-01,New,6,Won,2024-02-01\nc,2024-01-01,New,6,Frozen,2024-02-01\n"
    made = one(tmp_path, HEAD + rows + "d,2024-01-01,New,6,Lost,2024-02-01\n")
    assert made.export is None
    assert "Frozen" in made.stopped
    assert any("'Frozen' (1 deals)" in d for d in made.doubts)


def test_two_amounts_are_a_question(tmp_path: Path) -> None:
    rows = "a,2024-01-01,New,5,Open,,50\nb,2024-01-01,New,6,Won,2024-02-01,60\nc,2024-01-01,New,6,Lost,2024-02-01,1\n"
    head = HEAD.strip() + ",Deal value\n"
    made = one(tmp_path, head + rows)
    assert read(made).history.deals["amount"].tolist() == [5, 6, 6]
    assert any("'Deal value' may be meant as well" in d for d in made.doubts)
    named = one(tmp_path, head + rows, {"amount": "Deal value"})
    assert read(named).history.deals["amount"].tolist() == [50, 60, 1]


def test_without_history_the_order_of_stages_is_not_claimed(tmp_path: Path) -> None:
    rows = "a,2024-01-01,B,5,Open,\nb,2024-01-01,A,6,Won,2024-02-01\nc,2024-01-01,A,6,Lost,2024-02-01\n"
    made = one(tmp_path, HEAD + rows)
    assert any("order of the stages is not known" in d for d in made.doubts)
    assert any("no change log" in d for d in made.doubts)


def test_a_close_date_that_open_deals_have_too_is_dual(tmp_path: Path) -> None:
    rows = "a,2024-01-01,A,5,Open,2024-09-01\nb,2024-01-01,A,6,Won,2024-02-01\nc,2024-01-01,A,6,Lost,2024-02-01\n"
    history = read(one(tmp_path, HEAD + rows)).history
    assert history.deals["expected_close"].dt.date.astype(str).tolist()[0] == "2024-09-01"
    assert history.deals["closed_at"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize("real", ["Closed on", "Actual close date", "Finished", "Zakończono"])
def test_a_real_closing_day_comes_before_an_expected_one_that_is_always_filled(real: str, tmp_path: Path) -> None:
    head = f"Deal no,Created on,Status,Value,Expected close date,{real}\n"
    rows = "1,2024-01-01,Open,5,2024-09-01,\n2,2024-01-01,Won,6,2024-09-02,25/02/2024\n"
    made = one(tmp_path, head + rows + "3,2024-01-01,Lost,6,2024-09-03,26/02/2024\n")
    deals = read(made).history.deals
    assert deals["deal_id"].tolist() == ["1", "2", "3"]
    assert deals["closed_at"].dt.strftime("%m-%d").fillna("").tolist() == ["", "02-25", "02-26"]
    assert deals["expected_close"].dt.strftime("%m-%d").tolist() == ["09-01", "09-02", "09-03"]
    assert any(repr(real) in d for d in made.doubts) == (real in ("Finished", "Zakończono"))
    assert f"Not read of export.csv: {real!r}" not in made.text


def test_a_reopened_deal_that_keeps_its_closing_day_hides_it_from_no_one(tmp_path: Path) -> None:
    head = "Deal ID,Created date,Status,Amount,Expected close date,Closed date\n"
    open_ = "".join(f"o{i},2024-01-01,Open,5,2024-09-01,{'2024-02-01' if i == 0 else ''}\n" for i in range(8))
    rows = "b,2024-01-01,Won,6,2024-09-02,2024-02-25\nc,2024-01-01,Lost,6,2024-09-03,2024-02-26\n"
    made = one(tmp_path, head + open_ + rows)
    closed = read(made).history.deals.set_index("deal_id")["closed_at"].dropna()
    assert closed.dt.strftime("%m-%d").to_dict() == {"b": "02-25", "c": "02-26"}
    assert any("'Closed date' is filled for 12% of open" in d for d in made.doubts)


def test_days_of_won_and_of_lost_deals_are_the_closing_day_together(tmp_path: Path) -> None:
    head = "Deal ID,Created date,Status,Amount,Expected close date,Won on,Lost on,Shipped\n"
    rows = "a,2024-01-01,Open,5,2024-09-01,,,\nb,2024-01-01,Won,6,2024-09-02,2024-02-25,,2024-05-01\n"
    made = one(tmp_path, head + rows + "c,2024-01-01,Lost,6,2024-09-03,,2024-02-26,\n")
    closed = read(made).history.deals["closed_at"]
    assert closed.dt.strftime("%m-%d").fillna("").tolist() == ["", "02-25", "02-26"]


@pytest.mark.parametrize(("heading", "spoilt"), [("Closed date", "2024-02-31"), ("Amount", "tbd")])
def test_one_spoilt_cell_is_named_and_hides_no_column(heading: str, spoilt: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"Deal ID": range(60), "Created date": "2024-01-01", "Status": ["Open", "Won", "Lost"] * 20,
                          "Expected close date": "2024-09-01", "Amount": [str(100 + i) for i in range(60)],
                          "Closed date": [["", f"2024-03-{1 + i % 28:02}"][i % 3 > 0] for i in range(60)]})  # fmt: skip
    frame.loc[1, heading] = spoilt
    frame.to_csv(tmp_path / "export.csv", index=False)
    made = propose(tmp_path / "export.csv", "ours", {})
    assert {"amount: Amount", "closed_at: Closed date"} <= {line.strip() for line in made.text.splitlines()}
    assert made.export is None
    assert spoilt in made.stopped


def test_an_expected_day_that_stands_alone_is_asked_about(tmp_path: Path) -> None:
    head = "Deal ID,Created date,Status,Amount,Expected close date\n"
    rows = "a,2024-01-01,Open,5,2024-09-01\nb,2024-01-01,Won,6,2024-02-01\nc,2024-01-01,Lost,6,2024-02-01\n"
    made = one(tmp_path, head + rows)
    assert judged(made).close_date == "dual"
    assert any("true only if your CRM sets it then" in d for d in made.doubts)


@pytest.mark.parametrize(
    "odd", ["a: b", "# no", "- x", "${oc.env:HOME}", "'quoted'", '"', "yes", "=1+1", "\\", "{a}", "ö é"]
)
def test_odd_headings_are_written_so_that_yaml_and_hydra_read_them(odd: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"Deal ID": ["a", "b", "c"], "Created date": "2024-01-01", odd: [1, 2, 3],
                          "Status": ["Open", "Won", "Lost"],
                          "Close date": ["", "2024-02-01", "2024-02-02"]})  # fmt: skip
    frame.to_csv(tmp_path / "export.csv", index=False)
    made = propose(tmp_path / "export.csv", "ours", {"amount": odd})
    assert judged(made).deals.columns["amount"].column == odd  # type: ignore[union-attr]


def test_reasons_stand_beside_every_column(company: Path, tmp_path: Path) -> None:
    deals, _ = tables(company)
    deals.rename(columns=headings("id", DEALS, 0, "deals")).to_csv(tmp_path / "peluang.csv", index=False)
    text = propose(tmp_path, "ours", {}).text
    plain_: Any = yaml.safe_load(text)
    for name in {**plain_["deals"]["columns"], **plain_["deals"]["optional"]}:
        lines = text.splitlines()
        where = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        assert lines[where - 1].strip().startswith("#") or name == "closed_at", name
