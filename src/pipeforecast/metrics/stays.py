"""Stays of deals in stages, and the cohorts that entered each: what conversion and durations are counted from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.history import DealHistory
from pipeforecast.metrics.values import NotAvailable
from pipeforecast.wording import pnoop


def open_stages(stages: pd.DataFrame) -> pd.DataFrame:
    """Stages of open deals in their order: ``pipeline``, ``stage``, ``rank`` (0 is the first)."""
    own = stages[(stages["kind"] == OPEN).to_numpy(dtype=bool) & stages["position"].notna().to_numpy()]
    rank = own["position"].rank(method="dense").astype("int64") - 1
    pipeline = own["pipeline"] if "pipeline" in own else pd.Series(pd.NA, index=own.index, dtype="string")
    out = pd.DataFrame({"pipeline": pipeline.astype("object"), "stage": own["stage"].astype("object"), "rank": rank})
    return out.sort_values("rank", kind="stable", ignore_index=True)


def of_stage(stages: pd.DataFrame, column: str, stage: pd.Series, pipeline: pd.Series | None) -> np.ndarray:
    """Number that ``stages`` give each row's stage in its own pipeline, else in the first that has it (n,).

    Two pipelines may call different stages by one name.
    """
    stages = stages.dropna(subset="stage").astype({"stage": "object"})
    anywhere = stages.drop_duplicates("stage").set_index("stage")[column]
    found = stage.astype("object").map(anywhere).to_numpy(dtype="float64", na_value=np.nan)
    if pipeline is None or "pipeline" not in stages or stages["pipeline"].isna().all():
        return np.asarray(found)
    own = stages.dropna(subset="pipeline").astype({"pipeline": "object"}).drop_duplicates(["pipeline", "stage"])
    asked = pd.MultiIndex.from_arrays([pipeline.astype("object"), stage.astype("object")])
    mine = own.set_index(["pipeline", "stage"])[column].reindex(asked).to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isnan(mine), found, mine)


def stage_stays(known: DealHistory) -> pd.DataFrame:
    """Every stay of an open deal in a stage, in the order of deals and time.

    Returns
    -------
    DataFrame
        ``deal``, ``stage``, ``entered_at``, ``left_at`` (NaT: still there), ``days`` (until the evening where it is
        still there), ``ended``. A stay that ends by closing ends on the true day of closing.

    Raises
    ------
    NotAvailable
        If the stages of past days are unknown.
    """
    if not known.has_stage_history:
        raise NotAvailable(
            pnoop("reason", "no history of stages: which stage a deal was in on a past day is not known")
        )
    states = known.states
    deal, status = states["deal"].to_numpy(), states["status"].to_numpy(dtype=object)
    stage = pd.factorize(states["stage"])[0]
    is_open = status == OPEN
    same = np.r_[False, (deal[1:] == deal[:-1]) & (stage[1:] == stage[:-1]) & (is_open[1:] == is_open[:-1])]
    start = np.flatnonzero(~same[: len(deal)])
    follows = np.r_[deal[start][1:] == deal[start][:-1], False][: len(start)]
    after = np.r_[start[1:], 0][: len(start)]
    written = states["recorded_at"].to_numpy().astype("datetime64[s]")
    closed = states["closed_at"].to_numpy().astype("datetime64[s]")
    left = np.where(np.isnat(closed[after]), written[after], np.minimum(closed[after], written[after]))
    entered = written[start]
    left = np.where(follows, np.maximum(left, entered), np.datetime64("NaT"))
    evening = np.datetime64(known.written_until.normalize() + pd.Timedelta(days=1), "s")
    seen = np.where(follows, left, evening)
    out = pd.DataFrame({
        "deal": deal[start], "stage": states["stage"].to_numpy(dtype=object)[start], "entered_at": entered,
        "left_at": left, "days": (seen - entered).astype("int64") / 86400, "ended": follows,
    })  # fmt: skip
    return pd.DataFrame(out[is_open[start] & (stage[start] >= 0)]).reset_index(drop=True)


def cohorts(stays: pd.DataFrame, deals: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Each deal once in every stage that it entered or skipped, and whether it got any further.

    A stage that a deal jumped over, on its way or by being won, counts as entered and passed at that moment; those
    before the stage that it began in do not count.

    Parameters
    ----------
    stays : DataFrame
        As of ``stage_stays``.
    deals : DataFrame, index deal key
        ``won``, ``lost``, ``closed_at`` and perhaps ``pipeline``.
    stages : DataFrame
        As of ``open_stages``.

    Returns
    -------
    DataFrame
        ``deal``, ``stage``, ``rank``, ``entered_at``, ``passed`` (reached a later stage, or was won), ``passed_at``,
        ``resolved`` (passed, or closed without): the others are open and censored.
    """
    steps = _steps(stays, deals, stages)
    size = (steps["to"] - steps["over"]).to_numpy()
    row = np.repeat(np.arange(len(steps)), size)
    rank = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + steps["over"].to_numpy()[row] + 1
    out = steps[["deal", "at", "to", "next_at"]].iloc[row].assign(rank=rank)
    out = out[out["rank"] <= stages["rank"].max()]
    on_the_way = (out["rank"] < out["to"]).to_numpy()
    passed_at = out["next_at"].where(~on_the_way, out["at"])
    out = out.assign(
        entered_at=out["at"], passed_at=passed_at, passed=passed_at.notna().to_numpy(),
        stage=_names(out, stays, deals, stages),
    )  # fmt: skip
    lost = deals["lost"].reindex(out["deal"]).to_numpy(dtype=bool)
    out = out.assign(resolved=out["passed"].to_numpy() | lost).dropna(subset="stage")
    wanted = ["deal", "stage", "rank", "entered_at", "passed", "passed_at", "resolved"]
    return pd.DataFrame(out[wanted]).reset_index(drop=True)


