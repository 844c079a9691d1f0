"""Watch the champion, or the recipe: what has drifted, what came true, since when not, what to do."""

from __future__ import annotations

from pipeforecast.champion import chosen
from pipeforecast.digests import digests_of
from pipeforecast.errors import SettingsError
from pipeforecast.monitor import FINE, checks
from pipeforecast.monitor import in_words as watched
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.records import track
from pipeforecast.replay import scored_origins
from pipeforecast.results import write_csv
from pipeforecast.run import prepared
from pipeforecast.settings import MonitorSettings
from pipeforecast.tracking import Metric


def monitor(settings: MonitorSettings) -> str:
    """Watch the champion, or the recipe: what has drifted, what came true, since when not, what to do."""
    run = prepared(settings)
    if not isinstance(run.model, PipelineForecaster):
        raise SettingsError(f"monitor: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    use = chosen(settings, run)
    origins, _ = scored_origins(settings, use.run)
    found = checks(settings, use, origins)
    with whole_folder(settings.out) as out:
        write_csv(found, out / "monitor.csv")
        wrote = Wrote(digests_of(out), (use.version,))
    odd = [Metric("monitor.odd", float((~found["verdict"].isin(FINE)).sum()))]
    track(settings, run, "monitor", odd, {"model_version": use.version}, wrote=wrote)
    return "\n".join([watched(found, use.version), use.said, f"written: {settings.out / 'monitor.csv'}"])
