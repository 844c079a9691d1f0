"""Deals not yet created: how many wins a day of delay costs, on paper."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.scenario.newcomers import Newcomers, won_by_age, won_by_age_like

DAY = pd.Timestamp("2024-06-30")


def deals(*told: tuple[int, int | None]) -> pd.DataFrame:
    """One deal each: first recorded so many days before DAY, won at this age (None: open)."""
    first = [DAY - pd.Timedelta(days=ago) for ago, _ in told]
    closed = [pd.NaT if age is None else f + pd.Timedelta(days=age) for f, (_, age) in zip(first, told, strict=True)]
    status = ["open" if age is None else "won" for _, age in told]
    table = pd.DataFrame({"status": pd.array(status, dtype="string"), "first_recorded_at": first, "closed_at": closed})
    return table.astype({"first_recorded_at": "datetime64[s]", "closed_at": "datetime64[s]"})


def test_wins_by_age_on_paper() -> None:
    """Two of four are won at ages 0 and 3; the one that is a day old says nothing of later days."""
    curve = won_by_age(deals((100, 0), (100, 3), (100, None), (1, None)), DAY)
    assert curve[:5].tolist() == pytest.approx([1 / 4, 1 / 4, 1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3])


def test_few_chosen_deals_are_pulled_towards_all() -> None:
    table = deals(*[(100, 0)] * 10, *[(100, None)] * 30)
    like = np.arange(40) < 10
    assert won_by_age_like(table, like, DAY)[0] == pytest.approx((10 * 1.0 + 30 * 0.25) / 40)
    np.testing.assert_allclose(won_by_age_like(table, np.ones(40, dtype=bool), DAY), won_by_age(table, DAY))


#: Nothing is won on the day of creation; half on the next.
NEXT_DAY = np.array([0.0, 0.5, 0.5])


@pytest.mark.parametrize(
    ("late", "wins"),
    [(0, 4.5), (1, 4.0), (8, 0.5), (9, 0.0), (50, 0.0), (-1, 5.0), (-50, 5.0)],
)
def test_a_running_period_on_paper(late: int, wins: float) -> None:
    """Ten days are left and one deal comes in a day: those of the first nine days are won in time by half."""
    ahead = Newcomers(NEXT_DAY, 1, 10)
    assert ahead.wins(late) == pytest.approx(wins)
    assert ahead.share(late) == pytest.approx(wins / 4.5)
    assert ahead.chance == pytest.approx(0.45)


def test_a_later_period_gets_what_slips_out_of_this_one() -> None:
    """From day 11 to 20: deals of days 10 to 19; a day later those of days 9 to 18."""
    ahead = Newcomers(NEXT_DAY, 11, 20)
    assert ahead.wins() == pytest.approx(5.0)
    assert ahead.wins(1) == pytest.approx(5.0)
    assert ahead.wins(15) == pytest.approx(2.0)
    assert ahead.wins(upto=12) == pytest.approx(1.0)
    assert ahead.wins(upto=5) == 0.0


def test_where_nobody_was_ever_won_so_soon_nothing_is_left() -> None:
    never = Newcomers(np.zeros(10), 1, 10)
    assert (never.share(0), never.share(1), never.chance) == (1.0, 0.0, 0.0)
