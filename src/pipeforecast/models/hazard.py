"""Whether and when: discrete-time competing risks (won, lost, still open) from a landmark.

In each interval after ``as_of`` an open deal is won, lost or stays open, by one multinomial logistic model of the
deal's features and of the interval's place in time. Chaining the intervals gives cumulative incidences that never
fall and sum to at most 1.

References
----------
Tutz and Schmid, *Modeling Discrete Time-to-Event Data*, Springer 2016, chapter 8 (competing risks).
van Houwelingen, "Dynamic prediction by landmarking", Scandinavian Journal of Statistics 34, 2007.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeforecast.features import Features, describe
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.design import AHEAD, DealDesign, interval_columns, split, together
from pipeforecast.models.grid import Grid
from pipeforecast.models.incidence import chained
from pipeforecast.models.lived import Lived, lay_out, taught
from pipeforecast.models.multinomial import Multinomial, fit_multinomial, softmax
from pipeforecast.outcome import Lessons

_CHUNK_ROWS = 200_000


@dataclass(frozen=True)
class HazardModel:
    """Recipe of the discrete-time competing-risks model.

    Parameters
    ----------
    C : float
        Inverse strength of the ridge penalty on standardised columns.
    max_rows : int
        At most so many snapshot rows are learned from (a random sample; the rest buys little).
    horizon : int
        Days that a forecast reaches ahead, at least.
    half_life : float
        Days after which a lesson counts half: markets and sellers change, and yesterday's deals say more of tomorrow's.
    seed : int
        Of the sample.
    bends : int
        Knots of each number's effect (piecewise linear log-odds); 0 keeps it straight.
    by : str
        A category whose levels (stages, segments) have effects of their own; empty: one model for all.
    quiet : int
        Uneventful intervals that are kept at least.
    """

    C: float = 0.01
    max_rows: int = 30_000
    horizon: int = 365
    half_life: float = np.inf
    seed: int = 7
    bends: int = 2
    by: str = ""
    quiet: int = 20_000
    name: str = "hazard"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Learn hazards from the lessons' snapshots and their outcomes until the cutoff."""
        learned = taught(lessons, self.half_life, self.max_rows, self.seed)
        rows, features = learned.snapshot.open, describe(learned.snapshot)
        design = DealDesign(bends=self.bends, by=self.by).fit(features) if len(features.numbers) else DealDesign()
        lived = lay_out(rows, learned.outcome, lessons.calendar, self.horizon).thinned(self.seed, self.quiet)
        if not (lived.cause > 0).any():
            return self._fitted(lessons, HazardChances(design, None, []))
        slopes = _slopes(design)
        x = _columns(lived, design.transform(features), slopes, features.due)
        groups, weight = rows["deal"].to_numpy()[lived.row], lived.weight * learned.counts[lived.row]
        model = fit_multinomial(x, lived.cause, 3, self.C, groups, weight)
        return self._fitted(lessons, HazardChances(design, model, slopes))

    def _fitted(self, lessons: Lessons, chances: HazardChances) -> FittedDeals:
        return FittedDeals(self.name, lessons.calendar, self.horizon, chances)


@dataclass(frozen=True)
class HazardChances:
    """Hazards that have been learned; ``model`` is None where nothing has ever closed."""

    design: DealDesign
    model: Multinomial | None
    slopes: list[int]

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[np.ndarray | None]:
        """Coefficients from their approximate posterior."""
        return [None] if self.model is None else self.model.draws(n, rng)

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[np.ndarray | None] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals), under each draw of the coefficients."""
        n, m = len(features.due), len(grid.ends)
        if self.model is None or n == 0:
            yield from ((np.zeros((n, m)), np.zeros((n, m))) for _ in draws)
            return
        deal_part, intervals = self.design.transform(features), _intervals(features.due, grid)
        step = max(1, _CHUNK_ROWS // m)
        for draw in draws:
            won, lost = np.empty((n, m)), np.empty((n, m))
            for at in range(0, n, step):
                part = slice(at, at + step)
                hazards = softmax(self._log_odds(deal_part[part], intervals[part], self.model.told(draw)))
                won[part], lost[part] = chained(hazards)
            yield won, lost

    def _log_odds(self, deal_part: np.ndarray, intervals: np.ndarray, beta: np.ndarray) -> np.ndarray:
        """Log-odds against staying open of every interval of every deal (k, m, 2), as ``together`` would give them.

        A deal's columns are the same in all its intervals: what they add is reckoned once, not once an interval.
        """
        of_deal, of_interval, of_slope = split(beta, deal_part.shape[1], intervals.shape[2])
        fixed = deal_part @ of_deal.T + beta[:, -1]
        rising = deal_part[:, self.slopes] @ of_slope.T
        return np.asarray(fixed[:, None, :] + intervals @ of_interval.T + intervals[..., [AHEAD]] * rising[:, None, :])


def _intervals(due: np.ndarray, grid: Grid) -> np.ndarray:
    n, m = len(due), len(grid.ends)
    columns = interval_columns([grid], np.zeros(n * m, dtype=int), np.tile(np.arange(m), n), np.repeat(due, m))
    return columns.reshape(n, m, -1)


def _slopes(design: DealDesign) -> list[int]:
    """Positions of the columns whose effect may change with the days ahead: the numbers and the stage."""
    return [i for i, name in enumerate(design.names) if name in design.numbers or name.startswith("stage_")]


def _columns(rows: Lived, deal_part: np.ndarray, slopes: list[int], due: np.ndarray) -> np.ndarray:
    intervals = interval_columns(rows.grids, rows.grid, rows.interval, due[rows.row])
    deals = deal_part[rows.row]
    return together(deals, intervals, deals[:, slopes])
