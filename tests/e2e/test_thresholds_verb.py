"""The verb thresholds on made-up exports of leads, good and odd, up to the scores that use what it saved."""

from __future__ import annotations

import json
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from whole import Refused

from pipeforecast import manual
from pipeforecast.cli import main
from pipeforecast.points import read_threshold

sys.path.insert(0, str(Path(__file__).parents[1] / "points"))

NASTY = '<img src=x onerror=alert(1)>,"=1+1"'
KEPT = "crm.tables.leads.keep={text:{industry:industry,size:size},number:{employees:employees}}"
ROLES = "crm.roles.leads={birth:[lead_source,industry,size,employees,segment],engagement:[]}"
CALL = (
    "thresholds", "source=exports", f"+{KEPT}", ROLES, "lead.days=30", "lead.kinds=[logistic]", "lead.lesson_days=[0]",
    "lead.random_split=false", "tracking=off",
)  # fmt: skip
TERMS = ("cost_per_contact=30", "value_per_conversion=400")


def leads(n: int = 1200, seed: int = 0) -> pd.DataFrame:
    """Leads of two years with texts as nobody wants them; industry and size tell who converts."""
    rng = np.random.default_rng(seed)
    created = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 730, n)), unit="D")
    industry = rng.choice(["=cmd|' /c calc'!A1", "+Retail", '@Bank, "old"', NASTY], n)
    employees = np.round(np.exp(rng.normal(4, 1, n)))
    odds = -2.6 + 1.6 * (industry == NASTY) + 1.6 * (employees > 80)
    came = rng.random(n) < 1 / (1 + np.exp(-odds))
    on = created + pd.to_timedelta(rng.integers(1, 25, n), unit="D")
    answered = created + pd.to_timedelta(rng.integers(0, 3, n), unit="D")
    return pd.DataFrame({
        "lead_id": [f"=L{i}" for i in range(n)], "created_at": created.date,
        "converted_at": pd.Series(on).dt.date.where(came & (on <= "2023-12-31")),
        "first_response_at": pd.Series(answered).dt.date.where(rng.random(n) < 0.8),
        "lead_source": rng.choice(["-Web", "Fair"], n), "industry": industry, "size": "", "employees": employees,
        "segment": np.where(np.arange(n) % 300 == 7, "-tiny", rng.choice(["=EMEA", "APAC"], n)),
    })  # fmt: skip


