"""What an audit may be told: a misspelt question is an error, not a question that nobody asks."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from pipeforecast.hygiene import CriteriaSettings, FlagSettings, Question

CRITERIA = sorted((Path(str(files("pipeforecast.configs"))) / "criteria").glob("*.yaml"))


@pytest.mark.parametrize("path", CRITERIA, ids=lambda p: p.stem)
def test_criteria_that_ship_ask_only_what_they_define_and_define_nothing_unasked(path: Path) -> None:
    told = CriteriaSettings.model_validate(yaml.safe_load(path.read_text()))
    assert {q for needs in told.stages.values() for q in needs} == set(told.questions)


def test_a_columns_name_alone_is_a_question() -> None:
    told = CriteriaSettings.model_validate({"questions": {"need": "product"}, "stages": {"Talk": ["need"]}})
    assert told.questions["need"] == Question(column="product", filled="any")


@pytest.mark.parametrize("wrong", [
    {"questions": {"need": "product"}, "stages": {"Talk": ["neeed"]}},
    {"questions": {"need": {"column": "product", "filled": "maybe"}}},
    {"questions": {"need": {"colum": "product"}}},
])  # fmt: skip
def test_what_cannot_be_asked_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        CriteriaSettings.model_validate(wrong)


@pytest.mark.parametrize("wrong", [{"pushes": 0}, {"silent_days": 0}, {"stage_share": 1.0}, {"stage_share": 0.0}])
def test_thresholds_that_flag_all_or_none_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        FlagSettings.model_validate(wrong)
