"""First real quarters: hotel bookings (revenue of five quarters) and the Maven CRM sample. See README.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd

from pipeforecast.cli import main as pipeforecast

#: One setting for all quarters; chosen on data written until 2016-06-30 (README: the log of runs).
HOTEL = ["crm=hotel_bookings", "model.half_life=90", "origins.periods=5", "levels=[region]", "tracking=off"]
MEDIAN = ["crm.roles.today=[amount]"]


def run(*call: str) -> None:
    """Call the command as a user would; stop where it refuses."""
    print("$ pipeforecast", " ".join(c for c in call if not c.startswith("source=")), flush=True)
    status = pipeforecast(list(call))
    if status:
        sys.exit(status)


def hotel(data: Path, out: Path, jobs: int) -> None:
    """Replay 2016Q2 to 2017Q2 from days 0, 30 and 60, with the booked amount and without it."""
    tables = {}
    for name, extra in (("amount as booked", []), ("median amount of the segment", MEDIAN)):
        folder = out / f"hotel {name}"
        run("backtest", *HOTEL, *extra, f"source={data / 'hotel'}", f"origins.jobs={jobs}", f"out={folder}")
        scores = pd.read_csv(folder / "backtest_scores.csv")
        tables[name] = scores[(scores["level"] == "total") & (scores["day_of_period"] >= 0)]
    wide = pd.concat(tables, names=["amounts"]).pivot_table(
        index=["amounts", "method"], columns="day_of_period", values=["wape", "cover80"]
    )
    (100 * wide).round(1).to_csv(out / "hotel.csv")
    print((100 * wide).round(1).to_string())


def maven(data: Path, out: Path) -> None:
    """Forecast the Maven sample as it is, and with its dates written month first and day first."""
    source = data / "maven_crm"
    results = {}
    for order, pattern in (("iso", None), ("month_first", "%m/%d/%Y"), ("day_first", "%d-%m-%y")):
        with tempfile.TemporaryDirectory() as folder:
            for path in source.glob("*.csv"):
                frame = pd.read_csv(path, dtype=str, keep_default_na=False)
                for column in {"engage_date", "close_date"} & set(frame.columns) if pattern else ():
                    days = pd.to_datetime(frame[column], errors="coerce")
                    frame[column] = days.dt.strftime(pattern).fillna("")
                frame.to_csv(Path(folder) / path.name, index=False)
            target = out / f"maven {order}"
            run("forecast", "crm=maven", "crm.dates.order=auto", "tracking=off", "proof=none",
                f"source={folder}", f"out={target}")  # fmt: skip
            results[order] = (target / "forecast.csv").read_bytes() + (target / "deals.csv").read_bytes()
    print("maven: the same result whatever the order of the dates:", len(set(results.values())) == 1)
    run("forecast", "crm=maven", "tracking=off", "proof=full", f"source={source}", f"out={out / 'maven'}")
    found = pd.read_csv(out / "maven" / "findings.csv")
    said = found[found["code"] == "RANKING-NO-BETTER-THAN-BASE-RATE"]
    print("maven:", "; ".join(said["advice"]) or "no finding on the ranking of deals")


def main() -> None:
    """Find the data, run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/first_real_quarters"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="Maven only")
    told = parser.parse_args()
    where = os.environ.get("PIPEFORECAST_REAL_DATA")
    if not where:
        print("skipped: PIPEFORECAST_REAL_DATA names no folder with the data (README: where to get them)")
        return
    told.out.mkdir(parents=True, exist_ok=True)
    maven(Path(where), told.out)
    if not told.small:
        hotel(Path(where), told.out, told.jobs)


if __name__ == "__main__":
    main()
