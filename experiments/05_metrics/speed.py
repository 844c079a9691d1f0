"""How long does the whole catalogue take, over 16 quarters and 8 groupings, and how much memory? See README.md."""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import pandas as pd
from big import UNTIL, big_company

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.metrics import CATALOGUE
from pipeforecast.metrics.computed import computed
from pipeforecast.metrics.told import told

BY = ("owner", "manager", "team", "region", "segment", "product", "lead_source", "deal_type")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--leads", type=int, default=500_000)
    parser.add_argument("--quarters", type=int, default=16)
    parser.add_argument("--each", action="store_true", help="tell the time of each metric too")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    history = big_company(asked.deals, asked.leads)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    began = time.process_time(), time.monotonic()
    made = computed(history, FiscalCalendar(), UNTIL, by=BY, periods=asked.quarters)
    cpu, wall = time.process_time() - began[0], time.monotonic() - began[1]
    row = {
        "deals": asked.deals, "leads": asked.leads, "states": len(history.states), "metrics": len(CATALOGUE),
        "quarters": asked.quarters, "groupings": len(BY), "groups": len(made.view.groups), "rows": len(made.table),
        "seconds": round(wall, 1), "cpu_seconds": round(cpu, 1), "gib_before": round(held, 2),
        "gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }  # fmt: skip
    print(pd.Series(row).to_string())
    pd.DataFrame([row]).to_csv(asked.out / "speed.csv", index=False)
    if asked.each:
        _each(made.view)


def _each(view: object) -> None:
    """Time each metric again, with what several share made before."""
    times = {}
    for metric in CATALOGUE.values():
        began = time.process_time()
        told(view, [metric])  # type: ignore[arg-type]
        times[metric.name] = time.process_time() - began
    print(pd.Series(times).sort_values(ascending=False).head(25).round(2).to_string())


if __name__ == "__main__":
    main()
