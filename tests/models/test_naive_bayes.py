"""Naive Bayes gives a chance whatever it was taught (its worked example stands with the other baselines)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from every_kind import Taught
from pipeforecast.models.naive_bayes import naive_bayes, p_win_ever


@pytest.mark.parametrize("kept", [("won",), ("lost",), (), ("won", "lost")])
def test_whatever_was_closed_there_is_a_chance(small: Taught, kept: tuple[str, ...]) -> None:
    lessons, now = small
    deals = lessons.deals[lessons.deals["status"].isin(["open", *kept]).to_numpy()]
    p = p_win_ever(replace(lessons, deals=deals), now)
    assert p.shape == (len(now.open),)
    assert ((p > 0) & (p < 1)).all()
    if kept == ("won",):
        assert p.mean() > 0.9
    if not kept:
        assert p.tolist() == pytest.approx([0.5] * len(p))


def test_what_is_not_due_in_the_period_is_not_won_in_it(small: Taught) -> None:
    lessons, now = small
    period = lessons.calendar.containing(now.as_of)
    p, ever = naive_bayes(lessons, now, period), p_win_ever(lessons, now)
    later = (now.open["expected_close"] > period.end).to_numpy()
    assert 0 < later.sum() < len(later)
    np.testing.assert_array_equal(p, np.where(later, 0.0, ever))
