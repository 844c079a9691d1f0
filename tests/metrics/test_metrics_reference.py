"""The page of the catalogue is what the declarations say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeforecast.metrics import CATALOGUE, Metric
from pipeforecast.metrics.page import page

FILE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_is_up_to_date() -> None:
    """If this fails: ``python -m pipeforecast.metrics.page > docs/metrics.md``."""
    assert FILE.read_text(encoding="utf-8") == page()


def test_the_command_writes_it() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "pipeforecast.metrics.page"], capture_output=True, check=True, timeout=120
    )
    assert done.stdout.decode("utf-8") == page()
    assert b"Warning" not in done.stderr


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda m: m.name)
def test_every_metric_is_told_whole(metric: Metric) -> None:
    text = page()
    own = text[text.index(f"### {metric.title} (`{metric.name}`)") :]
    own = own[: own.index("\n### ")] if "\n### " in own else own
    assert metric.formula[1:] in own
    assert metric.example
    assert f"- example: {metric.example}" in own
    assert f"clock: {metric.clock}" in own
    for table in metric.needs:
        assert f"`{table}`" in own


def test_benchmarks_stand_beside() -> None:
    own = page()[page().index("(`mql_to_srl`)") :][:700]
    assert "benchmark: 20–40 %" in own
