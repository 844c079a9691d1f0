"""What a scenario changes: each deal that may be won, with its way there, and the business not yet created."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.forecast import DealForecast
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.rollup import Extra, Outlook
from pipeforecast.scenario.newcomers import Newcomers, won_by_age

#: Wins may be pulled in from so many days after the period.
_BEYOND_DAYS = 366


@dataclass(frozen=True)
class Book:
    """An outlook on its way to another one: first the open deals (n), then the extra ones (m).

    Attributes
    ----------
    base : Outlook
        What is forecast.
    lessons : Lessons
    curve : DealForecast
        P(won by a day) of all n + m deals, as forecast.
    chances, price : float arrays (n + m,)
        P(won in the period); factor on the amount.
    unsure : float array (c, n + m)
        Chances under draws of what the deal model is unsure of.
    late : int array (n + m,)
        Days by which wins come later than in ``curve``.
    extra : DataFrame (m rows)
        Deals that only the scenario has; ``amount`` is what they bring, given that they are won.
    newcomers : Newcomers
        Wins of deals not yet created.
    worth, flow : float arrays (rows of ``base.new.pool``,)
        Factor on what new deals like each of the pool bring; on how many of them are won.
    waits : int array (rows of ``base.new.pool``,)
        Days by which these wins come later.
    """

    base: Outlook
    lessons: Lessons
    curve: DealForecast
    chances: np.ndarray
    price: np.ndarray
    unsure: np.ndarray
    late: np.ndarray
    extra: pd.DataFrame
    newcomers: Newcomers
    worth: np.ndarray
    flow: np.ndarray
    waits: np.ndarray

    @classmethod
    def opened(cls, outlook: Outlook, fitted: FittedPipeline) -> Book:
        """Begin with an outlook as it is."""
        snapshot, period, lessons = outlook.snapshot, outlook.period, fitted.arrivals.lessons
        n, new = len(outlook.chances), len(outlook.new.pool)
        horizon = max(fitted.deals.horizon, (period.end - snapshot.as_of).days + _BEYOND_DAYS)
        deals = replace(fitted.deals, horizon=horizon)
        return cls(
            base=outlook,
            lessons=lessons,
            curve=deals.forecast(snapshot, np.zeros(n)),
            chances=outlook.chances,
            price=outlook.price,
            unsure=outlook.unsure,
            late=np.zeros(n, dtype=int),
            extra=lessons.deals.iloc[:0],
            newcomers=Newcomers.of(won_by_age(lessons.deals, lessons.cutoff), snapshot.as_of, period),
            worth=np.ones(new),
            flow=np.ones(new),
            waits=np.zeros(new, dtype=int),
        )

    @property
    def as_of(self) -> pd.Timestamp:
        """Evening from which we look."""
        return self.base.snapshot.as_of

    @property
    def period(self) -> Period:
        """The period that is forecast."""
        return self.base.period

    def won_between(self, start: pd.Timestamp, end: pd.Timestamp, late: np.ndarray) -> np.ndarray:
        """P(won from ``start`` to ``end``) of each deal, as forecast but ``late`` days later (n + m,).

        Wins that are pulled in come tomorrow at the earliest; those of days that are over have happened already.
        """
        one = np.timedelta64(1, "D")
        before = np.datetime64(start, "s") - one
        upto = self.curve.won_by(np.datetime64(end, "s") - late * one)
        as_of = np.datetime64(self.as_of, "s")
        if before < as_of:
            return upto
        since = before - late * one
        return np.asarray(
            np.maximum(upto - self.curve.won_by(np.minimum(since, as_of) if before == as_of else since), 0.0)
        )

    def with_extra(self, rows: pd.DataFrame, won_by: np.ndarray) -> Book:
        """Add deals ``rows`` (k) whose P(won by) the curve's dates is ``won_by`` (k, dates)."""
        c, k = self.curve, len(rows)
        curve = DealForecast(
            np.concatenate([c.deal, np.full(k, -1)]), c.dates, np.vstack([c.p_won, won_by]),
            np.vstack([c.p_lost, np.zeros_like(won_by)]), np.concatenate([c.amount, np.zeros(k)]), c.shares,
        )  # fmt: skip
        late = np.concatenate([self.late, np.zeros(k, dtype=int)])
        more = replace(self, curve=curve, late=late, extra=pd.concat([self.extra, rows]) if len(self.extra) else rows)
        chances = more.won_between(self.period.start, self.period.end, late)[-k:]
        return replace(
            more,
            chances=np.concatenate([self.chances, chances]),
            unsure=np.hstack([self.unsure, np.tile(chances, (len(self.unsure), 1))]),
            price=np.concatenate([self.price, np.ones(k)]),
        )

    def outlook(self) -> Outlook:
        """What has become of the outlook."""
        n, new = len(self.base.chances), self.base.new
        if (self.worth != 1.0).any():
            amounts = new.pool["amount"].to_numpy(dtype="float64")
            mean = new.mean * float((amounts * self.worth).sum()) / float(amounts.sum())
            new = replace(new, mean=mean, pool=new.pool.assign(amount=amounts * self.worth))
        share = {days: self.newcomers.share(int(days)) for days in np.unique(self.waits) if days}
        inflow = self.flow * np.array([share.get(days, 1.0) for days in self.waits])
        extra = self.extra.assign(amount=self.extra["amount"].to_numpy(dtype="float64") * self.price[n:])
        return replace(
            self.base,
            chances=self.chances[:n],
            unsure=self.unsure[:, :n],
            price=self.price[:n],
            new=new,
            inflow=inflow if (inflow != 1.0).any() else None,
            extra=Extra(extra, self.chances[n:]) if len(extra) else None,
        )
