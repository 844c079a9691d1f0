"""How long deals stay in a stage, and which stages they jumped over: read from the states that were written."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.history import DealHistory

_DAY = np.timedelta64(86400, "s")


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
    names = stage.astype("object")
    out = np.full(len(stage), np.nan)
    told = opened["pipeline"].astype("object")
    # The pipelines' own stages come last, so that they win over those of all pipelines.
    for line in [None, *told.dropna().unique()]:
        own = opened[(told.isna() if line is None else told == line).to_numpy()]
        numbers = {s: i for i, s in enumerate(own["stage"].drop_duplicates(), start=1)}
        place = names.map(numbers).to_numpy(dtype="float64", na_value=np.nan)
        mine = ~np.isnan(place)
        if line is not None and pipeline is not None:
            mine &= (pipeline == line).fillna(False).to_numpy(dtype=bool)
        out = np.where(mine, place, out)
    return out


def pipeline_of(history: DealHistory, deals: pd.Series) -> pd.Series | None:
    """Pipeline of each deal key (n,); None where the export knows none."""
    if "pipeline" not in history.deals:
        return None
    return history.deals["pipeline"].reindex(deals.to_numpy()).reset_index(drop=True)


def stays_of(states: pd.DataFrame) -> pd.DataFrame:
    """Stays of open deals in a stage: ``deal``, ``stage``, ``begin`` and ``end`` (NaT: still there).

    Parameters
    ----------
    states : DataFrame
        As of ``DealHistory.states``. A stay ends with the next written state of another stage, or of a closing.
    """
    deal = states["deal"].to_numpy()
    stage = states["stage"].astype("object").where(states["stage"].notna(), None).to_numpy()
    live = (states["status"] == OPEN).to_numpy(dtype=bool)
    same_deal = np.r_[False, deal[1:] == deal[:-1]] if len(deal) else np.zeros(0, dtype=bool)
    goes_on = same_deal & live & np.r_[False, live[:-1]][: len(live)]
    goes_on[1:] &= stage[1:] == stage[:-1]
    first = np.flatnonzero(~goes_on)
    at = states["recorded_at"].to_numpy().astype("datetime64[s]")
    following = np.r_[first[1:], len(deal)].astype("int64")
    ends = np.full(len(first), np.datetime64("NaT", "s"))
    inside = following < len(deal)
    inside[inside] = deal[following[inside]] == deal[first[inside]]
    ends[inside] = at[following[inside]]
    out = pd.DataFrame({"deal": deal[first], "stage": stage[first], "begin": at[first], "end": ends})
    return out[live[first] & out["stage"].notna().to_numpy()].reset_index(drop=True)


def long_stays(stays: pd.DataFrame, days: Iterable[pd.Timestamp], share: float, least: int) -> pd.DataFrame:
    """Days after which ``share`` of the stays in each stage have ended, as known on each evening.

    Stays that are not over are censored (Kaplan and Meier, JASA 53, 1958).

    Parameters
    ----------
    stays : DataFrame
        As of ``stays_of``.
    days : iterable of Timestamp
    share : float
    least : int
        Completed stays below which nothing is said.

    Returns
    -------
    DataFrame
        ``as_of``, ``stage``, ``limit`` (NaN: fewer than ``share`` have ended, or too few are known).
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    found = []
    for stage, own in stays.groupby("stage", sort=True):
        begin = own["begin"].to_numpy().astype("datetime64[s]")
        end = own["end"].to_numpy().astype("datetime64[s]")
        for day in days:
            evening = np.datetime64(pd.Timestamp(day), "s") + _DAY
            begun = begin < evening
            over = begun & (end < evening)
            limit = np.nan
            if over.sum() >= least:
                spent = (np.where(over, end, evening) - begin)[begun] / _DAY
                limit = float(SurvfuncRight(np.maximum(spent, 0.0), over[begun].astype("float64")).quantile(share))
            found.append((pd.Timestamp(day), stage, limit))
    return pd.DataFrame(found, columns=["as_of", "stage", "limit"])


def first_skips(history: DealHistory) -> pd.Series:
    """When each deal first moved beyond a stage that it had never been in: index deal key, only deals that did."""
    states = history.states[(history.states["status"] == OPEN).to_numpy(dtype=bool)].reset_index(drop=True)
    place = places(history.stages, states["stage"], pipeline_of(history, states["deal"]))
    farthest = pd.Series(place).groupby(states["deal"].to_numpy()).cummax()
    before = farthest.groupby(states["deal"].to_numpy()).ffill().groupby(states["deal"].to_numpy()).shift()
    skipped = (pd.Series(place) > before + 1).to_numpy(dtype=bool)
    hit = states[skipped]
    return hit.groupby("deal")["recorded_at"].min()
