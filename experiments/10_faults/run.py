"""Kills and parallel runs; ``--small`` does few of each on a smaller company, and fails where anything is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from faults import CALLS
from kills import kills, told
from parallel import HEAD, rounds


def main(small: bool) -> int:
    tally = kills(3, 300, ("plan",)) if small else kills(200, 300, tuple(CALLS))
    print(told(tally), "\n")
    rows, wrong = rounds(1, 300, ("plan", "plan")) if small else rounds(5, 300)
    print("\n".join([HEAD, *rows]))
    return int(bool(tally.files or tally.stores or tally.failed or tally.differing or wrong))


if __name__ == "__main__":
    sys.exit(main("--small" in sys.argv))
