"""Verbs from Python are the verbs of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeforecast.cli import main
from pipeforecast.errors import SettingsError
from pipeforecast.interactive import call, mapping_named

ROWS = "deal_id,created_at,closed_at,amount,outcome,stage\n1,2024-01-02,2024-02-01,100,won,A\n2,2024-01-03,,50,open,A\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "deals.csv").write_text(ROWS)
    monkeypatch.chdir(tmp_path)
    return "source=export"


def test_a_call_says_and_writes_what_the_command_does(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = call("check", "crm=generic", source, "out=python")
    assert main(["check", "crm=generic", source, "out=shell"]) == 0
    assert said.replace("python", "shell") == capsys.readouterr().out.rstrip("\n")
    files = {p.name: p.read_bytes() for p in Path("shell").iterdir()}
    assert {p.name: p.read_bytes() for p in Path("python").iterdir()} == files


def test_a_wrong_call_is_an_error_and_no_exit(source: str) -> None:
    with pytest.raises(SettingsError, match="soruce"):
        call("check", "soruce=export")
    with pytest.raises(SettingsError, match=r"expected one of .*, came 'forcast'"):
        call("forcast", source)


def test_a_mapping_is_the_one_that_the_command_would_take(source: str) -> None:
    assert mapping_named("generic", "crm.currency=EUR").currency == "EUR"
    (Path("configs") / "crm").mkdir(parents=True)
    (Path("configs") / "crm" / "ours.yaml").write_text("defaults: [generic]\nname: ours\n")
    assert mapping_named("ours").name == "ours"
