"""Whatever odd lessons a company has, every kind of deal model gives an answer that is a chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from every_kind import KINDS, Taught, assert_chances, incidences, taught_by
from pipeforecast.contract import OPEN
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot


def _rows(lessons: Lessons, **changes: object) -> Lessons:
    return replace(lessons, snapshot=replace(lessons.snapshot, open=lessons.snapshot.open.assign(**changes)))


def _now(now: Snapshot, **changes: object) -> Snapshot:
    return replace(now, open=now.open.assign(**changes))


def _never(status: str) -> Callable[[Lessons, Snapshot], Taught]:
    """What closed in this way is still open."""

    def changed(lessons: Lessons, now: Snapshot) -> Taught:
        rows = lessons.outcome.rows
        hit = (rows["status"] == status).to_numpy()
        follow_up = (lessons.cutoff - lessons.snapshot.open["as_of"]).dt.days.to_numpy(dtype="float64")
        rows = rows.assign(
            status=rows["status"].mask(hit, OPEN), closed_at=rows["closed_at"].mask(hit),
            days=np.where(hit, follow_up, rows["days"]),
        )  # fmt: skip
        closings = lessons.snapshot.closings
        kept = closings[(closings["status"] != status).to_numpy()]
        deals = lessons.deals.assign(status=lessons.deals["status"].replace(status, OPEN))
        told = replace(lessons, outcome=replace(lessons.outcome, rows=rows), deals=deals)
        return replace(told, snapshot=replace(told.snapshot, closings=kept)), replace(now, closings=kept)

    return changed


def _nothing_closed(lessons: Lessons, now: Snapshot) -> Taught:
    return _never("lost")(*_never("won")(lessons, now))


def _both(**changes: object) -> Callable[[Lessons, Snapshot], Taught]:
    return lambda lessons, now: (_rows(lessons, **changes), _now(now, **changes))


def _few(n: int) -> Callable[[Lessons, Snapshot], Taught]:
    def changed(lessons: Lessons, now: Snapshot) -> Taught:
        deals = lessons.snapshot.open["deal"].unique()[:n]
        rows = lessons.snapshot.open["deal"].isin(deals).to_numpy()
        return taught_by(lessons, np.flatnonzero(rows)), now

    return changed


def _renamed(lessons: Lessons, now: Snapshot) -> Taught:
    rows = lessons.snapshot.open
    return _rows(lessons, stage=rows["stage"].where(rows["as_of"] > lessons.snapshot.days[5], "Old")), now


ODD: dict[str, Callable[[Lessons, Snapshot], Taught]] = {
    "an unseen stage": lambda lessons, now: (lessons, _now(now, stage="Never seen")),
    "a missing stage": lambda lessons, now: (lessons, _now(now, stage=None)),
    "a stage renamed half-way": _renamed,
    "nothing was lost": _never("lost"),
    "nothing was won": _never("won"),
    "nothing has closed": _nothing_closed,
    "all alike": _both(amount=100.0, first_amount=100.0, probability=0.5, stage="Talk"),
    "all amounts missing": _both(amount=np.nan, first_amount=np.nan),
    "no expected close": _both(expected_close=pd.NaT, first_expected_close=pd.NaT),
    "one owner": _both(owner="ann"),
    "ten deals": _few(10),
    "one deal": _few(1),
    "no lesson": _few(0),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("oddity", ODD)
def test_odd_lessons_give_an_answer(small: Taught, kind: str, oddity: str) -> None:
    lessons, now = ODD[oddity](*small)
    now = replace(now, open=now.open.astype(small[1].open.dtypes.to_dict()))
    won, lost = incidences(KINDS[kind].fit(lessons), now)
    assert_chances(won, lost)
    if oddity == "nothing was lost":
        assert won[:, -1].mean() > 0.05
        assert lost.max() < 0.05
    if oddity == "nothing was won":
        assert won.max() < 0.05
