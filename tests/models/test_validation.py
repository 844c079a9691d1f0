"""Earlier lessons are those that were there to be taken on the earlier evening; later ones judge what they taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pipeforecast.errors import DataError
from pipeforecast.evaluate import BASELINES
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.validation import earlier, later_chances, later_scores, split_day
from pipeforecast.outcome import Lessons, gather_lessons
from pipeforecast.scores import LEAST
from pipeforecast.snapshot import Snapshot, take_snapshots
from stories import MUTATIONS, deal, lessons_of, tell


@pytest.fixture(scope="module")
def cutoff(lessons: Lessons) -> pd.Timestamp:
    return lessons.past_periods()[-2].evening(30)


@pytest.fixture(scope="module")
def then(company_history: DealHistory, calendar: FiscalCalendar, lessons: Lessons, cutoff: pd.Timestamp) -> Lessons:
    """What one would have gathered on the earlier evening itself."""
    days = [pd.Timestamp(d) for d in lessons.snapshot.days if pd.Timestamp(d) < cutoff]
    return gather_lessons(company_history, calendar, take_snapshots(company_history, days), cutoff)


def test_earlier_lessons_are_those_gathered_then(lessons: Lessons, then: Lessons, cutoff: pd.Timestamp) -> None:
    found = earlier(lessons, cutoff)
    assert (found.cutoff, found.outcome.until) == (cutoff, cutoff)
    pd.testing.assert_frame_equal(found.snapshot.open, then.snapshot.open)
    pd.testing.assert_frame_equal(
        found.snapshot.closings.reset_index(drop=True), then.snapshot.closings.reset_index(drop=True)
    )
    exact = ["status", "closed_at", "days"]
    pd.testing.assert_frame_equal(found.outcome.rows[exact], then.outcome.rows[exact])
    closed = then.outcome.rows["status"] != "open"
    pd.testing.assert_series_equal(found.outcome.rows["amount"][closed], then.outcome.rows["amount"][closed])
    pd.testing.assert_index_equal(found.deals.index, then.deals.index)
    assert list(found.deals) == list(then.deals)
    done = then.deals["status"] != "open"
    pd.testing.assert_frame_equal(found.deals[done], then.deals[done])
    pd.testing.assert_series_equal(found.deals["status"], then.deals["status"])


def test_the_model_learns_the_same(lessons: Lessons, then: Lessons, now: Snapshot, cutoff: pd.Timestamp) -> None:
    amounts, model = np.ones(len(now.open)), HazardModel(max_rows=300)
    one, other = (model.fit(x).forecast(now, amounts) for x in (earlier(lessons, cutoff), then))
    np.testing.assert_array_equal(one.p_won, other.p_won)


@pytest.mark.parametrize("name", BASELINES)
def test_so_do_the_baselines(lessons: Lessons, then: Lessons, cutoff: pd.Timestamp, name: str) -> None:
    day = lessons.snapshot.only([pd.Timestamp(lessons.snapshot.days[-1])])
    period = lessons.calendar.containing(day.as_of + pd.Timedelta(days=1))
    one, other = (BASELINES[name](x, day, period) for x in (earlier(lessons, cutoff), then))
    np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("name", sorted({*MUTATIONS} - {"adds_deals"}))  # that one renumbers the deals
def test_what_was_written_later_changes_no_earlier_lesson(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp, lessons: Lessons,
    cutoff: pd.Timestamp, name: str,
) -> None:  # fmt: skip
    told = MUTATIONS[name](company_history, cutoff, np.random.default_rng(3))
    other = earlier(lessons_of(told, calendar, as_of)[0], cutoff)
    mine = earlier(lessons, cutoff)
    pd.testing.assert_frame_equal(mine.outcome.rows, other.outcome.rows)
    pd.testing.assert_frame_equal(mine.deals, other.deals)
    pd.testing.assert_frame_equal(mine.snapshot.open, other.snapshot.open)


def test_a_closing_that_was_written_later_or_taken_back_is_as_it_was_then() -> None:
    history = tell([
        deal("late", ("2024-01-01", {"stage": "Talk"}), ("2024-03-10", {"status": "won", "closed_at": "2024-02-01"})),
        deal("back", ("2024-01-01", {"stage": "Talk", "amount": 5.0}), ("2024-02-01", {"status": "lost"}),
             ("2024-03-10", {"status": "open", "stage": "Offer"})),
        deal("new", ("2024-03-05", {"stage": "Talk"})),
    ])  # fmt: skip
    lessons, _ = lessons_of(history, FiscalCalendar(), pd.Timestamp("2024-03-30"), back=2)
    assert lessons.outcome.rows["status"].tolist() == ["won", "open", "won"]  # 30 January twice, 29 February
    found = earlier(lessons, pd.Timestamp("2024-03-01"))
    assert found.outcome.rows["status"].tolist() == ["open", "lost", "open"]
    assert found.deals["status"].to_dict() == {0: "open", 1: "lost"}
    assert (found.entered["stage"] == "Talk").all()


def test_a_day_after_the_lessons_is_refused(lessons: Lessons) -> None:
    assert earlier(lessons, lessons.cutoff) is lessons
    with pytest.raises(DataError, match="expected a day up to"):
        earlier(lessons, lessons.cutoff + pd.Timedelta(days=1))


@dataclass(frozen=True)
class Constant:
    """Every deal has the same chance, whatever is taught."""

    p: float
    name: str

    def fit(self, lessons: Lessons) -> FittedDeals:
        return Same(self.p, self.name)  # type: ignore[return-value]


@dataclass(frozen=True)
class Same:
    p: float
    name: str

    def won_between(self, now: Snapshot, *_: object) -> np.ndarray:
        return np.full((1, len(now.open)), self.p)


def test_later_scores_by_hand(lessons: Lessons) -> None:
    cutoff = split_day(lessons, 2)
    assert cutoff is not None
    recipes = [Constant(0.3, "low"), Constant(0.0, "never")]
    table = later_chances(recipes, lessons, cutoff)
    rows = lessons.snapshot.open.iloc[table["row"]]
    assert (rows["as_of"].to_numpy() == table["as_of"].to_numpy()).all()
    assert (table["as_of"] >= cutoff).all()
    assert sorted(set(table["period"])) == [p.name for p in lessons.past_periods()[-2:]]
    ends = table["period"].map({p.name: p.end for p in lessons.past_periods()})
    starts = table["period"].map({p.name: p.start for p in lessons.past_periods()})
    outcome = lessons.outcome.rows.iloc[table["row"]].reset_index(drop=True)
    won = (outcome["status"] == "won") & (outcome["closed_at"] >= starts) & (outcome["closed_at"] <= ends)
    assert ((table["won"] == 1) == won).all()
    found = later_scores(recipes, lessons, cutoff)
    share = table["won"].mean()
    assert found["low"] == pytest.approx(-share * np.log(0.3) - (1 - share) * np.log(0.7))
    assert found["never"] == pytest.approx(-share * np.log(LEAST) - (1 - share) * np.log(1 - LEAST))


def test_a_short_past_spares_less_for_validation(lessons: Lessons) -> None:
    n = len(lessons.past_periods(99))
    assert split_day(lessons, 2) == lessons.past_periods()[-2].evening(0)
    assert split_day(lessons, 50, least=n - 1) == lessons.past_periods()[-1].evening(0)
    assert split_day(lessons, 2, least=n) is None
