"""A points card learned from leads, and what its out-of-fold refits would have said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeforecast.errors import DataError
from pipeforecast.leads import LeadFeatures, ScoredLeads
from pipeforecast.points.card import AXES, TOUCHES, Axis, CardRow, PointsCard, decayed_counts, meets
from pipeforecast.points.choosing import Direction, chosen_conditions, fitted
from pipeforecast.points.conditions import conditions
from pipeforecast.points.rounding import rounded

#: Days after which a touch counts half; None: it never does.
HALF_LIVES: tuple[float | None, ...] = (3.0, 7.0, 14.0, 30.0, 60.0, 90.0, None)
#: The last rows judge the half-life that the rows before them taught.
_TAUGHT = 0.7
#: Columns that run on by the day, or count what touches count: a tool that scores by rules has them not.
CLOCKS = frozenset(
    {"age_days", "response_days", "days_in_status", "n_moves", "n_recent", "days_since_touch"}
)  # fmt: skip
_FEWEST = 5
#: So many of the newest leads tell today's level, where they lie so many standard errors off that of all.
_NEWEST, _BEYOND = 2000, 3.0
_FEWEST_ROWS = 40


@dataclass(frozen=True)
class CardRecipe:
    """How a card is learned.

    Attributes
    ----------
    rows : int
        Most rows of the card.
    monotone : mapping of feature to 'rising' or 'falling'
    max_leads : int
        Most leads from which conditions are chosen; points are set from all of them.
    seed : int
    left_out : set of str
        Columns that no row may use.
    """

    rows: int = 15
    monotone: Mapping[str, Direction] = field(default_factory=dict)
    max_leads: int = 30_000
    seed: int = 0
    left_out: frozenset[str] = CLOCKS

    def learn(self, features: LeadFeatures, y: np.ndarray) -> PointsCard:
        """Learn a card.

        Parameters
        ----------
        features : LeadFeatures of n rows, in the order of time
        y : array (n,)
            Whether the step came; known for every row.

        Returns
        -------
        PointsCard
            Without rows where no condition tells more than chance would.

        Raises
        ------
        DataError
            If fewer than five leads converted, or fewer than five did not.
        """
        y = np.asarray(y, dtype=float)
        won = int(y.sum())
        if min(won, len(y) - won) < _FEWEST:
            raise DataError(
                f"points card: expected at least {_FEWEST} leads that converted and {_FEWEST} that did not, came {won} "
                f"of {len(y)}; wait for more, take a longer time or another step"
            )
        counts = {f"n_{kind}" for kind in features.touches["kind"].unique()}
        features = features.without({*self.left_out, *counts})
        half_life = half_life_of(features, y)
        some = _thinned(len(y), self.max_leads, self.seed)
        found = conditions(features.rows(some), y[some], half_life)
        chosen = chosen_conditions(found.holds, y[some], found.rows, self.rows, self.monotone)
        rows = [found.rows[i] for i in chosen]
        holds = found.holds[:, chosen] if len(some) == len(y) else conditions_hold(rows, features, half_life)
        made = rounded(holds, y, fitted(holds.astype(float), y)[1])
        order = sorted(range(len(rows)), key=lambda i: (rows[i].axis != "fit", -abs(int(made.points[i])), i))
        kept = tuple(replace(rows[i], points=int(made.points[i])) for i in order if made.points[i])
        decays = half_life if any(r.feature.startswith(TOUCHES) for r in kept) else None
        card = PointsCard(kept, made.intercept, made.slope, decays)
        return replace(card, intercept=card.intercept + _shift(card.chance(card.points(features)), y))


def _shift(chance: np.ndarray, y: np.ndarray) -> float:
    """Log-odds by which the newest leads lie off all: 0 unless more than chance would put them there.

    Conversion drifts while what tells leads apart stays: all leads teach the points, the newest their level.
    """
    from scipy.optimize import brentq

    p, came = chance[-_NEWEST:], y[-_NEWEST:]
    off = came.sum() - p.sum()
    if abs(off) < _BEYOND * np.sqrt((p * (1 - p)).sum()) or not 0 < came.sum() < len(came):
        return 0.0
    odds = np.log(p / (1 - p))
    return float(brentq(lambda d: (1 / (1 + np.exp(-odds - d))).sum() - came.sum(), -20, 20))


def conditions_hold(rows: Sequence[CardRow], features: LeadFeatures, half_life: float | None) -> np.ndarray:
    """Say where each row's condition holds, (n, rows)."""
    holds = [meets(row, features, half_life) for row in rows]
    return np.column_stack(holds) if holds else np.zeros((len(features), 0), dtype=bool)


