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
    ("snapshots", "pipeforecast.lessonplan", "take_snapshots"),
    ("lessons", "pipeforecast.workflow.made", "lessons_at"),
    ("lessons", "pipeforecast.backtest", "lessons_at"),
    ("describe", "pipeforecast.features", "_described"),
    ("fit", "pipeforecast.pipeline", "PipelineForecaster.fit"),
    ("chances", "pipeforecast.pipeline", "FittedPipeline.outlooks"),
    ("roll up", "pipeforecast.pipeline", "FittedPipeline.forecast"),
    ("roll up", "pipeforecast.pipeline", "FittedPipeline.forecasts"),
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


def verb(name: str, settings: list[str], now: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Run a verb, with a clock around each stage; ``rest`` is what none of them names."""
    began = now()
    importlib.import_module("pipeforecast.workflow")
    started = now() - began
    clock = Clock(now)
    put_back = [clock.put(stage) for stage in dict.fromkeys(stage for stage, _, _ in STAGES)]
    from pipeforecast.cli import main as call

    try:
        if status := call([name, *settings]):
            raise SystemExit(status)
    finally:
        for take_away in put_back:
            take_away()
    whole = now() - began
    rest = whole - started - sum(clock.spent.values())
    return {"start": started, **clock.spent, "rest": rest, "all": whole}


class Clock:
    """Seconds of each stage, without those of the stages that it calls: they add up."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.spent: dict[str, float] = {}
        self._within = [0.0]
        self._now = now

    def put(self, stage: str) -> Callable[[], None]:
        """Time the functions of a stage, until what is given back is called."""

        def timed(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            began = self._now()
            self._within.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                whole = self._now() - began
                self.spent[stage] = self.spent.get(stage, 0.0) + whole - self._within.pop()
                self._within[-1] += whole

        return put_around(stage, timed)


def put_around(stage: str, around: Callable[..., Any]) -> Callable[[], None]:
    """Call ``around(function, …)`` where functions of a stage are called; give what takes it away again."""
    places = []
    for module, path in ((module, path) for name, module, path in STAGES if name == stage):
        *outer, name = path.split(".")
        owner = functools.reduce(getattr, outer, importlib.import_module(module))
        places.append((owner, name, getattr(owner, name)))
        setattr(owner, name, _wrapped(places[-1][2], around))

    def take_away() -> None:
        for place in places:
            setattr(*place)

    return take_away


def _wrapped(function: Callable[..., Any], around: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return around(function, *args, **kwargs)

    return called


if __name__ == "__main__":
    main()
