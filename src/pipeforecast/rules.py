"""How companies forecast today, by hand: the rules that every model has to beat, under the same protocol.

W is what was won in the period by as_of; O the open deals; x a deal's listed amount (missing: the median won amount of
its segment); e its expected close as known at as_of; E the period's end; k the day of the period; the past is the
periods complete by as_of, at most eight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.errors import SettingsError, some
from pipeforecast.fiscal import Period
from pipeforecast.forecast import NO_GROUP, PARTS, TOTAL, Forecast, group_names
from pipeforecast.outcome import Lessons, new_business, won_between, won_in_time
from pipeforecast.snapshot import Snapshot

_PAST = 8
_COMMIT = ("commit", "forecast", "include")
_UPSIDE = (*_COMMIT, "best case", "bestcase", "upside", "most likely", "mostlikely")

#: Share of its listed amount with which each open deal counts, from the lessons, today's snapshot and the period.
Weights = Callable[[Lessons, Snapshot, Period], np.ndarray]


@dataclass(frozen=True)
class Rule:
    """A rule that adds up deals: W + Σ weight · x, and N(k) with ``new``."""

    name: str
    weights: Weights
    new: bool = False

    def fit(self, lessons: Lessons) -> FittedRule:
        """Nothing is estimated before the day and the period are known."""
        return FittedRule(self, lessons)


@dataclass(frozen=True)
class FittedRule:
    """A rule with the past that it may look at."""

    rule: Rule
    lessons: Lessons

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.rule.name

    def chances(self, snapshot: Snapshot, period: Period) -> np.ndarray:
        """Share of its amount with which each open deal counts: the rule's idea of P(won in the period)."""
        return self.rule.weights(self.lessons, snapshot, period)

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """One number for every cell."""
        rows = snapshot.open
        brings = np.nan_to_num(self.chances(snapshot, period)) * listed_amounts(self.lessons, snapshot)
        due = (rows["expected_close"] <= period.end).to_numpy()
        won = won_between(snapshot.closed_by(snapshot.as_of), period.start, period.end)
        pieces = [
            ("won", won, won["amount"].fillna(0.0).to_numpy(dtype="float64")),
            ("open_due", rows[due], brings[due]),
            ("open_pulled_in", rows[~due], brings[~due]),
        ]
        if self.rule.new:
            new, periods = past_new_business(self.lessons, snapshot.as_of, period)
            pieces.append(("new", new, new["amount"].to_numpy(dtype="float64") / max(periods, 1)))
        cells, mean = _sums(pieces, levels)
        return Forecast(snapshot.as_of, period, self.name, cells, mean)


@dataclass(frozen=True)
class MeanOfFour:
    """Mean of the last four complete periods, never below W."""

    name: str = "mean_of_four"

    def fit(self, lessons: Lessons) -> FittedMean:
        """Nothing is estimated before the day and the period are known."""
        return FittedMean(self, lessons)


@dataclass(frozen=True)
class FittedMean:
    """The mean of past periods, group by group."""

    rule: MeanOfFour
    lessons: Lessons

    @property
    def name(self) -> str:
        """Name under which it is scored."""
        return self.rule.name

    def forecast(self, snapshot: Snapshot, period: Period, levels: Sequence[str] = ()) -> Forecast:
        """One number for the total and for each group; it does not know of parts."""
        won = won_between(snapshot.closed_by(snapshot.as_of), period.start, period.end)
        periods = self.lessons.past_periods(4)
        past = [self.lessons.won_in(p) for p in periods]
        rows, mean = [], []
        for level in (TOTAL, *levels):
            now = _by_group(won, won["amount"], level)
            before = [_by_group(p, p["amount"], level) for p in past]
            for group in sorted({*now, *(g for b in before for g in b)}):
                usual = sum(b.get(group, 0.0) for b in before) / max(len(before), 1)
                rows.append((level, group, "total"))
                mean.append(max(now.get(group, 0.0), usual))
        cells = pd.DataFrame(rows or [(TOTAL, TOTAL, "total")], columns=["level", "group", "part"])
        return Forecast(snapshot.as_of, period, self.name, cells, np.array(mean or [0.0]))


def listed_amounts(lessons: Lessons, snapshot: Snapshot) -> np.ndarray:
    """x: the listed amount, or the median won amount of the deal's segment where none is listed."""
    won = lessons.deals[(lessons.deals["status"] == WON).to_numpy()]
    overall = won["amount"].median()
    fill = pd.Series(0.0 if pd.isna(overall) else float(overall), index=snapshot.open.index)
    if "segment" in won and "segment" in snapshot.open:
        medians = won.groupby("segment")["amount"].median()
        fill = snapshot.open["segment"].astype("object").map(medians.to_dict()).astype("float64").fillna(fill)
    return snapshot.open["amount"].fillna(fill).to_numpy(dtype="float64")


