"""A model on disk: the same forecasts to the last digit, nothing of the deals, and no class that is not named."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from every_kind import KINDS, incidences, taught_by
from pipeforecast.features import Features
from pipeforecast.fiscal import Period
from pipeforecast.models.amount import AmountModel
from pipeforecast.models.deals import FittedDeals
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.saved import ABOUT_FILE, MODEL_FILE, SavedModelError, load, save
from pipeforecast.snapshot import Snapshot


@pytest.fixture(scope="module")
def folder(fitted: FittedPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("saved") / "model"
    save(made, fitted.deals, fitted.amounts, {"kind": "hazard"})
    return made


def test_what_is_read_back_forecasts_the_same(
    folder: Path, fitted: FittedPipeline, now: Snapshot, period: Period
) -> None:
    found = load(folder)
    assert found.about == {"kind": "hazard"}
    before = fitted.deals.won_between(now, period.start, period.end, 3, np.random.default_rng(1))
    after = found.deals.won_between(now, period.start, period.end, 3, np.random.default_rng(1))
    assert (before == after).all()
    assert (fitted.amounts.expected(now) == found.amounts.expected(now)).all()
    whole = replace(fitted, deals=found.deals, amounts=found.amounts).forecast(now, period)
    assert (whole.mean == fitted.forecast(now, period).mean).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_back_as_it_was(kind: str, lessons: Lessons, now: Snapshot, tmp_path: Path) -> None:
    few = taught_by(lessons, np.arange(0, len(lessons.snapshot.open), 3))
    fitted = KINDS[kind].fit(few)
    save(tmp_path, fitted, AmountModel().fit(few), {})
    found = load(tmp_path).deals
    for one, other in zip(incidences(fitted, now), incidences(found, now), strict=True):
        assert (one == other).all()
    written = (tmp_path / MODEL_FILE).read_bytes()
    assert [o for o in now.open["owner"].dropna().unique() if str(o).encode() in written] == []


def test_nothing_of_single_deals_is_written(folder: Path, now: Snapshot) -> None:
    assert {p.name for p in folder.iterdir()} == {MODEL_FILE, ABOUT_FILE}
    names = [*now.labels["deal_id"].dropna().head(50), *now.labels["name"].dropna().head(50)]
    written = (folder / MODEL_FILE).read_bytes()
    assert [n for n in names if str(n).encode() in written] == []


@dataclass(frozen=True)
class _Stranger:
    weight: float = 1.0


def test_a_class_that_is_not_named_is_refused_when_saving(fitted: FittedPipeline, tmp_path: Path) -> None:
    odd = FittedDeals("odd", fitted.deals.calendar, 365, _Stranger())  # type: ignore[arg-type]
    with pytest.raises(SavedModelError, match="_Stranger"):
        save(tmp_path, odd, fitted.amounts, {})
    lambdas = FittedDeals("odd", fitted.deals.calendar, 365, [Features])  # type: ignore[arg-type]
    with pytest.raises(SavedModelError, match="Features"):
        save(tmp_path, lambdas, fitted.amounts, {})
    assert not (tmp_path / MODEL_FILE).exists()


def test_a_file_that_names_another_class_is_refused_unmade(tmp_path: Path) -> None:
    import skops.io

    made = []

    class Loud:
        def __setstate__(self, state: object) -> None:
            made.append(state)

    loud = Loud()
    loud.__dict__["a"] = np.ones(2)
    (tmp_path / ABOUT_FILE).write_text("{}")
    skops.io.dump({"deals": loud, "amounts": 1}, tmp_path / MODEL_FILE)
    with pytest.raises(SavedModelError, match="Loud"):
        load(tmp_path)
    assert made == []
    skops.io.dump({"deals": {"(class)": "pathlib.Path", "path": "x"}, "amounts": 1}, tmp_path / MODEL_FILE)
    with pytest.raises(SavedModelError, match=r"pathlib\.Path"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK not a zip", b"\x80\x04K\x01."])
def test_a_broken_file_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ABOUT_FILE).write_text(json.dumps({}))
    (tmp_path / MODEL_FILE).write_bytes(content)
    with pytest.raises(SavedModelError, match="train it anew"):
        load(tmp_path)
    with pytest.raises(SavedModelError, match="train it anew"):
        load(tmp_path / "nowhere")
