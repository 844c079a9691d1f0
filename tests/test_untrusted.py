"""What comes from outside is data: no settings file runs code or reads the environment, and no pickle is loaded."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pipeforecast
from pipeforecast.cli import main
from pipeforecast.errors import SettingsError
from pipeforecast.overrides import composed
from pipeforecast.settings import settings_for

HOME = Path(pipeforecast.__file__).parent


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANTED_SECRET", "hunter2")
    return tmp_path


def _config(here: Path, name: str, text: str) -> None:
    path = here / "configs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "target",
    [
        "subprocess.run", "os.system", "pipeforecast.cli.main", "hydra.utils.instantiate",
        "hydra._internal.core_plugins.basic_launcher.Path.touch", "hydra_plugins.hydra_joblib_launcher._core.Path",
    ],
)  # fmt: skip
def test_a_sweep_runs_nothing_that_a_file_names(here: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Hydra makes the objects of its own section; a folder that was handed over may hold any."""
    calls = f"hydra:\n  callbacks:\n    planted: {{_target_: {target}, args: [touch, owned]}}\n"
    _config(here, "calendar/planted.yaml", f"# @package _global_\n{calls}")
    assert main(["check", "source=x", "calendar=planted", "seed=1,2", "-m"]) == 2
    assert "expected a launcher or sweeper that is installed for Hydra" in capsys.readouterr().err
    assert sorted(p.name for p in here.iterdir()) == ["configs"]


@pytest.mark.parametrize(
    "own",
    [
        "job: {env_set: {PATH: here}}",
        "job_logging: {root: {handlers: [h]}, handlers: {h: {(): os.system, command: touch owned}}}",
        "hydra_logging: {root: {handlers: [h]}, handlers: {h: {class: logging.FileHandler, filename: owned}}}",
    ],
)
def test_a_sweep_neither_logs_nor_sets_variables(here: Path, own: str, capsys: pytest.CaptureFixture[str]) -> None:
    _config(here, "crm/planted.yaml", f"# @package _global_\nhydra:\n  {own}\n")
    assert main(["check", "source=x", "crm=planted", "seed=1,2", "-m"]) == 2
    assert "hydra." in capsys.readouterr().err
    assert sorted(p.name for p in here.iterdir()) == ["configs"]


def test_a_target_in_a_mapping_means_nothing(here: Path) -> None:
    _config(here, "crm/planted.yaml", "name: x\n_target_: os.system\ncommand: touch owned\n")
    told = settings_for("check", composed("check", ["source=x", "crm=planted"]))
    assert told.crm["_target_"] == "os.system"  # a word as any other, which the mapping's own room refuses
    assert main(["check", "source=x", "crm=planted"]) != 0
    assert not (here / "owned").exists()


@pytest.mark.parametrize("place", ["crm.currency", "crm.name", "tracking.experiment", "out"])
@pytest.mark.parametrize("how", [
    "${oc.env:PLANTED_SECRET}", "x${oc.env:NOT_SET,${oc.env:PLANTED_SECRET}}", "${oc.${seed}:PLANTED_SECRET}",
    "${tracking.uri}", "${oc.decode:x}",
])  # fmt: skip
def test_no_setting_reads_the_environment(place: str, how: str) -> None:
    with pytest.raises(SettingsError, match=r"only tracking\.uri may be") as refused:
        settings_for("check", composed("check", ["source=x", "crm=generic", f"++{place}='{how}'"]))
    assert "hunter2" not in str(refused.value)


def test_the_address_of_the_tracking_server_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://planted:5000")
    told = settings_for("check", composed("check", ["source=x", "tracking=server"]))
    assert told.tracking.uri == "http://planted:5000"


@pytest.mark.parametrize(
    "how", ["http://there/${oc.env:PLANTED_SECRET}", "${oc.env:MLFLOW_TRACKING_URI}${oc.env:PLANTED_SECRET}"]
)
def test_it_sends_no_other_variable_to_a_server(how: str) -> None:
    with pytest.raises(SettingsError, match=r"tracking\.uri: .* and no other"):
        settings_for("check", composed("check", ["source=x", f"tracking.uri='{how}'"]))


def test_nothing_in_the_source_loads_a_pickle_or_runs_text() -> None:
    loads = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    calls = {"eval", "exec", "compile", "__import__", "instantiate", "read_pickle", "unsafe_load", "full_load"}
    found = []
    for path in HOME.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name.split(".")[0] for a in node.names} | {(getattr(node, "module", "") or "").split(".")[0]}
                found += [(path.name, name) for name in names & loads]
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                wrong = name in calls or attribute in calls - {"compile", "eval"}
                found += [(path.name, name or attribute)] if wrong else []
    assert found == []
