"""What is recorded of a run: settings, fingerprint of the data, scores; nothing that names people or deals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeforecast import __version__
from pipeforecast.forecast import Forecast
from pipeforecast.proof import Proof
from pipeforecast.run import Run
from pipeforecast.settings import RunSettings
from pipeforecast.tracking import Artifact, Metric, RunRecord, record

#: Where things lie on this machine, and who is named, is nobody else's business.
_PLACES: Any = {
    "tracking": True, "out": True, "source": True, "since": True, "proof": {"folder"}, "demo": {"folder"},
    "search": {"store"}, "scenario": {"owner", "where", "parts"},
}  # fmt: skip


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
    run: Run,
    verb: str,
    metrics: Sequence[Metric],
    more_tags: Mapping[str, str] | None = None,
    more_artifacts: Sequence[Artifact] = (),
) -> str | None:
    """Record settings, data and scores; no file that names people or deals. Gives MLflow's id of the run."""
    told = settings.model_dump(mode="json", exclude=_PLACES)
    tags = {"verb": verb, "data": run.data, "pipeforecast": __version__, "as_of": str(run.as_of.date())}
    artifacts = [
        Artifact(settings.out / name)
        for name in ("backtest_scores.csv", "evaluation.csv", "calibration.csv", "learning_curve.csv")
        if (settings.out / name).exists()
    ]
    made = RunRecord(verb, told, tags | dict(more_tags or {}), metrics, [*artifacts, *more_artifacts])
    return record(made, **settings.tracking.model_dump(exclude={"model"}))
