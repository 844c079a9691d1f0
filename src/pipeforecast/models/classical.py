"""The classical estimators of competing risks, from the day one looks: Cox's and Aalen's and Johansen's.

Both count days from the landmark and know nothing of fiscal periods: what they lack is what the calendar tells.

References
----------
Cox, "Regression models and life-tables", JRSS B 34, 1972.
Aalen and Johansen, "An empirical transition matrix for non-homogeneous Markov chains", Scand. J. Statistics 5, 1978.
Prentice et al., "The analysis of failure times in the presence of competing risks", Biometrics 34, 1978.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeforecast.features import Features, describe
from pipeforecast.models.deals import FittedDeals
from pipeforecast.models.design import DealDesign
from pipeforecast.models.grid import Grid
from pipeforecast.models.lived import Taught, taught
from pipeforecast.outcome import Lessons, cause_of

_STAGE = "stage"
#: Coefficients that can be told from so many closings: one for each ten.
_CLOSINGS_PER_COEFFICIENT = 10
#: Closings on the day of the landmark itself lie at time 0, where no estimator looks.
_SHIFT = 0.5
_LEAST_SPREAD = 1e-3


def _days_and_causes(told: Taught) -> tuple[np.ndarray, np.ndarray]:
    """Days from each landmark to closing or censoring, shifted off 0, and the cause (0 open, 1 won, 2 lost)."""
    return told.outcome["days"].to_numpy(dtype="float64") + _SHIFT, cause_of(told.outcome)


@dataclass(frozen=True)
class Curve:
    """A step function that starts at 0: ``values`` (k,) from each of ``times`` (k,) on."""

    times: np.ndarray = field(default_factory=lambda: np.zeros(0))
    values: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def at(self, times: np.ndarray) -> np.ndarray:
        """Value at each time."""
        return np.concatenate([[0.0], self.values])[np.searchsorted(self.times, times, side="right")]


@dataclass(frozen=True)
class AalenJohansen:
    """Recipe: cumulative incidences by stage, without any other feature.

    Parameters
    ----------
    least_closings : int
        A stage from which fewer rows closed has the incidences of all stages.
    max_rows, horizon, half_life, seed
        As of ``HazardModel``.
    """

    least_closings: int = 30
    max_rows: int = 30_000
    horizon: int = 365
    half_life: float = np.inf
    seed: int = 7
    name: str = "aalen_johansen"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Count closings by days since the landmark, stage by stage."""
        told = taught(lessons, self.half_life, self.max_rows, self.seed)
        time, cause = _days_and_causes(told)
        stage = _stages(describe(told.snapshot))
        curves = {}
        for name in np.unique(stage.astype(str)):
            at = stage == name
            if (cause[at] > 0).sum() >= self.least_closings:
                curves[name] = _incidences(time[at], cause[at], told.counts[at])
        chances = StageCurves(_incidences(time, cause, told.counts), curves)
        return FittedDeals(self.name, lessons.calendar, self.horizon, chances)


def _stages(features: Features) -> np.ndarray:
    if _STAGE not in features.categories:
        return np.full(len(features.due), "", dtype=object)
    return features.categories[_STAGE].to_numpy(dtype=object)


def _incidences(time: np.ndarray, cause: np.ndarray, counts: np.ndarray) -> tuple[Curve, Curve]:
    if not (cause > 0).any():
        return Curve(), Curve()
    from statsmodels.duration.survfunc import CumIncidenceRight

    found = CumIncidenceRight(time, cause, freq_weights=counts)  # weighted, it leaves out errors that nobody asks for
    times = np.asarray(found.times, dtype="float64")
    curves = [Curve(times, np.asarray(values, dtype="float64")) for values in found.cinc]
    return (curves[0], curves[1] if len(curves) > 1 else Curve())


