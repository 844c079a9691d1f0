from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeforecast.demo import make_company
from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.history import DealHistory
from pipeforecast.ingest import read_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons
from pipeforecast.overrides import composed
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.settings import RunSettings, settings_for
from pipeforecast.snapshot import Snapshot
from stories import MUTATIONS, lessons_of
from tables import rows, written

SALESFORCE = Path(__file__).parents[1] / "configs" / "crm" / "salesforce.yaml"


@pytest.fixture(scope="session")
def company_history(tmp_path_factory: pytest.TempPathFactory) -> DealHistory:
    """A made-up company, read from its raw export; nobody may change its tables."""
    folder = tmp_path_factory.mktemp("company")
    make_company(n_deals=700, seed=3).write(folder)
    mapping = CrmMapping.model_validate(yaml.safe_load(SALESFORCE.read_text(encoding="utf-8")))
    return read_export(mapping, folder).history


@pytest.fixture(scope="session")
def calendar() -> FiscalCalendar:
    return FiscalCalendar()


@pytest.fixture(scope="session")
def as_of(company_history: DealHistory, calendar: FiscalCalendar) -> pd.Timestamp:
    """Day 60 of a quarter of which the whole is known: some of it is won, some is open."""
    complete = calendar.shift(calendar.containing(company_history.written_until), -2)
    return complete.evening(60)


@pytest.fixture(scope="session")
def period(as_of: pd.Timestamp, calendar: FiscalCalendar) -> Period:
    return calendar.containing(as_of)


@pytest.fixture(scope="session")
def _taught(company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp) -> tuple[Lessons, Snapshot]:
    return lessons_of(company_history, calendar, as_of)


@pytest.fixture(scope="session")
def lessons(_taught: tuple[Lessons, Snapshot]) -> Lessons:
    """What may be learned of the company on the evening of ``as_of``."""
    return _taught[0]


@pytest.fixture(scope="session")
def now(_taught: tuple[Lessons, Snapshot]) -> Snapshot:
    """The company's open deals on the evening of ``as_of``."""
    return _taught[1]


@pytest.fixture(scope="session")
def rewritten(
    company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp
) -> Callable[[str], tuple[Lessons, Snapshot]]:
    """Lessons and snapshot of ``as_of`` in a company whose later days were rewritten by the mutation so named."""

    @cache
    def taught(name: str) -> tuple[Lessons, Snapshot]:
        mutated = MUTATIONS[name](company_history, as_of, np.random.default_rng(3))
        return lessons_of(mutated, calendar, as_of)

    return taught


@pytest.fixture(scope="session")
def recipe() -> PipelineForecaster:
    return PipelineForecaster(HazardModel(max_rows=500), draws=300, coefficient_draws=6)


@pytest.fixture(scope="session")
def fitted(recipe: PipelineForecaster, lessons: Lessons) -> FittedPipeline:
    return recipe.fit(lessons)


@pytest.fixture
def told(tmp_path: Path):
    """Settings of a verb on the small table, with everything below ``tmp_path``."""
    written(tmp_path, rows())
    small = ["draws=100", "model.coefficient_draws=2", "origins.periods=2", "origins.days=[45]", "rules=[stage_rate]"]

    def settings(verb: str, *words: str) -> RunSettings:
        model = next((w for w in words if w.startswith("model=")), "")
        mine = [w for w in small if not (model and w.startswith("model."))]
        here = [f"source={tmp_path}/exports", f"out={tmp_path}/out", "tracking=off"]
        proof = [f"proof.folder={tmp_path}/proof"] if verb == "forecast" else []
        return settings_for(verb, composed(verb, [*here, *proof, *([] if verb == "check" else mine), *words]))

    return settings