def exported(folder: Path, table: pd.DataFrame) -> None:
    (folder / "exports").mkdir()
    table.to_csv(folder / "exports" / "leads.csv", index=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thresholds")
    exported(folder, leads())
    with chdir(folder):
        assert main([*CALL, *TERMS, "capacity_per_week=3", "save=main", "explore_share=0.5"]) == 0
    return folder


def test_everything_is_written_and_nothing_can_be_run(ran: Path) -> None:
    assert {p.name for p in (ran / "out").iterdir()} == set(manual.PAGES["thresholds"].writes)
    for path in (ran / "out").glob("*.csv"):
        table = pd.read_csv(path, dtype="string", keep_default_na=False)
        for column in table:
            risky = table[column].str.match(r"^[=+@]|^-(?![\d.]|nan)")
            assert not risky.any(), (path.name, column)
    page = (ran / "out" / "thresholds.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert len(page) < 6_000_000


def test_the_written_card_scores_every_lead_as_the_saved_settings_do(ran: Path) -> None:
    from interpreter import leads_of, points_by_csv, points_by_rules

    from pipeforecast.leads import LeadFeatures

    table = leads()
    n = len(table)
    features = LeadFeatures(
        table[["employees"]], table[["lead_source", "industry"]].astype(object), pd.DataFrame(index=range(n)),
    )  # fmt: skip
    saved = read_threshold(ran / "configs" / "lead_threshold" / "main.yaml")
    assert saved.columns <= set(features.names) | {"responded"}
    points = saved.mark(features, np.full(n, 0.5), np.full(n, None, dtype=object))["points"]
    assert points.nunique() > 2
    csv, rules = ((ran / "out" / f"points_card.{kind}").read_text(encoding="utf-8") for kind in ("csv", "txt"))
    for lead, own in zip(leads_of(features), points, strict=True):
        assert points_by_csv(csv, lead) == points_by_rules(rules, lead) == own
    told = json.loads((ran / "out" / "points_card.json").read_text(encoding="utf-8"))
    assert len(told["rows"]) == len(saved.card.rows) <= 15


def test_a_segment_of_three_leads_is_judged_with_all_and_said(ran: Path) -> None:
    table = pd.read_csv(ran / "out" / "thresholds.csv")
    assert set(table["segment"]) == {"all", "'=EMEA", "APAC"}
    found = pd.read_csv(ran / "out" / "findings.csv").set_index("code")
    assert found.loc["SMALL-SEGMENTS", "examples"] == "'-tiny"
    assert "UNCONTACTED" in found.index
    saved = read_threshold(ran / "configs" / "lead_threshold" / "main.yaml")
    assert set(saved.segments) == {"=EMEA", "APAC"}


def test_score_hands_over_what_was_saved(ran: Path) -> None:
    words = [w for w in CALL[1:] if not w.startswith("lead.random")]
    with chdir(ran):
        assert main(["score", "target=lead", "lead.threshold=main", "version=fit", "out=scored", *words]) == 0
    table = pd.read_csv(ran / "scored" / "leads.csv")
    saved = read_threshold(ran / "configs" / "lead_threshold" / "main.yaml")
    assert table["points"].notna().all()
    assert set(table["grade"]) <= set(saved.grades.names)
    segment = leads().assign(lead_id=lambda t: "'" + t["lead_id"]).set_index("lead_id")["segment"]
    cut = segment.reindex(table["lead_id"]).map(dict(saved.segments)).fillna(saved.threshold).to_numpy()
    clear = np.abs(table["p_convert"].to_numpy() - cut) > 1e-6
    assert (table["hand_over"].to_numpy() == (table["p_convert"].to_numpy() >= cut))[clear].all()


def test_settings_that_are_there_are_not_replaced(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ran / "configs" / "lead_threshold" / "main.yaml"
    before = place.read_text(encoding="utf-8")
    with chdir(ran):
        assert main([*CALL, *TERMS, "save=main", "out=again"]) == 2
    assert "force=true" in capsys.readouterr().err
    assert place.read_text(encoding="utf-8") == before
    assert yaml.safe_load(before)["kind"] == "lead_threshold"
    assert not (ran / "again").exists()


@pytest.mark.parametrize("wrong", ["cost_per_contact=-1", "value_per_conversion=-5", "capacity_per_week=-2"])
def test_negative_terms_are_refused(refused: Refused, tmp_path: Path, wrong: str) -> None:
    exported(tmp_path, leads(60))
    assert wrong.split("=")[0] in refused(*CALL, wrong, status=2)


def test_a_number_that_is_not_there_cannot_be_monotone(refused: Refused, tmp_path: Path) -> None:
    exported(tmp_path, leads(400))
    said = refused(*CALL, *TERMS, "+monotone.staff=rising", status=2)
    assert "'staff'" in said
    assert "'employees'" in said


@pytest.mark.parametrize("save", ["../x", "a/b"])
def test_a_name_that_leads_elsewhere_is_refused(refused: Refused, tmp_path: Path, save: str) -> None:
    exported(tmp_path, leads(60))
    assert "letters" in refused(*CALL, *TERMS, f"save={save}", status=2)


@pytest.mark.parametrize("came", [True, False])
def test_leads_that_all_ended_alike_are_refused(refused: Refused, tmp_path: Path, came: bool) -> None:
    table = leads(200)
    table["converted_at"] = table["created_at"] + pd.Timedelta(days=2) if came else ""
    exported(tmp_path, table)
    assert "every lead" if came else "no lead" in refused(*CALL, *TERMS)


def test_a_free_contact_and_no_hands_at_all(tmp_path: Path) -> None:
    exported(tmp_path, leads())
    with chdir(tmp_path):
        assert main([*CALL, "cost_per_contact=0", "value_per_conversion=10", "capacity_per_week=0"]) == 0
    table = pd.read_csv(tmp_path / "out" / "thresholds.csv")
    best = table[table["best"]]
    assert (best["leads"] == 0).all()
    assert (table["cost"] == 0).all()
    assert "NOBODY-HANDED-OVER" in set(pd.read_csv(tmp_path / "out" / "findings.csv")["code"])


def test_leads_without_dates_are_judged_by_their_own_outcomes(tmp_path: Path) -> None:
    """Rows stand in a random order then: chance, features and outcome have to be shuffled alike."""
    table = leads()
    table["converted"] = table["converted_at"].notna().map({True: "true", False: "false"})
    exported(tmp_path, table.drop(columns=["created_at", "converted_at", "first_response_at"]))
    columns = "~crm.tables.leads.columns.created_at"
    with chdir(tmp_path):
        assert main([*CALL, *TERMS, columns]) == 0
    against = pd.read_csv(tmp_path / "out" / "points_against_model.csv").set_index("model")
    assert against.loc["full", "auc"] > 0.6
    assert against.loc["card", "auc"] > 0.56
    assert {"NO-DATES", "CONTACT-UNKNOWN"} <= set(pd.read_csv(tmp_path / "out" / "findings.csv")["code"])
    assert pd.read_csv(tmp_path / "out" / "thresholds.csv")["leads_per_week"].isna().all()


def test_leads_that_stand_twice_are_counted_once(tmp_path: Path) -> None:
    exported(tmp_path, pd.concat([leads(), leads().head(50)]))
    with chdir(tmp_path):
        status = main([*CALL, *TERMS])
    assert status == 0
    assert "LEAD-REPEATED" in set(pd.read_csv(tmp_path / "out" / "findings.csv")["code"])
