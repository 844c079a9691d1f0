"""Every kind of deal model, small enough to be fitted many times, and what all of them promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeforecast.features import describe
from pipeforecast.models.bagged import Bagged
from pipeforecast.models.blend import Blend
from pipeforecast.models.boosted import BoostedHazards
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.classical import AalenJohansen, Cox
from pipeforecast.models.deals import FittedDeals, Recipe
from pipeforecast.models.direct import DirectIncidence
from pipeforecast.models.grid import make_grid
from pipeforecast.models.hazard import HazardModel
from pipeforecast.models.prior import WithPrior
from pipeforecast.models.stages import StageTransitions
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

KINDS: dict[str, Recipe] = {
    "hazard": HazardModel(),
    "boosting": BoostedHazards(rounds=8),
    "incidence": DirectIncidence(rounds=8),
    "cox": Cox(max_rows=1000),
    "aalen_johansen": AalenJohansen(),
    "stages": StageTransitions(),
    "blend": Blend((AalenJohansen(), StageTransitions())),
    "bagged": Bagged(AalenJohansen(), members=2),
    "prior": WithPrior(HazardModel()),
    "chosen": ChosenHazard(),
}
Taught = tuple[Lessons, Snapshot]


def taught_by(lessons: Lessons, rows: np.ndarray) -> Lessons:
    outcome = lessons.outcome.rows.iloc[rows].reset_index(drop=True)
    return replace(lessons, snapshot=lessons.snapshot.take(rows), outcome=replace(lessons.outcome, rows=outcome))


def incidences(fitted: FittedDeals, now: Snapshot) -> tuple[np.ndarray, np.ndarray]:
    grid = make_grid(now.as_of, fitted.calendar, fitted.horizon)
    (found,) = fitted.chances.incidences(describe(now), grid)
    return found


def assert_chances(won: np.ndarray, lost: np.ndarray) -> None:
    for p in (won, lost):
        assert np.isfinite(p).all()
        assert ((p >= 0) & (p <= 1 + 1e-9)).all()
        assert (np.diff(p, axis=1) >= -1e-12).all()
    assert (won + lost <= 1 + 1e-9).all()