def _steps(stays: pd.DataFrame, deals: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Each time a deal got further than ever before: from above ``over`` up to ``to``, and when it next did."""
    line = deals["pipeline"].reindex(stays["deal"]) if "pipeline" in deals else None
    rank = of_stage(stages, "rank", stays["stage"], line)
    moves = pd.DataFrame({"deal": stays["deal"], "at": stays["entered_at"], "to": rank}).dropna(subset="to")
    won = deals[deals["won"].to_numpy(dtype=bool) & deals.index.isin(moves["deal"])]
    top = int(stages["rank"].max()) + 1 if len(stages) else 0
    wins = pd.DataFrame({"deal": won.index, "at": won["closed_at"].to_numpy(), "to": top})
    # Stays are in the order of time; a win comes last, also where it was dated before the last move was written.
    moves = pd.concat([moves.assign(win=False), wins.assign(win=True)], ignore_index=True).astype({"to": "int64"})
    moves = moves.sort_values(["deal", "win"], kind="stable")
    before = moves.groupby("deal")["to"].cummax().groupby(moves["deal"]).shift(1)
    over = before.where(before.notna(), moves["to"] - 1)
    moves = moves.assign(over=over.astype("int64"))[(before.isna() | (moves["to"] > before)).to_numpy()]
    following = moves.groupby("deal")["at"].shift(-1)
    return moves.assign(next_at=following.where(~(following < moves["at"]), moves["at"]))


def _names(out: pd.DataFrame, stays: pd.DataFrame, deals: pd.DataFrame, stages: pd.DataFrame) -> np.ndarray:
    """Name the stage of each rank in the deal's own pipeline, or in the first that has the rank."""
    anywhere = stages.drop_duplicates("rank").set_index("rank")["stage"]
    name = out["rank"].map(anywhere).to_numpy(dtype=object)
    if "pipeline" in deals and stages["pipeline"].notna().any():
        own = stages.dropna(subset="pipeline").drop_duplicates(["pipeline", "rank"])
        lookup = own.set_index(["pipeline", "rank"])["stage"]
        of = deals["pipeline"].reindex(out["deal"]).to_numpy(dtype=object)
        mine = lookup.reindex(pd.MultiIndex.from_arrays([of, out["rank"]])).to_numpy(dtype=object)
        known = pd.Series(of).isin(own["pipeline"]).to_numpy()
        name = np.where(known, mine, name)
    return np.asarray(name)
