from __future__ import annotations

import pytest

from made_leads import made_leads
from pipeforecast.leads import ScoredLeads
from pipeforecast.thresholds import Asked, Study, Terms, studied


@pytest.fixture(scope="session")
def scored() -> ScoredLeads:
    return made_leads(4000)


@pytest.fixture(scope="session")
def made(scored: ScoredLeads) -> Study:
    return studied(scored, Asked(Terms(30.0, 400.0, 8.0)))
