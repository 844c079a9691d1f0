"""From a target back to wins, opportunities, leads and contacts, with the uncertainty of the rates carried through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.plan.rates import FEW, Rate, steps_of

PLAN_COLUMNS = (
    "as_of", "period", "step", "title", "per_period", "per_rep", "per_week", "mean", "p10", "p90", "unit", "rate",
    "rate_value", "rate_source", "status", "reason",
)  # fmt: skip
OK, UNDEFINED, REACHED = "ok", "undefined", "reached"


@dataclass(frozen=True)
class Goal:
    """What is asked of one period.

    Attributes
    ----------
    period : Period
    target : float
    won : float
        Already won in it.
    reps : int
        Among whom the work is shared; 0: nobody is known.
    as_of : Timestamp
    """

    period: Period
    target: float
    won: float
    reps: int
    as_of: pd.Timestamp

    @property
    def to_go(self) -> float:
        """What is still missing; 0 once the target is reached."""
        return max(self.target - self.won, 0.0)

    @property
    def days_left(self) -> int:
        """Days of the period that are still to come."""
        begin = max(self.period.start, self.as_of + pd.Timedelta(days=1))
        return max(int((self.period.end - begin).days) + 1, 0)


@dataclass(frozen=True)
class _Need:
    """A number of units: at the measured rates, and in every draw; why it is undefined."""

    value: float
    draws: np.ndarray
    reason: str = ""
    few: bool = False

    def divided(self, rate: Rate) -> _Need:
        if self.reason or not rate.known:
            return _Need(np.nan, np.full(len(self.draws), np.nan), self.reason or f"{rate.title}: {rate.reason}")
        few = self.few or (not rate.assumed and rate.hits < FEW)
        with np.errstate(divide="ignore", invalid="ignore"):
            return _Need(self.value / rate.value, self.draws / rate.draws, few=few)

    def times(self, rate: Rate, share: Callable[[np.ndarray], np.ndarray]) -> _Need:
        if self.reason or not np.isfinite(rate.value):
            return _Need(np.nan, np.full(len(self.draws), np.nan), self.reason or f"{rate.title}: {rate.reason}")
        return _Need(self.value * float(share(np.array([rate.value]))[0]), self.draws * share(rate.draws), few=self.few)


def plan_rows(goal: Goal, rates: Mapping[str, Rate]) -> pd.DataFrame:
    """Rows of ``plan.csv`` for one period.

    Parameters
    ----------
    goal : Goal
    rates : mapping of name to Rate
        As of ``rates_of``.

    Returns
    -------
    DataFrame
        ``PLAN_COLUMNS``: ``per_period``, ``per_rep`` (and period) and ``per_week`` (of the days that are left) at the
        rates as measured; ``mean``, ``p10``, ``p90`` of ``per_period`` over the draws of the rates. The mean is empty
        where a rate rests on a single case: then it has none.
    """
    draws = len(next(iter(rates.values())).draws)
    to_go = _Need(goal.to_go, np.full(draws, goal.to_go))
    won = to_go.divided(rates["deal_size"])
    made = won.divided(rates["win_rate"])
    late = made.times(rates["cycle_days"], lambda days: np.clip(days / max(goal.days_left, 1), 0.0, 1.0))
    led = made.times(rates["from_leads"], lambda share: share)
    met = won.divided(rates["meeting_to_win"])
    contacts = met.divided(rates["contact_to_meeting"])
    whole = {
        "target": ("Target", _Need(goal.target, np.full(draws, goal.target)), "currency", ""),
        "won_so_far": ("Won in the period so far", _Need(goal.won, np.full(draws, goal.won)), "currency", ""),
        "to_go": ("Still to be won", to_go, "currency", ""),
    }
    needs = {
        "won_deals": ("Won deals", won, "count", "deal_size"),
        "opportunities": ("Opportunities", made, "count", "win_rate"),
        "opportunities_too_late": (
            "  of these too late for the period", late, "count", "cycle_days",
        ),
        "opportunities_from_leads": ("Opportunities from leads", led, "count", "from_leads"),
        **_leads(led, rates),
        "meetings": ("Meetings", met, "count", "meeting_to_win"),
        "contacts": ("Contacts (calls and e-mails)", contacts, "count", "contact_to_meeting"),
    }  # fmt: skip
    rows = [_row(goal, step, *told, rates) for step, told in (whole | needs).items()]
    return pd.DataFrame(rows, columns=list(PLAN_COLUMNS))


def _leads(need: _Need, rates: Mapping[str, Rate]) -> dict[str, tuple[str, _Need, str, str]]:
    """Leads of each status that are needed, from the last one back."""
    out = {}
    for step, rate in steps_of(rates):
        need = need.divided(rates[rate])
        out["leads" if step == "lead" else step] = ("Leads" if step == "lead" else step.upper(), need, "count", rate)
    return out


def _row(
    goal: Goal, step: str, title: str, need: _Need, unit: str, rate: str, rates: Mapping[str, Rate]
) -> dict[str, object]:
    weeks = goal.days_left / 7
    low, high = np.quantile(need.draws, [0.1, 0.9]) if np.isfinite(need.draws).all() else (np.nan, np.nan)
    told = rates.get(rate)
    reached = goal.to_go == 0 and unit == "count"
    return {
        "as_of": goal.as_of,
        "period": goal.period.name,
        "step": step,
        "title": title,
        "per_period": need.value,
        "per_rep": need.value / goal.reps if goal.reps else np.nan,
        "per_week": need.value / weeks if weeks > 0 else np.nan,
        "mean": np.nan if need.few else float(need.draws.mean()),
        "p10": float(low),
        "p90": float(high),
        "unit": unit,
        "rate": rate or None,
        "rate_value": np.nan if told is None else told.value,
        "rate_source": None if told is None else "assumed" if told.assumed else "measured",
        "status": UNDEFINED if need.reason else REACHED if reached else OK,
        "reason": need.reason or None,
    }


def latest_day(goal: Goal, rates: Mapping[str, Rate]) -> pd.Timestamp | None:
    """Last day on which a deal may be created to be won in the period, at the median cycle; None: not known."""
    cycle = rates["cycle_days"].value
    return goal.period.end - pd.Timedelta(days=float(np.ceil(cycle))) if np.isfinite(cycle) else None


def rate_rows(rates: Mapping[str, Rate], as_of: pd.Timestamp) -> pd.DataFrame:
    """Rows of ``rates.csv``: what the plan rests on."""
    rows = []
    for rate in rates.values():
        told = np.isfinite(rate.draws).all() and rate.n > 0
        low, high = np.quantile(rate.draws, [0.1, 0.9]) if told else (np.nan, np.nan)
        rows.append((as_of, rate.name, rate.title, rate.value, float(low), float(high), rate.n,
                     "assumed" if rate.assumed else "measured", rate.reason or None))  # fmt: skip
    return pd.DataFrame(rows, columns=["as_of", "rate", "title", "value", "p10", "p90", "n", "source", "reason"])
