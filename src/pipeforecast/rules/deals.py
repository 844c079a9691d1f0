"""Rules that add up deals: each open deal counts with a share of its listed amount."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.fiscal import Period
from pipeforecast.forecast import PARTS, TOTAL, Forecast, group_names
from pipeforecast.outcome import Lessons
from pipeforecast.rules.money import (
    PAST,
    T,
    by_group,
    listed,
    listed_amounts,
    money_of,
    once,
    past_new_business,
    won_by_day,
)
from pipeforecast.snapshot import Snapshot

#: Forecast categories that commit, and those that hope as well.
COMMIT = ("commit", "forecast", "include")
UPSIDE = (*COMMIT, "best case", "bestcase", "upside", "most likely", "mostlikely")

#: Share of its listed amount with which each open deal counts, from the lessons, today's snapshot and the period.
Weights = Callable[[Lessons, Snapshot, Period], np.ndarray]
_Day = np.ndarray | np.datetime64


@dataclass(frozen=True)
class Rule:
    """A rule that adds up deals: W + Σ weight · x, and N(k) with ``new``.

    Parameters
    ----------
    name : str
    weights : callable
        NaN for a deal whose share the past cannot tell.
    facts : tuple of str
        Tracked facts without which there is nothing to add up.
    new : bool
        Whether N(k) is added: the mean past amount created after day k and won in the same period.
    """

    name: str
    weights: Weights
    facts: tuple[str, ...] = ()
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
        """One number for every cell; groups add up to the total.

        NaN where the past cannot tell: N(k) without a complete period, a share without a closed deal.
        """
        share, x = self.chances(snapshot, period), listed_amounts(self.lessons, snapshot)
        # A deal that does not count, or is listed for nothing, brings nothing, whatever else is unknown.
        brings = np.where((share == 0) | (x == 0), 0.0, share * x)
        known = _Known(self.lessons, snapshot, period, (TOTAL, *levels))
        sums = [{"won": known.won(level)} | known.open(brings, level) for level in known.levels]
        if self.rule.new:
            sums = [s | {"new": known.new(level)} for s, level in zip(sums, known.levels, strict=True)]
        cells, mean = _cells(sums, known.levels)
        if self.rule.new and known.periods == 0:
            mean[cells["part"].isin(["new", TOTAL]).to_numpy()] = np.nan
        return Forecast(snapshot.as_of, period, self.name, cells, mean)


@dataclass(frozen=True)
class _Known:
    """What all rules that add up deals know alike of one day and period; worked out once, whichever asks first."""

    lessons: Lessons
    snapshot: Snapshot
    period: Period
    levels: tuple[str, ...]

    def _once(self, what: str, level: str, make: Callable[[], T]) -> T:
        return once(self.lessons, self.snapshot, (what, self.period, self.levels, level), make)

    def won(self, level: str) -> pd.Series:
        """W by group."""
        day = self.period.day_of(self.snapshot.as_of)
        rows = self._once("won rows", "", lambda: won_by_day(self.snapshot, day, [self.period], self.levels))
        return self._once("won", level, lambda: by_group(rows, money_of(rows), level))

    def new(self, level: str) -> pd.Series:
        """N(k) by group."""
        rows, periods = self._new_rows
        return self._once("new", level, lambda: by_group(rows, money_of(rows) / max(periods, 1), level))

    @property
    def periods(self) -> int:
        """How many past periods tell N(k)."""
        return self._new_rows[1]

    @property
    def _new_rows(self) -> tuple[pd.DataFrame, int]:
        as_of = self.snapshot.as_of
        return self._once("new rows", "", lambda: past_new_business(self.lessons, as_of, self.period, self.levels))

    def open(self, brings: np.ndarray, level: str) -> dict[str, pd.Series]:
        """What open deals bring (n,) by group, apart by whether the CRM expects them by the period's end."""
        rows, end = self.snapshot.open, self.period.end
        due = self._once("due", "", lambda: (rows["expected_close"] <= end).to_numpy(dtype=bool))
        parts = {"open_due": due, "open_pulled_in": ~due}
        if level == TOTAL:
            return {part: pd.Series([brings[mine].sum()], index=[TOTAL]) for part, mine in parts.items()}
        code, names = self._once("groups", level, lambda: pd.factorize(group_names(rows, level), sort=True))
        sums = {part: np.bincount(code, np.where(mine, brings, 0.0), len(names)) for part, mine in parts.items()}
        return {part: pd.Series(s, index=names, dtype="float64") for part, s in sums.items()}


