"""The verb writes a mapping whose next command works, never over another, and refuses what is no export in one line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeforecast.cli import main

Said = Callable[..., tuple[int, str, str]]
EXPORT = (
    "ID szansy sprzedaży;Data utworzenia;Etap;Kwota;Status;Data zamknięcia;Właściciel\n"
    "a;01.02.2024;Nowa;1 234,50;Otwarta;;Żaneta\n"
    "b;15.02.2024;Nowa;12,00;Wygrana;25.03.2024;Jan\n"
    "c;16.02.2024;Oferta;13,00;Przegrana;28.03.2024;Jan\n"
)


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        status = main(words)
        return status, *capsys.readouterr()

    return call


def test_the_next_command_works_on_the_result(said: Said, tmp_path: Path) -> None:
    (tmp_path / "lejek 2024.csv").write_text(EXPORT, encoding="cp1250")
    status, out, _ = said("init", "source='lejek 2024.csv'")
    assert status == 0
    assert "1,234.50" in out
    assert "Żaneta" in out
    last = out.splitlines()[-1]
    assert last == f"next: pipeforecast check crm=lejek_2024 source='{tmp_path}/lejek 2024.csv'"
    status, out, _ = said("check", "crm=lejek_2024", f"source='{tmp_path}/lejek 2024.csv'", "out=checked")
    assert status == 0
    assert out.startswith("3 deals read, 0 rows excluded")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checked", "configs", "lejek 2024.csv"]  # nothing for MLflow


def test_a_file_is_replaced_only_by_force(said: Said, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(EXPORT, encoding="utf-8")
    assert said("init", "source=a.csv", "name=ours")[0] == 0
    target = tmp_path / "configs/crm/ours.yaml"
    target.write_text("mine", encoding="utf-8")
    status, _, err = said("init", "source=a.csv", "name=ours")
    assert (status, target.read_text(encoding="utf-8")) == (2, "mine")
    assert "force=true" in err
    assert said("init", "source=a.csv", "name=ours", "force=true")[0] == 0
    assert target.read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "salesforce", "a/b", "'.hidden'"])
def test_a_name_never_leads_elsewhere(name: str, said: Said, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(EXPORT, encoding="utf-8")
    status, _, err = said("init", "source=a.csv", f"name={name}")
    assert status == 2
    assert err.startswith("error: name: ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv"]


def test_a_link_that_leads_out_of_configs_is_refused(said: Said, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(EXPORT, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/crm").symlink_to(tmp_path / "elsewhere")
    status, _, err = said("init", "source=a.csv", "name=ours")
    assert status == 1
    assert "leads elsewhere" in err
    assert list((tmp_path / "elsewhere").iterdir()) == []


WIDE = ",".join(f"c{i}" for i in range(10_000))
ODD = {
    "empty.csv": b"",
    "blank.csv": b"\n\n  \n",
    "header.csv": b"Deal ID,Created date,Status,Amount\n",
    "one.csv": b"name\nx\ny\n",
    "binary.csv": bytes(range(256)) * 40,
    "binary.parquet": b"PAR1 no more",
    "binary.xlsx": b"PK\x03\x04 no more",
    "wide.csv": f"{WIDE}\n{WIDE}\n".encode(),
    "cut.csv.gz": gzip.compress(b"a,b\n" * 99)[:-9],
    "picture.png": b"\x89PNG\r\n\x1a\n" + b"\x00" * 60,
    "ragged.csv": b"a,b\n1,2\n1,2,3\n",
    "uneven.csv": b'a,b\n"1,2\n',
    "notes.csv": b"Created date,Remark\n2024-01-01,hello\n",
    "none.csv": b"Deal ID,Created date,Stage,Amount\n1,2024-01-01,A,5\n",
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_export_is_one_clear_error(name: str, said: Said, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(ODD[name])
    status, out, err = said("init", f"source={name}")
    assert (status, out) == (1, "")
    lines = [line for line in err.splitlines() if not line.startswith("looking at")]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert "unexpected" not in lines[0]
    assert len(lines[0]) < 700
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_signs_that_steer_a_terminal_are_not_passed_on(said: Said, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(EXPORT.replace("Żaneta", "Ann\x1b[2J"), encoding="utf-8")
    _, out, _ = said("init", "source=a.csv")
    assert "\x1b" not in out + (tmp_path / "configs/crm/a.yaml").read_text(encoding="utf-8")
