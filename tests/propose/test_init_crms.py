"""An export in any CRM's own layout, its files under other names, reads as by the mapping that ships for that CRM."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from crm_layouts import LAYOUTS, Layout
from omegaconf import OmegaConf

from pipeforecast.demo import make_company
from pipeforecast.history import DealHistory
from pipeforecast.ingest import read_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.propose import propose
from pipeforecast.propose.words import plain


@pytest.fixture(scope="module")
def company() -> tuple[pd.DataFrame, pd.DataFrame]:
    made = make_company(n_deals=300, seed=8).tables
    texts = [made[n].astype("string").fillna("").astype("object") for n in ("Opportunity", "OpportunityHistory")]
    return texts[0], texts[1]


def by(base: str, text: str) -> CrmMapping:
    """Lay a proposed mapping over the one that it extends, as Hydra does."""
    own = yaml.safe_load(text)
    assert own.pop("defaults") == [base, "_self_"]
    merged = OmegaConf.merge(OmegaConf.create(plain(base)), OmegaConf.create(own))
    return CrmMapping.model_validate(OmegaConf.to_container(merged, resolve=True))


def assert_same(found: DealHistory, truth: DealHistory) -> None:
    pd.testing.assert_frame_equal(found.states, truth.states)
    pd.testing.assert_frame_equal(found.deals, truth.deals)
    pd.testing.assert_frame_equal(found.stages, truth.stages)


@pytest.mark.parametrize("names", ["own", "other"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: x.crm)
def test_a_layout_is_known_and_reads_as_by_its_own_mapping(
    layout: Layout, names: str, company: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    deals, log = layout.made(*company)
    deals.to_csv(own / f"{layout.deals}.csv", index=False)
    deals.sample(frac=1, axis=1, random_state=1).to_csv(other / "report 7.csv", index=False, sep=";")
    if log is not None:
        log.to_csv(own / f"{layout.log}.csv", index=False)
        log.to_csv(other / "what happened.csv", index=False)
    truth = read_export(CrmMapping.model_validate(plain(layout.crm)), own).history
    assert len(truth.deals) == 300
    assert truth.has_stage_history == (layout.crm in ("hubspot", "sugarcrm"))
    source = own if names == "own" else other
    made = propose(source, "ours", {})
    assert made.base == layout.crm, made.said
    assert made.export is not None, made.stopped
    assert_same(made.export.history, truth)
    assert_same(read_export(by(layout.crm, made.text), source).history, truth)
