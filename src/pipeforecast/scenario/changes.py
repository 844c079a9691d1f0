"""Scenarios applied: each kind is a change of the book, and what it leaves alone it leaves as it is, to the last digit.

- ``win_rate``: the odds of being won in the period are multiplied by ``factor``; ``points`` are turned into the factor
  that moves the win rate of deals closed in the past year by so many percentage points. Of the deals not yet created
  as many more or fewer are won as a deal with their mean chance would be.
- ``slip``: P(won from a to b) becomes P(won from a − N to b − N), from each deal's own curve; not before tomorrow. New
  business falls (or rises) by the ratio that deals created on one of the days left, one a day, would win.
- ``capacity``: from the day on, a deal's remaining chance is multiplied by ``factor`` + (1 − ``factor``) · ``kept``:
  that of being reassigned times what is then left. Deals stay under the name of who has them today.
- ``price``: amounts are multiplied by ``factor``, odds by ``factor``^(−``elasticity``).
- ``extra_pipeline``: deals with sizes and groups as the past year's, won as young deals were by that age, or as
  today's deals in a stage are expected to be; they bring what is listed, revised as for all deals.
- ``downturn``: odds, then inflow, then days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.contract import LOST, WON
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.kinds import (
    CapacityScenario,
    CombineScenario,
    DownturnScenario,
    ExtraPipelineScenario,
    NoScenario,
    PriceScenario,
    ScenarioSettings,
    SlipScenario,
    WinRateScenario,
)
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.rollup import Outlook
from pipeforecast.scenario.additions import with_extra_pipeline
from pipeforecast.scenario.book import Book
from pipeforecast.scenario.chosen import chosen, like, stays

_YEAR = pd.Timedelta(days=365)


def applied(outlook: Outlook, scenario: ScenarioSettings, fitted: FittedPipeline) -> Outlook:
    """Change an outlook as a scenario says.

    Parameters
    ----------
    outlook : Outlook
        Of ``fitted``, as it was made.
    scenario : ScenarioSettings
    fitted : FittedPipeline

    Returns
    -------
    Outlook
        A factor of 1, no days and nothing extra give the same one.

    Raises
    ------
    SettingsError
        If a column, value or day is named that changes nothing.
    DataError
        If the past does not hold what the scenario has to know.
    """
    if isinstance(scenario, NoScenario):
        return outlook
    book = Book.opened(outlook, fitted)
    for part in scenario.parts if isinstance(scenario, CombineScenario) else (scenario,):
        book = _CHANGES[type(part)](book, part)
    return book.outlook()


def _win_rate(book: Book, told: WinRateScenario) -> Book:
    deals, new = chosen(book, told.where)
    factor = told.factor if told.factor is not None else _odds_of_points(book, told, told.points or 0.0)
    return _more_odds(book, factor, deals, new)


def _odds_of_points(book: Book, told: WinRateScenario, points: float) -> float:
    """Factor on the odds that moves the win rate of the past year by ``points`` percentage points."""
    past = book.lessons.deals
    closed = like(book, stays(told.where)) & past["status"].isin([WON, LOST]).to_numpy(dtype=bool)
    lately = closed & (past["closed_at"] > book.as_of - _YEAR).fillna(False).to_numpy(dtype=bool)
    rows = past[lately if lately.any() else closed]
    won = float((rows["status"] == WON).mean()) if len(rows) else 0.0
    if not 0.0 < won < 1.0:
        raise DataError(
            f"scenario.points: {len(rows):,} closed deals, {won:.0%} of them won, tell no win rate; say factor"
        )
    rate = won + points / 100
    if not 0.0 < rate < 1.0:
        raise SettingsError(
            f"scenario.points: {won:.1%} of these deals were won in the past year; expected points between "
            f"{-100 * won:.1f} and {100 * (1 - won):.1f}, came {points:g}"
        )
    return rate / (1 - rate) * (1 - won) / won


def _more_odds(book: Book, factor: float, deals: np.ndarray, new: np.ndarray) -> Book:
    if factor == 1.0:
        return book
    mean = book.newcomers.chance
    return replace(
        book,
        chances=np.where(deals, _moved(book.chances, factor), book.chances),
        unsure=np.where(deals, _moved(book.unsure, factor), book.unsure),
        flow=np.where(new, book.flow * factor / (1.0 - mean + factor * mean), book.flow),
    )


def _moved(p: np.ndarray, factor: float | np.ndarray) -> np.ndarray:
    """Chances whose odds are multiplied."""
    return np.asarray(factor * p / (1.0 - p + factor * p))


def _slip(book: Book, told: SlipScenario) -> Book:
    deals, new = chosen(book, told.where)
    return _later(book, told.days, deals, new)


def _later(book: Book, days: int, deals: np.ndarray, new: np.ndarray) -> Book:
    """Move wins by days: a deal's odds change as its own curve says, whatever else has been changed of them before."""
    if days == 0:
        return book
    start, end = book.period.start, book.period.end
    late = book.late + days * deals
    before, after = (np.clip(book.won_between(start, end, x), 0.0, 1 - 1e-9) for x in (book.late, late))
    known = (before > 0) & deals
    factor = np.divide(after * (1 - before), before * (1 - after), out=np.ones(len(after)), where=known)
    # Of what could not be won there are no odds: what can be won now is as the curve says.
    fresh = deals & (before <= 0) & (after > 0)
    return replace(
        book,
        late=late,
        chances=np.where(fresh, after, np.where(known, _moved(book.chances, factor), book.chances)),
        unsure=np.where(fresh, after, np.where(known, _moved(book.unsure, factor), book.unsure)),
        waits=book.waits + days * new,
    )


