"""What a deal brings, given that it is won: worked examples of the correction, and draws with its mean."""

from __future__ import annotations

import numpy as np
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.models.amount import AmountModel, FittedAmounts
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot
from stories import day, deal, lessons_of, tell

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
]
OVERALL = (800 + 9000) / (1000 + 9000)


@pytest.fixture(scope="module")
def taught() -> tuple[Lessons, Snapshot]:
    return lessons_of(tell([*PAST, *NOW]), FiscalCalendar(), AS_OF)


@pytest.fixture(scope="module")
def fitted(taught: tuple[Lessons, Snapshot]) -> FittedAmounts:
    return AmountModel().fit(taught[0])


def test_a_stage_is_revised_as_its_won_deals_were(fitted: FittedAmounts) -> None:
    """10 wins against the weight of 30 for the company's ratio; each deal has one vote, not one a snapshot."""
    assert fitted.overall == pytest.approx(OVERALL)
    assert fitted.by_stage["Talk"] == pytest.approx(0.25 * 0.8 + 0.75 * OVERALL)
    assert fitted.by_stage["Offer"] == pytest.approx(0.5 * 1.0 + 0.5 * OVERALL)


def test_expected_amounts(taught: tuple[Lessons, Snapshot], fitted: FittedAmounts) -> None:
    everything = (10 * 80 + 30 * 300) / 40
    assert fitted.expected(taught[1]).tolist() == pytest.approx(
        [1000 * fitted.by_stage["Talk"], 1000 * fitted.by_stage["Offer"], 1000 * OVERALL, 300.0, everything]
    )


def test_draws_have_the_expected_mean(taught: tuple[Lessons, Snapshot], fitted: FittedAmounts) -> None:
    rows = np.repeat(np.arange(5), 4000)
    drawn = fitted.draw(taught[1], rows, np.random.default_rng(0)).reshape(5, -1)
    assert (drawn >= 0).all()
    np.testing.assert_allclose(drawn.mean(axis=1), fitted.expected(taught[1]), rtol=0.05)
    assert (drawn.std(axis=1) > 0).all()


def test_nothing_won_leaves_amounts_as_listed(taught: tuple[Lessons, Snapshot]) -> None:
    lessons, now = lessons_of(tell([PAST[-1], *NOW]), FiscalCalendar(), AS_OF)
    fitted = AmountModel().fit(lessons)
    assert fitted.expected(now).tolist() == [1000, 1000, 1000, 0, 0]
    assert fitted.draw(now, np.arange(5), np.random.default_rng(0)).tolist() == [1000, 1000, 1000, 0, 0]
