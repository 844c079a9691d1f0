"""How long take the replay of 24 past days with the model and every rule, the first forecast, and one with its proof?

Each is the installed command, timed from start to end, on a made-up company's export.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from parts import options, shown, told_by

from pipeforecast.demo import make_company


def main() -> None:
    parser = options(__doc__, deals=[20_000])
    parser.add_argument("--jobs", type=int, default=2)
    told = told_by(parser, {})
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for deals in told.deals:
            source = Path(folder) / f"company_{deals}"
            make_company("standard", n_deals=deals, seed=7).write(source)
            periods = 2 if told.small else 8
            call = ["crm=salesforce", f"source={source}", "tracking=off", f"origins.periods={periods}"]
            calls = (
                ("replay of 3 days of each period, model and every rule", ["backtest", f"origins.jobs={told.jobs}"]),
                ("the same, in total only", ["backtest", f"origins.jobs={told.jobs}", "levels=[]"]),
                ("first forecast, whole proof", ["forecast", "proof=full", f"origins.jobs={told.jobs}"]),
                ("forecast with its proof stored", ["forecast", "proof=cached", f"origins.jobs={told.jobs}"]),
                ("forecast without proof", ["forecast", "proof=none"]),
            )
            for name, words in calls[-1:] if told.small else calls:
                seconds = timed([*words, *call], Path(folder))
                rows.append({"deals": deals, "periods": periods, "call": name, "seconds": seconds})
                print(f"{deals} {name}: {seconds:.1f} s", flush=True)
    shown(pd.DataFrame(rows), told.out / "speed.csv")


def timed(words: list[str], folder: Path) -> float:
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pipeforecast", *words, "out=out"], cwd=folder, check=True, capture_output=True
    )
    return time.monotonic() - began


if __name__ == "__main__":
    main()
