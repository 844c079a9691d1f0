"""Eight runs at once on one fresh store, two of them into one folder: do all succeed, and write what one alone does?"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from faults import Place

#: Eight calls; both forecasts write into the one folder.
EIGHT = ("forecast", "forecast", "train", "train_leads", "backtest", "score", "metrics", "plan")
HEAD = """\
| round | calls | failed | recorded as finished | files that differ from a run alone | broken |
|---|---|---|---|---|---|"""


def rounds(count: int, deals: int, names: tuple[str, ...] = EIGHT) -> tuple[list[str], int]:
    """Give a row a round, and how much was wrong in all."""
    rows, wrong = [], 0
    with tempfile.TemporaryDirectory() as folder:
        alone = Place(Path(folder) / "alone")
        alone.make(deals)
        for name in dict.fromkeys(names):
            said = alone.run(name)
            if said:
                raise SystemExit(f"a run alone failed: {said}")
        for number in range(1, count + 1):
            here = Place(Path(folder) / str(number))
            here.make(deals)
            processes = [here.start(name) for name in names]
            said = [p.communicate()[1] for p in processes]
            odd = [p.returncode or "Traceback" in s or "warning" in s for p, s in zip(processes, said, strict=True)]
            failed = [s[-400:] for s, is_odd in zip(said, odd, strict=True) if is_odd]
            unlike = [
                f"{name}/{p.name}" for name in dict.fromkeys(names) for p in sorted((alone.root / name).glob("*.csv"))
                if (here.root / name / p.name).read_bytes() != p.read_bytes()
            ]  # fmt: skip
            broken = [found for part in here.broken() for found in part]
            finished = _finished(here.root / "mlflow.db")
            rows.append(f"| {number} | {len(names)} | {len(failed)} | {finished} | {len(unlike)} | {len(broken)} |")
            rows += [f"\n{line}" for line in [*failed, *unlike, *broken][:10]]
            wrong += len(failed) + len(unlike) + len(broken) + (finished != len(names))
    return rows, wrong


def _finished(store: Path) -> int:
    with sqlite3.connect(store) as connection:
        return int(connection.execute("SELECT count(*) FROM runs WHERE status = 'FINISHED'").fetchone()[0])


if __name__ == "__main__":
    print("\n".join([HEAD, *rounds(5, 300)[0]]))
