"""Results appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeforecast.errors import SettingsError
from pipeforecast.outbox import OutputError, settings_file, whole_file, whole_folder


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


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeforecast.outbox import whole_file, whole_folder
with whole_folder(Path(sys.argv[1])) as draft, whole_file(Path(sys.argv[1]).parent / "kept.json") as file:
    (draft / "forecast.csv").write_text("half")
    file.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _aged(folder: Path) -> list[Path]:
    """Make drafts look as if they had been begun some time ago."""
    found = [p for p in folder.iterdir() if p.name.endswith(".draft")]
    for path in found:
        os.utime(path, (1, 1))
    return found


def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "forecast.csv").write_text("whole")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out")], check=False)
    assert done.returncode == -9
    assert _everything(tmp_path / "out") == {"forecast.csv": "whole"}
    assert len(_aged(tmp_path)) == 2
    with whole_folder(tmp_path / "out") as draft:
        (draft / "forecast.csv").write_text("next")
    assert _everything(tmp_path / "out") == {"forecast.csv": "next"}
    # A file's draft takes no room to speak of and is left to the user; folders hold whole results.
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["out"]


def test_the_draft_of_a_run_that_lives_is_left_alone_however_old(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as mine:
        (mine / "a.csv").write_text("mine")
        _aged(tmp_path)
        with whole_folder(tmp_path / "out") as theirs:
            (theirs / "b.csv").write_text("theirs")
        assert (mine / "a.csv").read_text() == "mine"
    assert _everything(tmp_path / "out") == {"a.csv": "mine", "b.csv": "theirs"}


def test_folders_of_the_user_that_look_alike_are_never_cleared(tmp_path: Path) -> None:
    for name in (".out.backup", ".other.abc.draft", "out.abc.draft"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1, 1))
    with whole_folder(tmp_path / "out") as draft:
        (draft / "a.csv").write_text("a")
    assert {p.name for p in tmp_path.iterdir()} == {"out", ".out.backup", ".other.abc.draft", "out.abc.draft"}


def test_a_folder_whose_place_cannot_be_written_is_written_from_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where `out` is mounted into a place that is read-only."""
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with whole_folder(tmp_path / "out") as draft:
        assert draft.parent == tmp_path / "out"
        (draft / "a.csv").write_text("a")
    assert _everything(tmp_path / "out") == {"a.csv": "a"}
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.csv"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kept.json"
    with whole_file(path) as draft:
        draft.write_text("first")

    def half() -> None:
        with whole_file(path) as draft:
            draft.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["kept.json"]


def test_a_settings_file_is_never_written_over_unless_told(tmp_path: Path) -> None:
    place = tmp_path / "configs" / "crm" / "ours.yaml"
    with settings_file(place, "name", False) as draft:
        draft.write_text("first")
    with pytest.raises(SettingsError, match=r"name: .*ours.yaml is there already"), settings_file(place, "name", False):
        pytest.fail("the block must not begin")
    with settings_file(place, "name", True) as draft:
        draft.write_text("second")
    assert place.read_text() == "second"
    assert [p.name for p in place.parent.iterdir()] == ["ours.yaml"]


def test_whoever_is_faster_keeps_the_settings_file(tmp_path: Path) -> None:
    place = tmp_path / "ours.yaml"

    def late() -> None:
        with settings_file(place, "name", False) as draft:
            draft.write_text("mine")
            place.write_text("theirs")

    with pytest.raises(SettingsError, match="is there already"):
        late()
    assert place.read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["ours.yaml"]
