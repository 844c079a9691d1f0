"""Factors in words that a manager understands: what the deal has, and how that compares with the other open deals.

They are said in the language that is spoken: English in files, the reader's on the page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import TABLES
from pipeforecast.features import describe
from pipeforecast.fiscal import Period
from pipeforecast.names import names_in
from pipeforecast.snapshot import Snapshot
from pipeforecast.wording import noop, nt, spoken_language, t
from pipeforecast.wording.numerals import NBSP, grouped, numerals, written

#: What more than this share of the open deals is on one side of is "more than most".
_MOST = 0.6
_LONGEST = 40
_RATE_APART = 0.05
#: Factors whose words are not those of their column.
_NAMES = {"forecast_category": "forecast category"}


Words = Callable[[np.ndarray], list[str]]


# How a deal compares with most open deals, once for each word, since languages bend them.
_LONGER, _SHORTER = noop("{said}: longer than most"), noop("{said}: shorter than most")
_OLDER, _YOUNGER = noop("{said}: older than most"), noop("{said}: younger than most")
_MORE, _FEWER, _LESS = noop("{said}: more than most"), noop("{said}: fewer than most"), noop("{said}: less than most")
_LARGER, _SMALLER = noop("{said}: larger than most"), noop("{said}: smaller than most")


@dataclass(frozen=True)
class _Days:
    """Texts about a number of days."""

    many: str
    none: str
    unknown: str
    more: str = _LONGER
    less: str = _SHORTER

    def said(self, days: float) -> str:
        """Word one number; NaN is unknown."""
        if np.isnan(days):
            return t(self.unknown)
        return t(self.none) if days < 1 else t(self.many, days=_in_days(days))


_IN_STAGE = _Days(noop("{days} in its stage"), noop("came into its stage today"), noop("time in its stage is unknown"))
_CREATED = _Days(
    noop("created {days} ago"), noop("created today"), noop("day of its creation is unknown"), _OLDER, _YOUNGER
)
_CHANGED = _Days(
    noop("nothing changed in the CRM for {days}"), noop("changed in the CRM today"), noop("its last change is unknown")
)


def short(money: float) -> str:
    """Give an amount with its sign, in few figures: ``+18 k``, ``−3.2 k``."""
    size, unit = abs(money), ""
    for limit, letter in numerals().units:
        if size >= limit * 0.9995:
            size, unit = size / limit, letter.replace(NBSP, " ")
            break
    text = written(f"{size:.1f}" if unit and size < 9.95 else f"{size:,.0f}")
    return ("−" if money < 0 else "+") + text + unit


class Said:
    """Words about the open deals of one snapshot; ``rows`` are positions in it."""

    def __init__(self, snapshot: Snapshot, period: Period) -> None:
        self._rows = snapshot.open
        self._as_of = snapshot.as_of
        self._period = period
        past = ["owner_wins", "customer_won", "customer_lost"]
        self._rates = describe(snapshot).numbers[past] if len(snapshot.open) else None
        self._own: dict[str, tuple[Words, Words]] = {
            "expected_close": (self._due_value, self._due),
            "time_in_stage": self._days("stage_entered_at", _IN_STAGE),
            "age": self._days("created_at", _CREATED),
            "last_change": self._days("last_change_at", _CHANGED),
            "planned_length": (self._planned_value, self._planned),
            "pushes": (self._pushes_value, self._pushes),
            "stage_moves": (self._moves_value, self._moves),
            "amount": (self._amount_value, self._amount),
            "crm_probability": (self._probability_value, self._probability),
            "activity": (self._touches, self._touches),
            "owner_win_rate": (self._rate_value, self._rate),
            "customer": (self._customer, self._customer),
            "recent_win_rate": (lambda rows: [""] * len(rows), lambda rows: [t("recent win rate")] * len(rows)),
        }

    def phrases(self, factor: str, rows: np.ndarray) -> list[str]:
        """Say what each deal has, and how that compares: ``41 days in its stage: longer than most``."""
        return self._own[factor][1](rows) if factor in self._own else self._named(factor, rows)

    def values(self, factor: str, rows: np.ndarray) -> list[str]:
        """Say what each deal has, in short: ``41 days``."""
        return self._own[factor][0](rows) if factor in self._own else self._plain(factor, rows)

    def _column(self, name: str) -> pd.Series:
        return self._rows[name] if name in self._rows else pd.Series(np.nan, index=self._rows.index)

    def _number(self, name: str) -> np.ndarray:
        return np.asarray(pd.to_numeric(self._column(name), errors="coerce").to_numpy(dtype="float64", na_value=np.nan))

    def _since(self, name: str) -> np.ndarray:
        day = pd.to_datetime(self._column(name))
        return np.maximum((self._as_of - day.dt.normalize()).dt.days.to_numpy(dtype="float64", na_value=np.nan), 0.0)

    def _days(self, column: str, words: _Days) -> tuple[Words, Words]:
        """Words about the days since ``column``."""

        def value(rows: np.ndarray) -> list[str]:
            return [_in_days(d) for d in self._since(column)[rows]]

        def phrase(rows: np.ndarray) -> list[str]:
            days = self._since(column)
            side = _side(days, rows, words.more, words.less)
            return [_beside(words.said(d), s) for d, s in zip(days[rows], side, strict=True)]

        return value, phrase

    def _until_due(self) -> np.ndarray:
        due = pd.to_datetime(self._column("expected_close"))
        return np.asarray((due.dt.normalize() - self._as_of).dt.days.to_numpy(dtype="float64", na_value=np.nan))

    def _due_value(self, rows: np.ndarray) -> list[str]:
        due = pd.to_datetime(self._column("expected_close")).dt.strftime("%Y-%m-%d").astype("object")
        return ["" if pd.isna(d) else str(d) for d in due.to_numpy()[rows]]

    def _due(self, rows: np.ndarray) -> list[str]:
        first, last = ((d - self._as_of).days for d in (self._period.start, self._period.end))
        return [_due_words(days, first, last, self._period.name) for days in self._until_due()[rows]]

    def _planned_days(self) -> np.ndarray:
        first, created = (pd.to_datetime(self._column(c)) for c in ("first_expected_close", "created_at"))
        days = (first.dt.normalize() - created.dt.normalize()).dt.days
        return np.maximum(days.to_numpy(dtype="float64", na_value=np.nan), 0.0)

    def _planned_value(self, rows: np.ndarray) -> list[str]:
        return [_in_days(d) for d in self._planned_days()[rows]]

    def _planned(self, rows: np.ndarray) -> list[str]:
        days = self._planned_days()
        side = _side(days, rows, _LONGER, _SHORTER)
        return [
            t("no close date was planned at first")
            if np.isnan(d) else _beside(t("first planned to take {days}", days=_in_days(d)), s)
            for d, s in zip(days[rows], side, strict=True)
        ]  # fmt: skip

    def _pushes_value(self, rows: np.ndarray) -> list[str]:
        return [_count(n, "push", "pushes") for n in self._number("n_pushes")[rows]]

    def _pushes(self, rows: np.ndarray) -> list[str]:
        pairs = zip(self._number("n_pushes")[rows], self._number("push_days")[rows], strict=True)
        return [
            t("close date pushed {times}, by {days} in all", times=_times(n), days=_in_days(days))
            if n > 0 else t("close date never pushed")
            for n, days in pairs
        ]  # fmt: skip

    def _moves_value(self, rows: np.ndarray) -> list[str]:
        pairs = zip(self._number("n_moves")[rows], self._number("n_back")[rows], strict=True)
        return [f"{_count(n, 'move', 'moves')}, {back:.0f} back" for n, back in pairs]

    def _moves(self, rows: np.ndarray) -> list[str]:
        moves, back = self._number("n_moves"), self._number("n_back")
        side = _side(moves, rows, _MORE, _FEWER)
        out = []
        for n, b, s in zip(moves[rows], back[rows], side, strict=True):
            moved = t("has not changed stage")
            if n > 0:
                moved = _beside(t("changed stage {times}", times=_times(n)), s)
            out.append(t("{moved}, {times} back", moved=moved, times=_times(b)) if b > 0 else moved)
        return out

    def _amount_value(self, rows: np.ndarray) -> list[str]:
        return ["" if np.isnan(a) else f"{a:.10g}" for a in self._number("amount")[rows]]

    def _amount(self, rows: np.ndarray) -> list[str]:
        amount, changes = self._number("amount"), self._number("n_amount_changes")
        out = []
        side = _side(amount, rows, _LARGER, _SMALLER)
        for a, n, s in zip(amount[rows], changes[rows], side, strict=True):
            text = _beside(t("amount {amount}", amount=short(a)[1:]), s) if a > 0 else t("no amount")
            out.append(t("{said}, changed {times}", said=text, times=_times(n)) if n > 0 else text)
        return out

    def _probability_value(self, rows: np.ndarray) -> list[str]:
        sign = numerals().percent.replace(NBSP, " ")
        return ["" if np.isnan(p) else written(f"{100 * p:.3g}") + sign for p in self._number("probability")[rows]]

    def _probability(self, rows: np.ndarray) -> list[str]:
        told = self._probability_value(rows)
        return [t("the CRM says {share}", share=p) if p else t("no probability in the CRM") for p in told]

    def _touches(self, rows: np.ndarray) -> list[str]:
        days, recent = self._since("last_touch_at"), self._number("n_touches_recent")
        return [_touch_words(d, n) for d, n in zip(days[rows], recent[rows], strict=True)]

    def _rate_value(self, rows: np.ndarray) -> list[str]:
        return [{"above": "above", "below": "below"}.get(s, "usual") for s in self._rate_side(rows)]

    def _rate(self, rows: np.ndarray) -> list[str]:
        words = {
            "": t("owner's past win rate is the usual one"),
            "above": t("owner's past win rate is above the company's"),
            "below": t("owner's past win rate is below the company's"),
        }
        return [words[s] for s in self._rate_side(rows)]

    def _rate_side(self, rows: np.ndarray) -> list[str]:
        rates = np.zeros(len(self._rows)) if self._rates is None else self._rates["owner_wins"].to_numpy()
        return ["above" if r > _RATE_APART else "below" if r < -_RATE_APART else "" for r in rates[rows]]

    def _customer(self, rows: np.ndarray) -> list[str]:
        if self._rates is None:
            return [""] * len(rows)
        counts = np.expm1(self._rates[["customer_won", "customer_lost"]].to_numpy())[rows].round()
        return [
            t("customer won {won} and lost {lost} times before", won=grouped(w), lost=grouped(n))
            if w + n else t("new customer")
            for w, n in counts
        ]  # fmt: skip

    def _plain(self, factor: str, rows: np.ndarray) -> list[str]:
        values = self._column(factor).to_numpy(dtype=object)[rows]
        return ["" if pd.isna(v) else _clean(v) for v in values]

    def _named(self, factor: str, rows: np.ndarray) -> list[str]:
        name = _NAMES.get(factor, _clean(factor.replace("_", " ")))
        if spoken_language() != "en" and factor in TABLES["deals"]:
            name = names_in(spoken_language()).column("deals", factor)[0]
        column = self._column(factor)
        numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        side = _side(self._number(factor), rows, _MORE, _LESS) if numeric else [""] * len(rows)
        return [
            _beside(t("{name} is {value}", name=name, value=v), s) if v else t("{name} is not given", name=name)
            for v, s in zip(self._plain(factor, rows), side, strict=True)
        ]


def _due_words(days: float, first: float, last: float, period: str) -> str:
    """Place a close date, in days from now, against now and the period (``first`` to ``last`` day)."""
    if np.isnan(days):
        return t("no close date")
    if days < 0:
        return t("close date passed {days} ago", days=_in_days(-days))
    if days == 0:
        return t("close date is today")
    if days < first:
        return t("close date is {days} before {period}", days=_in_days(first - days), period=period)
    if days <= last:
        return t("close date is inside {period}, in {days}", days=_in_days(days), period=period)
    return t("close date is {days} after {period}", days=_in_days(days - last), period=period)


def _touch_words(days: float, recent: float) -> str:
    if np.isnan(days):
        return t("no touch recorded")
    if recent > 0:
        last = t("{days} ago", days=_in_days(days)) if days >= 1 else t("today")
        return _spaced(
            nt("{n} touch in 30 days, the last {last}", "{n} touches in 30 days, the last {last}", recent, last=last)
        )
    return t("no touch for {days}", days=_in_days(days))


def _side(values: np.ndarray, rows: np.ndarray, more: str, less: str) -> Sequence[str]:
    """Find on which side of most open deals each value lies: one of the two texts, empty where it lies among them."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return [""] * len(rows)
    below = np.searchsorted(known, values[rows], side="left") / len(known)
    above = 1.0 - np.searchsorted(known, values[rows], side="right") / len(known)
    return [more if b > _MOST else less if a > _MOST else "" for b, a in zip(below, above, strict=True)]


def _beside(said: str, side: str) -> str:
    return t(side, said=said) if side else said


def _in_days(number: float) -> str:
    return "" if np.isnan(number) else _spaced(nt("{n} day", "{n} days", round(number)))


def _count(number: float, one: str, many: str) -> str:
    """Give a number of things as files have it."""
    return "" if np.isnan(number) else f"{number:,.0f} {one if round(number) == 1 else many}"


def _times(number: float) -> str:
    n = round(number)
    return t("once") if n == 1 else t("twice") if n == 2 else _spaced(nt("{n} time", "{n} times", n))


def _spaced(text: str) -> str:
    return text.replace(NBSP, " ")


def _clean(value: object) -> str:
    """Take a CRM's value: no control characters, whitespace single, of bounded length."""
    text = f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)[: 4 * _LONGEST]
    text = " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
