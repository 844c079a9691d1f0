"""What is assumed where little has been learned: no cliff between no closed deal and many.

The prior knows the CRM's own stage percentages (pulled towards the share of deals that were won) and how fast deals
close (pulled towards what was planned). A deal's hazards are the model's and the prior's, weighed by how many deals
have closed. Where today's percentages are known but none of the past's are (one export, no change log), the model
could not learn them: then they tilt its odds by half, and the forecast says that this is assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeforecast.contract import LOST, WON
from pipeforecast.features import Features, describe
from pipeforecast.findings import Finding
from pipeforecast.forecast import decided
from pipeforecast.models.deals import Chances, FittedDeals, Recipe
from pipeforecast.models.grid import Grid
from pipeforecast.models.incidence import chained_causes, hazards, moved
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: Before any deal has closed: every fourth is won, after the planned time, else after a quarter.
_WIN_RATE, _RATE_DEALS = 0.25, 4.0
_PLANNED_DAYS = 90.0
#: The share of the prior is (these deals ÷ (these + the closed ones))².
_PRIOR_DEALS = 16.0
#: How much of the CRM's log-odds is believed: its percentages are too far apart, where they mean anything.
_BELIEF = 0.5
_LEAST_SHARE = 1e-3
_LISTED = "listed_log_odds"
_MUCH = 0.05


@dataclass(frozen=True)
class Prior:
    """What is assumed of every deal.

    Attributes
    ----------
    log_odds : float
        Of being won rather than lost, for the average deal.
    centre : float
        Mean of the log-odds that were listed (NaN: none were; then that of today's counts).
    rate : float
        Closings per deal and day.
    """

    log_odds: float
    centre: float
    rate: float

    def wins(self, features: Features) -> np.ndarray:
        """P(won rather than lost) of each deal (n,)."""
        listed = features.numbers[_LISTED].to_numpy(dtype="float64")
        known = listed[np.isfinite(listed)]
        centre = self.centre if np.isfinite(self.centre) or not len(known) else known.mean()
        apart = np.nan_to_num(listed - centre, nan=0.0)
        return np.asarray(1.0 / (1.0 + np.exp(-(self.log_odds + _BELIEF * apart))))

    def hazards(self, features: Features, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        """Hazards of winning and of losing, each (deals, intervals)."""
        closes = 1.0 - np.exp(-self.rate * grid.lengths)
        wins = self.wins(features)[:, None]
        return wins * closes, (1.0 - wins) * closes


@dataclass(frozen=True)
class PriorChances:
    """Chances of a model and of the prior, weighed.

    Attributes
    ----------
    learned : Chances
    prior : Prior
    share : float
        Of the prior, 0 to 1.
    closed : int
        Deals that had closed.
    tilted : bool
        Whether the CRM's percentages of today tilt what was learned without any.
    """

    learned: Chances
    prior: Prior
    share: float
    closed: int
    tilted: bool

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[Any]:
        """What the model is unsure of."""
        return self.learned.drawn(n, rng)

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and of losing, each (deals, intervals), one pair a draw."""
        assumed = self.prior.hazards(features, grid)
        for won, lost in self.learned.incidences(features, grid, draws):
            learned = hazards(won, lost)
            if self.tilted:
                up, down = tilt_of(self.prior.wins(features))
                learned = moved(*learned, (up[:, None], down[:, None]))
            h_won, h_lost = ((1.0 - self.share) * m + self.share * p for m, p in zip(learned, assumed, strict=True))
            yield chained_causes(h_won, h_lost)


def tilt_of(wins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts (n,) of the log-odds of winning and of losing: log of each deal's assumed chance over the average one."""
    up, down = (np.log(p) - np.log(p).mean() if len(p) else p for p in (wins, 1.0 - wins))
    return up, down


@dataclass(frozen=True)
class WithPrior:
    """Recipe: any deal model, held by the prior while few deals have closed."""

    model: Recipe

    @property
    def name(self) -> str:
        """Name under which it is scored: the model's."""
        return self.model.name

    def decided(self, lessons: Lessons) -> WithPrior:
        """Give the same recipe with the model's choices made."""
        return replace(self, model=decided(self.model, lessons))

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Learn as the model does, and how far that can be trusted."""
        fitted = self.model.fit(lessons)
        closed = int(lessons.deals["status"].isin([WON, LOST]).sum())
        share = (_PRIOR_DEALS / (_PRIOR_DEALS + closed)) ** 2
        share = share if share >= _LEAST_SHARE else 0.0
        unlisted = not lessons.snapshot.open["probability"].notna().any()
        if not share and not unlisted:
            return fitted
        chances = PriorChances(fitted.chances, prior_of(lessons), share, closed, unlisted)
        return FittedDeals(fitted.name, fitted.calendar, fitted.horizon, chances)


def prior_of(lessons: Lessons) -> Prior:
    """Pull what is assumed towards what little was seen: how many were won, and how fast deals closed."""
    status = lessons.deals["status"]
    won, closed = float((status == WON).sum()), float(status.isin([WON, LOST]).sum())
    rate = (won + _RATE_DEALS * _WIN_RATE) / (closed + _RATE_DEALS)
    first = lessons.snapshot.open["deal"].drop_duplicates().index
    seen = lessons.outcome.rows.loc[first]
    features = describe(lessons.snapshot.take(np.asarray(first)))
    planned = np.expm1(features.numbers["planned_days"].to_numpy(dtype="float64"))
    known = planned[planned > 0]
    typical = float(np.median(known)) if len(known) else _PLANNED_DAYS
    closings = float(seen["status"].isin([WON, LOST]).sum())
    listed = features.numbers[_LISTED].to_numpy(dtype="float64")
    listed = listed[np.isfinite(listed)]
    return Prior(
        log_odds=float(np.log(rate / (1.0 - rate))),
        centre=float(listed.mean()) if len(listed) else float("nan"),
        rate=(closings + _RATE_DEALS) / (float(seen["days"].sum()) + _RATE_DEALS * typical),
    )


def assumptions(fitted: FittedDeals, now: Snapshot) -> list[Finding]:
    """Say how much of the chances of today's deals is assumed rather than learned; nothing where all is learned."""
    chances = fitted.chances
    if not isinstance(chances, PriorChances):
        return []
    out = []
    if chances.share > 0:
        out.append(Finding(
            "PARTLY-ASSUMED", "warning" if chances.share >= _MUCH else "info", "deals", count=chances.closed,
            repair=f"{chances.share:.1%} of each chance is assumed, not learned: the CRM's stage percentages, pulled "
            "towards the share that was won",
            advice=f"{chances.closed:,} deals have closed so far; export closed deals too, if there are more",
        ))  # fmt: skip
    if chances.tilted and now.open["probability"].notna().any():
        out.append(_TILTED)
    return out


_TILTED = Finding(
    "STAGE-ASSUMED", "warning", "changes", "probability",
    repair="today's stage percentages tilt the chances by half: assumed, not learned",
    advice="past percentages are unknown; export the change log, or keep dated exports, and they are learned",
)  # fmt: skip
