"""A call either does what it says or tells in a line or two why not, with the exit status that scripts rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from pipeforecast import __version__
from pipeforecast.cli import main
from pipeforecast.errors import DataError
from pipeforecast.manual import PAGES
from pipeforecast.settings import SETTINGS, RunSettings

Refused = Callable[..., str]
#: Every verb that reads an export of its own accord.
EXPORTS = [verb for verb, kind in SETTINGS.items() if issubclass(kind, RunSettings)]


@pytest.fixture(autouse=True)
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunSettings]:
    """Put a workflow in place that keeps the settings it is given; model.penalty 7 is refused, 8 breaks, 9 stops."""
    given: list[RunSettings] = []

    def verb(settings: RunSettings) -> str:
        given.append(settings)
        penalty = getattr(getattr(settings, "model", None), "penalty", 1.0)
        if penalty == 7:
            raise DataError("expected deals, came none")
        if penalty == 8:
            raise RuntimeError("boom\nwith a second line")
        if penalty == 9:
            raise KeyboardInterrupt
        if penalty == 10:
            (tmp_path / "nowhere.csv").read_text()
        settings.out.mkdir(parents=True, exist_ok=True)
        (settings.out / "result.txt").write_text(str(penalty))
        return f"wrote {settings.out.name}"

    workflow = ModuleType("pipeforecast.workflow")
    vars(workflow).update(dict.fromkeys(SETTINGS, verb))
    monkeypatch.setitem(sys.modules, "pipeforecast.workflow", workflow)
    monkeypatch.chdir(tmp_path)
    return given


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    def call(*argv: str, status: int = 2) -> str:
        assert main(argv) == status
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert "Traceback" not in err
        assert len(err.splitlines()) <= 4
        return err.removeprefix("error: ").rstrip()

    return call


# What is done


@pytest.mark.parametrize("verb", EXPORTS)
def test_each_verb_gets_its_own_settings(
    verb: str, seen: list[RunSettings], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    crm = [] if verb == "init" else ["crm=generic"]  # which proposes one
    assert main([verb, *crm, "source=exports", "as_of=2017-03-31", "out=week"]) == 0
    (settings,) = seen
    assert type(settings) is SETTINGS[verb]
    assert (str(settings.as_of), settings.source, settings.out) == (
        "2017-03-31", tmp_path / "exports", tmp_path / "week",
    )  # fmt: skip
    assert capsys.readouterr() == ("wrote week\n", "")
    assert Path.cwd() == tmp_path
    assert [p.name for p in tmp_path.iterdir()] == ["week"]


def test_settings_may_come_before_the_verb_and_repeat_with_the_last_one_counting(seen: list[RunSettings]) -> None:
    assert main(["seed=1", "check", "source=x", "seed=2"]) == 0
    assert seen[0].seed == 2


def test_settings_are_shown_and_nothing_runs(seen: list[RunSettings], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--cfg", "job", "model.penalty=0.5"]) == 0
    shown = capsys.readouterr().out
    assert "penalty: 0.5" in shown
    assert "draws: ${draws}" in shown
    assert "hydra" not in shown
    assert main(["forecast", "--cfg=job", "--resolve", "source=x"]) == 0
    assert "${draws}" not in capsys.readouterr().out
    assert seen == []


@pytest.mark.parametrize("verb", PAGES)
def test_a_page_says_what_a_verb_does_takes_and_writes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    page = capsys.readouterr().out
    assert PAGES[verb].does in page
    assert all(name in page for name in (*PAGES[verb].overrides, *PAGES[verb].writes))
    assert "hotel_bookings" in page or "crm=NAME" not in PAGES[verb].overrides
    assert max(map(len, page.splitlines())) <= 120


def test_the_overview_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert all(f"  {verb} " in page for verb in SETTINGS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pipeforecast {__version__}\n"


# What is refused


def test_a_wrong_call_names_what_was_perhaps_meant(refused: Refused) -> None:
    assert refused().startswith("expected a verb: 'demo', 'check'")
    assert "did you mean 'forecast'?" in refused("forcast")
    assert "did you mean '--version'?" in refused("--versio")
    assert refused("forecast", "sorce=x").startswith("sorce: forecast has no such setting; did you mean 'source'?")
    assert "did you mean 'model.penalty'?" in refused("forecast", "source=x", "model.penalti=1")
    rule = ("model=rule", "model.name=stage_rate", "model.penalty=1")
    assert refused("forecast", "source=x", *rule).startswith("model.penalty: forecast has no such setting")
    assert refused("check", "source=x", "proof=full").startswith("proof: check has no such setting.")
    assert "did you mean 'hotel_bookings'?" in refused("check", "source=x", "crm=hotel_booking")
    assert "expected one of 'local', 'off', 'server', came 'on'" in refused("check", "source=x", "tracking=on")
    assert refused("check", "source=x", "+colour=red").startswith("colour: there is no such setting.")
    assert refused("check") == "source: nothing was given; say source=VALUE"
    assert refused("check", "source=x", "--cfg", "hydra") == "--cfg: expected 'job', came 'hydra'"
    assert "came both" in refused("check", "-m", "--cfg", "job")


def test_a_value_that_cannot_be_read_is_quoted(refused: Refused) -> None:
    assert "add --multirun to run once for each" in refused("check", "source=a,b")
    assert refused("check", "source=a(b").startswith("source=a(b: expected key=value, with quotes")
    assert refused("check", "source").startswith("source: expected key=value")
    assert refused("check", "source=x", "seed=much").startswith("seed: expected a valid integer")
    assert refused("check", "source=${nowhere}").startswith("source: ")
    assert "expected a day written YYYY-MM-DD" in refused("check", "source=x", "as_of=20170331")


def test_a_broken_file_of_ones_own_is_named(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "configs" / "crm").mkdir(parents=True)
    (tmp_path / "configs" / "crm" / "ours.yaml").write_text("deals: [")
    assert "ours.yaml" in refused("check", "source=x", "crm=ours")


def test_refused_data_and_missing_files_are_status_one(refused: Refused) -> None:
    assert refused("train", "source=x", "model.penalty=7", status=1) == "expected deals, came none"
    assert "nowhere.csv" in refused("train", "source=x", "model.penalty=10", status=1)


def test_an_unforeseen_error_is_one_line_unless_asked_for(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    said = refused("train", "source=x", "model.penalty=8", status=1)
    assert said == "unexpected RuntimeError: boom with a second line (PIPEFORECAST_DEBUG=1 shows the traceback)"
    monkeypatch.setenv("PIPEFORECAST_DEBUG", "1")
    with pytest.raises(RuntimeError, match="boom"):
        main(["train", "source=x", "model.penalty=8"])


def test_an_interruption_is_status_130(refused: Refused) -> None:
    assert refused("train", "source=x", "model.penalty=9", status=130) == "interrupted"


# Sweeps


def test_a_sweep_runs_each_combination_in_its_own_folder(
    seen: list[RunSettings], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["train", "-m", "source=x", "out=sweep", "model.penalty=0.5,2", "calendar=month,year"]) == 0
    assert [(s.model.penalty, s.calendar.length, s.out.relative_to(tmp_path).as_posix()) for s in seen] == [  # type: ignore[attr-defined]
        (0.5, "month", "sweep/0"), (0.5, "year", "sweep/1"), (2.0, "month", "sweep/2"), (2.0, "year", "sweep/3"),
    ]  # fmt: skip
    out, err = capsys.readouterr()
    assert out.splitlines() == ["wrote 0", "wrote 1", "wrote 2", "wrote 3"]
    assert "calendar=year,model.penalty=2" in err
    assert err.splitlines()[-1] == "4 jobs, 0 failed"
    assert [p.name for p in tmp_path.iterdir()] == ["sweep"]
    assert sorted(p.name for p in (tmp_path / "sweep").iterdir()) == ["0", "1", "2", "3", "multirun.yaml"]


def test_a_failing_job_is_its_own_and_shows_in_the_status(
    seen: list[RunSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "-m", "source=x", "model.penalty=7,8,1"]) == 1
    assert len(seen) == 3
    err = capsys.readouterr().err
    assert "error: expected deals, came none" in err
    assert err.endswith("3 jobs, 2 failed\n")
    assert "Traceback" not in err


def test_a_sweep_with_one_wrong_value_runs_nothing(refused: Refused, seen: list[RunSettings], tmp_path: Path) -> None:
    assert "came 'tree'" in refused("train", "-m", "source=x", "model=hazard,tree")
    assert "did you mean 'model.penalty'?" in refused("train", "-m", "source=x", "model.penalti=1,2")
    assert seen == []
    assert not list(tmp_path.glob("out/*/*"))


def test_an_interruption_ends_a_sweep(seen: list[RunSettings]) -> None:
    assert main(["train", "-m", "source=x", "model.penalty=1,9,2"]) == 130
    assert len(seen) == 2


# As a process


def _process(*argv: str, code: str = "from pipeforecast.cli import main; sys.exit(main())") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.argv[0] = 'pipeforecast'; {code}", *argv],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    heavy = ("pandas", "numpy", "hydra", "omegaconf", "pydantic", "sklearn", "mlflow")
    code = f"from pipeforecast.cli import main; main(); print([m for m in {heavy} if m in sys.modules])"
    for argv in (["--help"], ["forecast", "--help"], ["--version"]):
        begun = time.perf_counter()
        out, _ = _process(*argv, code=code).communicate(timeout=60)
        assert out.splitlines()[-1] == "[]"
        # A cold start takes 0.1 s; the bound leaves room for a busy machine.
        assert time.perf_counter() - begun < 3


def test_a_module_call_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeforecast", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"pipeforecast {__version__}\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = _process("forecast", "--help")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(60) == 0


SLOW = """
import time, types
from pipeforecast.outbox import whole_folder
def forecast(settings):
    with whole_folder(settings.out) as draft:
        (draft / 'forecast.csv').write_text('half')
        print('begun', flush=True)
        time.sleep(60)
workflow = types.ModuleType('pipeforecast.workflow'); workflow.forecast = forecast
sys.modules['pipeforecast.workflow'] = workflow
from pipeforecast.cli import main
sys.exit(main())
"""


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    process = _process("forecast", "source=x", "out=report", code=f"exec({SLOW!r})")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "error: interrupted\n"
    assert list(tmp_path.iterdir()) == []
