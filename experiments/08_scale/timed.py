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

#: Stages, by where their function is called from.
STAGES = {
    "read": ("pipeforecast.run", "build_export"),
    "check": ("pipeforecast.run", "check_history"),
    "snapshots": ("pipeforecast.lessonplan", "take_snapshots"),
    "lessons": ("pipeforecast.lessonplan", "gather_lessons"),
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


def verb(name: str, settings: list[str]) -> dict[str, float]:
    """Run a verb, with a clock around each stage; a stage that holds another holds its seconds too."""
    began = time.perf_counter()
    spent: dict[str, float] = {}
    importlib.import_module("pipeforecast.workflow")
    started = time.perf_counter() - began
    for stage, (module, path) in STAGES.items():
        put_clock(stage, importlib.import_module(module), path, spent)
    from pipeforecast.cli import main as call

    sys.argv = ["pipeforecast", name, *settings]
    try:
        call()
    except SystemExit as ended:
        if ended.code:
            raise
    return {"start": started, **spent, "all": time.perf_counter() - began}


def put_clock(stage: str, module: Any, path: str, spent: dict[str, float]) -> None:
    """Time a function of a module, or a method (``Class.method``)."""
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, module)
    function: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - began

    setattr(owner, name, timed)


if __name__ == "__main__":
    main()
