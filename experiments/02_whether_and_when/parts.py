"""What the parts of this experiment share: their options, cases to learn from and to be asked, and a scored table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from companies import CALENDAR, PLAN, data_rich, forked, history_of

from pipeforecast.backtest import Origin, origins_of
from pipeforecast.demo import Company, make_company
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.outcome import Lessons, cause_in, cause_of, observe
from pipeforecast.scores import LEAST, log_loss
from pipeforecast.snapshot import Snapshot

__all__ = ["CALENDAR", "PLAN", "data_rich", "forked"]  # for the parts, whose own folder is all that they see
HERE = Path(__file__).parent
DAYS = (0, 30, 60)


@dataclass(frozen=True)
class Case:
    """One past day: what could be learned, what was open, and what became of it (days and causes from that day)."""

    origin: Origin
    lessons: Lessons
    now: Snapshot
    won: np.ndarray
    days: np.ndarray
    cause: np.ndarray


def options(about: str | None, **defaults: object) -> argparse.ArgumentParser:
    """Options of a part: sizes, seeds, companies, quarters, where its table goes, and a small form."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--deals", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--kinds", nargs="+", default=["standard", "other"])
    parser.add_argument("--quarters", type=int)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    parser.set_defaults(**defaults)
    return parser


def told_by(parser: argparse.ArgumentParser, small: dict[str, object]) -> argparse.Namespace:
    """Read the options; the small form changes some of them and writes nothing beside the script."""
    told = parser.parse_args()
    if told.small:
        for name, value in {"deals": [600], "seeds": [1], "kinds": ["standard"], "quarters": 1, **small}.items():
            setattr(told, name, value)
        told.out = Path(tempfile.mkdtemp())
    return told


def company_of(kind: str, deals: int, seed: int) -> tuple[Company, DealHistory]:
    company = make_company(kind, n_deals=deals, seed=seed)
    return company, history_of(company)


def past_days(history: DealHistory, quarters: int, days: Sequence[int] = DAYS, before: int = 0) -> list[Origin]:
    """Days of the last quarters that were complete ``before`` days ahead of the data's end."""
    until = history.written_until - pd.Timedelta(days=before)
    return origins_of(history, CALENDAR, days, quarters, until)


def cases(history: DealHistory, origins: Sequence[Origin]) -> Iterator[Case]:
    """Lessons and test deals of each origin, one at a time."""
    snapshot = prepare(history, CALENDAR, PLAN, [o.as_of for o in origins])
    for o in origins:
        now = snapshot.only([o.as_of])
        rows = observe(history, now, history.written_until).rows
        won = (cause_in(rows, o.period) == 1).astype("float64")
        lessons = lessons_at(history, CALENDAR, snapshot, o.as_of, PLAN)
        yield Case(o, lessons, now, won, rows["days"].to_numpy(), cause_of(rows))


def loss(won: np.ndarray, p: np.ndarray) -> float:
    return float(log_loss(won, np.clip(p, LEAST, 1 - LEAST)))


def integrated_brier(case: Case, won_by: np.ndarray, ahead: np.ndarray) -> float:
    """Mean over the days ahead of the Brier score of P(won by); every deal was followed that far."""
    came = (case.cause == 1)[:, None] & (case.days[:, None] <= ahead[None, :])
    return float(((won_by - came) ** 2).mean())


def shown(rows: pd.DataFrame, path: Path, **pivot: object) -> None:
    """Write the rows and print them as a table."""
    rows.to_csv(path, index=False, float_format="%.5g")
    print(f"\n{path.stem}")
    print(rows.pivot_table(**pivot).round(4).to_string() if pivot else rows.round(4).to_string(index=False), flush=True)
