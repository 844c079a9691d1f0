"""One process whose stages are timed from within: ``make N FOLDER``, ``floor FOLDER`` or a verb with its settings.

The last line that it prints is a JSON object of seconds, and of GiB at the peak (``gib``).
"""

from __future__ import annotations

import functools
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

Clock = Callable[[], float]

#: Stages, by where their function is called from.
STAGES = {
    "read": ("pipeforecast.run", "build_export"),
    "check": ("pipeforecast.run", "check_history"),
    "snapshots": ("pipeforecast.backtest", "take_snapshots"),
    "lessons": ("pipeforecast.backtest", "gather_lessons"),
    "describe": ("pipeforecast.features", "_described"),
    "fit": ("pipeforecast.pipeline", "PipelineForecaster.fit"),
    "chances": ("pipeforecast.pipeline", "FittedPipeline.outlook"),
    "roll up": ("pipeforecast.pipeline", "roll_up"),
    "quotas": ("pipeforecast.workflow.made", "quotas_of"),
    "reasons": ("pipeforecast.workflow.made", "explain"),
    "people": ("pipeforecast.workflow.forecast", "people_told"),
    "beside": ("pipeforecast.workflow.forecast", "with_beside"),
    "page": ("pipeforecast.workflow.forecast", "write_page"),
    "workbook": ("pipeforecast.workflow.forecast", "write_workbook"),
}


def main() -> None:
    what, *rest = sys.argv[1:]
    if what == "make":
        found = made(int(rest[0]), rest[1])
    elif what == "floor":
        from floor import floor

        found = {name.removesuffix("_s"): value for name, value in floor(rest[0]).items() if name != "rows"}
    else:
        found = verb(what, rest)
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found | {"gib": gib}))


def made(n: int, folder: str) -> dict[str, float]:
    from pipeforecast.demo import make_company

    make_company("standard", n_deals=n, seed=7).write(folder)
    return {}


def verb(name: str, settings: list[str], clock: Clock = time.perf_counter) -> dict[str, float]:
    """Run a verb, with a clock around each stage; a stage that holds another holds its seconds too."""
    began = clock()
    spent: dict[str, float] = {}
    importlib.import_module("pipeforecast.workflow")
    started = clock() - began
    put_back = [put_clock(stage, spent, clock) for stage in STAGES]
    from pipeforecast.cli import main as call

    try:
        if status := call([name, *settings]):
            raise SystemExit(status)
    finally:
        for done in put_back:
            done()
    return {"start": started, **spent, "all": clock() - began}


def put_clock(stage: str, spent: dict[str, float], clock: Clock) -> Callable[[], None]:
    """Time a stage, until what is given back is called."""

    def timed(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        began = clock()
        try:
            return function(*args, **kwargs)
        finally:
            spent[stage] = spent.get(stage, 0.0) + clock() - began

    return put_around(stage, timed)


def put_around(stage: str, around: Callable[..., Any]) -> Callable[[], None]:
    """Call ``around(function, …)`` where the function of a stage is called; give what takes it away again."""
    module, path = STAGES[stage]
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, importlib.import_module(module))
    function: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return around(function, *args, **kwargs)

    setattr(owner, name, called)
    return functools.partial(setattr, owner, name, function)


if __name__ == "__main__":
    main()
