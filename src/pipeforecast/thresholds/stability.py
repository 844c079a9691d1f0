"""Whether a threshold keeps its promise over time, and whether ever more leads pass it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.drift import change_of
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.thresholds.curve import Scale, best_at, curve, cuts_of, priced
from pipeforecast.thresholds.judged import Judged, weeks_of
from pipeforecast.thresholds.terms import Terms

HISTORY_COLUMNS = (
    "period", "leads", "leads_per_week", "conversion", "own_best", "chosen_before", "handed_share",
    "promised_net_per_week", "net_per_week", "own_net_per_week",
)  # fmt: skip
WEEKS = 26
_WEEK = np.timedelta64(7, "D")
_FEWEST = 50
#: A share that grows by less is of no consequence, however sure it is.
_GROWTH = 1.2
_SURE = 0.01


def history(leads: Judged, scale: Scale, terms: Terms, calendar: FiscalCalendar, in_time: bool = True) -> pd.DataFrame:
    """Give each past period's own best threshold, and what the one chosen from earlier leads brought in it.

    Parameters
    ----------
    leads : Judged
    scale : 'p' or 'points'
    terms : Terms
    calendar : FiscalCalendar
    in_time : bool
        Whether leads were scored in the order of time; otherwise nothing was chosen beforehand, and there are no rows.

    Returns
    -------
    DataFrame, a row a period with fifty leads or more
        ``period``, ``leads``, ``leads_per_week``, ``conversion``, ``own_best``, ``chosen_before`` (from all earlier
        periods), ``handed_share`` (of the period's leads, by that one), ``promised_net_per_week`` (of the earlier
        leads, per lead, times this period's leads), ``net_per_week`` (what it brought) and ``own_net_per_week``.
    """
    if not in_time or np.isnat(leads.as_of).any() or not len(leads.as_of):
        return pd.DataFrame(columns=list(HISTORY_COLUMNS))
    days, code = np.unique(leads.as_of.astype("datetime64[D]"), return_inverse=True)
    names = np.array([calendar.containing(pd.Timestamp(d)).name for d in days])[code]
    first = {name: leads.as_of[names == name].min() for name in np.unique(names)}
    rows = []
    for name in sorted(first, key=lambda n: first[n]):
        own = names == name
        if own.sum() < _FEWEST:
            continue
        here = _timed(leads, own)
        table = priced(curve(here, cuts_of(here.score, scale)), terms)
        best = table.iloc[best_at(table, terms)]
        row = {
            "period": name, "leads": int(own.sum()), "leads_per_week": own.sum() / here.weeks,
            "conversion": float(here.came.mean()), "own_best": best["threshold"],
            "own_net_per_week": best["net"] / here.weeks,
        }  # fmt: skip
        before = leads.as_of < first[name]
        rows.append(row | (_kept(_timed(leads, before), here, scale, terms) if before.sum() >= _FEWEST else {}))
    return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS))


def _timed(leads: Judged, keep: np.ndarray) -> Judged:
    own = leads.rows(keep)
    return Judged(own.score, own.came, own.left, own.as_of, own.weight, weeks_of(own.as_of))


def _kept(before: Judged, here: Judged, scale: Scale, terms: Terms) -> dict[str, float]:
    """Choose from the leads before, judge on those here."""
    table = priced(curve(before, cuts_of(before.score, scale)), terms)
    chosen = table.iloc[best_at(table, terms)]
    got = priced(curve(here, np.array([chosen["threshold"]])), terms).iloc[0]
    return {
        "chosen_before": chosen["threshold"], "handed_share": got["leads"] / len(here.score),
        "promised_net_per_week": chosen["net"] / len(before.score) * len(here.score) / here.weeks,
        "net_per_week": got["net"] / here.weeks,
    }  # fmt: skip


def weekly(
    as_of: np.ndarray, score: np.ndarray, cuts: np.ndarray, weeks: int = WEEKS, last: np.datetime64 | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Count leads at or above each threshold week by week, in the last weeks that are whole.

    Parameters
    ----------
    as_of : datetime64[s] (n,)
        Of all leads with a score, young ones too.
    score : float (n,)
    cuts : float (k,)
    weeks : int
    last : datetime64 or None
        Day on which the last week ends; None: that of the last lead.

    Returns
    -------
    last_days : datetime64[D] (w,)
        Last day of each week, rising.
    counts : int array (w, k + 1)
        The last column counts all leads.
    """
    day = as_of.astype("datetime64[D]")
    if not len(day) or np.isnat(day).any():
        return np.zeros(0, dtype="datetime64[D]"), np.zeros((0, len(cuts) + 1), dtype=int)
    end = day.max() if last is None else last.astype("datetime64[D]")
    back = (end - day) // _WEEK
    whole = int((end - day.min() + np.timedelta64(1, "D")) // _WEEK)
    kept = min(weeks, max(whole, 1))
    place = np.searchsorted(cuts, score, side="right")
    counts = np.zeros((kept, len(cuts) + 1), dtype=int)
    for week in range(kept):
        own = np.bincount(place[back == week], minlength=len(cuts) + 1)
        passing = own[::-1].cumsum()[::-1]
        counts[kept - 1 - week] = np.append(passing[1:], passing[0])
    return end - _WEEK * np.arange(kept)[::-1], counts


@dataclass(frozen=True)
class Inflation:
    """The share handed over has grown.

    Attributes
    ----------
    since : datetime64[D]
        Last day of the first week of the new level.
    before, after : float
        Share handed over.
    """

    since: np.datetime64
    before: float
    after: float


def inflation(last_days: np.ndarray, handed: np.ndarray, leads: np.ndarray, seed: int = 0) -> Inflation | None:
    """Tell whether the share of leads that pass the threshold has grown beyond chance, and since when.

    Parameters
    ----------
    last_days : datetime64[D] (w,)
    handed, leads : int (w,)
        Leads that passed the threshold, and all leads, of each week.

    Returns
    -------
    Inflation or None
        Only where it is sure (p < 0.01 over shuffled weeks) and a fifth or more.
    """
    there = leads > 0
    if not there.any() or not 0 < handed.sum() < leads.sum():
        return None
    share = handed.sum() / leads.sum()
    off = (handed - share * leads)[there] / np.sqrt(share * (1 - share) * leads[there])
    found = change_of(off, seed)
    if found is None or found.p_value >= _SURE or found.shift <= 0:
        return None
    at = int(np.flatnonzero(there)[found.at])
    before, after = (float(handed[s].sum() / leads[s].sum()) for s in (slice(None, at), slice(at, None)))
    return Inflation(last_days[at], before, after) if after >= _GROWTH * before else None
