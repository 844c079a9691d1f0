"""Describe: what a snapshot says about each open deal. Sees the snapshot and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.snapshot import Snapshot

MISSING = "(missing)"
#: A group's win rate is pulled towards the company's with the weight of this many closed deals.
_SHRINK_DEALS = 20.0
_RECENT_DAYS = 91
#: More rows than this would cost more to describe than the days of them that are looked at.
_DESCRIBED_AT_ONCE = 2_000_000
#: Tracked facts that are categories; birth facts of text join them.
_TRACKED_CATEGORIES = ("stage", "forecast_category", "segment", "region", "team", "pipeline")
#: Never features: identities and free text.
_IDENTITIES = frozenset({
    "deal_id", "name", "account_id", "account_name", "lead_id", "owner", "owner_name", "manager", "next_step",
    "campaign", "currency", "created_at", "lost_reason",
})  # fmt: skip
#: Whose past counts, by the column that names them.
_PAST_OF = {"owner_wins": "owner", "source_wins": "lead_source", "customer": "account_id"}
_CUSTOMER = ("customer_won", "customer_lost")
_STATE_NUMBERS = frozenset({"amount", "probability", "expected_close", "stage"})


def may_teach(name: str) -> bool:
    """Whether a fact of birth of this name may become a feature: no identity, and nothing that states hold better."""
    return name not in _IDENTITIES | _STATE_NUMBERS


@dataclass(frozen=True)
class Features:
    """One row per row of ``snapshot.open``.

    Attributes
    ----------
    numbers : DataFrame of float
        Missing values are NaN; what is missing is information and kept.
    categories : DataFrame of str
        Missing values are the level ``(missing)``.
    as_of, due : datetime64[s] arrays (n,)
        Evening of each row, and the expected close as then written (NaT: none).
    """

    numbers: pd.DataFrame
    categories: pd.DataFrame
    as_of: np.ndarray
    due: np.ndarray

    def rows(self, keep: np.ndarray) -> Features:
        """Keep some rows (mask or positions)."""
        return Features(
            self.numbers.iloc[keep].reset_index(drop=True),
            self.categories.iloc[keep].reset_index(drop=True),
            self.as_of[keep],
            self.due[keep],
        )


@dataclass(frozen=True)
class _Described:
    """Features with all texts, and which rows of which text hold an e-mail address."""

    features: Features
    addresses: dict[str, np.ndarray]

    def rows(self, keep: np.ndarray) -> _Described:
        return _Described(self.features.rows(keep), {name: held[keep] for name, held in self.addresses.items()})

    def told(self) -> Features:
        """Leave out the texts that hold an address: whoever mapped them as facts of birth, people are no feature."""
        held = [name for name, rows in self.addresses.items() if rows.any()]
        return replace(self.features, categories=self.features.categories.drop(columns=held)) if held else self.features


def describe(snapshot: Snapshot) -> Features:
    """Describe each open deal by what was written of it, and of the deals closed, by its ``as_of``.

    A snapshot is described once, and a part of one that has been described not again.
    """
    if "features" not in snapshot.memo:
        whole, rows = snapshot.cut_from or (snapshot, None)
        ready = rows is not None and "described" in whole.memo
        snapshot.memo["described"] = whole.memo["described"].rows(rows) if ready else _described(snapshot)
        snapshot.memo["features"] = snapshot.memo["described"].told()
    found: Features = snapshot.memo["features"]
    return found


def describe_whole(snapshot: Snapshot) -> None:
    """Describe all that ``snapshot`` is a part of, unless that is too much: other parts will be asked for."""
    whole = snapshot.cut_from[0] if snapshot.cut_from else snapshot
    if len(whole.open) <= _DESCRIBED_AT_ONCE:
        describe(whole)


def _described(snapshot: Snapshot) -> _Described:
    rows = snapshot.open
    numbers = _timing(rows) | _money(rows) | _activity(rows) | _birth_numbers(snapshot)
    frame = pd.DataFrame(numbers, index=rows.index).astype("float64")
    rates = _past_rates(snapshot)
    frame[list(rates.columns)] = rates.to_numpy()
    texts = _categories(snapshot)
    held = {str(name): _addresses(texts[name]) for name in texts if name not in _TRACKED_CATEGORIES}
    features = Features(frame, texts, _seconds(rows["as_of"]), _seconds(rows["expected_close"]))
    return _Described(features, {name: at for name, at in held.items() if at.any()})


def _days_between(later: pd.Series, earlier: pd.Series) -> np.ndarray:
    a, b = (s.to_numpy().astype("datetime64[s]") for s in (later, earlier))
    out: np.ndarray = (a - b).astype("float64") / 86400
    out[np.isnat(a) | np.isnat(b)] = np.nan
    return out


def _log_days(later: pd.Series, earlier: pd.Series) -> np.ndarray:
    return np.asarray(np.log1p(np.maximum(_days_between(later, earlier), 0.0)))


def _timing(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    as_of = rows["as_of"]
    overdue = _days_between(as_of, rows["expected_close"])
    return {
        "log_age": _log_days(as_of, rows["created_at"]),
        "log_days_in_stage": _log_days(as_of, rows["stage_entered_at"]),
        "log_days_since_change": _log_days(as_of, rows["last_change_at"]),
        "log_moves": np.log1p(rows["n_moves"].to_numpy()),
        "log_back": np.log1p(rows["n_back"].to_numpy()),
        "log_pushes": np.log1p(rows["n_pushes"].to_numpy()),
        "log_push_days": np.log1p(rows["push_days"].to_numpy()),
        "overdue": np.where(np.isnan(overdue), 0.0, overdue > 0),
        "log_overdue": np.log1p(np.maximum(np.nan_to_num(overdue), 0.0)),
        "no_expected_close": np.isnan(overdue).astype("float64"),
        "planned_days": _log_days(rows["first_expected_close"], rows["created_at"]),
    }


def _money(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    amount = rows["amount"].to_numpy(dtype="float64")
    first = rows["first_amount"].to_numpy(dtype="float64")
    known = amount > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        log_amount = np.where(known, np.log(amount), np.nan)
        change = np.where(known & (first > 0), np.clip(np.log(amount / first), -2, 2), 0.0)
    p = rows["probability"].to_numpy(dtype="float64")
    clipped = np.clip(p, 0.02, 0.98)
    return {
        "log_amount": log_amount,
        "amount_change": change,
        "log_amount_changes": np.log1p(rows["n_amount_changes"].to_numpy()),
        "listed_log_odds": np.where(np.isnan(p), np.nan, np.log(clipped / (1 - clipped))),
    }


def _activity(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    if "n_touches" not in rows:
        return {}
    return {
        "log_touches": np.log1p(rows["n_touches"].to_numpy()),
        "log_touches_recent": np.log1p(rows["n_touches_recent"].to_numpy()),
        "log_days_since_touch": _log_days(rows["as_of"], rows["last_touch_at"]),
    }


def _birth_numbers(snapshot: Snapshot) -> dict[str, np.ndarray]:
    out = {}
    for name in snapshot.birth_facts:
        values = snapshot.open[name]
        if name in _IDENTITIES | _STATE_NUMBERS:
            continue
        if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
            x = values.to_numpy(dtype="float64", na_value=np.nan)
            out[name] = np.sign(x) * np.log1p(np.abs(x))  # counts and sizes have long tails
    return out


def _categories(snapshot: Snapshot) -> pd.DataFrame:
    rows = snapshot.open
    names = [c for c in _TRACKED_CATEGORIES if snapshot.roles.get(c) in ("tracked", "birth") and c in rows]
    for name in snapshot.birth_facts:
        text = pd.api.types.is_string_dtype(rows[name].dtype) or rows[name].dtype == object
        if text and name not in names and name not in _IDENTITIES:
            names.append(name)
    return pd.DataFrame({n: _texts(rows[n]) for n in names}, index=rows.index)  # as many rows without any category


def _texts(values: pd.Series) -> pd.Series:
    """Texts as objects, by way of their few distinct ones."""
    code, distinct = pd.factorize(values)  # −1: missing
    return pd.Series(np.array([*map(str, distinct), MISSING], dtype=object)[code], values.index)


def _addresses(texts: pd.Series) -> np.ndarray:
    """Which rows hold an e-mail address (n,)."""
    code, distinct = pd.factorize(texts)
    return np.array(["@" in text for text in distinct], dtype=bool)[code]


def _past_rates(snapshot: Snapshot) -> pd.DataFrame:
    """What the deals closed and written by ``as_of`` tell: of the company lately, the owner, the source, the customer.

    Rates are log-odds of winning, as differences from the company's long-run log-odds and shrunk, so that 0 means
    "nothing known". A customer's past counts as it is: how many deals were won, how many lost.
    """
    rows, closings = snapshot.open, snapshot.closings
    written, replaced, closed_at = (_seconds(closings[c]) for c in ("recorded_at", "known_until", "closed_at"))
    won = (closings["status"] == WON).to_numpy(dtype="float64")
    counts = {name: _Counts(_Group.of(snapshot, column), won) for name, column in _PAST_OF.items()}
    out = {name: np.zeros(len(rows)) for name in ("owner_wins", "recent_wins", "source_wins", *_CUSTOMER)}
    days, place = np.unique(_seconds(rows["as_of"]), return_inverse=True)
    evenings, looks = days + np.timedelta64(1, "D"), _by_day(place, len(days))
    # A closing is known on a row of evenings that follow each other, and for some of them it came lately.
    first, last = (np.searchsorted(evenings, t, side="right") for t in (written, replaced))
    recent = np.searchsorted(evenings, closed_at + np.timedelta64(_RECENT_DAYS + 1, "D"), side="left")
    recent[np.isnat(closed_at)] = 0
    known, wins = (_running(first, last, w, len(days)) for w in (None, won))
    late, late_wins = (_running(first, np.minimum(last, recent), w, len(days)) for w in (None, won))
    comes, goes = (_by_day(np.where(last > first, day, len(days)), len(days)) for day in (first, last))
    for i, at in enumerate(looks):
        for count in counts.values():
            count.move(comes[i], goes[i])
        if not known[i]:
            continue
        base = (wins[i] + 0.5) / (known[i] + 1.0)
        out["recent_wins"][at] = _shrunk(late_wins[i], late[i], base)
        for name in ("owner_wins", "source_wins"):
            out[name][at] = _shrunk(*counts[name].of(at), base)
        customer_wins, count_all = counts["customer"].of(at)
        out["customer_won"][at], out["customer_lost"][at] = np.log1p(customer_wins), np.log1p(count_all - customer_wins)
    return pd.DataFrame(out)


def _running(first: np.ndarray, last: np.ndarray, weight: np.ndarray | None, days: int) -> np.ndarray:
    """Count, or sum by whole weights, what is there from day ``first`` to the one before ``last``, by day (days,)."""
    there = last > first
    w = np.ones(int(there.sum())) if weight is None else weight[there]
    steps = np.bincount(first[there], w, days + 1) - np.bincount(last[there], w, days + 1)
    return np.asarray(np.cumsum(steps)[:days])


def _by_day(day: np.ndarray, days: int) -> list[np.ndarray]:
    """Positions of what belongs to each of the ``days``; a number beyond them belongs to none."""
    order = np.argsort(day, kind="stable")
    return np.split(order, np.searchsorted(day[order], np.arange(1, days + 1)))[:days]


@dataclass(frozen=True)
class _Group:
    """To which group (an owner, a customer) each closing and each open deal belongs; 0 is none."""

    closer: np.ndarray
    holder: np.ndarray
    size: int

    @classmethod
    def of(cls, snapshot: Snapshot, column: str) -> _Group:
        rows, closings = snapshot.open, snapshot.closings
        if column not in rows or column not in closings or snapshot.roles.get(column) not in ("tracked", "birth"):
            return cls(np.zeros(len(closings), dtype=int), np.zeros(len(rows), dtype=int), 1)
        code, names = pd.factorize(pd.concat([closings[column], rows[column]]).astype("object"))  # −1: missing
        return cls(code[: len(closings)] + 1, code[len(closings) :] + 1, len(names) + 1)


class _Counts:
    """Deals won, and deals closed, in each group, as they are known on one evening after the other."""

    def __init__(self, group: _Group, won: np.ndarray) -> None:
        self._group, self._won = group, won
        self._wins, self._count = np.zeros(group.size), np.zeros(group.size)

    def move(self, comes: np.ndarray, goes: np.ndarray) -> None:
        """Go on to the next evening: some closings come to be known, others are replaced."""
        for at, sign in ((comes, 1.0), (goes, -1.0)):
            np.add.at(self._count, self._group.closer[at], sign)
            np.add.at(self._wins, self._group.closer[at], sign * self._won[at])

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deals won, and deals closed, in the group of each open row; none where it has no group."""
        group = self._group.holder[rows]
        return np.where(group > 0, self._wins[group], 0.0), np.where(group > 0, self._count[group], 0.0)


def _seconds(times: pd.Series) -> np.ndarray:
    return times.to_numpy().astype("datetime64[s]")


def _shrunk(won: np.ndarray | float, closed: np.ndarray | float, base: float) -> np.ndarray:
    rate = (won + _SHRINK_DEALS * base) / (closed + _SHRINK_DEALS)
    return np.asarray(np.log(rate / (1 - rate)) - np.log(base / (1 - base)))
