from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeforecast.ingest import Export, read_export
from pipeforecast.mapping import CrmMapping

CONFIGS = Path(__file__).parents[2] / "configs" / "crm"


def shipped(name: str, **changes: Any) -> CrmMapping:
    """A shipped mapping, with top-level settings replaced."""
    return CrmMapping.model_validate(yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")) | changes)


@pytest.fixture(name="shipped", scope="session")
def _shipped() -> Callable[..., CrmMapping]:
    return shipped


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Export]:
    """Write tables (name of file → CSV text) into a folder and read it by a shipped mapping."""

    def read(name: str, files: dict[str, str], **changes: Any) -> Export:
        for file, text in files.items():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text.replace(" | ", ","), encoding="utf-8")
        return read_export(shipped(name, **changes), tmp_path)

    return read


@pytest.fixture
def told() -> Callable[[Export], pd.DataFrame]:
    """States with the deal's id instead of its key, to compare exports of the same story."""

    def told(export: Export) -> pd.DataFrame:
        states = export.history.states
        ids = export.history.deals["deal_id"].loc[states["deal"]].to_numpy()
        out = states.drop(columns=["deal", "seq"]).assign(deal_id=ids)
        return out.sort_values(["deal_id", "recorded_at"], kind="stable").reset_index(drop=True)

    return told
