"""What the parts of this experiment share: options, companies, replays that are kept, and scores of draws."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from companies import CALENDAR, PLAN, history_of, pooled, thinned_lessons

from pipeforecast.backtest import Origin, origins_of
from pipeforecast.demo import Company, make_company
from pipeforecast.history import DealHistory
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.prior import WithPrior
from pipeforecast.pipeline import PipelineForecaster

__all__ = ["CALENDAR", "PLAN", "pooled", "thinned_lessons"]  # for the parts, whose own folder is all that they see
HERE = Path(__file__).parent
DAYS = (0, 30, 60)


def options(about: str | None, **defaults: object) -> argparse.ArgumentParser:
    """Options of a part: sizes, seeds, companies, quarters, where its table goes, and a small form."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--deals", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs=2, help="first seed, and the one after the last")
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
        for name, value in {"deals": [500], "seeds": (1, 2), "kinds": ["standard"], "quarters": 1, **small}.items():
            setattr(told, name, value)
        told.out = Path(tempfile.mkdtemp())
    return told


def default(draws: int = 1000) -> PipelineForecaster:
    """The recipe that ``forecast`` uses unless told otherwise."""
    return PipelineForecaster(WithPrior(ChosenHazard()), draws=draws)


def company_of(kind: str, deals: int, seed: int) -> tuple[Company, DealHistory]:
    company = make_company(kind, n_deals=deals, seed=seed)
    return company, history_of(company)


def past_days(history: DealHistory, quarters: int, days: Sequence[int] = DAYS) -> list[Origin]:
    """Days of the last complete quarters."""
    return origins_of(history, CALENDAR, days, quarters, history.written_until)


def revenue(history: DealHistory, origin: Origin) -> float:
    """What the period brought, by the true day, as known today."""
    latest = history.latest()
    closed = latest["closed_at"]
    inside = (latest["status"] == "won") & (closed >= origin.period.start) & (closed <= origin.period.end)
    return float(latest.loc[inside.to_numpy(dtype=bool), "amount"].sum())


def ratio_with_range(
    own: np.ndarray, other: np.ndarray, group: np.ndarray, level: float = 0.9, draws: int = 2000
) -> tuple[float, float, float]:
    """Σ own ÷ Σ other with a range that draws whole groups again (seed-quarters, whose days hang together)."""
    names, code = np.unique(group, return_inverse=True)
    sums = np.stack([np.bincount(code, x, len(names)) for x in (own, other)])
    pick = np.random.default_rng(0).integers(len(names), size=(draws, len(names)))
    found = sums[0][pick].sum(axis=1) / sums[1][pick].sum(axis=1)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(sums[0].sum() / sums[1].sum()), float(low), float(high)


def shown(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g")
    print(f"\n{table.round(3).to_string(index=False)}", flush=True)
