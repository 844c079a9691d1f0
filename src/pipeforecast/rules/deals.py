"""Rules that add up deals: each open deal counts with a share of its listed amount."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.fiscal import Period
from pipeforecast.forecast import PARTS, TOTAL, Forecast
from pipeforecast.outcome import Lessons
from pipeforecast.rules.money import (
    PAST,
    by_group,
    listed,
    listed_amounts,
    money_of,
    narrowed,
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
        rows = snapshot.open
        share, x = self.chances(snapshot, period), listed_amounts(self.lessons, snapshot)
        # A deal that does not count, or is listed for nothing, brings nothing, whatever else is unknown.
        brings = np.where((share == 0) | (x == 0), 0.0, share * x)
        due = (rows["expected_close"] <= period.end).to_numpy(dtype=bool)
        grouped, won = narrowed(rows, levels), won_by_day(snapshot, period.day_of(snapshot.as_of), [period], levels)
        pieces = [
            ("won", won, money_of(won)),
            ("open_due", grouped[due], brings[due]),
            ("open_pulled_in", grouped[~due], brings[~due]),
        ]
        periods = 1
        if self.rule.new:
            new, periods = past_new_business(self.lessons, snapshot.as_of, period, levels)
            pieces.append(("new", new, money_of(new) / max(periods, 1)))
        cells, mean = _cells(pieces, levels)
        if periods == 0:
            mean[cells["part"].isin(["new", TOTAL]).to_numpy()] = np.nan
        return Forecast(snapshot.as_of, period, self.name, cells, mean)


def _cells(
    pieces: Sequence[tuple[str, pd.DataFrame, np.ndarray]], levels: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Every part of the total and of each group: its share of each piece (part, rows, amounts)."""
    cells, mean = [], []
    for level in (TOTAL, *levels):
        sums = {part: by_group(rows, amounts, level) for part, rows, amounts in pieces}
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
    seen = _seen_on_day(lessons, period.day_of(snapshot.as_of))
    sums = seen.groupby("stage", dropna=False)[["brought", "listed"]].sum()
    share = sums["brought"] / sums["listed"].where(sums["listed"] > 0)
    return _of_stage(snapshot, share, _ratio(seen["brought"].sum(), seen["listed"].sum()))


def _coverage_yield(lessons: Lessons, snapshot: Snapshot, period: Period) -> np.ndarray:
    """Amount that past deals open on that day brought by the period's end ÷ what was listed and due in it."""
    seen = _seen_on_day(lessons, period.day_of(snapshot.as_of))
    brought = _ratio(seen["brought"].sum(), seen.loc[seen["due"].to_numpy(dtype=bool), "listed"].sum())
    return np.where(_due_now(snapshot, period), brought, 0.0)


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
