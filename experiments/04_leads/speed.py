"""How long training and scoring take: 100,000 leads of thirty columns, and five million scored from Parquet."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import parts
import pyarrow as pa
import pyarrow.parquet as pq

from pipeforecast.settings import ScoreSettings, TrainSettings
from pipeforecast.workflow import score, train


def main(leads: int, scored: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shared = {"crm": parts.wide_mapping(), "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"}}
        lead = {"payloads": [], "random_split": False}
        (folder / "taught").mkdir()
        parts.wide_leads(leads, 0).to_csv(folder / "taught/leads.csv", index=False)
        begun = time.perf_counter()
        told = {"target": "lead", "lead": lead, "source": folder / "taught", "out": folder / "trained"}
        print(train(TrainSettings(**shared, **told)))
        trained = time.perf_counter()
        print(score(ScoreSettings(**shared, **{**told, "out": folder / "scored"})))
        done = time.perf_counter()
        print(f"{leads:,} leads x 30 columns: train {trained - begun:.1f} s, score {done - trained:.1f} s")
        many(folder, shared, lead, scored)


def many(folder: Path, shared: dict, lead: dict, n: int, size: int = 250_000) -> None:
    (folder / "many").mkdir()
    path, writer = folder / "many/leads.parquet", None
    for first in range(0, n, size):
        table = pa.Table.from_pandas(parts.wide_leads(min(size, n - first), first, first, True), preserve_index=False)
        table = table.set_column(2, "converted_at", pa.nulls(len(table), pa.string()))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    told = {"target": "lead", "lead": lead, "source": path, "out": folder / "out", "as_of": "2024-12-31"}
    print(score(ScoreSettings(**shared, **told, version="1")))
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size_of = (folder / "out/leads.csv").stat().st_size / 1e6
    print(f"{n:,} leads from Parquet to leads.csv ({size_of:,.0f} MB) with reasons: {took:.1f} s,", end=" ")
    print(f"peak {peak / 2**20:.2f} GiB (before {before / 2**20:.2f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--scored", type=int, default=5_000_000)
    told = parser.parse_args()
    main(told.leads, told.scored)
