"""The life cycle of leads: how many, how far cohorts got, in how many days, and how much of it is still to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen
from pipeforecast.metrics.parts import by_part
from pipeforecast.metrics.statuses import leads_of, share_due
from pipeforecast.metrics.values import NotAvailable, Values, amount, count, proportion, ratio
from pipeforecast.metrics.view import View
from pipeforecast.wording import noop, pnoop

#: Conversions of the catalogue: from a status to a later one.
CONVERSIONS = (("lead", "mql"), ("mql", "srl"), ("srl", "sql"), ("mql", "sql"), ("sql", "opportunity"))
_SAID = {"lead": "lead", "mql": "MQL", "srl": "SRL", "sql": "SQL", "opportunity": "opportunity", "customer": "customer"}


@dataclass(frozen=True)
class Cohorts:
    """Leads created in each window that reached a status, and what became of them.

    Attributes
    ----------
    n, passed : float arrays (P, G)
        Leads that reached ``start``, and those of them that reached ``end``.
    due : float array (P, G)
        Share of their conversions that is to be expected by the evening (1: none is to come); NaN: cannot be told.
    days : float array (N,)
        From ``start`` to ``end`` of every lead that made it.
    """

    n: np.ndarray
    passed: np.ndarray
    due: np.ndarray
    days: np.ndarray


def created(view: View) -> Chosen:
    """Leads by the period of their creation; made once."""
    made: Chosen = view.once("leads created", lambda: leads_of(view).facts.within("created_at"))
    return made


def cohorts_of(view: View, start: str, end: str) -> Cohorts:
    """Follow the cohorts of a conversion; made once."""
    made: Cohorts = view.once(f"cohorts {start} {end}", lambda: _cohorts(view, start, end))
    return made


def _cohorts(view: View, start: str, end: str) -> Cohorts:
    rows = leads_of(view).sure(start, end).rows
    began = rows["created_at" if start == "lead" else start].to_numpy().astype("datetime64[D]")
    ended = rows[end].to_numpy().astype("datetime64[D]")
    at, over = ~np.isnat(began), ~np.isnat(ended)
    evening = np.datetime64(view.as_of, "D")
    age = np.where(at, (evening - began).astype("int64"), -1)
    lag = np.where(at & over, (ended - began).astype("int64"), -1)
    made = at & over & (age >= lag)
    due = share_due(lag[made], age[made])
    share = due[np.clip(age, 0, len(due) - 1)] if len(due) else np.full(len(rows), np.nan)
    chosen = created(view)
    n = chosen.sum(at.astype("float64"))
    return Cohorts(
        n=n,
        passed=chosen.sum((at & over).astype("float64")),
        due=ratio(chosen.sum(np.where(at, share, 0.0)), n) if len(due) else np.full(n.shape, np.nan),
        days=np.where(made, lag, np.nan).astype("float64"),
    )


def immature(view: View, due: np.ndarray) -> np.ndarray:
    """Whether too few of a cohort's conversions are due by now, or none was ever seen (P, G)."""
    return np.asarray(~(due >= view.choices.lifecycle.mature))


def _conversion(start: str, end: str) -> Callable[[View], Values]:
    def compute(view: View) -> Values:
        c = cohorts_of(view, start, end)
        told = proportion(c.passed, c.n)
        return Values(told.value, told.n, told.lower, told.upper, immature=immature(view, c.due))

    return compute


def _every_conversion(view: View, told: Callable[[Cohorts], Values]) -> Mapping[str, Values]:
    """Tell something of every conversion that the export knows, by its name."""
    out = {}
    for start, end in CONVERSIONS:
        try:
            out[f"{start}_to_{end}"] = told(cohorts_of(view, start, end))
        except NotAvailable:
            continue
    if not out:
        raise NotAvailable(pnoop("reason", "no two statuses of leads are known"))
    return out


def _step_days(view: View) -> Mapping[str, Values]:
    def told(c: Cohorts) -> Values:
        moved = created(view).known(c.days)
        return Values(moved.quantile(c.days), moved.count(), immature=immature(view, c.due))

    return _every_conversion(view, told)


def _maturity(view: View) -> Mapping[str, Values]:
    return _every_conversion(view, lambda c: Values(np.where(c.n > 0, c.due, np.nan), c.n))


def _by_source(view: View) -> Mapping[str, Values]:
    return by_part(created(view), "lead_source", lambda c: count(c.count()))


