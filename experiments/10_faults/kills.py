"""Kill verbs at random moments: is any file half-written, any store broken, and does the next run work?"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from faults import CALLS, Place

#: So often a verb starts in a folder without any store, which is then made while it is killed.
_FRESH = 5
#: Every so many calls the verb that was killed last runs to its end; all of them do when the kills are over.
_EACH = 4


@dataclass
class Tally:
    """What came of the kills."""

    kills: int = 0
    too_late: int = 0
    files: list[str] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)
    next_runs: int = 0
    failed: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def row(self) -> str:
        return (
            f"| {self.kills} | {self.too_late} | {len(self.files)} | {len(self.stores)} | {self.next_runs} | "
            f"{len(self.failed)} | {len(self.differing)} |"
        )


HEAD = """\
| kills | calls that ended first | files not whole | stores broken | next runs | of which failed | files that differ |
|---|---|---|---|---|---|---|"""


def kills(count: int, deals: int, names: tuple[str, ...], seed: int = 0) -> Tally:
    """Kill ``count`` calls, verb after verb, each at a moment drawn evenly from its whole length."""
    tally, rng = Tally(), np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "here")
        place.make(deals)
        lengths, right = {}, {}
        for name in names:
            began = time.monotonic()
            wrong = place.run(name)
            lengths[name] = time.monotonic() - began
            if wrong:
                raise SystemExit(f"a run that nobody killed failed: {wrong}")
            right[name] = {p.name: p.read_bytes() for p in (place.root / name).glob("*.csv")}
        while tally.kills < count:
            name = names[(tally.kills + tally.too_late) % len(names)]
            if rng.integers(_FRESH) == 0:
                _forget(place)
            if not _killed(place, name, float(rng.uniform(0.02, 1.0)) * lengths[name]):
                tally.too_late += 1
            else:
                tally.kills += 1
            files, stores = place.broken()
            tally.files += files
            tally.stores += stores
            if (tally.kills + tally.too_late) % _EACH == 0:
                _next_runs(place, (name,), right, tally)
                print(f"{tally.row()} after {name}", file=sys.stderr, flush=True)
        _next_runs(place, names, right, tally)
    return tally


def _killed(place: Place, name: str, after: float) -> bool:
    """Start a call and kill its whole session after so many seconds; False where it had ended by itself."""
    process = place.start(name)
    try:
        process.wait(after)
    except Exception:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    process.communicate()
    return False


def _forget(place: Place) -> None:
    for gone in ("mlflow.db", "mlflow.db.lock"):
        (place.root / gone).unlink(missing_ok=True)
    for gone in ("mlartifacts", ".pipeforecast"):
        shutil.rmtree(place.root / gone, ignore_errors=True)


def _next_runs(place: Place, names: tuple[str, ...], right: dict[str, dict[str, bytes]], tally: Tally) -> None:
    """Run verbs to their end on what the kills have left, and compare its tables with those of a run in peace."""
    for name in names:
        wrong = place.run(name)
        tally.next_runs += 1
        if wrong:
            tally.failed.append(wrong)
            continue
        found = {p.name: p.read_bytes() for p in (place.root / name).glob("*.csv")}
        tally.differing += [f"{name}/{n}" for n in found if n != "gate.csv" and found[n] != right[name].get(n)]


def told(tally: Tally) -> str:
    wrong = [*tally.files, *tally.stores, *tally.failed, *tally.differing]
    return "\n".join([HEAD, tally.row(), *(f"\n{line}" for line in wrong[:20])])


if __name__ == "__main__":
    print(told(kills(200, 300, tuple(CALLS))))
