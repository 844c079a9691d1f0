from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeforecast.errors import DataError, MissingFileError, SettingsError
from pipeforecast.points import Grades, PointsCard, SavedThreshold, path_of, read_threshold, write_threshold


@pytest.fixture
def saved(card: PointsCard) -> SavedThreshold:
    return SavedThreshold(
        card, Grades((9, 5, 2), (8, 3)), "p", 0.3, {"EMEA": 0.4, "=x": 0.1}, told={"as_of": "2024-01-01"}
    )


def test_what_was_written_marks_alike(saved: SavedThreshold, scored, tmp_path: Path) -> None:
    write_threshold(saved, tmp_path / "configs" / "a.yaml")
    again = read_threshold(tmp_path / "configs" / "a.yaml")
    assert again == saved
    p, segment = scored.leads["p"].to_numpy(), scored.leads["segment"].to_numpy(dtype=object)
    pd.testing.assert_frame_equal(again.mark(scored.features, p, segment), saved.mark(scored.features, p, segment))


def test_marks_are_points_grades_and_the_threshold_of_the_segment(saved: SavedThreshold, scored) -> None:
    features = scored.features.rows(np.arange(5))
    p = np.array([0.3, 0.2999, 0.35, 0.4, np.nan])
    marks = saved.mark(features, p, np.array([None, None, "EMEA", "EMEA", "APAC"], dtype=object))
    assert marks["hand_over"].tolist()[:4] == [True, False, False, True]
    assert marks["hand_over"].isna().tolist() == [False] * 4 + [True]
    assert marks["points"].tolist() == saved.card.points(features).tolist()
    assert marks["grade"].tolist() == saved.grades.of(saved.card, features).tolist()


def test_it_names_the_columns_that_it_looks_at(saved: SavedThreshold, scored) -> None:
    """A reader of wide files reads no other: without them the card would see missing values."""
    assert saved.columns == {r.feature for r in saved.card.rows if not r.feature.startswith("touches:")}
    other = scored.features.without(set(scored.features.names) - saved.columns)
    none = np.full(len(scored.leads), None, dtype=object)
    p = scored.leads["p"].to_numpy()
    pd.testing.assert_frame_equal(saved.mark(other, p, none), saved.mark(scored.features, p, none))


def test_a_threshold_of_points_looks_at_points(card: PointsCard, scored) -> None:
    points = card.points(scored.features)
    cut = float(np.median(points))
    marks = SavedThreshold(card, Grades(()), "points", cut).mark(
        scored.features, np.full(len(points), np.nan), np.full(len(points), None, dtype=object)
    )
    assert marks["hand_over"].tolist() == (points >= cut).tolist()


def test_nothing_is_written_over_unless_told(saved: SavedThreshold, tmp_path: Path) -> None:
    place = tmp_path / "a.yaml"
    place.write_text("mine")
    with pytest.raises(SettingsError, match="force=true"):
        write_threshold(saved, place)
    assert place.read_text() == "mine"
    write_threshold(saved, place, force=True)
    assert read_threshold(place) == saved
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a.yaml", "x" * 65, "né"])
def test_a_name_stays_in_its_folder(name: str) -> None:
    with pytest.raises(SettingsError, match="save"):
        path_of(name)


def test_a_file_that_is_something_else_is_refused(saved: SavedThreshold, tmp_path: Path) -> None:
    place = tmp_path / "a.yaml"
    with pytest.raises(MissingFileError, match="save=a"):
        read_threshold(place)
    for text in ("", "[1]", "kind: other", "!!python/object/apply:os.system [ls]", "{"):
        place.write_text(text)
        with pytest.raises(DataError, match=r"a\.yaml"):
            read_threshold(place)
    for key, value in (("scale", "percent"), ("threshold", "high"), ("extra", 1)):
        place.write_text(yaml.safe_dump({**saved.plain(), key: value}))
        with pytest.raises(DataError, match=r"a\.yaml"):
            read_threshold(place)
