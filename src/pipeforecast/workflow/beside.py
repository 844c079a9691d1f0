"""What stands beside a forecast on its page: people's calls, the audit of the pipeline, a few metrics."""

from __future__ import annotations

from dataclasses import replace

from pipeforecast.audit import Asked, audit_of
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings, ReviewSettings
from pipeforecast.metrics.computed import computed
from pipeforecast.names import names_in
from pipeforecast.people import latest_calls
from pipeforecast.report import ReportInput
from pipeforecast.report.catalogue_cells import MetricsInput
from pipeforecast.run import Run
from pipeforecast.settings import ForecastSettings
from pipeforecast.workflow.made import Made
from pipeforecast.workflow.people import Told

#: Periods over which the page's metrics are followed.
_PERIODS = 8


def with_beside(given: ReportInput, settings: ForecastSettings, run: Run, made: Made, people: Told) -> ReportInput:
    """Add what stands beside the forecast, as the verbs of their own say it with their default settings.

    The audit judges flags on the evenings that the forecast has looked at anyway, and takes no snapshots of its own.
    """
    is_last = run.as_of >= run.export.history.written_until.normalize()
    asked = Asked(FlagSettings(), PastSettings(), ReviewSettings(), CriteriaSettings())
    return replace(
        given,
        calls=latest_calls(run.known, made.lead.period, run.as_of),
        biases=people.biases, value_added=people.added,
        chances=None if made.proof is None else made.proof.chances,
        audit=audit_of(run.known, run.calendar, run.as_of, asked, is_last, made.seen),
        catalogue=_catalogue(settings, run),
    )  # fmt: skip


def _catalogue(settings: ForecastSettings, run: Run) -> MetricsInput | None:
    if not settings.first:
        return None
    found = computed(run.known, run.calendar, run.as_of, settings.first, (), _PERIODS)
    return MetricsInput(
        table=found.table, windows=found.windows, as_of=run.as_of, first=settings.first,
        benchmarks=settings.benchmarks.values, currency=run.currency, set_name=settings.set_name,
        titles={name: names_in(settings.report.language).metric(name) for name in settings.first},
    )  # fmt: skip
