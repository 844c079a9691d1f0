"""The guard against slow stages fails, and names the stage, when one takes ten times as long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

SCALE = Path(__file__).parents[1] / "experiments" / "08_scale"


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.syspath_prepend(str(SCALE))
    import guard
    import timed

    yield SimpleNamespace(guard=guard, timed=timed)
    for name in ("guard", "timed"):
        sys.modules.pop(name)


def at_a_quarter(guard: object) -> dict[str, float]:
    """What every part of every guarded stage may spend at most, a quarter of it, in floors of half a second."""
    spent = {}
    for name, limit in guard.LIMITS.items():
        verb, stage = name.split(": ")
        parts = guard.TOGETHER.get(stage, (stage,))
        spent |= {f"{verb}: {part}": limit / 8 / len(parts) for part in parts}
    return spent


def test_a_stage_that_slows_tenfold_is_named_and_no_other(scale: SimpleNamespace) -> None:
    guard, usual = scale.guard, at_a_quarter(scale.guard)
    assert guard.too_slow(guard.in_floors(0.5, usual)) == []
    for name in guard.LIMITS:
        verb, stage = name.split(": ")
        parts = {f"{verb}: {part}" for part in guard.TOGETHER.get(stage, (stage,))}
        slow = {part: spent * (10 if part in parts else 1) for part, spent in usual.items()}
        (said,) = guard.too_slow(guard.in_floors(0.5, slow))
        assert said.startswith(f"too slow: {name} took")


def test_a_machine_that_is_slower_in_all_changes_no_verdict(scale: SimpleNamespace) -> None:
    guard, usual = scale.guard, at_a_quarter(scale.guard)
    slower = {part: 10 * spent for part, spent in usual.items()}
    assert guard.in_floors(5.0, slower) == pytest.approx(guard.in_floors(0.5, usual))


def test_a_stage_that_never_ran_is_refused(scale: SimpleNamespace) -> None:
    spent = at_a_quarter(scale.guard)
    del spent["forecast: snapshots"]
    with pytest.raises(SystemExit, match="forecast: snapshots"):
        scale.guard.in_floors(0.5, spent)


def test_guarded_stages_are_timed_ones_and_exist(scale: SimpleNamespace) -> None:
    timed, guard = scale.timed, scale.guard
    judged = {
        part for stage in (n.split(": ")[1] for n in guard.LIMITS) for part in guard.TOGETHER.get(stage, (stage,))
    }
    stages = {stage for stage, _, _ in timed.STAGES}
    assert judged - {"all"} <= stages
    for stage in stages:
        put_back = timed.put_around(stage, lambda function, *args: function(*args))  # a place that is gone raises
        put_back()


def test_a_slowed_stage_spends_ten_times_as_much_on_the_clock(
    scale: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed, now = scale.timed, [0.0]

    def clock() -> float:
        now[0] += 1e-4  # a loop that waits for the clock ends
        return now[0]

    def work(x: int) -> int:
        now[0] += 2.0
        return x + 1

    module = SimpleNamespace(work=work)
    monkeypatch.setitem(sys.modules, "made_up_module", module)
    monkeypatch.setattr(timed, "STAGES", (("work", "made_up_module", "work"),))
    assert spent_by(timed, module, clock) == pytest.approx(2.0, rel=0.01)
    put_back = scale.guard.slowed("work", clock)
    assert spent_by(timed, module, clock) == pytest.approx(20.0, rel=0.01)
    put_back()
    assert module.work is work


def spent_by(timed: object, module: SimpleNamespace, clock: Callable[[], float]) -> float:
    timing = timed.Clock(clock)
    put_back = timing.put("work")
    assert module.work(1) == 2
    put_back()
    return timing.spent["work"]
