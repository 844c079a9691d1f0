"""Roll up: open deals, new business and what is already won become the revenue of a period, draw by draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pandas as pd
import scipy.sparse

from pipeforecast.findings import Finding
from pipeforecast.fiscal import Period
from pipeforecast.forecast import ADDENDS, PARTS, TOTAL, DealForecast, Forecast, cells_of, group_names
from pipeforecast.models.amount import AmountModel, FittedAmounts
from pipeforecast.models.arrivals import ArrivalModel, FittedArrivals, NewBusiness
from pipeforecast.models.closing import closing_shares
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.prior import assumptions
from pipeforecast.models.shock import shock_sd
from pipeforecast.models.unseen import never_seen
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.snapshot import Snapshot

_SHOCK_CORRELATION = 0.5
_CHUNK_CELLS = 20_000_000
_MOST_NEW_DEALS = 4000


class DealModel(Protocol):
    """Recipe of a deal model."""

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        ...

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Learn from what was known by the cutoff."""
        ...


@dataclass(frozen=True)
class PipelineForecaster:
    """The recipe of the whole: a deal model, amounts given won, and business not yet created.

    Parameters
    ----------
    deals : DealModel
    draws : int
        Joint draws of the period.
    coefficient_draws : int
        Draws of the deal model's coefficients among them.
    shock_prior_sd : float
        Prior sd, on the log-odds of winning, of the shock that all deals of a period share.
    seed : int
    """

    deals: DealModel
    amounts: AmountModel = field(default_factory=AmountModel)
    arrivals: ArrivalModel = field(default_factory=ArrivalModel)
    draws: int = 2000
    coefficient_draws: int = 40
    shock_prior_sd: float = 0.15
    seed: int = 7
    name: str = "model"

    def fit(self, lessons: Lessons) -> FittedPipeline:
        """Fit every part on the same lessons."""
        return self.around(*self.learned(lessons), lessons)

    def learned(self, lessons: Lessons) -> tuple[FittedDeals, FittedAmounts]:
        """Fit what a registered version keeps: whether, when and for how much single deals are won."""
        deals = self.deals.fit(lessons)
        return replace(deals, shares=closing_shares(deals, lessons)), self.amounts.fit(lessons)

    def around(self, deals: FittedDeals, amounts: FittedAmounts, lessons: Lessons) -> FittedPipeline:
        """Fit arrivals and the shock on the lessons, around deals and amounts that may have been learned before."""
        return FittedPipeline(
            recipe=self,
            deals=deals,
            amounts=amounts,
            arrivals=self.arrivals.fit(lessons),
            shock=shock_sd(deals, lessons, self.shock_prior_sd),
        )


