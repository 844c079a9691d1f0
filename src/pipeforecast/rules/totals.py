"""What rules of totals have in common: they ask what periods brought, look at no single deal and know no parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL, Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.rules.money import by_group, money_of, once, won_by_day, won_in
from pipeforecast.snapshot import Snapshot

#: Recent periods: the mean of four, and the rates of the pace.
TRAILING = 4


@dataclass(frozen=True)
class Question:
    """What does the period bring to each group of one level? With what may be known for the answer."""

    lessons: Lessons
    snapshot: Snapshot
    period: Period
    level: str

    @cached_property
    def won(self) -> pd.Series:
        """W by group."""
        return once(
            self.lessons, self.snapshot, ("won", self.period, self.level),
            lambda: self.sums(won_by_day(self.snapshot, self.day, [self.period], [self.level])),
        )  # fmt: skip

    @property
    def day(self) -> int:
        """Day k of the period; 0 or less before it begins."""
        return self.period.day_of(self.snapshot.as_of)

    def sums(self, won: pd.DataFrame) -> pd.Series:
        """What deals that are won brought, by group."""
        return by_group(won, money_of(won), self.level)

    def mean_of(self, periods: Sequence[Period]) -> pd.Series:
        """Mean of what ``periods``, which follow each other, brought to each group; NaN where there is none of them.

        Groups that won in any of them, or in this period.
        """
        if not periods:
            return pd.Series(np.nan, index=self.won.index)
        brought = self.sums(won_in(self.lessons, periods, [self.level]))
        groups = sorted({*self.won.index, *brought.index})
        return brought.reindex(groups, fill_value=0.0) / len(periods)

    def at_least_won(self, amount: pd.Series) -> pd.Series:
        """Raise to W what is below it, group by group."""
        groups = sorted({*self.won.index, *amount.index})
        won = self.won.reindex(groups, fill_value=0.0)
        return amount.reindex(groups, fill_value=0.0).where(lambda a: a.isna() | (a >= won), won)


#: Amount by group: NaN where the past cannot tell; a group that is left out is expected to bring nothing.
Answer = Callable[[Question], pd.Series]


@dataclass(frozen=True)
class TotalRule:
    """A rule of totals.

    Parameters
    ----------
    name : str
    answer : callable
    floor : bool
        Never below W. It holds for the total and for each group by itself, so that groups may add up to more than the
        total where some of them have won more than they usually do.
    split : bool
        Groups share the total as they shared the last four periods, instead of being asked one by one.
    """

    name: str
    answer: Answer
    floor: bool = False
    split: bool = False

    def fit(self, lessons: Lessons) -> FittedTotal:
        """Nothing is estimated before the day and the period are known."""
        return FittedTotal(self, lessons)


@dataclass(frozen=True)
class FittedTotal:
    """A rule of totals with the past that it may look at."""

    rule: TotalRule
    lessons: Lessons

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.rule.name

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """One number for the total and for each group that won something or is expected to; NaN: it cannot be told."""
        whole = self.rule.answer(Question(self.lessons, snapshot, period, TOTAL))
        rows, mean = [], []
        for level in (TOTAL, *levels):
            asked = Question(self.lessons, snapshot, period, level)
            if level == TOTAL:
                amount = whole
            elif self.rule.split:
                amount = whole.loc[TOTAL] * _shares(asked)
            else:
                amount = self.rule.answer(asked)
            amount = asked.at_least_won(amount) if self.rule.floor else amount
            rows += [(level, str(group), TOTAL) for group in amount.index]
            mean.append(amount.to_numpy(dtype="float64"))
        cells = pd.DataFrame(rows, columns=["level", "group", "part"])
        return Forecast(snapshot.as_of, period, self.name, cells, np.concatenate(mean))


def _shares(asked: Question) -> pd.Series:
    """Share of each group in what the last four periods brought; NaN where they brought nothing."""
    lately = asked.mean_of(asked.lessons.past_periods(TRAILING))
    total = float(lately.sum())
    return lately / (total if total > 0 else np.nan)
