from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from pipeforecast.demo import Company, make_company

KINDS = ("standard", "other")


@cache
def _made(kind: str, n_deals: int, seed: int) -> Company:
    return make_company(kind, n_deals=n_deals, seed=seed)


@pytest.fixture(scope="session")
def made() -> Callable[..., Company]:
    """Companies, each made once a session; nobody may change their tables."""
    return _made


@pytest.fixture(scope="session", params=KINDS)
def company(request: pytest.FixtureRequest) -> Company:
    return _made(request.param, 2000, 7)
