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

#: Stages, by where their functions are called from. A second that is spent in two of them counts for the inner one.
STAGES = (
    ("read", "pipeforecast.run", "build_export"),
    ("read", "pipeforecast.run", "data_of"),
    ("check", "pipeforecast.run", "check_history"),
    ("check", "pipeforecast.run", "audit_deals"),
    ("snapshots", "pipeforecast.backtest", "take_snapshots"),
    ("lessons", "pipeforecast.workflow.made", "lessons_at"),
    ("lessons", "pipeforecast.backtest", "lessons_at"),
    ("describe", "pipeforecast.features", "_described"),
    ("fit", "pipeforecast.pipeline", "PipelineForecaster.fit"),
    ("chances", "pipeforecast.pipeline", "FittedPipeline.outlook"),
    ("roll up", "pipeforecast.pipeline", "FittedPipeline.forecast"),
    ("rules", "pipeforecast.rules.deals", "FittedRule.forecast"),
    ("rules", "pipeforecast.rules.totals", "FittedTotal.forecast"),
    ("rules", "pipeforecast.rules.people", "FittedCall.forecast"),
    ("rules", "pipeforecast.workflow.made", "terms_of"),
    ("quotas", "pipeforecast.workflow.made", "quotas_of"),
    ("reasons", "pipeforecast.workflow.made", "explain"),
    ("cells", "pipeforecast.workflow.made", "cut"),
    ("people", "pipeforecast.workflow.forecast", "people_told"),
    ("audit", "pipeforecast.workflow.beside", "audit_of"),
    ("metrics", "pipeforecast.workflow.beside", "computed"),
    ("page", "pipeforecast.workflow.forecast", "_report_input"),
    ("page", "pipeforecast.workflow.forecast", "facts"),
    ("page", "pipeforecast.workflow.forecast", "write_page"),
    ("workbook", "pipeforecast.workflow.forecast", "book_input"),
    ("workbook", "pipeforecast.workflow.forecast", "write_workbook"),
    ("files", "pipeforecast.workflow.forecast", "forecast_rows"),
    ("files", "pipeforecast.workflow.forecast", "deal_rows"),
    ("files", "pipeforecast.workflow.forecast", "write_csv"),
    ("files", "pipeforecast.workflow.forecast", "digests_of"),
    ("record", "pipeforecast.workflow.forecast", "track"),
)


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
    """Run a verb, with a clock around each stage; ``rest`` is what none of them names."""
    began = time.perf_counter()
    importlib.import_module("pipeforecast.workflow")
    started = time.perf_counter() - began
    clock = Clock()
    for stage, module, path in STAGES:
        clock.put(stage, importlib.import_module(module), path)
    from pipeforecast.cli import main as call

    sys.argv = ["pipeforecast", name, *settings]
    try:
        call()
    except SystemExit as ended:
        if ended.code:
            raise
    whole = time.perf_counter() - began
    rest = whole - started - sum(clock.spent.values())
    return {"start": started, **clock.spent, "rest": rest, "all": whole}


class Clock:
    """Seconds of each stage, without those of the stages that it calls: they add up."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._within = [0.0]

    def put(self, stage: str, module: Any, path: str) -> None:
        """Time a function of a module, or a method (``Class.method``)."""
        *outer, name = path.split(".")
        owner = functools.reduce(getattr, outer, module)
        function: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            self._within.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.perf_counter() - began
                self.spent[stage] = self.spent.get(stage, 0.0) + whole - self._within.pop()
                self._within[-1] += whole

        setattr(owner, name, timed)


if __name__ == "__main__":
    main()