def _converted_by_source(view: View) -> Mapping[str, Values]:
    step = leads_of(view).deal_step
    over = leads_of(view).sure(step).rows[step].notna().to_numpy().astype("float64")

    def told(chosen: Chosen) -> Values:
        n = chosen.sum(over)
        return replace(count(n), n=chosen.count())

    return by_part(created(view), "lead_source", told)


def _won_by_source(view: View) -> Mapping[str, Values]:
    return by_part(
        created(view), "lead_source", lambda c: amount(c.sum("won"), c.count(), c.squares("won"))
    )  # fmt: skip


def _qualified(view: View) -> Values:
    status = view.choices.lifecycle.qualified
    c = cohorts_of(view, "lead", status)
    return replace(count(c.passed), n=c.n, immature=immature(view, c.due))


def _qualified_share(view: View) -> Values:
    return _conversion("lead", view.choices.lifecycle.qualified)(view)


_REACHED = {
    ("lead", "mql"): noop("of leads created in the period: the share that reached MQL by as_of"),
    ("mql", "srl"): noop("of leads created in the period that became MQL: the share that reached SRL by as_of"),
    ("srl", "sql"): noop("of leads created in the period that became SRL: the share that reached SQL by as_of"),
    ("mql", "sql"): noop("of leads created in the period that became MQL: the share that reached SQL by as_of"),
    ("sql", "opportunity"): noop(
        "of leads created in the period that became SQL: the share that reached opportunity by as_of"
    ),
}


def _declared(start: str, end: str, example: str) -> Metric:
    return Metric(
        name=f"{start}_to_{end}", title=f"{_SAID[start]} to {_SAID[end]}".replace("lead to", "Lead to"),
        formula=_REACHED[start, end],
        unit="share", counts="leads", clock="created", good="up", family="life cycle",
        compute=_conversion(start, end), needs=_LEADS, example=example,
    )  # fmt: skip


_LEADS = {"leads": ("lead_id", "created_at")}
_BY_SOURCE = {"leads": ("lead_id", "created_at", "lead_source")}
_EXAMPLES = ("40 of 100 = 0.40", "12 of 40 = 0.30", "10 of 12 = 0.83", "50 of 100 = 0.50", "30 of 50 = 0.60")

METRICS = (
    *(_declared(*pair, example) for pair, example in zip(CONVERSIONS, _EXAMPLES, strict=True)),
    Metric(
        "lead_step_days", "Days from status to status",
        "median days from a status to the next, of leads created in the period that reached it by as_of", "days",
        "leads", "created", "down", "life cycle", _step_days, _LEADS, parts="conversion", example="2, 5, 9 → 5",
    ),
    Metric(
        "cohort_maturity", "Maturity of cohorts",
        "share of a cohort's later conversions that is to be expected by as_of, from how long conversions took; below "
        "lifecycle.mature the cohort's rates are immature", "share", "leads", "created", "neither", "life cycle",
        _maturity, _LEADS, parts="conversion",
        example="conversions take 10 or 20 days, half each; cohorts 15 days old → 0.5",
    ),
    Metric(
        "leads_by_source", "Leads by source", "leads created in the period, by lead source", "count", "leads",
        "created", "up", "life cycle", _by_source, _BY_SOURCE, additive=True, parts="source",
        example="3 by web, 1 by event",
    ),
    Metric(
        "converted_by_source", "Converted leads by source",
        "leads created in the period that became an opportunity by as_of, by lead source", "count", "leads", "created",
        "up", "life cycle", _converted_by_source, _BY_SOURCE, additive=True,
        parts="source", example="of 3 by web 2, of 1 by event 0",
    ),
    Metric(
        "won_from_leads_by_source", "Won amount of leads by source",
        "Σ amount won by as_of with leads created in the period, by lead source", "currency", "leads", "created", "up",
        "life cycle", _won_by_source, _BY_SOURCE, additive=True,
        parts="source", example="web 100 + 250 = 350, event 0",
    ),
    Metric(
        "qualified_leads", "Qualified leads",
        "leads created in the period that reached the qualified status (lifecycle.qualified) by as_of", "count",
        "leads", "created", "up", "life cycle", _qualified, _LEADS, additive=True, example="30 of 120",
    ),
    Metric(
        "qualified_leads_share", "Share of qualified leads", "qualified leads ÷ leads created in the period", "share",
        "leads", "created", "up", "life cycle", _qualified_share, _LEADS, example="30 of 120 = 0.25",
    ),
)  # fmt: skip