@dataclass(frozen=True)
class FittedPipeline:
    """Everything that has been learned by one evening."""

    recipe: PipelineForecaster
    deals: FittedDeals
    amounts: FittedAmounts
    arrivals: FittedArrivals
    shock: float

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.recipe.name

    def findings(self, snapshot: Snapshot) -> list[Finding]:
        """What of the deals' chances is assumed rather than learned, and what today has that no lesson had."""
        return [*assumptions(self.deals, snapshot), *never_seen(self.arrivals.lessons, snapshot)]

    def deal_forecast(self, snapshot: Snapshot) -> DealForecast:
        """Whether, when and for how much each open deal closes."""
        return self.deals.forecast(snapshot, self.amounts.expected(snapshot))

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """Revenue of ``period`` as joint draws of all its parts."""
        rng = np.random.default_rng([self.recipe.seed, int(snapshot.as_of.timestamp()) // 86400])
        shocks = self._shocks(rng)
        new = self.arrivals.expected(snapshot, period)
        fitted = self.deals.won_between(snapshot, period.start, period.end, 0, rng)[0]
        unsure = self.deals.won_between(snapshot, period.start, period.end, self.recipe.coefficient_draws, rng)
        chances = _around(fitted, unsure)
        sources = [
            _Source("won", *_already_won(snapshot, period)),
            *self._open_sources(snapshot, period, chances, shocks[0], rng),
            self._new_source(new, shocks[1], rng),
        ]
        cells, draws = _add_up(sources, levels, self.recipe.draws)
        means = draws.mean(axis=1)
        return Forecast(snapshot.as_of, period, self.name, cells, means, draws, self.deal_forecast(snapshot))

    def _shocks(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        z = rng.standard_normal((2, self.recipe.draws))
        both = _SHOCK_CORRELATION * z[0] + np.sqrt(1 - _SHOCK_CORRELATION**2) * z[1]
        return self.shock * z[0], both

    def _open_sources(
        self, snapshot: Snapshot, period: Period, chances: np.ndarray, shock: np.ndarray, rng: np.random.Generator
    ) -> list[_Source]:
        amounts = _draw_open(chances, shock, snapshot, self.amounts, rng)
        rows = snapshot.open
        due = ((rows["expected_close"] <= period.end) | rows["expected_close"].isna()).to_numpy()
        return [
            _Source(part, rows[keep], amounts[np.flatnonzero(keep)])
            for part, keep in (("open_due", due), ("open_pulled_in", ~due))
        ]

    def _new_source(self, new: NewBusiness, z: np.ndarray, rng: np.random.Generator) -> _Source:
        """Draw single deals from the pool, so that every level gets its share in every draw."""
        pool, n = new.pool, self.recipe.draws
        amounts = pool["amount"].to_numpy(dtype="float64")
        if new.mean <= 0 or not len(amounts) or amounts.mean() <= 0:
            return _Source("new", pool.iloc[:0], scipy.sparse.csr_matrix((0, n)))
        mean_count = new.mean / amounts.mean() * np.exp(new.sd * z - new.sd**2 / 2)
        # Millions of single deals would be slow to draw: above some count each stands for several, where the luck of
        # single deals is all but gone from the sum.
        bundle = max(1.0, new.mean / amounts.mean() / _MOST_NEW_DEALS)
        count = rng.poisson(mean_count / bundle)
        picked = rng.integers(0, len(amounts), count.sum())
        draw = np.repeat(np.arange(n), count)
        matrix = scipy.sparse.coo_matrix((amounts[picked] * bundle, (picked, draw)), shape=(len(amounts), n))
        return _Source("new", pool, matrix.tocsr())


@dataclass(frozen=True)
class _Source:
    """Deals of one part and what each brings in each draw (deals, D)."""

    part: str
    rows: pd.DataFrame
    amounts: scipy.sparse.csr_matrix | np.ndarray


def _already_won(snapshot: Snapshot, period: Period) -> tuple[pd.DataFrame, np.ndarray]:
    won = won_between(snapshot.closed_by(snapshot.as_of), period.start, period.end)
    return won, won["amount"].fillna(0.0).to_numpy(dtype="float64")


def _around(fitted: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Scale each deal's drawn chances (n, deals) so that their mean is its fitted chance.

    Fitted chances add up to the wins that were seen. Coefficients drawn on the scale of log-odds would raise every
    small chance on average, and with it the whole book's forecast, the more the less is known.
    """
    mean = draws.mean(axis=0)
    low = draws * (fitted / np.maximum(mean, 1e-12))
    high = 1.0 - (1.0 - draws) * ((1.0 - fitted) / np.maximum(1.0 - mean, 1e-12))
    return np.asarray(np.clip(np.where(fitted <= 0.5, low, high), 0.0, 1.0))


def _draw_open(
    chances: np.ndarray, shock: np.ndarray, snapshot: Snapshot, amounts: FittedAmounts, rng: np.random.Generator
) -> scipy.sparse.csr_matrix:
    """Draw which deals are won, under a coefficient draw and a shared shock each, and what they bring (deals, D)."""
    c, n = chances.shape
    draws = len(shock)
    inside = np.clip(chances, 1e-9, 1 - 1e-9)
    # A shock on the log-odds moves the mean of small chances up (second order): taken back, so that it only spreads.
    log_odds = np.log(inside) - np.log1p(-inside) - (1 - 2 * inside) * shock.var() / 2
    deal, draw = [], []
    step = max(1, _CHUNK_CELLS // max(n, 1))
    for at in range(0, draws, step):
        d = np.arange(at, min(at + step, draws))
        p = 1.0 / (1.0 + np.exp(-(log_odds[d % c] + shock[d][:, None])))
        hit = np.nonzero(rng.random(p.shape) < p)
        draw.append(d[hit[0]])
        deal.append(hit[1])
    won, when = np.concatenate(deal), np.concatenate(draw)
    value = amounts.draw(snapshot, won, rng, when) if len(won) else np.zeros(0)
    return scipy.sparse.coo_matrix((value, (won, when)), shape=(n, draws)).tocsr()


def _add_up(sources: Sequence[_Source], levels: Sequence[str], draws: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Sum every source by every level; a part of a group is a sum of deals, so levels add up in every draw."""
    groups = {level: _groups(sources, level) for level in levels}
    cells = cells_of(groups)
    out = np.zeros((len(cells), draws))
    at = {key: i for i, key in enumerate(cells.itertuples(index=False, name=None))}
    for source in sources:
        for level in (TOTAL, *levels):
            names = [TOTAL] if level == TOTAL else groups[level]
            sums = _summed(source, level, names, draws)
            for name, row in zip(names, sums, strict=True):
                out[at[level, name, source.part]] += row
    for level in (TOTAL, *levels):
        for name in [TOTAL] if level == TOTAL else groups[level]:
            out[at[level, name, "open"]] = out[at[level, name, "open_due"]] + out[at[level, name, "open_pulled_in"]]
            out[at[level, name, "total"]] = sum(out[at[level, name, part]] for part in ADDENDS)
    return cells, out


def _groups(sources: Sequence[_Source], level: str) -> list[str]:
    return sorted({str(g) for s in sources for g in np.unique(group_names(s.rows, level).astype(str))})


def _summed(source: _Source, level: str, names: Sequence[str], draws: int) -> np.ndarray:
    n = len(source.rows)
    if level == TOTAL:
        member = scipy.sparse.csr_matrix(np.ones((1, n)))
    else:
        code = pd.Index(names).get_indexer(pd.Index(group_names(source.rows, level)))
        member = scipy.sparse.csr_matrix((np.ones(n), (code, np.arange(n))), shape=(len(names), n))
    if isinstance(source.amounts, np.ndarray):  # certain: the same in every draw
        return np.repeat(np.asarray(member @ source.amounts)[:, None], draws, axis=1)
    return np.asarray((member @ source.amounts).todense())


__all__ = ["PARTS", "DealModel", "FittedPipeline", "PipelineForecaster", "group_names"]