def _capacity(book: Book, told: CapacityScenario) -> Book:
    owner = {"owner": told.owner} if told.owner is not None else {}
    both = {**told.where, **owner}
    if told.owner is not None and "owner" in told.where:
        raise SettingsError("scenario: expected owner or where.owner, came both")
    deals, new = chosen(book, both)
    day = max(book.as_of + pd.Timedelta(days=1), pd.Timestamp(told.day or book.as_of))
    if day > book.period.end:
        raise SettingsError(
            f"scenario.day: expected a day of the period that is forecast, until {book.period.end.date()}, "
            f"came {day.date()}"
        )
    left = told.factor + (1.0 - told.factor) * told.kept
    if left == 1.0:
        return book
    start, end, eve = book.period.start, book.period.end, day - pd.Timedelta(days=1)
    whole = book.won_between(start, end, book.late)
    early = book.won_between(start, eve, book.late) if eve >= start else np.zeros(len(whole))
    safe = np.divide(early, whole, out=np.zeros(len(whole)), where=whole > 0)
    factor = np.where(deals, safe + (1.0 - safe) * left, 1.0)
    usual = book.newcomers.wins()
    soon = book.newcomers.wins(upto=(eve - book.as_of).days) / usual if usual > 0 else 0.0
    return replace(
        book,
        chances=book.chances * factor,
        unsure=book.unsure * factor,
        flow=np.where(new, book.flow * (soon + (1.0 - soon) * left), book.flow),
    )


def _price(book: Book, told: PriceScenario) -> Book:
    deals, new = chosen(book, told.where)
    dearer = replace(
        book,
        price=np.where(deals, book.price * told.factor, book.price),
        worth=np.where(new, book.worth * told.factor, book.worth),
    )
    return _more_odds(dearer, told.factor**-told.elasticity, deals, new)


def _downturn(book: Book, told: DownturnScenario) -> Book:
    deals, new = chosen(book, told.where)
    fewer = _more_odds(book, told.odds, deals, new)
    fewer = replace(fewer, flow=np.where(new, fewer.flow * told.arrivals, fewer.flow))
    return _later(fewer, told.days, deals, new)


_CHANGES: Mapping[type, Callable[[Book, Any], Book]] = {
    WinRateScenario: _win_rate,
    SlipScenario: _slip,
    CapacityScenario: _capacity,
    PriceScenario: _price,
    ExtraPipelineScenario: with_extra_pipeline,
    DownturnScenario: _downturn,
}
