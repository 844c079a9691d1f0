"""In Chinese no page has a sentence of ours left in English: what is English there is the company's, or a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from catalogued import made_metrics
from made import made_cells, made_empty, quotas_frame, scenario_frame
from made_beside import whole
from test_report_moved import SINCE, moves_frame

from english import left_in_english
from made_leads import made_leads
from pipeforecast.metrics import CATALOGUE
from pipeforecast.names import names_in
from pipeforecast.report.catalogue import catalogue_facts
from pipeforecast.report.facts import facts
from pipeforecast.report.metrics_page import render_metrics
from pipeforecast.report.page import render
from pipeforecast.report.threshold_facts import threshold_facts
from pipeforecast.report.threshold_page import render_thresholds
from pipeforecast.thresholds import Asked, Terms, findings_of, studied


def _report() -> str:
    given = whole(cells=made_cells(), quotas=quotas_frame(), scenario=scenario_frame(), language="zh",
                  moves=moves_frame(), moves_since=SINCE, findings=made_empty().findings, what_counts="")  # fmt: skip
    return render(facts(given))


def _metrics() -> str:
    titles = {name: names_in("zh").metric(name) for name in CATALOGUE}
    return render_metrics(catalogue_facts(replace(made_metrics(), language="zh", titles=titles, findings=())))


def _thresholds() -> str:
    made = studied(made_leads(1500), Asked(Terms(30.0, 400.0, 6.0), current=0.2))
    head = {"source": "company", "as_of": "2024-12-31", "currency": "EUR", "saved": None, "language": "zh"}
    return render_thresholds(threshold_facts([made], findings_of(made), head))


@pytest.mark.parametrize("page", [_report, _metrics, _thresholds])
def test_no_sentence_is_left_in_english(page: Callable[[], str]) -> None:
    assert left_in_english(page()) == []


def test_the_law_would_see_one() -> None:
    assert len(left_in_english(render(facts(whole(cells=made_cells()))))) > 50
