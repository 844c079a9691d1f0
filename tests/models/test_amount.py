"""What a deal brings, given that it is won: worked examples, known truths, and draws that keep both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.amount import AmountModel, FittedAmounts
from pipeforecast.models.typical import FittedTypical
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import MUTATIONS, Deal, day, deal, lessons_of, tell

AS_OF = day("2024-04-30")
PAST = [
    # Listed for 100 in Talk on the lesson days, won for 80; for 300 in Offer, won for 300.
    *(deal(f"t{i}", ("2024-01-05", {"stage": "Talk", "amount": 100.0}),
           ("2024-03-15", {"status": "won", "amount": 80.0}), segment="smb") for i in range(10)),
    *(deal(f"o{i}", ("2024-01-05", {"stage": "Offer", "amount": 300.0}),
           ("2024-03-15", {"status": "won"}), segment="ent") for i in range(30)),
    deal("lost", ("2024-01-05", {"stage": "Talk", "amount": 1e6}), ("2024-03-15", {"status": "lost"}), segment="smb"),
]  # fmt: skip
NOW = [
    deal("a", ("2024-04-20", {"stage": "Talk", "amount": 1000.0}), segment="smb"),
    deal("b", ("2024-04-20", {"stage": "Offer", "amount": 1000.0}), segment="smb"),
    deal("c", ("2024-04-20", {"stage": "Deal", "amount": 1000.0}), segment="smb"),
    deal("d", ("2024-04-20", {"stage": "Talk"}), segment="ent"),
    deal("e", ("2024-04-20", {"stage": "Talk"}), segment="new"),
    deal("f", ("2024-04-20", {"stage": "Talk", "amount": 0.0}), segment="new"),
    deal("g", ("2024-04-20", {"stage": "Talk", "amount": -500.0}), segment="smb"),
]
#: 9,800 came of 10,000 that were listed; "as listed" has the weight of five won deals.
OVERALL = (40 * 0.98 + 5 * 1.0) / 45


def taught_by(deals: list[Deal]) -> tuple[FittedAmounts, Snapshot]:
    lessons, now = lessons_of(tell([*deals, *NOW]), FiscalCalendar(), AS_OF)
    return AmountModel().fit(lessons), now


@pytest.fixture(scope="module")
def taught() -> tuple[FittedAmounts, Snapshot]:
    return taught_by(PAST)


def won(name: str, listed: float | None, final: float | None, segment: str = "smb", **facts: str) -> Deal:
    """A deal in Talk from 5 January on that is won on 15 March: 15, 30 and 60 January days see it."""
    return deal(
        name, ("2024-01-05", {"stage": "Talk", "amount": listed}), ("2024-03-15", {"status": "won", "amount": final}),
        segment=segment, **facts,
    )  # fmt: skip


def test_a_stage_is_revised_as_its_won_deals_were(taught: tuple[FittedAmounts, Snapshot]) -> None:
    """10 wins against the weight of 30 for the company's ratio; each deal has one vote, not one a snapshot."""
    fitted = taught[0]
    assert fitted.overall == pytest.approx(OVERALL)
    assert fitted.by_stage["Talk"] == pytest.approx(0.25 * 0.8 + 0.75 * OVERALL)
    assert fitted.by_stage["Offer"] == pytest.approx(0.5 * 1.0 + 0.5 * OVERALL)


def test_expected_amounts(taught: tuple[FittedAmounts, Snapshot]) -> None:
    """Effects on the logarithm: 10 and 30 deals against the weight of 10, made to add up to the 9,800 that came."""
    fitted, now = taught
    low, high = np.log(80), np.log(300)
    mean = (10 * low + 30 * high) / 40
    smb, ent = np.exp((low - mean) * 10 / 20), np.exp((high - mean) * 30 / 40)
    scale = 9800 / (10 * smb + 30 * ent)
    revised = [1000 * fitted.by_stage["Talk"], 1000 * fitted.by_stage["Offer"], 1000 * OVERALL]
    assert fitted.expected(now).tolist() == pytest.approx([*revised, scale * ent, scale, scale, -500.0])


