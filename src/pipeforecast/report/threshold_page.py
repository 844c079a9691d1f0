"""The page about thresholds: one file that works without a network, whose numbers move with its fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeforecast.report.page import environment, fingerprint_of, script_wording, source_of
from pipeforecast.wording import speaking


def render_thresholds(facts: dict[str, Any]) -> str:
    """Give the page as text.

    Parameters
    ----------
    facts : dict
        What ``threshold_facts`` gives.
    """
    with speaking(facts["head"]["language"]):
        return _rendered(facts)


def _rendered(facts: dict[str, Any]) -> str:
    pieces = Markup("\n").join(source_of(f"{name}.js") for name in ("data", "words", "thresholds"))
    script = Markup('(function () {\n"use strict";\n') + pieces + Markup("})();\n")
    style = source_of("page.css") + source_of("charts.css") + source_of("thresholds.css")
    return environment().get_template("thresholds.html").render(
        f=facts, currency=facts["head"]["currency"], style=style, script=script, fingerprint=fingerprint_of(script),
        data={"wording": script_wording()},
    )  # fmt: skip


def write_threshold_page(facts: dict[str, Any], path: Path) -> None:
    """Write the page."""
    path.write_text(render_thresholds(facts), encoding="utf-8")
