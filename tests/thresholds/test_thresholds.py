"""Every threshold: what it hands over, brings, misses and costs; which is best; who is no part of precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from made_leads import made_leads
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.thresholds import ALL, SCALES, Asked, Study, Terms, findings_of, studied
from pipeforecast.thresholds.against import against_model
from pipeforecast.thresholds.curve import best_at, curve, cuts_of, priced
from pipeforecast.thresholds.judged import Judged
from pipeforecast.thresholds.rows import COLUMNS, threshold_rows
from pipeforecast.thresholds.study import Rule


def judged(score: list[float], came: list[int], left: list[int] | None = None, weeks: float = 2.0) -> Judged:
    n = len(score)
    return Judged(
        np.array(score, dtype=float), np.array(came, dtype=float), np.array(left or [0] * n, dtype=bool),
        np.full(n, np.datetime64("2024-01-01", "s")), np.ones(n), weeks,
    )  # fmt: skip


@st.composite
def some_leads(draw) -> Judged:
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    score = rng.integers(0, draw(st.sampled_from([2, 8, 50])), n) / 50
    return judged(
        score.tolist(), (rng.random(n) < 0.4).tolist(), (rng.random(n) < draw(st.sampled_from([0, 0.3]))).tolist()
    )


def test_a_worked_example() -> None:
    """Six leads in two weeks; a contact costs 10, a conversion brings 50."""
    leads = judged([0.9, 0.8, 0.8, 0.5, 0.2, 0.1], [1, 1, 0, 0, 1, 0])
    table = priced(curve(leads, np.array([0.1, 0.2, 0.5, 0.8, 0.9, 1.0])), Terms(10, 50))
    assert table["leads"].tolist() == [6, 5, 4, 3, 1, 0]
    assert table["leads_per_week"].tolist() == [3, 2.5, 2, 1.5, 0.5, 0]
    assert table["precision"].tolist()[:5] == pytest.approx([3 / 6, 3 / 5, 2 / 4, 2 / 3, 1])
    assert np.isnan(table["precision"].iloc[5])
    assert table["recall"].tolist() == pytest.approx([1, 1, 2 / 3, 2 / 3, 1 / 3, 0])
    assert table["missed"].tolist() == [0, 0, 1, 1, 2, 3]
    assert table["net"].tolist() == [90, 100, 60, 70, 40, 0]
    assert table.loc[table["best"], "threshold"].tolist() == [0.2]
    lower, upper = proportion_confint(3, 5, method="wilson")
    assert table.loc[1, ["precision_lower", "precision_upper"]].tolist() == pytest.approx([lower, upper])


@pytest.mark.parametrize(
    ("capacity", "threshold"), [(None, 0.2), (2.5, 0.2), (2.4, 0.8), (1.5, 0.8), (1.4, 0.9), (0.4, 1.0), (0, 1.0)]
)
def test_all_leads_at_the_cut_count_against_the_capacity(capacity: float | None, threshold: float) -> None:
    """Two leads share 0.8: both go or none does."""
    leads = judged([0.9, 0.8, 0.8, 0.5, 0.2, 0.1], [1, 1, 0, 0, 1, 0])
    terms = Terms(10, 50, capacity)
    table = priced(curve(leads, np.array([0.1, 0.2, 0.5, 0.8, 0.9, 1.0])), terms)
    assert table.loc[table["best"], "threshold"].tolist() == [threshold]


@given(some_leads(), st.floats(0, 100), st.floats(0, 500), st.none() | st.floats(0, 40))
def test_the_best_is_the_best_of_all_that_fit(leads: Judged, cost: float, value: float, capacity: float | None) -> None:
    terms = Terms(cost, value, capacity)
    cuts = cuts_of(leads.score, "points")
    table = priced(curve(leads, cuts), terms)
    nets = []
    for cut in cuts:
        above = leads.score >= cut
        fits = capacity is None or above.sum() / leads.weeks <= capacity + 1e-9
        nets.append(leads.as_contacted[above].sum() * value - above.sum() * cost if fits else -np.inf)
    best = best_at(table, terms)
    assert table["net"].iloc[best] == pytest.approx(max(nets), abs=1e-6)
    assert table["best"].sum() == 1
    assert table["leads"].iloc[-1] == 0


@given(some_leads())
def test_laws_of_a_curve(leads: Judged) -> None:
    table = curve(leads, cuts_of(leads.score, "points"))
    for falling in ("leads", "conversions", "conversions_lower"):
        assert (np.diff(table[falling]) <= 1e-9).all()
    for rising in ("missed", "missed_upper"):
        assert (np.diff(table[rising]) >= -1e-9).all()
    assert (table["conversions_lower"] <= table["conversions"] + 1e-9).all()
    assert (table["missed"] <= table["missed_upper"] + 1e-9).all()
    np.testing.assert_allclose(table["conversions_lower"] + table["missed"], leads.came.sum())
    np.testing.assert_allclose(table["conversions"] + table["missed_upper"], leads.as_contacted.sum())
    there = table.dropna(subset="precision")
    assert ((there["precision_lower"] <= there["precision"]) & (there["precision"] <= there["precision_upper"])).all()
    if leads.came.sum():
        assert table["recall"].iloc[0] == 1


@given(some_leads(), st.integers(0, 2**32 - 1))
def test_what_became_of_leads_that_nobody_contacted_moves_no_precision(leads: Judged, seed: int) -> None:
    other = np.where(leads.left, np.random.default_rng(seed).random(len(leads.came)) < 0.5, leads.came).astype(float)
    cuts = cuts_of(leads.score, "points")
    one, two = (curve(x, cuts)[["leads", "precision", "precision_lower"]] for x in (leads, replace(leads, came=other)))
    pd.testing.assert_frame_equal(one, two)


def test_a_lead_left_has_a_range_and_is_never_silently_negative() -> None:
    """Of four contacted leads of the same score one converted: the one left counts 0 to a quarter."""
    leads = judged([0.5] * 5, [1, 0, 0, 0, 0], [0, 0, 0, 0, 1])
    row = curve(leads, np.array([0.5])).iloc[0]
    assert (row["leads"], row["uncontacted"]) == (5, 1)
    assert row["precision"] == 0.25
    assert (row["conversions_lower"], row["conversions"]) == (1, 1.25)
    below = curve(leads, np.array([0.6])).iloc[0]
    assert (below["missed"], below["missed_upper"]) == (1, 1.25)


@pytest.mark.parametrize("wrong", [{"cost": -1.0}, {"value": -0.1}, {"capacity": -2.0}, {"cost": float("nan")}])
def test_negative_terms_are_refused(wrong: dict) -> None:
    with pytest.raises(SettingsError, match="0 or more"):
        Terms(**{"cost": 1.0, "value": 1.0, **wrong})


def test_a_contact_that_costs_nothing_is_worth_it_down_to_the_last_conversion() -> None:
    leads = judged([0.9, 0.5, 0.3, 0.1], [1, 0, 1, 0])
    table = priced(curve(leads, cuts_of(leads.score, "points")), Terms(0, 10))
    assert table.loc[table["best"], "threshold"].tolist() == [0.3]


def test_chances_are_cut_at_percentiles_and_at_last_at_nobody() -> None:
    score = np.random.default_rng(0).random(5000)
    cuts = cuts_of(score, "p")
    assert len(cuts) <= 102
    assert (np.diff(cuts) > 0).all()
    assert cuts[-1] == 1.0
    assert (score >= cuts[0]).all()
    handed = np.array([(score >= c).mean() for c in cuts])
    assert np.abs(np.diff(handed)).max() < 0.03


def test_the_card_beside_the_model_by_hand() -> None:
    y = np.array([1.0, 0.0, 1.0, 0.0])
    p, card, base = np.array([0.8, 0.2, 0.6, 0.4]), np.array([0.6, 0.4, 0.4, 0.4]), np.full(4, 0.5)
    found = against_model(y, p, card, base)
    assert (found.auc, found.card_auc) == (1.0, 0.75)
    assert found.kept_auc == pytest.approx(0.5)
    gain = np.log(2) - np.array([-(np.log(0.8) + np.log(0.6)) / 2, -(3 * np.log(0.6) + np.log(0.4)) / 4])
    assert found.kept_loss == pytest.approx(gain[1] / gain[0])
    assert not found.enough


def test_the_table_has_every_scale_and_large_segment_and_one_best_of_each(made: Study) -> None:
    rows = threshold_rows([made])
    assert list(rows) == list(COLUMNS)
    assert set(rows["segment"]) == {ALL, "EMEA", "APAC"}
    assert made.pooled == ("tiny",)
    assert rows.groupby(["scale", "segment"])["best"].sum().eq(1).all()
    assert set(rows["basis"]) == {"association"}
    best = rows[rows["best"] & rows["scale"].eq("p")].set_index("segment")["threshold"].to_dict()
    assert best == made.threshold


def test_segments_share_the_capacity_by_their_leads(made: Study) -> None:
    rows = made.table[made.table["best"] & made.table["scale"].eq("p")].set_index("segment")
    for name in ("EMEA", "APAC"):
        share = len(made.leads["p"][name].score) / len(made.leads["p"][ALL].score)
        assert rows.loc[name, "leads_per_week"] <= 8 * share + 1e-9
    assert rows.loc[ALL, "leads_per_week"] <= 8


def test_only_out_of_fold_chances_of_leads_that_are_old_enough_are_judged(made: Study) -> None:
    scored = made.scored
    use = scored.leads["p"].notna() & scored.leads["converted_within"].notna()
    assert 0 < len(made.leads["p"][ALL].score) <= use.sum()
    for scale in SCALES:
        assert len(made.leads[scale][ALL].score) == len(made.leads["p"][ALL].score)
    changed = scored.leads.copy()
    changed.loc[~use, "converted_within"] = pd.NA
    early = scored.leads["p"].isna()
    changed.loc[early, "converted_within"] = scored.leads.loc[early, "converted_within"]
    again = studied(replace(scored, leads=changed), made.asked)
    pd.testing.assert_frame_equal(again.table, made.table)


def test_whom_even_the_upper_end_does_not_pay_for_is_disqualified(scored) -> None:
    made = studied(scored, Asked(Terms(60.0, 400.0)))
    cut, leads = made.card.disqualify_below, made.leads["points"][ALL]
    assert cut is not None
    own = (leads.score < cut) & ~leads.left
    upper = proportion_confint(leads.came[own].sum(), own.sum(), method="wilson")[1]
    assert upper * 400 < 60
    assert studied(scored, Asked(Terms(0.0, 400.0))).card.disqualify_below is None


def test_todays_rule_stands_beside_on_the_same_leads(scored) -> None:
    points = scored.features.flags["demo"].to_numpy() * 20
    made = studied(scored, Asked(Terms(30.0, 400.0), rule=Rule("rules_card", points, 20), current=0.25))
    leads = made.leads["p"][ALL]
    row = made.rule[made.rule["segment"].eq(ALL)].iloc[0]
    judged_rows = made.scored.judged & made.oof.known
    assert row["leads"] == (points[judged_rows] >= 20).sum()
    today = made.table[made.table["current"] & made.table["segment"].eq(ALL)]
    assert today["threshold"].tolist() == [0.25]
    assert today["leads"].tolist() == [(leads.score >= 0.25).sum()]
    assert set(threshold_rows([made])["scale"]) == {"p", "points", "rules_card"}


def test_what_a_reader_must_know_is_found(made: Study, scored) -> None:
    codes = {f.code for f in findings_of(made)}
    assert codes >= {"IMMATURE", "UNCONTACTED", "VALUE-IS-ASSOCIATION", "CAPACITY-BINDS", "SMALL-SEGMENTS"}
    nobody = studied(scored, Asked(Terms(1e6, 1.0)))
    assert "NOBODY-HANDED-OVER" in {f.code for f in findings_of(nobody)}
    assert nobody.threshold[ALL] == 1.0
    unknown = scored.leads.assign(contacted=pd.array([pd.NA] * len(scored.leads), dtype="boolean"))
    undated = replace(scored, leads=unknown, dated=False)
    found = studied(undated, Asked(Terms(30.0, 400.0, 8.0)))
    assert {f.code for f in findings_of(found)} >= {"CONTACT-UNKNOWN", "NO-DATES"}
    assert found.table["leads_per_week"].isna().all()
    assert found.past.empty
    assert found.alarm is None


@pytest.mark.parametrize("all_of_them", [True, False])
def test_all_or_none_converted_is_refused(all_of_them: bool) -> None:
    scored = made_leads(500)
    leads = scored.leads.assign(converted_within=pd.array([all_of_them] * 500, dtype="boolean"))
    with pytest.raises(DataError, match="expected at least 5 leads"):
        studied(replace(scored, leads=leads), Asked(Terms(1.0, 10.0)))


def test_four_hundred_columns_of_which_most_are_empty(scored) -> None:
    few = scored.rows(np.arange(len(scored.leads)) % 4 == 0)
    n = len(few.leads)
    empty = pd.DataFrame({f"e{i}": np.full(n, np.nan) for i in range(300)})
    texts = pd.DataFrame({f"t{i}": np.full(n, "(missing)", dtype=object) for i in range(80)})
    features = replace(
        few.features, numbers=few.features.numbers.join(empty), categories=few.features.categories.join(texts)
    )
    made = studied(replace(few, features=features), Asked(Terms(30.0, 400.0)))
    plain = studied(few, Asked(Terms(30.0, 400.0)))
    assert made.card == plain.card


def test_rows_in_the_order_of_time_without_days_teach_those_after_them(scored) -> None:
    never = pd.Series(pd.NaT, index=scored.leads.index, dtype="datetime64[s]")
    rows = replace(scored, leads=scored.leads.assign(as_of=never, created_at=never))
    made = studied(rows, Asked(Terms(30.0, 400.0, 8.0)))
    assert "NO-DATES" in {f.code for f in findings_of(made)}
    assert made.past.empty
    late = np.arange(len(rows.leads)) > 3000
    flipped = rows.leads["converted_within"].mask(late, ~rows.leads["converted_within"])
    again = studied(replace(rows, leads=rows.leads.assign(converted_within=flipped)), made.asked)
    early = np.flatnonzero(rows.judged & ~late)
    np.testing.assert_array_equal(made.oof.chance[early], again.oof.chance[early])


def test_the_capacity_is_held_against_what_comes_in_now(scored) -> None:
    """Three of four leads of the first two years are left out: twice the mean of all weeks comes in now."""
    early = (scored.leads["as_of"] < "2024-01-01").to_numpy()
    grown = scored.rows(np.flatnonzero(~early | (np.arange(len(early)) % 4 == 0)))
    made = studied(grown, Asked(Terms(0.0, 400.0, 8.0)))
    whole = made.table[made.table["segment"].eq(ALL) & made.table["scale"].eq("p")]
    days, counts = made.weeks["p", ALL]
    assert len(days) == 26
    np.testing.assert_allclose(whole["leads_per_week"], counts[:, :-1].mean(axis=0))
    best = whole[whole["best"]].iloc[0]
    lately = grown.leads["as_of"] > grown.leads["as_of"].max() - pd.Timedelta(weeks=26)
    handed = (grown.leads["p"] >= best["threshold"]) & lately
    assert 7 < handed.sum() / 26 <= 8
    assert best["leads"] / made.leads["p"][ALL].weeks < 6
