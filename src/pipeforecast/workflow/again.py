"""Make a recorded run again, and say whether it wrote the same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeforecast.again import compared, differences, settings_again, verdict
from pipeforecast.digests import digests_of
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import past_run
from pipeforecast.provenance import threads_of
from pipeforecast.run import say
from pipeforecast.settings import AgainSettings
from pipeforecast.workflow.audit import audit
from pipeforecast.workflow.backtest import backtest
from pipeforecast.workflow.compare import compare
from pipeforecast.workflow.forecast import forecast
from pipeforecast.workflow.metrics import metrics
from pipeforecast.workflow.monitor import monitor
from pipeforecast.workflow.plan import plan
from pipeforecast.workflow.score import score
from pipeforecast.workflow.thresholds import thresholds
from pipeforecast.workflow.train import train

#: Verbs that are recorded; a demo is recorded as what it forecasts.
_VERBS: dict[str, Callable[[Any], str]] = {
    "audit": audit, "backtest": backtest, "compare": compare, "demo": forecast, "forecast": forecast,
    "metrics": metrics, "monitor": monitor, "plan": plan, "score": score, "thresholds": thresholds, "train": train,
}  # fmt: skip


def replay(settings: AgainSettings) -> str:
    """Make a recorded run again from its record, on the same data, and compare what it writes byte by byte."""
    if not settings.tracking.enabled:
        raise SettingsError("tracking: expected the store that holds the run, came tracking=off")
    past = past_run(settings.tracking, settings.run)
    if past.verb not in _VERBS:
        raise DataError(f"run: expected a run of {', '.join(_VERBS)}, came one of {past.verb!r}")
    with tempfile.TemporaryDirectory() as stores, threads_of(past.machine):
        told = settings_again(past, settings, Path(stores))
        why = differences(past, told)
        say(f"making the run {settings.run} of {past.verb} again, as of {past.as_of or 'no day'}")
        for line in why:
            say(f"  {line}")
        first = settings.against or past.places.get("out")
        # Beside whatever lies in `out` already, so that only this run's files are looked at.
        with whole_folder(settings.out) as draft:
            _VERBS[past.verb](told.model_copy(update={"out": draft / "made"}))
            for path in (draft / "made").iterdir():
                path.rename(draft / path.name)
            (draft / "made").rmdir()
            found = compared(past, draft, digests_of(draft), None if first is None else Path(first))
    return "\n".join([verdict(found, why), f"written: {settings.out}"])
