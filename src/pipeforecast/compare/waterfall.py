"""From an earlier forecast of a period to a later one, bar by bar: every bar is reckoned, and their sum is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.compare.causes import CAUSES, NOT_CREATED, aligned, forecast_moves, groups, pipeline_moves, standing
from pipeforecast.compare.shares import shares
from pipeforecast.contract import OPEN
from pipeforecast.errors import DataError
from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL, group_names
from pipeforecast.models.arrivals import NewBusiness
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.rollup import Outlook
from pipeforecast.snapshot import Snapshot

#: What is followed: expected revenue, the listed amount of open deals, and of those due by the end of the period.
MEASURES = ("forecast", "pipeline", "pipeline_due")
#: Columns of ``waterfall.csv``.
WATERFALL_COLUMNS = ("measure", "level", "group", "deal_id", "cause", "amount", "as_of_from", "as_of_to", "period")
START, END = "start", "end"
DEAL = "deal"
_BARS = [START, *CAUSES, END]
_CENT, _PER = 0.01, 1e6


@dataclass(frozen=True)
class Waterfall:
    """What moved a forecast from one evening to a later one.

    Attributes
    ----------
    as_of_from, as_of_to : Timestamp
    period : Period
    moves : DataFrame
        One row per measure and deal, and one per past deal that stands for business not yet created (``deal_id``
        empty): ``measure``, ``deal_id``, ``name``, a column for each level, ``start``, a column for each cause,
        ``end``; start and causes add up to the end.
    levels : tuple of str
    unlisted : two ints
        Open deals without an amount, then and now: they count as 0 in the pipeline.
    """

    as_of_from: pd.Timestamp
    as_of_to: pd.Timestamp
    period: Period
    moves: pd.DataFrame
    levels: tuple[str, ...]
    unlisted: tuple[int, int] = (0, 0)

    def bars(self, measure: str = "forecast", level: str = TOTAL) -> pd.DataFrame:
        """Start, causes and end of each group of a level (index group)."""
        own = self.moves[(self.moves["measure"] == measure).to_numpy()]
        if level == TOTAL:
            return own[_BARS].sum().to_frame(TOTAL).T
        return own[_BARS].groupby(own[level].to_numpy(dtype=object)).sum()

    def total(self, measure: str = "forecast") -> dict[str, float]:
        """Start, causes and end of the whole, by name."""
        own = self.moves.loc[(self.moves["measure"] == measure).to_numpy(), _BARS]
        return {bar: float(own[bar].sum()) for bar in _BARS}

    def by_deal(self, measure: str = "forecast") -> pd.DataFrame:
        """Start, causes and end of each deal (index deal_id; business not yet created is one row of its own)."""
        own = self.moves[(self.moves["measure"] == measure).to_numpy()]
        return own[_BARS].groupby(own["deal_id"].fillna(NOT_CREATED).to_numpy(dtype=object)).sum()

    def table(self) -> pd.DataFrame:
        """Rows of ``waterfall.csv``: total, groups and deals; of single deals only what is not 0."""
        tables = []
        for measure in MEASURES:
            tables += [_long(self.bars(measure, level), measure, level) for level in (TOTAL, *self.levels)]
            deals = _long(self.by_deal(measure), measure, DEAL)
            deals["deal_id"] = deals["group"].where(deals["group"] != NOT_CREATED, None)
            tables.append(deals[(deals["amount"] != 0).to_numpy()])
        out = pd.concat([t for t in tables if len(t)], ignore_index=True)
        out = out.assign(as_of_from=self.as_of_from, as_of_to=self.as_of_to, period=self.period.name)
        return out[list(WATERFALL_COLUMNS)]


def waterfall(
    then: Outlook, between: Outlook, now: Outlook, still: Snapshot, old: FittedPipeline, levels: Sequence[str]
) -> Waterfall:
    """Follow a period's forecast from one evening to another: first the world changes, then the model.

    Parameters
    ----------
    then : Outlook
        The earlier forecast: earlier model, earlier evening.
    between : Outlook
        Earlier model, later evening.
    now : Outlook
        The later forecast: later model, later evening.
    still : Snapshot
        The later evening as it would be, had nothing been written since the earlier one.
    old : FittedPipeline
        The earlier model.
    levels : sequence of str
        Columns of deals by which to split; a deal stands in its later group.

    Raises
    ------
    DataError
        If the bars do not add up to the later forecast: a fault of this program, never to be shown as a result.
    """
    period = then.period
    before, after = aligned(standing(then), standing(between))

    def value(book: Snapshot) -> np.ndarray:
        chances = old.deals.won_between(book, period.start, period.end, 0, np.random.default_rng(0))[0]
        return np.asarray(chances * old.amounts.expected(book))

    moved = forecast_moves(before, after, shares(value, then.snapshot, still, now.snapshot))
    end = standing(now)["value"].reindex(after.index).fillna(0.0)
    moved["model_change"] = (end - after["value"]).where(after["kind"] == OPEN, 0.0)
    tables = {"forecast": moved.assign(start=before["value"], end=end)}
    for measure, due in (("pipeline", False), ("pipeline_due", True)):
        first, last = ((s["listed"] * s["due"] if due else s["listed"]) for s in (before, after))
        tables[measure] = pipeline_moves(before, after, due).assign(start=first, end=last)
    of_deal = groups(now, levels).reindex(after.index).assign(**_names(now.snapshot, after.index))
    deals = [table.join(of_deal).assign(measure=measure) for measure, table in tables.items()]
    moves = pd.concat([*deals, *_not_created(then, between, now, levels)], ignore_index=True)
    moves[_BARS] = moves[_BARS].fillna(0.0)
    kept = moves[(moves[_BARS] != 0).any(axis=1).to_numpy()].reset_index(drop=True)
    front = ["measure", "deal_id", "name", *levels]
    unlisted = int(then.snapshot.open["amount"].isna().sum()), int(now.snapshot.open["amount"].isna().sum())
    days = then.snapshot.as_of, now.snapshot.as_of
    made = Waterfall(*days, period, kept[[*front, *_BARS]], tuple(levels), unlisted)
    _check(made)
    return made


def asked_later(old: FittedPipeline, lessons: Lessons, today: Lessons) -> FittedPipeline:
    """Give the earlier model ready to be asked on a later evening.

    Parameters
    ----------
    old : FittedPipeline
    lessons : Lessons
        Of the earlier evening, but with the later evening's day of past periods too: business not yet created is
        foretold from the same days of past periods.
    today : Lessons
        Of the later evening: that deals were created since is a fact of that evening, and no part of a model. What
        became of them stays unknown.
    """
    since = today.deals[~today.deals.index.isin(lessons.deals.index)]
    fresh = since.assign(status=OPEN, closed_at=np.datetime64("NaT", "s")).astype(today.deals.dtypes.to_dict())
    known = pd.concat([lessons.deals, fresh]) if len(fresh) else lessons.deals
    return replace(old, arrivals=old.recipe.arrivals.fit(replace(lessons, deals=known)))


def _names(snapshot: Snapshot, deals: pd.Index) -> dict[str, np.ndarray]:
    labels = snapshot.labels.reindex(deals)
    blank = np.full(len(deals), None, dtype=object)
    return {c: labels[c].astype("object").to_numpy() if c in labels else blank for c in ("deal_id", "name")}


def _not_created(then: Outlook, between: Outlook, now: Outlook, levels: Sequence[str]) -> list[pd.DataFrame]:
    """Business not yet created on the two evenings, and between them, spread over the past deals that stand for it."""
    signs = [(then, {START: 1.0, "new_business": -1.0}), (between, {"new_business": 1.0, "model_change": -1.0}),
             (now, {"model_change": 1.0, END: 1.0})]  # fmt: skip
    out = []
    for outlook, bars in signs:
        each, pool = _each(outlook.new), outlook.new.pool
        told = {level: group_names(pool, level) for level in levels} | {c: sign * each for c, sign in bars.items()}
        out.append(pd.DataFrame({"measure": "forecast", "deal_id": None, "name": None, **told}, index=range(len(pool))))
    return [part for part in out if len(part)]


def _each(new: NewBusiness) -> np.ndarray:
    """Expected amount of new business, spread over its pool as the roll-up does."""
    amounts = new.pool["amount"].to_numpy(dtype="float64")
    if new.mean <= 0 or not len(amounts) or amounts.mean() <= 0:
        return np.zeros(len(amounts))
    return np.asarray(amounts * (new.mean / amounts.sum()))


def _long(bars: pd.DataFrame, measure: str, level: str) -> pd.DataFrame:
    long = (
        bars.rename_axis(index="group")
        .reset_index()
        .melt("group", var_name="cause", value_name="money")
        .rename(columns={"money": "amount"})
    )
    order = long["group"].rank(method="dense").argsort(kind="stable")
    return long.iloc[order].assign(measure=measure, level=level, deal_id=None)


def _check(made: Waterfall) -> None:
    for measure in MEASURES:
        told = made.total(measure)
        left = sum(told.values()) - 2 * told[END]
        size = sum(map(abs, told.values()))
        if abs(left) > _CENT * max(1.0, size / _PER):
            raise DataError(
                f"compare: the bars of {measure} miss the later value by {left:,.2f} (of {told[END]:,.2f}); please "
                "report it with the call: nothing is written"
            )
