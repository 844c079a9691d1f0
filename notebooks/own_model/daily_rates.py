"""A deal model of one's own: in each stage deals are won and lost at constant rates a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.features import Features
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.grid import Grid
from pipeforecast.outcome import Lessons, cause_of


@dataclass(frozen=True)
class DailyRates:
    """The recipe: its fields are what ``+model.options.KEY=VALUE`` sets.

    Parameters
    ----------
    days : float
        Deal days of the whole company that each stage borrows: the more, the more alike the stages.
    """

    days: float = 2000.0
    horizon: int = 365
    name: str = "daily_rates"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Count closings by the days that deals were open, from what was known by ``lessons.cutoff``."""
        stage = lessons.snapshot.open["stage"].astype("object").to_numpy()
        cause = cause_of(lessons.outcome.rows)  # 0 still open (censored), 1 won, 2 lost
        counts = pd.DataFrame({"won": cause == 1, "lost": cause == 2, "days": lessons.outcome.rows["days"] + 1.0})
        whole = counts.sum().astype("float64")
        borrowed = self.days * whole / max(whole["days"], 1.0)
        by_stage = counts.astype("float64").groupby(stage).sum() + borrowed
        rates = by_stage[["won", "lost"]].div(by_stage["days"], axis=0)
        anywhere = whole[["won", "lost"]] / max(whole["days"], 1.0)
        learned = RatesByStage({str(s): (float(r.won), float(r.lost)) for s, r in rates.iterrows()}, tuple(anywhere))
        return FittedDeals(self.name, lessons.calendar, self.horizon, learned)


@dataclass(frozen=True)
class RatesByStage:
    """What was learned: closings a day, won and lost, by stage and for a stage that no lesson had."""

    rates: Mapping[str, tuple[float, float]]
    anywhere: tuple[float, float]

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[None]:
        """Say that nothing is unsure: the range is that of the deals and the period alone."""
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """P(won by) and P(lost by) the end of each interval, each (deals, intervals): never falling, at most 1."""
        known = features.categories.get("stage", pd.Series("", features.numbers.index))
        rates = np.array([self.rates.get(stage, self.anywhere) for stage in known]).reshape(-1, 2)
        both = np.maximum(rates.sum(axis=1), 1e-12)[:, None]
        closed = 1.0 - np.exp(-both * (grid.gone + 1.0))
        won, lost = (rates[:, [k]] / both * closed for k in (0, 1))
        yield from ((won, lost) for _ in draws)
