"""How long deals stayed in a stage and how they left it, as far as lesson days and the stages ever entered show.

A stay is watched from the lesson day on which it was seen, or from its beginning after a move that was watched. Between
two lesson days a deal may pass through stages that no lesson day shows; those that it is known to have entered, and
that lie between the stage before and the stage after, are put in between at equal distances. Without them short stays
would never be seen, and all stays would look long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import LOST, OPEN, WON
from pipeforecast.features import MISSING, Features, describe
from pipeforecast.outcome import Lessons

#: Days in a stage at which its rates may change; after the last they stay.
AGES = np.array([0.0, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0])
_OPEN, _MOVED, _WON, _LOST = -1, 0, 1, 2


@dataclass(frozen=True)
class Stays:
    """Pieces of stays that were watched.

    Attributes
    ----------
    stages : tuple of str
    stage : int array (n,)
        Stage of each piece.
    begin, end : float arrays (n,)
        Days in the stage when watching began and ended.
    way : int array (n,)
        What ended it: −1 nothing seen, 0 a move, 1 won, 2 lost.
    to : int array (n,)
        Stage that a move led to; −1 without a move.
    already : float array (2,)
        Share of open rows that were won, lost by then but written later.
    """

    stages: tuple[str, ...]
    stage: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    way: np.ndarray
    to: np.ndarray
    already: np.ndarray

    def by_age(self) -> tuple[np.ndarray, np.ndarray]:
        """Days watched (stages, ages), and leavings by way (stages, ages, 3)."""
        size = len(self.stages), len(AGES)
        exposure, left = np.zeros(size), np.zeros((*size, 3))
        upper = np.append(AGES[1:], np.inf)
        spent = np.minimum(self.end[:, None], upper) - np.maximum(self.begin[:, None], AGES)
        np.add.at(exposure, self.stage, np.maximum(spent, 0.0))
        gone = self.way != _OPEN
        age = np.maximum(np.searchsorted(AGES, self.end[gone], side="left") - 1, 0)
        np.add.at(left, (self.stage[gone], age, self.way[gone]), 1.0)
        return exposure, left

    def moves(self) -> np.ndarray:
        """Moves from stage to stage (stages, stages)."""
        out = np.zeros((len(self.stages), len(self.stages)))
        moved = self.way == _MOVED
        np.add.at(out, (self.stage[moved], self.to[moved]), 1.0)
        return out


def stays_of(lessons: Lessons, max_rows: int, seed: int) -> Stays:
    """Watch each deal from lesson day to lesson day, and from the last one to its closing or the cutoff."""
    rows = _rows(lessons, max_rows, seed)
    share = np.array([((rows["days"] <= 0) & (rows["status"] == s)).mean() if len(rows) else 0.0 for s in (WON, LOST)])
    rows = rows[((rows["days"] > 0) | (rows["status"] == OPEN)).to_numpy()].reset_index(drop=True)
    stages = tuple(sorted({*rows["stage"], *rows["last_stage"]}))
    windows = pd.concat([_between(rows), _after_the_last(rows, lessons.cutoff)], ignore_index=True)
    pieces = _pieces(windows, _passed(windows, rows, lessons))
    codes = {name: i for i, name in enumerate(stages)}
    return Stays(
        stages=stages,
        stage=np.array([codes[p[0]] for p in pieces], dtype="int64"),
        begin=np.array([p[1] for p in pieces], dtype="float64"),
        end=np.array([p[2] for p in pieces], dtype="float64"),
        way=np.array([p[3] for p in pieces], dtype="int64"),
        to=np.array([codes[p[4]] if p[3] == _MOVED else -1 for p in pieces], dtype="int64"),
        already=share,
    )


def _rows(lessons: Lessons, max_rows: int, seed: int) -> pd.DataFrame:
    """Lesson rows in the order of deals and days, with what became of each."""
    open_rows, outcome = lessons.snapshot.open, lessons.outcome.rows
    stage, age = stage_and_age(describe(lessons.snapshot))
    rows = pd.DataFrame({
        "deal": open_rows["deal"].to_numpy(), "as_of": open_rows["as_of"].to_numpy(), "stage": stage, "age": age,
        "status": outcome["status"].to_numpy(dtype=object), "days": outcome["days"].to_numpy(dtype="float64"),
    })  # fmt: skip
    last = lessons.deals["stage"].astype("object").reindex(rows["deal"]).to_numpy()
    known = ~pd.isna(last) & (stage != MISSING)
    rows["last_stage"] = np.where((rows["status"] == OPEN) & known, last, stage)
    rows = rows.sort_values(["deal", "as_of"], kind="stable", ignore_index=True)
    if len(rows) > max_rows:
        deals = np.unique(rows["deal"].to_numpy())
        kept = deals[np.random.default_rng(seed).random(len(deals)) < max_rows / len(rows)]
        rows = rows[rows["deal"].isin(kept).to_numpy()].reset_index(drop=True)
    return rows


def _between(rows: pd.DataFrame) -> pd.DataFrame:
    """Windows between successive lesson days of one deal: ``after`` is spent in the new stage once it is entered."""
    same = (rows["deal"] == rows["deal"].shift(-1)).to_numpy()
    now, then = rows[same].reset_index(drop=True), rows.shift(-1)[same].reset_index(drop=True)
    gap = (then["as_of"] - now["as_of"]).dt.days.to_numpy(dtype="float64")
    later_age = then["age"].to_numpy(dtype="float64")
    moved = (then["stage"] != now["stage"]).to_numpy() | (later_age < gap)
    # The new stage says by its age when it was entered; an age that reaches back before the gap is no such day.
    after = np.where(moved, np.where(later_age <= gap, later_age, gap / 2), 0.0)
    way = np.where(moved, _MOVED, _OPEN)
    return _windows(now, gap - after, way, then["stage"].where(moved), after)


def _after_the_last(rows: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Windows from the last lesson day of each deal to its closing, or to the cutoff."""
    last = rows[(rows["deal"] != rows["deal"].shift(-1)).to_numpy()].reset_index(drop=True)
    closed = (last["status"] != OPEN).to_numpy()
    moved = ~closed & (last["last_stage"] != last["stage"]).to_numpy()
    gap = (pd.Timestamp(cutoff) - last["as_of"]).dt.days.to_numpy(dtype="float64")
    watched = np.where(closed, last["days"], np.where(moved, gap / 2, gap))
    way = np.where(closed, np.where(last["status"] == WON, _WON, _LOST), np.where(moved, _MOVED, _OPEN))
    return _windows(last, watched, way, last["last_stage"].where(moved), np.where(moved, gap / 2, 0.0))


