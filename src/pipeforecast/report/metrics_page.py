"""The catalogue's page: facts put into one file that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeforecast.report.catalogue import catalogue_facts
from pipeforecast.report.catalogue_cells import MetricsInput
from pipeforecast.report.page import environment, fingerprint_of, source_of, written
from pipeforecast.report.sparks import bar, funnel_bars, spark
from pipeforecast.wording import speaking


def render_metrics(facts: dict[str, Any]) -> str:
    """Give the page as text.

    Parameters
    ----------
    facts : dict
        What ``catalogue_facts`` gives.
    """
    with speaking(facts["head"]["language"]):
        return _rendered(facts)


def _rendered(facts: dict[str, Any]) -> str:
    script = source_of("page.js")
    return environment().get_template("metrics.html").render(
        f=facts, currency=facts["head"]["currency"], script=script, fingerprint=fingerprint_of(script),
        style=source_of("page.css") + source_of("charts.css") + source_of("metrics.css"),
        spark=spark, bar=bar, funnel_bars=funnel_bars(facts["funnel"]),
    )  # fmt: skip


def write_metrics_page(given: MetricsInput, path: Path) -> Path:
    """Write the page; who reads the old one meanwhile never sees half of the new one."""
    return written(render_metrics(catalogue_facts(given)), path)
