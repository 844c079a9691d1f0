"""Bank marketing in sequence: the tool beside plain models refitted at the same places; labels come a block late."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import parts

from pipeforecast.leadcheck import drift_findings
from pipeforecast.leadmodels import in_sequence, replayed
from pipeforecast.leadrun import prepared_leads
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.settings import TrainSettings


def main(blocks: int, untested: int, every: int) -> None:
    folder = parts.real("bank")
    if folder is None:
        print("PIPEFORECAST_REAL_DATA names no folder with bank/: nothing was done")
        return
    with tempfile.TemporaryDirectory() as place:
        source = _thinned(folder, Path(place), every) if every > 1 else folder
        told = LeadSettings(rows_in_order=True, blocks=blocks, tested=blocks - untested, max_rows=60_000)
        settings = TrainSettings(crm=parts.mapping("bank_marketing"), source=source, target="lead", lead=told)
        run = prepared_leads(settings, told)
    rows = run.lessons[1]
    print("left out by the audit:", ", ".join(f.column for f in run.findings if f.repair == "left out"))
    late = dataclasses.replace(rows, lag=len(rows) / blocks)
    replay = replayed(late, blocks=blocks, tested=blocks - untested, most=60_000)
    y, block = replay.rows.y, replay.block
    said = {"pipeforecast": replay.said(told.kinds)}
    plain: dict[str, list[np.ndarray]] = {"plain logistic": [], "plain boosting": []}
    for teach, here in in_sequence(late, blocks, blocks - untested):
        for name, p in parts.rivals(late, teach, here).items():
            plain[name].append(p)
    said |= {name: np.concatenate(p) for name, p in plain.items()}
    table = pd.DataFrame({name: parts.scores(y, p, block) for name, p in said.items()}).T
    print(f"\n{len(y):,} later rows in {blocks - untested} blocks, labels a block late:")
    print(table.round(4).to_string())
    ratio = table.loc["pipeforecast", "calibration_error"] / table.loc["plain logistic", "calibration_error"]
    print(f"calibration error: {ratio:.2f} x plain logistic's")
    newest = block >= block.max() - 3
    print("\nnewest four blocks:")
    print(pd.DataFrame({n: parts.scores(y[newest], p[newest]) for n, p in said.items()}).T.round(4).to_string())
    print("\nrandom split (what it would have claimed, by the same models):")
    order = np.random.default_rng(0).permutation(len(rows))
    mixed = dataclasses.replace(rows.rows(order), time=np.arange(len(rows), dtype="float64"))
    claimed = replayed(mixed, blocks=5, tested=1, most=60_000)
    print(f"pipeforecast: {parts.scores(claimed.rows.y, claimed.said(told.kinds))}")
    print("\ndrift:")
    for finding in drift_findings(run):
        print(f"  {finding.code} {finding.column}: {finding.advice}")


def _thinned(folder: Path, place: Path, every: int) -> Path:
    """Every so many rows of the file, in its order."""
    frame = pd.read_csv(next(folder.glob("bank-full*")), sep=";", dtype=str, keep_default_na=False)
    frame.iloc[::every].to_csv(place / "bank-full.csv", sep=";", index=False)
    return place


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--untested", type=int, default=3)
    parser.add_argument("--every", type=int, default=1)
    told = parser.parse_args()
    main(told.blocks, told.untested, told.every)
