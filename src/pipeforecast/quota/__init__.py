"""Quotas of a period set beside its forecast: how likely they are reached, and what it would take."""

from pipeforecast.quota.reach import attainment, chance, coverage, more_pipeline, opportunities_needed, pipeline_needed
from pipeforecast.quota.rows import QUOTA_COLUMNS, Quotas, quotas_of
from pipeforecast.quota.targets import Targets, targets_of

__all__ = [
    "QUOTA_COLUMNS", "Quotas", "Targets", "attainment", "chance", "coverage", "more_pipeline", "opportunities_needed",
    "pipeline_needed", "quotas_of", "targets_of",
]  # fmt: skip
