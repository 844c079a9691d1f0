"""Deals that come in: how many, how large, of which groups, and when they are won."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.kinds import ExtraPipelineScenario
from pipeforecast.reporting import assigned_today
from pipeforecast.scenario.book import Book
from pipeforecast.scenario.chosen import in_stage, like
from pipeforecast.scenario.newcomers import won_by_age_like

_YEAR = pd.Timedelta(days=365)
_MOST_DEALS = 5000


def with_extra_pipeline(book: Book, told: ExtraPipelineScenario) -> Book:
    """Add the deals of a scenario to the book."""
    alike, day = like(book, told.where), _day(book, told)
    if told.amount == 0:
        return book
    rows = _rows(book, told, alike)
    dates = book.curve.dates
    if told.stage is not None:
        here, lag = in_stage(book, told.stage), np.timedelta64((day - book.as_of).days, "D")
        n = len(here)
        shifted = [book.curve.won_by(np.full(len(book.late), date - lag))[:n][here].mean() for date in dates]
        won_by = np.array(shifted)
    else:
        curve = won_by_age_like(book.lessons.deals, alike, book.lessons.cutoff)
        age = ((dates - np.datetime64(day, "s")) / np.timedelta64(1, "D")).astype(int)
        won_by = np.where(age < 0, 0.0, curve[np.clip(age, 0, len(curve) - 1)])
    return book.with_extra(rows, np.tile(won_by, (len(rows), 1)))


def _day(book: Book, told: ExtraPipelineScenario) -> pd.Timestamp:
    first, last = book.as_of + pd.Timedelta(days=1), book.period.end
    day = first if told.day is None else pd.Timestamp(told.day)
    if not first <= day <= last:
        raise SettingsError(
            f"scenario.day: expected a day after as_of and within the period that is forecast, from {first.date()} "
            f"to {last.date()}, came {day.date()}"
        )
    return day


def _rows(book: Book, told: ExtraPipelineScenario, alike: np.ndarray) -> pd.DataFrame:
    """Sizes and groups of past deals, evenly from the smallest to the largest, that add up to the amount."""
    past = book.lessons.deals[alike]
    lately = (past["first_recorded_at"] > book.as_of - _YEAR).to_numpy(dtype=bool)
    sized = (past["amount"] > 0).fillna(False).to_numpy(dtype=bool)
    picked = next((past[x] for x in (lately & sized, sized) if x.any()), None)
    average = told.average_amount
    if told.deals is None and average is None:
        if picked is None:
            raise DataError("scenario: no past deal of this kind has an amount; say scenario.deals or average_amount")
        average = float(picked["amount"].mean())
    n = told.deals or max(1, round(told.amount / float(average or told.amount)))
    if n > _MOST_DEALS:
        raise SettingsError(
            f"scenario.average_amount: expected at most {_MOST_DEALS:,} deals, came {n:,} of {average:,.2f} each; "
            "say fewer, larger ones"
        )
    usual = (past.assign(amount=1.0) if picked is None else picked).sort_values("amount", kind="stable")
    rows = usual.iloc[((np.arange(n) + 0.5) / n * len(usual)).astype(int)]
    size = rows["amount"].to_numpy(dtype="float64")
    listed = told.amount * size / size.sum()
    return assigned_today(rows, book.base.snapshot.open).assign(amount=listed * book.base.amounts.overall)
