"""The page about thresholds: one file that works without a network, whose numbers move with its fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeforecast.report.page import _environment, _fingerprint, _source


def render_thresholds(facts: dict[str, Any]) -> str:
    """Give the page as text.

    Parameters
    ----------
    facts : dict
        What ``threshold_facts`` gives.
    """
    script = _source("thresholds.js")
    style = _source("page.css") + _source("charts.css") + _source("thresholds.css")
    return (
        _environment()
        .get_template("thresholds.html")
        .render(
            f=facts, currency=facts["head"]["currency"], style=style, script=script, fingerprint=_fingerprint(script)
        )
    )


def write_threshold_page(facts: dict[str, Any], path: Path) -> None:
    """Write the page."""
    path.write_text(render_thresholds(facts), encoding="utf-8")