def _windows(now: pd.DataFrame, watched: np.ndarray, way: np.ndarray, to: pd.Series, after: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({
        "deal": now["deal"].to_numpy(), "stage": now["stage"].to_numpy(dtype=object),
        "age": now["age"].to_numpy(dtype="float64"), "watched": watched, "way": way,
        "to": to.to_numpy(dtype=object), "after": after,
    })  # fmt: skip


def _passed(windows: pd.DataFrame, rows: pd.DataFrame, lessons: Lessons) -> dict[int, list[str]]:
    """Stages between, by window: entered, on no lesson day seen, and between the stage before and the one after."""
    place = lessons.snapshot.stages.drop_duplicates("stage").set_index("stage")["position"].astype("float64").to_dict()
    entered = lessons.entered.assign(stage=lessons.entered["stage"].astype("object"))
    seen = pd.MultiIndex.from_frame(rows[["deal", "stage"]])
    unseen = entered[~pd.MultiIndex.from_frame(entered[["deal", "stage"]]).isin(seen)]
    unseen = unseen[unseen["stage"].isin(set(rows["stage"])).to_numpy()].rename(columns={"stage": "between"})
    left = windows[(windows["way"] != _OPEN).to_numpy()].reset_index(names="window")
    found = left.merge(unseen, on="deal")
    first, middle = (found[c].map(place).to_numpy(dtype="float64") for c in ("stage", "between"))
    last = np.where(found["way"] == _MOVED, found["to"].map(place).to_numpy(dtype="float64"), np.inf)
    found = found.assign(place=middle)[(first < middle) & (middle < last)]
    found = found.drop_duplicates(["deal", "between"]).sort_values(["window", "place"])
    out: dict[int, list[str]] = {}
    for window, stage in zip(found["window"].tolist(), found["between"].tolist(), strict=True):
        out.setdefault(window, []).append(stage)
    return out


def _pieces(windows: pd.DataFrame, passed: dict[int, list[str]]) -> list[tuple[str, float, float, int, str]]:
    """Cut windows into pieces: stage, age when watching began and ended, what ended it, and the stage after a move."""
    out = []
    told = windows[["stage", "age", "watched", "way", "to", "after"]].itertuples(index=False, name=None)
    for i, (stage, age, watched, way, to, after) in enumerate(told):
        between = passed.get(i, [])
        each = watched / (len(between) + 1)
        for following in between:
            out.append((stage, age, age + each, _MOVED, following))
            stage, age = following, 0.0
        out.append((stage, age, age + each, way, to))
        if after > 0:
            out.append((to, 0.0, after, _OPEN, ""))
    return out


def stage_and_age(features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Stage of each row, and the days since it was entered (where unknown: since the deal was created, else 0)."""
    n = len(features.due)
    known = "stage" in features.categories
    stage = features.categories["stage"].to_numpy(dtype=object) if known else np.full(n, MISSING, dtype=object)
    in_stage, since = (features.numbers[c].to_numpy(dtype="float64") for c in ("log_days_in_stage", "log_age"))
    days = np.expm1(np.nan_to_num(np.where(np.isnan(in_stage), since, in_stage), nan=0.0))
    return stage, np.round(days, 6)
