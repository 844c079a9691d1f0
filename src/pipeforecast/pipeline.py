"""The recipe of the whole: deals, amounts, new business and the shock they share, fitted together on one evening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pandas as pd

from pipeforecast.features import describe_whole
from pipeforecast.findings import Finding
from pipeforecast.fiscal import Period
from pipeforecast.forecast import DealForecast, Forecast, decided
from pipeforecast.models.amount import AmountModel, FittedAmounts
from pipeforecast.models.arrivals import ArrivalModel, FittedArrivals
from pipeforecast.models.closing import closing_shares
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.prior import assumptions
from pipeforecast.models.shock import shock_sd
from pipeforecast.models.unseen import never_seen
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.reporting import assigned_today
from pipeforecast.rollup import Outlook, coefficient_luck, draw_open, roll_up
from pipeforecast.snapshot import Snapshot


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

    def decided(self, lessons: Lessons) -> PipelineForecaster:
        """Give the same recipe with the deal model's choices made."""
        describe_whole(lessons.snapshot)
        return replace(self, deals=decided(self.deals, lessons.of_teaching()))

    def fit(self, lessons: Lessons) -> FittedPipeline:
        """Fit every part on the same lessons."""
        return self.around(*self.learned(lessons), lessons)

    def learned(self, lessons: Lessons) -> tuple[FittedDeals, FittedAmounts]:
        """Fit what a registered version keeps: whether, when and for how much single deals are won."""
        describe_whole(lessons.snapshot)  # its days are asked for one by one below, and by the shock
        deals = self.deals.fit(lessons.of_teaching())
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
        """What of the deals' chances is assumed or learned from a part, and what today has that no lesson had."""
        lessons = self.arrivals.lessons
        return [*assumptions(self.deals, snapshot), *never_seen(lessons, snapshot), *_sampled(lessons)]

    def deal_forecast(self, snapshot: Snapshot) -> DealForecast:
        """Whether, when and for how much each open deal closes."""
        return self.deals.forecast(snapshot, self.amounts.expected(snapshot))

    def outlook(self, snapshot: Snapshot, period: Period) -> Outlook:
        """What the revenue of ``period`` is made of, seen from the one day of ``snapshot``."""
        return self.outlooks(snapshot, [period])[0]

    def outlooks(self, snapshot: Snapshot, periods: Sequence[Period]) -> list[Outlook]:
        """What the revenue of each of ``periods`` is made of; their chances come from one look at the deals."""
        rng, spans = coefficient_luck(self.recipe.seed, snapshot.as_of), [(p.start, p.end) for p in periods]
        fitted = self.deals.won_within(snapshot, spans, 0, rng)
        unsure = self.deals.won_within(snapshot, spans, self.recipe.coefficient_draws, rng)
        closed = snapshot.closed_by(snapshot.as_of)
        return [
            self._outlook(snapshot, period, won_between(closed, period.start, period.end), chances[0], draws)
            for period, chances, draws in zip(periods, fitted, unsure, strict=True)
        ]

    def _outlook(
        self, snapshot: Snapshot, period: Period, won: pd.DataFrame, chances: np.ndarray, unsure: np.ndarray
    ) -> Outlook:
        new = self.arrivals.expected(snapshot, period)
        return Outlook(
            snapshot=snapshot,
            period=period,
            won=won,
            chances=chances,
            unsure=_around(chances, unsure),
            amounts=self.amounts,
            price=np.ones(len(chances)),
            new=replace(new, pool=assigned_today(new.pool, snapshot.open)),
            shock=self.shock,
        )

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """Revenue of ``period`` as joint draws of all its parts."""
        return self.rolled_up(self.outlook(snapshot, period), levels)

    def forecasts(
        self, snapshot: Snapshot, periods: Sequence[Period], levels: Sequence[str] = ()
    ) -> tuple[list[Forecast], Outlook]:
        """Revenue of each of ``periods``, all from one look at the deals and the same luck; the first's outlook too.

        What single deals bring in each draw is kept of the first alone.
        """
        outlooks, recipe = self.outlooks(snapshot, periods), self.recipe
        deals, drawn = self.deal_forecast(snapshot), draw_open(outlooks, recipe.draws, recipe.seed)
        out: list[Forecast] = []
        for outlook in outlooks:
            made = roll_up(outlook, levels, recipe.draws, recipe.seed, self.name, deals, drawn.pop(0))
            out.append(replace(made, open_draws=None) if out else made)
        return out, outlooks[0]

    def rolled_up(self, outlook: Outlook, levels: Sequence[str] = ()) -> Forecast:
        """Revenue of an outlook that may have been changed (``scenario``)."""
        deals = self.deal_forecast(outlook.snapshot)
        return roll_up(outlook, levels, self.recipe.draws, self.recipe.seed, self.name, deals)


def _sampled(lessons: Lessons) -> list[Finding]:
    """Say how many of the deals taught, where not all did."""
    if lessons.teaching is None:
        return []
    taught, of = int(lessons.snapshot.open["deal"].nunique()), lessons.teaching.of
    return [Finding(
        "LESSONS-SAMPLED", "info", "deals", count=taught,
        repair=f"{taught:,} of {of:,} deals taught whether and when deals are won; all else is counted over all deals",
        advice="more would hardly change what is learned; model.max_deals takes them",
    )]  # fmt: skip


def _around(fitted: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Scale each deal's drawn chances (n, deals) so that their mean is its fitted chance.

    Fitted chances add up to the wins that were seen. Coefficients drawn on the scale of log-odds would raise every
    small chance on average, and with it the whole book's forecast, the more the less is known.
    """
    mean = draws.mean(axis=0)
    low = draws * (fitted / np.maximum(mean, 1e-12))
    high = 1.0 - (1.0 - draws) * ((1.0 - fitted) / np.maximum(1.0 - mean, 1e-12))
    return np.asarray(np.clip(np.where(fitted <= 0.5, low, high), 0.0, 1.0))
