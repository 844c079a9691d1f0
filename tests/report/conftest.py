from __future__ import annotations

import pytest
from made import made_input

from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.inputs import ReportInput


@pytest.fixture(scope="session")
def given() -> ReportInput:
    return made_input()


@pytest.fixture(scope="session")
def facts(given: ReportInput) -> dict:
    return facts_of(given)
