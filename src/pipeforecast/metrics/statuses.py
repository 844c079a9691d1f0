"""Leads with the day on which each reached every status, wherever the export keeps statuses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding, first_examples
from pipeforecast.lifecycle import STEPS
from pipeforecast.metrics.facts import Facts
from pipeforecast.metrics.keys import place_of
from pipeforecast.metrics.once import leads_once
from pipeforecast.metrics.stays import open_stages
from pipeforecast.metrics.values import NotAvailable
from pipeforecast.metrics.view import View
from pipeforecast.reporting import with_manager
from pipeforecast.wording import pnoop

#: Statuses after the first, in their order.
REACHED = STEPS[1:]
#: Columns of ``leads`` with the day on which each status was reached.
_COLUMNS = {"mql": "mql_at", "srl": "srl_at", "sql": "sql_at", "opportunity": "converted_at"}
_FEWEST_SEEN = 10


@dataclass(frozen=True)
class Leads:
    """Leads as known on the evening, each once.

    Attributes
    ----------
    facts : Facts
        Rows of ``leads`` and ``mql``, ``srl``, ``sql``, ``opportunity``, ``customer`` (day on which each was reached;
        NaT: not yet), ``deal`` (place of its deal in ``view.deal_frame``, −1: none), ``won`` (amount won with it,
        else 0), ``manager`` where there is a reporting line. A status that was skipped counts as reached with the next
        one, so that days never fall.
    source : str
        Where statuses are kept: ``days``, ``log`` or ``stages``.
    told : set of str
        The statuses that any lead was seen to reach.
    """

    facts: Facts
    source: str
    told: frozenset[str]

    @property
    def deal_step(self) -> str:
        """The status with which a lead has a deal: where statuses are stages of the deal it is the first of them."""
        return "srl" if self.source == "stages" else "opportunity"

    def sure(self, *steps: str) -> Facts:
        """Give the rows, once it is sure that the export tells these statuses.

        Raises
        ------
        NotAvailable
            If it does not.
        """
        for step in steps:
            if step == "opportunity" and self.source == "stages":
                raise NotAvailable(
                    pnoop("reason", "SRL and SQL are stages of the deal here: every SQL is an opportunity already")
                )
            if step != "lead" and step not in self.told:
                raise NotAvailable(
                    pnoop("reason", "{place} says of no lead that it became {step}").format(
                        place=_place(self.source, step), step=step
                    )
                )
        return self.facts


def _place(source: str, step: str) -> str:
    """Name where an export tells of a status."""
    if source == "log":
        return f"lead_changes (lifecycle.statuses.{step})"
    return f"leads.{_COLUMNS[step]}" if source == "days" and step in _COLUMNS else f"the deals of leads ({step})"


def leads_of(view: View) -> Leads:
    """Give the leads of a view; made once."""
    made: Leads = view.once("life cycle of leads", lambda: _leads(view))
    return made


def where_from(view: View) -> str:
    """Say where this export keeps statuses: ``days``, ``log`` or ``stages``; ``auto`` is days where any is known."""
    told = view.choices.lifecycle.source
    if told != "auto":
        return told
    leads = view.frame("leads")
    days = any(f"{s}_at" in leads and leads[f"{s}_at"].notna().any() for s in ("mql", "srl", "sql"))
    return "log" if not days and "lead_changes" in view.known.tables else "days"


def _leads(view: View) -> Leads:
    leads, repeated = leads_once(view.frame("leads"))
    for finding in repeated:
        view.note(finding)
    deal = _deal_of(leads, view.deal_frame)
    days = _days(view, leads, deal)
    _check_order(view, leads, days)
    created = leads["created_at"].to_numpy().astype("datetime64[s]")
    reached: dict[str, np.ndarray] = {}
    later = np.full(len(leads), np.datetime64("NaT", "s"))
    for step in reversed(REACHED):
        later = np.fmin(days.get(step, later), later)
        reached[step] = np.fmax(later, np.where(np.isnat(later), later, created))
    deals = view.deal_frame
    won = np.where(deals["won"].to_numpy(dtype=bool), deals["amount"].fillna(0.0).to_numpy(dtype="float64"), 0.0)
    rows = leads.assign(**reached, deal=deal, won=np.where(deal >= 0, np.append(won, 0.0)[deal], 0.0))
    if "owner" in rows and "manager" not in rows:
        rows = with_manager(rows, view.known.tables.get("reporting_line"), rows["created_at"])
    told = frozenset(s for s, d in days.items() if not np.isnat(d).all())
    return Leads(view.facts(rows), where_from(view), told)


def _deal_of(leads: pd.DataFrame, deals: pd.DataFrame) -> np.ndarray:
    """Give the place of each lead's deal, −1 for none: the deal that it names, else the one that names it."""
    place = np.full(len(leads), -1)
    if "converted_deal_id" in leads and "deal_id" in deals:
        place = place_of(deals["deal_id"], leads["converted_deal_id"])
    if "lead_id" in deals:
        place = np.where(place < 0, place_of(deals["lead_id"], leads["lead_id"]), place)
    return place


