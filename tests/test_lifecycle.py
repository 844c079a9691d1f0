"""What the catalogue may be told of leads: closed, judged, with defaults that need no settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeforecast.lifecycle import STEPS, LifecycleSettings


def test_without_settings_the_definitions_hold() -> None:
    told = LifecycleSettings()
    assert (told.source, told.qualified) == ("auto", "sql")
    assert (told.attribution.before, told.attribution.half_life_days) == ("close", 7.0)
    assert told.customers.gross_margin is None


def test_names_of_statuses_are_told_apart() -> None:
    told = LifecycleSettings().statuses
    every = [n.casefold() for step in STEPS[1:5] for n in getattr(told, step)]
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sorce": "log"},
        {"source": "guess"},
        {"mature": 0},
        {"attribution": {"half_life_days": 0}},
        {"attribution": {"before": "never"}},
        {"customers": {"gross_margin": 40}},
        {"customers": {"recurring_months": 0}},
        {"statuses": {"mqls": ["MQL"]}},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LifecycleSettings.model_validate(wrong)
