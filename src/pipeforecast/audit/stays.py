"""How long deals stay in a stage, and which stages they jumped over: read from the states that were written."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.history import DealHistory

_DAY = np.timedelta64(86400, "s")
#: Stays of one stage that say how long stays are.
MOST_STAYS = 100_000


def places(stages: pd.DataFrame, stage: pd.Series, pipeline: pd.Series | None = None) -> np.ndarray:
    """Number of each deal's stage among the open stages of its pipeline, from 1 (n,); NaN: not among them.

    Parameters
    ----------
    stages : DataFrame
        As of ``DealHistory.stages``.
    stage : Series (n,)
    pipeline : Series (n,), optional
        Stages that name no pipeline belong to all.
    """
    opened = stages[(stages["kind"] == OPEN).to_numpy(dtype=bool)].sort_values("position", kind="stable")
    code, names = pd.factorize(stage)  # names are looked up once each, however many deals bear them
    out = np.full(len(stage), np.nan)
    told = opened["pipeline"].astype("object")
    # The pipelines' own stages come last, so that they win over those of all pipelines.
    for line in [None, *told.dropna().unique()]:
        own = opened[(told.isna() if line is None else told == line).to_numpy()]
        numbers = {s: i for i, s in enumerate(own["stage"].drop_duplicates(), start=1)}
        place = np.array([numbers.get(name, np.nan) for name in names] + [np.nan], dtype="float64")[code]
        mine = ~np.isnan(place)
        if line is not None and pipeline is not None:
            mine &= (pipeline == line).fillna(False).to_numpy(dtype=bool)
        out = np.where(mine, place, out)
    return out


def pipeline_of(history: DealHistory, deals: pd.Series) -> pd.Series | None:
    """Pipeline of each deal key (n,); None where the export knows none."""
    if "pipeline" not in history.deals:
        return None
    return history.deals["pipeline"].astype("category").reindex(deals.to_numpy()).reset_index(drop=True)


def stays_of(states: pd.DataFrame) -> pd.DataFrame:
    """Stays of open deals in a stage: ``deal``, ``stage``, ``begin`` and ``end`` (NaT: still there).

    Parameters
    ----------
    states : DataFrame
        As of ``DealHistory.states``. A stay ends with the next written state of another stage, or of a closing.
    """
    deal = states["deal"].to_numpy()
    stage, names = pd.factorize(states["stage"])
    live = (states["status"] == OPEN).to_numpy(dtype=bool)
    goes_on = np.zeros(len(deal), dtype=bool)
    goes_on[1:] = (deal[1:] == deal[:-1]) & live[1:] & live[:-1] & (stage[1:] == stage[:-1])
    first = np.flatnonzero(~goes_on)
    at = states["recorded_at"].to_numpy().astype("datetime64[s]")
    ends = np.full(len(first), np.datetime64("NaT", "s"))
    followed = np.flatnonzero(deal[first[1:]] == deal[first[:-1]])
    ends[followed] = at[first[followed + 1]]
    out = pd.DataFrame({
        "deal": deal[first], "stage": pd.Categorical.from_codes(stage[first], names), "begin": at[first], "end": ends
    })  # fmt: skip
    return out[live[first] & (stage[first] >= 0)].reset_index(drop=True)


def long_stays(
    stays: pd.DataFrame, days: Iterable[pd.Timestamp], share: float, least: int, most: int = MOST_STAYS
) -> pd.DataFrame:
    """Days after which ``share`` of the stays in each stage have ended, as known on each evening.

    Stays that are not over are censored (Kaplan and Meier, JASA 53, 1958). Of a stage with more than ``most`` stays
    evenly spread ones speak for all: a share of so many is known to a fifth of a percent.

    Parameters
    ----------
    stays : DataFrame
        As of ``stays_of``.
    days : iterable of Timestamp
    share : float
    least : int
        Completed stays below which nothing is said.
    most : int

    Returns
    -------
    DataFrame, index the evenings, columns the stages
        The limit in days; NaN where fewer than ``share`` have ended, or too few are known.
    """
    evenings = {pd.Timestamp(d): np.datetime64(pd.Timestamp(d), "s") + _DAY for d in days}
    found = {}
    for stage, own in stays.groupby("stage", sort=True, observed=True):
        spread = own.iloc[:: max(1, -(-len(own) // most))]
        begin, end = (spread[c].to_numpy().astype("datetime64[s]") for c in ("begin", "end"))
        found[stage] = _limits(begin, end, list(evenings.values()), share, least)
    return pd.DataFrame(found, index=pd.Index(list(evenings), dtype="datetime64[s]"), dtype="float64")


def _limits(
    begin: np.ndarray, end: np.ndarray, evenings: Iterable[np.datetime64], share: float, least: int
) -> list[float]:
    """Time by which ``share`` of the stays (n,) have ended, on each evening; sorted once for all of them."""
    spent = (end - begin).astype("int64")
    by_length = np.argsort(np.where(np.isnat(end), np.iinfo("int64").max, spent), kind="stable")
    spent, ends = spent[by_length], end[by_length]
    by_begin = np.argsort(begin, kind="stable")[::-1]
    begun, ends_of_begun = begin[by_begin], end[by_begin]
    out = []
    for evening in evenings:
        over = spent[ends < evening]
        waiting = (begun < evening) & ~(ends_of_begun < evening)
        so_far = (evening - begun[waiting]).astype("int64")  # rising, as the later begun come first
        out.append(_reached(over, so_far, share) if len(over) >= least else np.nan)
    return out


def _reached(over: np.ndarray, so_far: np.ndarray, share: float) -> float:
    """Days by which ``share`` have ended: ``over`` and ``so_far`` are seconds of ended and of waiting ones, rising."""
    times, first, ended = np.unique(over, return_index=True, return_counts=True)
    waiting = len(over) - first + len(so_far) - np.searchsorted(so_far, times, side="left")
    with np.errstate(divide="ignore"):
        still = np.exp(np.cumsum(np.log(1 - ended / waiting)))
    reached = np.flatnonzero(still < 1 - share)
    return float(times[reached[0]] / 86400) if len(reached) else float("nan")


def first_skips(history: DealHistory) -> pd.Series:
    """When each deal first moved beyond a stage that it had never been in: index deal key, only deals that did."""
    states = history.states
    states = states.loc[(states["status"] == OPEN).to_numpy(dtype=bool), ["deal", "recorded_at", "stage"]]
    place = np.nan_to_num(places(history.stages, states["stage"], pipeline_of(history, states["deal"])))
    deal = states["deal"].to_numpy()
    # One running maximum serves all deals where each begins above the highest of the one before.
    new = np.r_[False, deal[1:] != deal[:-1]][: len(deal)]
    base = np.cumsum(new) * (place.max(initial=0.0) + 1)
    farthest = np.maximum.accumulate(base + place) - base
    before = np.r_[0.0, farthest[:-1]][: len(deal)]
    skipped = ~new & (before > 0) & (place > before + 1)
    return pd.Series(states["recorded_at"].to_numpy()[skipped], index=deal[skipped]).groupby(level=0).first()