def test_draws_have_the_expected_mean(taught: tuple[FittedAmounts, Snapshot]) -> None:
    fitted, now = taught
    rows = np.repeat(np.arange(7), 6000)
    for joint in (None, np.tile(np.arange(6000), 7)):
        drawn = fitted.draw(now, rows, np.random.default_rng(0), joint).reshape(7, -1)
        np.testing.assert_allclose(drawn.mean(axis=1), fitted.expected(now), rtol=0.06)
        assert (drawn[:6] >= 0).all()
        assert (drawn[:6].std(axis=1) > 0).all()
        assert (drawn[6] == -500).all()  # a credit is what it says


def test_nothing_won_leaves_amounts_as_listed() -> None:
    fitted, now = taught_by([PAST[-1]])
    assert fitted.expected(now).tolist() == [1000, 1000, 1000, 0, 0, 0, -500]
    drawn = fitted.draw(now, np.repeat(np.arange(7), 4000), np.random.default_rng(0)).reshape(7, -1)
    np.testing.assert_allclose(drawn.mean(axis=1), fitted.expected(now), rtol=0.03)


def test_known_revisions_are_found_though_large_deals_are_lost() -> None:
    """Won deals bring 0.7 of what Talk lists and 0.95 of what Offer lists; huge deals, all lost, teach nothing."""
    rng = np.random.default_rng(1)
    deals = []
    for i in range(600):
        stage, ratio = ("Talk", 0.7) if i % 2 else ("Offer", 0.95)
        listed = float(np.exp(rng.normal(7, 1)))
        closing = (
            {"status": "lost"} if listed > 3000 else {"status": "won", "amount": listed * ratio * rng.normal(1, 0.1)}
        )
        deals.append(deal(f"d{i}", ("2024-01-05", {"stage": stage, "amount": listed}), ("2024-03-15", closing)))
    fitted, _ = taught_by(deals)
    assert fitted.by_stage["Talk"] == pytest.approx(0.7, abs=0.03)
    assert fitted.by_stage["Offer"] == pytest.approx(0.95, abs=0.03)
    assert fitted.unsure < 0.02


def test_slow_deals_count_no_more_for_being_seen_more_often() -> None:
    """Half of the deals are seen on two lesson days and bring 0.5, half on one and bring 1: together three quarters."""
    quick = [
        deal(f"q{i}", ("2024-02-10", {"stage": "Talk", "amount": 100.0}),
             ("2024-03-15", {"status": "won", "amount": 100.0})) for i in range(400)
    ]  # fmt: skip
    slow = [won(f"s{i}", 100.0, 50.0) for i in range(400)]
    assert taught_by(quick + slow)[0].by_stage["Talk"] == pytest.approx(0.75, abs=0.01)


def test_a_missing_amount_is_that_of_won_deals_of_its_segment_and_product() -> None:
    truth = {("smb", "core"): 100.0, ("smb", "plus"): 200.0, ("ent", "core"): 1000.0, ("ent", "plus"): 2000.0}
    rng = np.random.default_rng(2)
    deals = [
        won(f"{s}{p}{i}", 100.0, float(amount * np.exp(rng.normal(0, 0.3))), s, product=p)
        for (s, p), amount in truth.items() for i in range(200)
    ]  # fmt: skip
    asked = [deal(f"n{s}{p}", ("2024-04-20", {"stage": "Talk"}), segment=s, product=p) for s, p in truth]
    lessons, now = lessons_of(tell([*deals, *asked], roles={"product": "birth"}), FiscalCalendar(), AS_OF)
    fitted = AmountModel().fit(lessons)
    np.testing.assert_allclose(fitted.expected(now), np.array([*truth.values()]) * np.exp(0.045), rtol=0.12)


def test_deals_without_an_amount_that_bring_less_than_others_are_expected_to() -> None:
    """Twenty times 0 is listed and nothing comes (a free pilot); twenty times nothing is listed, and half comes."""
    usual = [won(f"u{i}", 100.0, 100.0) for i in range(400)]
    fitted, now = taught_by(
        usual + [won(f"z{i}", 0.0, 0.0) for i in range(20)] + [won(f"m{i}", None, 50.0) for i in range(20)]
    )
    typical = fitted.typical.expected(now.open)[4]
    assert fitted.unlisted["(zero)"] == pytest.approx(30 / 50)
    assert fitted.expected(now)[4:6] == pytest.approx([(30 * typical + 20 * 50) / 50, typical * 30 / 50], rel=1e-6)


