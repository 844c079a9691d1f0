"""Roll up: open deals, new business and what is already won become the revenue of a period, draw by draw.

Each kind of luck has a stream of its own, so that two outlooks of one day that differ in one thing (a scenario and its
base) share all other luck, and their difference is that of the thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse

from pipeforecast.fiscal import Period
from pipeforecast.forecast import ADDENDS, MEMOS, TOTAL, DealForecast, Forecast, cells_of, group_names
from pipeforecast.models.amount import FittedAmounts
from pipeforecast.models.arrivals import NewBusiness
from pipeforecast.snapshot import Snapshot, due_by

_SHOCK_CORRELATION = 0.5
_CHUNK_CELLS = 20_000_000
_MOST_NEW_DEALS = 4000
_LOW_DIGITS = 2.0**24
_SHOCKS, _COEFFICIENTS, _DEALS, _AMOUNTS, _COUNTS, _PICKS, _KEPT, _EXTRA = range(8)


@dataclass(frozen=True)
class Extra:
    """Deals that only a scenario has: they are drawn one by one and are part of the new business.

    Attributes
    ----------
    rows : DataFrame (m rows)
        What each would bring, given that it is won (``amount``), and its groups.
    chances : float array (m,)
        P(won in the period).
    """

    rows: pd.DataFrame
    chances: np.ndarray


@dataclass(frozen=True)
class Outlook:
    """All that the revenue of a period is made of, before luck is drawn.

    Attributes
    ----------
    snapshot : Snapshot
        Of one day; the arrays below follow the rows of its open deals.
    period : Period
    won : DataFrame
        Deals already won in the period (with ``amount``).
    chances : float array (n,)
        P(won in the period) of each open deal.
    unsure : float array (c, n)
        The same under draws of what the deal model is unsure of; their mean is ``chances``.
    amounts : FittedAmounts
        Amount given won.
    price : float array (n,)
        Factor on each deal's amount: 1 but in a scenario.
    new : NewBusiness
        Deals not yet created.
    shock : float
        Sd, on the log-odds of winning, of what all deals of the period share.
    inflow : float array (rows of ``new.pool``,) or None
        Factor on how many deals like each of the pool are won; None: 1, as it is but in a scenario.
    extra : Extra or None
        Deals that a scenario adds.
    """

    snapshot: Snapshot
    period: Period
    won: pd.DataFrame
    chances: np.ndarray
    unsure: np.ndarray
    amounts: FittedAmounts
    price: np.ndarray
    new: NewBusiness
    shock: float
    inflow: np.ndarray | None = None
    extra: Extra | None = None

    @property
    def expected(self) -> np.ndarray:
        """Expected amount of each open deal, given that it is won (n,)."""
        return np.asarray(self.amounts.expected(self.snapshot) * self.price)


@dataclass(frozen=True)
class Source:
    """Deals of one part, what each brings in each draw (deals, D) or for sure (deals,), and on average (deals,)."""

    part: str
    rows: pd.DataFrame
    amounts: scipy.sparse.csr_matrix | np.ndarray
    mean: np.ndarray


def stream(seed: int, as_of: pd.Timestamp, purpose: int) -> np.random.Generator:
    """Give the luck of one purpose on one day."""
    return np.random.default_rng([seed, int(as_of.timestamp()) // 86400, purpose])


def coefficient_luck(seed: int, as_of: pd.Timestamp) -> np.random.Generator:
    """Give the luck of what a deal model is unsure of."""
    return stream(seed, as_of, _COEFFICIENTS)


def roll_up(
    outlook: Outlook, levels: Sequence[str], draws: int, seed: int, method: str, deals: DealForecast | None = None,
    matrix: scipy.sparse.csr_matrix | None = None,
) -> Forecast:  # fmt: skip
    """Draw the period's revenue: shared shock, deals, amounts and new business in every draw.

    Means are expected values and free of luck, so that parts tie with their deals to the cent; quantiles are the
    draws'. ``matrix`` is what each open deal brings, where it was drawn before by this seed.

    Returns
    -------
    Forecast
        With the draws of every cell, and of every open deal.
    """
    matrix, sources = sources_of(outlook, draws, seed, matrix)
    cells, mean, drawn = _add_up(sources, levels, draws)
    return Forecast(outlook.snapshot.as_of, outlook.period, method, cells, mean, drawn, deals, matrix)


def sources_of(
    outlook: Outlook, draws: int, seed: int, matrix: scipy.sparse.csr_matrix | None = None
) -> tuple[scipy.sparse.csr_matrix, list[Source]]:
    """Draw all that the period is made of, deal by deal.

    Parameters
    ----------
    outlook : Outlook
    draws, seed : int
    matrix : sparse float matrix (deals, draws) or None
        What each open deal brings in each draw, where it was drawn before by this seed.

    Returns
    -------
    matrix, sources
        Added up by any grouping, the sources give that grouping's part of the same draws.
    """
    as_of = outlook.snapshot.as_of
    z = stream(seed, as_of, _SHOCKS).standard_normal((2, draws))
    arrivals = _SHOCK_CORRELATION * z[0] + np.sqrt(1 - _SHOCK_CORRELATION**2) * z[1]
    won = outlook.won["amount"].fillna(0.0).to_numpy(dtype="float64")
    if matrix is None:
        (matrix,) = draw_open([outlook], draws, seed)
    return matrix, [
        Source("won", outlook.won, won, won),
        *_open_sources(outlook, matrix),
        _new_source(outlook, arrivals, seed),
        *_extra_source(outlook, outlook.shock * z[0], seed),
    ]


def _open_sources(outlook: Outlook, matrix: scipy.sparse.csr_matrix) -> list[Source]:
    rows, period, expected = outlook.snapshot.open, outlook.period, outlook.expected
    due = due_by(rows, period.end)
    mean = outlook.chances * expected
    out = [
        Source(part, rows[keep], matrix[np.flatnonzero(keep)], mean[keep])
        for part, keep in (("open_due", due), ("open_pulled_in", ~due))
    ]
    # A memo: what won deals bring beyond their listed amounts; where none is listed nothing has changed.
    listed = rows["amount"].to_numpy(dtype="float64")
    changed = matrix.copy()
    deal = np.repeat(np.arange(len(rows)), np.diff(changed.indptr))
    changed.data = np.nan_to_num(changed.data - listed[deal])
    return [*out, Source("amount_change", rows, changed, outlook.chances * np.nan_to_num(expected - listed))]


def draw_open(outlooks: Sequence[Outlook], draws: int, seed: int) -> list[scipy.sparse.csr_matrix]:
    """Draw which deals are won, under a coefficient draw and a shared shock each, and what they bring (deals, D).

    Parameters
    ----------
    outlooks : sequence of Outlook
        Of one snapshot: the luck of its deals is the same in all of them, and drawn once.
    """
    n, as_of = len(outlooks[0].chances), outlooks[0].snapshot.as_of
    rng, books = stream(seed, as_of, _DEALS), [_Draws.of(outlook, draws, seed) for outlook in outlooks]
    step = max(1, _CHUNK_CELLS // max(n, 1))
    for at in range(0, draws, step):
        u = rng.random((min(step, draws - at), n))
        for book in books:
            book.take(u, at)
    return [book.matrix() for book in books]


@dataclass(frozen=True)
class _Draws:
    """What the open deals of one outlook bring, from the first draw on: ``found`` holds deals, counts and amounts."""

    outlook: Outlook
    seed: int
    shock: np.ndarray
    log_odds: np.ndarray
    most: np.ndarray
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, outlook: Outlook, draws: int, seed: int) -> _Draws:
        shock = outlook.shock * stream(seed, outlook.snapshot.as_of, _SHOCKS).standard_normal((2, draws))[0]
        log_odds = _log_odds(outlook.unsure, shock)
        most = _chance(log_odds.max(axis=0, initial=-np.inf) + shock.max(initial=0.0)) * (1 + 1e-9)
        return cls(outlook, seed, shock, log_odds, most, [])

    def take(self, u: np.ndarray, at: int) -> None:
        """Draw the deals that ``u`` (draws from ``at`` on, deals) lets win."""
        # A deal whose luck is above its highest chance is not won in any draw: few are left to be looked at closely.
        maybe = np.flatnonzero(u < self.most)
        draw, deal = np.divmod(maybe, max(u.shape[1], 1))
        luck, when = u.ravel()[maybe], draw + at
        won = luck < _chance(self.log_odds[when % len(self.log_odds), deal] + self.shock[when])
        deal, when, luck = deal[won], when[won], luck[won]
        # The low digits of u are luck of their own: a chance that moves does not move what the deal brings.
        rng = stream(self.seed, self.outlook.snapshot.as_of, _AMOUNTS)
        value = self.outlook.amounts.draw(self.outlook.snapshot, deal, rng, when, luck * _LOW_DIGITS % 1.0)
        count = np.bincount(draw[won], minlength=len(u))
        self.found.append((deal.astype("int32"), count, value * self.outlook.price[deal]))

    def matrix(self) -> scipy.sparse.csr_matrix:
        deal, count, value = (np.concatenate(x) for x in zip(*self.found, strict=True))
        begins = np.concatenate([[0], np.cumsum(count)])
        shape = (len(self.outlook.chances), len(self.shock))
        return scipy.sparse.csc_matrix((value, deal, begins), shape=shape).tocsr()


def _chance(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _log_odds(chances: np.ndarray, shock: np.ndarray) -> np.ndarray:
    """Log-odds of chances (…, n) that spread by a shared shock and keep their mean; what cannot be won stays so."""
    inside = np.clip(chances, 1e-300, 1 - 1e-9)
    # A shock on the log-odds moves the mean of small chances up (second order): taken back, so that it only spreads.
    return np.asarray(np.log(inside) - np.log1p(-inside) - (1 - 2 * inside) * shock.var() / 2)


def _extra_source(outlook: Outlook, shock: np.ndarray, seed: int) -> list[Source]:
    if outlook.extra is None:
        return []
    rows, chances = outlook.extra.rows, outlook.extra.chances
    amounts, size = rows["amount"].to_numpy(dtype="float64"), (len(shock), len(rows))
    p = _chance(_log_odds(chances, shock) + shock[:, None])
    when, won = np.nonzero(stream(seed, outlook.snapshot.as_of, _EXTRA).random(size) < p)
    matrix = scipy.sparse.coo_matrix((amounts[won], (won, when)), shape=size[::-1])
    return [Source("new", rows, matrix.tocsr(), chances * amounts)]


def _new_source(outlook: Outlook, z: np.ndarray, seed: int) -> Source:
    """Draw single deals from the pool, so that every level gets its share in every draw."""
    from scipy.stats import poisson

    new, as_of = outlook.new, outlook.snapshot.as_of
    pool, n = new.pool, len(z)
    amounts = pool["amount"].to_numpy(dtype="float64")
    if new.mean <= 0 or not len(amounts) or amounts.mean() <= 0:
        return Source("new", pool.iloc[:0], scipy.sparse.csr_matrix((0, n)), np.zeros(0))
    usual = new.mean / amounts.mean()
    # Millions of single deals would be slow to draw: above some count each stands for several, where the luck of
    # single deals is all but gone from the sum.
    bundle = max(1.0, usual / _MOST_NEW_DEALS)
    u = stream(seed, as_of, _COUNTS).random(n)
    inflow = np.ones(len(amounts)) if outlook.inflow is None else outlook.inflow
    most = max(1.0, float(inflow.max()))
    rate = usual * np.exp(new.sd * z - new.sd**2 / 2) / bundle
    count, upto = (np.maximum(poisson.ppf(u, rate * m), 0).astype(int) for m in (1.0, most))
    # The first deals of each draw are the same ones, however many come.
    picked = stream(seed, as_of, _PICKS).integers(0, len(amounts), (int(upto.max()), n))
    slot = np.arange(len(picked))[:, None]
    there = slot < upto
    if (inflow != 1.0).any():  # the usual deals stay as often as the factor says, those beyond them come as often
        keep = np.where(slot < count, inflow[picked], (inflow[picked] - 1.0) / max(most - 1.0, 1e-12))
        there &= stream(seed, as_of, _KEPT).random(picked.shape) < keep
    draw = np.nonzero(there)
    which = picked[draw]
    matrix = scipy.sparse.coo_matrix((amounts[which] * bundle, (which, draw[1])), shape=(len(amounts), n))
    return Source("new", pool, matrix.tocsr(), amounts * inflow * (new.mean / amounts.sum()))


def _add_up(
    sources: Sequence[Source], levels: Sequence[str], draws: int
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Sum every source by every level; a part of a group is a sum of deals, so levels add up in every draw."""
    groups = {TOTAL: [TOTAL]} | {level: _groups(sources, level) for level in levels}
    cells = cells_of({level: groups[level] for level in levels})
    drawn, mean = np.zeros((len(cells), draws)), np.zeros(len(cells))
    at = {key: i for i, key in enumerate(cells.itertuples(index=False, name=None))}
    for source in sources:
        for level, names in groups.items():
            rows = [at[level, name, source.part] for name in names]
            member = _membership(source.rows, level, names)
            drawn[rows] += _summed(member, source.amounts)
            mean[rows] += member @ source.mean
    for values in (drawn, mean):
        for level, names in groups.items():
            for name in names:
                values[at[level, name, "open"]] = sum(
                    values[at[level, name, p]] for p in ("open_due", "open_pulled_in")
                )
                values[at[level, name, TOTAL]] = sum(values[at[level, name, p]] for p in ADDENDS)
    return cells, mean, drawn


def _groups(sources: Sequence[Source], level: str) -> list[str]:
    return sorted({str(g) for s in sources if s.part not in MEMOS for g in np.unique(group_names(s.rows, level))})


def _membership(rows: pd.DataFrame, level: str, names: Sequence[str]) -> scipy.sparse.csr_matrix:
    n = len(rows)
    if level == TOTAL:
        return scipy.sparse.csr_matrix(np.ones((1, n)))
    code = pd.Index(names).get_indexer(pd.Index(group_names(rows, level)))
    return scipy.sparse.csr_matrix((np.ones(n), (code, np.arange(n))), shape=(len(names), n))


def _summed(member: scipy.sparse.csr_matrix, amounts: scipy.sparse.csr_matrix | np.ndarray) -> np.ndarray:
    if isinstance(amounts, np.ndarray):  # certain: the same in every draw
        return np.asarray(member @ amounts)[:, None]
    return np.asarray((member @ amounts).todense())
