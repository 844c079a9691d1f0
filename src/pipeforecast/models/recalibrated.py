"""A deal model whose hazards are put right by what later lessons show, where that helps beyond noise.

In each interval the odds of winning and of losing against staying open are raised to a power and multiplied by a
factor, the same for all deals. Hazards stay hazards, so that the incidences never fall and their sum stays at most 1.
The factors are learned as a forecaster would have met them: for each of the last periods the model is taught by what
was known before it and asked on the lesson days within it.

References
----------
Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958.
van Calster et al., "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from pipeforecast.evidence import bootstrap_periods_and_deals
from pipeforecast.features import Features, describe
from pipeforecast.fiscal import Period
from pipeforecast.models.deals import Chances, FittedDeals, Recipe, between
from pipeforecast.models.grid import Grid, make_grid
from pipeforecast.models.incidence import chained_causes, hazards, moved
from pipeforecast.models.lived import lay_out
from pipeforecast.models.validation import earlier
from pipeforecast.outcome import Lessons, cause_in
from pipeforecast.scores import row_log_loss

_TINY = 1e-9
#: The prior holds the factors at "as they are" with sd so large: a factor of e^0.5 on the odds, a power of 1 ± 0.25.
_PRIOR_SD = np.array([0.5, 0.5, 0.25, 0.25])
#: Which of the four numbers (factors of winning and losing, powers of both) a candidate moves.
CANDIDATES: Mapping[str, tuple[int, ...]] = {"intercept": (0, 1), "intercept and slope": (0, 1, 2, 3)}
_FEWEST_PERIODS = 3
_LEVEL = 0.8


@dataclass(frozen=True)
class Odds:
    """What is done to the log-odds of a hazard against staying open: ``shift`` + ``power`` × log-odds.

    Attributes
    ----------
    won, lost : float
        Shifts.
    won_power, lost_power : float
    """

    won: float = 0.0
    lost: float = 0.0
    won_power: float = 1.0
    lost_power: float = 1.0

    def applied(self, won: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cumulative incidences (deals, intervals) with the hazards put right."""
        if self == Odds():
            return won, lost
        return chained_causes(*self.moved(*hazards(won, lost)))

    def moved(self, won: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hazards put right, of any shape; a hazard of 0 stays 0."""
        return moved(won, lost, (self.won, self.lost), (self.won_power, self.lost_power))


@dataclass(frozen=True)
class Decision:
    """Whether a recalibration was kept, and why.

    Attributes
    ----------
    kept : str
        ``none``, or the candidate that was kept.
    odds : Odds
        What is applied.
    gained : float
        Log loss of P(won in the period) less that without, on later periods, of the best candidate (below 0: better);
        NaN where it could not be tried.
    lower, upper : float
        Its 80 % range, drawing periods and then deals again. Kept where ``upper`` is below 0.
    n_periods : int
        Later periods that it was judged on.
    """

    kept: str
    odds: Odds
    gained: float
    lower: float
    upper: float
    n_periods: int


@dataclass(frozen=True)
class Recalibrated:
    """Recipe: another recipe, put right where that helps.

    Parameters
    ----------
    model : Recipe
    periods : int
        How many of the last periods are foretold to learn from; each costs a fit.
    """

    model: Recipe
    periods: int = 4

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return f"{self.model.name}_recalibrated"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Learn the model from all lessons, and from the last periods whether and how to put it right."""
        fitted = self.model.fit(lessons)
        decision = decide(foretold(self.model, lessons, self.periods))
        return replace(fitted, name=self.name, chances=RecalibratedChances(fitted.chances, decision))


@dataclass(frozen=True)
class RecalibratedChances:
    """Chances of a model, put right as decided."""

    chances: Chances
    decision: Decision

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[Any]:
        """Draws of the model itself."""
        return self.chances.drawn(n, rng)

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and of losing, each (deals, intervals), one pair a draw."""
        for won, lost in self.chances.incidences(features, grid, draws):
            yield self.decision.odds.applied(won, lost)


@dataclass(frozen=True)
class Foretold:
    """One past day: what a model taught before its period said of the deals open then, and what came.

    Attributes
    ----------
    period : Period
    grid : Grid
    deal : int array (n,)
    won, lost : float arrays (n, m)
        Cumulative incidences.
    in_period : float array (n,)
        1 where the deal was won in the period.
    row, interval, cause : int arrays (r,)
        Intervals that were lived through (``cause`` 0 open, 1 won, 2 lost) up to the lessons' cutoff.
    """

    period: Period
    grid: Grid
    deal: np.ndarray
    won: np.ndarray
    lost: np.ndarray
    in_period: np.ndarray
    row: np.ndarray
    interval: np.ndarray
    cause: np.ndarray


def foretold(model: Recipe, lessons: Lessons, periods: int) -> list[Foretold]:
    """Foretell each of the last ``periods`` complete periods from its lesson days, taught by what was known before."""
    out = []
    # Two periods at least are left to learn from before the first that is foretold.
    for period in lessons.past_periods(periods + 2)[2:]:
        fitted = model.fit(earlier(lessons, period.evening(0)))
        for day in map(pd.Timestamp, lessons.snapshot.days):
            if period.evening(0) <= day < period.end:
                found = _day(fitted, lessons, day, period)
                out += [found] if len(found.deal) else []
    return out


def _day(fitted: FittedDeals, lessons: Lessons, day: pd.Timestamp, period: Period) -> Foretold:
    at = (lessons.snapshot.open["as_of"] == day).to_numpy()
    now, outcome = lessons.snapshot.only([day]), lessons.outcome.rows[at].reset_index(drop=True)
    grid = make_grid(day, lessons.calendar, fitted.horizon)
    won, lost = next(iter(fitted.chances.incidences(describe(now), grid)))
    lived = lay_out(now.open, outcome, lessons.calendar, fitted.horizon)
    return Foretold(
        period, grid, now.open["deal"].to_numpy(), won, lost,
        (cause_in(outcome, period) == 1).astype("float64"), lived.row, lived.interval, lived.cause,
    )  # fmt: skip


def learned(days: Sequence[Foretold], moves: Sequence[int]) -> Odds:
    """Fit the numbers ``moves`` of ``Odds`` to what deals lived through, pulled towards leaving all as it is.

    Against the pull all rows together count as the deals that they are of, and every row as much as any other: to
    count each deal once would favour those that closed soon, which were seen on few days.
    """
    deal = np.concatenate([d.deal for d in days])
    count = len(np.unique(deal)) / len(deal)
    h_won, h_lost, cause = [], [], []
    for day in days:
        both = hazards(day.won, day.lost)
        h_won.append(both[0][day.row, day.interval])
        h_lost.append(both[1][day.row, day.interval])
        cause.append(day.cause)
    rows = [np.concatenate(v) for v in (h_won, h_lost, cause)]
    moves = list(moves)
    neutral = np.array([0.0, 0.0, 1.0, 1.0])

    def loss(x: np.ndarray) -> float:
        at = neutral.copy()
        at[moves] += x
        p_won, p_lost = Odds(*at).moved(rows[0], rows[1])
        came = np.where(rows[2] == 1, p_won, np.where(rows[2] == 2, p_lost, 1.0 - p_won - p_lost))
        prior = 0.5 * float(((x / _PRIOR_SD[moves]) ** 2).sum())
        return -count * float(np.log(np.maximum(came, _TINY)).sum()) + prior

    found = minimize(loss, np.zeros(len(moves)), method="BFGS")
    at = neutral.copy()
    at[moves] += found.x
    return Odds(*(float(v) for v in at))


def decide(days: Sequence[Foretold]) -> Decision:
    """Try each candidate as it would have been met, on each period taught by the earlier ones; keep it if it helps."""
    periods = sorted({d.period for d in days}, key=lambda p: p.start)
    if len(periods) < _FEWEST_PERIODS:
        return Decision("none", Odds(), float("nan"), float("nan"), float("nan"), max(len(periods) - 1, 0))
    plain = pd.concat([_asked([d for d in days if d.period == p], Odds()) for p in periods[1:]])
    tried = {}
    for name, moves in CANDIDATES.items():
        parts = []
        for p in periods[1:]:
            past = learned([d for d in days if d.period.start < p.start], moves)
            parts.append(_asked([d for d in days if d.period == p], past))
        tried[name] = pd.concat(parts)["loss"].to_numpy() - plain["loss"].to_numpy()
    best = min(tried, key=lambda name: float(tried[name].mean()))
    gap = tried[best]
    found = bootstrap_periods_and_deals(
        {best: lambda w: gap @ w / w.sum(axis=0)}, plain["period"], plain["deal"], level=_LEVEL
    )[best]
    helps = found.upper < 0
    odds = learned(days, CANDIDATES[best]) if helps else Odds()
    return Decision(best if helps else "none", odds, found.value, found.lower, found.upper, len(periods) - 1)


def _asked(days: Sequence[Foretold], odds: Odds) -> pd.DataFrame:
    """Loss of P(won in the period) of every row, with the hazards moved by ``odds``."""
    tables = []
    for day in days:
        won, _ = odds.applied(day.won, day.lost)
        loss = row_log_loss(day.in_period, between(won, day.grid, day.period.start, day.period.end))
        tables.append(pd.DataFrame({"period": day.period.name, "deal": day.deal, "loss": loss}))
    return pd.concat(tables, ignore_index=True)