def test_a_placeholder_is_no_amount() -> None:
    usual = [won(f"u{i}", 10_000.0, 10_000.0) for i in range(60)]
    fitted, _ = taught_by(usual + [won(f"p{i}", 1.0, 10_000.0) for i in range(10)])
    assert fitted.by_stage["Talk"] == pytest.approx(1.0)
    assert fitted.spread.max() < 2


def test_heavy_tails_are_kept() -> None:
    """Quantiles of what is drawn are those of what came, stage by stage and where nothing is listed."""
    rng = np.random.default_rng(3)
    ratios = np.minimum(0.5 * (1 + rng.pareto(2.5, 1500)), 9.0)
    deals = [won(f"d{i}", 100.0, 100.0 * r, "smb") for i, r in enumerate(ratios)]
    fitted, now = taught_by(deals)
    levels = [0.05, 0.5, 0.95, 0.99, 0.998]
    for at, rtol in ((0, 0.05), (3, 0.05)):
        drawn = fitted.draw(now, np.full(200_000, at), np.random.default_rng(0))
        scale = fitted.expected(now)[at] / ratios.mean()
        np.testing.assert_allclose(np.quantile(drawn, levels), np.quantile(ratios, levels) * scale, rtol=rtol)


def test_a_stage_spreads_as_its_own_deals_did() -> None:
    rng = np.random.default_rng(4)
    wide = [won(f"w{i}", 100.0, 100 * float(np.exp(rng.normal(0, 0.5)))) for i in range(300)]
    sure = [
        deal(f"s{i}", ("2024-01-05", {"stage": "Offer", "amount": 100.0}), ("2024-03-15", {"status": "won"}))
        for i in range(300)
    ]
    fitted, now = taught_by(wide + sure)
    talk, offer = (fitted.draw(now, np.full(20_000, i), np.random.default_rng(0)).std() / 1000 for i in (0, 1))
    assert talk > 0.45
    assert offer < 0.2


def test_deals_of_one_draw_share_what_is_not_known_of_the_mean() -> None:
    """Alone, the luck of many deals cancels out in their mean; what is unsure of the mean does not."""
    fitted, now = taught_by([won(f"d{i}", 100.0, 100.0 * (0.5 + i % 2)) for i in range(40)])
    draws, deals = 400, 300
    joint = np.repeat(np.arange(draws), deals)
    rows = np.zeros(draws * deals, dtype=int)
    alone, shared = (fitted.draw(now, rows, np.random.default_rng(0), j).reshape(draws, deals) for j in (None, joint))
    sd = fitted.unsure * fitted.expected(now)[0]
    assert fitted.unsure == pytest.approx(0.5 / np.sqrt(40), rel=0.2)
    assert alone.mean(axis=1).std() < 0.5 * sd
    assert shared.mean(axis=1).std() == pytest.approx(sd, rel=0.15)


def test_few_deals_leave_much_unsure() -> None:
    """With one won deal the revision is nearly none and its error nearly the prior's; it shrinks as deals are won."""
    unsure = []
    for n in (1, 5, 40, 200):
        fitted, _ = taught_by([won(f"d{i}", 100.0, 40.0 + 60 * (i % 2)) for i in range(n)])
        unsure.append(fitted.unsure)
        if n == 1:
            assert fitted.by_stage["Talk"] > 0.85
            assert fitted.typical.unsure > 0.8
    assert unsure == sorted(unsure, reverse=True)
    assert unsure[0] > 0.15


def test_without_any_amount_there_is_none() -> None:
    lessons, now = lessons_of(tell([won(f"d{i}", None, None) for i in range(30)] + NOW[3:5]), FiscalCalendar(), AS_OF)
    fitted = AmountModel().fit(lessons)
    assert fitted.typical == replace(FittedTypical(), spread=fitted.typical.spread)
    assert fitted.expected(now).tolist() == [0, 0]
    assert fitted.draw(now, np.array([0, 1, 1]), np.random.default_rng(0), np.array([0, 0, 1])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", MUTATIONS)
def test_nothing_that_was_written_later_matters(
    lessons: Lessons, rewritten: Callable[[str], tuple[Lessons, Snapshot]], name: str
) -> None:
    one, other = (asdict(AmountModel().fit(found)) for found in (lessons, rewritten(name)[0]))
    np.testing.assert_equal(one, other)