def _days(view: View, leads: pd.DataFrame, deal: np.ndarray) -> dict[str, np.ndarray]:
    """Day of each status as the export has it (n,), NaT where it has none."""
    source, deals = where_from(view), view.deal_frame
    out = _from_log(view, leads) if source == "log" else _from_days(leads)
    none = np.datetime64("NaT", "s")
    created, closed = (
        np.append(deals[c].to_numpy().astype("datetime64[s]"), none) for c in ("created_at", "closed_at")
    )
    lost = np.append(~deals["won"].to_numpy(dtype=bool), True)
    out["customer"] = np.where(lost[deal], none, closed[deal])
    if source == "stages":
        second = np.append(_second_stage(view), none)
        out |= {"srl": created[deal], "sql": np.fmin(second[deal], out["customer"])}
        out.pop("opportunity", None)
    else:
        out["opportunity"] = np.where(np.isnat(out["opportunity"]), created[deal], out["opportunity"])
    return out


def _from_days(leads: pd.DataFrame) -> dict[str, np.ndarray]:
    none = np.full(len(leads), np.datetime64("NaT", "s"))
    return {s: leads[c].to_numpy().astype("datetime64[s]") if c in leads else none for s, c in _COLUMNS.items()}


def _from_log(view: View, leads: pd.DataFrame) -> dict[str, np.ndarray]:
    """First day of each status in the log of changes."""
    log, names = view.frame("lead_changes"), view.choices.lifecycle.statuses
    log = log[log["field"].str.casefold().isin([f.casefold() for f in names.field]).to_numpy(dtype=bool)]
    log = log.dropna(subset="changed_at")
    place = place_of(leads["lead_id"], log["lead_id"])
    at = log["changed_at"].to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    value = log["value"].str.casefold()
    out = {}
    for step in ("mql", "srl", "sql", "opportunity"):
        mine = value.isin([v.casefold() for v in getattr(names, step)]).to_numpy(dtype=bool) & (place >= 0)
        first = np.full(len(leads), np.datetime64("9999-01-01", "s"))
        np.minimum.at(first, place[mine], at[mine])
        out[step] = np.where(first == np.datetime64("9999-01-01", "s"), np.datetime64("NaT", "s"), first)
    return out


def _second_stage(view: View) -> np.ndarray:
    """Day on which each deal first was in the second stage or a later one (n_deals,)."""
    stages = open_stages(view.known.stages)
    if not view.known.has_stage_history:
        raise NotAvailable(pnoop("reason", "no history of stages: when a deal entered its second stage is not known"))
    states = view.known.states
    later = stages["stage"][(stages["rank"] >= 1).to_numpy()]
    at = states[states["stage"].isin(later).to_numpy(dtype=bool)].groupby("deal")["recorded_at"].min()
    out: np.ndarray = at.reindex(view.deal_frame.index).to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    return out


def _check_order(view: View, leads: pd.DataFrame, days: dict[str, np.ndarray]) -> None:
    created = leads["created_at"].to_numpy().astype("datetime64[s]")
    told = [s for s in REACHED if s in days]
    early = np.any([days[s] < created for s in told], axis=0)
    swapped = np.any([days[a] > days[b] for a, b in combinations(told, 2)], axis=0)
    for code, which, repair in (
        ("LEAD-STATUS-BEFORE-CREATED", early, "the day of creation counts"),
        ("LEAD-STATUS-OUT-OF-ORDER", swapped, "a status counts as reached by the day of any later one"),
    ):
        if which.any():
            view.note(Finding(code, "warning", "leads", "", int(which.sum()), first_examples(leads["lead_id"][which]),
                              repair, "check the days of these leads' statuses"))  # fmt: skip


def share_due(lag: np.ndarray, longest: np.ndarray) -> np.ndarray:
    """Distribution of how long a conversion takes, learned from conversions that had to be short to be seen.

    Parameters
    ----------
    lag : int array (n,)
        Days that each conversion took.
    longest : int array (n,)
        Days after which it would not have been seen yet (at least ``lag``).

    Returns
    -------
    float array (days + 1,)
        Share of all conversions that take at most 0, 1, 2 … days, of those up to the longest day that can be judged;
        empty without conversions.

    References
    ----------
    Lagakos, Barraj and De Gruttola, "Nonparametric analysis of truncated survival data", Biometrika 75, 1988. Days on
    which fewer than ten conversions could have been seen decide nothing.
    """
    if not len(lag):
        return np.zeros(0)
    days = int(lag.max()) + 1
    ended = np.bincount(lag, minlength=days).astype("float64")
    gone = np.bincount(np.minimum(longest, days), minlength=days + 1)[:days]
    risk = np.cumsum(ended) - (np.cumsum(gone) - gone)
    stay = np.where(risk >= _FEWEST_SEEN, 1.0 - ended / np.maximum(risk, 1.0), 1.0)
    after = np.append(np.cumprod(stay[:0:-1])[::-1], 1.0)
    return np.asarray(after)