@dataclass(frozen=True)
class StageCurves:
    """Incidences of winning and losing by days since the landmark: of all deals, and of stages that have enough."""

    whole: tuple[Curve, Curve]
    stages: Mapping[str, tuple[Curve, Curve]]

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[None]:
        """Wrap the recipe in ``Bagged`` for draws."""
        return [None]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals)."""
        days, stage = grid.gone + _SHIFT, _stages(features)
        both = [np.empty((len(stage), len(days))) for _ in range(2)]
        for cause, out in enumerate(both):
            out[:] = self.whole[cause].at(days)
            for name, curves in self.stages.items():
                out[stage == name] = curves[cause].at(days)
        yield from ((both[0], both[1]) for _ in draws)


@dataclass(frozen=True)
class Cox:
    """Recipe: proportional hazards of winning and of losing, each on the columns of the logistic model.

    The columns are turned to their principal components, and no more are used than the closings can tell.

    Parameters
    ----------
    max_rows : int
        A random sample of so many lesson rows: mostly one or a few landmarks a deal.
    horizon, half_life, seed
        As of ``HazardModel``.
    """

    max_rows: int = 4_000
    horizon: int = 365
    half_life: float = np.inf
    seed: int = 7
    name: str = "cox"

    def fit(self, lessons: Lessons) -> FittedDeals:
        """Fit both causes on the same landmarks."""
        told = taught(lessons, self.half_life, self.max_rows, self.seed)
        features = describe(told.snapshot)
        design = DealDesign().fit(features) if len(features.numbers) else DealDesign()
        x = design.transform(features)
        time, cause = _days_and_causes(told)
        deal = told.snapshot.open["deal"].to_numpy()
        won, lost = (_proportional(x, time, cause == k, deal) for k in (1, 2))
        return FittedDeals(self.name, lessons.calendar, self.horizon, CoxChances(design, won, lost))


@dataclass(frozen=True)
class Proportional:
    """Hazard of one cause: baseline(t) × exp((x − mean) · coefficients).

    Attributes
    ----------
    coefficients, mean : float arrays (p,)
    factor : float array (p, q)
        Square root of the coefficients' covariance (robust to several rows of one deal).
    reach : float array (2,)
        Smallest and largest log-ratio among the lessons: beyond them nothing was learned.
    baseline : Curve
        Cumulative hazard where x is at its mean.
    """

    coefficients: np.ndarray
    mean: np.ndarray
    factor: np.ndarray
    reach: np.ndarray
    baseline: Curve

    def hazards(self, x: np.ndarray, days: np.ndarray, z: np.ndarray | None) -> np.ndarray:
        """Integrated hazard of each interval (n, m); ``z`` (q,) moves the coefficients."""
        beta = self.coefficients if z is None else self.coefficients + self.factor @ z
        ratio = np.exp(np.clip((x - self.mean) @ beta, *self.reach))
        return np.asarray(ratio[:, None] * np.diff(self.baseline.at(days), prepend=0.0))


def _proportional(x: np.ndarray, time: np.ndarray, event: np.ndarray, deal: np.ndarray) -> Proportional:
    p = x.shape[1]
    mean = x.mean(axis=0) if len(x) else np.zeros(p)
    turned = _components(x - mean, int(event.sum()) // _CLOSINGS_PER_COEFFICIENT)
    gamma, factor = _coefficients((x - mean) @ turned, time, event, deal)
    beta = turned[:, : len(gamma)] @ gamma
    eta = (x - mean) @ beta
    reach = np.array([eta.min(), eta.max()]) if len(eta) else np.zeros(2)
    return Proportional(beta, mean, turned[:, : len(gamma)] @ factor, reach, _breslow(eta, time, event))


def _components(x: np.ndarray, most: int) -> np.ndarray:
    """Directions (p, k) of the largest spread, scaled to sd 1: what hardly varies cannot be told apart."""
    if not len(x) or not x.shape[1] or most < 1:
        return np.zeros((x.shape[1], 0))
    _, spread, directions = np.linalg.svd(x / np.sqrt(len(x)), full_matrices=False)
    k = min(most, int((spread > _LEAST_SPREAD * max(spread[0], 1e-12)).sum()) if spread[0] > 1e-9 else 0)
    return np.asarray((directions[:k] / spread[:k, None]).T)


def _coefficients(
    z: np.ndarray, time: np.ndarray, event: np.ndarray, deal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit by statsmodels; fewer components where it does not converge."""
    k = z.shape[1]
    while k:
        from statsmodels.duration.hazard_regression import PHReg

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = PHReg(time, z[:, :k], status=event.astype(int), ties="breslow").fit(groups=deal)
                gamma, cov = np.asarray(found.params), np.asarray(found.cov_params())
            except np.linalg.LinAlgError:
                gamma, cov = np.full(k, np.nan), np.eye(k)
        if np.isfinite(gamma).all() and np.isfinite(cov).all() and np.abs(gamma).max() < 10:
            size, directions = np.linalg.eigh((cov + cov.T) / 2)
            return gamma, directions * np.sqrt(np.maximum(size, 0.0))
        k //= 2
    return np.zeros(0), np.zeros((0, 0))


def _breslow(eta: np.ndarray, time: np.ndarray, event: np.ndarray) -> Curve:
    """Cumulative baseline hazard: at each time, closings ÷ the ratios of all who could still close."""
    if not event.any():
        return Curve()
    times, code = np.unique(time, return_inverse=True)
    at_risk = np.cumsum(np.bincount(code, np.exp(eta))[::-1])[::-1]
    closings = np.bincount(code, event.astype("float64"))
    kept = closings > 0
    return Curve(times[kept], np.cumsum(closings[kept] / at_risk[kept]))


@dataclass(frozen=True)
class CoxChances:
    """Both causes' hazards, joined: within an interval they share what happens in proportion to their size."""

    design: DealDesign
    won: Proportional
    lost: Proportional

    def drawn(self, n: int, rng: np.random.Generator) -> Sequence[tuple[np.ndarray, np.ndarray]]:
        """Standard normal moves of both causes' coefficients."""
        sizes = [c.factor.shape[1:] for c in (self.won, self.lost)]
        return [(rng.standard_normal(sizes[0]), rng.standard_normal(sizes[1])) for _ in range(n)]

    def incidences(
        self, features: Features, grid: Grid, draws: Sequence[Any] = (None,)
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cumulative incidences of winning and losing, each (deals, intervals)."""
        days = grid.gone + _SHIFT
        if not len(features.due):
            yield from ((np.zeros((0, len(days))), np.zeros((0, len(days)))) for _ in draws)
            return
        x = self.design.transform(features)
        for draw in draws:
            one, two = (None, None) if draw is None else draw
            won, lost = self.won.hazards(x, days, one), self.lost.hazards(x, days, two)
            both = won + lost
            open_before = np.exp(-(np.cumsum(both, axis=1) - both))
            closing = open_before * -np.expm1(-both) / np.maximum(both, 1e-300)
            yield np.cumsum(closing * won, axis=1), np.cumsum(closing * lost, axis=1)
