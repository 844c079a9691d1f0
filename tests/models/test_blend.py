"""Weights go to those who foretell better, and to nobody for what came after the cutoff."""

from __future__ import annotations

import numpy as np
import pytest

from every_kind import Taught, incidences
from pipeforecast.errors import SettingsError
from pipeforecast.models.blend import Blend, Pool, pooled_weights
from pipeforecast.models.classical import AalenJohansen, Cox
from pipeforecast.models.stages import StageTransitions

MEMBERS = (AalenJohansen(), StageTransitions())


def test_the_pool_is_the_average(small: Taught) -> None:
    lessons, now = small
    blend = Blend(MEMBERS, weights=(1, 3)).fit(lessons)
    first, second = (incidences(m.fit(lessons), now) for m in MEMBERS)
    for found, one, other in zip(incidences(blend, now), first, second, strict=True):
        np.testing.assert_allclose(found, 0.25 * one + 0.75 * other)


def test_a_member_without_weight_is_not_there(small: Taught) -> None:
    lessons, now = small
    blend = Blend(MEMBERS, weights=(0, 2)).fit(lessons)
    assert isinstance(blend.chances, Pool)
    assert blend.chances.shares == {"stages": 1.0}
    np.testing.assert_array_equal(incidences(blend, now)[0], incidences(MEMBERS[1].fit(lessons), now)[0])


def test_the_better_one_gets_the_weight() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.05, 0.6, 3000)
    won = (rng.random(3000) < truth).astype("float64")
    p = np.column_stack([truth, np.full(3000, won.mean())])
    found = pooled_weights(won, p, np.ones(3000), 20.0)
    assert found[0] > 0.75
    assert found.sum() == pytest.approx(1.0)
    # Two alike share, few deals leave the prior's half, and votes of 0 are no votes.
    assert pooled_weights(won, p[:, [0, 0]], np.ones(3000), 20.0).tolist() == pytest.approx([0.5, 0.5])
    assert abs(pooled_weights(won[:5], p[:5], np.ones(5), 20.0)[0] - 0.5) < 0.1
    assert pooled_weights(won, p, np.zeros(3000), 20.0).tolist() == pytest.approx([0.5, 0.5])


def test_weights_are_likelier_than_others() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.95, (400, 2))
    won = (rng.random(400) < p @ [0.3, 0.7]).astype("float64")

    def loss(w: np.ndarray) -> float:
        q = p @ w
        return -float(np.log(np.where(won == 1, q, 1 - q)).sum())

    best = pooled_weights(won, p, np.ones(400), 1e-9)
    grid = [np.array([a, 1 - a]) for a in np.linspace(0, 1, 101)]
    assert loss(best) <= min(loss(w) for w in grid) + 1e-3


def test_draws_are_joint_and_members_that_draw_less_repeat(small: Taught) -> None:
    lessons, _ = small
    fitted = Blend((Cox(max_rows=500), AalenJohansen()), weights=(1, 1)).fit(lessons)
    drawn = fitted.chances.drawn(3, np.random.default_rng(0))
    assert len(drawn) == 3
    assert all(d[1] is None for d in drawn)
    assert len(Blend(MEMBERS).fit(lessons).chances.drawn(3, np.random.default_rng(0))) == 1


@pytest.mark.parametrize(
    ("members", "weights"),
    [((), None), ((AalenJohansen(), AalenJohansen()), None), (MEMBERS, (1,)), (MEMBERS, (0, 0)), (MEMBERS, (1, -1))],
)
def test_members_and_weights_that_do_not_fit_are_refused(members: tuple, weights: tuple | None) -> None:
    with pytest.raises(SettingsError, match="blend: expected"):
        Blend(members, weights)
