"""Factors in words that a manager understands: what the deal has, and how that compares with the other open deals."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.features import describe
from pipeforecast.fiscal import Period
from pipeforecast.snapshot import Snapshot

#: What more than this share of the open deals is on one side of is "more than most".
_MOST = 0.6
_LONGEST = 40
_RATE_APART = 0.05
#: Factors whose words are not those of their column.
_NAMES = {"forecast_category": "forecast category"}


Words = Callable[[np.ndarray], list[str]]


@dataclass(frozen=True)
class _Days:
    """Words about a number of days."""

    many: str
    none: str
    unknown: str
    more: str = "longer"
    less: str = "shorter"

    def said(self, days: float) -> str:
        """Word one number; NaN is unknown."""
        if np.isnan(days):
            return self.unknown
        return self.none if days < 1 else self.many.format(_count(days, "day"))


_IN_STAGE = _Days("{} in its stage", "came into its stage today", "time in its stage is unknown")
_CREATED = _Days("created {} ago", "created today", "day of its creation is unknown", "older", "younger")
_CHANGED = _Days("nothing changed in the CRM for {}", "changed in the CRM today", "its last change is unknown")


def short(money: float) -> str:
    """Give an amount with its sign, in few figures: ``+18 k``, ``−3.2 k``."""
    size, unit = abs(money), ""
    for limit, letter in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if size >= limit * 0.9995:
            size, unit = size / limit, letter
            break
    text = f"{size:.1f}" if unit and size < 9.95 else f"{size:,.0f}"
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
            "recent_win_rate": (lambda rows: [""] * len(rows), lambda rows: ["recent win rate"] * len(rows)),
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
            return [_count(d, "day") for d in self._since(column)[rows]]

        def phrase(rows: np.ndarray) -> list[str]:
            days = self._since(column)
            side = _side(days, rows, words.more, words.less)
            return [words.said(d) + s for d, s in zip(days[rows], side, strict=True)]

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
        return [_count(d, "day") for d in self._planned_days()[rows]]

    def _planned(self, rows: np.ndarray) -> list[str]:
        days = self._planned_days()
        side = _side(days, rows, "longer", "shorter")
        return [
            "no close date was planned at first" if np.isnan(d) else f"first planned to take {_count(d, 'day')}{s}"
            for d, s in zip(days[rows], side, strict=True)
        ]

    def _pushes_value(self, rows: np.ndarray) -> list[str]:
        return [_count(n, "push", "pushes") for n in self._number("n_pushes")[rows]]

    def _pushes(self, rows: np.ndarray) -> list[str]:
        pairs = zip(self._number("n_pushes")[rows], self._number("push_days")[rows], strict=True)
        return [
            f"close date pushed {_times(n)}, by {_count(days, 'day')} in all" if n > 0 else "close date never pushed"
            for n, days in pairs
        ]

    def _moves_value(self, rows: np.ndarray) -> list[str]:
        pairs = zip(self._number("n_moves")[rows], self._number("n_back")[rows], strict=True)
        return [f"{_count(n, 'move')}, {back:.0f} back" for n, back in pairs]

    def _moves(self, rows: np.ndarray) -> list[str]:
        moves, back = self._number("n_moves"), self._number("n_back")
        side = _side(moves, rows, "more", "fewer")
        out = []
        for n, b, s in zip(moves[rows], back[rows], side, strict=True):
            moved = f"changed stage {_times(n)}{s}" if n > 0 else "has not changed stage"
            out.append(f"{moved}, {_times(b)} back" if b > 0 else moved)
        return out

    def _amount_value(self, rows: np.ndarray) -> list[str]:
        return ["" if np.isnan(a) else f"{a:.10g}" for a in self._number("amount")[rows]]

    def _amount(self, rows: np.ndarray) -> list[str]:
        amount, changes = self._number("amount"), self._number("n_amount_changes")
        out = []
        side = _side(amount, rows, "larger", "smaller")
        for a, n, s in zip(amount[rows], changes[rows], side, strict=True):
            text = f"amount {short(a)[1:]}{s}" if a > 0 else "no amount"
            out.append(f"{text}, changed {_times(n)}" if n > 0 else text)
        return out

    def _probability_value(self, rows: np.ndarray) -> list[str]:
        return ["" if np.isnan(p) else f"{100 * p:.3g} %" for p in self._number("probability")[rows]]

    def _probability(self, rows: np.ndarray) -> list[str]:
        return [f"the CRM says {p}" if p else "no probability in the CRM" for p in self._probability_value(rows)]

    def _touches(self, rows: np.ndarray) -> list[str]:
        days, recent = self._since("last_touch_at"), self._number("n_touches_recent")
        return [_touch_words(d, n) for d, n in zip(days[rows], recent[rows], strict=True)]

    def _rate_value(self, rows: np.ndarray) -> list[str]:
        return [{"above": "above", "below": "below"}.get(s, "usual") for s in self._rate_side(rows)]

    def _rate(self, rows: np.ndarray) -> list[str]:
        words = {"": "owner's past win rate is the usual one"}
        return [words.get(s, f"owner's past win rate is {s} the company's") for s in self._rate_side(rows)]

    def _rate_side(self, rows: np.ndarray) -> list[str]:
        rates = np.zeros(len(self._rows)) if self._rates is None else self._rates["owner_wins"].to_numpy()
        return ["above" if r > _RATE_APART else "below" if r < -_RATE_APART else "" for r in rates[rows]]

    def _customer(self, rows: np.ndarray) -> list[str]:
        if self._rates is None:
            return [""] * len(rows)
        counts = np.expm1(self._rates[["customer_won", "customer_lost"]].to_numpy())[rows].round()
        return [f"customer won {w:,.0f} and lost {n:,.0f} times before" if w + n else "new customer" for w, n in counts]

    def _plain(self, factor: str, rows: np.ndarray) -> list[str]:
        values = self._column(factor).to_numpy(dtype=object)[rows]
        return ["" if pd.isna(v) else _clean(v) for v in values]

    def _named(self, factor: str, rows: np.ndarray) -> list[str]:
        name = _NAMES.get(factor, _clean(factor.replace("_", " ")))
        column = self._column(factor)
        numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        side = _side(self._number(factor), rows, "more", "less") if numeric else [""] * len(rows)
        return [
            f"{name} is {v}{s}" if v else f"{name} is not given"
            for v, s in zip(self._plain(factor, rows), side, strict=True)
        ]


def _due_words(days: float, first: float, last: float, period: str) -> str:
    """Place a close date, in days from now, against now and the period (``first`` to ``last`` day)."""
    if np.isnan(days):
        return "no close date"
    if days < 0:
        return f"close date passed {_count(-days, 'day')} ago"
    if days == 0:
        return "close date is today"
    if days < first:
        return f"close date is {_count(first - days, 'day')} before {period}"
    if days <= last:
        return f"close date is inside {period}, in {_count(days, 'day')}"
    return f"close date is {_count(days - last, 'day')} after {period}"


def _touch_words(days: float, recent: float) -> str:
    if np.isnan(days):
        return "no touch recorded"
    if recent > 0:
        last = f"{_count(days, 'day')} ago" if days >= 1 else "today"
        return f"{_count(recent, 'touch', 'touches')} in 30 days, the last {last}"
    return f"no touch for {_count(days, 'day')}"


def _side(values: np.ndarray, rows: np.ndarray, more: str, less: str) -> Sequence[str]:
    """Say on which side of most open deals each value lies; nothing where it lies among them."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return [""] * len(rows)
    below = np.searchsorted(known, values[rows], side="left") / len(known)
    above = 1.0 - np.searchsorted(known, values[rows], side="right") / len(known)
    return [
        f": {more} than most" if b > _MOST else f": {less} than most" if a > _MOST else ""
        for b, a in zip(below, above, strict=True)
    ]


def _count(number: float, one: str, many: str = "") -> str:
    if np.isnan(number):
        return ""
    return f"{number:,.0f} {one if round(number) == 1 else many or one + 's'}"


def _times(number: float) -> str:
    return {1: "once", 2: "twice"}.get(round(number), f"{number:,.0f} times")


def _clean(value: object) -> str:
    """Take a CRM's value: no control characters, whitespace single, of bounded length."""
    text = f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)[: 4 * _LONGEST]
    text = " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
