"""The drawings kept with a training are whole documents that need nothing else."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd
import pytest

from pipeforecast.candidate import drawings_of
from pipeforecast.sketches import reliability_curve, scores_by_day

NAME = "{http://www.w3.org/2000/svg}"
BINS = pd.DataFrame({
    "model": ["a", "a", "b"], "split": "later periods", "forecast": [0.1, 0.4, 0.2], "observed": [0.2, 0.4, 0.1],
    "lower": [0.1, 0.3, 0.0], "upper": [0.3, 0.5, 0.2],
})  # fmt: skip


def _spots(drawing: str) -> list[tuple[float, float]]:
    circles = ElementTree.fromstring(drawing).iter(f"{NAME}circle")  # noqa: S314
    return [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in circles]


def test_a_bin_that_came_true_lies_on_the_diagonal_and_one_that_came_more_often_above_it() -> None:
    drawn = _spots(reliability_curve(BINS, ["a", "b"]))
    assert len(drawn) == 3
    (low_x, low_y), (high_x, high_y), (other_x, other_y) = drawn
    corner = 360.0
    assert high_x + high_y == pytest.approx(corner)
    assert low_x + low_y < corner < other_x + other_y


def test_scores_of_each_day_lie_in_its_place() -> None:
    drawing = scores_by_day({"m <1>": {0: 0.4, 30: 0.2}, "rule": {0: 0.4, 30: 0.4}}, "log loss")
    first, second, *rest = _spots(drawing)
    assert first[0] < second[0]
    assert first[1] < second[1]  # down is less
    assert [y for _, y in rest] == [first[1]] * 2
    assert "m &lt;1&gt;" in drawing


def test_drawings_name_methods_and_nothing_else() -> None:
    table = pd.DataFrame({
        "won": [1.0, 0.0, 0.0], "day_of_period": [0, 0, 30], "a": [0.6, 0.2, 0.1], "b": [0.5, 0.5, 0.5],
        "owner": "Zyxomark", "stage": "Zyxomark",
    })  # fmt: skip
    found = drawings_of(table, BINS, ["a", "b"])
    assert set(found) == {"reliability.svg", "log_loss_by_day.svg"}
    assert not any("Zyxomark" in d or "http" in d.replace("http://www.w3.org/2000/svg", "") for d in found.values())
