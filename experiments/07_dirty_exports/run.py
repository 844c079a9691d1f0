"""Is every planted defect found, nothing lost in silence, and a clean export left in peace? See README.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from defects import DEFECTS, GENERIC, LAYOUTS, Layout, Tables, as_text, generic, planted
from made_tables import read_whole, shipped

from pipeforecast.dealaudit import audit_deals
from pipeforecast.demo import make_company
from pipeforecast.errors import PipeforecastError
from pipeforecast.findings import Finding
from pipeforecast.ingest import Export, Refusals
from pipeforecast.quality import check_history

HERE = Path(__file__).parent


def clean_tables(layout: Layout, kind: str, n_deals: int, seed: int) -> Tables:
    """A company's raw export, as text, in a layout."""
    tables = as_text(make_company(kind=kind, n_deals=n_deals, seed=seed).tables)
    return generic(tables) if layout is GENERIC else tables


def looked_at(layout: Layout, tables: Tables) -> tuple[Export, list[Finding]]:
    """Write an export, read it as ``check`` does, and hold its rows to those that were written."""
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            table.to_csv(Path(folder) / f"{name}.csv", index=False)
        refusals = Refusals()
        export = read_whole(shipped(layout.mapping), Path(folder), refusals)
    came = export.ledger.rows().set_index("file")["rows"]
    lost = {f: n for f, n in came.items() if n != len(tables[f.removesuffix(".csv")])}
    assert not lost, f"rows of {lost} are not those written"
    assert len(export.history.deals) == export.tie["used_count"].sum()
    found = [*export.findings, *check_history(export.history), *audit_deals(export.history).findings]
    return export, [*refusals.findings(), *found]


def counts(findings: list[Finding]) -> dict[str, int]:
    """How many rows each code is about."""
    out: dict[str, int] = {}
    for f in findings:
        out[f.code] = out.get(f.code, 0) + f.count
    return out


def corpus(small: bool) -> Iterator[tuple[str, ...]]:
    """Every defect alone, and in pairs: all of them, or a few."""
    yield from ((name,) for name in DEFECTS)
    pairs = list(combinations(DEFECTS, 2))
    chosen = np.random.default_rng(0).choice(len(pairs), 6, replace=False) if small else range(len(pairs))
    yield from (pairs[i] for i in chosen)


#: What each export told: rows by code, by the names of its defects; the clean one has none.
Told = dict[tuple[str, ...], dict[str, int]]


def judged(layout: Layout, clean: Tables, names: tuple[str, ...], told: Told) -> dict[str, object]:
    """What came of one broken export: a defect is found if its code tells of more rows than it would without it."""
    row: dict[str, object] = {
        "layout": layout.name,
        "defects": " + ".join(names),
        "traceback": "",
        "lost": "",
        "missed": "",
    }
    try:
        _, findings = looked_at(layout, planted(layout, clean, names))
    except PipeforecastError as error:
        return {**row, "outcome": "refused", "missed": str(error)[:200]}
    except AssertionError as error:
        return {**row, "outcome": "lost", "lost": str(error)[:200]}
    except Exception:
        return {**row, "outcome": "crashed", "traceback": traceback.format_exc()[-400:]}
    after = told[names] = counts(findings)
    without = {n: told.get(tuple(o for o in names if o != n), {}) for n in names}
    missed = [n for n in names if not any(after.get(c, 0) > without[n].get(c, 0) for c in DEFECTS[n].codes)]
    return {**row, "outcome": "read", "missed": ", ".join(missed)}


def main() -> None:
    """Run the corpus and say what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one company, and a few pairs")
    told = parser.parse_args()
    seeds = (3,) if told.small else (3, 4, 5)
    rows, errors, n_clean = [], [], 0
    for layout in LAYOUTS:
        for kind in ("standard",) if told.small else ("standard", "other"):
            for seed in seeds:
                _, found = looked_at(layout, clean_tables(layout, kind, 400, seed))
                errors += [f"{layout.name} {kind} {seed}: {f.code}" for f in found if f.severity == "error"]
                n_clean += 1
        clean = clean_tables(layout, "standard", 400, 3)
        found_by: Told = {(): counts(looked_at(layout, clean)[1])}
        rows += [judged(layout, clean, names, found_by) for names in corpus(told.small)]
    table = pd.DataFrame(rows)
    summary = table.assign(
        how=np.where(table["defects"].str.contains(" + ", regex=False), "pairs", "alone"),
        tracebacks=table["traceback"].ne(""), silent_losses=table["lost"].ne(""), missed=table["missed"].ne(""),
    ).groupby(["layout", "how"]).agg(
        exports=("defects", "size"), read=("outcome", lambda s: s.eq("read").sum()),
        refused=("outcome", lambda s: s.eq("refused").sum()), tracebacks=("tracebacks", "sum"),
        silent_losses=("silent_losses", "sum"), missed=("missed", "sum"),
    )  # fmt: skip
    print(summary.to_string())
    bad = table[table[["traceback", "lost", "missed"]].ne("").any(axis=1)]
    if len(bad):
        print(bad.to_string(index=False, max_colwidth=160))
    print(f"clean exports: {n_clean}, findings of severity error: {len(errors)} {errors or ''}")
    if not told.small:
        summary.to_csv(HERE / "corpus.csv")
    sys.exit(1 if len(bad) or errors else 0)


if __name__ == "__main__":
    main()
