"""What the catalogue may be asked: names, periods and choices are judged before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeforecast.asked import AskedSettings
from pipeforecast.errors import SettingsError
from pipeforecast.metrics import CATALOGUE
from pipeforecast.overrides import composed
from pipeforecast.settings import MetricsSettings, settings_for


def asked(*words: str) -> MetricsSettings:
    settings = settings_for("metrics", composed("metrics", ["source=x", *words]))
    assert isinstance(settings, MetricsSettings)
    return settings


def test_periods_are_a_number_or_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert asked("periods=16").periods == 16
    assert asked("periods=[2024Q1,2024M03,2024]").periods == ("2024Q1", "2024M03", "2024")
    assert asked("periods=['campaign:Spring fair']").periods == ("campaign:Spring fair",)
    assert asked("periods=2024Q1").periods == ("2024Q1",)
    assert asked("metrics=win_rate").metrics == ("win_rate",)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("periods", 0), ("periods", 201), ("periods", []), ("periods", ["2024Q1", "2024Q1"]),
        ("by", ["owner", "owner"]),
        ("first", [f"m{i}" for i in range(10)]), ("size_bands", [10, 5]), ("size_bands", [5, 5]), ("call_days", [-1]),
        ("metric", ["win_rate"]),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        AskedSettings.model_validate({key: value})


def test_the_first_screen_is_of_the_catalogue() -> None:
    assert set(AskedSettings().first) <= set(CATALOGUE)


def test_a_misspelt_setting_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError):
        asked("+qualified_stages=Demo")