def _cells(by_level: Sequence[dict[str, pd.Series]], levels: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Every part of the total and of each group, from the sums (part → group) of each level."""
    cells, mean = [], []
    for level, sums in zip(levels, by_level, strict=True):
        groups = sorted({str(g) for s in sums.values() for g in s.index})
        cell = {part: s.reindex(groups, fill_value=0.0).to_numpy() for part, s in sums.items()}
        nothing = np.zeros(len(groups))
        cell["open"] = cell["open_due"] + cell["open_pulled_in"]
        cell[TOTAL] = cell["won"] + cell["open"] + cell.get("new", nothing)
        cells += [(level, group, part) for group in groups for part in PARTS]
        mean.append(np.column_stack([cell.get(part, nothing) for part in PARTS]).ravel())
    return pd.DataFrame(cells, columns=["level", "group", "part"]), np.concatenate(mean)


def _due(dates: pd.Series, as_of: _Day, start: _Day, end: _Day) -> np.ndarray:
    """Whether each deal is expected by the period's end; arrays are one value for all, or one per deal.

    Dates that have passed count. One that lies ahead but before a later period's start does not: it is expected in an
    earlier period.
    """
    e = dates.to_numpy().astype("datetime64[s]")
    return np.asarray((e <= end) & ~((e > as_of) & (e < start)))


def _due_now(snapshot: Snapshot, period: Period) -> np.ndarray:
    as_of, start, end = (np.datetime64(day, "s") for day in (snapshot.as_of, period.start, period.end))
    return _due(snapshot.open["expected_close"], as_of, start, end)


def _crm_probability(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    """The CRM's probability of the deals due; 0 where a deal has none, not known where none of them has."""
    said = snapshot.open["probability"].astype("float64")
    p = said if said.isna().all() else said.fillna(0.0)
    return np.where(_due_now(snapshot, period), p.to_numpy(), 0.0)


def _crm_probability_not_past_due(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    ahead = (snapshot.open["expected_close"] > snapshot.as_of).to_numpy(dtype=bool)
    return np.where(ahead, _crm_probability(lessons, snapshot, period), 0.0)


def _stage_rate_all_dates(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    """Won ÷ closed among deals that ever entered the stage, each deal once; of all closed where none ever did."""
    return once(lessons, snapshot, "stage rate", lambda: _stage_rates(lessons, snapshot))


def _stage_rates(lessons: Lessons, snapshot: Snapshot) -> np.ndarray:
    status = lessons.deals["status"]
    won, closed = (status == WON).to_numpy(dtype=bool), (status != OPEN).to_numpy(dtype=bool)
    if not closed.any():
        return np.full(len(snapshot.open), np.nan)
    at = lessons.deals.index.get_indexer(pd.Index(lessons.entered["deal"]))
    passed = (at >= 0) & closed[at]
    rate = pd.Series(won[at[passed]]).groupby(lessons.entered["stage"].to_numpy(dtype=object)[passed]).mean()
    return _of_stage(snapshot, rate, float(won[closed].mean()))


def _stage_rate(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    return np.where(_due_now(snapshot, period), _stage_rate_all_dates(lessons, snapshot, period), 0.0)


def _same_stage_same_time(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    """Amount won by the period's end ÷ listed amount, of past deals in that stage on that day; of all, where none."""
    seen = _seen(lessons, snapshot, period)
    sums = seen.groupby("stage", dropna=False)[["brought", "listed"]].sum()
    share = sums["brought"] / sums["listed"].where(sums["listed"] > 0)
    return _of_stage(snapshot, share, _ratio(seen["brought"].sum(), seen["listed"].sum()))


def _coverage_yield(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    """Amount that past deals open on that day brought by the period's end ÷ what was listed and due in it."""
    seen = _seen(lessons, snapshot, period)
    brought = _ratio(seen["brought"].sum(), seen.loc[seen["due"].to_numpy(dtype=bool), "listed"].sum())
    return np.where(_due_now(snapshot, period), brought, 0.0)


def _seen(lessons: Lessons, snapshot: Snapshot, period: Period) -> pd.DataFrame:
    k = period.day_of(snapshot.as_of)
    return once(lessons, snapshot, ("seen", k), lambda: _seen_on_day(lessons, k))


def _seen_on_day(lessons: Lessons, k: int) -> pd.DataFrame:
    """Deals open on day ``k`` of past periods: ``stage``, ``listed``, ``due`` by the end, and what each ``brought``."""
    past = {p.evening(k): p for p in lessons.past_periods(PAST)}
    seen = lessons.open_on(np.array([d.to_datetime64() for d in past], dtype="datetime64[s]"))
    start, end = (seen["as_of"].map({d: getattr(p, at) for d, p in past.items()}) for at in ("start", "end"))
    as_of, first, last = (v.to_numpy().astype("datetime64[s]") for v in (seen["as_of"], start, end))
    became = lessons.deals[["status", "closed_at", "amount"]].reindex(seen["deal"].to_numpy())
    won = (became["status"] == WON).fillna(False).to_numpy(dtype=bool)
    won &= became["closed_at"].to_numpy().astype("datetime64[s]") <= last
    amount = became["amount"].fillna(0.0).to_numpy(dtype="float64")
    return pd.DataFrame({
        "stage": seen["stage"].to_numpy(dtype=object), "listed": listed(lessons, seen),
        "due": _due(seen["expected_close"], as_of, first, last), "brought": np.where(won, amount, 0.0),
    })  # fmt: skip


def _of_stage(snapshot: Snapshot, rate: pd.Series, otherwise: float) -> np.ndarray:
    of_deal = snapshot.open["stage"].astype("object").map(rate.to_dict()).astype("float64")
    return of_deal.fillna(otherwise).to_numpy()


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")


@dataclass(frozen=True)
class _Category:
    """Counts the deals due whose forecast category is one of ``names``; not known where no open deal has any.

    An object, so that it can be pickled.
    """

    names: Sequence[str]

    def __call__(self, lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
        said = snapshot.open["forecast_category"]
        words = said.astype("object").fillna("").astype(str).str.strip().str.lower()
        counts = np.full(len(said), np.nan) if said.isna().all() else words.isin(self.names).to_numpy(dtype="float64")
        return np.where(_due_now(snapshot, period), counts, 0.0)


def _alone_and_with_new(rule: Rule) -> list[Rule]:
    return [rule, replace(rule, name=f"{rule.name}+new", new=True)]


_DATED = "expected_close"
CRM_PROBABILITY = [
    *_alone_and_with_new(Rule("crm_probability", _crm_probability, ("probability", _DATED))),
    *_alone_and_with_new(Rule("crm_probability_not_past_due", _crm_probability_not_past_due, ("probability", _DATED))),
]
STAGES = [
    *_alone_and_with_new(Rule("stage_rate", _stage_rate, (_DATED,))),
    *_alone_and_with_new(Rule("stage_rate_all_dates", _stage_rate_all_dates)),
    Rule("same_stage_same_time", _same_stage_same_time, new=True),
]
CATEGORIES = [
    *_alone_and_with_new(Rule("category_commit", _Category(COMMIT), ("forecast_category", _DATED))),
    *_alone_and_with_new(Rule("category_upside", _Category(UPSIDE), ("forecast_category", _DATED))),
]
COVERAGE = _alone_and_with_new(Rule("coverage_yield", _coverage_yield, (_DATED,)))
