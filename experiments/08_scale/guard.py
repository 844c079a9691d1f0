"""Is any stage ten times slower than it was? Processor time of each, in floors of the same process; fails by name.

``--slow STAGE`` makes a stage take ten times as long, to see that it is caught. No absolute time is judged: the floor
(``floor.py``) is measured beside, the best of a few counts, and processor time does not rise with other load.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from timed import STAGES, made, put_around, verb

Now = Callable[[], float]

#: What each stage may take, in floors: about four times what it took when this was written.
LIMITS = {
    "forecast: read": 6.0, "forecast: snapshots": 4.0, "forecast: lessons and features": 1.5, "forecast: fit": 20.0,
    "forecast: chances": 4.0, "forecast: roll up": 4.0, "forecast: page and workbook": 6.5, "forecast: all": 70.0,
    "metrics: all": 23.0,
}  # fmt: skip
#: Stages that are judged together, by the names of ``timed.STAGES``.
TOGETHER = {"lessons and features": ("lessons", "describe"), "page and workbook": ("page", "workbook")}
SETTINGS = {"forecast": ["proof=none"], "metrics": []}
#: A limit that is further than this above what was measured would let a tenfold slowdown pass.
LAX = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=2, help="times that each is run; the best counts")
    parser.add_argument(
        "--slow", choices=sorted({stage for stage, _, _ in STAGES}), help="let this stage take ten times as long"
    )
    told = parser.parse_args()
    if told.slow:
        slowed(told.slow)
    with tempfile.TemporaryDirectory() as folder:
        company = Path(folder) / "company"
        made(told.deals, str(company))
        one_floor, spent = measured(company, told.repeats)
    taken = in_floors(one_floor, spent)
    print(f"one floor: {one_floor:.2f} s of processor time")
    for stage, took in taken.items():
        lax = LIMITS[stage] > LAX * took
        print(f"{stage:32}{took:8.2f} floors, at most {LIMITS[stage]:g}{'  (lax: lower the limit)' if lax else ''}")
    if beyond := too_slow(taken):
        sys.exit("\n".join(beyond))


def measured(company: Path, repeats: int, clock: Now = time.process_time) -> tuple[float, dict[str, float]]:
    """Give the best of a few: the floor, and what each stage of each verb spent."""
    from floor import floor

    floors = [spent_on(lambda: floor(company), clock) for _ in range(repeats + 1)]
    spent: dict[str, float] = {}
    for name, settings in SETTINGS.items():
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as out:
                given = ["crm=salesforce", f"source={company}", f"out={out}/out", "tracking=off", *settings]
                with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                    found = verb(name, given, clock)
            for stage, seconds in found.items():
                key = f"{name}: {stage}"
                spent[key] = min(spent.get(key, seconds), seconds)
    return min(floors), spent


def in_floors(one_floor: float, spent: Mapping[str, float]) -> dict[str, float]:
    """Tell each guarded stage in floors; one that never ran is an error, because it would guard nothing."""
    out = {}
    for name in LIMITS:
        what, stage = name.split(": ")
        parts = [f"{what}: {part}" for part in TOGETHER.get(stage, (stage,))]
        if lacking := [part for part in parts if part not in spent]:
            raise SystemExit(f"guard: never ran: {', '.join(lacking)}; timed.STAGES says where a stage is called from")
        out[name] = sum(spent[part] for part in parts) / one_floor
    return out


def too_slow(taken: Mapping[str, float], limits: Mapping[str, float] = LIMITS) -> list[str]:
    """One line for each stage beyond its limit."""
    return [
        f"too slow: {stage} took {took:.2f} floors, at most {limits[stage]:g} are expected"
        for stage, took in taken.items()
        if not took <= limits[stage]
    ]


def spent_on(run: Callable[[], object], clock: Now) -> float:
    began = clock()
    run()
    return clock() - began


def slowed(stage: str, clock: Now = time.process_time) -> Callable[[], None]:
    """Let a stage take ten times as long, until what is given back is called."""

    def slow(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        began = clock()
        found = function(*args, **kwargs)
        until = began + 10 * (clock() - began)
        while clock() < until:
            pass
        return found

    return put_around(stage, slow)


if __name__ == "__main__":
    main()
