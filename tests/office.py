"""A workbook recomputed by an office program, so that formulas are read by somebody else than who wrote them."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

Sheets = dict[str, pd.DataFrame]


def has_office() -> bool:
    return shutil.which("soffice") is not None


needs_office = pytest.mark.skipif(
    not has_office(),
    reason="expected soffice on PATH (apt-get install libreoffice-calc-nogui): no formula was recomputed",
)
#: Reckon anew on loading, whatever values the file holds.
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"""


def sheets_of(path: Path) -> Sheets:
    """Every sheet as it stands in the file, without reckoning."""
    return pd.read_excel(path, sheet_name=None, header=None, engine="calamine", keep_default_na=False, na_values=[""])


def recomputed(paths: Sequence[Path], folder: Path) -> dict[str, Sheets]:
    """Every sheet of every workbook after LibreOffice reckoned it anew, by the file's stem."""
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile.parent.as_uri()}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(folder / "reckoned"), *map(str, paths)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return {p.stem: sheets_of(folder / "reckoned" / p.name) for p in paths}


def table_of(sheet: pd.DataFrame, first: str) -> pd.DataFrame:
    """The table of a sheet whose header begins with ``first``."""
    head = int((sheet[0] == first).to_numpy().argmax())
    table = sheet.iloc[head + 1 :].reset_index(drop=True)
    return table.set_axis(sheet.iloc[head].astype(str).tolist(), axis=1)


def edited(path: Path, into: Path, sheet: int, cell: str, value: float) -> Path:
    """Copy a workbook with one number changed, and every cached value as it was."""
    name = f"xl/worksheets/sheet{sheet}.xml"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            text = old.read(item)
            if item == name:
                text, n = re.subn(rf'(<c r="{cell}"[^>]*><v>)[^<]*'.encode(), rf"\g<1>{value!r}".encode(), text)
                assert n == 1, cell
            new.writestr(item, text)
    return into


def formulas_of(path: Path) -> dict[str, list[str]]:
    """Every formula of every sheet."""
    with zipfile.ZipFile(path) as file:
        names = [n for n in file.namelist() if n.startswith("xl/worksheets/sheet")]
        return {n: re.findall(r"<f[^>]*>([^<]*)</f>", file.read(n).decode("utf-8")) for n in names}