def past_new_business(lessons: Lessons, as_of: pd.Timestamp, period: Period) -> tuple[pd.DataFrame, int]:
    """Deals that past periods won after their day k without having seen them on it, and how many periods."""
    k = period.day_of(as_of)
    past = lessons.past_periods(_PAST)
    won = lessons.deals[(lessons.deals["status"] == WON).to_numpy(dtype=bool)]
    found = [new_business(won, p.evening(k), max(p.evening(k + 1), p.start), p.end) for p in past]
    if not found:
        return lessons.deals.iloc[:0], 0
    return pd.concat(found), len(past)


def _crm_probability(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    return np.asarray(_due(snapshot, period) * snapshot.open["probability"].fillna(0.0).to_numpy(dtype="float64"))


def _stage_rate(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    closed = lessons.deals[(lessons.deals["status"] != OPEN).to_numpy()]
    won = (closed["status"] == WON).astype("float64")
    passed = lessons.entered[lessons.entered["deal"].isin(closed.index).to_numpy()]
    rate = won.reindex(passed["deal"]).groupby(passed["stage"].to_numpy(dtype=object)).mean()
    overall = float(won.mean()) if len(won) else 0.0
    of_deal = snapshot.open["stage"].astype("object").map(rate.to_dict()).astype("float64").fillna(overall)
    return _due(snapshot, period) * of_deal.to_numpy()


def _same_stage_same_time(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    rows, won = won_in_time(lessons, period.day_of(snapshot.as_of), _PAST)
    amount = lessons.outcome.rows["amount"].fillna(0.0).to_numpy(dtype="float64")[rows]
    frame = pd.DataFrame({
        "stage": lessons.snapshot.open["stage"].to_numpy(dtype=object)[rows],
        "listed": listed_amounts(lessons, lessons.snapshot)[rows],
        "won": np.where(won, amount, 0.0),
    })  # fmt: skip
    sums = frame.groupby("stage", dropna=False)[["won", "listed"]].sum()
    share = (sums["won"] / sums["listed"].where(sums["listed"] > 0)).fillna(0.0)
    total = float(frame["won"].sum() / frame["listed"].sum()) if frame["listed"].sum() > 0 else 0.0
    return snapshot.open["stage"].astype("object").map(share.to_dict()).astype("float64").fillna(total).to_numpy()


@dataclass(frozen=True)
class _Category:
    """Counts the deals due whose forecast category is one of ``names`` (an object, so that it can be pickled)."""

    names: Sequence[str]

    def __call__(self, lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
        said = snapshot.open["forecast_category"].astype("object").fillna("").astype(str).str.strip().str.lower()
        return _due(snapshot, period) * said.isin(self.names).to_numpy(dtype="float64")


def _due(snapshot: Snapshot, period: Period) -> np.ndarray:
    return (snapshot.open["expected_close"] <= period.end).to_numpy(dtype="float64")


def _sums(
    pieces: Sequence[tuple[str, pd.DataFrame, np.ndarray]], levels: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    rows: list[tuple[str, str, str]] = []
    mean: list[float] = []
    for level in (TOTAL, *levels):
        by_part = {part: _by_group(frame, values, level) for part, frame, values in pieces}
        for group in sorted({TOTAL} if level == TOTAL else {g for sums in by_part.values() for g in sums}):
            cell = {part: sums.get(group, 0.0) for part, sums in by_part.items()}
            cell["open"] = cell["open_due"] + cell["open_pulled_in"]
            cell["total"] = cell["won"] + cell["open"] + cell.get("new", 0.0)
            rows += [(level, group, part) for part in PARTS]
            mean += [cell.get(part, 0.0) for part in PARTS]
    return pd.DataFrame(rows, columns=["level", "group", "part"]), np.array(mean)


def _by_group(rows: pd.DataFrame, values: np.ndarray | pd.Series, level: str) -> dict[str, float]:
    money = pd.Series(np.asarray(values, dtype="float64"), dtype="float64").fillna(0.0)
    if level == TOTAL:
        return {TOTAL: float(money.sum())}
    if level not in rows:
        return {NO_GROUP: float(money.sum())}
    return {str(name): float(total) for name, total in money.groupby(group_names(rows, level)).sum().items()}


_WEIGHTS: dict[str, Weights] = {
    "crm_probability": _crm_probability,
    "stage_rate": _stage_rate,
    "category_commit": _Category(_COMMIT),
    "category_upside": _Category(_UPSIDE),
}
RULES: dict[str, Rule | MeanOfFour] = {
    **{name: Rule(name, w) for name, w in _WEIGHTS.items()},
    **{f"{name}+new": Rule(f"{name}+new", w, new=True) for name, w in _WEIGHTS.items()},
    "same_stage_same_time": Rule("same_stage_same_time", _same_stage_same_time, new=True),
    "mean_of_four": MeanOfFour(),
}


def rule(name: str) -> Rule | MeanOfFour:
    """Give the rule called ``name``.

    Raises
    ------
    SettingsError
        If there is no such rule.
    """
    if name not in RULES:
        raise SettingsError(f"rules: {name!r} is not a rule; expected {some(RULES, 20)}")
    return RULES[name]
