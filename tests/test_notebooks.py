"""Notebooks: each pair is one notebook, without outputs, and the model that the last one shows keeps every law."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from every_kind import assert_chances, incidences, taught_by
from pipeforecast.forecast import DealForecast
from worlds import AS_OF, constant_hazards, won_and_lost_by

FOLDER = Path(__file__).parents[1] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))


def cells_of(source: Path) -> list[tuple[str, str]]:
    """Kind and text of each cell of the percent format."""
    _, *parts = re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.M)
    found = []
    for part in parts:
        head, _, text = part.partition("\n")
        if "[markdown]" in head:
            found.append(("markdown", re.sub(r"^# ?", "", text.strip("\n"), flags=re.M)))
        else:
            found.append(("code", text.strip("\n")))
    return found


def test_there_are_five_pairs() -> None:
    assert len(SOURCES) == 5
    assert [p.stem for p in SOURCES] == [p.stem for p in sorted(FOLDER.glob("*.ipynb"))]


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_a_pair_is_one_notebook_without_outputs(source: Path) -> None:
    """``jupytext --sync notebooks/*.py`` writes one from the other."""
    cells = json.loads(source.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    assert [(c["cell_type"], "".join(c["source"])) for c in cells] == cells_of(source)
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in cells if c["cell_type"] == "code")


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_a_notebook_holds_no_logic(source: Path) -> None:
    code = "\n".join(text for kind, text in cells_of(source) if kind == "code")
    assert not re.search(r"^\s*(def|class|if|for|while|try|with|lambda)\b", code, re.M)


@pytest.fixture
def daily_rates(monkeypatch: pytest.MonkeyPatch) -> type:
    monkeypatch.syspath_prepend(FOLDER / "own_model")
    from daily_rates import DailyRates

    return DailyRates


def test_the_example_of_a_model_gives_chances(daily_rates: type) -> None:
    lessons, now = constant_hazards(400, seed=4)
    fitted = daily_rates().fit(lessons)
    assert_chances(*incidences(fitted, now))
    empty = now.take(np.zeros(0, dtype=int))
    assert incidences(fitted, empty)[0].shape[0] == 0
    order = np.random.default_rng(0).permutation(len(lessons.snapshot.open))
    mixed = daily_rates().fit(taught_by(lessons, order))
    for p, q in zip(incidences(fitted, now), incidences(mixed, now), strict=True):
        np.testing.assert_allclose(p, q, atol=1e-9)


def test_the_example_of_a_model_finds_constant_rates(daily_rates: type) -> None:
    """In worlds whose rates are constant it is right about the whole, which is all that it looks at there."""
    said, true = np.zeros(2), np.zeros(2)
    for seed in (1, 2, 3):
        lessons, now = constant_hazards(1500, seed)
        found: DealForecast = daily_rates().fit(lessons).forecast(now, np.ones(len(now.open)))
        until = AS_OF + np.timedelta64(61, "D")
        said += found.won_by(until).sum(), found.lost_by(until).sum()
        for segment in now.open["segment"]:
            true += won_and_lost_by(segment, 61)
    np.testing.assert_allclose(said / true, 1.0, atol=0.2)
