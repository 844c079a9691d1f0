"""The form is chosen from the lessons alone: where segments differ it says so, where they do not it stays pooled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.models.chosen import ChosenHazard, _best
from worlds import constant_hazards


def table(gain: float, noise: float) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    won = (rng.random(4000) < 0.3).astype(float)
    good = np.clip(0.3 + gain * (won - 0.3) + noise * rng.standard_normal(4000), 0.01, 0.99)
    return pd.DataFrame({"deal": np.arange(4000) // 2, "won": won, "pooled": 0.3, "by stage": good})


def test_a_form_that_is_better_beyond_noise_is_taken_and_a_tie_stays_simple() -> None:
    assert _best(table(0.1, 0.02), ["pooled", "by stage"]) == "by stage"
    assert _best(table(0.0, 0.02), ["pooled", "by stage"]) == "pooled"
    assert _best(table(-0.1, 0.02), ["pooled", "by stage"]) == "pooled"
    assert _best(table(0.1, 0.02).iloc[:0], ["pooled", "by stage"]) == "pooled"


def test_the_choice_is_one_of_the_forms_and_looks_at_the_lessons_only() -> None:
    lessons, _ = constant_hazards(1800, 2)
    chosen = ChosenHazard()
    assert chosen.choice(lessons) in chosen.forms()
    assert chosen.choice(lessons) == chosen.choice(lessons)
    few = replace(lessons, deals=lessons.deals.head(900))
    assert chosen.choice(few) == "pooled"
    assert list(chosen.forms()) == ["pooled", "by stage", "by segment", "less shrunk"]
