"""Results appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeforecast.outbox import OutputError, whole_folder


def _everything(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_files_arrive_together_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    (out / "old.csv").write_text("old")
    (out / "forecast.csv").write_text("before")
    with whole_folder(out) as draft:
        (draft / "forecast.csv").write_text("after")
        (draft / "models").mkdir()
        (draft / "models" / "a.txt").write_text("a")
        assert _everything(out) == {"old.csv": "old", "forecast.csv": "before"}
    assert _everything(out) == {"old.csv": "old", "forecast.csv": "after", "models/a.txt": "a"}
    assert [p.name for p in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
def test_a_run_that_ends_early_leaves_nothing_behind(tmp_path: Path, end: type[BaseException]) -> None:
    out = tmp_path / "out"

    def run() -> None:
        with whole_folder(out) as draft:
            (draft / "forecast.csv").write_text("half")
            raise end

    with pytest.raises(end):
        run()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="came a file"), whole_folder(tmp_path / "out"):
        pass
    with pytest.raises(OutputError, match="out=FOLDER"), whole_folder(tmp_path / "out" / "deeper"):
        pass
