"""How long from a cold start: ``--help`` of every verb, and ``forecast`` of a small company, each in a new process.

Seconds on the wall and of the processor (user and system), the best of a few; the machine's load is said, because the
wall's seconds rise with it. Files may lie in the system's cache: what is cold is the program.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from pipeforecast.manual import PAGES

HERE = Path(__file__).parent
WANTED = {"--help": 0.6, "forecast": 8.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.repeats, told.out = 500, 1, Path(tempfile.mkdtemp())
    print(f"load of the last minute {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    calls = {"--help": ["--help"], **{f"{verb} --help": [verb, "--help"] for verb in PAGES}}
    with tempfile.TemporaryDirectory() as folder:
        company = Path(folder) / "company"
        subprocess.run([sys.executable, str(HERE / "timed.py"), "make", str(told.deals), str(company)],
                       check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        given = ["crm=salesforce", f"source={company}", "tracking=off", f"out={folder}/out"]
        calls["forecast, no proof"] = ["forecast", *given, "proof=none"]
        rows = [{"call": name, **best(words, told.repeats, Path(folder))} for name, words in calls.items()]
    table = pd.DataFrame(rows)
    table["wanted_s"] = [WANTED["--help"] if "--help" in name else WANTED["forecast"] for name in table["call"]]
    told.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(told.out / "cold.csv", index=False, float_format="%.3g")
    print(table.round(2).to_string(index=False))


def best(words: list[str], repeats: int, folder: Path) -> dict[str, float]:
    """Run the command in new processes; the least of each figure."""
    found = [once([sys.executable, "-m", "pipeforecast", *words], folder) for _ in range(repeats)]
    return {name: min(f[name] for f in found) for name in found[0]}


def once(command: list[str], folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {child.returncode}")
    return {"seconds": time.perf_counter() - began, "cpu_s": used.ru_utime + used.ru_stime}


if __name__ == "__main__":
    main()