def _thinned(n: int, most: int, seed: int) -> np.ndarray:
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def half_life_of(features: LeadFeatures, y: np.ndarray) -> float | None:
    """Choose the half-life of touches: the one whose decayed counts foretell the later leads best.

    Parameters
    ----------
    features : LeadFeatures of n rows, in the order of time
    y : float (n,)

    Returns
    -------
    float or None
        Days. None where touches do not decay, or there is too little to tell.
    """
    kinds = sorted(features.touches["kind"].astype(str).unique())
    cut = int(_TAUGHT * len(y))
    early, late = y[:cut], y[cut:]
    if not kinds or min(early.sum(), len(early) - early.sum(), late.sum(), len(late) - late.sum()) < _FEWEST:
        return None
    best, least = None, np.inf
    # From never to ever faster: a shorter half-life has to be better, not as good.
    for half_life in reversed(HALF_LIVES):
        X = np.log1p(decayed_counts(features, kinds, half_life))
        intercept, beta = fitted(X[:cut], early)
        eta = intercept + X[cut:] @ beta
        loss = float((np.logaddexp(0, eta) - late * eta).mean())
        if loss < least - 1e-6:
            best, least = half_life, loss
    return best


@dataclass(frozen=True)
class OutOfFold:
    """What cards taught by other leads would have said.

    Attributes
    ----------
    chance : float (n,)
        NaN where no card could be taught beforehand.
    axis : mapping of 'fit', 'engagement' to float (n,)
        Log-odds that the axis adds, against the mean of the leads that taught.
    base : float (n,)
        Share that converted among the leads that taught.
    """

    chance: np.ndarray
    axis: Mapping[Axis, np.ndarray]
    base: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Mask of the leads that a card spoke of."""
        return np.asarray(~np.isnan(self.chance))

    def points(self, card: PointsCard) -> np.ndarray:
        """Put the chances on the scale of ``card``: the points that mean the same there, as float (NaN stays).

        Each refit has a scale of its own; a threshold on the final card is judged by leads that it did not learn from.
        """
        if not card.slope:
            return np.asarray(np.where(self.known, 0.0, np.nan))
        low, high = card.range()
        clipped = np.clip(self.chance, 1e-9, 1 - 1e-9)
        points = np.round((np.log(clipped / (1 - clipped)) - card.intercept) / card.slope)
        return np.asarray(np.clip(points, low, high))

    def axis_points(self, card: PointsCard, axis: Axis, features: LeadFeatures) -> np.ndarray:
        """Put what one axis adds on the scale of ``card``, around the mean of its own points on that axis."""
        if not card.slope:
            return np.asarray(np.where(self.known, 0.0, np.nan))
        return np.asarray(np.round(self.axis[axis] / card.slope + card.points(features, axis).mean()))


def out_of_fold(scored: ScoredLeads, recipe: CardRecipe, blocks: int = 8) -> OutOfFold:
    """Refit the card block by block on other persons' earlier leads, whose outcome was known by then.

    Rows without a chance of the full model only teach, so that card and model are judged on the same leads. Leads in
    the order of time without days teach all that come after them; without an order the blocks are drawn at random by
    person.

    Parameters
    ----------
    scored : ScoredLeads of n rows
    recipe : CardRecipe
    blocks : int
        Refits.

    Returns
    -------
    OutOfFold
    """
    leads = scored.leads
    known = leads["converted_within"].notna().to_numpy(dtype=bool)
    y = leads["converted_within"].fillna(False).to_numpy(dtype=float)
    person = leads["person"].to_numpy()
    chance, base = np.full(len(leads), np.nan), np.full(len(leads), np.nan)
    added: dict[Axis, np.ndarray] = {a: np.full(len(leads), np.nan) for a in AXES}
    for held, teach in _folds(scored, blocks, recipe.seed):
        teach = teach & known & ~np.isin(person, person[held])
        won = y[teach].sum()
        if teach.sum() < _FEWEST_ROWS or min(won, teach.sum() - won) < _FEWEST:
            continue
        lessons, asked = scored.features.rows(teach), scored.features.rows(held)
        card = recipe.learn(lessons, y[teach])
        chance[held], base[held] = card.chance(card.points(asked)), won / teach.sum()
        for axis in AXES:
            added[axis][held] = card.slope * (card.points(asked, axis) - card.points(lessons, axis).mean())
    return OutOfFold(chance, added, base)


def _folds(scored: ScoredLeads, blocks: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give masks of the rows of a block, and of those that may teach beforehand."""
    asked = scored.leads["p"].notna().to_numpy(dtype=bool)
    if not scored.dated:
        code = np.unique(scored.leads["person"].to_numpy(), return_inverse=True)[1]
        fold = np.random.default_rng(seed).integers(blocks, size=int(code.max()) + 1)[code]
        yield from ((asked & (fold == i), fold != i) for i in range(blocks))
        return
    as_of = scored.leads["as_of"].to_numpy().astype("datetime64[s]")
    if np.isnat(as_of).any():  # in the order of time, but nobody knows how far apart
        place = np.arange(len(as_of))
        for part in np.array_split(np.flatnonzero(asked), blocks):
            if len(part):
                yield np.isin(place, part), place < part[0]
        return
    days = np.unique(as_of[asked])
    for part in np.array_split(days, blocks):
        if len(part):
            held = asked & (as_of >= part[0]) & (as_of <= part[-1])
            yield held, as_of + np.timedelta64(scored.days, "D") < part[0]
