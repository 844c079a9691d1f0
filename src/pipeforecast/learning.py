"""How much more would be known with more closed deals: a learning curve on later deals, carried on beyond them.

The model is taught by random parts of the history (whole deals; the days of the lessons stay) and judged on the same
later deals. The log loss is taken to fall as a + b × deals^−c.

References
----------
Viering and Loog, "The shape of learning curves: a review", IEEE TPAMI 45, 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.backtest import Origin
from pipeforecast.contract import OPEN
from pipeforecast.evidence import resampled
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.lessonplan import Lessonplan, lessons_at, prepare
from pipeforecast.outcome import Lessons, Outcome, cause_in, observe
from pipeforecast.pipeline import DealModel
from pipeforecast.scores import row_log_loss
from pipeforecast.snapshot import Snapshot

#: Share of the deals that teach, and how many random parts of that size.
SHARES = ((1 / 16, 4), (1 / 8, 3), (1 / 4, 2), (1 / 2, 2), (1.0, 1))
LEARNING_COLUMNS = ("closed_deals", "log_loss", "lower", "upper", "kind")
_BEYOND = (2, 4)
_FEWEST_CLOSED = 30
_FEWEST_SIZES = 3
_LATEST_PERIODS = 2
_LEVEL = 0.9
_DRAWS = 200
#: Powers at which a loss may fall: 1 for a model of few coefficients that is right, less where more keeps coming.
#: Slower ones promise too much: in the two demo companies of 2,000 deals the last doubling, foretold from the sizes
#: before it, saved 2.3 % of the fitted loss where powers from 0.3 said 4.3 %, and 2.7 % where those from 0.7 said 2.8.
_POWERS = np.linspace(0.7, 1.2, 11)


@dataclass(frozen=True)
class LearningCurve:
    """What more closed deals would buy.

    Attributes
    ----------
    rows : DataFrame
        The columns of ``learning_curve.csv``; ``kind`` is observed or extrapolated. Ranges (90 %) are those of the
        distance to the loss of all deals: which later deals it is judged on moves all sizes alike.
    saved : tuple of float
        Share of the log loss that twice as many closed deals would save: as fitted, and the ends of its range.

    Where too few deals are closed to draw a curve there are no rows, and ``saved`` is NaN.
    """

    rows: pd.DataFrame
    saved: tuple[float, float, float]

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if self.rows.empty:
            return f"Too few closed deals for a learning curve (a quarter of them should be {_FEWEST_CLOSED} or more)."
        value, lower, upper = self.saved
        deals = int(self.rows.loc[(self.rows["kind"] == "observed").to_numpy(), "closed_deals"].max())
        return (
            f"Twice as many closed deals as these {deals:,} would lower the log loss by about {value:.1%} "
            f"(90 % range {lower:.1%} to {upper:.1%})."
        )


def learning_curve(
    history: DealHistory,
    calendar: FiscalCalendar,
    model: DealModel,
    origins: Sequence[Origin],
    plan: Lessonplan,
    shares: Sequence[tuple[float, int]] = SHARES,
    seed: int = 0,
) -> LearningCurve:
    """Teach ``model`` by parts of the history and score it on the deals open in the latest two periods.

    Parameters
    ----------
    history : DealHistory
    calendar : FiscalCalendar
    model : DealModel
        Recipe of the deal model.
    origins : sequence of Origin
        Of each of the last two periods the middle one is used.
    plan : Lessonplan
    shares : sequence of (share of deals, number of parts)
        Rising; the last is all.
    seed : int
        Of the parts.

    Returns
    -------
    LearningCurve
        Without rows where too few deals are closed to draw one.
    """
    chosen = _latest(origins)
    snapshot = prepare(history, calendar, plan, [o.as_of for o in chosen])
    tests = [
        _Test(lessons_at(history, calendar, snapshot, o.as_of, plan).of_teaching(), snapshot.only([o.as_of]), o,
              _won(history, snapshot, o))
        for o in chosen
    ]  # fmt: skip
    closed = float(np.mean([_closed(t.lessons) for t in tests])) if tests else 0.0
    used = [(share, parts) for share, parts in shares if share * closed >= _FEWEST_CLOSED]
    if len(used) < _FEWEST_SIZES or not any(len(t.won) for t in tests):
        return LearningCurve(pd.DataFrame(columns=list(LEARNING_COLUMNS)), (float("nan"),) * 3)
    sizes, losses = [], []
    for share, parts in used:
        told = [_taught(model, tests, share, seed + part) for part in range(parts)]
        sizes.append(float(np.mean([n for n, _ in told])))
        losses.append(np.array([loss for _, loss in told]))
    deal = np.concatenate([t.now.open["deal"].to_numpy() for t in tests])
    return _curve(np.array(sizes), losses, deal, seed)


@dataclass(frozen=True)
class _Test:
    """What may be learned at one origin, the deals open then, and which of them were won in the period (0, 1)."""

    lessons: Lessons
    now: Snapshot
    origin: Origin
    won: np.ndarray


def _latest(origins: Sequence[Origin]) -> list[Origin]:
    periods = sorted({o.period for o in origins}, key=lambda p: p.start)[-_LATEST_PERIODS:]
    days = [sorted((o for o in origins if o.period == p), key=lambda o: o.day) for p in periods]
    return [some[(len(some) - 1) // 2] for some in days]


def _won(history: DealHistory, snapshot: Snapshot, origin: Origin) -> np.ndarray:
    outcome = observe(history, snapshot.only([origin.as_of]), history.written_until).rows
    return np.asarray(cause_in(outcome, origin.period) == 1, dtype="float64")


def _closed(lessons: Lessons) -> int:
    return int((lessons.deals["status"] != OPEN).sum())


def _taught(model: DealModel, tests: Sequence[_Test], share: float, seed: int) -> tuple[float, np.ndarray]:
    """Closed deals that taught (mean over the tests), and −log of the chance given to what happened, row by row."""
    losses, closed = [], []
    for test in tests:
        keep = np.random.default_rng(seed).random(len(test.lessons.deals)) < share
        lessons, now = part_of(test.lessons, test.now, test.lessons.deals.index[keep])
        period = test.origin.period
        p = model.fit(lessons).won_between(now, period.start, period.end, 0, np.random.default_rng(0))[0]
        losses.append(row_log_loss(test.won, p))
        closed.append(_closed(lessons))
    return float(np.mean(closed)), np.concatenate(losses)


def part_of(lessons: Lessons, now: Snapshot, deals: pd.Index) -> tuple[Lessons, Snapshot]:
    """Lessons of some deals only; their closings are also all that the open deals of ``now`` are described by.

    Parameters
    ----------
    lessons : Lessons
    now : Snapshot
        What will be asked about: all its open deals stay.
    deals : Index
        Keys of the deals that teach, in the order of ``lessons.deals``.
    """
    past = lessons.snapshot
    rows = past.open["deal"].isin(deals).to_numpy()
    closings, known = (s.closings[s.closings["deal"].isin(deals).to_numpy()] for s in (past, now))
    taught = replace(
        lessons,
        snapshot=replace(past.take(np.flatnonzero(rows)), closings=closings),
        outcome=Outcome(lessons.outcome.until, lessons.outcome.rows[rows].reset_index(drop=True)),
        deals=lessons.deals.loc[deals],
        entered=lessons.entered[lessons.entered["deal"].isin(deals).to_numpy()],
    )
    return taught, replace(now, closings=known)


def _curve(sizes: np.ndarray, losses: Sequence[np.ndarray], deal: np.ndarray, seed: int) -> LearningCurve:
    """Draw later deals and random parts again, fit the curve each time, and carry it on."""
    rng = np.random.default_rng(seed)
    weight = next(resampled(np.zeros(len(deal)), deal, _DRAWS, seed))
    drawn = np.empty((len(sizes), _DRAWS))
    for i, loss in enumerate(losses):
        part = rng.integers(len(loss), size=(len(loss), _DRAWS))
        each = loss @ weight / weight.sum(axis=0)
        drawn[i] = np.take_along_axis(each, part, axis=0).mean(axis=0)
    seen = np.array([loss.mean() for loss in losses])
    parts = np.array([len(loss) for loss in losses])
    ahead = sizes[-1] * np.array([1, *_BEYOND])
    fitted = power_law(sizes, seen[:, None], sizes * parts, ahead)[:, 0]
    fits = power_law(sizes, drawn, sizes * parts, ahead)
    ends = [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]
    observed = np.quantile(drawn - drawn[-1], ends, axis=1) + seen[-1]
    beyond = np.quantile(fits - fits[0], ends, axis=1) + fitted[0]
    rows = pd.DataFrame({
        "closed_deals": np.round(np.concatenate([sizes, ahead[1:]])).astype("int64"),
        "log_loss": np.concatenate([seen, fitted[1:]]),
        "lower": np.concatenate([observed[0], beyond[0, 1:]]),
        "upper": np.concatenate([observed[1], beyond[1, 1:]]),
        "kind": ["observed"] * len(sizes) + ["extrapolated"] * len(_BEYOND),
    })  # fmt: skip
    lower, upper = np.quantile(1 - fits[1] / fits[0], ends)
    return LearningCurve(rows, (float(1 - fitted[1] / fitted[0]), float(lower), float(upper)))


def power_law(sizes: np.ndarray, losses: np.ndarray, weight: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Fit a + b × size^−c to each column of losses (b ≥ 0, c from 0.7 to 1.2) and give its values at ``ahead``.

    Parameters
    ----------
    sizes : float array (s,)
    losses : float array (s, draws)
    weight : float array (s,)
        Of the squared distances.
    ahead : float array (k,)

    Returns
    -------
    float array (k, draws)
    """
    w = (weight / weight.sum())[:, None]
    mean = (w * losses).sum(axis=0)
    best, out = np.full(losses.shape[1], np.inf), np.empty((len(ahead), losses.shape[1]))
    for power in _POWERS:
        x = (sizes / sizes[-1]) ** -power
        centre = float((w[:, 0] * x).sum())
        spread = float((w[:, 0] * (x - centre) ** 2).sum())
        b = np.maximum((w * (x - centre)[:, None] * (losses - mean)).sum(axis=0) / spread, 0.0)
        a = mean - b * centre
        error = (w * (losses - a - b * x[:, None]) ** 2).sum(axis=0)
        values = a + b * ((ahead / sizes[-1]) ** -power)[:, None]
        better = error < best
        best, out = np.where(better, error, best), np.where(better, values, out)
    return out
