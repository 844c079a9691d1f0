"""Factors in words that a manager understands: what the deal has, and how that compares with the other open deals.

They are said in the language that is spoken: English in files, the reader's on the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import TABLES
from pipeforecast.explain.pieces import (
    beside,
    cleaned,
    counted,
    due_words,
    in_days,
    short,
    side_of,
    times,
    touch_words,
    worded,
)
from pipeforecast.features import describe
from pipeforecast.fiscal import Period
from pipeforecast.names import names_in
from pipeforecast.snapshot import Snapshot
from pipeforecast.wording import noop, retold, spoken_language, t
from pipeforecast.wording.numerals import NBSP, grouped, numerals, written

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
        return t(self.none) if days < 1 else t(self.many, days=in_days(days))


_IN_STAGE = _Days(noop("{days} in its stage"), noop("came into its stage today"), noop("time in its stage is unknown"))
_CREATED = _Days(
    noop("created {days} ago"), noop("created today"), noop("day of its creation is unknown"), _OLDER, _YOUNGER
)
_CHANGED = _Days(
    noop("nothing changed in the CRM for {days}"), noop("changed in the CRM today"), noop("its last change is unknown")
)


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
            return worded(in_days, self._since(column)[rows])

        def phrase(rows: np.ndarray) -> list[str]:
            days = self._since(column)
            side = side_of(days, rows, words.more, words.less)
            return worded(lambda d, s: beside(words.said(d), s), days[rows], side)

        return value, phrase

    def _until_due(self) -> np.ndarray:
        due = pd.to_datetime(self._column("expected_close"))
        return np.asarray((due.dt.normalize() - self._as_of).dt.days.to_numpy(dtype="float64", na_value=np.nan))

    def _due_value(self, rows: np.ndarray) -> list[str]:
        due = pd.to_datetime(self._column("expected_close")).to_numpy()[rows]
        return worded(lambda d: "" if pd.isna(d) else pd.Timestamp(d).strftime("%Y-%m-%d"), due)

    def _due(self, rows: np.ndarray) -> list[str]:
        first, last = ((d - self._as_of).days for d in (self._period.start, self._period.end))
        return worded(lambda days: due_words(days, first, last, self._period.name), self._until_due()[rows])

    def _planned_days(self) -> np.ndarray:
        first, created = (pd.to_datetime(self._column(c)) for c in ("first_expected_close", "created_at"))
        days = (first.dt.normalize() - created.dt.normalize()).dt.days
        return np.maximum(days.to_numpy(dtype="float64", na_value=np.nan), 0.0)

    def _planned_value(self, rows: np.ndarray) -> list[str]:
        return worded(in_days, self._planned_days()[rows])

    def _planned(self, rows: np.ndarray) -> list[str]:
        days = self._planned_days()

        def planned(d: float, side: str) -> str:
            if np.isnan(d):
                return t("no close date was planned at first")
            return beside(t("first planned to take {days}", days=in_days(d)), side)

        return worded(planned, days[rows], side_of(days, rows, _LONGER, _SHORTER))

    def _pushes_value(self, rows: np.ndarray) -> list[str]:
        return worded(lambda n: counted(n, "push", "pushes"), self._number("n_pushes")[rows])

    def _pushes(self, rows: np.ndarray) -> list[str]:
        def pushed(n: float, days: float) -> str:
            if n > 0:
                return t("close date pushed {times}, by {days} in all", times=times(n), days=in_days(days))
            return t("close date never pushed")

        return worded(pushed, self._number("n_pushes")[rows], self._number("push_days")[rows])

    def _moves_value(self, rows: np.ndarray) -> list[str]:
        moves, back = self._number("n_moves")[rows], self._number("n_back")[rows]
        return worded(lambda n, b: f"{counted(n, 'move', 'moves')}, {b:.0f} back", moves, back)

    def _moves(self, rows: np.ndarray) -> list[str]:
        moves, back = self._number("n_moves"), self._number("n_back")

        def moved(n: float, b: float, side: str) -> str:
            said = beside(t("changed stage {times}", times=times(n)), side) if n > 0 else t("has not changed stage")
            return t("{moved}, {times} back", moved=said, times=times(b)) if b > 0 else said

        return worded(moved, moves[rows], back[rows], side_of(moves, rows, _MORE, _FEWER))

    def _amount_value(self, rows: np.ndarray) -> list[str]:
        return ["" if np.isnan(a) else f"{a:.10g}" for a in self._number("amount")[rows]]

    def _amount(self, rows: np.ndarray) -> list[str]:
        amount, changes = self._number("amount"), self._number("n_amount_changes")
        out = []
        side = side_of(amount, rows, _LARGER, _SMALLER)
        for a, n, s in zip(amount[rows], changes[rows], side, strict=True):
            text = beside(t("amount {amount}", amount=short(a)[1:]), s) if a > 0 else t("no amount")
            out.append(t("{said}, changed {times}", said=text, times=times(n)) if n > 0 else text)
        return out

    def _probability_value(self, rows: np.ndarray) -> list[str]:
        sign = numerals().percent.replace(NBSP, " ")
        return worded(
            lambda p: "" if np.isnan(p) else written(f"{100 * p:.3g}") + sign, self._number("probability")[rows]
        )

    def _probability(self, rows: np.ndarray) -> list[str]:
        told = self._probability_value(rows)
        return [t("the CRM says {share}", share=p) if p else t("no probability in the CRM") for p in told]

    def _touches(self, rows: np.ndarray) -> list[str]:
        days, recent = self._since("last_touch_at"), self._number("n_touches_recent")
        return worded(touch_words, days[rows], recent[rows])

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

        def bought(won: float, lost: float) -> str:
            if not won + lost:
                return t("new customer")
            return t("customer won {won} and lost {lost} times before", won=grouped(won), lost=grouped(lost))

        return worded(bought, counts[:, 0], counts[:, 1])

    def _plain(self, factor: str, rows: np.ndarray) -> list[str]:
        return worded(lambda v: "" if pd.isna(v) else cleaned(v), self._column(factor).to_numpy(dtype=object)[rows])

    def _named(self, factor: str, rows: np.ndarray) -> list[str]:
        name = _NAMES.get(factor, cleaned(factor.replace("_", " ")))
        if spoken_language() != "en" and factor in TABLES["deals"]:
            name = names_in(spoken_language()).column("deals", factor)[0]
        column = self._column(factor)
        numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        side = side_of(self._number(factor), rows, _MORE, _LESS) if numeric else [""] * len(rows)

        def named(v: str, side: str) -> str:
            if not v:
                return t("{name} is not given", name=name)
            value = retold("deal type", v) if factor == "deal_type" else v
            return beside(t("{name} is {value}", name=name, value=value), side)

        return worded(named, self._plain(factor, rows), side)
