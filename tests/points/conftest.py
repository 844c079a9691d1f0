from __future__ import annotations

import numpy as np
import pytest

from made_leads import made_leads
from pipeforecast.leads import ScoredLeads
from pipeforecast.points import CardRecipe, PointsCard


@pytest.fixture(scope="session")
def scored() -> ScoredLeads:
    return made_leads(4000)


@pytest.fixture(scope="session")
def came(scored: ScoredLeads) -> np.ndarray:
    return scored.leads["converted_within"].fillna(False).to_numpy(dtype=float)


@pytest.fixture(scope="session")
def card(scored: ScoredLeads, came: np.ndarray) -> PointsCard:
    known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
    return CardRecipe().learn(scored.features.rows(known), came[known])
