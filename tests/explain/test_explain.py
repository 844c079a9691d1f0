"""Reasons: money that adds up to the cent, words that fit what is known, and silence where nothing can be said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast.explain import FACTOR_COLUMNS, REASON_COLUMNS, Explained, explain
from pipeforecast.explain.pieces import short, touch_words
from pipeforecast.explain.tables import REFERENCE
from pipeforecast.explain.words import Said
from pipeforecast.features import describe
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import DealForecast
from pipeforecast.models.blend import Pool
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.factors import factor_of
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.rules import RULES
from pipeforecast.saved import load, save
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import day, deal, tell

CALENDAR = FiscalCalendar()
NOW = day("2024-02-14")
THIS = CALENDAR.named("2024Q1")


@pytest.fixture(scope="module")
def made(fitted: FittedPipeline, now: Snapshot, period: Period) -> Explained:
    return explain(fitted.deals, fitted.deal_forecast(now), now, period)


def test_money_and_log_odds_add_up_to_the_forecast(
    made: Explained, fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    deals = fitted.deal_forecast(now)
    p = deals.won_between(period.start, period.end)
    sums = made.factors.groupby("deal_id", sort=False)[["log_odds", "money"]].sum()
    assert sums.index.tolist() == now.labels["deal_id"].reindex(now.open["deal"].to_numpy()).tolist()
    np.testing.assert_allclose(sums["money"], p * deals.amount, atol=0.004)
    np.testing.assert_allclose(sums["log_odds"], np.log(p / (1 - p)), atol=1e-6)
    assert list(made.factors) == list(FACTOR_COLUMNS)
    start = made.factors[(made.factors["factor"] == REFERENCE).to_numpy()]
    assert np.ptp(start["log_odds"]) == 0
    signs = np.sign(made.factors["money"]) == np.sign(made.factors["log_odds"])
    assert signs[(made.factors["factor"] != REFERENCE).to_numpy()].all()


def test_the_three_biggest_are_the_reasons(made: Explained, now: Snapshot) -> None:
    ids = now.labels["deal_id"].reindex(now.open["deal"].to_numpy()).to_numpy()
    own = made.factors[(made.factors["factor"] != REFERENCE).to_numpy()]
    assert made.findings == []
    for i in (0, 7, len(ids) - 1):
        rows = own[(own["deal_id"] == ids[i]).to_numpy()]
        top = rows.loc[rows["log_odds"].abs().sort_values(ascending=False).index].head(3)
        for reason, money in zip(made.reasons.loc[i, list(REASON_COLUMNS)], top["money"], strict=True):
            assert reason.endswith(f"({short(money)})")


def test_a_rule_and_an_empty_book_have_no_reasons(
    fitted: FittedPipeline, lessons: Lessons, now: Snapshot, period: Period
) -> None:
    rule = RULES["stage_rate"].fit(lessons)
    none = now.take(np.zeros(0, dtype=int))
    for found, n in (
        (explain(getattr(rule, "deals", None), None, now, period), len(now.open)),
        (explain(fitted.deals, fitted.deal_forecast(none), none, period), 0),
        (explain(fitted.deals, fitted.deal_forecast(now), now, CALENDAR.shift(period, 9)), len(now.open)),
    ):
        assert found.reasons.shape == (n, 3)
        assert found.reasons.isna().all(axis=None)
        assert list(found.factors) == list(FACTOR_COLUMNS)
        assert found.factors.empty
        assert found.findings == []


def test_a_single_deal_has_none_beside_it(fitted: FittedPipeline, now: Snapshot, period: Period) -> None:
    one = now.take(np.array([4]))
    found = explain(fitted.deals, fitted.deal_forecast(one), one, period)
    assert found.reasons.loc[0, "reason_1"] == "the only open deal: there is none to compare it with"
    assert found.factors["factor"].tolist() == [REFERENCE]
    deals = fitted.deal_forecast(one)
    expected = deals.won_between(period.start, period.end) * deals.amount
    assert found.factors["money"].tolist() == pytest.approx(expected.tolist())


def test_two_deals_alike_have_nothing_that_sets_them_apart(
    fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    two = now.take(np.array([4, 4]))
    found = explain(fitted.deals, fitted.deal_forecast(two), two, period)
    assert found.reasons["reason_1"].tolist() == ["nothing sets it apart from the average open deal"] * 2
    assert found.reasons[["reason_2", "reason_3"]].isna().all(axis=None)


def test_a_model_that_was_kept_gives_the_same_reasons(
    made: Explained, fitted: FittedPipeline, now: Snapshot, period: Period, tmp_path: Path
) -> None:
    save(tmp_path, fitted.deals, fitted.amounts, {})
    kept = load(tmp_path)
    found = explain(kept.deals, kept.deals.forecast(now, kept.amounts.expected(now)), now, period)
    pd.testing.assert_frame_equal(found.reasons, made.reasons)
    pd.testing.assert_frame_equal(found.factors, made.factors)


def test_a_sampled_kind_says_for_how_many_and_how_surely(
    fitted: FittedPipeline, now: Snapshot, period: Period, monkeypatch: pytest.MonkeyPatch
) -> None:
    chances = fitted.deals.chances
    twice: FittedDeals = replace(fitted.deals, chances=Pool((chances, chances), ("a", "b"), np.array([0.5, 0.5])))
    deals = fitted.deal_forecast(now)
    monkeypatch.setattr("pipeforecast.models.contributions._AGREE", 2.0)  # nothing can agree so far
    monkeypatch.setattr("pipeforecast.explain.tables.contributions", _few)
    found = explain(twice, deals, now, period)
    codes = {f.code: f for f in found.findings}
    assert codes["REASONS-UNSTABLE"].count == 10
    assert codes["REASONS-FOR-SOME"].count == len(now.open) - 10
    assert {f.severity for f in found.findings} == {"info"}
    expected = deals.won_between(period.start, period.end) * deals.amount
    told = np.flatnonzero(found.reasons["reason_1"].notna())
    assert set(told) <= set(np.argsort(-expected, kind="stable")[:10])
    assert found.factors["deal_id"].nunique() == 10


def _few(*given: object) -> object:
    from pipeforecast.models.contributions import contributions

    return contributions(*given, most=10, others=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["flips", "back_dates", "rewrites_facts", "adds_deals"])
def test_a_later_day_changes_no_reason(
    made: Explained, recipe: PipelineForecaster, now: Snapshot, period: Period,
    rewritten: Callable[[str], tuple[Lessons, Snapshot]], name: str,
) -> None:  # fmt: skip
    lessons, then = rewritten(name)
    fitted = recipe.fit(lessons)
    found = explain(fitted.deals, fitted.deal_forecast(then), then, period)
    pd.testing.assert_frame_equal(found.reasons, made.reasons)
    pd.testing.assert_frame_equal(found.factors, made.factors)


def said(*deals: object, as_of: pd.Timestamp = NOW) -> Said:
    history = tell(deals, until=str(as_of.date()))  # type: ignore[arg-type]
    return Said(take_snapshots(history, [as_of]), THIS)


def test_what_is_missing_is_said_to_be() -> None:
    bare = said(deal("bare", ("2024-01-05", {})))
    row = np.array([0])
    phrases = {
        "expected_close": "no close date", "amount": "no amount", "time_in_stage": "time in its stage is unknown",
        "stage": "stage is not given", "planned_length": "no close date was planned at first",
        "crm_probability": "no probability in the CRM", "activity": "no touch recorded",
        "segment": "segment is not given", "stage_moves": "has not changed stage",
        "pushes": "close date never pushed", "owner_win_rate": "owner's past win rate is the usual one",
        "never_heard_of": "never heard of is not given",
    }  # fmt: skip
    assert {f: bare.phrases(f, row)[0] for f in phrases} == phrases
    assert all(bare.values(f, row)[0] in ("", "0 pushes", "0 moves, 0 back", "usual", "no touch recorded")
               for f in phrases)  # fmt: skip


@pytest.mark.parametrize(("due", "words"), [
    ("2024-01-31", "close date passed 14 days ago"),
    ("2024-02-13", "close date passed 1 day ago"),
    ("2024-02-14", "close date is today"),
    ("2024-03-31", "close date is inside 2024Q1, in 46 days"),
    ("2024-04-01", "close date is 1 day after 2024Q1"),
])  # fmt: skip
def test_close_dates_are_placed_against_now_and_the_period(due: str, words: str) -> None:
    told = said(deal("one", ("2024-01-05", {"expected_close": due})))
    assert told.phrases("expected_close", np.array([0])) == [words]
    assert told.values("expected_close", np.array([0])) == [due]


def test_a_deal_is_compared_with_the_others() -> None:
    others = [deal(f"d{i}", (f"2024-01-{10 + i}", {"stage": "Talk", "amount": 1000.0 + i})) for i in range(9)]
    old = deal("old", ("2023-12-01", {"stage": "Talk", "amount": 90.0, "expected_close": "2024-01-01"}),
               ("2024-01-02", {"expected_close": "2024-02-01", "amount": 5e5}),
               ("2024-01-03", {"stage": "Offer", "expected_close": "2024-03-01"}),
               ("2024-01-04", {"stage": "Talk"}), segment="fast")  # fmt: skip
    told, row = said(*others, old), np.array([9])
    assert told.phrases("age", row) == ["created 75 days ago: older than most"]
    assert told.phrases("time_in_stage", row) == ["41 days in its stage: longer than most"]
    assert told.phrases("amount", row) == ["amount 500 k: larger than most, changed once"]
    assert told.phrases("pushes", row) == ["close date pushed twice, by 60 days in all"]
    assert told.phrases("stage_moves", row) == ["changed stage twice: more than most, once back"]
    assert told.phrases("planned_length", row) == ["first planned to take 31 days"]
    assert told.phrases("segment", row) == ["segment is fast"]
    assert told.phrases("age", np.array([4])) == ["created 31 days ago"]
    assert told.phrases("age", np.array([8])) == ["created 27 days ago: younger than most"]


@pytest.mark.parametrize(("days", "recent", "words"), [
    (np.nan, 0.0, "no touch recorded"), (27.4, 0.0, "no touch for 27 days"),
    (0.0, 3.0, "3 touches in 30 days, the last today"),
    (1.0, 1.0, "1 touch in 30 days, the last 1 day ago"),
])  # fmt: skip
def test_touches_are_counted(days: float, recent: float, words: str) -> None:
    assert touch_words(days, recent) == words


def test_today_is_no_number_of_days() -> None:
    told = said(deal("new", ("2024-02-14", {"stage": "Talk"})))
    row = np.array([0])
    assert told.phrases("age", row) == ["created today"]
    assert told.phrases("time_in_stage", row) == ["came into its stage today"]
    assert told.phrases("last_change", row) == ["changed in the CRM today"]


def test_every_feature_has_words(now: Snapshot, period: Period) -> None:
    """A feature that is worked out, and is no column of the deals, needs a factor of its own."""
    features = describe(now)
    named = {factor_of(str(f)) for table in (features.numbers, features.categories) for f in table}
    assert named <= {*Said(now, period)._own, *now.open.columns}


def test_an_owner_is_not_named_and_text_from_outside_is_cleaned() -> None:
    states = ("2024-01-05", {"stage": "Of\x00fer\n" + "x" * 300, "owner": "Zyxomark"})
    told = said(deal("one", states, segment="a\tb"))
    row = np.array([0])
    assert "Zyxomark" not in told.phrases("owner_win_rate", row)[0] + told.values("owner_win_rate", row)[0]
    (stage,) = told.phrases("stage", row)
    assert stage.startswith("stage is Of fer xxx")
    assert len(stage) <= 50
    assert told.phrases("segment", row) == ["segment is a b"]


@pytest.mark.parametrize(("money", "words"), [
    (18_240.0, "+18 k"), (-3_249.0, "−3.2 k"), (0.0, "+0"), (999.6, "+1.0 k"), (-412.4, "−412"), (2.5e6, "+2.5 M"),
    (999_700.0, "+1.0 M"), (3e9, "+3.0 bn"),
])  # fmt: skip
def test_money_is_short(money: float, words: str) -> None:
    assert short(money) == words


def test_a_forecast_without_an_amount_has_reasons_without_money(
    fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    deals = fitted.deal_forecast(now)
    unknown = DealForecast(deals.deal, deals.dates, deals.p_won, deals.p_lost, np.full(len(deals.deal), np.nan))
    found = explain(fitted.deals, unknown, now, period)
    assert (found.factors["money"] == 0).all()
    assert found.reasons["reason_1"].str.endswith("(+0)").all()
