"""Refits on resampled deals: lazy, the same each time, and without the lessons in any copy."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd

from every_kind import Taught, incidences
from pipeforecast.models.bagged import Bagged, BaggedChances, resampled
from pipeforecast.models.classical import AalenJohansen


def test_deals_are_drawn_whole_and_again_under_another_name(small: Taught) -> None:
    lessons, _ = small
    found = resampled(lessons, np.random.default_rng(0))
    rows, before = found.snapshot.open, lessons.snapshot.open
    assert len(found.outcome.rows) == len(rows)
    assert rows["deal"].nunique() == before["deal"].nunique()
    assert not rows.duplicated(["deal", "as_of"]).any()
    assert set(rows["deal"]) <= set(found.deals.index)
    apart = int(lessons.deals.index.max()) + 1
    original = rows["deal"] % apart
    assert set(original) < set(before["deal"])  # some were left out
    pd.testing.assert_series_equal(
        rows.groupby("deal").size().rename(None).reset_index(drop=True),
        before.groupby("deal").size().reindex(rows.groupby("deal")["deal"].first() % apart).reset_index(drop=True),
        check_names=False,
    )
    known = found.outcome.rows["days"].to_numpy()
    assert np.isin(known, lessons.outcome.rows["days"].to_numpy()).all()


def test_the_point_forecast_is_that_of_all_deals(small: Taught) -> None:
    lessons, now = small
    recipe = AalenJohansen()
    one, other = (incidences(r.fit(lessons), now) for r in (Bagged(recipe), recipe))
    np.testing.assert_array_equal(one[0], other[0])
    assert Bagged(recipe).name == recipe.name


def test_refits_wait_until_asked_and_differ(small: Taught) -> None:
    lessons, now = small
    fitted = Bagged(AalenJohansen(), members=4).fit(lessons)
    assert isinstance(fitted.chances, BaggedChances)
    assert fitted.chances.refits == []
    period = lessons.calendar.containing(now.as_of)
    drawn = fitted.won_between(now, period.start, period.end, 40, np.random.default_rng(0))
    assert drawn.shape == (4, len(now.open))
    assert len(np.unique(drawn.mean(axis=1))) == 4
    point = fitted.won_between(now, period.start, period.end, 0, np.random.default_rng(0))
    assert abs(drawn.mean() - point.mean()) < 4 * drawn.mean(axis=1).std()
    again = Bagged(AalenJohansen(), members=4).fit(lessons)
    np.testing.assert_array_equal(drawn, again.won_between(now, period.start, period.end, 40, np.random.default_rng(0)))


def test_a_copy_holds_refits_and_no_lessons(small: Taught) -> None:
    lessons, now = small
    fitted = Bagged(AalenJohansen(), members=2).fit(lessons)
    data = pickle.dumps(fitted)
    assert b"pipeforecast.outcome" not in data
    copy = pickle.loads(data)  # noqa: S301
    period = lessons.calendar.containing(now.as_of)
    one, other = (m.won_between(now, period.start, period.end, 2, np.random.default_rng(0)) for m in (fitted, copy))
    np.testing.assert_array_equal(one, other)
    assert BaggedChances(copy.chances.whole).drawn(5, np.random.default_rng(0)) == [None]
