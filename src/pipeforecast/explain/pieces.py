"""Pieces of the factors' words: numbers, days, places in time, and the side on which a deal lies."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.wording import nt, t
from pipeforecast.wording.numerals import NBSP, numerals, written

#: What more than this share of the open deals is on one side of is "more than most".
_MOST = 0.6
_LONGEST = 40


def short(money: float) -> str:
    """Give an amount with its sign, in few figures: ``+18 k``, ``−3.2 k``."""
    size, unit = abs(money), ""
    for limit, letter in numerals().units:
        if size >= limit * 0.9995:
            size, unit = size / limit, letter.replace(NBSP, " ")
            break
    text = written(f"{size:.1f}" if unit and size < 9.95 else f"{size:,.0f}")
    return ("−" if money < 0 else "+") + text + unit


def worded(word: Callable[..., str], *columns: Sequence[Any] | np.ndarray) -> list[str]:
    """Word rows of one or more columns; rows that are alike are worded once."""
    values = [np.asarray(c) for c in columns]
    kind = np.zeros(len(values[0]), dtype="int64")
    for column in values:
        code, found = pd.factorize(column, use_na_sentinel=False)
        kind = kind * len(found) + code
    _, first, of = np.unique(kind, return_index=True, return_inverse=True)
    told = [word(*row) for row in zip(*(v[first] for v in values), strict=True)]
    return list(np.array(told, dtype=object)[of])


def due_words(days: float, first: float, last: float, period: str) -> str:
    """Place a close date, in days from now, against now and the period (``first`` to ``last`` day)."""
    if np.isnan(days):
        return t("no close date")
    if days < 0:
        return t("close date passed {days} ago", days=in_days(-days))
    if days == 0:
        return t("close date is today")
    if days < first:
        return t("close date is {days} before {period}", days=in_days(first - days), period=period)
    if days <= last:
        return t("close date is inside {period}, in {days}", days=in_days(days), period=period)
    return t("close date is {days} after {period}", days=in_days(days - last), period=period)


def touch_words(days: float, recent: float) -> str:
    """Tell the last touch, ``days`` ago, and how many were recent."""
    if np.isnan(days):
        return t("no touch recorded")
    if recent > 0:
        last = t("{days} ago", days=in_days(days)) if days >= 1 else t("today")
        return spaced(
            nt("{n} touch in 30 days, the last {last}", "{n} touches in 30 days, the last {last}", recent, last=last)
        )
    return t("no touch for {days}", days=in_days(days))


def side_of(values: np.ndarray, rows: np.ndarray, more: str, less: str) -> Sequence[str]:
    """Find on which side of most open deals each value lies: one of the two texts, empty where it lies among them."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return [""] * len(rows)
    below = np.searchsorted(known, values[rows], side="left") / len(known)
    above = 1.0 - np.searchsorted(known, values[rows], side="right") / len(known)
    return [more if b > _MOST else less if a > _MOST else "" for b, a in zip(below, above, strict=True)]


def beside(said: str, side: str) -> str:
    """Add on which side of most deals it lies."""
    return t(side, said=said) if side else said


def in_days(number: float) -> str:
    """Give a number of days; empty where it is unknown."""
    return "" if np.isnan(number) else spaced(nt("{n} day", "{n} days", round(number)))


def counted(number: float, one: str, many: str) -> str:
    """Give a number of things as files have it."""
    return "" if np.isnan(number) else f"{number:,.0f} {one if round(number) == 1 else many}"


def times(number: float) -> str:
    """Say how often."""
    n = round(number)
    return t("once") if n == 1 else t("twice") if n == 2 else spaced(nt("{n} time", "{n} times", n))


def spaced(text: str) -> str:
    """Use plain spaces: these texts are for files too."""
    return text.replace(NBSP, " ")


def cleaned(value: object) -> str:
    """Take a CRM's value: no control characters, whitespace single, of bounded length."""
    text = f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)[: 4 * _LONGEST]
    text = " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
