"""What a user gets who runs every verb: the promised files, columns and numbers that agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from whole import MARKER, PROVEN, SMALL, VERBS, Ran, call

from office import has_office, recomputed, sheets_of, table_of
from pipeforecast import manual
from pipeforecast.textcells import RISKY, meant

QUANTILES = ["p025", "p05", "p10", "p25", "p50", "p75", "p90", "p95", "p975"]
#: Other programs rely on these names: adding is free, renaming breaks.
COLUMNS = {
    "forecast.csv": [
        "as_of", "period", "period_start", "period_end", "level", "group", "method", "part", "currency", "mean",
        *QUANTILES, "coverage_measured",
    ],
    "deals.csv": [
        "as_of", "period", "deal_id", "name", "account_name", "owner", "pipeline", "stage", "amount", "currency",
        "expected_close", "forecast_category", "p_win", "p_lost", "p_win_in_period", "p_slip", "close_p10",
        "close_p50", "close_p90", "expected_amount_in_period", "reason_1", "reason_2", "reason_3", "model_version",
    ],
    "course.csv": ["as_of", "day_of_period", "period", "method", "won", "mean", *QUANTILES],
    "reasons.csv": ["as_of", "period", "deal_id", "factor", "log_odds", "money", "value"],
    "quota.csv": [
        "as_of", "period", "level", "group", "currency", "status", "quota", "won", "attainment", "mean", "p_hit",
        "reached_with_80", "open_due", "coverage", "open_pipeline", "more_pipeline_for_80", "win_rate_by_value",
        "pipeline_needed", "opportunities_needed", "largest_deal", "p_hit_without_deal", "mean_without_deal",
        "source_column", "largest_source", "p_hit_without_source", "mean_without_source",
    ],
    "backtest.csv": [
        "recipe", "as_of", "day_of_period", "period", "level", "group", "method", "mean", *QUANTILES, "actual",
        "actual_as_first_known",
    ],
    "backtest_scores.csv": [
        "level", "group", "method", "day_of_period", "n_origins", "n_periods", "wape", "bias", "crps",
        "interval_score", "cover50", "cover80", "cover95", "skill", "skill_hindsight", "lower", "upper",
    ],
    "value_added.csv": [
        "layer", "below", "day_of_period", "n_origins", "n_periods", "wape", "added", "lower", "upper",
    ],
    "people.csv": ["person", "layer", "n_periods", "n_calls", "bias", "lower", "upper", "flagged", "words"],
    "findings.csv": ["code", "severity", "table", "column", "count", "examples", "repair", "advice"],
    "deal_scores.csv": [
        "as_of", "deal_id", "name", "account_name", "owner", "stage", "amount", "currency", "expected_close", "p_win",
        "p_lost", "p_win_in_period", "p_slip", "close_p10", "close_p50", "close_p90", "expected_amount_in_period",
        "reason_1", "reason_2", "reason_3", "model_version",
    ],
    "gate.csv": [
        "candidate", "rival", "candidate_log_loss", "rival_log_loss", "difference", "lower", "upper", "n", "n_periods",
        "n_candidates", "verdict", "moved", "reason",
    ],
    "evaluation.csv": ["model", "split", "score", "value", "lower", "upper", "n"],
    "calibration.csv": ["model", "split", "bin", "forecast", "observed", "lower", "upper", "n"],
    "learning_curve.csv": ["closed_deals", "log_loss", "lower", "upper", "kind"],
    "tie.csv": [
        "pipeline", "status", "raw_count", "raw_amount", "used_count", "used_amount", "excluded_count",
        "excluded_amount",
    ],
    "excluded.csv": ["deal_id", "reason", "status", "pipeline", "amount", "row", "table", "file"],
    "rows.csv": ["table", "file", "rows", "used", "excluded"],
    "repairs.csv": ["table", "file", "row", "id", "column", "before", "after", "rule"],
    "thresholds.csv": [
        "segment", "threshold", "leads", "leads_per_week", "precision", "precision_lower", "precision_upper", "recall",
        "missed", "cost", "value", "net", "best", "scale", "step", "current", "uncontacted", "conversions",
        "conversions_lower", "missed_upper", "value_lower", "net_lower", "basis",
    ],
    "threshold_history.csv": [
        "period", "leads", "leads_per_week", "conversion", "own_best", "chosen_before", "handed_share",
        "promised_net_per_week", "net_per_week", "own_net_per_week", "step", "scale",
    ],
    "points_card.csv": ["axis", "feature", "operator", "value", "points", "half_life_days"],
    "grades.csv": ["grade", "leads", "share", "converted", "conversion", "lower", "upper", "chance"],
    "points_calibration.csv": ["points_from", "points_to", "leads", "chance", "conversion", "lower", "upper"],
    "points_against_model.csv": ["model", "auc", "log_loss", "kept_auc", "kept_log_loss", "leads"],
    "explore.csv": ["lead_id", "as_of", "scale", "threshold", "score", "share", "seed"],
    "waterfall.csv": [
        "measure", "level", "group", "deal_id", "cause", "amount", "as_of_from", "as_of_to", "period",
    ],
    "metrics.csv": ["metric", "period", "by", "group", "value", "n", "lower", "upper", "unit", "status"],
    "attribution.csv": [
        "period", "by", "group", "touches", "first", "last", "linear", "position", "time_decay",
    ],
    "seasons.csv": ["metric", "part", "season", "index", "years"],
    "audit.csv": [
        "deal_id", "owner", "amount", "last_contact", "qualified", "next_step", "flag", "flag_win_rate", "lower",
        "upper", "at_stake", "flags", "n_flags", "missing", "n", "win_rate_without", "win_rate_same_stage",
        "expected_loss", "advice",
    ],
    "audit_flags.csv": [
        "deal_id", "owner", "amount", "last_contact", "qualified", "next_step", "flag", "flag_win_rate", "lower",
        "upper", "at_stake",
    ],
    "flags.csv": [
        "flag", "title", "open_deals", "at_stake", "share", "win_rate", "lower", "upper", "n", "still_open",
        "win_rate_without", "win_rate_same_stage", "cost", "status",
    ],
    "criteria.csv": [
        "stage", "question", "column", "open_deals", "at_stake", "win_rate", "lower", "upper", "n", "status",
    ],
    "review.csv": ["owner", "rank", "deal_id", "stage", "amount", "flag", "at_stake", "expected_loss", "question"],
    "owners.csv": [
        "owner", "open_deals", "open_amount", "flagged_deals", "flagged_amount", "close_dates", "on_last_day",
        "last_day_share", "lower", "upper", "chance_share",
    ],
    "plan.csv": ["period", "step", "per_period", "per_rep", "per_week", "mean", "p10", "p90", "status", "reason"],
    "rates.csv": ["rate", "value", "p10", "p90", "n", "source", "reason"],
}  # fmt: skip
#: What a verb writes with target=lead alone.
ONLY_OF_LEADS = {"train": {"findings.csv"}, "score": {"leads.csv", "lead_reasons.csv", "payload_TOOL.csv"}}
PARTS = {"total", "won", "open", "open_due", "open_pulled_in", "new", "amount_change"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_writes_what_its_page_says(ran: Ran, verb: str) -> None:
    written = {p.name for p in (ran.root / verb).iterdir()}
    assert written == set(manual.PAGES[verb].writes) - ONLY_OF_LEADS.get(verb, set())
    assert all((ran.root / verb / name).stat().st_size for name in written)
    assert str(ran.root / verb) in ran.said[verb]


@pytest.mark.parametrize("verb", VERBS)
def test_the_promised_columns_are_there(ran: Ran, verb: str) -> None:
    for path in (ran.root / verb).glob("*.csv"):
        found = list(pd.read_csv(path).columns)
        assert [c for c in COLUMNS[path.name] if c not in found] == [], path


def test_parts_add_up_at_every_level(ran: Ran) -> None:
    table = ran.table("forecast", "forecast.csv")
    assert set(table["part"]) == PARTS
    assert set(table["level"]) >= {"total", "owner", "manager", "region", "segment", "product", "deal_type"}
    mean = table.pivot_table(index=["method", "level", "group"], columns="part", values="mean")
    no_parts = set(mean.index[mean["won"].isna()].get_level_values("method"))
    assert no_parts >= {"rep_call", "velocity", "run_rate", "mean_of_four", "ets", "chain_ladder"}
    assert no_parts.isdisjoint({"model", "crm_probability", "stage_rate+new", "coverage_yield"})
    mean = mean.drop(index=sorted(no_parts))
    assert mean.notna().all().all()
    np.testing.assert_allclose(mean["open"], mean["open_due"] + mean["open_pulled_in"], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(mean["total"], mean["won"] + mean["open"] + mean["new"], rtol=1e-6, atol=1e-4)
    model = mean.loc["model"]
    for level, groups in model.groupby(level="level"):
        np.testing.assert_allclose(groups.sum(), model.loc[("total", "total")], rtol=1e-6, err_msg=str(level))


def test_ranges_are_ordered_and_what_is_won_is_certain(ran: Ran) -> None:
    table = ran.table("forecast", "forecast.csv")
    model = table[table["method"] == "model"]
    assert (np.diff(model[QUANTILES].to_numpy(), axis=1) >= 0).all()
    model = model[model["part"] != "amount_change"]  # the memo may fall below nothing
    assert ((model["mean"] >= 0) & model[QUANTILES].ge(0).all(axis=1)).all()
    won = model[model["part"] == "won"]
    np.testing.assert_allclose(won[QUANTILES].sub(won["mean"], axis=0).to_numpy(), 0.0, atol=1e-4)


def test_deals_are_ordered_and_their_chances_are_chances(ran: Ran) -> None:
    deals = ran.table("forecast", "deals.csv")
    assert len(deals) > 20
    assert deals["deal_id"].is_unique
    assert deals["expected_amount_in_period"].is_monotonic_decreasing
    chances = deals[["p_win", "p_lost", "p_win_in_period", "p_slip"]]
    assert ((chances >= 0) & (chances <= 1) | chances.isna()).all().all()
    assert (deals["p_win"] + deals["p_lost"] <= 1 + 1e-9).all()
    assert (deals["p_win_in_period"] <= deals["p_win"] + 1e-9).all()
    assert 0 < deals["p_win_in_period"].sum() < len(deals) / 2


def test_every_deal_has_reasons_that_add_up_to_its_chance_and_its_money(ran: Ran) -> None:
    deals = ran.table("forecast", "deals.csv").set_index("deal_id")
    table = ran.table("forecast", "reasons.csv")
    sums = table.groupby("deal_id")[["log_odds", "money"]].sum().loc[deals.index]
    p = deals["p_win_in_period"]
    np.testing.assert_allclose(sums["log_odds"], np.log(p / (1 - p)), atol=1e-6)
    np.testing.assert_allclose(sums["money"], deals["expected_amount_in_period"], atol=0.005)
    assert deals["reason_1"].notna().all()
    assert deals["reason_1"].str.match(r".* \([+−][\d.,]+( k| M)?\)$").mean() > 0.95
    assert ran.table("score", "deal_scores.csv")["reason_1"].notna().all()


def test_the_deals_sum_to_the_part_of_the_open_deals(ran: Ran) -> None:
    """To the cent, however few draws there are: means are expected values."""
    words = ("draws=100", "model.coefficient_draws=4", "proof=none", "tracking=off", "out=drawn")
    call("forecast", "crm=salesforce", "source=company", *words, at=ran.root)
    table = ran.table("drawn", "forecast.csv")
    first = table[(table["period"] == table["period"].iloc[0]) & (table["method"] == "model")]
    part = first[first["level"] == "total"].set_index("part")["mean"]
    assert ran.table("drawn", "deals.csv")["expected_amount_in_period"].sum() == pytest.approx(part["open"], abs=0.01)


def test_the_workbook_says_what_the_files_say(ran: Ran, tmp_path: Path) -> None:
    """As written, and reckoned anew by an office program where there is one."""
    path = ran.root / "forecast" / "forecast.xlsx"
    told = [sheets_of(path), *([recomputed([path], tmp_path)["forecast"]] if has_office() else [])]
    rows = ran.table("forecast", "forecast.csv")
    rows = rows[(rows["period"] == rows["period"].iloc[0]) & (rows["part"] == "total")]
    lead = rows[rows["method"] == rows["method"].iloc[0]]
    whole = rows[(rows["level"] == "total") & (rows["method"] != lead["method"].iloc[0])].set_index("method")["mean"]
    for sheets in told:
        table = table_of(sheets["Forecast"], "No.")
        np.testing.assert_allclose(table["Total"].astype("float64"), lead["mean"], rtol=1e-9, atol=0.005)
        assert (table["Difference in cents"].astype("float64") == 0).all()
        rules = table_of(sheets["Rules"], "Rule").set_index("Method")
        assert set(rules.index) == set(whole.index)
        by_formula = rules["By formula"].dropna().astype("float64")
        assert len(by_formula) > 15
        np.testing.assert_allclose(by_formula, whole[by_formula.index], rtol=1e-9, atol=0.005)
        deals = table_of(sheets["Deals"], "Deal")
        assert deals["Deal id"].tolist() == ran.table("forecast", "deals.csv")["deal_id"].tolist()


def test_days_of_winning_are_ordered_and_lie_ahead(ran: Ran) -> None:
    deals = ran.table("forecast", "deals.csv")
    for early, late in (("as_of", "close_p10"), ("close_p10", "close_p50"), ("close_p50", "close_p90")):
        assert (pd.to_datetime(deals[early]) <= pd.to_datetime(deals[late])).all()
    passed = pd.to_datetime(deals["expected_close"]) <= pd.to_datetime(deals["as_of"])
    assert (deals.loc[passed, "p_slip"] == 1).all()


def test_the_replay_scores_the_model_and_every_rule_alike(ran: Ran) -> None:
    rows, scores = ran.table("backtest", "backtest.csv"), ran.table("backtest", "backtest_scores.csv")
    total = scores[(scores["level"] == "total") & (scores["day_of_period"] == -1)]
    named = {"model", "crm_probability", "stage_rate", "category_commit", "same_stage_same_time", "ets"}
    assert named | {"rep_call"} <= set(total["method"])
    answered = rows[(rows["level"] == "total") & rows["mean"].notna()].groupby("method").size()
    assert total.set_index("method")["n_origins"].to_dict() == answered.reindex(total["method"], fill_value=0).to_dict()
    assert total.set_index("method").loc[sorted(named), "n_origins"].eq(4).all()
    assert total.set_index("method").loc[sorted(named), "n_periods"].eq(2).all()
    # Two of the four are evenings before the period, when nobody has called it yet.
    assert total.set_index("method").loc["rep_call", ["n_origins", "n_periods"]].tolist() == [2, 2]
    at_total = rows[rows["level"] == "total"]
    assert not at_total.drop_duplicates(["as_of", "actual"]).duplicated("as_of").any()
    by_owner = rows[(rows["level"] == "owner") & (rows["method"] == "model")].groupby("as_of")["actual"].sum()
    model = at_total[at_total["method"] == "model"].set_index("as_of")["actual"]
    np.testing.assert_allclose(by_owner, model.reindex(by_owner.index), rtol=1e-6)
    missed = (at_total["mean"] - at_total["actual"]).abs().groupby(at_total["method"]).sum()
    wape = total.set_index("method")["wape"]
    expected = missed["model"] / at_total[at_total["method"] == "model"]["actual"].abs().sum()
    assert wape["model"] == pytest.approx(expected, rel=1e-6)


def test_the_same_seed_writes_the_same_bytes_in_any_number_of_processes(ran: Ran) -> None:
    """With another store the whole replay runs anew, here in two processes."""
    fresh = ("proof.folder=elsewhere", "origins.jobs=2", "tracking=off", "out=again")
    done = call("forecast", "crm=salesforce", "source=company", *PROVEN, "version=fit", *fresh, at=ran.root)
    assert "replaying" in done.stderr
    assert _csvs(ran.root / "again") == _csvs(ran.root / "forecast")


def test_a_second_forecast_reads_the_proof_from_its_store(ran: Ran) -> None:
    done = call(
        "forecast",
        "crm=salesforce",
        "source=company",
        *PROVEN,
        "version=fit",
        "tracking=off",
        "out=second",
        at=ran.root,
    )
    assert "replaying" in ran.told["forecast"]
    assert "replay" not in done.stderr
    assert done.stdout.splitlines()[0] == ran.said["forecast"].splitlines()[0]
    assert _csvs(ran.root / "second") == _csvs(ran.root / "forecast")


def test_without_a_proof_the_first_line_says_so(ran: Ran) -> None:
    done = call(
        "forecast", "crm=salesforce", "source=company", *SMALL, "proof=none", "tracking=off", "out=none", at=ran.root
    )
    assert done.stdout.casefold().startswith("not yet proven")
    assert "backtest.csv" not in {p.name for p in (ran.root / "none").iterdir()}
    proven, bare = (ran.table(name, "forecast.csv") for name in ("forecast", "none"))
    learned = [*QUANTILES, "coverage_measured"]  # the record corrects ranges and nothing else of the model
    own = [t[t["method"] == "model"].drop(columns=learned).reset_index(drop=True) for t in (proven, bare)]
    pd.testing.assert_frame_equal(*own)


def test_the_bars_of_a_comparison_end_at_the_forecast(ran: Ran) -> None:
    table = ran.table("compare", "waterfall.csv")
    total = table[(table["measure"] == "forecast") & (table["level"] == "total")].set_index("cause")["amount"]
    forecast = ran.table("forecast", "forecast.csv")
    whole = forecast[(forecast["method"] == "model") & (forecast["level"] == "total") & (forecast["part"] == "total")]
    assert total["end"] == pytest.approx(float(whole["mean"].iloc[0]), abs=0.01)
    assert total.drop("end").sum() == pytest.approx(total["end"], abs=0.01)
    by_level = table.pivot_table(index=["measure", "cause"], columns="level", values="amount", aggfunc="sum").fillna(0)
    for level in set(by_level) - {"total"}:
        np.testing.assert_allclose(by_level[level], by_level["total"], atol=0.01, err_msg=level)


def test_the_audit_has_every_open_deal_and_its_flags_add_up(ran: Ran) -> None:
    audit, pairs, flags = (ran.table("audit", f"{n}.csv") for n in ("audit", "audit_flags", "flags"))
    assert set(audit["deal_id"]) == set(ran.table("forecast", "deals.csv")["deal_id"])
    assert audit["deal_id"].is_unique
    assert audit["n_flags"].sum() == len(pairs) == flags["open_deals"].sum()
    assert 0 < audit["flag"].isna().sum() < len(audit)
    measured = flags[flags["status"] == "measured"]
    assert {"close_date_past", "pushed", "long_in_stage", "no_activity", "moved_back"} <= set(measured["flag"])
    assert ((measured["lower"] <= measured["win_rate"]) & (measured["win_rate"] <= measured["upper"])).all()
    owners = ran.table("audit", "owners.csv").set_index("owner")
    assert owners.drop("(all)")["open_deals"].sum() == owners.loc["(all)", "open_deals"] == len(audit)
    heaped = owners.loc["(all)"]
    assert heaped["last_day_share"] > heaped["chance_share"]  # the demo's reps heap their dates
    assert set(ran.table("audit", "review.csv")["deal_id"]) <= set(audit["deal_id"])


def test_an_anonymous_page_of_the_catalogue_names_nobody(ran: Ran) -> None:
    words = ("metrics=[won_amount,win_rate]", "by=[owner,deal_type]", "periods=2", "tracking=off")
    call("metrics", "crm=salesforce", "source=company", *words, "report.people=anonymous", "out=quiet", at=ran.root)
    owners = ran.table("audit", "owners.csv")["owner"].drop(0)
    for folder, named in (("metrics", True), ("quiet", False)):
        page = (ran.root / folder / "metrics.html").read_text(encoding="utf-8")
        assert (MARKER in page) == named
        assert not named or "Deal type" in page
        assert named or not any(owner in page for owner in owners)


def test_the_win_rate_of_the_plan_is_that_of_the_catalogue(ran: Ran) -> None:
    """One number, two verbs: won ÷ closed deals of the last four whole quarters."""
    metrics, rates = ran.table("metrics", "metrics.csv"), ran.table("plan", "rates.csv").set_index("rate")
    total = metrics[(metrics["by"] == "total") & (pd.to_datetime(metrics["period_end"]) <= metrics["as_of"].iloc[0])]
    counts = total[total["metric"].isin(["won_deals", "lost_deals"])].groupby("metric")["value"].sum()
    assert rates.loc["win_rate", "n"] == counts.sum()
    assert rates.loc["win_rate", "value"] == pytest.approx(counts["won_deals"] / counts.sum())
    plan = ran.table("plan", "plan.csv").set_index("step")
    assert plan.loc["won_deals", "per_period"] == pytest.approx(500_000 / rates.loc["deal_size", "value"])


def test_the_report_needs_no_network(ran: Ran) -> None:
    pages = [ran.root / "forecast" / "report.html", ran.root / "metrics" / "metrics.html"]
    page = "".join(p.read_text(encoding="utf-8") for p in pages)
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page) == []
    assert re.findall(r"url\(\s*['\"]?(?:https?:)?//|@import", page) == []
    urls = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert {u for u in urls if not u.startswith("http://www.w3.org/")} == set()


def test_a_run_is_recorded_and_names_nobody(ran: Ran) -> None:
    from mlflow import MlflowClient

    assert MARKER in (ran.root / "forecast" / "deals.csv").read_text(encoding="utf-8")
    store = [ran.root / "mlflow.db", *(p for p in (ran.root / "mlartifacts").rglob("*") if p.is_file())]
    assert len(store) > 2
    assert [p for p in store if MARKER.encode() in p.read_bytes()] == []
    client = MlflowClient(tracking_uri=f"sqlite:///{ran.root}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("pipeforecast").experiment_id])
    assert {r.info.run_name for r in runs} == set(VERBS) - {"check"}
    (made,) = (r for r in runs if r.info.run_name == "forecast")
    assert made.info.status == "FINISHED"
    assert made.data.metrics["forecast.mean"] > 0
    assert made.data.params["origins.periods"] == "2"


def test_no_cell_of_any_file_is_run_as_a_formula_and_its_text_can_be_read_back(ran: Ran) -> None:
    seen = 0
    for path in sorted(p for verb in VERBS for p in (ran.root / verb).glob("*.csv")):
        table = pd.read_csv(path, dtype="string", keep_default_na=False)
        for column in table:
            texts = table[column][~table[column].str.fullmatch(r"-?[\d.]+(e[+-]?\d+)?|-inf")]
            seen += int(texts.str.startswith("'=" + MARKER).sum())
            assert [t for t in texts if t.startswith(tuple(s for s in RISKY if s != "'"))] == [], (path.name, column)
    assert seen > 100
    names = {meant(name) for name in ran.table("forecast", "deals.csv")["name"]}
    assert names <= set(pd.read_csv(ran.root / "company" / "Opportunity.csv")["Name"])


def test_what_is_said_while_a_verb_runs_names_nobody(ran: Ran) -> None:
    """The result on the standard output may name deals; what goes to a log (the standard error) may not."""
    assert [verb for verb in VERBS if MARKER in ran.told[verb]] == []
    assert [verb for verb in VERBS if "Email" in ran.said[verb]] == []


def test_a_trained_model_is_registered_with_what_it_was_made_of(ran: Ran) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(
        tracking_uri=f"sqlite:///{ran.root}/mlflow.db", registry_uri=f"sqlite:///{ran.root}/mlflow.db"
    )
    champion = client.get_model_version_by_alias("pipeforecast-deals", "champion")
    assert {"data", "mapping", "cut_off", "kind", "pipeforecast", "recipe", "gate.verdict"} <= set(champion.tags)
    run = client.get_run(champion.run_id)
    gate = ran.table("train", "gate.csv").iloc[0]
    assert (gate["rival"], gate["verdict"], bool(gate["moved"])) == ("base_rate", "better", True)
    assert run.data.metrics["gate.difference"] == pytest.approx(gate["difference"])
    assert run.data.metrics["gate.upper"] == pytest.approx(gate["upper"])
    assert run.data.tags["gate.moved"] == "True"
    assert run.data.tags["data"] == champion.tags["data"]
    files = {a.path for a in client.list_artifacts(champion.run_id, "plots")}
    assert files == {"plots/reliability.svg", "plots/log_loss_by_day.svg"}
    stored = [p for p in (ran.root / "mlartifacts").rglob("*") if p.is_file()]
    assert [p for p in stored if p.suffix in (".pkl", ".pickle", ".joblib")] == []
    assert "is the champion" in ran.said["train"]


def test_a_forecast_with_the_champion_of_the_same_evening_is_the_fitted_one(ran: Ran) -> None:
    """Deals and amounts come from the store, all else is learned now: the same lessons give the same numbers."""
    done = call("forecast", "crm=salesforce", "source=company", *PROVEN, "out=crowned", at=ran.root)
    assert "model: pipeforecast-deals/1, trained until" in done.stdout
    versions = ran.table("crowned", "deals.csv").pop("model_version")
    assert set(versions) == {"pipeforecast-deals/1"} == set(ran.table("score", "deal_scores.csv")["model_version"])
    one, other = ran.table("crowned", "deals.csv"), ran.table("forecast", "deals.csv")
    pd.testing.assert_frame_equal(one.drop(columns="model_version"), other.drop(columns="model_version"))
    pd.testing.assert_frame_equal(ran.table("crowned", "forecast.csv"), ran.table("forecast", "forecast.csv"))
    scores = ran.table("score", "deal_scores.csv").drop(columns="model_version")
    pd.testing.assert_frame_equal(scores, other[list(scores)])


def test_only_out_and_the_stores_are_written(ran: Ran) -> None:
    allowed = {"company", "mlflow.db", "mlflow.db.lock", "mlartifacts", ".pipeforecast"}
    made = {*VERBS, "crowned", "again", "second", "none", "elsewhere", "drawn", "quiet"}
    assert {p.name for p in ran.root.iterdir()} <= allowed | made


def test_the_demo_runs_the_whole_sentence(tmp_path: Path) -> None:
    words = ("demo.n_deals=600", "origins.periods=1", "origins.days=[45]", "draws=100", "model.coefficient_draws=2")
    done = call("demo", *words, at=tmp_path)
    out = tmp_path / "demo_report"
    assert {p.name for p in out.iterdir()} == set(manual.PAGES["demo"].writes)
    assert str(out / "report.html") in done.stdout
    assert (tmp_path / "demo_company" / "Opportunity.csv").exists()


def _csvs(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.csv"))}
