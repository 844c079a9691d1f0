"""The verbs on leads, from the file on: what they write, keep apart, say, and refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.ingest import LeadFile
from pipeforecast.leadcheck import card_points, drift_findings
from pipeforecast.leadfiles import LEAD_COLUMNS, LeadWriter
from pipeforecast.leadmodels import LeadModel, Term
from pipeforecast.leadpayloads import PAYLOADS
from pipeforecast.leadrun import LeadRun, prepared_leads
from pipeforecast.leads import LeadFeatures
from pipeforecast.leadsettings import LeadCardSettings, LeadSettings
from pipeforecast.mapping import CrmMapping
from pipeforecast.points import CardRow, Grades, PointsCard, SavedThreshold, path_of, write_threshold
from pipeforecast.settings import ScoreSettings, TrainSettings
from pipeforecast.workflow import score, train

CRM: dict[str, Any] = {
    "name": "ours",
    "roles": {"leads": {"birth": ["source", "size", "asked"], "engagement": ["asked"]}},
    "tables": {
        "leads": {
            "files": ["leads"], "columns": {"lead_id": "id"},
            "optional": {
                "created_at": "created", "converted_at": "converted_on", "mql_at": "mql_on", "segment": "segment",
                "person_key": {"column": "mail", "hashed": True}, "converted": "converted",
            },
            "keep": {"text": ["source"], "number": ["size", "pages"], "flag": ["asked"]},
        },
        "touches": {"files": ["touches"], "columns": {"at": "at", "kind": "kind"}, "optional": {"lead_id": "lead"}},
    },
}  # fmt: skip
SMALL = {"blocks": 5, "tested": 3, "days": 30, "max_rows": 2000, "lesson_days": [0, 7]}
MARKER = "zofia.marker@secret.example"


def table(n: int = 1200, seed: int = 0) -> pd.DataFrame:
    """Leads of two years; those of partners and those that asked convert more; texts that a spreadsheet would run."""
    rng = np.random.default_rng(seed)
    source = rng.choice(["=HYPERLINK(1)", 'Partner, "old"', "<script>x</script>", "@web"], n)
    asked, size = rng.random(n) < 0.3, np.round(np.exp(rng.normal(4, 1, n)))
    odds = -2.5 + 2.5 * asked + 2.0 * (source == "@web") + 0.3 * (np.log(size) - 4)
    created = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 700, n)), unit="D")
    came = rng.random(n) < 1 / (1 + np.exp(-odds))
    converted = created + pd.to_timedelta(rng.integers(1, 25, n), unit="D")
    known = came & (converted <= pd.Timestamp("2024-12-01"))
    return pd.DataFrame({
        "id": [f"L{i}" for i in range(n)], "created": created.strftime("%Y-%m-%d"),
        "converted_on": pd.Series(converted.strftime("%Y-%m-%d")).where(known, ""), "source": source, "size": size,
        "asked": asked.astype(int), "pages": rng.poisson(2, n), "segment": rng.choice(["A", "B"], n),
        "mail": [f"{i % 700}.{MARKER}" for i in range(n)],
    })  # fmt: skip


def settled(kind: type, place: Path, frame: pd.DataFrame | None = None, **told: Any) -> Any:
    """Settings of a verb on a table, which is written where one is given."""
    (place / "export").mkdir(exist_ok=True)
    if frame is not None:
        frame.to_csv(place / "export/leads.csv", index=False)
    lead = {**SMALL, **told.pop("lead", {})}
    shared = {"crm": CRM, "source": place / "export", "out": place / "out", "tracking": {"enabled": False}}
    return kind(target="lead", lead=lead, **{**shared, **told})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leads")


@pytest.fixture(scope="module")
def said(place: Path) -> str:
    """Train once with a store; the other tests look at what came of it."""
    return train(settled(TrainSettings, place, table(), tracking=store(place)))


@pytest.fixture(scope="module")
def run(place: Path, said: str) -> LeadRun:
    settings = settled(TrainSettings, place)
    return prepared_leads(settings, settings.lead)


def store(place: Path) -> dict[str, Any]:
    return {"uri": f"sqlite:///{place}/mlflow.db", "artifacts": str(place / "artifacts")}


def test_training_writes_scores_with_ranges_beside_what_a_random_split_claims(place: Path, said: str) -> None:
    found = pd.read_csv(place / "out/evaluation.csv")
    assert list(found) == ["model", "split", "score", "value", "lower", "upper", "n"]
    told = {"log_loss", "brier", "auc", "average_precision", "calibration_error", "lift_first_decile"}
    for split in ("later leads", "random split (for comparison)"):
        rows = found[(found["split"] == split) & (found["model"] == "chosen") & found["score"].isin(told)]
        assert set(rows["score"]) == told
        assert (rows["lower"] <= rows["value"]).all()
        assert (rows["value"] <= rows["upper"]).all()
    models = {"chosen", "logistic", "boosting", "naive_bayes", "base_rate"}
    assert set(found.loc[found["split"] == "later leads", "model"]) == models
    auc = found[(found["split"] == "later leads") & (found["score"] == "auc")].set_index("model")["value"]
    assert auc["chosen"] > 0.65
    assert "A random split would have claimed" in said
    assert "pipeforecast-leads/1 is the champion" in said


def test_one_person_is_never_on_both_sides_and_answers_are_known(run: LeadRun) -> None:
    replay, lessons = run.replay, run.lessons[1]
    for block, start in replay.starts.items():
        here = replay.rows.person[replay.block == block]
        teach = lessons.before(start, here)
        assert not set(lessons.person[teach]) & set(here)
        assert (lessons.time[teach] + run.told.days < start).all()


def test_scored_leads_are_one_row_a_lead_out_of_fold_and_young_ones_are_immature(run: LeadRun) -> None:
    scored = run.scored()
    leads = scored.leads
    assert leads["lead_id"].is_unique
    young = (leads["as_of"] > run.as_of - pd.Timedelta(days=30)).to_numpy()
    assert leads.loc[young, "converted_within"].isna().all()
    assert leads.loc[~young, "converted_within"].notna().all()
    assert leads["p"].isna().any()  # the earliest only teach
    assert scored.judged.sum() > 300
    assert leads["as_of"].is_monotonic_increasing
    assert "asked" in scored.features.engagement
    assert "size" in scored.features.fit


def test_the_champion_scores_open_leads_and_files_escape_what_would_run(place: Path, said: str) -> None:
    frame = table()
    frame.loc[frame.index[-3:], "id"] = ["=cmd|' /C calc'!A0", "+1", "<b>&\"',"]
    frame.loc[frame.index[-3:], "converted_on"] = ""
    scored = score(settled(ScoreSettings, place, frame, tracking=store(place), out=place / "scored"))
    assert "pipeforecast-leads/1" in scored
    leads = pd.read_csv(place / "scored/leads.csv", dtype=str, keep_default_na=False)
    assert tuple(leads) == LEAD_COLUMNS
    assert set(leads["lead_id"].tail(3)) == {"'=cmd|' /C calc'!A0", "'+1", "<b>&\"',"}
    assert leads["p_convert"].astype(float).between(0, 1).all()
    assert (leads["points"] == "").all()
    every = "".join(p.read_text() for p in (place / "scored").iterdir())
    assert MARKER not in every
    for tool, fields in PAYLOADS.items():
        payload = pd.read_csv(place / f"scored/payload_{tool}.csv", dtype=str, keep_default_na=False)
        assert list(payload) == list(fields.values())
        assert payload[fields["p_convert"]].tolist() == leads["p_convert"].tolist()
        cells = payload.to_numpy().ravel()
        assert not [c for c in cells if str(c).startswith(("=", "+", "-", "@"))]
    assert not leads["lead_id"].isin(frame.loc[frame["converted_on"] != "", "id"]).any()


def test_personal_data_are_in_no_record(place: Path, said: str) -> None:
    stored = b"".join(p.read_bytes() for p in place.rglob("*") if p.is_file() and "export" not in p.parts)
    assert b"secret.example" not in stored
    assert b"zofia" not in stored


def test_a_parquet_file_is_scored_in_pieces_as_a_csv_is_whole(place: Path, said: str) -> None:
    frame = table().assign(converted_on="")
    frame.loc[frame.index[-1], "created"] = "2024-12-20"
    on = {"as_of": "2024-12-20", "version": "champion"}
    whole = settled(ScoreSettings, place, frame, tracking=store(place), out=place / "whole", **on)
    score(whole)
    (place / "parquet").mkdir()
    frame.to_parquet(place / "parquet/leads.parquet")
    pieces = settled(ScoreSettings, place, tracking=store(place), out=place / "pieces", **on)
    score(pieces.model_copy(update={"source": place / "parquet", "lead": LeadSettings(**{**SMALL, "chunk": 1000})}))
    few = LeadSettings(**SMALL).model_copy(update={"chunk": 130})
    score(pieces.model_copy(update={"source": place / "parquet", "lead": few, "out": place / "few"}))
    one, two, three = (
        pd.read_csv(place / name / "leads.csv").sort_values("lead_id") for name in ("whole", "pieces", "few")
    )
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))
    pd.testing.assert_frame_equal(one.reset_index(drop=True), three.reset_index(drop=True))


def test_a_saved_threshold_marks_leads(place: Path, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    card = PointsCard((CardRow("engagement", "asked", "is", "true", 10),), -2.0, 0.2)
    saved = SavedThreshold(card, Grades((10,)), "points", 10.0, {}, "converted", 30)
    write_threshold(saved, path_of("default"), force=True)
    told = settled(ScoreSettings, place, table(), tracking=store(place), out=place / "marked")
    assert "handed over" in score(told)
    leads = pd.read_csv(place / "marked/leads.csv").merge(table()[["id", "asked"]], left_on="lead_id", right_on="id")
    assert (leads["points"] == 10 * leads["asked"]).all()
    assert (leads["hand_over"] == (leads["asked"] == 1)).all()
    with pytest.raises(DataError, match="within 60 days"):
        score(told.model_copy(update={"version": "fit", "lead": LeadSettings(**{**SMALL, "days": 60})}))
    path_of("default").unlink()


def test_an_evening_before_the_champions_is_scored_by_a_model_of_then(place: Path, said: str) -> None:
    settings = settled(ScoreSettings, place, table(), tracking=store(place), out=place / "then", as_of="2024-08-01")
    assert "fitted now" in score(settings)
    with pytest.raises(DataError, match="must not know"):
        score(settings.model_copy(update={"version": "champion"}))


BAD = {
    "no lead converted": (lambda f: f.assign(converted_on=""), "converted"),
    "all converted": (lambda f: f.assign(converted_on=f["created"]), "every lead|no lead|both outcomes"),
    "no lead": (lambda f: f.iloc[:0], "at least one lead"),
    "few leads": (lambda f: f.iloc[:30], "both outcomes|no lead"),
}


@pytest.mark.parametrize("name", BAD)
def test_leads_that_cannot_teach_are_refused_and_nothing_half_written(name: str, tmp_path: Path) -> None:
    spoil, said = BAD[name]
    with pytest.raises((DataError, SettingsError), match=said):
        train(settled(TrainSettings, tmp_path, spoil(table(400))))
    assert not (tmp_path / "out/evaluation.csv").exists()


def test_columns_without_a_value_and_repeated_ids_are_told_and_survived(tmp_path: Path) -> None:
    frame = table(500)
    frame = pd.concat([frame, frame.iloc[:20]]).assign(**{f"x{i}": "" for i in range(60)})
    names = [f"x{i}" for i in range(60)]
    crm = {**CRM, "roles": {"leads": {"birth": ["source", "size", "asked", *names]}}}
    leads = CRM["tables"]["leads"]
    crm["tables"] = {"leads": {**leads, "keep": {**leads["keep"], "number": ["size", "pages", *names]}}}
    settings = settled(TrainSettings, tmp_path, frame, lead={"random_split": False})
    train(settings.model_copy(update={"crm": crm}))
    found = pd.read_csv(tmp_path / "out/findings.csv").set_index("code")
    assert found.loc["COLUMN-EMPTY", "count"] == 60
    assert found.loc["LEAD-REPEATED", "count"] == 20


def test_a_leak_stops_the_training_writes_its_finding_and_gives_way_to_its_name(tmp_path: Path) -> None:
    frame = table(500)
    frame["size"] = np.where(frame["converted_on"] != "", 5000, 10)
    with pytest.raises(DataError, match=r"lead.allow_leaks=\[size\]"):
        train(settled(TrainSettings, tmp_path, frame))
    found = pd.read_csv(tmp_path / "out/findings.csv")
    assert found.loc[0, "code"] == "LEAK-SEPARATES"
    assert not (tmp_path / "out/evaluation.csv").exists()
    said = train(settled(TrainSettings, tmp_path, lead={"allow_leaks": ["size"], "random_split": False}))
    assert "Allowed in spite of the leakage audit: size" in said


def test_leads_without_dates_are_split_at_random_and_it_is_said(tmp_path: Path) -> None:
    frame = table(600)
    frame = frame.assign(converted=(frame["converted_on"] != "").astype(int)).drop(columns=["created", "converted_on"])
    said = train(settled(TrainSettings, tmp_path, frame))
    assert "split at random: no claim about later leads" in said
    assert set(pd.read_csv(tmp_path / "out/evaluation.csv")["split"]) >= {"random split"}
    assert "later" not in "".join(pd.read_csv(tmp_path / "out/evaluation.csv")["split"])
    ordered = train(settled(TrainSettings, tmp_path, lead={"rows_in_order": True, "random_split": False}))
    assert "later rows" in ordered


def test_accepted_values_are_told_in_every_output(tmp_path: Path) -> None:
    told = {"lead": {"accept_todays_values": ["pages"], "random_split": False}}
    assert "Today's values were accepted for every past day: pages" in train(
        settled(TrainSettings, tmp_path, table(500), **told)
    )
    assert "accepted: pages" in score(settled(ScoreSettings, tmp_path, version="fit", **told))
    with pytest.raises(SettingsError, match="accept_todays_values"):
        train(settled(TrainSettings, tmp_path, lead={"accept_todays_values": ["nothing"]}))


def test_a_jump_of_the_conversion_is_found_and_dated(run: LeadRun) -> None:
    assert not [f for f in drift_findings(run) if f.code == "DRIFT-CONVERSION"]
    rows, lessons = run.lessons
    late = (rows["as_of"] >= pd.Timestamp("2024-05-01")).to_numpy()
    y = np.where(late & (np.arange(len(rows)) % 3 > 0), 1.0, lessons.y)
    moved = replace(run)
    moved.__dict__["lessons"] = (rows, replace(lessons, y=y))
    (found,) = [f for f in drift_findings(moved) if f.code == "DRIFT-CONVERSION"]
    assert abs(pd.Timestamp(found.examples[0]) - pd.Timestamp("2024-05-01")) < pd.Timedelta(days=45)


def test_a_hand_made_card_adds_up_and_stands_beside_the_models(place: Path, said: str, tmp_path: Path) -> None:
    card = LeadCardSettings.model_validate({"rules": [
        {"column": "size", "at_least": 10, "below": 100, "points": 15},
        {"column": "source", "is": ["Web"], "points": -5},
        {"column": "asked", "is": True, "points": 20}, {"column": "size", "missing": True, "points": -1},
        {"column": "budget", "is": "yes", "points": 99},
    ]})  # fmt: skip
    features = LeadFeatures(
        pd.DataFrame({"size": [9.0, 10.0, 99.9, 100.0, np.nan]}),
        pd.DataFrame({"source": ["Web", "x", "Web", "x", "x"]}),
        pd.DataFrame({"asked": [1.0, 1.0, 0.0, np.nan, 0.0]}),
    )  # fmt: skip
    assert card_points(card, features).tolist() == [15, 35, 10, 0, -1]
    told = {"card": card.model_dump(by_alias=True), "random_split": False}
    train(settled(TrainSettings, tmp_path, table(500), lead=told))
    found = pd.read_csv(tmp_path / "out/evaluation.csv")
    assert "rules_card" in set(found["model"])
    assert "CARD-COLUMN-NOT-THERE" in set(pd.read_csv(tmp_path / "out/findings.csv")["code"])


def test_mlflow_loads_the_champion_without_a_pickle(place: Path, said: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{place}/mlflow.db")
    model = mlflow.pyfunc.load_model("models:/pipeforecast-leads@champion")
    asked = pd.DataFrame({"asked": [0.0, 1.0], "source": ["@web", "@web"], "size": [50.0, 50.0]})
    p = model.predict(asked)["p_convert"].to_numpy()
    assert 0 < p[0] < p[1] < 1
    files = {f.suffix for f in (place / "artifacts").rglob("*") if f.is_file()}
    assert ".pkl" not in files


def test_a_kind_of_touch_that_none_of_the_leads_has_counts_as_none(tmp_path: Path) -> None:
    """Scored one by one, leads without any call must get what they get beside one that was called."""
    frame = table(60).assign(converted_on="")
    settings = settled(ScoreSettings, tmp_path, frame)
    touches = pd.DataFrame({"lead": ["L0", "L1"], "kind": ["called", "sent"], "at": ["2024-01-01", "2024-01-02"]})
    touches.to_csv(tmp_path / "export/touches.csv", index=False)
    terms = [Term("n_called", "line", np.array([0.0, 1.0]), np.array([0.0, 1.0]), -5.0)]
    model, found = LeadModel("logistic", 0.0, terms), []
    for size in (1, 100):
        told = settings.lead.model_copy(update={"chunk": size, "payloads": ()})
        mapping, out = CrmMapping.model_validate(CRM), tmp_path / f"by_{size}"
        out.mkdir()
        source = LeadFile(mapping, settings.source)
        LeadWriter(model, told, mapping, "v", {}).write(source, pd.Timestamp("2024-11-30"), out)
        found.append(pd.read_csv(out / "leads.csv").set_index("lead_id")["p_convert"])
    pd.testing.assert_series_equal(found[0].sort_index(), found[1].sort_index())
    assert found[0]["L0"] > found[0]["L1"] == 0.5


def test_a_mapping_without_leads_is_refused(tmp_path: Path) -> None:
    bare = {"name": "bare"}
    settings = settled(ScoreSettings, tmp_path, table(50)).model_copy(update={"crm": bare})
    with pytest.raises(DataError, match=r"tables\.leads"):
        score(settings)
