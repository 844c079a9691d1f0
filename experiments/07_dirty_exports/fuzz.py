"""Do the readers survive anything? Made-up exports for some minutes; every crash that is no clear error is shown."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hypothesis import HealthCheck, Phase, given, seed, settings
from made_tables import Made, exports, read_whole, shipped

from pipeforecast.errors import PipeforecastError


def fuzzed(minutes: float, start: int) -> tuple[Counter[str], dict[str, str]]:
    """Read made-up exports until the time is over; count what came, and keep one traceback of each kind of crash."""
    until = time.monotonic() + 60 * minutes
    counts: Counter[str] = Counter()
    crashes: dict[str, str] = {}

    def look(made: Made) -> None:
        if time.monotonic() > until:
            return
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.write(Path(folder))
            try:
                read_whole(shipped(made.mapping), Path(folder))
                counts["read"] += 1
            except PipeforecastError as error:
                counts["refused"] += 1
                if not 0 < len(str(error)) <= 3000:
                    crashes[f"message of {len(str(error))} characters"] = str(error)[:300]
            except Exception as error:
                counts["crashed"] += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                mine = [f for f in traceback.extract_tb(error.__traceback__) if "pipeforecast" in f.filename][-1]
                kind = f"{type(error).__name__} {Path(mine.filename).name}:{mine.lineno} ({Path(where.filename).name})"
                crashes.setdefault(kind, f"{made}\n{traceback.format_exc()}")

    batch = start
    while time.monotonic() < until:
        test = given(exports())(look)
        test = settings(
            max_examples=50, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(test)  # fmt: skip
        seed(batch)(test)()
        batch += 1
    return counts, crashes


def main() -> None:
    """Fuzz and say what came; exit status 1 if anything crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    counts, crashes = fuzzed(told.minutes, told.seed)
    for kind, text in crashes.items():
        print(f"--- {kind}\n{text[-3000:]}\n")
    total = sum(counts.values())
    print(f"{total:,} exports in {told.minutes:g} minutes: {dict(counts)}, {len(crashes)} kinds of crash")
    sys.exit(1 if crashes else 0)


if __name__ == "__main__":
    main()
