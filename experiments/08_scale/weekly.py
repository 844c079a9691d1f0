"""What does keeping past evenings save a weekly run? Processor seconds of the snapshots that a forecast needs.

From scratch, the first time with a folder to keep them in, and a week later on the grown history; rows are the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from companies import CALENDAR, PLAN, history_of

from pipeforecast.demo import make_company
from pipeforecast.evenings import KeptEvenings
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import prepare
from pipeforecast.snapshot import Snapshot

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=40_000)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.out = 600, Path(tempfile.mkdtemp())
    now = history_of(make_company("standard", n_deals=told.deals, seed=7))
    before = now.known_by(now.written_until - pd.Timedelta(days=7))
    plan = dataclasses.replace(PLAN, most_deals=10**9)  # of a sample nothing is kept
    with tempfile.TemporaryDirectory() as folder:
        kept = KeptEvenings(Path(folder))
        taken(before, None, plan)  # what is imported once
        _, scratch = taken(before, None, plan)
        _, first = taken(before, kept, plan)
        again, later = taken(now, kept, plan)
        anew, fresh = taken(now, None, plan)
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.parquet")) / 1e6
    pd.testing.assert_frame_equal(again.open, anew.open)
    rows = [("from scratch", scratch), ("first time, kept", first), ("a week later, kept", later),
            ("a week later, from scratch", fresh)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["snapshots", "cpu_s"]).assign(deals=told.deals, rows=len(anew.open), mb=size)
    told.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(told.out / "weekly.csv", index=False, float_format="%.3g")
    print(table.round(2).to_string(index=False))


def taken(history: DealHistory, kept: KeptEvenings | None, plan: object) -> tuple[Snapshot, float]:
    history = dataclasses.replace(history, kept=kept)
    began = time.process_time()
    return prepare(history, CALENDAR, plan, [history.written_until]), time.process_time() - began


if __name__ == "__main__":
    main()
