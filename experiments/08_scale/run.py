"""How long does the whole sentence take, in seconds and in floors, and how does that grow?"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
VERBS = {
    "forecast": ["proof=none"],
    "metrics": [],
    "backtest": ["origins.periods=4", "levels=[]"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--verbs", nargs="+", default=list(VERBS), choices=list(VERBS))
    parser.add_argument("--companies", type=Path, help="folder in which made companies are kept for the next time")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.verbs, told.out = [500, 1000], ["forecast"], Path(tempfile.mkdtemp())
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for n in told.deals for row in of_size(n, told.verbs, told.companies or Path(folder))]
    table = pd.DataFrame(rows)
    told.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(told.out / "seconds.csv", index=False, float_format="%.4g")
    print(table.round(2).to_string(index=False))
    print(f"\nhow each grows from {told.deals[-2]:,} to {told.deals[-1]:,} deals (1: as the deals do):")
    print(growth(table, told.deals[-2:]).round(2).to_string())
    for part in ("rivals", "cold", "weekly") if told.small else ():
        print(f"== {part}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{part}.py"), "--small"], check=True)


def of_size(n: int, verbs: Sequence[str], companies: Path) -> list[dict[str, object]]:
    """Time the floor and each verb on one company, each in a process of its own."""
    company = companies / f"company_{n}"
    if not company.exists():
        run([sys.executable, str(HERE / "timed.py"), "make", str(n), str(company)])
    floor = run([sys.executable, str(HERE / "timed.py"), "floor", str(company)])
    found = {"floor": floor}
    for verb in verbs:
        with tempfile.TemporaryDirectory() as out:
            found[verb] = run([
                sys.executable, str(HERE / "timed.py"), verb, "crm=salesforce", f"source={company}", f"out={out}/out",
                "tracking=off", *VERBS[verb],
            ])  # fmt: skip
    return [
        {"deals": n, "what": f"{verb}: {stage}", "seconds": s, "floors": s / floor["all"], "gib": stages["gib"]}
        for verb, stages in found.items()
        for stage, s in stages.items()
        if stage != "gib"
    ]


def run(command: list[str]) -> dict[str, float]:
    """Run one timed process; its last line is what it measured."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def growth(table: pd.DataFrame, sizes: Sequence[int]) -> pd.Series:
    """Exponent of each stage between two sizes; the start of the program is taken off where it is part of it."""
    wide = table.pivot_table(index="what", columns="deals", values="seconds")
    small, large = (wide[n].copy() for n in sizes)
    for verb in VERBS:
        if f"{verb}: start" in wide.index:
            for one in (small, large):
                one[f"{verb}: all"] -= one[f"{verb}: start"]
    both = (small > 0.05) & (large > 0.05)
    logs = (large[both] / small[both]).map(math.log) / math.log(sizes[1] / sizes[0])
    return logs[[w for w in logs.index if not w.endswith("start")]]


if __name__ == "__main__":
    main()
