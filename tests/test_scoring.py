"""A saved model as a function of a flat table: the forecast's own numbers, row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.errors import DataError
from pipeforecast.features import describe
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.saved import save
from pipeforecast.scoring import OUTPUTS, Scorer, _load_pyfunc, columns_of, example_of, flat_table, inputs_of
from pipeforecast.snapshot import Snapshot


@pytest.fixture(scope="module")
def scorer(fitted: FittedPipeline, now: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    folder = tmp_path_factory.mktemp("scoring")
    save(folder, fitted.deals, fitted.amounts, {"inputs": inputs_of(describe(now))})
    return _load_pyfunc(str(folder))


def test_a_flat_table_scores_as_the_snapshot_forecasts(
    scorer: Scorer, fitted: FittedPipeline, now: Snapshot, calendar: FiscalCalendar
) -> None:
    found = scorer.predict(flat_table(now))
    said = fitted.deal_forecast(now)
    period = calendar.containing(now.as_of + pd.Timedelta(days=1))
    assert list(found) == list(OUTPUTS)
    np.testing.assert_allclose(found["p_win"], said.won_by(now.as_of + pd.Timedelta(days=365)), atol=1e-12)
    np.testing.assert_allclose(found["p_win_in_period"], said.won_between(period.start, period.end), atol=1e-12)
    np.testing.assert_allclose(found["expected_amount"], said.amount)


def test_rows_of_several_days_and_questions_are_scored_each_by_its_own(scorer: Scorer, lessons: Lessons) -> None:
    days = [pd.Timestamp(d) for d in lessons.snapshot.days[-2:]]
    table = flat_table(lessons.snapshot.only(days))
    asked = table.assign(horizon=np.where(np.arange(len(table)) % 2, 30.0, 400.0))
    mixed = asked.sample(frac=1, random_state=1)
    whole = scorer.predict(asked)
    pd.testing.assert_frame_equal(scorer.predict(mixed).sort_index(), whole)
    far, near = whole["p_win"], scorer.predict(table.assign(horizon=30.0))["p_win"]
    assert (far >= near - 1e-12).all()
    assert (far == near)[1::2].all()
    ahead = table.assign(period_start=days[-1] + pd.Timedelta(days=1), period_end=days[-1] + pd.Timedelta(days=1))
    assert (scorer.predict(ahead)["p_win_in_period"] <= whole["p_win"] + 1e-12).all()


def test_the_example_is_made_up_and_is_scored(scorer: Scorer) -> None:
    inputs = scorer.model.about["inputs"]
    example = example_of(inputs)
    assert list(example) == list(columns_of(inputs))
    assert set(example[inputs["categories"]].to_numpy().ravel()) == {"(missing)"}
    found = scorer.predict(example)
    assert ((found[["p_win", "p_lost"]] >= 0) & (found[["p_win", "p_lost"]] <= 1)).all(axis=None)


def test_a_missing_column_or_day_is_one_clear_error(scorer: Scorer, now: Snapshot) -> None:
    table = flat_table(now)
    with pytest.raises(DataError, match="log_age"):
        scorer.predict(table.drop(columns="log_age"))
    with pytest.raises(DataError, match="as_of"):
        scorer.predict(table.assign(as_of=pd.NaT))
    assert scorer.predict(table.drop(columns=["amount", "expected_close"])).notna().all(axis=None)
    assert scorer.predict(table.iloc[:0]).empty
