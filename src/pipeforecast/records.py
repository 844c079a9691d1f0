"""What is recorded of a run: settings, fingerprint of the data, scores; nothing that names people or deals.

A run that wrote files is recorded so that it can be made again: see ``pastrun``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from pipeforecast import __version__
from pipeforecast.forecast import Forecast
from pipeforecast.pastrun import PLACES, Wrote, keep
from pipeforecast.proof import Proof
from pipeforecast.settings import RunSettings
from pipeforecast.tracking import Artifact, Metric, RunRecord, record


class Recorded(Protocol):
    """What is recorded of a run beside its settings."""

    @property
    def data(self) -> str:
        """Fingerprint of the export."""
        ...

    @property
    def as_of(self) -> pd.Timestamp | None:
        """Evening to look from; None where nothing has a date."""
        ...


@dataclass(frozen=True)
class Seen:
    """Fingerprint of an export and the evening to look from, where nothing else was read of it."""

    data: str
    as_of: pd.Timestamp | None


def forecast_metrics(made: Forecast, proof: Proof | None) -> list[Metric]:
    """Give the forecast's parts, and its record, as metrics."""
    named = {"mean": made.value(), "won": made.value("won"), "open": made.value("open"), "new": made.value("new")}
    return [Metric(f"forecast.{k}", v) for k, v in named.items()] + ([] if proof is None else score_metrics(proof))


def score_metrics(proof: Proof) -> list[Metric]:
    """Give each method's scores in total; the step is the day of the period."""
    total = proof.scores[(proof.scores["level"] == "total").to_numpy()]
    out = []
    for row in total.to_dict("records"):
        name, step = str(row["method"]).replace("+", " plus "), int(row["day_of_period"])
        for score in ("wape", "crps", "cover80", "skill"):
            if pd.notna(row[score]):
                over = f"{name}.{score}" if step >= 0 else f"{name}.{score}.all"
                out.append(Metric(over, float(row[score]), max(step, 0)))
    return out


def track(
    settings: RunSettings,
    run: Recorded,
    verb: str,
    metrics: Sequence[Metric],
    more_tags: Mapping[str, str] | None = None,
    more_artifacts: Sequence[Artifact] = (),
    wrote: Wrote | None = None,
) -> str | None:
    """Record settings, data and scores; no file that names people or deals. Gives MLflow's id of the run.

    A run that is made again by ``replay`` is not recorded, nor is one with ``tracking=off``.
    """
    if settings.tracking.then is not None:
        return None
    told = settings.model_dump(mode="json", exclude=PLACES)
    day = "" if run.as_of is None else str(run.as_of.date())
    tags = {"verb": verb, "data": run.data, "pipeforecast": __version__, "as_of": day}
    artifacts = [
        Artifact(settings.out / name)
        for name in ("backtest_scores.csv", "evaluation.csv", "calibration.csv", "learning_curve.csv")
        if (settings.out / name).exists()
    ]
    made = RunRecord(verb, told, tags | dict(more_tags or {}), metrics, [*artifacts, *more_artifacts])
    run_id = record(made, **settings.tracking.model_dump(exclude={"model", "places", "then"}))
    if wrote is not None:
        keep(settings, run, run_id, wrote)
    return run_id
