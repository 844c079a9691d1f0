"""Each planted defect is found, in both layouts, and every row is accounted for; other verbs refuse what is a guess."""

from __future__ import annotations

from pathlib import Path

import pytest
from defects import DEFECTS, GENERIC, LAYOUTS, SALESFORCE, Layout, Tables, as_text, generic, planted
from made_tables import read_whole, shipped

from pipeforecast.dealaudit import audit_deals
from pipeforecast.demo import make_company
from pipeforecast.errors import PipeforecastError
from pipeforecast.ingest import Refusals
from pipeforecast.quality import check_history


@pytest.fixture(scope="module")
def clean() -> dict[str, Tables]:
    tables = as_text(make_company(n_deals=400, seed=3).tables)
    return {SALESFORCE.name: tables, GENERIC.name: generic(tables)}


def found(layout: Layout, tables: Tables, folder: Path) -> dict[str, int]:
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    refusals = Refusals()
    export = read_whole(shipped(layout.mapping), folder, refusals)
    assert export.ledger.rows().set_index("file")["rows"].to_dict() == {
        f"{n}.csv": len(t) for n, t in tables.items() if f"{n}.csv" in set(export.ledger.rows()["file"])
    }
    out: dict[str, int] = {}
    for f in [
        *refusals.findings(),
        *export.findings,
        *check_history(export.history),
        *audit_deals(export.history).findings,
    ]:
        out[f.code] = out.get(f.code, 0) + f.count
    return out


@pytest.fixture(scope="module")
def before(clean: dict[str, Tables], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    return {x.name: found(x, clean[x.name], tmp_path_factory.mktemp(x.name)) for x in LAYOUTS}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: x.name)
@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(
    clean: dict[str, Tables], before: dict[str, dict[str, int]], tmp_path: Path, layout: Layout, name: str
) -> None:
    defect, tables = DEFECTS[name], planted(layout, clean[layout.name], (name,))
    after = found(layout, tables, tmp_path)
    if defect.refused:
        with pytest.raises(PipeforecastError, match=f"{defect.refused}.*pipeforecast check"):
            read_whole(shipped(layout.mapping), tmp_path)
    assert any(after.get(c, 0) > before[layout.name].get(c, 0) for c in defect.codes), after
